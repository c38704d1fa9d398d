from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_twin_assets.datasets.code_drafts import code_drafts
from llm_twin_assets.domain.document import Category, CleanedDocument
from llm_twin_assets.domain.sample import Split
from llm_twin_assets_tests.conftest import cleaned
from llm_twin_assets_tests.datasets.made import article, made_of, words
from resources.settings import Dataset

DIFF = """\
diff --git a/loom.py b/loom.py
--- a/loom.py
+++ b/loom.py
@@ -1 +1 @@
-threads = 1
+threads = 40
"""
MESSAGE = "Count the threads\n\nOne too few\nshows late."


def commit(message: str, diff: str = DIFF, name: str = "c") -> CleanedDocument:
    indented = "\n".join(f"    {line}" if line else "" for line in message.split("\n"))
    document = cleaned(name, f"{indented}\n\n{diff}", Category.CODE, code_language="diff")
    return replace(document, repository="maya/loom")


def test_a_message_asks_for_the_diff() -> None:
    document = commit(MESSAGE)
    [draft] = code_drafts(document, 350)
    assert draft.span.of(document.text) == DIFF.rstrip()
    assert (draft.kind, draft.unfit) == ("commit", None)
    assert all(MESSAGE in wording and "maya/loom" in wording for wording in draft.wordings)
    assert len(draft.wordings) > 1


def test_what_tools_add_to_a_message_is_not_asked() -> None:
    trailers = "Signed-off-by: M <m@x.io>\nChange-Id: I7f\nCloses: #3\n(cherry picked from commit abc)"
    [draft] = code_drafts(commit(f"{MESSAGE}\n\n{trailers}"), 350)
    assert draft.instruction.endswith(MESSAGE)


@pytest.mark.parametrize(
    "message",
    [
        "wip",
        "fix",
        "Update",
        "Fix typos in the readme",
        "Update some files again",
        "Merge branch 'side' into main",
        'Revert "Count the threads"',
        "fixup! Count the threads",
        "Bump cards from 1.0 to 1.1",
        "v1.2.3",
        "Release 2.0 of the loom",
        "chore(deps): the newest warp of all",
        "Signed-off-by: Maya Lindqvist of the old weaving loom",
        "...",
    ],
)
def test_a_message_that_says_nothing_asks_for_nothing_and_is_counted(message: str) -> None:
    [draft] = code_drafts(commit(message), 350)
    assert draft.unfit == "commit message that says nothing"


@pytest.mark.parametrize(
    "message",
    ["Count threads, not cards", "Fix the count of threads", "Warp: break up long rows", "Die Fäden richtig zählen"],
)
def test_a_short_message_that_says_what_to_do_is_enough(message: str) -> None:
    [draft] = code_drafts(commit(message), 350)
    assert draft.unfit is None


def test_a_message_may_quote_a_diff() -> None:
    document = commit(f"Undo this change of the loom:\n\n{DIFF}")
    [draft] = code_drafts(document, 350)
    assert draft.span.of(document.text) == DIFF.rstrip()


@given(st.text())
def test_a_text_without_a_diff_asks_for_nothing_or_for_what_is_there(text: str) -> None:
    document = cleaned("c", text, Category.CODE, code_language="diff")
    for draft in code_drafts(document, 350):
        assert draft.span.of(text).startswith("diff --git ")


def added(lines: list[str], path: str = "a.py") -> str:
    return f"diff --git a/{path} b/{path}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n" + "".join(
        f"+{line}\n" for line in lines
    )


def test_a_commit_is_never_sealed_and_seals_nothing() -> None:
    text = words(80, "a file that a commit added")
    documents = [cleaned("file", f'def f():\n    """{text}"""\n', Category.CODE, code_language="python")]
    documents += [article(f"d{number}") for number in range(6)]
    twin = commit("Add what the file has", added(documents[0].text.splitlines()), "twin")
    for seed in range(8):
        settings = Dataset(seed=seed)
        alone, _ = made_of(documents, settings)
        together, generated = made_of([*documents, twin], settings)
        assert together.splits.pop(twin.document_id) is Split.TRAIN
        assert (together.splits, together.clusters, together.sealed) == (alone.splits, alone.clusters, alone.sealed)
        # The same words in a sealed file: they are not learnt from the commit.
        assert "commit" not in {sample.kind for sample in generated.samples}


def test_a_definition_is_asked_for_by_its_docstring_rather_than_by_the_commit_that_added_it() -> None:
    lines = ["def weave(thread):", f'    """{words(40, "what it is for")}."""', f"    return {words(9, 'x')!r}"]
    file = cleaned("file", "\n".join(lines), Category.CODE, code_language="python")
    others = [article(f"d{number}") for number in range(8)]
    commits = [commit("Weave a thread at last", added(lines), f"c{number}") for number in range(4)]
    other = commit("Cut the thread at the end", added([words(20, "cut")]), "other")
    settings = Dataset(test_share=0.01, validation_share=0.01)
    _, generated = made_of([*commits, other, file, *others], settings)
    kinds = [sample.kind for sample in generated.samples if sample.kind in ("commit", "docstring_code")]
    assert sorted(kinds) == ["commit", "docstring_code"]
    assert [sample.document_id for sample in generated.samples if sample.kind == "commit"] == [other.document_id]
    [sample] = [sample for sample in generated.samples if sample.kind == "commit"]
    assert (sample.language, other.text[sample.start : sample.end]) == ("diff", sample.answer)
