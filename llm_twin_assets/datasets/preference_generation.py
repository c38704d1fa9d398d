"""`python -m llm_twin_assets.datasets.preference_generation SPEC.json`: a model on this machine answers conversations.

A process of its own: it loads torch, and its memory is free when it ends.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_twin_assets.datasets.preference_spec import Answer, Conversation, GenerationError, GenerationSpec
from llm_twin_assets.inference.models import control_tokens, load_model
from llm_twin_assets.inference.prompts import without_tokens
from resources.errors import TwinError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# For a base that has no chat template, which has seen no conversation either: the words alone, for it to go on from.
_WORDS_ALONE = "{%- for message in messages -%}{{- message['content'] + '\n\n' -}}{%- endfor -%}"
_TOP_P = 0.95
# A completion of fewer tokens than this is not worth a place in the context.
_LEAST = 16


def generate(spec: GenerationSpec) -> None:
    """Answer all conversations, those of about one length together, and write each batch as soon as it is there."""
    import torch

    tokenizer, model = load(spec.model)
    context = _context(tokenizer, model)
    asked = [each for each in (_Encoded.of(one, spec, tokenizer, context) for one in spec.conversations) if each]
    asked.sort(key=lambda each: (each.new_tokens, each.conversation.key))
    with spec.output.open("w", encoding="utf-8") as output:
        for start in range(0, len(asked), spec.batch_size):
            torch.manual_seed(spec.seed + start)
            for answer in _answered(asked[start : start + spec.batch_size], spec, tokenizer, model):
                output.write(answer.model_dump_json() + "\n")
            output.flush()


def load(folder: Path) -> "tuple[PreTrainedTokenizerBase, PreTrainedModel]":
    """Tokenizer, padding on the left, and model; raises `TwinError` if anything of it is missing or damaged."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:  # how missing or damaged files show
        said = str(error).split("\n", maxsplit=1)[0]
        raise GenerationError(f"the tokenizer cannot be loaded: {said}", where=str(folder)) from error
    if tokenizer.eos_token_id is None:
        raise GenerationError("the tokenizer has no end-of-sequence token", where=str(folder))
    if tokenizer.chat_template is None:
        tokenizer.chat_template = _WORDS_ALONE
        model = _bare(folder)
    else:
        tokenizer, model = load_model(folder)
    # The new tokens have to follow on the prompt: padding in between would be read.
    tokenizer.padding_side = "left"
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model


def _bare(folder: Path) -> "PreTrainedModel":
    """A base that has no chat template, which the service's own loader refuses."""
    import torch
    from transformers import AutoModelForCausalLM

    try:
        model = AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True, local_files_only=True).eval()
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        said = str(error).split("\n", maxsplit=1)[0]
        raise GenerationError(f"the model cannot be loaded: {said}", where=str(folder)) from error
    return model.to("cuda") if torch.cuda.is_available() else model


class _Encoded:
    """A conversation in tokens, and how many may follow."""

    def __init__(self, conversation: Conversation, tokens: list[int], new_tokens: int) -> None:
        self.conversation, self.tokens, self.new_tokens = conversation, tokens, new_tokens

    @classmethod
    def of(
        cls, conversation: Conversation, spec: GenerationSpec, tokenizer: "PreTrainedTokenizerBase", context: int
    ) -> "_Encoded | None":
        tokens = _rendered(conversation, tokenizer)
        # Longer by what may be cut off again, up to the end of a sentence.
        wanted = int(len(tokenizer(conversation.wanted)["input_ids"]) * conversation.length_ratio) + _LEAST
        room = min(wanted, spec.max_new_tokens, context - len(tokens))
        return cls(conversation, tokens, room) if room >= _LEAST else None


def _rendered(conversation: Conversation, tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    from jinja2 import TemplateError

    special = tokenizer.all_special_tokens
    turns = [{"role": each.role, "content": without_tokens(each.content, special)} for each in conversation.messages]
    try:
        return _tokens(tokenizer, turns)
    except TemplateError:  # some templates know no system message: its words open the question then
        [system, question] = turns
        return _tokens(tokenizer, [{"role": "user", "content": f"{system['content']}\n\n{question['content']}"}])


def _tokens(tokenizer: "PreTrainedTokenizerBase", turns: Sequence[dict[str, str]]) -> list[int]:
    encoded: Any = tokenizer.apply_chat_template(list(turns), add_generation_prompt=True, return_dict=True)
    return list(encoded["input_ids"])


def _answered(
    batch: Sequence[_Encoded], spec: GenerationSpec, tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel"
) -> Iterator[Answer]:
    import torch

    inputs = tokenizer.pad({"input_ids": [each.tokens for each in batch]}, return_tensors="pt").to(model.device)
    sampling = {"temperature": spec.temperature, "top_p": _TOP_P} if spec.temperature else {}
    stops, special = _stops(tokenizer, model), control_tokens(tokenizer)
    with torch.inference_mode():
        output = model.generate(
            **inputs,
            max_new_tokens=max(each.new_tokens for each in batch),
            do_sample=bool(spec.temperature),
            eos_token_id=sorted(stops),
            pad_token_id=tokenizer.pad_token_id,
            **sampling,
        )
    length = inputs["input_ids"].shape[1]
    for each, row in zip(batch, output[:, length:], strict=True):
        completion, finished = _completion(row[: each.new_tokens], stops)
        yield Answer(
            key=each.conversation.key,
            text=tokenizer.decode(completion, skip_special_tokens=True).strip(),
            prompt_tokens=len(each.tokens),
            completion_tokens=len(completion),
            finished=finished,
            special_tokens=sum(token in special for token in completion),
        )


def _completion(row: "torch.Tensor", stops: set[int]) -> tuple[list[int], bool]:
    """What stands before the first token that stops, and whether there is one."""
    tokens = row.tolist()
    for place, token in enumerate(tokens):
        if token in stops:
            return tokens[:place], True
    return tokens, False


def _stops(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> set[int]:
    own = model.generation_config.eos_token_id
    ids = {tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])}
    return {token for token in ids if token is not None}


def _context(tokenizer: "PreTrainedTokenizerBase", model: "PreTrainedModel") -> int:
    config = model.config.get_text_config()
    limits = [getattr(config, key, None) for key in ("max_position_embeddings", "n_positions")]
    return int(next((limit for limit in limits if limit), tokenizer.model_max_length))


def main(arguments: Sequence[str]) -> int:
    """Run one order; the exit code is 1 where it failed, the reason the last line of stderr."""
    [path] = arguments
    try:
        generate(GenerationSpec.model_validate_json(Path(path).read_text(encoding="utf-8")))
    except TwinError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
