"""The tokens of a conversation as its model reads it, counted where the model is not.

The template is rendered by transformers' own function and encoded by the tokenizer's own data, as `apply_chat_template`
does; neither draws in torch, which `AutoTokenizer` does (220 MB and 4 s, measured).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from llm_twin_assets.inference.models import control_tokens
from llm_twin_assets.inference.prompts import Message, harmless

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class TokenizerData(BaseModel):
    """What it takes to count: the tokenizer as its library writes it, the template, and the names of special tokens."""

    model_config = ConfigDict(frozen=True)

    tokenizer: str
    template: str
    named: dict[str, str]
    control: tuple[str, ...]

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerBase") -> "TokenizerData | None":
        """That of a loaded tokenizer; None for one that is not of the `tokenizers` library."""
        fast = getattr(tokenizer, "backend_tokenizer", None)
        if fast is None:
            return None
        named = {name: str(token) for name, token in tokenizer.special_tokens_map.items() if isinstance(token, str)}
        return cls(
            tokenizer=fast.to_str(),
            template=tokenizer.get_chat_template(),
            named=named,
            control=tuple(control_tokens(tokenizer).values()),
        )


class PromptTokens:
    """Counts; threads may ask at once."""

    def __init__(self, data: TokenizerData) -> None:
        from tokenizers import Tokenizer

        self._data = data
        self._tokenizer = Tokenizer.from_str(data.tokenizer)
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def count(self, messages: Sequence[Message]) -> int:
        """Length of the rendered prompt, as `TransformersEngine.token_count` has it."""
        from transformers.utils.chat_template_utils import render_jinja_template

        data = self._data
        rendered, _ = render_jinja_template(
            [harmless(messages, data.control)], chat_template=data.template, add_generation_prompt=True, **data.named
        )
        return len(self._tokenizer.encode(rendered[0], add_special_tokens=False).ids)
