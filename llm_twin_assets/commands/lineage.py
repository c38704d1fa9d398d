"""`twin lineage`: what an answer, a release, a model, a dataset or a document came of, and what came of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from llm_twin_assets.commands.console import OUT, PROGRESS
from llm_twin_assets.lineage.graph import Key, Kind, Lineage
from llm_twin_assets.lineage.reading import Traced

# Of many documents so many stand for all.
SHOWN = 3
# As much of a digest or an identity as `twin lineage` takes for it.
_LETTERS = 13
# Lines of a tree cannot go on in the next one: where nobody looks at a terminal they may be long.
_WIDTH = 200
_LONG = re.compile(r"[0-9a-f-]{32,}")
# What is said of each kind beside its name, as far as it is on record.
_SAID: Mapping[Kind, Sequence[str]] = {
    Kind.ANSWER: ("question", "outcome", "asked_at"),
    Kind.RELEASE: ("approver", "reason", "released_at"),
    Kind.APPROVAL: ("decision", "approver", "reason"),
    Kind.EVALUATION: ("reason",),
    Kind.MODEL: ("method",),
    Kind.DATASET: ("samples",),
    Kind.DOCUMENT: ("title", "url", "path"),
    Kind.RAW: ("platform", "revision", "collected_at", "removed_at"),
}


def as_json(traced: Traced) -> dict[str, object]:
    """The part as nodes and edges, for programs; an edge goes from a thing to what it came of."""
    lineage, subject = traced.lineage, traced.subject
    before, after = lineage.ancestors(subject), lineage.descendants(subject)
    nodes = [
        {
            **_named(node.key),
            "direction": "up" if key in before else "down" if key in after else "subject",
            "names": list(node.aliases),
            "details": dict(node.details),
        }
        for key, node in sorted(lineage.nodes.items())
    ]
    edges = [
        {"from": _named(edge.child), "to": _named(edge.parent), "relation": edge.relation}
        for edge in sorted(lineage.edges)
    ]
    return {"subject": _named(subject), "nodes": nodes, "edges": edges, "notes": list(traced.notes)}


def show(traced: Traced, *, up: bool, down: bool, limit: int | None) -> None:
    """Two trees: what it came of, what came of it. Of many of a kind the first `limit` are shown."""
    for note in traced.notes:
        PROGRESS.print(f"[dim]{escape(note)}[/]")
    console = OUT if OUT.is_terminal else Console(width=_WIDTH, highlight=False)
    console.print(f"{_name(traced.lineage, traced.subject)} {_said(traced.lineage, traced.subject)}")
    for wanted, heading, upwards in ((up, "came of", True), (down, "led to", False)):
        if wanted:
            tree = Tree(f"[bold]{heading}[/]")
            _Branches(traced.lineage, upwards, limit).grow(tree, traced.subject)
            console.print(tree if tree.children else f"[bold]{heading}[/] nothing on record")


@dataclass
class _Branches:
    """A tree in one direction. What was drawn before is only named again: the graph is no tree."""

    lineage: Lineage
    up: bool
    limit: int | None
    drawn: set[Key] = field(default_factory=set)

    def grow(self, tree: Tree, key: Key) -> None:
        """Add what a thing is connected with below its branch."""
        groups: dict[tuple[Kind, str], list[Key]] = {}
        for other, relation in sorted(self._others(key)):
            groups.setdefault((other.kind, relation), []).append(other)
        for (kind, relation), others in groups.items():
            for other in others[: self.limit]:
                self._add(tree, relation, other)
            if left := len(others) - len(others[: self.limit]):
                tree.add(f"[dim]{escape(relation)} … and {left} more: {kind.value} (--all shows them)[/]")

    def _others(self, key: Key) -> list[tuple[Key, str]]:
        if self.up:
            return [(edge.parent, edge.relation) for edge in self.lineage.parents.get(key, ())]
        return [(edge.child, edge.relation) for edge in self.lineage.children.get(key, ())]

    def _add(self, tree: Tree, relation: str, key: Key) -> None:
        name = _name(self.lineage, key)
        text = f"[dim]{escape(relation)}[/] {name}" if self.up else f"{name} [dim]{escape(relation)} it[/]"
        if key in self.drawn and self._others(key):
            tree.add(f"{text} [dim](see above)[/]")
            return
        self.drawn.add(key)
        self.grow(tree.add(f"{text} {_said(self.lineage, key)}"), key)


def _name(lineage: Lineage, key: Key) -> str:
    details = lineage.nodes[key].details
    name = key.kind.value if key.kind is Kind.RAW else f"{key.kind.value} {_short(key.id)}"
    serves = " [green]serves[/]" if details.get("serves") else ""
    stale = " [yellow]stale: it saw what was forgotten[/]" if details.get("stale") else ""
    unknown = "" if details or key.kind not in _SAID else " [yellow]no longer on record[/]"
    return f"[bold]{escape(name)}[/]{serves}{stale}{unknown}"


def _said(lineage: Lineage, key: Key) -> str:
    details = lineage.nodes[key].details
    said = "; ".join(_value(details[name]) for name in _SAID.get(key.kind, ()) if details.get(name) not in (None, ""))
    return f"[dim]{escape(said)}[/]" if said else ""


def _short(name: str) -> str:
    return f"{name[:_LETTERS]}…" if _LONG.fullmatch(name) else name


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return str(value)


def _named(key: Key) -> dict[str, str]:
    return {"kind": key.kind.value, "author": key.author, "id": key.id}
