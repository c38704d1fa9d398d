"""Rejected answers by a model on this machine: the shipped base, in a process of its own."""

import sys

import pytest

from llm_twin_assets.datasets import preference_generation
from llm_twin_assets.datasets.preference import Asked
from llm_twin_assets.datasets.preference_rejection import LocalRejecter
from llm_twin_assets.datasets.preference_spec import Conversation, GenerationError, GenerationSpec, Turn, answers
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.inference.engine import Sampling
from llm_twin_assets.inference.prompts import messages
from llm_twin_assets.inference.transformers_engine import TransformersEngine
from resources.bases import find_base
from resources.llm_cache import ReplyCache
from resources.llm_settings import Preference
from resources.object_store import ObjectStore

BASE = find_base("tiny-llama")
ASKED = [
    Asked(f"s{number}", Split.TRAIN, instruction, "word " * 20, "d1", 0, 100)
    for number, instruction in enumerate(
        ["Say why.", "Write the opening of the article about looms and cards.", "Write a function that counts words."]
    )
]
GREEDY = Preference(temperature=0, batch_size=3, max_new_tokens=24)


def rejecter(objects, settings=GREEDY, folder=BASE.folder):
    return LocalRejecter("tiny", folder, "digest", "Maya", settings, ReplyCache(objects, "llm/maya"))


@pytest.fixture(scope="module")
def answered(tmp_path_factory):
    """What the process answered, and where it was kept."""
    objects = ObjectStore(str(tmp_path_factory.mktemp("objects")))
    return rejecter(objects).answers(ASKED, 0), objects


@pytest.fixture(scope="module")
def engine():
    return TransformersEngine(BASE.folder)


def test_a_batch_answers_what_each_would_alone(answered, engine):
    replies, _ = answered
    assert set(replies) == {"s0", "s1", "s2"}
    for each in ASKED:
        alone = engine.generate(messages(each.instruction, author_name="Maya"), Sampling(24))
        assert replies[each.sample_id].text == alone.text
        assert replies[each.sample_id].prompt_tokens == alone.prompt_tokens


def test_what_was_answered_once_starts_no_process(answered, tmp_path):
    replies, objects = answered
    again = rejecter(objects, folder=tmp_path / "gone").answers(ASKED, 0)
    assert {key: reply.text for key, reply in again.items()} == {key: reply.text for key, reply in replies.items()}
    assert all(reply.cached for reply in again.values())


def test_the_likeliest_answer_is_asked_for_once_and_another_twice(objects):
    assert rejecter(objects).attempts == 1
    assert rejecter(objects, replace_temperature(0.8)).attempts == 2


def replace_temperature(temperature):
    return GREEDY.model_copy(update={"temperature": temperature})


def spec(tmp_path, model, *instructions, **options):
    conversations = tuple(
        Conversation(
            key=f"k{number}",
            messages=tuple(Turn(**turn) for turn in messages(instruction, author_name="Maya")),
            wanted="some words that are wanted",
            length_ratio=1.5,
        )
        for number, instruction in enumerate(instructions)
    )
    return GenerationSpec(
        model=model,
        conversations=conversations,
        output=tmp_path / "answers.jsonl",
        **{"max_new_tokens": 24, "batch_size": 2, "temperature": 0.8, "seed": 1, **options},
    )


def test_the_same_seed_gives_the_same_answers_and_a_prompt_that_does_not_fit_none(tmp_path):
    order = spec(tmp_path, BASE.folder, "Say why.", "word " * 3000, "Say how.")
    found = []
    for _ in range(2):
        preference_generation.generate(order)
        found.append([(each.key, each.text, each.finished) for each in answers(order.output)])
    assert found[0] == found[1]
    assert [key for key, _, _ in found[0]] == ["k0", "k2"]


def test_a_base_without_a_template_reads_the_words_alone(tmp_path):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(BASE.folder)
    tokenizer.chat_template = None
    bare = tmp_path / "bare"
    tokenizer.save_pretrained(bare)
    for name in ("config.json", "model.safetensors", "generation_config.json"):
        (bare / name).symlink_to(BASE.folder / name)
    order = spec(tmp_path, bare, "Say why.")
    preference_generation.generate(order)
    [answer] = answers(order.output)
    assert answer.prompt_tokens == len(
        tokenizer("You are Maya. Answer in your own voice.\n\nSay why.\n\n")["input_ids"]
    )


def test_a_model_that_is_not_there_is_said_in_one_line(tmp_path, capsys):
    order = tmp_path / "spec.json"
    order.write_text(spec(tmp_path, tmp_path / "nowhere", "Say why.").model_dump_json(), encoding="utf-8")
    assert preference_generation.main([str(order)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "nowhere: the tokenizer cannot be loaded" in line


def test_a_process_that_fails_is_an_error_with_its_last_word(objects, monkeypatch, tmp_path):
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho something >&2\necho 'out of memory' >&2\nexit 9\n", encoding="utf-8")
    failing.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(failing))
    with pytest.raises(GenerationError, match="ended with code 9: out of memory"):
        rejecter(objects).answers(ASKED, 0)


def test_a_line_that_was_not_written_to_its_end_does_not_count(tmp_path):
    order = spec(tmp_path, BASE.folder, "x")
    assert list(answers(order.output)) == []
    line = '{"key": "k0", "text": "t", "prompt_tokens": 1, "completion_tokens": 1, "finished": true}'
    order.output.write_text(f"{line}\n{line[:40]}", encoding="utf-8")
    assert [each.key for each in answers(order.output)] == ["k0"]
