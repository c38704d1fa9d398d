"""`twin batch`: many questions at once, answered by the released twin."""

from pathlib import Path
from typing import Annotated

import typer

from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.options import AuthorOption
from resources.settings import Environment, Settings

batch = typer.Typer(name="batch", no_args_is_help=True, help="Have many questions answered by the released twin.")


@batch.command()
@in_one_line
def add(
    file: Annotated[Path, typer.Argument(help="CSV or JSON lines: question, and if you like question_id, filters.")],
    author: AuthorOption,
) -> None:
    """Put a file's questions into the table; `twin batch run`, or a running daemon, answers them."""
    import dagster as dg

    from llm_twin_assets.batch.assets import QUESTIONS
    from llm_twin_assets.batch.questions import put_questions, read_questions
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.domain.scrub import Scrubber
    from llm_twin_assets.instance import open_instance
    from resources.warehouse import Warehouse

    environment = Environment.current()
    settings = Settings.load(environment.config)
    scrubber = Scrubber.of(settings.collection.scrub, settings.author(author).public)
    counts = put_questions(Warehouse(environment.under("warehouse")), author, read_questions(file), scrubber)
    metadata = {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged}
    open_instance(environment).report_runless_asset_event(
        dg.AssetMaterialization(QUESTIONS.key, partition=author, metadata=metadata)
    )
    OUT.print(f"{counts.new} new, {counts.changed} changed, {counts.unchanged} known already.")


@batch.command()
@in_one_line
def run(author: AuthorOption) -> None:
    """Answer what the release has not answered yet; interrupted, it goes on where it was."""
    from llm_twin_assets.commands.run import execute

    execute("answer_questions", Environment.current(), author=author)


@batch.command()
@in_one_line
def export(
    author: AuthorOption,
    out: Annotated[Path, typer.Option("--out", help="The file to write: .csv, or JSON lines.")],
) -> None:
    """Write the answers, with their questions and citations, to a file."""
    from llm_twin_assets.batch.export import export as write
    from llm_twin_assets.commands.console import OUT
    from resources.warehouse import Warehouse

    count = write(Warehouse(Environment.current().under("warehouse")), author, out)
    OUT.print(f"{out}: {count} answers", markup=False)
