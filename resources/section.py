"""What a part of `twin.yaml` is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A part of `twin.yaml`: immutable; an unknown key is an error, not a silent no-op."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())
