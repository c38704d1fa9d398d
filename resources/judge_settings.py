"""The section of `twin.yaml` about a chat model that compares what two models wrote."""

from pydantic import Field

from resources.llm_settings import ChatEndpoint


class Judge(ChatEndpoint):
    """A chat model that judges answers, each pair twice with the order swapped; sealed text is sent to it.

    It has to be of another `family` than the candidate (llama, qwen, gpt, …), which its name tells if nothing is said.
    `samples` pairs are judged. What it says is reported; it counts in the gate where it agrees with people, by a kappa
    (Cohen) of `least_agreement` on `least_labels` pairs: `labels` is a JSONL file of instruction, author, candidate,
    reference and winner (candidate, reference or tie).
    """

    family: str | None = None
    samples: int = Field(default=12, ge=1)
    labels: str | None = None
    least_agreement: float = Field(default=0.6, gt=0, le=1)
    least_labels: int = Field(default=50, ge=2)
