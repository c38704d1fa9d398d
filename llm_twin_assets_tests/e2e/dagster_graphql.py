"""A Dagster webserver as another program sees it: over GraphQL, and by nothing else."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

_REPOSITORY = {"repositoryLocationName": "llm_twin", "repositoryName": "__repository__"}

_PARTITIONS = """query ($key: AssetKeyInput!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionKeys } } }"""

_MATERIALIZATIONS = """query ($key: AssetKeyInput!, $author: String!) {
  assetOrError(assetKey: $key) { ... on Asset { assetMaterializations(partitions: [$author]) {
    runId metadataEntries { label ... on TextMetadataEntry { text } } } } } }"""

_RUNS = """query { runsOrError(limit: 100) { ... on Runs { results { runId jobName status
  assetSelection { path } } } } }"""

_FAILURES = """query ($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
  ... on ExecutionStepFailureEvent { stepKey error { message causes { message } } failureMetadata { description } }
  ... on RunFailureEvent { message } } } } }"""

_LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""

_REPORT = """mutation ($params: ReportRunlessAssetEventsParams!) {
  reportRunlessAssetEvents(eventParams: $params) { __typename ... on PythonError { message } } }"""


class Dagster:
    """What the tests ask of a webserver, and tell it."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)

    def authors(self) -> list[str]:
        """The registered partitions, as an asset sees them."""
        return list(self._ask(_PARTITIONS, key=_key("raw/files"))["assetNodeOrError"].get("partitionKeys", []))

    def materializations(self, asset: str, author: str) -> list[dict[str, str]]:
        """An asset's materializations for an author, newest first, by what their text metadata says."""
        found = self._ask(_MATERIALIZATIONS, key=_key(asset), author=author)["assetOrError"]
        return [
            {entry["label"]: entry["text"] for entry in event["metadataEntries"] if entry.get("text")}
            for event in found.get("assetMaterializations", [])
        ]

    def runs(self, status: str, asset: str | None = None) -> list[str]:
        """Ids of the runs in a status; of those alone that were to materialize the asset, if one is given."""
        runs = self._ask(_RUNS)["runsOrError"]["results"]
        return [
            run["runId"]
            for run in runs
            if run["status"] == status and (asset is None or _key(asset) in (run["assetSelection"] or []))
        ]

    def failure(self, run: str) -> str:
        """What a failed run says went wrong."""
        return str([event for event in self._ask(_FAILURES, run=run)["logsForRun"]["events"] if event])

    def launch(self, job: str, config: Mapping[str, object]) -> str:
        """Launch a job as the launchpad does; returns the run's id."""
        params = {"selector": {**_REPOSITORY, "jobName": job}, "mode": "default", "runConfigData": config}
        launched = self._ask(_LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def forge_materialization(self, asset: str, author: str) -> None:
        """What anybody who reaches the webserver can do: report that an asset was materialized."""
        params = {"eventType": "ASSET_MATERIALIZATION", "assetKey": _key(asset), "partitionKeys": [author]}
        reported = self._ask(_REPORT, params=params)["reportRunlessAssetEvents"]
        assert reported["__typename"] == "ReportRunlessAssetEventsSuccess", reported

    def forge_over_rest(self, asset: str, author: str) -> None:
        """The same over the webserver's other interface, which external systems report by."""
        url = f"/report_asset_materialization/{asset}"
        self._client.post(url, params={"partition": author}).raise_for_status()

    def _ask(self, query: str, **variables: object) -> dict[str, Any]:
        response = self._client.post("/graphql", json={"query": query, "variables": variables}).raise_for_status()
        answer = response.json()
        assert not answer.get("errors"), answer["errors"]
        return dict(answer["data"])


def until(look: Callable[[], T], what: str, seconds: float, *, dead: Callable[[], str] = lambda: "") -> T:
    """Ask until the answer is true, and return it; fails at once if `dead` says why it never will be."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        if reason := dead():
            raise AssertionError(f"waiting for {what}: {reason}")
        time.sleep(1)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def _key(asset: str) -> dict[str, list[str]]:
    return {"path": asset.split("/")}
