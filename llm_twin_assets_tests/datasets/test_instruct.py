from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.datasets.instruct import drafts, generate
from llm_twin_assets.datasets.split import split_of
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.conftest import cleaned
from resources.settings import Dataset

SETTINGS = Dataset(min_answer_words=2, max_answer_words=40)

ARTICLE = """\
It began with a mistake, as most of my notes do.

I keep a list.

## What went wrong

Everything, quietly, and on a Friday.

### In detail

Too short.

## What I'd do now

Count it, then argue about it.
"""

CODE = '''\
import math


@cache
def entropy(shares):
    """Bits that a draw tells.

    Shannon, 1948.
    """
    return -sum(share * math.log2(share) for share in shares)


def undocumented(x):
    return x


class Loom:
    async def weave(self, thread):
        """Weave one thread, and say when."""
        return await thread
'''


def test_an_article_gives_its_opening_and_its_sections() -> None:
    made = [
        (draft.kind, draft.instruction) for draft in drafts(cleaned("a", ARTICLE, title="A quiet Friday"), SETTINGS)
    ]
    assert made == [
        ("title_opening", 'Write the opening of the article "A quiet Friday".'),
        ("heading_section", 'From the article "A quiet Friday", write the section "What went wrong".'),
        ("heading_section", 'From the article "A quiet Friday", write the section "In detail".'),
        ("heading_section", 'From the article "A quiet Friday", write the section "What I\'d do now".'),
    ]


def test_a_documented_function_is_an_answer_with_its_decorator() -> None:
    document = cleaned("loom.py", CODE, Category.CODE, code_language="python")
    made = {draft.instruction: draft.span.of(document.text) for draft in drafts(document, SETTINGS)}
    assert set(made) == {
        "Write the Python function `entropy`: Bits that a draw tells.",
        "Write the Python function `weave`: Weave one thread, and say when.",
    }
    answer = made["Write the Python function `entropy`: Bits that a draw tells."]
    assert answer.startswith("@cache\ndef entropy")
    assert answer.endswith("for share in shares)")


def test_code_that_does_not_parse_gives_no_sample() -> None:
    assert list(drafts(cleaned("a.py", "def broken(:\n", Category.CODE, code_language="python"), SETTINGS)) == []


def test_a_post_is_asked_for_by_its_hashtags_or_else_its_words() -> None:
    tagged = cleaned("p", "Ferries are late. #WinterFerries #code", Category.POST)
    plain = cleaned("q", "The loom is old, the loom is mine, and thread is cheap.", Category.POST)
    assert next(drafts(tagged, SETTINGS)).instruction == "Write a post about winter ferries and code."
    assert next(drafts(plain, SETTINGS)).instruction.startswith("Write a post about loom")


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
    for sample in generate(documents, Dataset(min_answer_words=1, max_answer_words=20)).samples:
        assert texts[sample.document_id][sample.start : sample.end] == sample.answer
        assert sample.answer.strip() == sample.answer != ""


def test_no_document_and_no_instruction_is_in_two_splits() -> None:
    documents = [cleaned(f"d{number}", f"{ARTICLE}\nNumber {number}.", title=f"T{number % 40}") for number in range(60)]
    samples = generate(documents, SETTINGS).samples
    by_split = {split: [sample for sample in samples if sample.split is split] for split in Split}
    assert all(by_split.values())
    for column in ("document_id", "instruction"):
        values = [{getattr(sample, column) for sample in part} for part in by_split.values()]
        assert sum(map(len, values)) == len(set().union(*values))


def test_the_copy_of_a_sealed_document_is_not_trained_on() -> None:
    documents = [cleaned(f"d{number}", ARTICLE, title="Same") for number in range(40)]
    generated = generate(documents, SETTINGS)
    assert {sample.split for sample in generated.samples} == {Split.TEST}
    assert generated.dropped["duplicate document"] == 39


def test_order_of_documents_does_not_matter() -> None:
    documents = [cleaned(f"d{number}", f"{ARTICLE} {number}", title=f"T{number}") for number in range(20)]
    assert generate(documents, SETTINGS) == generate(reversed(documents), SETTINGS)


def test_a_document_stays_on_its_side_when_others_come() -> None:
    before = {f"d{number}": split_of(f"d{number}", SETTINGS) for number in range(100)}
    shares = [list(before.values()).count(split) for split in Split]
    assert shares[0] > shares[2] > shares[1] > 0
    assert split_of("d5", SETTINGS) == before["d5"]


def test_another_seed_seals_other_documents() -> None:
    other = Dataset(seed=99)
    assert [split_of(f"d{n}", SETTINGS) for n in range(50)] != [split_of(f"d{n}", other) for n in range(50)]


def test_short_and_long_answers_are_dropped_and_counted() -> None:
    document = cleaned("a", "Two words", Category.POST)
    long = cleaned("b", "word " * 60, Category.POST)
    generated = generate([document, long], Dataset(min_answer_words=5, max_answer_words=50))
    assert generated.samples == ()
    assert generated.dropped == {"answer too long": 1, "answer too short": 1}
