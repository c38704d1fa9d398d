"""The graph of what came of what: pure, whatever its records were read from."""

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from resources.errors import TwinError

# Of a digest or an identity so much has to be said that it is not met by chance.
_LEAST = 6
_SHOWN = 5


class Kind(StrEnum):
    """What a thing in the graph is."""

    ANSWER = "answer"
    RELEASE = "release"
    SERVICE = "service"
    APPROVAL = "approval"
    EVALUATION = "evaluation"
    MODEL = "model"
    PARAMETERS = "parameters"
    BASE = "base"
    PREFERENCES = "preferences"
    DATASET = "dataset"
    SNAPSHOT = "snapshot"
    DOCUMENT = "document"
    RAW = "raw document"
    SOURCE = "source"


class LineageError(TwinError):
    """What is asked for is not on record, or several things are called so."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a thing is called: its kind, whose it is, and its id among those."""

    kind: Kind
    author: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind.value} {self.id}"


@dataclass(frozen=True, slots=True)
class Node:
    """A thing on record. `aliases` are what else a person may call it by (a URL, a path); `details` are for reading."""

    key: Key
    aliases: tuple[str, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`child` came of `parent`; `relation` is said of the parent as seen from the child (`answers with`)."""

    child: Key
    parent: Key
    relation: str


@dataclass(frozen=True)
class Lineage:
    """Nodes and edges. A thing that an edge names and no record describes is a node without details."""

    nodes: Mapping[Key, Node]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, nodes: Iterable[Node], edges: Iterable[Edge]) -> "Lineage":
        """The graph; of a thing described twice both descriptions count."""
        found: dict[Key, Node] = {}
        for node in nodes:
            found[node.key] = _joined(found[node.key], node) if node.key in found else node
        kept = tuple(dict.fromkeys(edges))
        for key in (key for edge in kept for key in (edge.child, edge.parent)):
            found.setdefault(key, Node(key))
        return cls(found, kept)

    @cached_property
    def parents(self) -> Mapping[Key, list[Edge]]:
        """The edges from a thing to what it came of."""
        return _grouped(self.edges, lambda edge: edge.child)

    @cached_property
    def children(self) -> Mapping[Key, list[Edge]]:
        """The edges to a thing from what came of it."""
        return _grouped(self.edges, lambda edge: edge.parent)

    def ancestors(self, key: Key) -> set[Key]:
        """Everything that a thing came of, itself left out."""
        return _reached(key, lambda each: {edge.parent for edge in self.parents.get(each, ())})

    def descendants(self, key: Key) -> set[Key]:
        """Everything that came of a thing, itself left out."""
        return _reached(key, lambda each: {edge.child for edge in self.children.get(each, ())})

    def around(self, key: Key, *, up: bool = True, down: bool = True) -> "Lineage":
        """The part that a thing came of and that came of it: never its siblings."""
        before = {key, *self.ancestors(key)} if up else set()
        after = {key, *self.descendants(key)} if down else set()
        edges = tuple(edge for edge in self.edges if _within(edge, before) or _within(edge, after))
        return Lineage({each: self.nodes[each] for each in {key} | before | after}, edges)

    def find(self, name: str) -> Key:
        """The thing that a person means: by its id, the beginning of one, a URL or a path; raises `LineageError`.

        `KIND:NAME` looks among one kind only.
        """
        kind, _, rest = name.partition(":")
        only = Kind(kind) if kind in set(Kind) else None
        nodes = [node for node in self.nodes.values() if only in (None, node.key.kind)]
        said = rest if only else name
        exact = [node.key for node in nodes if said in (node.key.id, *node.aliases)]
        near = [node.key for node in nodes if len(said) >= _LEAST and _begins(node, said)]
        found = exact or near
        if not found:
            raise LineageError(f"'{name}' is not on record", mend=_MEND)
        return _only(found, name)


def _begins(node: Node, said: str) -> bool:
    return any(name.startswith(said) for name in (node.key.id, *node.aliases))


def _only(found: list[Key], name: str) -> Key:
    # Of a document its raw form has the same id: who names one means the document, whose parent the other is.
    documents = [key for key in found if key.kind is not Kind.RAW]
    if len(candidates := documents or found) == 1:
        return candidates[0]
    listed = ", ".join(f"{key.kind.value}:{key.id} of {key.author}" for key in sorted(candidates)[:_SHOWN])
    raise LineageError(
        f"'{name}' may be any of {len(candidates)}", where=listed, mend="Say more of it, KIND:NAME, or --author."
    )


_MEND = (
    "Name a release (maya-000003), a model (twin-maya/3 or 3), the digest of a dataset, a snapshot, "
    "a document's id, URL or path, or an answer's trace."
)


def _joined(one: Node, other: Node) -> Node:
    aliases = tuple(dict.fromkeys((*one.aliases, *other.aliases)))
    return Node(one.key, aliases, {**one.details, **other.details})


def _grouped(edges: Iterable[Edge], by: Callable[[Edge], Key]) -> dict[Key, list[Edge]]:
    groups: dict[Key, list[Edge]] = {}
    for edge in edges:
        groups.setdefault(by(edge), []).append(edge)
    return groups


def _reached(start: Key, following: Callable[[Key], Set[Key]]) -> set[Key]:
    seen, todo = {start}, [start]
    while todo:
        new = following(todo.pop()) - seen
        seen |= new
        todo += new
    return seen - {start}


def _within(edge: Edge, keys: Set[Key]) -> bool:
    return edge.child in keys and edge.parent in keys
