"""Options that several commands take, in the same words."""

from typing import Annotated

import typer

AuthorOption = Annotated[str, typer.Option("--author", "-a", help="The author's key in twin.yaml.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ApproverOption = Annotated[str, typer.Option("--approver", help="Your name: it goes on record.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Your name, for the record; your login if left out.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, in a sentence: it goes on record.")]
OverrideOption = Annotated[
    bool, typer.Option("--override", help="Against the gate, or against an earlier no; that goes on record, too.")
]
VersionOption = Annotated[
    str | None, typer.Option("--version", help="Model version; the newest candidate if left out.")
]
