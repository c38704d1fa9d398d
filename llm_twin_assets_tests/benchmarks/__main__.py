"""`make bench`: run every benchmark of this folder (or those named) and print one table.

A benchmark is a module with `measure() -> list[Row]`. None of this is part of the test suite: what a busy machine
measures must not decide whether code is right.
"""

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from llm_twin_assets_tests.benchmarks.measuring import Row


def benchmarks(named: Sequence[str]) -> Iterator[tuple[str, list[Row]]]:
    """Name and rows of each benchmark, as it ends."""
    for module in sorted(found.name for found in pkgutil.iter_modules([str(Path(__file__).parent)])):
        if named and module not in named:
            continue
        loaded = importlib.import_module(f"llm_twin_assets_tests.benchmarks.{module}")
        if measure := getattr(loaded, "measure", None):
            yield module, measure()


def main() -> int:
    """Print the table; 1 if a bound does not hold."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table("benchmark", "what", "measured", "bound", "", box=None)
    holds = True
    for name, rows in benchmarks(sys.argv[1:]):
        for row in rows:
            mark = "" if not row.bound else "[green]✓[/]" if row.holds else "[red]✗[/]"
            table.add_row(name, row.what, row.measured, row.bound, mark)
            holds = holds and row.holds
    console.print(table)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
