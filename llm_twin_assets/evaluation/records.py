"""Verdicts and reports as they are stored: `evaluations/AUTHOR/VERSION.{json,md,html}`, and beside the MLflow run."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from llm_twin_assets.domain.release import Verdict
from llm_twin_assets.evaluation.report.html import html
from llm_twin_assets.evaluation.report.markdown import markdown
from llm_twin_assets.evaluation.report.page import Page
from resources.object_store import ObjectStore
from resources.registry import Registry


def find(objects: ObjectStore, author: str, version: str) -> Verdict | None:
    """The verdict on a model version, or None; one that this code cannot read counts as none: it is judged anew."""
    content = objects.find(_path(author, version, "json"))
    if content is None:
        return None
    try:
        return Verdict.model_validate_json(content)
    except ValidationError:
        return None


def markdown_of(objects: ObjectStore, verdict: Verdict) -> str:
    """The report on a stored verdict."""
    return objects.get(_path(verdict.author, verdict.model_version, "md")).decode()


def report_place(objects: ObjectStore, verdict: Verdict) -> str:
    """Where the HTML report lies."""
    return f"{objects.root}/{_path(verdict.author, verdict.model_version, 'html')}"


def store(objects: ObjectStore, registry: Registry, page: Page) -> str:
    """Store verdict and report; returns the report as Markdown. The verdict is last: it is never there without them."""
    verdict = page.verdict
    text = markdown(page)
    contents = {"html": html(page).encode(), "md": text.encode(), "json": verdict.model_dump_json(indent=2).encode()}
    with TemporaryDirectory(prefix="twin-report-") as scratch:
        files = [Path(scratch, f"evaluation.{kind}") for kind in contents]
        for file, content in zip(files, contents.values(), strict=True):
            file.write_bytes(content)
        registry.attach(verdict.author, verdict.model_version, files)
    for kind, content in contents.items():
        objects.replace(_path(verdict.author, verdict.model_version, kind), content)
    return text


def _path(author: str, version: str, kind: str) -> str:
    return f"evaluations/{author}/{version}.{kind}"
