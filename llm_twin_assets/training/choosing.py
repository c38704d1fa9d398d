"""Which parameters the next candidate is trained with: searched now, found before, or the defaults."""

from dataclasses import dataclass
from pathlib import Path

from llm_twin_assets.datasets.version import current as current_dataset
from llm_twin_assets.training import parameter_sets
from llm_twin_assets.training.parameter_sets import ParameterSet, SearchKey
from llm_twin_assets.training.plan import TrainingPlan, plan_for
from llm_twin_assets.training.search import Launch, SearchOrder, SearchResult, search
from llm_twin_assets.training.search_space import SearchSpace
from resources.bases import Base
from resources.object_store import ObjectStore
from resources.registry import Registry
from resources.settings import Settings


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan, the stored set that it follows if any, and the search if there was one just now."""

    plan: TrainingPlan
    followed: ParameterSet | None = None
    search: SearchResult | None = None


def choose(
    author: str, base: Base, settings: Settings, objects: ObjectStore, registry: Registry, launch: Launch, root: Path
) -> Choice:
    """What a stored set says if it is for this kind of training and of enough trials; else what a search finds.

    What twin.yaml sets is left as it is: a set that was found under other settings is not followed.
    """
    training = settings.training
    plan = plan_for(base.folder, training)
    key = SearchKey.of(base.folder, plan, settings.dataset.tier)
    known = parameter_sets.find(objects, key)
    if known and known.given != parameter_sets.given_by(training):
        known = None
    result = None
    space = SearchSpace(base.folder, training)
    if space.names and training.search.trials > (known.trials if known else 0):
        registry.require_reachable()
        dataset = current_dataset(objects, author)
        order = SearchOrder(author, settings.author(author).name, base, dataset, training, key)
        result = search(order, registry, objects, launch, root)
        known = result.found
    if known is None:
        return Choice(plan)
    chosen = space.plan(space.inside(known.values), origin=f"search {known.digest[:8]}, {known.trials} trials")
    return Choice(chosen, known, result)
