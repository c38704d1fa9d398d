"""What runs by itself, tick by tick, on the real graph."""

from collections.abc import Iterator
from functools import cache

import dagster as dg
import pytest
from dagster._core.definitions.asset_daemon_cursor import AssetDaemonCursor

from llm_twin_assets.definitions import definitions
from llm_twin_assets.partitions import AUTHORS

MAYA, NOOR = "maya", "noor"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# Not all platforms: one that was never collected holds nothing up.
RAW = [f"raw/{platform}" for platform in ("files", "github", "linkedin", "medium", "substack")]
DATA = [f"{step}/{kind}" for step in ("cleaned", "embedded") for kind in ("articles", "posts", "code")]
DATA.append("datasets/instruct")
PAIRS = "datasets/preference"
MODELS = ["models/hyperparameters", "models/candidate", "models/evaluation"]


class Clockwork:
    """The graph with an instance of its own: say what was materialized, then ask what a tick requests."""

    def __init__(self, graph: dg.Definitions, *authors: str) -> None:
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.add_dynamic_partitions(AUTHORS.name or "", list(authors))
        # A tick asks for the authors 1,500 times, and each time it is a query: two thirds of what a tick costs.
        vars(self.instance)["get_dynamic_partitions"] = cache(self.instance.get_dynamic_partitions)
        self.definitions = graph
        self._cursor: AssetDaemonCursor | None = None

    def materialized(self, author: str, data_version: str, *assets: str, failing: str = "") -> None:
        """A real run of stand-ins for these assets, blocking checks included: all pass but the one named."""
        keys = [dg.AssetKey(asset.split("/")) for asset in assets]
        checks = [spec for check in self.definitions.asset_checks or [] for spec in check.check_specs]
        blocking = [spec for spec in checks if spec.blocking and spec.asset_key in keys]

        @dg.multi_asset(
            specs=[dg.AssetSpec(key) for key in keys],
            check_specs=[spec._replace(additional_deps=[]) for spec in blocking],
            partitions_def=AUTHORS,
        )
        def stand_in() -> Iterator[dg.MaterializeResult[None]]:
            for key in keys:
                results = [
                    dg.AssetCheckResult(passed=spec.name != failing, asset_key=key, check_name=spec.name)
                    for spec in blocking
                    if spec.asset_key == key
                ]
                yield dg.MaterializeResult(key, data_version=dg.DataVersion(data_version), check_results=results)

        dg.materialize(
            [stand_in], instance=self.instance, partition_key=author, run_config=QUIET, raise_on_error=not failing
        )

    def tick(self) -> set[tuple[str, str]]:
        result = dg.evaluate_automation_conditions(self.definitions, instance=self.instance, cursor=self._cursor)
        self._cursor = result.cursor
        keys = [spec.key for spec in self.definitions.resolve_all_asset_specs()]
        return {(key.to_user_string(), author or "") for key in keys for author in result.get_requested_partitions(key)}


@pytest.fixture(scope="module")
def graph() -> dg.Definitions:
    return definitions()


@pytest.fixture
def clockwork(graph: dg.Definitions) -> Clockwork:
    made = Clockwork(graph, MAYA, NOOR)
    assert made.tick() == set()
    return made


@pytest.fixture
def trained(clockwork: Clockwork) -> Clockwork:
    """Maya's twin is trained and evaluated; nobody has approved it."""
    clockwork.materialized(MAYA, "1", *RAW)
    clockwork.materialized(MAYA, "1", *DATA)
    clockwork.materialized(MAYA, "1", PAIRS, *MODELS)
    assert clockwork.tick() == set()
    return clockwork


def deployed(clockwork: Clockwork) -> None:
    """Maya's approved model serves, and the graph has come to rest."""
    clockwork.materialized(MAYA, "1", "release/approved_model")
    clockwork.materialized(MAYA, "1", "release/deployed")
    clockwork.tick()  # a yes that is new in a tick is acted on, be it a second time: deploying again changes nothing
    assert clockwork.tick() == set()


def of(author: str, *assets: str) -> set[tuple[str, str]]:
    return {(asset, author) for asset in assets}


def test_each_step_from_new_documents_to_a_release_is_taken_exactly_once(clockwork: Clockwork) -> None:
    clockwork.materialized(MAYA, "1", *RAW)
    for step in (DATA, ["models/hyperparameters", PAIRS], ["models/candidate"], ["models/evaluation"]):
        assert clockwork.tick() == of(MAYA, *step)
        clockwork.materialized(MAYA, "1", *step)
    assert clockwork.tick() == set(), "the report waits for a person"
    clockwork.materialized(MAYA, "1", "release/approved_model")
    assert clockwork.tick() == of(MAYA, "release/deployed")
    assert clockwork.tick() == set(), "what was asked for is not asked for again while it goes on"
    clockwork.materialized(MAYA, "1", "release/deployed")
    assert clockwork.tick() == set()


def test_pairs_that_fail_a_blocking_check_are_not_trained_on(clockwork: Clockwork) -> None:
    clockwork.materialized(MAYA, "1", *RAW)
    clockwork.materialized(MAYA, "1", *DATA)
    clockwork.materialized(MAYA, "1", "models/hyperparameters", PAIRS, failing="pairs_keep_the_split")
    assert clockwork.tick() == set()


@pytest.mark.parametrize(
    "check", ["answers_are_verbatim", "splits_are_decontaminated", "splits_are_disjoint", "splits_are_filled"]
)
def test_a_dataset_that_fails_a_blocking_check_is_not_trained_on(clockwork: Clockwork, check: str) -> None:
    clockwork.materialized(MAYA, "1", *RAW)
    clockwork.tick()
    clockwork.materialized(MAYA, "1", *DATA, failing=check)
    assert clockwork.tick() == set()


def test_a_dataset_that_fails_after_a_good_one_is_not_trained_on(trained: Clockwork) -> None:
    trained.materialized(MAYA, "2", *DATA, failing="answers_are_verbatim")
    assert not trained.tick() & of(MAYA, *MODELS)


def test_unchanged_content_stops_at_the_first_asset(trained: Clockwork) -> None:
    trained.materialized(MAYA, "1", *RAW)
    assert trained.tick() == set()


def test_changed_content_goes_all_the_way_but_releases_nothing(trained: Clockwork) -> None:
    trained.materialized(MAYA, "2", *RAW)
    assert trained.tick() == of(MAYA, *DATA, PAIRS, *MODELS)


def test_new_feedback_makes_new_datasets_and_none_holds_nothing_up(trained: Clockwork) -> None:
    trained.materialized(MAYA, "1", "monitoring/feedback")
    assert trained.tick() >= of(MAYA, "datasets/instruct", PAIRS)
    trained.materialized(MAYA, "1", "datasets/instruct", PAIRS)
    trained.materialized(MAYA, "1", "monitoring/feedback")
    assert trained.tick() == set(), "what nobody learns from changes nothing"


def test_one_author_does_not_move_another(trained: Clockwork) -> None:
    trained.materialized(NOOR, "1", *RAW)
    assert trained.tick() == of(NOOR, *DATA)


def test_a_new_snapshot_is_deployed_with_the_approved_model(trained: Clockwork) -> None:
    deployed(trained)
    trained.materialized(MAYA, "2", "embedded/posts")
    assert trained.tick() == of(MAYA, "release/deployed")


def test_a_snapshot_that_fails_its_checks_is_not_deployed(trained: Clockwork) -> None:
    deployed(trained)
    failing = next(
        spec.name
        for check in trained.definitions.asset_checks or []
        for spec in check.check_specs
        if spec.blocking and spec.asset_key == dg.AssetKey(["embedded", "posts"])
    )
    trained.materialized(MAYA, "2", "embedded/posts", failing=failing)
    assert trained.tick() == set()


def test_an_approval_right_after_another_request_is_not_lost(trained: Clockwork) -> None:
    trained.materialized(MAYA, "1", "release/approved_model")
    assert trained.tick() == of(MAYA, "release/deployed")
    # No tick has seen that request carried out yet when the next approval comes.
    trained.materialized(MAYA, "2", "release/approved_model")
    assert trained.tick() == of(MAYA, "release/deployed")
    assert trained.tick() == set()


def test_the_sensor_evaluates_conditions_of_our_own_making(graph: dg.Definitions) -> None:
    repository = graph.get_repository_def()
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions(AUTHORS.name or "", [MAYA])
        tick = repository.get_sensor_def("automation").evaluate_tick(
            dg.build_sensor_context(instance=instance, repository_def=repository)
        )
    assert tick.cursor
    assert not tick.run_requests
