"""The section of `twin.yaml` about evaluation and its gate."""

from pydantic import Field

from resources.benchmark_settings import Benchmarks
from resources.canary_settings import Canary
from resources.judge_settings import Judge
from resources.section import Section


class Margins(Section):
    """How much a candidate may lose, at worst, in what must not suffer: shares from 0 to 1.

    What few documents can hardly tell apart has a wide margin (docs/evaluation.md). `others` is for the tasks of
    lm-evaluation-harness and for a judge.
    """

    answer_f1: float = Field(default=0.05, ge=0)
    citation_precision: float = Field(default=0.15, ge=0)
    choice: float = Field(default=0.25, ge=0)
    repetition: float = Field(default=0.15, ge=0)
    empty: float = Field(default=0.05, ge=0)
    other_language: float = Field(default=0.1, ge=0)
    template_leakage: float = Field(default=0.05, ge=0)
    others: float = Field(default=0.05, ge=0)

    def of(self, measure: str) -> float:
        """The margin of a measure."""
        return float(self.model_dump().get(measure, self.others))


class Limits(Section):
    """What no answer may exceed; null takes a limit away.

    Words in a row out of the training data (50 tokens are called memorized by Carlini et al., ICLR 2023), findings of
    personal data or secrets, and bits of exposure, of 8, of a planted canary.
    """

    longest_verbatim: float | None = 40
    personal_data: float | None = 0
    canary_exposure: float | None = 6


class Worthwhile(Section):
    """The gain that a test set should be large enough to show; a warning says where it is not."""

    bits_per_byte: float = Field(default=0.05, gt=0)
    authorship: float = Field(default=0.1, gt=0)


class Evaluation(Section):
    """What a candidate has to show on the sealed test set, and how much is asked of it.

    It has to gain more than `min_improvement` bits per byte, or more than `min_style_improvement` in style; to lose
    less than its `margins`, and to keep within all `limits`. Style counts if author and others (documentation of so
    many `strangers` among them) are told apart with an AUC of `min_auc`. Each model answers the instructions of
    `prompts` sealed samples and writes `max_new_tokens` at most, `batch_size` at a time.
    """

    min_improvement: float = 0.0
    min_style_improvement: float = 0.0
    margins: Margins = Margins()
    limits: Limits = Limits()
    worthwhile: Worthwhile = Worthwhile()
    min_documents: int = Field(default=3, ge=2)
    bootstrap_draws: int = Field(default=2000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    min_auc: float = Field(default=0.8, ge=0.5, le=1)
    strangers: int = Field(default=40, ge=2)
    prompts: int = Field(default=12, ge=1)
    max_new_tokens: int = Field(default=48, ge=8)
    batch_size: int = Field(default=8, ge=1)
    seed: int = 13
    judge: Judge | None = None
    benchmarks: Benchmarks = Benchmarks()
    canaries: tuple[Canary, ...] = ()
