"""From what people say, to the service or on Phoenix's own page, to rows of the table `feedback`, each word once.

Nothing is invented: what is said of an answer whose words nobody has yet waits for its trace, for so long as one may
still come. What is said of an answer that drew on a forgotten document is left.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llm_twin_assets.domain.feedback import Feedback
from llm_twin_assets.domain.forgotten import Forgotten
from llm_twin_assets.domain.identity import digest_of_set
from llm_twin_assets.domain.remark import FORGOTTEN, Answered, Remark, prefix, read, together
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from resources.object_store import ObjectStore
from resources.phoenix_annotations import COMMENT, CORRECTION, NOTE, OURS, SCORE, THUMB, Annotation

# A trace comes within seconds of its answer, or after the hour that Phoenix was down; not after a day.
PATIENCE = timedelta(days=1)
Remarks = Mapping[str, Remark]


@dataclass(frozen=True, slots=True)
class Gathered:
    """Rows that are new or changed; how many remarks wait for their answer's trace, and how many are given up or left.

    `lost` were said of answers that nobody knows, `forgotten` of such as drew on a forgotten document.
    """

    rows: tuple[Feedback, ...] = ()
    waiting: int = 0
    lost: int = 0
    forgotten: int = 0


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where an author's remarks lie, by answer."""

    paths: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, objects: ObjectStore, author: str) -> "Shelf":
        """As it is now."""
        answers: dict[str, list[str]] = defaultdict(list)
        for path in objects.list(prefix(author)):
            answers[path.split("/")[-2]].append(path)
        return cls(answers)

    @property
    def digest(self) -> str:
        """Another one when something was said."""
        return digest_of_set(path for paths in self.paths.values() for path in paths)

    def is_forgotten(self, answer_id: str) -> bool:
        """Whether what is said of an answer is not to be taken up."""
        return any(path.endswith(f"/{FORGOTTEN}") for path in self.paths.get(answer_id, ()))

    def read(self, objects: ObjectStore, known: Iterable[str]) -> dict[str, Remark]:
        """All that was said of answers of which not all is `known`, by path; raises `StorageError` on what is none."""
        seen = set(known)
        wanted = [
            path
            for answer, paths in self.paths.items()
            if not self.is_forgotten(answer) and not seen.issuperset(paths)
            for path in paths
        ]
        return {path: read(objects, path) for path in wanted}


def gathered(
    remarks: Remarks,
    before: Sequence[Feedback],
    answers: Mapping[str, Answered],
    forgotten: Forgotten,
    scrubber: Scrubber,
    now: datetime,
) -> Gathered:
    """Rows of what is new among the remarks; `before` are the rows there are, `answers` what Phoenix knows by id."""
    known = {each.feedback_id: each.remarks for each in before}
    words = {each.answer_id: Answered(question=each.question, answer=each.answer) for each in before}
    words |= {**answers, **answers_in(remarks)}
    rows: list[Feedback] = []
    waiting = lost = left = 0
    for (answer_id, _), said in _by_voice(remarks).items():
        answered = words.get(answer_id)
        if answered is None:
            newest = max(each.created_at for each in said.values())
            waiting, lost = (waiting + 1, lost) if now - newest < PATIENCE else (waiting, lost + 1)
        elif any(forgotten.covers(document) for document in answered.documents):
            left += 1
        else:
            row = _scrubbed(together(said, answered), scrubber)
            rows += [row] if set(row.remarks) != set(known.get(row.feedback_id, ())) else []
    return Gathered(tuple(rows), waiting, lost, left)


def answers_in(remarks: Remarks) -> dict[str, Answered]:
    """The answers that remarks themselves know the words of, by id."""
    return {each.answer_id: each.answered for each in remarks.values() if each.answered}


def _by_voice(remarks: Remarks) -> dict[tuple[str, str], dict[str, Remark]]:
    voices: dict[tuple[str, str], dict[str, Remark]] = defaultdict(dict)
    for name, remark in sorted(remarks.items()):
        voices[remark.answer_id, remark.voice][name] = remark
    return voices


def _scrubbed(row: Feedback, scrubber: Scrubber) -> Feedback:
    def clean(text: str | None) -> str | None:
        return text and scrubber.scrub(text).text

    return replace(
        row,
        question=clean(row.question) or "",
        answer=clean(row.answer) or "",
        comment=clean(row.comment),
        corrected_text=clean(row.corrected_text),
    )


def remark_by_hand(author: str, answer_id: str, said: Annotation) -> Remark | None:
    """What a person said on Phoenix's page; None if it is nothing that we understand."""
    label = (said.label or "").strip().lower()
    text = (said.explanation or said.label or "").strip() or None
    understood: dict[str, dict[str, object]] = {
        THUMB: {"thumb": label if label in ("up", "down") else None, "comment": said.explanation},
        SCORE: {"score": said.score, "comment": said.explanation},
        COMMENT: {"comment": text},
        NOTE: {"comment": text},
        CORRECTION: {"corrected_text": text},
    }
    found = understood.get(said.name, {})
    if not any(value is not None for value in found.values()):
        return None
    return Remark.model_validate(
        {
            "author": author,
            "answer_id": answer_id,
            # What is ours was changed by somebody there.
            "voice": "phoenix" if said.identifier.startswith(OURS) else f"phoenix {said.identifier}".strip(),
            "author_key": False,
            "created_at": said.updated_at,
            "source": "phoenix",
            **found,
        }
    )
