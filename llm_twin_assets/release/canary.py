"""A canary release on the deploying side: begun in place of the switch, ended by a no on record, or brought to its end.

The service ends one that is worse by itself, and at once (bentos/canary.py); here that becomes a decision like any
other, so that neither this model nor a new snapshot of it is released again. What is said no to is the version that a
person said yes to before: a canary skips no approval.
"""

from datetime import datetime

from llm_twin_assets.domain.canary import BY_FIGURES, BY_TIME, Ended, is_due, is_overdue, worse
from llm_twin_assets.domain.canary_records import end, ended, read_figures, running_canary
from llm_twin_assets.domain.chain import numbered
from llm_twin_assets.domain.release import Approval, Release
from llm_twin_assets.domain.released import canary_pointer, read_tried, releases_prefix
from llm_twin_assets.release.approvals import reject, withdraw
from llm_twin_assets.release.records import ConflictError, deciding
from resources.notice import Notice
from resources.object_store import ObjectStore


def begin(objects: ObjectStore, canary: Release) -> None:
    """Let the service try a release of the chain; raises `ConflictError` if another canary began meanwhile."""
    path = canary_pointer(canary.author)
    content = objects.get(numbered(releases_prefix(canary.author), canary.sequence))
    if not objects.swap(path, objects.find(path), content):
        raise ConflictError("another canary began at the same moment", where=path)


def is_sound(objects: ObjectStore, canary: Release, now: datetime) -> bool:
    """Whether a canary has been tried for long enough, and nothing shows that it is worse."""
    if canary.canary is None:
        return True
    figures = read_figures(objects, canary)
    return worse(figures, canary.canary) is None and is_due(figures, canary, canary.canary, now)


def stop(objects: ObjectStore, author: str, by: str, reason: str, now: datetime) -> Release | None:
    """End the canary that runs, and say no to its model; None if none runs."""
    canary = running_canary(objects, author)
    if canary is not None:
        _end(objects, canary, by, reason, now)
        settle(objects, author, now)
    return canary


def supersede(objects: ObjectStore, canary: Release, decided: Approval) -> None:
    """End a canary because somebody has decided otherwise since; that says nothing against its model."""
    what = f"version {decided.model_version} was {decided.decision.replace('_', ' ')}"
    _end(objects, canary, decided.approver, f"{what}: {decided.reason}", decided.decided_at)


def settle(objects: ObjectStore, author: str, now: datetime) -> Approval | None:
    """Put on record what an ended canary stands for; None if there is none, or somebody has decided since.

    That is a no, but where its time was up before it had shown anything: then the yes to it is withdrawn. Also ends one
    that is worse or overdue by now: who served it may be gone. Raises `TamperedError`.
    """
    if (canary := running_canary(objects, author)) and (ending := _ending(objects, canary, now)):
        _end(objects, canary, *ending, now)
    canary = read_tried(objects, author)
    last = canary and ended(objects, canary)
    if not canary or not last or not _is_wanted(objects, canary):
        return None
    decide = withdraw if last.by == BY_TIME else reject
    return decide(objects, author, canary.model_version, last.by, f"canary {canary.release_id}: {last.reason}", now)


def ended_notice(decided: Approval) -> Notice:
    """What people are told of a canary's end that nobody of them brought about."""
    undecided = decided.decision == "withdrawn"
    version = f"version {decided.model_version}"
    next_step = (
        f"Nothing is known against {version}: `twin approve --version {decided.model_version}` tries it again, and "
        "without release.canary in twin.yaml releases it."
        if undecided
        else f"{version.capitalize()} is rejected: look at its traces, then train anew."
    )
    return Notice(
        notice_id=f"canary.{decided.author}.{decided.sequence}",
        severity="info" if undecided else "warning",
        title=f"{decided.author}: a canary ended {'undecided' if undecided else 'as worse'}",
        text=f"{decided.reason}.\n{next_step}",
        facts=(("author", decided.author), ("by", decided.approver)),
    )


def wants_run(objects: ObjectStore, author: str, now: datetime) -> str | None:
    """What deployment is to do about a canary, None if there is none, or it is to go on: `ended` or `sound`."""
    canary = read_tried(objects, author)
    if canary is None:
        return None
    wanted = _is_wanted(objects, canary)
    if running_canary(objects, author) is None:
        return "ended" if wanted and ended(objects, canary) else None
    if not wanted or _ending(objects, canary, now):
        return "ended"
    return "sound" if is_sound(objects, canary, now) else None


def _ending(objects: ObjectStore, canary: Release, now: datetime) -> tuple[str, str] | None:
    """By whom and why a canary that runs is to be ended, None if it may go on."""
    figures, trial = read_figures(objects, canary), canary.canary
    if trial is None:
        return None
    if reason := worse(figures, trial):
        return BY_FIGURES, reason
    if is_overdue(figures, canary, trial, now):
        given = f"{figures.canary.answers} of {trial.min_answers} answers"
        return BY_TIME, f"after {trial.max_days:g} days it had given {given}"
    return None


def _end(objects: ObjectStore, canary: Release, by: str, reason: str, now: datetime) -> None:
    figures = read_figures(objects, canary)
    end(objects, canary, Ended(release_id=canary.release_id, by=by, reason=reason, figures=figures, ended_at=now))


def _is_wanted(objects: ObjectStore, canary: Release) -> bool:
    """Whether the yes that a canary follows from is still what was last decided."""
    decided = deciding(objects, canary.author)
    return decided is not None and decided.approval.sequence == canary.approval_sequence
