"""What the shipped base writes to prompts: kept batch by batch, gone on from after a kill, the same each time."""

import pytest

from llm_twin_assets.datasets.preference_spec import GenerationError
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.evaluation.exam.generation import (
    Decoding,
    is_prose,
    outputs,
    prompts_digest,
    spool_of,
    spread,
    unaided,
)
from llm_twin_assets_tests.evaluation.written import AUTHOR_NAME, sample
from resources.bases import find_base
from resources.errors import TwinError

BASE = find_base("tiny-llama")
DECODING = Decoding(max_new_tokens=20, batch_size=2)
SAMPLES = [sample("word " * 12, document=f"d{number}", instruction=f"Say {'why ' * number}.") for number in range(5)]
PROMPTS = unaided(SAMPLES, AUTHOR_NAME)


@pytest.fixture(scope="module")
def spool(tmp_path_factory):
    return spool_of(tmp_path_factory.mktemp("cache"), BASE.digest, PROMPTS, DECODING)


@pytest.fixture(scope="module")
def written(spool):
    return outputs(BASE.folder, PROMPTS, DECODING, spool)


def test_every_prompt_has_its_answer_in_order(written):
    assert [each.prompt for each in written] == PROMPTS
    assert all(each.text and each.prompt_tokens and 0 < each.completion_tokens <= 20 for each in written)
    assert [each.document_id for each in written] == ["d0", "d1", "d2", "d3", "d4"]


def test_what_was_answered_asks_no_model_again(written, spool, tmp_path):
    assert outputs(tmp_path / "gone", PROMPTS, DECODING, spool) == written


def test_a_killed_run_is_gone_on_from(written, spool, tmp_path):
    [file] = spool.glob("*.jsonl")
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    killed = tmp_path / "killed"
    killed.mkdir()
    # Two batches are there, and half of a line of the third.
    (killed / file.name).write_text("".join(lines[:4]) + lines[4][:30], encoding="utf-8")
    assert outputs(BASE.folder, PROMPTS, DECODING, killed) == written
    [again] = set(killed.glob("*.jsonl")) - {killed / file.name}
    assert again.read_text(encoding="utf-8") == lines[4]


def test_a_prompt_without_room_for_an_answer_has_an_empty_one(tmp_path):
    long = unaided([sample(instruction="why " * 1100)], AUTHOR_NAME)
    [empty] = outputs(BASE.folder, long, DECODING, tmp_path)
    assert (empty.text, empty.finished, empty.completion_tokens) == ("", False, 0)
    assert outputs(tmp_path / "gone", long, DECODING, tmp_path) == [empty]


def test_a_model_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(TwinError) as caught:
        outputs(tmp_path / "none", PROMPTS[:1], DECODING, tmp_path / "spool")
    assert isinstance(caught.value, GenerationError)


def test_other_models_prompts_and_settings_have_spools_of_their_own(tmp_path):
    spools = {
        spool_of(tmp_path, "a", PROMPTS, DECODING),
        spool_of(tmp_path, "b", PROMPTS, DECODING),
        spool_of(tmp_path, "a", PROMPTS[:4], DECODING),
        spool_of(tmp_path, "a", PROMPTS, Decoding(max_new_tokens=21, batch_size=2)),
    }
    assert len(spools) == 4
    other = unaided([sample("other words", document="d0", instruction="Say ."), *SAMPLES[1:]], AUTHOR_NAME)
    assert prompts_digest(other) != prompts_digest(PROMPTS)


def test_documents_are_asked_about_equally_often():
    samples = [sample(document=f"d{number % 3}", start=number) for number in range(30)]
    chosen = spread(samples, 7)
    assert sorted(sum(each.document_id == name for each in chosen) for name in ("d0", "d1", "d2")) == [2, 2, 3]
    assert spread(reversed(samples), 7) == chosen
    assert len(spread(samples, 100)) == 30


def test_prose_is_what_is_in_the_language_of_its_document():
    assert is_prose(sample())
    assert not is_prose(sample("def count(words):\n    return len(words) + sum(map(len, words))", language="python"))
    assert not is_prose(sample(language=None))
    assert sample().split is Split.TEST
