"""What a person sees of a search in the Dagster UI: every trial, how the best one was come by, and what mattered."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from llm_twin_assets.domain.preview import inline_png, markdown_table, new_figure
from llm_twin_assets.training.search import SearchResult
from llm_twin_assets.training.study import TrialRecord

_LABEL = "validation bits per byte"


def search_page(result: SearchResult) -> str:
    """Summary, both plots and the table of trials, in Markdown."""
    found = result.found
    outcomes = [trial.outcome for trial in result.trials]
    counts = ", ".join(f"{outcomes.count(each)} {each}" for each in ("complete", "given up", "failed"))
    default = found.default_bits_per_byte
    gain = "" if default is None else f"; the defaults came to {default:.4f} ({found.bits_per_byte / default - 1:+.1%})"
    names = sorted(found.values)
    rows = [
        (
            trial.number,
            *(_short(trial.values.get(name)) for name in names),
            _short(trial.bits_per_byte),
            trial.error or trial.outcome,
        )
        for trial in result.trials
    ]
    pictures = [history_plot(result.trials), importance_plot(result.importance)]
    return "\n\n".join(
        [
            f"{len(result.trials)} trials: {counts}. The best has {found.bits_per_byte:.4f} {_LABEL}{gain}.",
            *(picture for picture in pictures if picture),
            markdown_table(("trial", *names, _LABEL, "outcome"), rows, limit=100),
        ]
    )


def history_plot(trials: Sequence[TrialRecord]) -> str:
    """Each completed trial, and the best one so far, as an inline picture; empty if there is none."""
    complete = [(trial.number, trial.bits_per_byte) for trial in trials if trial.bits_per_byte is not None]
    if not complete:
        return ""
    numbers, values = zip(*complete, strict=True)
    figure = new_figure()
    axes = figure.add_subplot()
    axes.scatter(numbers, values, s=16, label="trial")
    axes.step(numbers, list(accumulate(values, min)), where="post", label="best so far")
    axes.set(xlabel="trial", ylabel=_LABEL)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return inline_png(figure, "history of the search")


def importance_plot(importance: Mapping[str, float]) -> str:
    """Share of the differences between trials by parameter, as an inline picture; empty of too few trials."""
    if not importance:
        return ""
    names = sorted(importance, key=lambda name: importance[name])
    figure = new_figure(height=0.6 + 0.35 * len(names))
    axes = figure.add_subplot()
    axes.barh(names, [importance[name] for name in names])
    axes.set(xlabel="importance (PED-ANOVA)")
    axes.spines[["top", "right"]].set_visible(False)
    return inline_png(figure, "importance of the parameters")


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str("" if value is None else value)
