"""Sets for the retrieval benchmark, in BEIR layout, made of what lies about: no set is downloaded.

    python -m llm_twin_assets_tests.benchmarks.retrieval_datasets KIND --source FOLDER --out DIR

- `docs_qa`: documentation chunks with questions and their gold chunks (two JSON files, as published);
- `titles`: a folder of Markdown notes; the title asks for the note, which is stored without it;
- `headings`: the same; title and heading ask for the section, stored without them;
- `docstrings`: a folder of Python packages; a function's first docstring line asks for its code, stored without it;
- `man_pages`: a folder with `LANGUAGE/manN/*.gz`; what the NAME line says of a page asks for the rest of it.
"""

import argparse
import ast
import gzip
import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_HEADING = re.compile(r"^(#{1,6})[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_FENCED = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
# Under this, the rest of a document says too little for its title to be answered by it.
_LEAST_CHARACTERS = 120
_MOST_DOCUMENTS = 1500
# Of a manual page: some are books.
_MOST_CHARACTERS = 2500


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the set, and the queries it is right for (id → text)."""

    identity: str
    title: str
    text: str
    queries: Mapping[str, str]


def docs_qa(source: Path) -> Iterator[Document]:
    """Questions with several gold chunks: a query's text stands with each of them."""
    asked: dict[str, dict[str, str]] = {}
    for question in json.loads((source / "docs_evaluation_dataset.json").read_text(encoding="utf-8")):
        for gold in question["correct_chunks"]:
            asked.setdefault(gold, {})[question["id"]] = question["question"]
    for chunk in json.loads((source / "anthropic_docs.json").read_text(encoding="utf-8")):
        link = chunk["chunk_link"]
        yield Document(link, chunk["chunk_heading"], chunk["text"], asked.get(link, {}))


def titles(source: Path) -> Iterator[Document]:
    """A note without its first heading, which asks for it."""
    for path, text in _notes(source):
        heading = _HEADING.search(text)
        if heading and len(rest := text[heading.end() :].strip()) >= _LEAST_CHARACTERS:
            yield Document(path, "", rest, {path: heading[2]})


def headings(source: Path) -> Iterator[Document]:
    """The sections of notes; one below the title is asked for by title and heading."""
    for path, text in _notes(source):
        bare = _FENCED.sub(lambda block: " " * len(block[0]), text)
        marks = list(_HEADING.finditer(bare))
        ends = [*(mark.start() for mark in marks[1:]), len(text)]
        for number, (mark, end) in enumerate(zip(marks, ends, strict=True)):
            section = text[mark.end() : end].strip()
            if len(section) >= _LEAST_CHARACTERS:
                name = f"{path}#{number}"
                queries = {name: f"{marks[0][2]}: {mark[2]}"} if number else {}
                yield Document(name, "", section, queries)


def docstrings(source: Path) -> Iterator[Document]:
    """Python functions of some length without their docstrings."""
    for path in sorted(source.rglob("*.py")):
        if path.stat().st_size > 200_000:
            continue
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except (UnicodeDecodeError, SyntaxError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield from _function(f"{path.relative_to(source)}:{node.lineno}", text, node)


def man_pages(source: Path) -> Iterator[Document]:
    """Manual pages of any language, without their NAME section, which asks for the page."""
    for path in sorted(source.rglob("*.gz")):
        sections = _sections(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
        if len(sections) < 3 or "\ufffd" in sections[1]:
            continue
        _, dash, said = re.sub(r"\s+", " ", sections[1].partition("\n")[2]).strip().partition(" - ")
        rest = "\n\n".join(sections[2:])[:_MOST_CHARACTERS]
        if dash and len(said) >= 12 and len(rest) >= 4 * _LEAST_CHARACTERS:
            name = path.relative_to(source).as_posix()
            yield Document(name, "", rest, {name: said[:200]})


KINDS: Mapping[str, Callable[[Path], Iterator[Document]]] = {
    "docs_qa": docs_qa,
    "titles": titles,
    "headings": headings,
    "docstrings": docstrings,
    "man_pages": man_pages,
}


def write(documents: Sequence[Document], out: Path) -> None:
    """The three files of BEIR's layout; a query asked twice in the same words is right for both documents."""
    qrels = out / "qrels" / "test.tsv"
    qrels.parent.mkdir(parents=True, exist_ok=True)
    asked: dict[str, str] = {}
    lines = ["query-id\tcorpus-id\tscore"]
    for document in documents:
        for identity, text in document.queries.items():
            first = asked.setdefault(text, identity)
            lines.append(f"{first}\t{document.identity}\t1")
    corpus = [{"_id": each.identity, "title": each.title, "text": each.text} for each in documents]
    _write_lines(out / "corpus.jsonl", corpus)
    _write_lines(out / "queries.jsonl", [{"_id": identity, "text": text} for text, identity in asked.items()])
    qrels.write_text("\n".join(lines) + "\n", encoding="utf-8")


def sample(documents: Sequence[Document], most: int) -> list[Document]:
    """At most so many, the same ones each time."""
    if len(documents) <= most:
        return list(documents)
    return sorted(random.Random(13).sample(list(documents), most), key=lambda each: each.identity)  # noqa: S311


def main() -> None:
    """Convert a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=sorted(KINDS))
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--most", type=int, default=_MOST_DOCUMENTS, help="keep at most so many documents")
    chosen = parser.parse_args()
    documents = sample(list(KINDS[chosen.kind](chosen.source)), chosen.most)
    write(documents, chosen.out)
    print(f"{chosen.out}: {len(documents)} documents")  # noqa: T201


def _notes(source: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(source.rglob("*.md")):
        yield path.relative_to(source).as_posix(), path.read_text(encoding="utf-8")


def _function(name: str, text: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Document]:
    said = (ast.get_docstring(node) or "").strip().partition("\n\n")[0].replace("\n", " ")
    if len(said.split()) < 4 or len(node.body) < 3:
        return
    lines = text.splitlines()
    head, body = lines[node.lineno - 1 : node.body[0].lineno - 1], lines[node.body[1].lineno - 1 : node.end_lineno]
    code = "\n".join((*head, *body))
    if _LEAST_CHARACTERS <= len(code) <= 6000:
        yield Document(name, "", code, {name: said})


def _sections(roff: str) -> list[str]:
    """Sections of a manual page as plain text, good enough to search in."""
    kept = (line for line in roff.splitlines() if not line.startswith(('."', '.\\"', "'", ".TH", ".ie", ".el", ".if")))
    plain = "\n".join(re.sub(r"^\.(?!SH)[A-Za-z]+ ?", "", line) for line in kept)
    plain = re.sub(r"\\f(\[[^]]*\]|\(..|.)|\\s[-+]?\d|\\[&/,:]|\\\*\(..", "", plain)
    plain = re.sub(r"\\\(?[-e]m?", "-", plain).replace("\\ ", " ").replace('"', "")
    return re.split(r"^\.SH ?", plain, flags=re.MULTILINE)


def _write_lines(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
