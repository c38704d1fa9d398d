"""The section of `twin.yaml` about tasks of lm-evaluation-harness."""

from pydantic import Field

from resources.section import Section


class Benchmarks(Section):
    """Tasks by which to see that a model can still do what its base could, each on `limit` items.

    `tasks` are names that lm-evaluation-harness knows, which fetches their data from the hub, or of YAML files in
    `folder`. It is not installed with the project: `pip install "lm_eval>=0.4.13,<0.5"`.
    """

    tasks: tuple[str, ...] = ()
    folder: str | None = None
    limit: int = Field(default=50, ge=2)
