"""The sections of `twin.yaml` about what training does by itself: search for parameters, start anew."""

from pydantic import Field

from resources.section import Section


class Search(Section):
    """The search for training parameters; what the section `training` sets is never searched for.

    `trials` trainings are made in all, the first with the defaults; 0 makes none, and takes what an earlier search has
    found. After `minutes` no further one is begun. A trial whose validation bits per byte are above the median of those
    before it is given up, once there are `pruning_after` of them.
    """

    trials: int = Field(default=0, ge=0)
    minutes: float | None = Field(default=None, gt=0)
    pruning_after: int = Field(default=5, ge=1)


class Continuous(Section):
    """When a changed dataset trains a new candidate by itself. `twin run` trains whatever this says.

    `min_new_samples` that the candidate was not trained on, and `min_hours` since it was made.
    """

    min_new_samples: int = Field(default=0, ge=0)
    min_hours: float = Field(default=0.0, ge=0)
