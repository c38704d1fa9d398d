"""The code location: the only place that builds `Definitions`."""

from collections.abc import Callable

import dagster as dg

from llm_twin_assets.batch.assets import QUESTIONS, batch_answers
from llm_twin_assets.batch.sensors import unanswered_questions
from llm_twin_assets.collection.assets import RAW_ASSETS
from llm_twin_assets.collection.freshness import with_freshness
from llm_twin_assets.collection.schedules import collection_schedules
from llm_twin_assets.collection.sensors import local_changes, register_authors
from llm_twin_assets.datasets.assets import instruct
from llm_twin_assets.datasets.checks import DATASET_CHECKS
from llm_twin_assets.datasets.preference_assets import preference
from llm_twin_assets.datasets.preference_checks import PREFERENCE_CHECKS
from llm_twin_assets.evaluation.assets import evaluation
from llm_twin_assets.evaluation.checks import EVALUATION_CHECKS
from llm_twin_assets.features.assets import CLEANED_ASSETS, EMBEDDED_ASSETS
from llm_twin_assets.features.checks import FEATURE_CHECKS
from llm_twin_assets.monitoring.action_jobs import act_on_alarm, alarm_follow_up
from llm_twin_assets.monitoring.checks import MONITORING_CHECKS
from llm_twin_assets.monitoring.daily import DAILY, daily, daily_pages
from llm_twin_assets.monitoring.feedback_assets import feedback
from llm_twin_assets.monitoring.feedback_sensor import new_feedback
from llm_twin_assets.monitoring.sensors import answer_alarms
from llm_twin_assets.monitoring.upkeep import DAILY_UPKEEP, tidy_answers
from llm_twin_assets.release.assets import APPROVED_MODEL, deployed
from llm_twin_assets.release.automatic import automatic_approval
from llm_twin_assets.release.canary_sensor import canaries
from llm_twin_assets.release.jobs import DECISION_JOBS
from llm_twin_assets.release.upkeep import WEEKLY_UPKEEP, retire_snapshots
from llm_twin_assets.training.assets import TRAINING_ASSETS
from llm_twin_assets.training.checks import CANDIDATE_CHECKS
from resources.embedder import Embedder
from resources.errors import ConfigurationError
from resources.object_store import ObjectStore
from resources.registry import registry_of
from resources.settings import Collection, Environment, Settings
from resources.vector_stores import vector_store
from resources.warehouse import Warehouse

# Everything up to the report that a person reads before approving: what `twin run` materializes.
UP_TO_EVALUATION = (
    dg.AssetSelection.all() - dg.AssetSelection.groups("release", "inference") - dg.AssetSelection.assets(DAILY)
)


@dg.definitions
def definitions() -> dg.Definitions:
    """Assets, checks, jobs, schedules, sensors and the resources they use."""
    build_candidate = dg.define_asset_job("build_candidate", UP_TO_EVALUATION, description=_BUILD_CANDIDATE)
    return dg.Definitions(
        assets=[
            *with_freshness(RAW_ASSETS, _platforms_in_use()),
            *CLEANED_ASSETS,
            *EMBEDDED_ASSETS,
            instruct,
            preference,
            *TRAINING_ASSETS,
            evaluation,
            APPROVED_MODEL,
            deployed,
            QUESTIONS,
            batch_answers,
            feedback,
            daily,
        ],
        asset_checks=[
            *FEATURE_CHECKS,
            *DATASET_CHECKS,
            *PREFERENCE_CHECKS,
            *CANDIDATE_CHECKS,
            *EVALUATION_CHECKS,
            *MONITORING_CHECKS,
        ],
        jobs=[
            build_candidate,
            dg.define_asset_job("deploy", "release/deployed", description="Put the approved model into service."),
            dg.define_asset_job("answer_questions", "inference/batch_answers", description="Answer a batch."),
            *DECISION_JOBS,
            retire_snapshots,
            act_on_alarm,
            tidy_answers,
        ],
        schedules=[
            *collection_schedules(_collection(), Environment.current().home),
            WEEKLY_UPKEEP,
            DAILY_UPKEEP,
            daily_pages,
        ],
        sensors=[
            register_authors,
            local_changes,
            answer_alarms,
            new_feedback,
            automatic_approval,
            canaries,
            unanswered_questions,
            alarm_follow_up(build_candidate),
            _automation_sensor(),
        ],
        resources=resources(),
        # One process a run: an author's steps share the loaded models, and 4 GB suffice for a whole run. Training has a
        # process of its own; runs of different authors go side by side (see docs/adr/0002).
        executor=dg.in_process_executor,
    )


def resources() -> dict[str, dg.ResourceDefinition | dg.PipesSubprocessClient]:
    """Clients by the names that assets ask for; made when a run starts, from the environment of that moment."""
    return {
        "environment": _made(Environment.current, "Where things are on this machine."),
        "settings": _made(Settings.load, "twin.yaml, checked."),
        "warehouse": _made(lambda: Warehouse(_under("warehouse")), "Delta Lake tables."),
        "vector_store": _made(lambda: vector_store(_under("embedded")), "Embedded snapshots: LanceDB or Weaviate."),
        "objects": _made(lambda: ObjectStore(_under("objects")), "Datasets, models, records, the release pointer."),
        "embedder": _made(lambda: embedder(Settings.load()), "The embedding model."),
        "registry": _made(lambda: registry_of(Environment.current()), "MLflow: experiments and model versions."),
        "pipes": dg.PipesSubprocessClient(),
    }


def embedder(settings: Settings) -> Embedder:
    """The embedding model that `twin.yaml` names."""
    chosen = settings.embedding
    return Embedder(
        chosen.model,
        chosen.revision,
        chosen.batch_size,
        backend=chosen.backend,
        precision=chosen.precision,
        cache=Environment.current().cache("embedding"),
    )


def _made(make: Callable[[], object], description: str) -> dg.ResourceDefinition:
    return dg.ResourceDefinition(lambda _: make(), description=description)


def _under(part: str) -> str:
    return Environment.current().under(part)


def _collection() -> Collection:
    """When to collect. A broken twin.yaml must not take the whole UI with it: runs and the sensor report it."""
    try:
        return Settings.load().collection
    except ConfigurationError:
        return Collection()


def _platforms_in_use() -> set[str]:
    """The platforms that some author has a source on; none while twin.yaml is broken."""
    try:
        authors = Settings.load().authors.values()
    except ConfigurationError:
        return set()
    return {source.platform for author in authors for source in author.sources}


def _automation_sensor() -> dg.AutomationConditionSensorDefinition:
    # Dagster's default is STOPPED; a twin that keeps itself up to date has to have it running.
    return dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        # Five ticks lie between an export and its evaluation: at Dagster's 30 s most of the way would be waiting.
        minimum_interval_seconds=10,
        default_status=dg.DefaultSensorStatus.RUNNING,
        use_user_code_server=True,  # which alone knows a condition of our own making (training/continuous.py)
        description="Materializes what its automation condition asks for.",
    )


_BUILD_CANDIDATE = "Everything from collection to the evaluation report, for one author. Releases nothing."
