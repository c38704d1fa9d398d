"""`twin dataset`: look at an author's dataset, take it elsewhere."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from llm_twin_assets.commands.failing import in_one_line
from llm_twin_assets.commands.options import AuthorOption, JsonOption
from llm_twin_assets.domain.sample import Split
from resources.settings import Environment, Settings

if TYPE_CHECKING:
    from llm_twin_assets.datasets.version import DatasetVersion
    from resources.object_store import ObjectStore

dataset = typer.Typer(name="dataset", no_args_is_help=True, help="Show, export or push an author's dataset.")

VersionOption = Annotated[
    str | None, typer.Option("--version", help="A version's digest; the current one if left out.")
]


@dataset.command()
@in_one_line
def show(
    author: AuthorOption,
    version: VersionOption = None,
    json: JsonOption = False,
) -> None:
    """What a version holds: splits, kinds, tiers, what was left out and why."""
    from llm_twin_assets.commands.console import print_json

    _, found = _version(author, version)
    if json:
        return print_json(found.manifest)
    return _show(cast("dict[str, Any]", found.manifest))


@dataset.command()
@in_one_line
def export(
    author: AuthorOption,
    out: Annotated[Path, typer.Option("--out", help="The folder to write SPLIT.jsonl to.")],
    form: Annotated[
        Literal["messages", "alpaca", "sharegpt"], typer.Option("--format", help="Who shall read it.")
    ] = "messages",
    split: Annotated[
        list[Split] | None,
        typer.Option(help="May be repeated; train and validation if left out, never the sealed one."),
    ] = None,
    version: VersionOption = None,
) -> None:
    """Write a version as JSON lines that other trainers read."""
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.datasets.export import export as write

    objects, found = _version(author, version)
    for path, count in write(objects, found, form, split or (Split.TRAIN, Split.VALIDATION), out).items():
        OUT.print(f"{path}: {count} samples", markup=False)


@dataset.command()
@in_one_line
def push(
    author: AuthorOption,
    to: Annotated[str, typer.Option("--to", help="The dataset repository: OWNER/NAME.")],
    public: Annotated[bool, typer.Option("--public", help="Let everybody read it.")] = False,
    version: VersionOption = None,
    endpoint: Annotated[str | None, typer.Option(help="Another hub's address.", envvar="HF_ENDPOINT")] = None,
) -> None:
    """Upload a version, its sealed documents included, to a hub: to a private repository unless --public is said."""
    from llm_twin_assets.commands.console import OUT
    from llm_twin_assets.datasets.hub import push as upload
    from llm_twin_assets.datasets.version import local_folder

    objects, found = _version(author, version)
    with TemporaryDirectory(prefix="twin-dataset-") as scratch:
        folder = local_folder(objects, found, Path(scratch))
        url = upload(folder, to, f"Dataset version {found.digest}", public=public, endpoint=endpoint)
    OUT.print(f"{url} ({'public' if public else 'private'}): version {found.digest[:12]}", markup=False)


def _version(author: str, digest: str | None) -> "tuple[ObjectStore, DatasetVersion]":
    from llm_twin_assets.datasets import version as versions
    from resources.object_store import ObjectStore

    environment = Environment.current()
    Settings.load(environment.config).author(author)
    objects = ObjectStore(environment.under("objects"))
    found = versions.open_version(objects, author, digest) if digest else versions.current(objects, author)
    return objects, found


def _show(manifest: Mapping[str, Any]) -> None:
    from rich.table import Table

    from llm_twin_assets.commands.console import OUT

    OUT.print(f"Version {manifest['digest']} of {manifest['author']}, tier {manifest['settings']['tier']}")
    splits = Table("split", "documents", "samples", box=None, pad_edge=False)
    for split, ids in manifest["documents"].items():
        splits.add_row(split, str(len(ids)), str(manifest["samples"].get(split, 0)))
    OUT.print(splits)
    decontamination = {
        f"{pair}, {name.replace('_', ' ')}": count
        for pair, counts in manifest["decontamination"].items()
        for name, count in counts.items()
    }
    for title, counts in (
        ("Kinds", manifest["kinds"]),
        ("Tiers of train", manifest["tiers"]),
        ("Decontamination", decontamination),
        ("Left out", manifest["dropped"]),
    ):
        table = Table("", title, box=None, pad_edge=False)
        for name, count in counts.items():
            table.add_row(str(count), name)
        OUT.print("")
        OUT.print(table)
