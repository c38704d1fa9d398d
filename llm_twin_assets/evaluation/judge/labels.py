"""Does a judge think as people do? Pairs that people have judged, and how far the judge agrees."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import ValidationError

from llm_twin_assets.domain.identity import digest
from llm_twin_assets.domain.release import Record
from llm_twin_assets.evaluation.judge.judge import WON, Judgement, Pair, Winner
from resources.errors import ConfigurationError


class Label(Record):
    """One line of the file of labels: a pair, and whom a person preferred."""

    instruction: str
    author: str
    candidate: str
    reference: str
    winner: Winner

    def pair(self) -> Pair:
        """The pair for the judge."""
        key = digest([self.instruction, self.author, self.candidate, self.reference])
        return Pair(key, "labels", self.instruction, self.author, self.candidate, self.reference)


def read_labels(file: Path) -> list[Label]:
    """The labels of a JSONL file; raises `ConfigurationError` for a file that is missing or has other lines."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"the labels cannot be read: {error}", where=str(file), mend="Correct evaluation.judge.labels in twin.yaml."
        ) from error
    return [_label(line, f"{file}:{number}") for number, line in enumerate(lines, start=1) if line.strip()]


def agreement(judgements: Iterable[Judgement], labels: Mapping[str, Winner]) -> tuple[float, int]:
    """Cohen's kappa with people's labels by pair id, and on how many pairs: 1 is always, 0 as by chance (Cohen 1960).

    It is 0 as well where judge or people only ever say one thing: then agreement proves nothing.
    """
    both = [(each.winner, labels[each.pair_id]) for each in judgements if each.pair_id in labels]
    if not both:
        return 0.0, 0
    same = sum(one == other for one, other in both) / len(both)
    judged, said = (Counter(each) for each in zip(*both, strict=True))
    chance = sum(judged[winner] * said[winner] for winner in WON) / len(both) ** 2
    return ((same - chance) / (1 - chance) if chance < 1 else 0.0), len(both)


def _label(line: str, where: str) -> Label:
    try:
        return Label.model_validate_json(line)
    except ValidationError as error:
        fields = ", ".join(Label.model_fields)
        raise ConfigurationError(
            f"is no label: {error.errors()[0]['msg']}", where=where, mend=f"One JSON object a line with {fields}."
        ) from error
