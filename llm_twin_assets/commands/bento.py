"""`twin bento`: the service of a release, as BentoML takes it to a server or into an image."""

from rich.filesize import decimal

from llm_twin_assets.commands.console import OUT
from llm_twin_assets.release.bento import BentoError, Built, bento_files, bento_tag
from llm_twin_assets.release.bento import build as build_bento
from llm_twin_assets.release.records import releases
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings


def build(release: str | None, environment: Environment) -> Built:
    """The bento of this code and `twin.yaml`; raises `BentoError` unless it is the one that the release names."""
    files = bento_files(Settings.load(environment.config))
    if release is not None:
        _check(release, bento_tag(files), ObjectStore(environment.under("objects")))
    return build_bento(files)


def as_json(built: Built) -> dict[str, object]:
    """For programs."""
    return {"tag": built.tag, "path": str(built.path), "bytes": built.size, "reused": built.reused}


def show(built: Built) -> None:
    """The tag, and what to do with it."""
    said = "is there already" if built.reused else "is built"
    OUT.print(f"{built.tag} {said}: {built.path} ({decimal(built.size)})")
    OUT.print(f"[dim]Serve it with TWIN_HOME=… bentoml serve {built.tag}, or bentoml containerize {built.tag}.[/]")


def _check(release_id: str, tag: str, objects: ObjectStore) -> None:
    author = release_id.rpartition("-")[0]
    found = [each for each in releases(objects, author) if each.release_id == release_id]
    if not found:
        raise BentoError(f"there is no release '{release_id}'", mend="`twin releases` lists them.")
    if (named := found[0].service) != tag:
        raise BentoError(
            f"is served by {named or 'no bento by name'}; this code and twin.yaml make {tag}",
            where=f"release {release_id}",
            mend=f"Take code version {found[0].code_version or 'of its time'}, and the twin.yaml of that day.",
        )
