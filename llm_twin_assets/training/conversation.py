"""Samples as the base's tokenizer reads them: the shared prompt, a chat template, a pad token."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from llm_twin_assets.inference.prompts import Message, messages, without_tokens
from llm_twin_assets.training.errors import ExitCode, TrainingError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# For bases without a chat template. The prompt ends in a word and the answer begins with the newline: no tokenizer's
# pre-splitting joins the two, so training and serving see the same tokens. No new token, so no embedding is untrained.
NEUTRAL_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{- '### ' + message['role'] + '\n' + message['content'] + eos_token + '\n' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '### assistant' -}}{%- endif -%}"
)


class Conversation(TypedDict):
    """One sample in TRL's conversational prompt-completion form, which trains on the completion alone."""

    prompt: list[Message]
    completion: list[Message]


def load_tokenizer(folder: Path, author_name: str) -> "tuple[PreTrainedTokenizerBase, list[str]]":
    """The base's tokenizer, fit for conversations, and notes on what had to be supplied."""
    from jinja2 import TemplateError
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:  # what transformers raises for missing or damaged files
        said = str(error).split("\n", maxsplit=1)[0]
        raise TrainingError(
            f"the tokenizer cannot be loaded: {said}", where=str(folder), code=ExitCode.TOKENIZER
        ) from error
    notes = _complete(tokenizer, folder)
    try:
        tokenizer.apply_chat_template(list(messages("?", author_name=author_name)), tokenize=False)
    except TemplateError as error:
        raise TrainingError(
            f"the chat template refuses the project's prompt: {error}",
            where=str(folder),
            mend="Use a base whose template accepts a system message.",
            code=ExitCode.TOKENIZER,
        ) from error
    return tokenizer, notes


def conversation(instruction: str, answer: str, *, author_name: str, special_tokens: Sequence[str]) -> Conversation:
    """One sample. Control tokens that stand in a text are broken up: text is data."""
    prompt = messages(without_tokens(instruction, special_tokens), author_name=author_name)
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": without_tokens(answer, special_tokens)}]}


def _complete(tokenizer: "PreTrainedTokenizerBase", folder: Path) -> list[str]:
    notes: list[str] = []
    if tokenizer.eos_token is None:
        raise TrainingError(
            "the tokenizer has no end-of-sequence token, so the model could not learn to stop",
            where=str(folder),
            mend='Add "eos_token" to its tokenizer_config.json.',
            code=ExitCode.TOKENIZER,
        )
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
        notes.append(f"the base has no pad token: {tokenizer.eos_token} pads (padding is never trained on)")
    if tokenizer.chat_template is None:
        tokenizer.chat_template = NEUTRAL_TEMPLATE
        notes.append("the base has no chat template: the project's neutral one is used and saved with the model")
    return notes
