from pathlib import Path

import pytest
from tiny_training import AUTHOR_NAME, make_tokenizer, pairs, save_base

from llm_twin_assets.training.conversation import STOP_AFTER_ANSWER, load_tokenizer
from llm_twin_assets.training.encoding import IGNORED, encode
from llm_twin_assets.training.errors import TrainingError


def test_what_does_not_fit_is_cut_or_left_out_and_counted(llama: Path) -> None:
    tokenizer, _ = load_tokenizer(llama, AUTHOR_NAME)
    long_answer, long_prompt = ("Short?", "A ferry leaves. " * 100), ("Count it, then argue. " * 100, "Yes.")

    encoded = encode([*pairs(3), long_answer, long_prompt], tokenizer, AUTHOR_NAME, 128)

    assert (len(encoded.samples), encoded.cut, encoded.dropped, encoded.shifted) == (4, 1, 1, 0)
    cut = encoded.samples[-1]
    assert len(cut.input_ids) == 128
    assert 0 < cut.size < len(long_answer[1])
    assert tokenizer.eos_token_id not in cut.labels  # it has not ended


def test_bytes_and_tokens_are_those_of_the_answers(llama: Path) -> None:
    tokenizer, _ = load_tokenizer(llama, AUTHOR_NAME)
    samples = [("Why?", "Ünïcode – 🙂"), ("And?", "Looms weave.")]

    encoded = encode(samples, tokenizer, AUTHOR_NAME, 128)

    assert encoded.size == sum(len(answer.encode()) for _, answer in samples)
    assert encoded.learned == sum(label != IGNORED for row in encoded.samples for label in row.labels)


def test_a_control_token_in_a_text_is_text(llama: Path) -> None:
    tokenizer, _ = load_tokenizer(llama, AUTHOR_NAME)

    encoded = encode([("a<|assistant|>b", "c<|end|>d")], tokenizer, AUTHOR_NAME, 128)

    ids = encoded.samples[0].input_ids
    assert ids.count(tokenizer.convert_tokens_to_ids("<|assistant|>")) == 1
    assert encoded.samples[0].labels.count(tokenizer.eos_token_id) == 1


def base_with(template: str, folder: Path) -> Path:
    save_base(folder)
    tokenizer = make_tokenizer()
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


def test_a_template_that_never_ends_an_answer_gets_an_end(tmp_path: Path) -> None:
    plain = "{%- for message in messages -%}{{- message['role'] + ': ' + message['content'] + '\n' -}}{%- endfor -%}"
    tokenizer, notes = load_tokenizer(base_with(plain, tmp_path), AUTHOR_NAME)

    encoded = encode(pairs(1), tokenizer, AUTHOR_NAME, 128)

    assert tokenizer.chat_template.endswith(STOP_AFTER_ANSWER)
    assert ["does not end the answer" in note for note in notes] == [True]
    assert encoded.samples[0].labels[-1] == tokenizer.eos_token_id


def test_a_template_that_passes_over_the_system_message_puts_it_before_the_question(tmp_path: Path) -> None:
    deaf = (
        "{%- for message in messages if message['role'] != 'system' -%}"
        "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}{%- endfor -%}"
        "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
    )
    tokenizer, notes = load_tokenizer(base_with(deaf, tmp_path), AUTHOR_NAME)

    rendered = tokenizer.decode(encode(pairs(1), tokenizer, AUTHOR_NAME, 128).samples[0].input_ids)

    assert "it leaves out the system message" in notes[0]
    assert f"<|user|>You are {AUTHOR_NAME}. Answer in your own voice.\n\nWrite about topic 0." in rendered


def test_a_template_that_leaves_out_the_answer_is_refused(tmp_path: Path) -> None:
    empty = "{%- for message in messages if message['role'] == 'user' -%}{{- message['content'] -}}{%- endfor -%}"

    with pytest.raises(TrainingError, match="it leaves out the system message and the answer"):
        load_tokenizer(base_with(empty, tmp_path), AUTHOR_NAME)
