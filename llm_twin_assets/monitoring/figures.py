"""What a window of answers says: every figure as values of single answers, so that it can be tested as well as told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from llm_twin_assets.monitoring.columns import Answers, Column, Floats, Marks

# What a person set is no fault of the twin: the author is quoted until it goes on.
PAUSED = "paused"
NOTHING_FOUND = "nothing_found"
ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure: `values` has a number for each answer that has one.

    The figure is their mean if it is a `share` (values 0 and 1), else their `quantile`. Of what is `rare`, the first
    answers of a release have too few to hold others against: they are held against all that was before.
    """

    label: str
    values: Callable[[Answers], Floats]
    share: bool = False
    quantile: float = 0.5
    unit: str = ""
    rare: bool = False

    def figure(self, values: Floats) -> float:
        """The figure of such values; NaN of none."""
        if not len(values):
            return float("nan")
        return float(values.mean() if self.share else np.quantile(values, self.quantile))

    def text(self, figure: float) -> str:
        """A figure as people read it."""
        return f"{figure:.1%}" if self.share else f"{figure:.3g}{self.unit}"


@dataclass(frozen=True, slots=True)
class Figures:
    """One window, counted: `values` by measure, NaN where no answer tells; `causes` of degraded answers."""

    answers: int
    values: Mapping[str, float]
    causes: Mapping[str, int]
    outcomes: Mapping[str, int]


def figures(answers: Answers) -> Figures:
    """A window in figures."""
    values = {name: measure.figure(measure.values(answers)) for name, measure in MEASURES.items()}
    degraded = answers.cause[answers.degraded]
    return Figures(len(answers), values, _counted(degraded), _counted(answers.outcome[answers.outcome != ""]))


def _counted(names: Column) -> dict[str, int]:
    found, counts = np.unique(names, return_counts=True)
    return {str(name): int(count) for name, count in zip(found, counts, strict=True)}


def _questions(answers: Answers) -> Marks:
    """Answers to questions: a draft takes longer, cites otherwise and is refused for other reasons."""
    return np.asarray((answers.form == "answer") & ~answers.failed, np.bool_)


def _worked_out(answers: Answers) -> Marks:
    """Those that were not at hand already: a cache says nothing of a model."""
    return _questions(answers) & ~answers.cached


def _marks(marks: Column) -> Floats:
    return np.asarray(marks, np.float64)


def _defined(values: Floats) -> Floats:
    return values[~np.isnan(values)]


def _latency(answers: Answers) -> Floats:
    return answers.seconds[_worked_out(answers)]


def _first_token(answers: Answers) -> Floats:
    return _defined(answers.first_token[_worked_out(answers)])


def _prompt_tokens(answers: Answers) -> Floats:
    values = answers.prompt_tokens[_worked_out(answers)]
    return values[values > 0]


def _completion_tokens(answers: Answers) -> Floats:
    return answers.completion_tokens[_worked_out(answers) & (answers.prompt_tokens > 0)]


def _failed(answers: Answers) -> Floats:
    return _marks(answers.failed)


def _uncited(answers: Answers) -> Floats:
    written = _questions(answers) & (answers.outcome == ANSWERED)
    return _marks(answers.citations[written] == 0)


def _degraded(answers: Answers) -> Floats:
    return _marks(answers.degraded[_questions(answers) & (answers.cause != PAUSED)])


def _refused(answers: Answers) -> Floats:
    return _marks(answers.outcome[_questions(answers)] == NOTHING_FOUND)


def _down(answers: Answers) -> Floats:
    return _defined(answers.down)


def _personal_data(answers: Answers) -> Floats:
    return _marks(answers.personal_data[~answers.failed] > 0)


def _relevance(answers: Answers) -> Floats:
    # Of what was not refused: refusals are counted by themselves, and would make this a second count of them.
    return _defined(answers.relevance[_questions(answers) & (answers.outcome != NOTHING_FOUND)])


def _support(answers: Answers) -> Floats:
    return _defined(answers.support[_worked_out(answers) & (answers.outcome != NOTHING_FOUND)])


def _unanswered_repeats(answers: Answers) -> Floats:
    """1.0 for a question that had been asked in this window already, and has no answer still."""
    asked = answers.where(_questions(answers))
    unanswered = (asked.outcome == NOTHING_FOUND) | (asked.degraded & (asked.cause != PAUSED))
    _, first = np.unique(np.where(unanswered, asked.question, ""), return_index=True)
    again = unanswered & (asked.question != "")
    again[first] = False
    return _marks(again)


def _clock_skew(answers: Answers) -> Floats:
    return np.abs(answers.clock_skew)


MEASURES: Mapping[str, Measure] = {
    "error_share": Measure("answers that failed", _failed, share=True),
    "latency_p50": Measure("median latency", _latency, unit=" s"),
    "latency_p95": Measure("95th percentile of latency", _latency, quantile=0.95, unit=" s"),
    "latency_p99": Measure("99th percentile of latency", _latency, quantile=0.99, unit=" s"),
    "first_token_p50": Measure("median time to the first token", _first_token, unit=" s"),
    "first_token_p95": Measure("95th percentile of time to the first token", _first_token, quantile=0.95, unit=" s"),
    "prompt_tokens": Measure("median tokens of prompts", _prompt_tokens),
    "completion_tokens": Measure("median tokens written", _completion_tokens),
    "uncited_share": Measure("answers without a citation", _uncited, share=True),
    "degraded_share": Measure("degraded answers", _degraded, share=True),
    "refused_share": Measure("questions that nothing was found on", _refused, share=True),
    "negative_share": Measure("thumbs down", _down, share=True, rare=True),
    "personal_data_share": Measure("answers with personal data masked", _personal_data, share=True),
    "relevance": Measure("median relevance of what was found", _relevance),
    "support": Measure("median support of answers", _support),
    "unanswered_repeats": Measure("questions asked again without an answer", _unanswered_repeats, share=True),
    "clock_skew": Measure("median error of the service's clock", _clock_skew, unit=" s"),
}
