from collections import Counter
from dataclasses import replace
from itertools import pairwise

from llm_twin_assets.datasets.article_drafts import article_drafts
from llm_twin_assets.datasets.draft import Draft
from llm_twin_assets.domain.document import CleanedDocument
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.datasets.made import article, words

ARTICLE = """\
It began with a mistake, as most of my notes do.

## What went wrong?

Everything, quietly, and on a Friday.

## Licence

Do with it what you like.

## What I'd do now

Count it, then argue about it.
"""
README = """\
Counts threads, and nothing else.

## Usage

Give it a list:

```python
count(["a", "b"])
```

## Why

Because nobody else did.
"""


def asked(document: CleanedDocument, max_words: int = 40) -> list[Draft]:
    return list(article_drafts(document, max_words))


def test_an_article_is_asked_for_its_opening_and_its_sections() -> None:
    document = cleaned("a", ARTICLE, title="A quiet Friday")
    answers = {draft.span.of(document.text): draft for draft in asked(document)}
    opening = answers["It began with a mistake, as most of my notes do."]
    assert opening.kind == "title_opening"
    assert "A quiet Friday" in opening.instruction
    last = answers["Count it, then argue about it."]
    assert last.kind in ("heading_section", "outline_section", "question")
    assert "What I'd do now" in last.instruction


def test_a_heading_that_asks_is_the_question() -> None:
    questions = [draft for draft in asked(cleaned("a", ARTICLE)) if draft.kind == "question"]
    assert "What went wrong?" in [draft.instruction for draft in questions]


def test_what_every_page_has_is_not_asked_for() -> None:
    document = cleaned("a", ARTICLE)
    unfit = {draft.span.of(document.text): draft.unfit for draft in asked(document) if draft.unfit}
    assert unfit == {"Do with it what you like.": "section that every page has"}


def test_every_paragraph_is_the_answer_to_exactly_one_instruction() -> None:
    for number in range(20):
        document = article(f"a{number}", sections=4, length=90)
        spans = sorted((draft.span.start, draft.span.end) for draft in asked(document, 60))
        assert all(end <= start for (_, end), (start, _) in pairwise(spans))
        answered = sum(end - start for start, end in spans)
        headings = sum(len(line) for line in document.text.split("\n") if line.startswith("#"))
        assert answered >= len(document.text) - headings - 40


def test_all_kinds_come_up_in_a_corpus() -> None:
    kinds = Counter(draft.kind for number in range(30) for draft in asked(long_article(number), 60))
    assert set(kinds) == {"title_opening", "heading_section", "outline_section", "question", "continuation"}


def long_article(number: int) -> CleanedDocument:
    sections = "\n\n".join(
        f"## {words(2, f'{number} {part}')}\n\n"
        + "\n\n".join(words(25, f"{number} {part} {each}") for each in range(4))
        for part in range(4)
    )
    return cleaned(f"a{number}", f"{words(30, str(number))}\n\n{sections}")


def test_a_continuation_quotes_what_comes_right_before() -> None:
    document = long_article(1)
    drafts = asked(document, 60)
    continued = [draft for draft in drafts if draft.kind == "continuation"]
    assert continued
    for draft in continued:
        before = document.text[: draft.span.start].rstrip()
        assert before.endswith(draft.instruction.rsplit("\n\n", 1)[-1])


def test_a_huge_paragraph_is_quoted_from_its_end_alone() -> None:
    document = cleaned("a", f"{words(900, 'a')}\n\n{words(30, 'b')}")
    (draft,) = [each for each in asked(document, 60) if each.kind == "continuation"]
    quoted = draft.instruction.rsplit("… ", 1)[1]
    assert len(quoted.split()) == 120
    assert document.text.split("\n\n")[0].endswith(quoted)


def test_a_readme_is_asked_for_by_its_project() -> None:
    answers: dict[str, set[str]] = {}
    for number in range(8):
        document = replace(cleaned(f"r{number}", README), repository="maya/threadcount")
        for draft in asked(document):
            assert "maya/threadcount" in draft.instruction
            answers.setdefault(draft.kind, set()).add(draft.span.of(document.text))
    assert answers["readme_opening"] == {"Counts threads, and nothing else."}
    assert answers["readme_code"] == {'```python\ncount(["a", "b"])\n```'}
    assert "Because nobody else did." in answers["readme_section"]


def test_instructions_are_in_the_document_s_language() -> None:
    document = replace(cleaned("a", "Am Anfang stand ein Fehler, wie so oft.", title="Freitag"), language="de")
    (draft,) = asked(document)
    assert "„Freitag“" in draft.instruction
    assert "»" not in draft.instruction
    other = replace(document, language="fi")
    assert 'Freitag"' in asked(other)[0].instruction


def test_the_same_document_is_always_asked_for_in_the_same_words_and_others_in_other_words() -> None:
    openings = [asked(cleaned(f"a{number}", "Some words about it.", title="T"))[0] for number in range(40)]
    assert asked(cleaned("a7", "Some words about it.", title="T"))[0] == openings[7]
    assert len({draft.instruction for draft in openings}) == 4
    assert all(len(set(draft.wordings)) == 4 for draft in openings)


def test_a_heading_that_is_a_link_is_named_by_its_text() -> None:
    text = "Some words.\n\n## [The loom](https://example.com/loom) at home\n\nIt is of oak."
    assert "The loom at home" in asked(cleaned("a", text))[1].instruction


def test_braces_in_a_title_are_data() -> None:
    (draft,) = asked(cleaned("a", "Some words about it.", title="What {title} and {0} do"))
    assert "What {title} and {0} do" in draft.instruction


def test_the_title_is_no_part_of_the_outline() -> None:
    text = f"# A title as a heading\n\n{ARTICLE}"
    for number in range(10):
        for draft in asked(cleaned(f"a{number}", text, title="A title as a…")):
            if draft.kind == "outline_section":
                assert "- A title" not in draft.instruction
