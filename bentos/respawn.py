"""A worker that dies is replaced, in a container as anywhere else."""

import os

# BentoML's own images set this, and its supervisor then starts no worker again (1.4: bentoml/serving.py,
# `create_watcher`). The container ends with the only worker of a service (tried: exit 1 within four seconds), which a
# platform can see; but of several workers those killed stay away one by one, which none can.
_CONTAINERIZED = "BENTOML_CONTAINERIZED"


def respawn_workers() -> None:
    """Have this process, which is about to start workers, start them again when they die; for `on_deployment`."""
    os.environ.pop(_CONTAINERIZED, None)
