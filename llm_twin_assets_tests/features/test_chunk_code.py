"""Code by definitions: where it is cut, and what is said with each part."""

import re

import pytest

from llm_twin_assets.domain.document import Category
from llm_twin_assets.features.chunk import chunk_document
from llm_twin_assets.features.chunk_grammars import language_of


def count(text):
    return len(re.findall(r"\w+|[^\w\s]", text)) + 2


@pytest.fixture
def cut(make_cleaned):
    def cut(text, path, most=60, language=None):
        document = make_cleaned(text, category=Category.CODE, language=language, path=path)
        chunks = chunk_document(document, count, most)
        position = 0
        for chunk in chunks:
            assert text[chunk.start : chunk.end] == chunk.text
            assert count(chunk.embedded_text) <= most
            assert not text[position : chunk.start].strip()
            position = chunk.end
        assert not text[position:].strip()
        return chunks

    return cut


def of(chunks, words):
    [found] = [chunk for chunk in chunks if words in chunk.text]
    return found


def lines(indentation, number=4):
    return "".join(f"{indentation}total = add(total, other); // part {n}\n" for n in range(number))


def test_python_methods_know_their_class_and_the_parts_of_a_long_function_its_signature(cut):
    body = "\n".join(f"        total += {n}" for n in range(30))
    first = f"@cached\ndef first(a: int) -> int:\n    return {'a + ' * 20}a\n"
    text = f"import os\n\n\n{first}\n\nclass Engine(Base):\n    def run(self, card):\n{body}\n"
    chunks = cut(text, "a/b.py", 70)
    assert of(chunks, "@cached").text.startswith("@cached\ndef first")
    assert chunks[-1].context == "a/b.py › class Engine(Base) › def run(self, card)"


def test_the_parts_of_a_long_function_are_cut_between_statements(cut):
    loop = "    for each in things:\n        one(each)\n        two(each)\n        three(each, of=things)\n"
    chunks = cut(f"def run(things):\n{loop * 8}", "run.py")
    assert len(chunks) > 2
    assert all(chunk.text.startswith("    for each in things:") for chunk in chunks[1:])


def test_a_rust_method_knows_its_implementation_and_keeps_its_comments_and_attributes(cut):
    text = (
        "use std::io;\n\n/// A loom — 🧵.\n#[derive(Debug)]\npub struct Loom { threads: usize }\n\n"
        f"impl<T> Weave for Loom where T: Thread {{\n    /// Weaves.\n    #[inline]\n"
        f"    fn weave(&self) -> u8 {{\n{lines('        ')}    }}\n\n"
        f"    fn unweave(&mut self) {{\n{lines('        ')}    }}\n}}\n"
    )
    chunks = cut(text, "src/loom.rs", 100)
    weave = of(chunks, "fn weave")
    assert weave.context == "src/loom.rs › impl<T> Weave for Loom where T: Thread"
    assert weave.text.startswith("    /// Weaves.\n    #[inline]")
    assert of(chunks, "fn unweave").text.lstrip().startswith("fn unweave")
    assert "/// A loom — 🧵.\n#[derive(Debug)]\npub struct Loom" in of(chunks, "pub struct").text


def test_a_go_method_begins_with_its_comment(cut):
    text = (
        f'package loom\n\nimport "fmt"\n\n// Weave — 🧵 — weaves.\nfunc (l *Loom) Weave(n int) error {{\n'
        f"{lines(chr(9))}"
        "\treturn nil\n}\n\ntype Loom struct {\n\tthreads int\n}\n"
    )
    chunks = cut(text, "loom.go", 100)
    assert of(chunks, "func (l *Loom)").text.startswith("// Weave — 🧵 — weaves.\nfunc")


def test_a_java_method_knows_its_class(cut):
    text = (
        f"package a;\n\npublic class Loom extends Base {{\n  private int threads; // how many\n\n"
        f"  /** Weaves. */\n  @Override\n  public int weave(int n) {{\n{lines('    ')}    return n;\n"
        f"  }}\n\n  Loom() {{\n{lines('    ')}  }}\n}}\n"
    )
    chunks = cut(text, "Loom.java", 100)
    weave = of(chunks, "int weave")
    assert weave.context == "Loom.java › public class Loom extends Base"
    assert weave.text.startswith("  /** Weaves. */\n  @Override")
    assert "// how many" in of(chunks, "private int threads").text


def test_a_header_of_cpp_is_opened_through_its_guard_and_its_namespace(cut):
    method = "  /// Weaves.\n  int weave{}(const Cloth& cloth) const {{\n    {}\n    return 1;\n  }}\n\n"
    methods = "".join(method.format(n, "total += add(total, other); " * 5) for n in range(3))
    text = (
        f"#ifndef A_H\n#define A_H\nnamespace loom {{\n\ntemplate <class T>\n"
        f"class Weaver : public Base {{\n public:\n{methods}}};\n\n}}  // namespace loom\n#endif\n"
    )
    chunks = cut(text, "a.h", 100, "c")
    assert of(chunks, "weave1").context == "a.h › namespace loom › class Weaver : public Base"
    assert of(chunks, "weave1").text.startswith("  /// Weaves.\n  int weave1")


def test_c_functions_are_chunks(cut):
    text = (
        f"#include <a.h>\n\n/* Adds. */\nstatic int\nadd(int a)\n{{\n{lines('  ')}}}\n\nint sub(int a)\n"
        f"{{\n{lines('  ')}}}\n"
    )
    chunks = cut(text, "a.c", 100)
    assert of(chunks, "add(int a)").text.startswith("/* Adds. */\nstatic int\nadd(int a)")
    assert of(chunks, "sub(int a)").text.startswith("int sub(int a)")


@pytest.mark.parametrize("path", ["a.js", "a.ts", "a.tsx", "a.jsx"])
def test_constants_that_are_functions_and_exported_classes_are_definitions(cut, path):
    text = (
        f"import x from 'x';\n\n/** Adds — 🧵. */\nexport const add = async (a) => {{\n{lines('  ', 14)}}};\n\n"
        f"export default class Loom extends Base {{\n  weave(a) {{\n{lines('    ')}  }}\n\n"
        f"  unweave(b) {{\n{lines('    ')}  }}\n}}\n"
    )
    chunks = cut(text, path, 100)
    assert of(chunks, "export const add").text.startswith("/** Adds — 🧵. */\nexport const add")
    assert f"{path} › const add = async (a)" in {chunk.context for chunk in chunks}
    assert of(chunks, "unweave(b)").context == f"{path} › class Loom extends Base"


def test_a_namespace_and_an_interface_of_typescript_are_definitions(cut):
    members = "".join(f"    member{n}: Map<string, number>;\n" for n in range(6))
    text = (
        f"namespace Looms {{\n  export interface First {{\n{members}  }}\n  export interface Second {{\n"
        f"{members}  }}\n}}\n"
    )
    assert of(cut(text, "a.ts", 100), "interface Second").context == "a.ts › namespace Looms"


def test_small_neighbours_share_a_chunk(cut):
    text = "".join(f"def f{n}():\n    return {n}\n\n\n" for n in range(4))
    assert len(cut(text, "a.py", 90)) == 1


def test_markdown_in_a_repository_is_cut_by_its_headings(cut):
    filler = "These words fill the section so that it stands alone. " * 4
    chunks = cut(f"# Loom\n\n{filler}\n\n## Use\n\n{filler}", "docs/README.md")
    assert chunks[-1].context == "docs/README.md › Loom › Use"


def test_what_does_not_parse_or_has_no_grammar_is_cut_at_blank_lines(cut):
    broken = "}}} ((( not code ]]\n\n" * 40
    assert all(chunk.context == "a.py" for chunk in cut(broken, "a.py"))
    blocks = "".join(f"sub f{n} {{\n{lines('  ', 4)}\n{lines('  ', 1)}}}\n\n" for n in range(4))
    assert all(chunk.text.startswith("sub f") for chunk in cut(blocks, "a.pl", 80, "perl"))


def test_definitions_on_one_line_and_code_without_line_ends_are_complete(cut):
    cut("class A: pass; x = 1\n" * 30, "a.py")
    cut("function f(a){return a+1};var b=f(2);" * 200, "a.js")


def test_spans_are_characters_not_bytes(cut):
    text = "".join(
        f'def f{n}():\n    """Ünïcödé 👩🏽‍🚀 {n} שלום."""\n    return {" + ".join("abcdefghijklmno")}\n\n\n'
        for n in range(9)
    )
    chunks = cut(text, "a.py")
    assert len(chunks) == 9
    assert all(chunk.text.startswith(f"def f{n}") for n, chunk in enumerate(chunks))


def test_deeply_nested_code_is_cut(cut):
    cut("namespace a {\n" * 3000 + "}\n" * 3000, "a.cpp")
    cut("if (a) {\n" * 3000 + "}\n" * 3000, "a.js")


@pytest.mark.parametrize(
    ("stated", "path", "expected"),
    [
        ("python", "a.py", "python"), (None, "a.rs", "rust"), ("typescript", "a.tsx", "tsx"), ("C++", "a", "cpp"),
        ("c", "a.h", "cpp"), ("TSX", None, "tsx"), ("Go", "x.go", "go"), (None, "README.md", "markdown"),
        (None, "a", None), ("cobol", "a.cob", "cobol"), ("python", "a.h", "python"), (None, "a.tsx", "tsx"),
    ],
)  # fmt: skip
def test_a_language_goes_by_what_is_stated_then_by_the_suffix(stated, path, expected):
    assert language_of(stated, path) == expected
