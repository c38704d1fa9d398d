"""From a dataset version and people's feedback to preference pairs, as `twin.yaml` wants them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from llm_twin_assets.datasets.assets import read_cleaned
from llm_twin_assets.datasets.preference import Asked, Preferences, chosen_samples, leaks, of_feedback, together
from llm_twin_assets.datasets.preference_rejection import EndpointRejecter, LocalRejecter, Rejecter, with_rejected
from llm_twin_assets.datasets.version import DatasetVersion, samples_of, test_documents
from llm_twin_assets.domain.feedback import FEEDBACK_TABLE, feedback_of
from llm_twin_assets.domain.model import model_path
from llm_twin_assets.domain.sample import Split
from llm_twin_assets.inference.pipeline_traces import pipeline_traces
from resources.bases import find_base
from resources.llm_cache import ReplyCache
from resources.llm_usage import Meter, Usage
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings
from resources.warehouse import Warehouse

OFF = "preference.enabled is false in twin.yaml"
NO_CHAMPION = "there is no champion yet whose answers could be rejected"
# A validation split of pairs is for watching, not for learning.
_VALIDATION_SHARE = 10


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it; `without_rejected` says why no model was asked; `usage` where a service was asked."""

    preferences: Preferences
    without_rejected: str | None = None
    usage: Usage | None = None


@dataclass(frozen=True)
class Maker:
    """All that pairs of one author are made of."""

    author: str
    settings: Settings
    dataset: DatasetVersion
    objects: ObjectStore
    warehouse: Warehouse
    registry: Registry

    def make(self) -> Made:
        """Pairs and thumbs; raises what a model that cannot answer raises (`GenerationError`, `LlmError`, …)."""
        if not self.settings.preference.enabled:
            return Made(Preferences(), OFF)
        opinions = self._opinions()
        with self._rejecter() as rejecter:
            if rejecter is None:
                return Made(opinions, NO_CHAMPION)
            pairs = with_rejected(self._samples(), rejecter, self.settings.preference)
            usage = rejecter.meter.usage if isinstance(rejecter, EndpointRejecter) else None
        return Made(together(pairs, opinions), usage=usage)

    def _samples(self) -> list[Asked]:
        most = self.settings.preference.max_pairs
        return [
            *chosen_samples(self._asked(Split.TRAIN), most),
            *chosen_samples(self._asked(Split.VALIDATION), -(-most // _VALIDATION_SHARE)),
        ]

    def _asked(self, split: Split) -> list[Asked]:
        columns = ["sample_id", "instruction", "answer", "document_id", "start", "end"]
        rows = samples_of(self.objects, self.dataset, split).select(columns).to_pylist()
        return [Asked(split=split, **row) for row in rows]

    def _opinions(self) -> Preferences:
        feedback = feedback_of(self.warehouse.read(FEEDBACK_TABLE, self.author))
        if not feedback:
            return Preferences()
        apart = set(_ids(self.dataset, Split.VALIDATION))
        texts = [each.text for each in read_cleaned(self.warehouse, self.author) if each.document_id in apart]
        texts += test_documents(self.objects, self.dataset)["text"].to_pylist()
        is_leak = leaks(texts, self.settings.dataset.max_leaked_8grams)
        return of_feedback(feedback, self.settings.preference, is_leak)

    @contextmanager
    def _rejecter(self) -> Iterator[Rejecter | None]:
        chosen = self.settings.preference
        endpoint = {"teacher": self.settings.teacher, "endpoint": chosen.endpoint}.get(chosen.rejected_by)
        name = self.settings.author(self.author).name
        cache = ReplyCache(self.objects, f"llm/{self.author}")
        if endpoint is not None:
            with pipeline_traces(self.author, self.settings) as project:
                yield EndpointRejecter(endpoint, name, chosen, cache, Meter.of(endpoint), project)
        elif chosen.rejected_by == "base":
            base = find_base(self.settings.training.base, self.settings.training.revision)
            yield LocalRejecter(base.id, base.folder, base.digest, name, chosen, cache)
        elif (version := self.registry.alias_version(self.author, "champion")) is None:
            yield None
        else:
            model = self.registry.version(self.author, version)
            with TemporaryDirectory(prefix="twin-champion-") as scratch:
                folder = self.objects.local_folder(model_path(self.author, version), Path(scratch))
                yield LocalRejecter(f"{model.name} {version}", folder, model.digest, name, chosen, cache)


def _ids(dataset: DatasetVersion, split: Split) -> list[str]:
    documents = dataset.manifest["documents"]
    found = documents.get(split.value) if isinstance(documents, dict) else None
    return [str(each) for each in found] if isinstance(found, list) else []
