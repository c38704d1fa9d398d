"""What an author's pointer names, believed only where the records of approvals and releases bear it out."""

from collections.abc import Sequence

from llm_twin_assets.domain.chain import Link, Reader, TamperedError, current, numbered, parse, read_chain
from llm_twin_assets.domain.release import NO_YES, Approval, Release

# A writer that was killed between a decision and its copy leaves the copy one behind; the next one makes up for it.
APPROVALS_LAG = 1


def approvals_prefix(author: str) -> str:
    """Where the decisions on an author's models lie."""
    return f"approvals/{author}"


def releases_prefix(author: str) -> str:
    """Where an author's releases lie."""
    return f"releases/{author}"


def pointer(author: str) -> str:
    """The object that the service follows; it holds the whole record of the release it names."""
    return current(releases_prefix(author))


def canary_pointer(author: str) -> str:
    """The object that names the release which is tried, or was the last to be, on a share of the requests."""
    return f"{releases_prefix(author)}/canary.json"


def read_approvals(objects: Reader, author: str) -> list[Link]:
    """The verified chain of decisions."""
    return read_chain(objects, approvals_prefix(author), lag=APPROVALS_LAG)


def read_releases(objects: Reader, author: str) -> list[Release]:
    """All releases, oldest first; raises `TamperedError` if a record is not what was written or nobody said yes."""
    # In this order: what a release follows from is on record before it.
    prefix = releases_prefix(author)
    links = read_chain(objects, prefix)
    releases = [parse(Release, numbered(prefix, link.sequence), link.content) for link in links]
    approvals = read_approvals(objects, author) if releases else []
    for release in releases:
        _check_approved(release, approvals)
    return releases


def read_served(objects: Reader, author: str) -> Release | None:
    """What the pointer names, or None if nothing was released; raises `TamperedError`."""
    return _read_named(objects, author, pointer(author))


def read_tried(objects: Reader, author: str) -> Release | None:
    """What the canary pointer names, over or not; raises `TamperedError`."""
    return _read_named(objects, author, canary_pointer(author))


def _read_named(objects: Reader, author: str, path: str) -> Release | None:
    content = objects.find(path)
    if content is None:
        return None
    releases = read_releases(objects, author)
    # Whatever the pointer held when it was looked at: by now it may name a later one.
    named = parse(Release, path, content)
    if not 1 <= named.sequence <= len(releases) or releases[named.sequence - 1] != named:
        raise TamperedError(f"does not name release {named.sequence} as it was written", where=path)
    return named


def _check_approved(release: Release, approvals: Sequence[Link]) -> None:
    where = numbered(releases_prefix(release.author), release.sequence)
    if not 1 <= release.approval_sequence <= len(approvals):
        raise TamperedError(f"approval {release.approval_sequence} is missing", where=where)
    link = approvals[release.approval_sequence - 1]
    approval = Approval.model_validate_json(link.content)
    if approval.decision in NO_YES or approval.model_version != release.model_version:
        raise TamperedError(
            f"approval {approval.sequence} is not a yes to version {release.model_version}", where=where
        )
    if release.approval_digest != link.digest and not _is_old(release):
        raise TamperedError(f"approval {approval.sequence}, or one before it, was changed", where=where)


def _is_old(release: Release) -> bool:
    """From before there were chains; it is sealed by the first record after it."""
    return release.approval_digest is None and release.previous is None
