"""How much chrome cleaning takes from crawled articles, and what it takes with it.

    python -m llm_twin_assets_tests.benchmarks.cleaning [--corpus FOLDER] [--labels FILE.json]

Without a corpus: the suite's ten labelled pages. The corpus is a folder with JSON files, each a list of
`{"content": {"Title", "Content"}, "link", …}` as crawlers store them, cleaned together as one author's articles, site
boilerplate included. Of every article it is told whether a line is left that is nothing but a button. The labels are a
list of `{"link", "chrome": [[start, end], …], "recurring": [[start, end], …]}` with character spans made by hand, and
tell more: chrome lines gone; true sentences, apostrophes and code blocks kept. What is `recurring` (the author's own
words, but the same under many articles) counts as neither.
"""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from llm_twin_assets.domain.document import Category, RawDocument
from llm_twin_assets.domain.identity import content_hash, document_id
from llm_twin_assets.features.clean import clean
from llm_twin_assets.features.incremental import clean_changed
from llm_twin_assets_tests.benchmarks.labelled_pages import Kept, LabelledPage, cut_out, kept, labelled_pages
from llm_twin_assets_tests.benchmarks.measuring import Row

# Buttons of the big platforms, as lines or glued together; said here anew, so that a rule's mistake is not the test's.
_BUTTONS = re.compile(
    r"^\W*(?:Subscribe|Sign ?in|Subscribe ?Sign ?in|Share this post|Copy link|Restacks|No posts|Ready for more\?|"
    r"Open in app|Start Writing.*|Discussion about this post|Privacy ∙ Terms.*|This site requires JavaScript.*|"
    r"\* __ ?\w+|To make Medium.*|.*is a reader-supported publication.*|© \d{4}.*)\W*$|"
    r"Open in appSign up|ListenShare|Copy linkFacebook",
    re.MULTILINE,
)
CHROME_GONE, SENTENCES = 0.95, 0.99


@dataclass(frozen=True, slots=True)
class Article:
    """One crawled article."""

    link: str
    title: str | None
    text: str

    def raw(self) -> RawDocument:
        """As a connector would have stored it."""
        return RawDocument(
            document_id=document_id("a", self.link),
            author="a",
            platform="web",
            category=Category.ARTICLE,
            url=self.link,
            title=self.title,
            content=self.text,
            media_type="text/markdown",
            published_at=None,
            code_language=None,
            repository=None,
            path=None,
            content_hash=content_hash(self.title, self.text),
            collected_at=datetime.now(UTC),
        )


def measure() -> list[Row]:
    """The suite's own pages, each cleaned on its own; rules alone, there is no site to compare with."""
    pages = list(labelled_pages())
    outcome = []
    for page in pages:
        cleaned = clean(Article(f"https://example.org/{page.name}", None, page.text).raw())
        outcome.append(kept(page, cleaned.title, cleaned.text))
    return list(_rows(outcome))


def measure_corpus(folder: Path, labels: Path | None) -> Iterator[Row]:
    """A corpus, cleaned together."""
    articles = {each.link: each for each in _articles(folder)}
    raw = {link: article.raw() for link, article in articles.items()}
    began = time.process_time()
    result = clean_changed(list(raw.values()), [])
    seconds = time.process_time() - began
    cleaned = {each.url: each for each in result.documents}
    before = sum(bool(_BUTTONS.search(article.text)) for article in articles.values())
    left = [link for link, each in cleaned.items() if _BUTTONS.search(each.text)]
    share = 1 - len(left) / len(articles)
    yield Row(
        f"of {len(articles)} articles, {before} with buttons, free of them after",
        f"{share:.3f}{''.join(f' {link}' for link in left[:3])}",
        f"at least {CHROME_GONE}",
        share >= CHROME_GONE,
    )
    yield Row("CPU an article", f"{1000 * seconds / len(articles):.1f} ms, {len(result.quarantined)} not cleaned")
    if labels:
        pages = _labelled(articles, json.loads(labels.read_text(encoding="utf-8")))
        yield from _rows([kept(page, cleaned[page.name].title, cleaned[page.name].text) for page in pages])


def _articles(folder: Path) -> Iterator[Article]:
    for file in sorted(folder.rglob("*.json")):
        for each in json.loads(file.read_text(encoding="utf-8")):
            yield Article(each["link"], each["content"].get("Title"), each["content"]["Content"])


def _labelled(articles: Mapping[str, Article], labels: Sequence[dict[str, object]]) -> Iterator[LabelledPage]:
    for label in labels:
        article = articles[str(label["link"])]
        yield cut_out(article.link, article.text, label["chrome"], label["recurring"])  # type: ignore[arg-type]


def _rows(outcome: Sequence[Kept]) -> Iterator[Row]:
    pages = f"{len(outcome)} labelled pages"
    lines, left = sum(each.chrome_lines for each in outcome), [line for each in outcome for line in each.chrome]
    yield _share(f"chrome lines gone, {pages}", lines - len(left), lines, CHROME_GONE, left)
    sentences, lost = sum(each.sentences for each in outcome), [line for each in outcome for line in each.lost]
    yield _share(f"true sentences kept, {pages}", sentences - len(lost), sentences, SENTENCES, lost)
    yield _share("apostrophes kept", *(sum(each.apostrophes[at] for each in outcome) for at in (0, 1)), 1.0, ())
    yield _share("code blocks kept", *(sum(each.code[at] for each in outcome) for at in (0, 1)), 1.0, ())


def _share(what: str, part: int, whole: int, least: float, examples: Sequence[str]) -> Row:
    share = part / whole if whole else 1.0
    shown = "".join(f"\n  {example[:80]!r}" for example in examples[:8])
    return Row(what, f"{share:.4f} ({part} of {whole}){shown}", f"at least {least}", share >= least)


def main() -> int:
    """Print the table; 1 if a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--labels", type=Path)
    given = parser.parse_args()
    rows = list(measure_corpus(given.corpus, given.labels)) if given.corpus else measure()
    for row in rows:
        bound = f" ({row.bound})" if row.bound else ""
        sys.stdout.write(f"{'' if row.holds else 'FAILS  '}{row.what}: {row.measured}{bound}\n")
    return 0 if all(row.holds for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
