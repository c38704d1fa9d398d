from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.datasets.filters import normalized
from llm_twin_assets.datasets.instruct import drafts, generate
from llm_twin_assets.datasets.spans import Span
from llm_twin_assets.datasets.split import assign
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.sample import Sample, Split, Tier
from llm_twin_assets.domain.scrub.scrubber import Scrubber
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.datasets.made import article, made_of, words
from resources.settings import Dataset

SETTINGS = Dataset(min_answer_words=2, max_answer_words=60)
CORPUS = [article(f"d{number}", length=30) for number in range(24)]


def samples_of(documents: list[CleanedDocument], how: Dataset = SETTINGS) -> tuple[Sample, ...]:
    return made_of(documents, how)[1].samples


def dropped_of(
    documents: list[CleanedDocument], how: Dataset = SETTINGS, kinds: tuple[str, ...] = ()
) -> dict[str, int]:
    return made_of(documents, how, kinds)[1].dropped


def post(name: str, text: str, **stated: object) -> CleanedDocument:
    return replace(cleaned(name, text, Category.POST), **stated)  # type: ignore[arg-type]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.text(), st.sampled_from(list(Category)), st.sampled_from(["python", "rust", None])), max_size=8
    )
)
def test_every_answer_stands_at_its_span_whatever_the_text(pieces: list[tuple[str, Category, str | None]]) -> None:
    documents = [
        cleaned(f"d{number}", text, category, code_language=language)
        for number, (text, category, language) in enumerate(pieces)
    ]
    texts = {document.document_id: document.text for document in documents}
    for sample in samples_of(documents, Dataset(min_answer_words=1, max_answer_words=20)):
        assert texts[sample.document_id][sample.start : sample.end] == sample.answer
        assert sample.answer.strip() == sample.answer != ""


def test_a_post_is_asked_for_by_its_hashtags_or_else_its_words() -> None:
    tagged = post("p", "Ferries are late. #WinterFerries #code")
    plain = post("q", "The loom is old, the loom is mine, and thread is cheap.")
    assert "winter ferries and code" in next(drafts(tagged, SETTINGS)).instruction
    assert "loom" in next(drafts(plain, SETTINGS)).instruction


def test_posts_under_one_tag_are_told_apart() -> None:
    documents = [post(f"p{number}", f"{words(30, str(number))} #weaving") for number in range(60)]
    found = samples_of(documents)
    assert len(found) == 60
    assert len({sample.instruction for sample in found}) == 60


def test_no_document_and_no_instruction_is_in_two_splits() -> None:
    documents = [replace(document, title=f"T{number % 10}") for number, document in enumerate(CORPUS)]
    found = samples_of(documents)
    by_split = {split: [sample for sample in found if sample.split is split] for split in Split}
    assert all(by_split.values())
    documents_of = [{sample.document_id for sample in part} for part in by_split.values()]
    instructions_of = [{normalized(sample.instruction) for sample in part} for part in by_split.values()]
    for values in (documents_of, instructions_of):
        assert sum(map(len, values)) == len(set().union(*values))


def test_the_copy_of_a_sealed_document_is_not_trained_on() -> None:
    copies = [replace(CORPUS[0], document_id=f"copy {number}") for number in range(20)]
    _, generated = made_of([*copies, *CORPUS[1:]], SETTINGS)
    texts = {sample.answer: sample.split for sample in generated.samples}
    assert {texts[sample.answer] for sample in samples_of([CORPUS[0]]) if sample.answer in texts} == {Split.TEST}
    assert generated.dropped["duplicate answer"] >= 19


def test_what_stands_for_another_is_asked_and_the_other_is_not() -> None:
    copy = replace(CORPUS[1], document_id="copy", duplicate_of=CORPUS[1].document_id)
    assert "copy" not in {sample.document_id for sample in samples_of([*CORPUS, copy])}


def test_an_answer_with_a_word_changed_is_a_duplicate() -> None:
    said = words(60, "said")
    edited = said.replace(said.split()[30], "otherwise")
    documents = [post("p", said), post("q", edited), *CORPUS]
    assert dropped_of(documents)["near-duplicate answer"] == 1


def test_an_answer_made_of_others_is_one_too_many() -> None:
    parts = [words(30, f"part {number}") for number in range(3)]
    documents = [*(post(f"p{n}", part) for n, part in enumerate(parts)), post("all", " ".join([*parts, words(9, "x")]))]
    one_split = Dataset(min_answer_words=2, max_answer_words=200, max_leaked_8grams=1.0)
    found = dropped_of(documents, one_split)
    assert (
        found.get("n-gram overlap with other answers", 0) + found.get("shares a 13-gram with a more sealed split", 0)
        >= 1
    )


def test_short_and_long_answers_are_dropped_and_counted() -> None:
    documents = [post("a", "Two words"), post("b", "word " * 60)]
    assert dropped_of(documents, Dataset(min_answer_words=5, max_answer_words=50)) == {
        "answer too long": 1,
        "answer too short": 1,
    }


def test_pictures_and_links_are_no_answer() -> None:
    picture = "![A loom of oak that stands in the corner of a room](https://example.com/loom.png)"
    assert dropped_of([post("a", picture)]) == {"answer of links and pictures": 1}


def test_personal_data_that_was_left_in_is_not_learnt() -> None:
    documents = [post("a", "Write to me at maya.lindqvist@weaving-studio.se about looms."), *CORPUS]
    assert dropped_of(documents, kinds=("email",)) == {"personal data left": 1}
    assert "personal data left" not in dropped_of(documents)


def test_documents_of_doubtful_quality_are_left_out_as_configured() -> None:
    documents = [
        replace(CORPUS[0], flags=("short", "encoding_damage")),
        replace(CORPUS[1], flags=("short",)),
        *CORPUS[2:],
    ]
    _, generated = made_of(documents, SETTINGS)
    assert generated.dropped["document flagged encoding_damage"] == 1
    flags = {sample.document_id: sample.flags for sample in generated.samples}
    assert flags[CORPUS[1].document_id] == ("short",)
    assert CORPUS[0].document_id in {each.document_id for each in samples_of(documents, Dataset(exclude_flags=()))}


def test_a_language_that_is_not_the_author_s_is_flagged_or_dropped() -> None:
    documents = [replace(CORPUS[0], language="fi"), *CORPUS[1:]]
    finnish = [each for each in samples_of(documents) if each.document_id == CORPUS[0].document_id]
    assert {(sample.language, sample.flags) for sample in finnish} == {("fi", ("other_language",))}
    assert dropped_of(documents, Dataset(other_languages="drop"))["document in another language"] == 1
    assert made_of(documents, SETTINGS)[1].languages == ("en",)
    assert "document in another language" not in dropped_of(
        documents, Dataset(other_languages="drop", languages=("fi", "en"))
    )


def test_a_smaller_tier_holds_some_of_the_train_samples_and_all_others() -> None:
    documents = [article(f"t{number}", sections=6, length=20) for number in range(30)]
    large, small = samples_of(documents), samples_of(documents, SETTINGS.model_copy(update={"tier": "xs"}))
    assert set(small) < set(large)
    assert sum(sample.split is Split.TRAIN for sample in small) == 100
    assert [each for each in small if each.split is not Split.TRAIN] == [
        each for each in large if each.split is not Split.TRAIN
    ]
    assert {sample.tier for sample in small} == {Tier.XS}


def test_order_of_documents_does_not_matter() -> None:
    assert made_of(CORPUS, SETTINGS) == made_of(CORPUS[::-1], SETTINGS)


def test_another_wording_is_taken_where_one_was_given_to_another_sample() -> None:
    documents = [replace(article(f"same{number}"), title="The same title") for number in range(9)]
    openings = [each.instruction for each in samples_of(documents) if each.kind == "title_opening"]
    assert len(openings) == 4  # as many as there are wordings
    assert dropped_of(documents)["duplicate instruction"] >= 5


def test_drafts_of_others_pass_the_same_filters_and_may_share_a_passage() -> None:
    document = CORPUS[0]
    opening = next(iter(drafts(document, SETTINGS))).span
    further = {
        document.document_id: [
            Draft("taught", "What did you see that morning?", opening),
            Draft("taught", "What did you see that morning?", opening),
            Draft("taught", "And then what?", Span(0, 4)),
        ]
    }
    assignment = assign(CORPUS, SETTINGS)
    generated = generate(CORPUS, assignment, SETTINGS, scrubber=Scrubber.of(()), further=further)
    taught = [sample for sample in generated.samples if sample.kind == "taught"]
    assert [sample.instruction for sample in taught] == ["What did you see that morning?"]
    assert generated.dropped == {"answer too short": 1, "duplicate instruction": 1}


@pytest.mark.parametrize(
    ("text", "category", "language"),
    [
        ("word " * 100_000, Category.ARTICLE, None),
        ("x" * 1_000_000, Category.ARTICLE, None),
        ("a@" * 100_000, Category.POST, None),
        ("x" * 1_000_000, Category.POST, None),
        ("# h\n\nsome words\n\n" * 3_000, Category.ARTICLE, None),
        ("# " + "heading " * 100_000 + "\n\n" + "some words " * 20, Category.ARTICLE, None),
        ("/*" + " " * 200_000 + "*/\nfn f() {}", Category.CODE, "rust"),
        ("/// " + "a b c " * 30_000 + "\nfn f() {}", Category.CODE, "rust"),
        ("```\n" * 30_000, Category.ARTICLE, None),
        ("\n \t" * 100_000 + "x", Category.ARTICLE, None),
        ("مرحبا بالعالم. " * 2_000, Category.POST, None),
        ("🎉" * 1000, Category.POST, None),
    ],
)
@pytest.mark.timeout(60)
def test_hostile_texts_are_survived(text: str, category: Category, language: str | None) -> None:
    document = cleaned("h", text, category, code_language=language)
    for sample in samples_of([document, *CORPUS[:4]]):
        assert len(sample.instruction) < 10_000
