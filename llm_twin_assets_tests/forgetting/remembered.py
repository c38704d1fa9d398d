"""A home in small in which one document is everywhere: in every table, snapshot, dataset, cache, report and record."""

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import numpy as np
import pyarrow.parquet as pq

from llm_twin_assets.batch.answers import put_answers
from llm_twin_assets.batch.questions import put_questions
from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.datasets.assets import instruct
from llm_twin_assets.datasets.version import DatasetVersion, current
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, Feedback, feedback_table
from llm_twin_assets.domain.model import ModelVersion
from llm_twin_assets.domain.remark import Answered, Remark, new_path
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.domain.tables import cleaned_documents
from llm_twin_assets.features.assets import CLEANED_ASSETS, EMBEDDED_ASSETS
from llm_twin_assets.features.incremental import current_snapshot
from llm_twin_assets.forgetting.places import Places
from llm_twin_assets.inference.batch import BatchQuestion
from llm_twin_assets.inference.citations import Citation
from llm_twin_assets.inference.prompts import prompt_digest
from llm_twin_assets.instance import open_instance
from llm_twin_assets.partitions import AUTHORS
from llm_twin_assets.release.deployment import Served, deploy
from llm_twin_assets.release.records import current_release
from llm_twin_assets_tests.batch.asked import given
from llm_twin_assets_tests.e2e import small_author
from llm_twin_assets_tests.release.test_deployment import approval
from resources.embedding_spool import VectorSpool
from resources.lance_store import LanceVectorStore
from resources.llm_cache import Reply, ReplyCache
from resources.object_store import ObjectStore
from resources.settings import Environment, Settings
from resources.warehouse import Warehouse

AUTHOR = small_author.AUTHOR
# A word that nobody else says, in title, text and address; and what the document says, word by word.
CANARY = "zzyzxkobold"
SAID = (
    f"The {CANARY} sleeps under the third stair of the old mill and comes out when the miller counts his sacks aloud. "
    "I saw it twice in the winter of the long frost, and both times it took the smallest sack and left a feather."
)
NOTE = f"---\ntitle: The {CANARY} of the mill\ndate: 2026-03-30\nurl: https://maya.example/{CANARY}\n---\n\n{SAID}\n"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
_DIMENSION = 16


class Encoder:
    """Vectors by the digest of a text: as good as any where only their number matters."""

    model, variant, digest, dimension, max_tokens = "test", "test", "e" * 64, _DIMENSION, 512

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        return np.stack([np.random.default_rng(seed).standard_normal(_DIMENSION) for seed in seeds]).astype(np.float32)

    def token_count(self, text: str) -> int:
        return len(text.split())

    def spool(self, name: str) -> None:
        return None


@dataclass
class Registered:
    """Of a registry, what forgetting asks it; MLflow's own way with tags is a matter of test_registry.py."""

    models: dict[str, dict[str, str]] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)

    def verified_versions(self, author: str) -> Mapping[str, Mapping[str, str]]:
        return self.models

    def alias_version(self, author: str, alias: str) -> str | None:
        return {"champion": "2", "candidate": "2"}[alias]

    def attach(self, author: str, version: str, files: Sequence[Path]) -> None:
        self.attached += [f"{version}: {file.name}: {file.read_text(encoding='utf-8')}" for file in files]

    def mark(self, author: str, version: str, tags: Mapping[str, str]) -> None:
        self.models[version].update(tags)


class Home:
    """A home of which everything is real but the embedding model and the registry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        if not self.notes.is_dir():
            small_author.write_notes(self.notes)
        config = small_author.write_config(folder / "twin.yaml", self.notes)
        self.environment = Environment(
            home=str(folder / "home"), config=config, service_url="http://127.0.0.1:9", phoenix_url=""
        )
        self.settings = Settings.load(config)
        self.instance = open_instance(self.environment)
        self.instance.add_dynamic_partitions(AUTHORS.name or "", [AUTHOR])
        self.registered = Registered()

    def copied(self, folder: Path) -> "Home":
        """The same in another place."""
        copy = Home(Path(shutil.copytree(self.folder, folder)))
        copy.registered = deepcopy(self.registered)
        return copy

    @property
    def places(self) -> Places:
        """Opened anew, as another process would."""
        under, registry = self.environment.under, self.registered
        return Places(
            Warehouse(under("warehouse")),
            ObjectStore(under("objects")),
            LanceVectorStore(under("embedded")),
            registry,  # type: ignore[arg-type]
            self.environment,
        )

    def run(self) -> DatasetVersion:
        """Collect, clean, embed, make a dataset."""
        files = next(asset for asset in RAW_ASSETS if asset.key == dg.AssetKey(["raw", "files"]))
        places = self.places
        done = dg.materialize(
            [files, *CLEANED_ASSETS, *EMBEDDED_ASSETS, instruct],
            partition_key=AUTHOR,
            instance=self.instance,
            resources={
                "settings": self.settings,
                "environment": self.environment,
                "warehouse": places.warehouse,
                "vector_store": places.vectors,
                "objects": places.objects,
                "embedder": Encoder(),
            },
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert done.success
        return current(places.objects, AUTHOR)

    def release(self, version: str, dataset: DatasetVersion) -> None:
        """A model of this dataset, approved and released with the newest snapshot."""
        places = self.places
        self.registered.models[version] = {
            "model_digest": f"m{version}", "base": "tiny-llama", "dataset_version": dataset.digest, "author": AUTHOR,
        }  # fmt: skip
        model = ModelVersion.from_tags(AUTHOR, version, self.registered.models[version])
        places.objects.put_new(f"{model.path}/config.json", b"{}")
        snapshot = current_snapshot(AUTHOR, places.vectors, Encoder())
        assert snapshot
        served = Served("Maya", snapshot, Encoder.model, Encoder.digest, prompt_digest())
        deploy(places.objects, approval(places.objects, version, NOW), model, served, NOW)

    def document(self) -> str:
        """The canary's id."""
        rows = self.places.warehouse.read("cleaned/articles", AUTHOR)
        return next(each.document_id for each in cleaned_documents(rows) if CANARY in each.text)

    def scatter(self) -> None:
        """What the graph leaves of a document beside its tables: replies, feedback, a report, vectors, checkpoints."""
        places, document = self.places, self.document()
        ReplyCache(places.objects, f"llm/{AUTHOR}").keep(document, {"asked": 1}, Reply(SAID, 1, 1))
        for number, answer in enumerate((SAID, "The ferry leaves at noon.")):
            answer_id, answered = f"{number:032x}", Answered(question="What of the mill?", answer=answer)
            remark = Remark(author=AUTHOR, answer_id=answer_id, voice="local", author_key=False, created_at=NOW,
                            thumb="up", answered=answered)  # fmt: skip
            places.objects.put_new(new_path(remark), remark.model_dump_json().encode())
            said = Feedback(answer_id, AUTHOR, answered.question, answer, None, "up", None, None, False, NOW)
            places.warehouse.upsert(FEEDBACK_TABLE, feedback_table([said]), AUTHOR, identity="feedback_id")
        self._answer_in_a_batch(document)
        places.objects.replace(f"evaluations/{AUTHOR}/2.md", f"| The {CANARY} of the mill | 2.1 |".encode())
        places.objects.replace(f"evaluations/{AUTHOR}/1.md", b"| What the ferry taught me | 2.1 |")
        cache = self.environment.cache
        spool = VectorSpool(cache("embedding") / "spool" / Encoder.digest / f"{AUTHOR}-{Category.ARTICLE.value}")
        spool.add([CANARY], np.ones((1, _DIMENSION), np.float32))
        checkpoint = cache("training") / AUTHOR / "order" / "dataset" / "train.txt"
        checkpoint.parent.mkdir(parents=True)
        checkpoint.write_text(SAID)
        answers = cache("evaluations") / AUTHOR / "digest" / "answers.jsonl"
        answers.parent.mkdir(parents=True)
        answers.write_text(SAID)

    def _answer_in_a_batch(self, document: str) -> None:
        """A question that quotes it, and one that was answered by what cites it, beside one that has nothing of it."""
        release = current_release(self.places.objects, AUTHOR)
        assert release is not None
        citation = Citation(1, document, None, f"The {CANARY} of the mill", 0, 8, "I saw it", 1.0)
        asked = [
            BatchQuestion(question_id="quoting", question=SAID),
            BatchQuestion(question_id="cited", question="Is the mill haunted?"),
            BatchQuestion(question_id="other", question="When does the ferry leave?"),
        ]
        put_questions(self.places.warehouse, AUTHOR, asked, Scrubber.of([]))
        answers = [given(each, citations=(citation,) if each.question_id == "cited" else ()) for each in asked]
        put_answers(self.places.warehouse, release, zip(asked, answers, strict=True), NOW)


def made(folder: Path) -> Home:
    """Both versions learnt from the canary, the second was released with a newer snapshot; its dataset is the older."""
    home = Home(folder)
    (home.notes / "mill.md").write_text(NOTE, encoding="utf-8")
    first = home.run()
    home.release("1", first)
    (home.notes / "ferry.md").write_text(
        (home.notes / "ferry.md").read_text(encoding="utf-8") + "\nSince spring it leaves at one.\n", encoding="utf-8"
    )
    home.run()
    home.release("2", first)
    home.scatter()
    return home


def traces(root: Path, what: str) -> Iterator[Path]:
    """Files below a folder that hold a word: as it is, in what Parquet has compressed, or in UTF-16."""
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        if what.encode() in content or what.encode("utf-16-le") in content:
            yield path.relative_to(root)
