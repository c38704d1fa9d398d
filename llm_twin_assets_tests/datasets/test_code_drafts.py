from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_twin_assets.datasets.code_drafts import code_drafts
from llm_twin_assets.domain.document import Category
from llm_twin_assets_tests.conftest import cleaned

PYTHON = '''\
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
JAVASCRIPT = """\
// Copyright 2026 Maya Lindqvist, all rights reserved.

/**
 * Weave one thread – and say when.
 *
 * @param {string} thread what to weave
 */
export function weave(thread) {
  return thread; // to the loom with it
}

// eslint-disable-next-line no-unused-vars
function plain() {}

class Loom {
  /** Start the loom if it stands still. */
  start() { return 1; }
}

// The knots that one row takes.
export const knots = (row) => row.length;
"""
RUST = """\
use std::fmt;

/// Counts the threads of a row.
///
/// # Examples
///
/// ```
/// count(&[1]);
/// ```
#[inline]
pub fn count(row: &[u8]) -> usize { row.len() }

pub struct Loom { width: usize }

impl Loom {
    /// How wide the cloth will be.
    pub fn width(&self) -> usize { self.width }
}
"""
GO = """\
package loom

// Weave makes cloth of threads.
// It stops at the first knot.
func Weave(threads []string) string { return "" }

// This comment is about nothing in particular.

func Alone() {}

// Loom is what weaves.
type Loom struct{ Width int }
"""
JAVA = """\
class Loom {
  /**
   * Weaves one row of cloth.
   * @return the row
   */
  @Override
  public String weave(int row) { return ""; }
}
"""
C = """\
#include <stdio.h>

/* Counts the threads of a row. */
static int *count(const char *row) { return 0; }
"""
CPP = """\
namespace loom {
/// \\brief Counts the threads of a row.
template <typename T>
int count(const T& row) { return 0; }
}
"""


def asked(text: str, language: str | None, path: str | None = None) -> dict[str, str]:
    document = replace(cleaned("f", text, Category.CODE, code_language=language), path=path)
    return {draft.instruction: draft.span.of(text) for draft in code_drafts(document, 350)}


def named(found: dict[str, str]) -> dict[str, str]:
    """Answers by the name between back-quotes."""
    return {instruction.split("`")[1]: answer for instruction, answer in found.items()}


def test_a_documented_function_is_an_answer_with_its_decorator() -> None:
    found = named(asked(PYTHON, "python"))
    assert set(found) == {"entropy", "weave"}
    assert found["entropy"].startswith("@cache\ndef entropy")
    assert found["entropy"].endswith("for share in shares)")


def test_the_instruction_is_the_first_paragraph_of_the_docstring() -> None:
    (entropy,) = [each for each in asked(PYTHON, "python") if "`entropy`" in each]
    assert "Bits that a draw tells." in entropy
    assert "Shannon" not in entropy
    assert "Python" in entropy


@pytest.mark.parametrize(
    ("language", "text", "names"),
    [
        ("javascript", JAVASCRIPT, {"weave", "start", "knots"}),
        ("typescript", JAVASCRIPT, {"weave", "start", "knots"}),
        ("rust", RUST, {"count", "width"}),
        ("go", GO, {"Weave", "Loom"}),
        ("java", JAVA, {"weave"}),
        ("c", C, {"count"}),
        ("cpp", CPP, {"count"}),
    ],
)
def test_what_a_comment_right_above_says_is_asked_for(language: str, text: str, names: set[str]) -> None:
    found = named(asked(text, language))
    assert set(found) == names
    assert all(answer in text for answer in found.values())


def test_the_answer_is_the_comment_with_its_definition() -> None:
    found = named(asked(JAVASCRIPT, "javascript"))
    assert found["weave"].startswith("/**\n * Weave one thread –")
    assert found["weave"].endswith("with it\n}")
    assert named(asked(RUST, "rust"))["count"].startswith("/// Counts the threads")
    assert "#[inline]\npub fn count" in named(asked(RUST, "rust"))["count"]


def test_the_summary_is_the_comment_without_its_marks_and_details() -> None:
    (count,) = [each for each in asked(RUST, "rust") if "`count`" in each]
    assert "Counts the threads of a row." in count
    assert "Examples" not in count
    (weave,) = [each for each in asked(JAVASCRIPT, "javascript") if "`weave`" in each]
    assert "Weave one thread – and say when." in weave
    assert "@param" not in weave
    (loom,) = asked(CPP, "cpp")
    assert "Counts the threads of a row." in loom
    assert "brief" not in loom


def test_code_that_does_not_parse_gives_no_sample() -> None:
    assert asked("def broken(:\n", "python") == {}
    assert asked("}}}} fn fn fn", "rust") == {}


def test_a_notebook_is_asked_for_as_an_article_is() -> None:
    found = asked("Threads are counted here, row by row.\n\n```python\ncount()\n```\n", "markdown", "a.ipynb")
    assert list(found.values()) == ["Threads are counted here, row by row.\n\n```python\ncount()\n```"]


def test_a_language_without_a_grammar_gives_no_sample() -> None:
    assert asked("-- Weave one thread, and say when.\nfunction weave() end", "lua") == {}


@settings(max_examples=60, deadline=None)
@given(st.text(), st.sampled_from(["rust", "go", "javascript", "c", "cpp", "java", "python"]))
def test_any_text_is_survived(text: str, language: str) -> None:
    assert all(answer in text for answer in asked(text, language).values())
