"""The section of `twin.yaml` about traces: how many, and what of their words leaves the process."""

from pydantic import Field

from resources.section import Section


class Tracing(Section):
    """What Phoenix is told of answers, and of what pipelines ask a chat model.

    `sample` is the share of answers that is traced, decided by the trace's identity alone. With `mask`, personal data
    and secrets that `collection.scrub` finds become placeholders. What is hidden is left out whole: `hide_questions`
    takes the prompts with it, which hold them; `hide_prompts` takes the passages with it; `hide_answers` what a model
    wrote. `hide_vectors` leaves out embeddings, from which much of a text can be guessed, and with them the alarm on
    drift. Figures, identities and links stay.
    """

    sample: float = Field(default=1.0, ge=0, le=1)
    mask: bool = True
    hide_questions: bool = False
    hide_prompts: bool = False
    hide_answers: bool = False
    hide_vectors: bool = False

    @property
    def hides_words(self) -> bool:
        """Whether a person's words are to stay out of Phoenix: then what people say of answers stays out, too."""
        return self.hide_questions or self.hide_answers
