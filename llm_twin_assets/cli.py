"""`twin`: the few commands a person types.

Commands are imported when they run: `twin --help` must not wait for Dagster to load.
"""

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Literal, ParamSpec

import typer

from resources.errors import TwinError
from resources.settings import Environment

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Point it at a person's articles, posts and code; get a twin that answers with citations.",
    epilog="Start with `twin demo`, then `twin doctor`. Authors stand in twin.yaml; data lies in TWIN_HOME (.twin).",
)

P = ParamSpec("P")

AuthorOption = Annotated[str, typer.Option("--author", "-a", help="The author's key in twin.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ApproverOption = Annotated[str, typer.Option("--approver", help="Your name: it goes on record.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a sentence: it goes on record.")]
VersionOption = Annotated[
    str | None, typer.Option("--version", help="Model version; the newest candidate if left out.")
]


def command(function: Callable[P, None]) -> Callable[P, None]:
    """A command whose expected errors are one line on stderr and exit code 1."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except TwinError as error:
            typer.secho(f"error: {error}", fg="red", err=True)
            raise typer.Exit(1) from None

    return app.command(name=function.__name__.rstrip("_"))(run)


@command
def demo() -> None:
    """The whole road once, on the sample author: exports → graph → approval → service → three answers."""
    from llm_twin_assets.commands.demo import demo as run_demo

    run_demo(_environment())


@command
def up() -> None:
    """Start Dagster (3000), the service (8000), Phoenix (6006) and MLflow (5000); Ctrl-C stops all."""
    from llm_twin_assets.commands.up import up as run_up

    raise typer.Exit(run_up(_environment()))


@command
def run(author: AuthorOption) -> None:
    """Materialize everything up to the evaluation report. Costs follow change: unchanged input is not redone."""
    from llm_twin_assets.commands.run import run_author

    run_author(author, _environment())


@command
def search(
    question: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    author: AuthorOption,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many chunks.")] = 5,
    category: Annotated[list[str] | None, typer.Option(help="Only article, post or code; may be repeated.")] = None,
    platform: Annotated[list[str] | None, typer.Option(help="Only this platform; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language (en, de, …); may be repeated.")] = None,
    after: Annotated[datetime | None, typer.Option(help="Only what was published from this day on.")] = None,
    before: Annotated[datetime | None, typer.Option(help="Only what was published before this day.")] = None,
    sections: Annotated[bool, typer.Option("--sections", help="Whole sections in place of chunks.")] = False,
    json: JsonOption = False,
) -> None:
    """Find chunks by meaning and by words, and show how each part scored them."""
    from llm_twin_assets.commands import search as searching
    from llm_twin_assets.commands.console import print_json
    from resources.vector_store import Filters

    filters = Filters(
        categories=tuple(category) if category else None,
        platforms=tuple(platform) if platform else None,
        languages=tuple(language) if language else None,
        published_after=after,
        published_before=before,
    )
    found = searching.search(author, question, k, filters, _environment(), sections=sections)
    if json:
        return print_json([asdict(chunk) for chunk in found])
    return searching.show(found)


@command
def ask(
    question: Annotated[str, typer.Argument(help="Your question.")],
    author: Annotated[
        str | None, typer.Option("--author", "-a", help="Needed only where several are released.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Ask the running service (`twin up`) and show the answer with its citations."""
    from llm_twin_assets.commands import ask as asking
    from llm_twin_assets.commands.console import print_json

    answered = asking.ask(question, author, _environment().service_url)
    if json:
        return print_json(answered)
    return asking.show(answered)


@command
def approve(
    author: AuthorOption, approver: ApproverOption, reason: ReasonOption, version: VersionOption = None
) -> None:
    """Say yes to a candidate that passed the gate, and release it."""
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.commands.decide import candidate_version, decide, deploy

    environment = _environment()
    decide("approve_model", author, version or candidate_version(author, environment), approver, reason, environment)
    release = deploy(author, environment)
    OUT.print(f"Released {release.release_id}: model version {release.model_version}, {release.snapshot}.")


@command
def reject(author: AuthorOption, approver: ApproverOption, reason: ReasonOption, version: VersionOption = None) -> None:
    """Say no to a candidate; it can never be approved after this."""
    from llm_twin_assets.commands.decide import candidate_version, decide

    environment = _environment()
    decide("reject_model", author, version or candidate_version(author, environment), approver, reason, environment)


@command
def rollback(
    author: AuthorOption,
    approver: ApproverOption,
    reason: ReasonOption,
    version: Annotated[str, typer.Option("--version", help="The model version to return to.")],
) -> None:
    """Return to a version that was released before, with the snapshot it was released with."""
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.commands.decide import decide, deploy

    environment = _environment()
    decide("roll_back", author, version, approver, reason, environment)
    OUT.print(f"Released {deploy(author, environment).release_id}.")


@command
def releases(author: AuthorOption, json: JsonOption = False) -> None:
    """List an author's releases: which model, which snapshot, who approved, when."""
    from llm_twin_assets.commands import releases as listing
    from llm_twin_assets.commands.console import print_json

    listed = listing.listed(author, _environment())
    if json:
        return print_json([entry.model_dump(mode="json") for entry in listed.releases])
    return listing.show(listed)


@command
def doctor(json: JsonOption = False) -> None:
    """Say what is missing on this machine and how to mend it; exit code 1 if anything is."""
    from llm_twin_assets.commands import doctor as examination
    from llm_twin_assets.commands.console import print_json

    findings = examination.examine(_environment())
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        examination.show(findings)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@command
def extract(
    files: Annotated[list[Path], typer.Argument(help="HTML files.")],
    url: Annotated[str | None, typer.Option(help="Where the page is from; helps with its metadata.")] = None,
    backend: Annotated[
        Literal["cascade", "newspaper"], typer.Option(help="Who finds the article; twin.yaml's is for the graph.")
    ] = "cascade",
    json: JsonOption = False,
) -> None:
    """HTML to Markdown with title, author, date and language; with --json one object a line."""
    from llm_twin_assets.commands.extract import extract_files

    if extract_files(files, url, backend, as_json=json):
        raise typer.Exit(1)


def _environment() -> Environment:
    return Environment.current()


def main() -> None:
    """Entry point of `twin`."""
    # Progress bars of libraries would run into our own lines.
    os.environ.setdefault("TQDM_DISABLE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
