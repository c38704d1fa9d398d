"""The section of `twin.yaml` about evaluation and its gate."""

from pydantic import Field

from resources.section import Section


class Evaluation(Section):
    """What a candidate has to show on the sealed test set, and how much is asked of it.

    It has to gain more than `min_improvement` bits per byte, or more than `min_style_improvement` in style; to lose
    less than `margin` in everything that must not suffer (`margins` by measure); and to keep within all `limits`.
    `worthwhile` is the gain, by measure, that a test set should be large enough to show. Each model answers the
    instructions of `prompts` sealed samples and writes `max_new_tokens` at most, `batch_size` at a time.
    """

    min_improvement: float = 0.0
    min_style_improvement: float = 0.0
    margin: float = Field(default=0.05, ge=0)
    margins: dict[str, float] = Field(default_factory=dict)
    limits: dict[str, float] = Field(default_factory=dict)
    worthwhile: dict[str, float] = Field(default_factory=dict)
    min_documents: int = Field(default=3, ge=2)
    bootstrap_draws: int = Field(default=2000, ge=100)
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    prompts: int = Field(default=24, ge=1)
    max_new_tokens: int = Field(default=48, ge=8)
    batch_size: int = Field(default=8, ge=1)
    seed: int = 13
