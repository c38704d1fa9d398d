"""Preference pairs: which are made, which are not, and how a version keeps them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.datasets import preference_version
from llm_twin_assets.datasets.preference import (
    Asked,
    Preferences,
    Thumb,
    chosen_samples,
    collected,
    leaks,
    of_feedback,
    pair_of,
    unmatched,
)
from llm_twin_assets.datasets.preference_checks import in_the_wrong_split, not_the_authors
from llm_twin_assets.datasets.preference_length import are_matched, matched
from llm_twin_assets.domain.feedback import FEEDBACK_SCHEMA, FEEDBACK_TABLE, Feedback, feedback_of, feedback_table
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.training.preferences import read_preferences
from llm_twin_assets_tests.datasets.made import words
from resources.llm_cache import Reply
from resources.llm_settings import Preference

SETTINGS = Preference()
NO_LEAK = leaks([], 0.2)
ANSWER = f"{words(20, 'answer').capitalize()}."
ASKED = Asked("s1", Split.TRAIN, "Write of looms.", ANSWER, "d1", 5, 5 + len(ANSWER))


def sentences(*lengths, seed="other"):
    return " ".join(f"{words(length, f'{seed} {number}').capitalize()}." for number, length in enumerate(lengths))


def reply(text, *, finished=True):
    return Reply(text, 10, 10, finished)


def pair(text=None, *, finished=True, settings=SETTINGS):
    return pair_of(ASKED, reply(sentences(20) if text is None else text, finished=finished), "base", settings)


def test_a_pair_is_the_authors_text_beside_a_models():
    made = pair()
    assert (made.prompt, made.chosen, made.rejected) == ("Write of looms.", ANSWER, sentences(20))
    assert (made.document_id, made.start, made.end, made.split) == ("d1", 5, 5 + len(ANSWER), Split.TRAIN)
    assert made.rejected_by == "base"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("  ", "the rejected answer is empty"),
        ("Too short.", "the lengths differ too much"),
        (words(100, "x"), "the lengths differ too much"),
        (ANSWER, "the rejected answer is nearly the author's"),
        (ANSWER.upper().replace(".", "!"), "the rejected answer is nearly the author's"),
        (f"{ANSWER[:-1]} or so", "the rejected answer is nearly the author's"),
        ("it goes round and round. " * 5, "the rejected answer repeats itself"),
    ],
)
def test_what_makes_no_pair_has_a_reason(text, reason):
    assert pair(text) == reason


def test_a_longer_answer_is_cut_where_a_sentence_ends():
    assert pair(sentences(12, 10, 30)).rejected == sentences(12, 10)
    assert pair(sentences(5, 70)) == "the lengths differ too much"


def test_an_answer_that_broke_off_loses_its_last_sentence():
    broken = f"{sentences(18)} And then it"
    assert pair(broken, finished=False).rejected == sentences(18)
    assert pair(broken).rejected == broken


def test_no_cut_leaves_a_fence_open():
    text = f"{sentences(9)}\n\n```py\n{words(8, 'code')}\n```\n\n{sentences(40)}"
    assert matched(ANSWER, text, 1.5).endswith("```")


@given(st.text(alphabet="ab. \n`", max_size=80), st.text(alphabet="ab. \n`", max_size=200), st.booleans())
def test_what_is_matched_is_a_beginning_of_about_that_length(chosen, rejected, finished):
    found = matched(chosen, rejected, 1.5, finished=finished)
    if found is not None:
        assert rejected.strip().startswith(found)
        assert are_matched(chosen, found, 1.5)


def test_two_samples_with_the_same_words_are_one_pair():
    again = pair_of(replace(ASKED, sample_id="s2"), reply(sentences(20)), "base", SETTINGS)
    found = collected([pair(), again, "no", "no"])
    assert len(found.pairs) == 1
    assert found.dropped == {"duplicate pair": 1, "no": 2}


def test_the_same_samples_are_chosen_when_others_come():
    asked = [replace(ASKED, sample_id=f"s{n}") for n in range(40)]
    few = chosen_samples(asked[:39], 10)
    more = chosen_samples(asked, 10)
    assert len(set(few) & set(more)) >= 9
    assert chosen_samples(asked[::-1], 10) == more


def said(number=0, **stated):
    return replace(
        Feedback(
            answer_id=f"a{number}",
            author="maya",
            question="What of looms?",
            answer=sentences(20, seed="answer"),
            corrected_text=None,
            thumb=None,
            score=None,
            comment=None,
            author_key=True,
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
        ),
        **stated,
    )


def test_a_correction_is_a_pair():
    corrected = sentences(22, seed="better")
    [made] = of_feedback([said(corrected_text=corrected, thumb="down")], SETTINGS, NO_LEAK).pairs
    assert (made.prompt, made.chosen, made.rejected) == ("What of looms?", corrected, said().answer)
    assert (made.source, made.document_id, made.start, made.split) == ("correction", None, None, Split.TRAIN)


def test_bare_thumbs_are_kept_as_such():
    found = of_feedback([said(1, thumb="up"), said(2, thumb="down"), said(3, score=0.5)], SETTINGS, NO_LEAK)
    assert [(thumb.answer_id, thumb.label) for thumb in found.thumbs] == [("a1", True), ("a2", False)]
    assert found.pairs == ()
    assert found.dropped == {"feedback without a thumb or a correction": 1}


@pytest.mark.parametrize(("whose", "kept"), [("author", 1), ("anyone", 2), ("nobody", 0)])
def test_only_those_count_whose_word_counts(whose, kept):
    feedback = [said(1, thumb="up"), said(2, thumb="up", author_key=False)]
    assert len(of_feedback(feedback, Preference(feedback=whose), NO_LEAK).thumbs) == kept


@pytest.mark.parametrize(
    ("corrected", "reason"),
    [
        (sentences(20, seed="answer").upper(), "a correction that changes no word"),
        (sentences(200, seed="long"), "the lengths differ too much"),
    ],
)
def test_a_correction_that_teaches_nothing_or_length_is_dropped(corrected, reason):
    assert of_feedback([said(corrected_text=corrected)], SETTINGS, NO_LEAK).dropped == {reason: 1}


def test_feedback_that_quotes_a_sealed_document_is_not_learnt():
    is_leak = leaks([sentences(40, seed="sealed")], 0.2)
    quoted = sentences(40, seed="sealed")[:120]
    found = of_feedback([said(1, thumb="up", answer=quoted), said(2, corrected_text=quoted)], Preference(), is_leak)
    assert (found.pairs, found.thumbs) == ((), ())
    assert found.dropped["feedback on a document that is not to be trained on"] == 2


def test_feedback_comes_back_from_the_warehouse_the_last_word_first_known(warehouse):
    assert feedback_of(warehouse.read(FEEDBACK_TABLE, "maya")) == []
    for each in (
        said(1, thumb="up"),
        said(2, corrected_text="Better."),
        said(1, thumb="down", comment="on reflection"),
    ):
        warehouse.upsert(FEEDBACK_TABLE, feedback_table([each]), "maya", identity="feedback_id")
    found = feedback_of(warehouse.read(FEEDBACK_TABLE, "maya"))
    assert [(each.answer_id, each.thumb) for each in found] == [("a1", "down"), ("a2", None)]
    assert found[0].comment == "on reflection"
    assert feedback_table(found).schema == FEEDBACK_SCHEMA


def build(preferences, dataset="d" * 64, why=None, name="Maya"):
    return preference_version.build("maya", name, dataset, preferences, SETTINGS, why)


FULL = Preferences(
    (pair(), replace(pair(sentences(20, seed="b")), split=Split.VALIDATION)), (Thumb("a1", "q", "a", True),)
)


def test_what_is_stored_comes_back(objects):
    digest, files, _ = build(FULL)
    preference_version.store(objects, "maya", digest, files)
    found = preference_version.current(objects, "maya")
    assert found.digest == digest
    assert preference_version.pairs_of(objects, found) == list(FULL.pairs)
    assert found.manifest["pairs"] == {"train": 1, "validation": 1}
    assert found.manifest["documents"] == {"train": ["d1"], "validation": ["d1"]}


def test_the_digest_is_that_of_the_content():
    assert build(FULL)[0] == build(FULL)[0]
    others = [build(FULL, dataset="e" * 64), build(FULL, name="Noor"), build(Preferences(FULL.pairs))]
    assert len({build(FULL)[0], *(each[0] for each in others)}) == 4


def test_an_empty_version_says_why_and_stays_the_same_whatever_the_dataset(objects):
    digest, files, manifest = build(Preferences(), why="it is off")
    assert digest == build(Preferences(), dataset="e" * 64, why="it is off")[0]
    assert manifest["why_empty"] == "it is off"
    preference_version.store(objects, "maya", digest, files)
    assert preference_version.current(objects, "maya") is None
    assert preference_version.pairs_of(objects, preference_version.newest(objects, "maya")) == []
    assert "It is empty: it is off." in files["README.md"].decode()


def test_a_half_written_version_is_completed_and_a_whole_one_left_alone(objects):
    digest, files, _ = build(FULL)
    objects.replace(f"preferences/maya/{digest}/train.parquet", b"torn")
    preference_version.store(objects, "maya", digest, files)
    preference_version.store(objects, "maya", digest, dict.fromkeys(files, b"other"))
    assert len(preference_version.pairs_of(objects, preference_version.newest(objects, "maya"))) == 2


def test_training_finds_its_columns_and_trl_its_conversations(tmp_path):
    write(build(FULL)[1], tmp_path)
    [row] = pq.read_table(tmp_path / "train.parquet").to_pylist()
    assert (row["prompt"], row["chosen"], row["rejected"]) == (pair().prompt, pair().chosen, pair().rejected)
    [turns] = pq.read_table(tmp_path / "conversational" / "train.parquet").to_pylist()
    assert [turn["role"] for turn in turns["prompt"]] == ["system", "user"]
    assert "Maya" in turns["prompt"][0]["content"]
    assert turns["rejected"] == [{"role": "assistant", "content": pair().rejected}]
    [thumb] = pq.read_table(tmp_path / "thumbs.parquet").to_pylist()
    assert (thumb["prompt"], thumb["completion"], thumb["label"]) == ("q", "a", True)


@pytest.mark.parametrize(
    ("preferences", "method", "rows"), [(FULL, "dpo", 1), (Preferences((), FULL.thumbs), "kto", 1)]
)
def test_training_reads_what_is_stored(tmp_path, preferences, method, rows):
    write(build(preferences)[1], tmp_path)
    spec = SimpleNamespace(plan=SimpleNamespace(preference_method="auto"), preference_folder=tmp_path)
    found = read_preferences(spec)
    assert (found.method, len(found.rows)) == (method, rows)


def test_the_folder_loads_as_a_dataset(tmp_path):
    datasets = pytest.importorskip("datasets")
    write(build(FULL)[1], tmp_path / "pairs")
    loaded = datasets.load_dataset(str(tmp_path / "pairs"), "conversational", cache_dir=str(tmp_path / "cache"))
    assert {split: part.num_rows for split, part in loaded.items()} == {"train": 1, "validation": 1}
    thumbs = datasets.load_dataset(str(tmp_path / "pairs"), "thumbs", cache_dir=str(tmp_path / "cache"))
    assert thumbs["train"].num_rows == 1


def write(files, folder):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    json.loads(files["manifest.json"])


def test_the_checks_find_what_is_wrong():
    text = f"01234{ANSWER}"
    assert not_the_authors([pair()], {"d1": text}) == []
    assert not_the_authors([pair()], {"d1": text[1:]}) == [pair().pair_id]
    assert not_the_authors([pair()], {}) == [pair().pair_id]
    assert in_the_wrong_split([pair()], {"train": ["d1"], "test": []}) == []
    assert in_the_wrong_split([pair()], {"train": [], "test": ["d1"]}) == [pair().pair_id]
    assert in_the_wrong_split([pair()], {"validation": ["d1"]}) == [pair().pair_id]
    assert unmatched([pair(), replace(pair(), rejected="Short.")], 1.5) == [pair().pair_id]
