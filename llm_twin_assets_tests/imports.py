"""What a module imports, wherever in it, read from the source: nothing is loaded."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ("bentos", "llm_twin_assets", "resources")


def closure(*modules: str, root: Path = ROOT) -> tuple[set[str], set[str]]:
    """Our modules that these draw in, themselves included, and the top-level names of others' packages."""
    ours: set[str] = set()
    others: set[str] = set()
    todo = list(modules)
    while todo:
        module = todo.pop()
        file = _file(module, root)
        if file is None or module in ours:
            continue
        ours.add(module)
        for name in (*_parents(module), *imported(file)):
            top = name.split(".")[0]
            if top in OURS:
                todo.append(name)
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return ours, others


@cache
def imported(file: Path) -> tuple[str, ...]:
    """Every name that a file imports, inside functions too, but for what only a type checker sees."""
    return tuple(_imported(file))


def _imported(file: Path) -> Iterator[str]:
    todo: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        todo += ast.iter_child_nodes(node)


def _parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _file(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if file.is_file()), None)
