"""A model's text on its way to the reader: sentence by sentence, and only as far as the record supports it.

What is let through is always the beginning of an answer that is supported as a whole, so nothing has to be taken back;
a sentence without support ends the answer there. Whole texts go the same way as streams: both end as the same answer.
"""

from collections.abc import Callable, Sequence

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.inference.blocks import open_fence
from llm_twin_assets.inference.citations import Citation, cited, unmarked
from llm_twin_assets.inference.support import Support, SupportedSentence, Verdict
from llm_twin_assets.inference.words import sentences


class SupportedText:
    """Takes text in as it is written; `fresh` is what of it may be given by now.

    `given` is how many characters were, `verdict` what is thought of all that was written.
    `masked` takes personal data out of a sentence before anything is made of it. Sentences get marks whose support is
    at least `marks_from`.
    """

    def __init__(
        self, chunks: Sequence[FoundChunk], support: Support, masked: Callable[[str], str], *, marks_from: float = 0.0
    ) -> None:
        self._chunks = chunks
        self._support = support
        self._masked = masked
        self._marks_from = marks_from
        self._raw = ""
        self._text = ""
        self._kept = ""
        self._kept_verdict = Verdict(0.0)
        self._seen = 0
        self.given = 0
        self.verdict = support.judge("")

    @property
    def hopeless(self) -> bool:
        """Whether nothing that follows can be let through."""
        return self.verdict.hopeless

    @property
    def kept(self) -> bool:
        """Whether anything is supported."""
        return bool(self._kept)

    @property
    def whole(self) -> bool:
        """Whether all that was written is supported."""
        return self._kept == self._text.rstrip()

    @property
    def support(self) -> float:
        """How well what is given is supported; of all that was written, if nothing is given."""
        return self._kept_verdict.score if self.kept else self.verdict.score

    def add(self, text: str) -> None:
        """Text that follows; its sentences count once the next one begins."""
        self._raw += text
        found = list(sentences(self._raw))
        complete = found if found and "\n" in self._raw[found[-1].end :] else found[:-1]
        taken = 0
        for sentence in complete:
            self._take(self._raw[taken : sentence.end])
            taken = sentence.end
        self._raw = self._raw[taken:]

    def end(self, *, finished: bool) -> None:
        """No text follows. The last sentence of one that a limit cut off is left out, unless it is the only one."""
        if self._raw.strip() and (finished or not self._text):
            self._take(self._raw, ended=True)
        self._raw = ""

    def fresh(self) -> str:
        """What of the answer may be given now and was not yet; marks follow when their paragraph has ended."""
        if len(self._kept) == self._seen:
            return ""  # asked with every token, and a sentence has many
        self._seen = len(self._kept)
        text, _ = cited(self._kept, self._cited(), self._chunks, ended=False)
        fresh, self.given = text[self.given :], len(text)
        return fresh

    def answer(self) -> tuple[str, tuple[Citation, ...]]:
        """The whole answer with its marks, and what they stand for."""
        return cited(self._kept, self._cited(), self._chunks)

    @property
    def unmarked(self) -> str | None:
        """How many of the sentences given stand on nothing, in words; None if all stand on something."""
        said = self._kept_verdict.sentences
        without = len(said) - len(self._cited())
        return f"{without} of {len(said)} sentences stand on nothing that the author wrote" if without else None

    def _cited(self) -> list[SupportedSentence]:
        return [each for each in self._kept_verdict.sentences if each.score >= self._marks_from]

    def _take(self, segment: str, *, ended: bool = False) -> None:
        if self.hopeless:
            # It would be kept only to be thrown away.
            self._text += segment
            return
        self._text = (self._text + self._masked(unmarked(segment))).lstrip()
        text = self._text.rstrip()
        self.verdict = self._support.judge(text)
        # What stands after an opened fence is code until it is closed: no mark may follow it.
        if self.verdict.supported and (ended or open_fence(text) is None):
            self._kept, self._kept_verdict = text, self.verdict
