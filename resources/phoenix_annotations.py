"""What people say of answers, as annotations of their spans in Phoenix: written and read by its REST interface."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal

import httpx

from resources.errors import TwinError
from resources.tls import trusted

Name = Literal["thumb", "score", "comment", "correction", "note"]
# Ours; `note` is what Phoenix itself calls a remark in free words.
THUMB, SCORE, COMMENT, CORRECTION, NOTE = "thumb", "score", "comment", "correction", "note"
# What is written from here has an identifier that begins with this. What people write on Phoenix's page has none, or
# one of Phoenix's own; where there is one of ours already, the page changes that, and says so as its source.
OURS = "twin:"

# Any identifier holds the empty one, so that it takes two conditions to say: not ours.
_BY_HAND = "any(a.name in {names} and '" + OURS + "' not in a.identifier for a in span_annotations)"
_PAGE = 1000
# Identifiers in one address: 16 or 37 characters each, and a server takes some 64 KB of address.
_AT_ONCE = 500
_CONFIGS: tuple[Mapping[str, object], ...] = (
    {
        "name": THUMB,
        "type": "CATEGORICAL",
        "description": "Is the answer good?",
        "optimization_direction": "MAXIMIZE",
        "values": [{"label": "up", "score": 1}, {"label": "down", "score": 0}],
    },
    {"name": SCORE, "type": "CONTINUOUS", "description": "How good, from 0 to 1", "optimization_direction": "MAXIMIZE",
     "lower_bound": 0, "upper_bound": 1},
    {"name": COMMENT, "type": "FREEFORM", "description": "What is to be said of it"},
    {"name": CORRECTION, "type": "FREEFORM", "description": "The answer as it should have been, whole"},
)  # fmt: skip


class AnnotationsUnavailableError(TwinError):
    """Phoenix cannot be asked, or does not take what it is told."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """One thing said of a span; `row` is Phoenix's id of what was read there, `by_hand` whether on its own page."""

    name: str
    identifier: str = ""
    label: str | None = None
    score: float | None = None
    explanation: str | None = None
    row: str = ""
    by_hand: bool = False
    updated_at: datetime | None = None

    def says(self, other: "Annotation") -> bool:
        """Whether it says the same as another."""
        mine, theirs = ((each.label, each.score, each.explanation) for each in (self, other))
        return mine == theirs


def annotations(
    identifier: str, *, thumb: str | None, score: float | None, comment: str | None, correction: str | None
) -> tuple[Annotation, ...]:
    """What was said, as annotations; said again under the same identifier it takes the place of what was there."""
    said = (
        thumb and Annotation(THUMB, OURS + identifier, label=thumb, score=1.0 if thumb == "up" else 0.0),
        score is not None and Annotation(SCORE, OURS + identifier, score=score),
        comment and Annotation(COMMENT, OURS + identifier, explanation=comment),
        correction and Annotation(CORRECTION, OURS + identifier, explanation=correction),
    )
    return tuple(each for each in said if isinstance(each, Annotation))


class PhoenixAnnotations:
    """The annotations of one Phoenix; what asks it raises `AnnotationsUnavailableError`.

    Without `words` no comment and no correction is sent: where traces do without words, so do their annotations.
    """

    def __init__(self, url: str, *, words: bool = True, timeout: float = 5.0) -> None:
        self._url = url
        self._words = words
        self._timeout = timeout

    def sends(self, said: Annotation) -> bool:
        """Whether an annotation is one to be sent."""
        return self._words or said.name in (THUMB, SCORE)

    def root_span(self, project: str, trace_id: str) -> str | None:
        """The id of a trace's root span; None where Phoenix does not have it (yet)."""
        with self._asking() as client:
            wanted = {"trace_id": trace_id, "parent_id": "null", "limit": "1"}
            response = client.get(f"/v1/projects/{project}/spans", params=wanted)
            if response.status_code == HTTPStatus.NOT_FOUND:  # Phoenix makes a project with its first trace
                return None
            spans = response.raise_for_status().json()["data"]
            return str(spans[0]["context"]["span_id"]) if spans else None

    def put(self, said: Sequence[tuple[str, Annotation]]) -> None:
        """Write annotations, each with the id of the span that it is of. At once: Phoenix's queue tells of no loss."""
        data = [
            {
                "span_id": span,
                "name": each.name,
                "annotator_kind": "HUMAN",
                "identifier": each.identifier,
                "result": {"label": each.label, "score": each.score, "explanation": each.explanation},
            }
            for span, each in said
            if self.sends(each)
        ]
        if not data:
            return
        with self._asking() as client:
            client.post("/v1/span_annotations", params={"sync": "true"}, json={"data": data}).raise_for_status()

    def of_spans(self, project: str, spans: Sequence[str]) -> list[tuple[str, Annotation]]:
        """All annotations of these spans, each with the id of its span."""
        return self._annotations(project, "span_ids", spans)

    def of_ours(self, project: str, identifiers: Sequence[str]) -> list[tuple[str, Annotation]]:
        """The annotations that were written from here under these identifiers, as they are now, with their spans."""
        return self._annotations(project, "identifier", [OURS + each for each in identifiers])

    def annotated_by_hand(self, project: str) -> list[str]:
        """The traces of a project of which somebody has said something on Phoenix's page."""
        names = f"({', '.join(repr(each) for each in (THUMB, SCORE, COMMENT, CORRECTION, NOTE))})"
        wanted = {"filter": _BY_HAND.format(names=names), "limit": _PAGE}
        with self._asking() as client:
            rows = self._pages(client, f"/v1/projects/{project}/traces", wanted)
            return [str(row["trace_id"]) for row in rows]

    def offer(self, project: str) -> None:
        """Have Phoenix's page offer a person what can be said of an answer; a project that is not there is left."""
        with self._asking() as client:
            response = client.get(f"/v1/projects/{project}/annotation_configs", params={"limit": _PAGE})
            if response.status_code == HTTPStatus.NOT_FOUND:
                return
            offered = {each["name"] for each in response.raise_for_status().json()["data"]}
            for config in (each for each in _CONFIGS if each["name"] not in offered):
                made = client.post("/v1/annotation_configs", json=config)
                if made.status_code != HTTPStatus.CONFLICT:  # another project has it already
                    made.raise_for_status()
                client.put(f"/v1/projects/{project}/annotation_configs/{config['name']}").raise_for_status()

    def _annotations(self, project: str, by: str, values: Sequence[str]) -> list[tuple[str, Annotation]]:
        found: list[tuple[str, Annotation]] = []
        with self._asking() as client:
            for start in range(0, len(values), _AT_ONCE):
                wanted = {by: values[start : start + _AT_ONCE], "limit": _PAGE}
                rows = self._pages(client, f"/v1/projects/{project}/span_annotations", wanted)
                found += [(row["span_id"], _annotation(row)) for row in rows]
        return found

    def _pages(self, client: httpx.Client, path: str, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor: str | None = ""
        while cursor is not None:
            response = client.get(path, params={**wanted, **({"cursor": cursor} if cursor else {})})
            if response.status_code == HTTPStatus.NOT_FOUND:  # no such project, or none of these spans in it
                return
            page = response.raise_for_status().json()
            yield from page["data"]
            cursor = page.get("next_cursor") or None

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._url, timeout=self._timeout, verify=trusted())

    @contextmanager
    def _asking(self) -> Iterator[httpx.Client]:
        try:
            yield self._client
        except httpx.HTTPStatusError as error:
            raise AnnotationsUnavailableError(
                f"Phoenix answered {error.response.status_code}", where=self._url
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise AnnotationsUnavailableError("what answers is not Phoenix", where=self._url) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise AnnotationsUnavailableError(
                f"Phoenix cannot be reached ({type(error).__name__})", where=self._url
            ) from error


def _annotation(row: Mapping[str, object]) -> Annotation:
    result = row.get("result")
    said = result if isinstance(result, dict) else {}
    return Annotation(
        name=str(row["name"]),
        identifier=str(row.get("identifier") or ""),
        label=said.get("label"),
        score=said.get("score"),
        explanation=said.get("explanation"),
        row=str(row["id"]),
        by_hand=row.get("source") == "APP",
        updated_at=datetime.fromisoformat(str(row["updated_at"])),
    )
