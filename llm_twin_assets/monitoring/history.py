"""What is known of an author's answers: by release, a reference of each, and windows of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from llm_twin_assets.monitoring.answers import AnswerSeen
from llm_twin_assets.monitoring.columns import Answers, Floats, Vectors, seconds_of

CorpusSample = Callable[[str], Vectors]


def no_corpus(snapshot: str) -> Vectors:  # noqa: ARG001 - the signature of a CorpusSample
    """For where there is nothing to read vectors of chunks from."""
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True)
class History:
    """An author's answers by release, in the order in which releases began to answer.

    `read_at` is when Phoenix was last asked with success, None if it never was. `corpus` gives vectors of some chunks
    of a snapshot.
    """

    author: str
    releases: tuple[Answers, ...]
    reference_answers: int
    read_at: datetime | None = None
    corpus: CorpusSample = no_corpus

    @classmethod
    def of(
        cls,
        author: str,
        answers: Answers | Iterable[AnswerSeen],
        reference_answers: int,
        read_at: datetime | None = None,
        corpus: CorpusSample = no_corpus,
    ) -> "History":
        """Answers of an author, put in order; those of no release (an evaluation's) are left out."""
        columns = answers if isinstance(answers, Answers) else Answers.of(answers)
        names, first = np.unique(columns.release, return_index=True)
        in_order = [str(names[at]) for at in np.argsort(first) if names[at]]
        by_release = tuple(columns.where(columns.release == name) for name in in_order)
        return cls(author, by_release, reference_answers, read_at, corpus)

    def answering(self, at: datetime) -> Answers | None:
        """The release that gave the newest answer until then, canaries apart."""
        before = [each for each in (release.until(seconds_of(at)) for release in self.releases) if len(each)]
        regular = [each for each in before if not each.canary[-1]]
        return max(regular, key=lambda each: float(each.at[-1]), default=None)

    def start_of(self, release: Answers) -> Answers:
        """A release's first answers, which later ones are held against; none while there are too few."""
        size = self.reference_answers
        return release.slice(0, size if len(release) >= size else 0)

    def values_before(self, at: float, values: Callable[[Answers], Floats]) -> Floats:
        """What the author's answers until then have of a figure, of the newest releases last."""
        found = [values(release.until(at)) for release in self.releases]
        return np.concatenate([np.empty(0, np.float64), *found])[-self.reference_answers :]

    def before(self, release: Answers) -> Answers | None:
        """The last answers that the release before gave until this one began, None if there is none."""
        place = next(at for at, each in enumerate(self.releases) if each.release[0] == release.release[0])
        if not place:
            return None
        earlier = self.releases[place - 1].until(float(release.at[0]))
        return earlier.slice(max(0, len(earlier) - self.reference_answers), len(earlier))
