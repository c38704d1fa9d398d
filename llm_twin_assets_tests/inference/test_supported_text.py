"""What a reader gets while a model writes is always the beginning of the answer that it ends with."""

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.inference.support import Support
from llm_twin_assets.inference.supported_text import SupportedText
from llm_twin_assets_tests.inference.scripted import found
from llm_twin_assets_tests.inference.tiny_twin import CODE, DOCUMENTS

CHUNKS = [found(each) for each in DOCUMENTS]
TRUE = (
    "Split by document before you make a single sample.",
    "I split samples at random, so half of every page was in training.",
    "The perplexity rose from 11 to 29, and it was true.",
    "- Delta Lake's MERGE made my nightly import boring [3]",
    "# The leak that made my model look brilliant",
    f"```python\n{CODE}```",
)
FALSE = (
    "Kubernetes schedules pods on nodes by affinity and by resource requests.",
    "The perplexity rose from 11 to 31 and everybody cheered.",
)
BLANKS = st.sampled_from([" ", "\n", "\n\n"])
TEXTS = st.lists(st.tuples(st.sampled_from(TRUE + FALSE), BLANKS), min_size=1, max_size=6)


def text_of(parts) -> str:
    """Headings, lists and code stand in paragraphs of their own."""
    return "".join(f"\n\n{each}\n\n" if each[0] in "-#`" else f"{each}{blank}" for each, blank in parts)


def supported() -> SupportedText:
    return SupportedText(CHUNKS, Support([each.text for each in CHUNKS], question="How?"), lambda text: text)


def given_of(text: str, size: int, *, finished: bool = True) -> tuple[str, str, SupportedText]:
    """What was given piece by piece, and the whole answer."""
    through, given_away = supported(), ""
    for at in range(0, len(text), size):
        through.add(text[at : at + size])
        given_away += through.fresh()
    through.end(finished=finished)
    whole, _ = through.answer()
    return given_away, whole, through


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.integers(1, 40), st.booleans())
def test_nothing_is_taken_back_and_streams_end_as_whole_texts_do(parts, size, finished):
    text = text_of(parts)
    given_away, whole, _ = given_of(text, size, finished=finished)
    assert whole.startswith(given_away)
    assert given_of(text, len(text), finished=finished)[1] == whole


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(1, 40))
def test_nothing_from_the_first_invention_on_is_given(parts, size):
    _, whole, _ = given_of(text_of(parts), size)
    sentences = [sentence for sentence, _ in parts]
    first = next((at for at, each in enumerate(sentences) if each in FALSE), len(sentences))
    assert not any(each in whole for each in FALSE)
    assert all(each in sentences[:first] for each in TRUE[:3] if each in whole)


def test_a_sentence_is_given_as_soon_as_the_next_begins_and_its_mark_with_its_paragraph():
    through = supported()
    through.add("Split by document before you make a single sample")
    assert through.fresh() == ""
    through.add(". I split")
    assert through.fresh() == "Split by document before you make a single sample."
    through.add(" samples at random, so half of every page was in training.\n\nThe perplexity rose from 11 to 29.")
    assert through.fresh() == " I split samples at random, so half of every page was in training."
    through.end(finished=True)
    assert through.fresh().startswith(" [1][2]\n\nThe perplexity")


def test_code_is_given_once_its_fence_is_closed():
    through = supported()
    fence = TRUE[-1]
    through.add(fence[:-4] + "\n")
    assert through.fresh() == ""
    through.add("```\n\nSplit by document before you make a single sample. I")
    assert "merge_counts" in through.fresh()


def test_an_invention_ends_the_writing():
    through = supported()
    through.add(f"{TRUE[0]} {FALSE[0]} And")
    assert through.hopeless
    assert through.kept


def test_personal_data_is_masked_before_anything_is_given():
    through = SupportedText(
        CHUNKS, Support([each.text for each in CHUNKS], question="How?"), lambda text: text.replace("29", "[number]")
    )
    through.add("The perplexity rose from 11 to 29, and it was true. Split")
    assert "29" not in through.fresh()
