"""Samples as the base's tokenizer reads them: the shared prompt, a chat template, an end of turn, a pad token.

Whatever a base lacks is written into its tokenizer, which is saved with the model: serving reads what training read.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from llm_twin_assets.inference.models import control_tokens
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
# Gemma's and Mistral's first templates refuse a system message, others pass over it: its words open the question then.
SYSTEM_INTO_QUESTION = (
    "{%- if messages[0]['role'] == 'system' and messages | length > 1 -%}"
    "{%- set messages = [{'role': messages[1]['role'], "
    "'content': messages[0]['content'] + '\n\n' + messages[1]['content']}] + messages[2:] -%}"
    "{%- endif -%}"
)
# A conversation that ends in an answer ends in the token that stops the model.
STOP_AFTER_ANSWER = "{%- if not add_generation_prompt -%}{{- eos_token -}}{%- endif -%}"

_QUESTION, _ANSWER = "What-is-asked", "What-is-answered"


class Conversation(TypedDict):
    """One sample in conversational prompt-completion form, of which the completion alone is trained on."""

    prompt: list[Message]
    completion: list[Message]


def load_tokenizer(folder: Path, author_name: str) -> "tuple[PreTrainedTokenizerBase, list[str]]":
    """The base's tokenizer, fit for conversations, and notes on what had to be supplied."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:  # what transformers raises for missing or damaged files
        said = str(error).split("\n", maxsplit=1)[0]
        raise TrainingError(
            f"the tokenizer cannot be loaded: {said}", where=str(folder), code=ExitCode.TOKENIZER
        ) from error
    notes = _with_tokens(tokenizer, folder)
    notes += _with_template(tokenizer, author_name, folder)
    notes += _with_stop(tokenizer, author_name)
    return tokenizer, notes


def conversation(instruction: str, answer: str, *, author_name: str, special_tokens: Sequence[str]) -> Conversation:
    """One sample. Control tokens that stand in a text are broken up: text is data."""
    prompt = messages(without_tokens(instruction, special_tokens), author_name=author_name)
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": without_tokens(answer, special_tokens)}]}


def _with_tokens(tokenizer: "PreTrainedTokenizerBase", folder: Path) -> list[str]:
    if tokenizer.eos_token is None:
        raise TrainingError(
            "the tokenizer has no end-of-sequence token, so the model could not learn to stop",
            where=str(folder),
            mend='Add "eos_token" to its tokenizer_config.json.',
            code=ExitCode.TOKENIZER,
        )
    if tokenizer.pad_token is not None:
        return []
    tokenizer.pad_token = tokenizer.eos_token
    return [f"the base has no pad token: {tokenizer.eos_token} pads (padding is never trained on)"]


def _with_template(tokenizer: "PreTrainedTokenizerBase", author_name: str, folder: Path) -> list[str]:
    if tokenizer.chat_template is None:
        tokenizer.chat_template = NEUTRAL_TEMPLATE
        return ["the base has no chat template: the project's neutral one is used and saved with the model"]
    refusal = _refusal(tokenizer, author_name)
    if refusal is None:
        return []
    own = tokenizer.chat_template
    tokenizer.chat_template = SYSTEM_INTO_QUESTION + own if isinstance(own, str) else own
    if _refusal(tokenizer, author_name) is not None:
        raise TrainingError(
            f"the chat template refuses the project's prompt: {refusal}",
            where=str(folder),
            mend="Use a base whose template takes a question and an answer.",
            code=ExitCode.TOKENIZER,
        )
    return [f"the chat template takes no system message ({refusal}): it opens the question instead"]


def _refusal(tokenizer: "PreTrainedTokenizerBase", author_name: str) -> str | None:
    """Why a template does not render the project's conversation, or what it leaves out; None if it is whole."""
    from jinja2 import TemplateError

    try:
        rendered = _rendered(tokenizer, author_name)
    except (TemplateError, TypeError) as error:  # the latter where it does sums with what we do not give
        return str(error)
    words = {"system message": author_name, "question": _QUESTION, "answer": _ANSWER}
    left_out = [name for name, said in words.items() if said.strip() not in rendered]
    return f"it leaves out the {' and the '.join(left_out)}" if left_out else None


def _with_stop(tokenizer: "PreTrainedTokenizerBase", author_name: str) -> list[str]:
    """See that the answer's turn ends in a token, and that generation stops at that one."""
    ending = _ending(tokenizer, author_name)
    if ending is None:
        tokenizer.chat_template += STOP_AFTER_ANSWER
        return [f"the chat template does not end the answer: {tokenizer.eos_token} is put behind it"]
    if ending == tokenizer.eos_token:
        return []
    was, tokenizer.eos_token = tokenizer.eos_token, ending
    return [f"the chat template ends an answer with {ending}, not with {was}: generation stops at that"]


def _ending(tokenizer: "PreTrainedTokenizerBase", author_name: str) -> str | None:
    """The first control token after the answer."""
    behind = _rendered(tokenizer, author_name).rsplit(_ANSWER, maxsplit=1)[1]
    found = {behind.find(token): token for token in control_tokens(tokenizer).values() if token and token in behind}
    return found[min(found)] if found else None


def _rendered(tokenizer: "PreTrainedTokenizerBase", author_name: str) -> str:
    answer: Message = {"role": "assistant", "content": _ANSWER}
    text: str = tokenizer.apply_chat_template([*messages(_QUESTION, author_name=author_name), answer], tokenize=False)
    return text
