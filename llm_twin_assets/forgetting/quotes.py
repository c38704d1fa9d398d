"""Where a document's words stand without its name: in what people said of answers, and in evaluation reports."""

import html
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from llm_twin_assets.batch.answers import BATCH_ANSWERS_TABLE, cited_documents
from llm_twin_assets.batch.questions import QUESTIONS_TABLE, questions_of
from llm_twin_assets.datasets.decontamination import Sealed
from llm_twin_assets.domain import remark
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.domain.tables import cleaned_documents
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets.release.records import verdict_path

_TAG = re.compile(r"<[^>]*>")
_NOTICE = "This report showed words of a document that was forgotten since. Its figures are in the record beside it.\n"


@dataclass(frozen=True)
class Quoted:
    """What gives away that a text is taken from one of some documents: eight of their words in a row, or a title."""

    titles: tuple[str, ...]
    texts: tuple[str, ...]

    @classmethod
    def of(cls, places: Places, author: str, documents: Collection[str]) -> "Quoted":
        """From the cleaned documents, as long as they are there."""
        tables = (places.warehouse.read(f"cleaned/{category.plural}", author) for category in Category)
        found = [each for table in tables if table.num_rows for each in cleaned_documents(table)]
        mine = [each for each in found if each.document_id in documents]
        return cls(tuple(each.title for each in mine if each.title), tuple(each.text for each in mine))

    def by(self, text: str) -> bool:
        """Whether the text quotes one of them; a short one only as a whole."""
        overlap = self._words.overlap(text)
        return bool(overlap.long or overlap.short) or any(_plain(each) in _plain(text) for each in self.texts)

    def on(self, page: str) -> bool:
        """Whether a page, which may be HTML, quotes one of them or has its title."""
        text = _plain(html.unescape(_TAG.sub(" ", page)))
        return any(_plain(title) in text for title in self.titles) or self.by(text)

    @cached_property
    def _words(self) -> Sealed:
        return Sealed.of(self.texts)


def _plain(text: str) -> str:
    return " ".join(text.split())


def forget_feedback(places: Places, author: str, documents: Collection[str], quoted: Quoted) -> int:
    """Delete what people said of answers that cite or quote a document, or that is one itself; returns how many rows.

    A mark stays in the place of what was said of each answer, or its trace would bring it back.
    """
    rows = feedback_of(places.warehouse.read(FEEDBACK_TABLE, author))
    gone = {
        each.answer_id
        for each in rows
        if each.document_id in documents
        or any(text and quoted.by(text) for text in (each.question, each.answer, each.corrected_text, each.comment))
    }
    for path in places.objects.list(remark.prefix(author)):
        said = None if path.endswith(remark.FORGOTTEN) else remark.read(places.objects, path)
        if said and (set(documents).intersection(said.documents) or any(map(quoted.by, said.texts))):
            gone.add(said.answer_id)
    for answer in sorted(gone):
        folder = remark.folder(author, answer)
        mark = f"{folder}/{remark.FORGOTTEN}"
        places.objects.replace(mark, b"")
        places.objects.delete([path for path in places.objects.list(folder) if path != mark])
    return places.warehouse.delete(FEEDBACK_TABLE, author, "answer_id", gone)


def forget_batches(places: Places, author: str, documents: Collection[str], quoted: Quoted) -> int:
    """Delete batch answers that cite or quote a document, and questions that quote one; returns how many answers.

    The next batch answers such a question anew, without it.
    """
    warehouse, documents = places.warehouse, frozenset(documents)
    asked = [each.question_id for each in questions_of(warehouse, author) if quoted.by(each.question)]
    warehouse.delete(QUESTIONS_TABLE, author, "question_id", asked)
    rows = warehouse.read(BATCH_ANSWERS_TABLE, author, ["question_id", "question", "answer", "citations"]).to_pylist()
    gone = [
        row["question_id"]
        for row in rows
        if cited_documents(row["citations"]) & documents or quoted.by(row["answer"]) or quoted.by(row["question"])
    ]
    return warehouse.delete(BATCH_ANSWERS_TABLE, author, "question_id", gone)


def forget_reports(places: Places, author: str, quoted: Quoted) -> int:
    """Put a notice in the place of evaluation reports that quote a document, and of their copies in MLflow.

    Returns how many. The verdicts beside them hold figures alone, and approvals are chained to them: they stay.
    """
    folder, versions = PurePosixPath(verdict_path(author, "")).parent, places.registry.verified_versions(author)
    gone = 0
    for path in map(PurePosixPath, places.objects.list(str(folder))):
        content = b"" if path.suffix == ".json" else places.objects.get(str(path))
        if quoted.on(content.decode(errors="replace")):
            if path.stem in versions:
                _attach_notice(places, author, path)
            places.objects.replace(str(path), _NOTICE.encode())
            gone += 1
    return gone


def _attach_notice(places: Places, author: str, report: PurePosixPath) -> None:
    """In the place of the report with the model's run, which is there under another name."""
    with TemporaryDirectory(prefix="twin-notice-") as scratch:
        file = Path(scratch, f"evaluation{report.suffix}")
        file.write_text(_NOTICE, encoding="utf-8")
        places.registry.attach(author, report.stem, [file])
