"""`twin`: the few commands a person types.

Commands are imported when they run: `twin --help` must not wait for Dagster to load.
"""

import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, ParamSpec

import typer

from llm_twin_assets.commands.alarms import alarms
from llm_twin_assets.commands.batch import batch
from llm_twin_assets.commands.canary import canary
from llm_twin_assets.commands.dataset import dataset
from llm_twin_assets.commands.decisions import approve, reject, releases, rollback
from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.keys import keys
from llm_twin_assets.commands.model import model
from llm_twin_assets.commands.options import AuthorOption, JsonOption
from llm_twin_assets.commands.pauses import pause, resume
from llm_twin_assets.commands.provenance import bento, lineage
from llm_twin_assets.training.memory import Attention, Optimizer
from resources.settings import Environment
from resources.training_settings import TrainingMethod

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Point it at a person's articles, posts and code; get a twin that answers with citations.",
    epilog="Start with `twin demo`, then `twin doctor`. Authors stand in twin.yaml; data lies in TWIN_HOME (.twin).",
)

app.add_typer(dataset)
app.add_typer(model)
app.add_typer(keys)
app.add_typer(canary)
app.add_typer(alarms)
app.add_typer(batch)

P = ParamSpec("P")


def command(function: Callable[P, None]) -> Callable[P, None]:
    """A command whose expected errors are one line on stderr and exit code 1."""

    return app.command(name=function.__name__.rstrip("_"))(in_one_line(function))


@command
def demo() -> None:
    """The whole road once, on the sample author: exports → graph → approval → service → three answers."""
    from llm_twin_assets.commands.demo import demo as run_demo

    run_demo(Environment.current())


@command
def up() -> None:
    """Start Dagster (3000), the service (8000), Phoenix (6006), MLflow (5000), metrics (9464); Ctrl-C stops all."""
    from llm_twin_assets.commands.up import up as run_up

    raise typer.Exit(run_up(Environment.current()))


@command
def run(author: AuthorOption) -> None:
    """Materialize everything up to the evaluation report. Costs follow change: unchanged input is not redone."""
    from llm_twin_assets.commands.run import run_author

    run_author(author, Environment.current())


@command
def search(
    question: Annotated[str, typer.Argument(help="What to look for, in your own words.")],
    author: AuthorOption,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many chunks.")] = 5,
    category: Annotated[list[str] | None, typer.Option(help="Only article, post or code; may be repeated.")] = None,
    platform: Annotated[list[str] | None, typer.Option(help="Only this platform; may be repeated.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="Only this language (en, de, …); may be repeated.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only what has this tag; may be repeated.")] = None,
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
        tags=tuple(each.lower() for each in tag) if tag else None,
        published_after=after,
        published_before=before,
    )
    found = searching.search(author, question, k, filters, Environment.current(), sections=sections)
    if json:
        for lack in found.lacking:
            typer.echo(f"degraded: {lack}", err=True)
        return print_json([asdict(chunk) for chunk in found.chunks])
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

    answered = asking.ask(question, author, Environment.current().service_url)
    if json:
        return print_json(answered)
    return asking.show(answered)


for each in (approve, reject, rollback, releases, lineage, bento, pause, resume):
    command(each)


@command
def forget(
    name: Annotated[str, typer.Argument(help="A document's URL, path or id.")],
    author: Annotated[str | None, typer.Option("--author", "-a", help="Needed only where several have it.")] = None,
    copies: Annotated[
        bool | None, typer.Option("--copies/--keep-copies", help="What else says the same: forget it, or keep it.")
    ] = None,
    datasets: Annotated[
        bool, typer.Option("--datasets", help="Delete datasets with it that nothing kept needs.")
    ] = False,
    retrain: Annotated[bool, typer.Option("--retrain", help="Train and evaluate a candidate without it.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Your name, for the record; your login if left out.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, for the record.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown what would go.")] = False,
) -> None:
    """Remove a document from everything that was made of it, for good; it does not come back."""
    from llm_twin_assets.commands import forget as forgetting
    from llm_twin_assets.commands.console import OUT

    environment, asked = Environment.current(), forgetting.Asked(by, reason, copies, datasets)
    found = forgetting.look(name, author, environment, asked)
    if forgetting.is_over(found, asked):
        return OUT.print("It was forgotten before; nothing of it has come back.")
    forgetting.show(found)
    if not yes:
        return OUT.print("Nothing was changed. Say --yes to do it; it cannot be undone.")
    forgetting.forget(found, environment, asked)
    OUT.print("Forgotten. What is left, and where:")
    for each in forgetting.remains(found, asked):
        OUT.print(f"  · {each}", markup=False)
    if retrain:
        from llm_twin_assets.commands.run import run_author

        run_author(found.author, environment)
    return None


@command
def doctor(json: JsonOption = False) -> None:
    """Say what is missing on this machine and how to mend it; exit code 1 if anything is."""
    from llm_twin_assets.commands import doctor as examination
    from llm_twin_assets.commands.console import print_json

    findings = examination.examine(Environment.current())
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        examination.show(findings)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


@command
def status(json: JsonOption = False) -> None:
    """Every twin on one screen: sources, documents, models, releases, alarms; and which servers run."""
    from llm_twin_assets.commands import status as looking
    from llm_twin_assets.commands.console import print_json

    found = looking.status(Environment.current())
    return print_json(looking.as_json(found)) if json else looking.show(found)


@command
def plan(
    base: Annotated[
        str | None, typer.Option(help="Folder, hub id or shipped name; all usual sizes if left out.")
    ] = None,
    parameters: Annotated[str | None, typer.Option(help="A size in place of a base: 30B.")] = None,
    method: Annotated[TrainingMethod, typer.Option(help="How it is trained.")] = "lora",
    gpus: Annotated[str | None, typer.Option(help="8x80GB, or 8x80GB,2 for two machines; this machine's.")] = None,
    nodes: Annotated[int, typer.Option(min=1, help="How many such machines.")] = 1,
    context: Annotated[int, typer.Option(min=1, help="Tokens of a sample.")] = 1024,
    batch: Annotated[int, typer.Option(min=1, help="Samples that one GPU takes at once.")] = 1,
    rank: Annotated[int, typer.Option(min=1, help="Rank of the adapter.")] = 16,
    optimizer: Annotated[Optimizer, typer.Option(help="Moments in 32 or 8 bits, or paged out.")] = "adamw",
    attention: Annotated[Attention, typer.Option(help="eager keeps every attention score.")] = "sdpa",
    checkpointing: Annotated[bool, typer.Option(help="Compute layers again in place of keeping them.")] = True,
    preferences: Annotated[bool, typer.Option("--preferences", help="Trained by DPO or KTO afterwards.")] = False,
    write: Annotated[Path | None, typer.Option(help="Folder for accelerate's configuration.")] = None,
    json: JsonOption = False,
) -> None:
    """How much memory a training needs, how it is spread over GPUs, and the files that launch it."""
    from llm_twin_assets.commands import plan as planning
    from llm_twin_assets.commands.console import print_json

    cluster = planning.cluster_of(gpus, nodes)
    work = planning.workload(
        *(method, context, batch, rank, optimizer, attention, cluster),
        checkpointing=checkpointing,
        preferences=preferences,
    )
    if (named := base or parameters) is None:
        found = planning.sizes(work, cluster)
        return print_json(planning.sizes_as_json(found)) if json else planning.show_sizes(found, work, cluster)
    planned = planning.plan(named, work, cluster, write)
    return print_json(planned.as_json()) if json else planning.show(planned)


@command
def config(
    part: Annotated[str, typer.Argument(help="A section, such as training or collection.http; all if left out.")] = "",
) -> None:
    """Print every key of twin.yaml with its kind, its default and what it is for."""
    from resources.settings_reference import page, reference

    typer.echo(reference(part) if part else page(), nl=False)


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
