"""`twin model`: look at an author's registered models, take one elsewhere."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.options import AuthorOption, JsonOption, VersionOption
from resources.settings import Environment, Settings

model = typer.Typer(name="model", no_args_is_help=True, help="Show or export an author's trained models.")


@model.command()
@in_one_line
def show(
    author: AuthorOption,
    version: VersionOption = None,
    json: JsonOption = False,
) -> None:
    """Where a version comes from: data, base, parameters, code, hardware, time."""
    from llm_twin_assets.commands.console import OUT, print_json
    from resources.registry import registry_of

    found = registry_of(Environment.current())
    number = version or found.candidate_version(author)
    tags = dict(sorted(found.tags(author, number).items()))
    if json:
        return print_json({"version": number, "tags": tags})
    from rich.table import Table

    table = Table("", f"version {number} of {author}", box=None, pad_edge=False)
    for key, value in tags.items():
        table.add_row(key, value)
    return OUT.print(table)


@model.command()
@in_one_line
def export(
    author: AuthorOption,
    out: Annotated[Path, typer.Option("--out", help="The folder, or with --gguf the file, to write.")],
    version: VersionOption = None,
    merged: Annotated[bool, typer.Option("--merged", help="One model of base and adapter, as safetensors.")] = False,
    gguf: Annotated[bool, typer.Option("--gguf", help="One GGUF file, by llama.cpp's converter.")] = False,
    outtype: Annotated[
        Literal["auto", "f32", "f16", "bf16", "q8_0"], typer.Option(help="Number format of the GGUF file.")
    ] = "auto",
    converter: Annotated[
        Path | None,
        typer.Option(help="llama.cpp's folder or its convert_hf_to_gguf.py.", envvar="TWIN_GGUF_CONVERTER"),
    ] = None,
) -> None:
    """Write a version, checked against the registry's digest: as trained, --merged or --gguf."""
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.training import export as exporting
    from resources.registry import registry_of

    environment = Environment.current()
    name = Settings.load(environment.config).author(author).name
    found = registry_of(environment)
    number = version or found.candidate_version(author)
    if gguf:
        done = exporting.export_gguf(found, author, name, number, out, outtype, converter)
    elif merged:
        done = exporting.export_merged(found, author, name, number, out)
    else:
        done = exporting.export_model(found, author, number, out)
    compared = "" if done.deviation is None else f", logits within {done.deviation:.2g} standard deviations"
    OUT.print(f"{done.path}: version {done.version}{compared}", markup=False)
