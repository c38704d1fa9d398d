"""Count the given files and name the near-duplicates among them: python -m threadcount FILE..."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from threadcount.shingles import near_duplicates
from threadcount.words import count_page, count_pages


def report(pages: Mapping[str, str]) -> str:
    """Write a line of counts for each page, a total, and a line for each pair of near-duplicates."""
    total = count_pages(pages.values())
    rows = [(name, count_page(text)) for name, text in pages.items()] + [("total", total)]
    lines = [f"{row.words:>8} words {row.sentences:>6} sentences  {name}" for name, row in rows]
    lines += [f"{pair.similarity:.2f} alike: {pair.first} and {pair.second}" for pair in near_duplicates(pages)]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Read the files as UTF-8 and print the report. Without a file there is nothing to count: exit code 2."""
    if not arguments:
        print("usage: python -m threadcount FILE...", file=sys.stderr)
        return 2
    print(report({name: Path(name).read_text(encoding="utf-8") for name in arguments}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
