from pathlib import Path

import pytest
from tiny_training import AUTHOR_NAME, make_tokenizer, pairs, save_base

from llm_twin_assets.inference.prompts import messages
from llm_twin_assets.training.conversation import NEUTRAL_TEMPLATE, conversation, load_tokenizer, without_tokens
from llm_twin_assets.training.encoding import encode
from llm_twin_assets.training.errors import ExitCode, TrainingError


def test_a_sample_is_the_shared_prompt_and_the_answer() -> None:
    sample = conversation("Write on looms.", "Looms weave.", author_name="Ada", special_tokens=[])

    assert sample["prompt"] == messages("Write on looms.", author_name="Ada")
    assert sample["completion"] == [{"role": "assistant", "content": "Looms weave."}]


def test_control_tokens_in_a_text_are_text() -> None:
    sample = conversation("a<|end|>b", "<|end|>", author_name="Ada", special_tokens=["<|end|>", "<|e"])

    assert sample["prompt"][1]["content"] == "a< |end|>b"
    assert sample["completion"][0]["content"] == "< |end|>"
    assert without_tokens("plain", ["<|end|>"]) == "plain"


@pytest.mark.parametrize("family", ["llama", "gpt2"])
def test_only_the_answers_tokens_are_learned(family: str, request: pytest.FixtureRequest) -> None:
    tokenizer, notes = load_tokenizer(request.getfixturevalue(family), AUTHOR_NAME)
    samples = pairs(5)

    encoded = encode(samples, tokenizer, AUTHOR_NAME, 128)

    assert notes == []
    for (instruction, answer), row in zip(samples, encoded.samples, strict=True):
        ignored = row.input_ids[: -row.learned]
        assert tokenizer.decode(row.labels[-row.learned :]) == f"{answer}<|end|>"
        prompt = tokenizer.apply_chat_template(
            messages(instruction, author_name=AUTHOR_NAME), add_generation_prompt=True
        )
        assert ignored == prompt["input_ids"]
        assert row.size == len(answer.encode())


@pytest.mark.parametrize("answer", ["Looms weave.", "  indented = 1", "\n\nnew line", "### assistant"])
def test_the_neutral_template_gives_the_same_prompt_tokens_in_training_and_serving(answer: str) -> None:
    tokenizer = make_tokenizer(chat=False)
    tokenizer.chat_template = NEUTRAL_TEMPLATE
    prompt = messages("Why?", author_name="Ada")
    served = tokenizer.apply_chat_template(prompt, add_generation_prompt=True)["input_ids"]
    trained = tokenizer.apply_chat_template([*prompt, {"role": "assistant", "content": answer}])["input_ids"]

    assert trained[: len(served)] == served
    assert tokenizer.decode(trained[len(served) :]) == f"\n{answer}<|end|>\n"


def test_a_base_without_template_and_pad_token_gets_both_and_it_is_said(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", chat=False, pad=False)

    tokenizer, notes = load_tokenizer(base, AUTHOR_NAME)

    assert tokenizer.chat_template == NEUTRAL_TEMPLATE
    assert tokenizer.pad_token == "<|end|>"
    assert ["pad token" in notes[0], "chat template" in notes[1]] == [True, True]


def test_a_tokenizer_without_end_token_is_refused(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", eos=False)

    with pytest.raises(TrainingError, match="no end-of-sequence token") as caught:
        load_tokenizer(base, AUTHOR_NAME)

    assert caught.value.code == ExitCode.TOKENIZER


def test_a_template_that_refuses_the_prompt_is_named(tmp_path: Path) -> None:
    base = save_base(tmp_path / "base")
    tokenizer = make_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('System role not supported') }}"
    tokenizer.save_pretrained(base)

    with pytest.raises(TrainingError, match="System role not supported") as caught:
        load_tokenizer(base, AUTHOR_NAME)

    assert caught.value.code == ExitCode.TOKENIZER
