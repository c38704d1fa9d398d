"""Models and datasets that nobody can ask for any more are dropped; what a kept release names never is."""

from collections import defaultdict
from datetime import datetime, timedelta

from llm_twin_assets.domain.model import model_path
from llm_twin_assets.domain.release import Release
from llm_twin_assets.release.records import approvals, current_release, releases
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.release_settings import Retention


def kept_releases(objects: ObjectStore, author: str, newest: int) -> list[Release]:
    """The newest releases and what serves; raises `TamperedError`: who cannot tell what serves must not tidy up."""
    past, serving = releases(objects, author), current_release(objects, author)
    kept = past[-newest:]
    return kept if serving is None or serving in kept else [serving, *kept]


def drop_unused(
    author: str, objects: ObjectStore, registry: Registry, retention: Retention, days: float, now: datetime
) -> tuple[str, ...]:
    """Drop models and datasets that no kept release, candidate or champion names; returns where they lay.

    Nor is anything dropped that is younger than so many days: somebody may be at work on it.
    """
    kept = kept_releases(objects, author, retention.releases)
    aliases = [version for name in ("candidate", "champion") if (version := registry.alias_version(author, name))]
    # A yes that is not carried out yet.
    decided = [past.model_version for past in approvals(objects, author)[-1:]]
    named_models = {past.model_path for past in kept} | {model_path(author, each) for each in (*aliases, *decided)}
    named_datasets = {past.dataset for past in kept} | {
        registry.tags(author, version)["dataset_version"] for version in aliases
    }
    before = now - timedelta(days=days)
    folders = _folders(objects, f"models/{author}")
    models = [each for each, written in folders.items() if each not in named_models and written < before]
    folders = _folders(objects, f"datasets/{author}")
    newest = sorted(folders, key=folders.__getitem__)[-retention.datasets :]
    spared = {*newest, *(f"datasets/{author}/{digest}" for digest in named_datasets)}
    datasets = [each for each, written in folders.items() if each not in spared and written < before]
    for folder in (*models, *datasets):
        # A dataset without its manifest is half-written, and made again where it is wanted.
        objects.delete(sorted(objects.list(folder), key=lambda path: not path.endswith("/manifest.json")))
    return (*models, *datasets)


def _folders(objects: ObjectStore, prefix: str) -> dict[str, datetime]:
    """The folders below a prefix, and when something was last written in each."""
    written: dict[str, list[datetime]] = defaultdict(list)
    for path, at in objects.modified(prefix).items():
        name, inside, _ = path.removeprefix(f"{prefix}/").partition("/")
        if inside:
            written[f"{prefix}/{name}"].append(at)
    return {folder: max(times) for folder, times in written.items()}
