"""Jupyter notebooks that reach cleaning as JSON, made Markdown: prose as it is, cells as fenced code, no outputs."""

from llm_twin_assets.collection.reading.notebooks import NotebookError, read_notebook
from llm_twin_assets.domain.document import RawDocument
from llm_twin_assets.features.errors import CleaningError

_MEDIA_TYPES = frozenset({"application/x-ipynb+json", "text/x-ipynb"})


def is_notebook(raw: RawDocument) -> bool:
    """Whether a document is a notebook in its own format; one that collection converted already is Markdown."""
    if raw.media_type in _MEDIA_TYPES:
        return True
    named = (raw.path or "").lower().endswith(".ipynb")
    return named and raw.media_type != "text/markdown" and raw.content.lstrip("\ufeff \t\r\n").startswith("{")


def notebook_markdown(raw: RawDocument) -> tuple[str, str | None]:
    """Its Markdown and the title that it gives itself; raises `CleaningError` for JSON that is no notebook."""
    try:
        notebook = read_notebook(raw.content.removeprefix("\ufeff"))
        notebook.markdown.encode()
    except (NotebookError, UnicodeEncodeError) as error:  # JSON can write half a surrogate pair
        reason = error if isinstance(error, NotebookError) else "holds what is not Unicode"
        raise CleaningError(
            f"the notebook {reason}", where=raw.url or raw.path, mend="Save it again in Jupyter, or remove it."
        ) from error
    return notebook.markdown, notebook.title
