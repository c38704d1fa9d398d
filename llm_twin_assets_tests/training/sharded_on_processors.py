"""The training process, sharded over processors: accelerate takes FSDP for a matter of GPUs and would make it DDP."""

import sys

from accelerate import state
from accelerate.utils import DistributedType

from llm_twin_assets.training.train import main


class _Sharding(state.AcceleratorState):  # type: ignore[misc]
    """Notes the plugin as accelerate itself does for several GPUs; all that follows is its own and torch's."""

    def __init__(self, *arguments: object, fsdp_plugin: object = None, **options: object) -> None:
        super().__init__(*arguments, fsdp_plugin=fsdp_plugin, **options)
        if fsdp_plugin is not None and self.distributed_type == DistributedType.MULTI_CPU:
            self.fsdp_plugin = fsdp_plugin
            self.distributed_type = DistributedType.FSDP
            state.PartialState._shared_state["distributed_type"] = DistributedType.FSDP


if __name__ == "__main__":
    from accelerate import accelerator

    accelerator.AcceleratorState = _Sharding
    raise SystemExit(main(sys.argv[1:]))
