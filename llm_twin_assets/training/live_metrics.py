"""Figures of a training while it runs: the training process writes them as lines, whoever launched it follows them."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_twin_assets.training.spec import TrainingOutput

if TYPE_CHECKING:
    from transformers import TrainerCallback, TrainerState

FILE = "live.jsonl"
_SECONDS_BETWEEN_LOOKS = 2.0


@dataclass(frozen=True, slots=True)
class LiveMetrics:
    """Where a training is. `tokens_per_second` is over the time since the last figures, on all devices together."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float | None


def live_metrics(folder: Path) -> "TrainerCallback":
    """Writes a line below the folder for every loss that transformers' trainer logs, in the first process alone."""
    # Defined here, as its base class draws in torch.
    from transformers import TrainerCallback

    rate = _Rate()

    class _Writer(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: object, **_more: object) -> None:
            rate.begin()

        def on_log(
            self, _args: object, state: "TrainerState", *_: object, logs: dict[str, float], **_more: object
        ) -> None:
            if "loss" in logs and state.is_world_process_zero:
                speed = rate.since_last(logs.get("num_tokens"))
                line = LiveMetrics(state.global_step, state.max_steps, logs["loss"], speed)
                with (folder / FILE).open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(asdict(line)) + "\n")

    return _Writer()


class _Rate:
    """Tokens per second between two calls."""

    def __init__(self) -> None:
        self._last = (0.0, 0.0)

    def begin(self) -> None:
        self._last = (time.monotonic(), 0.0)

    def since_last(self, tokens: float | None) -> float | None:
        if tokens is None:
            return None
        (before, counted), self._last = self._last, (time.monotonic(), tokens)
        return round((tokens - counted) / max(self._last[0] - before, 1e-6), 1)


@contextmanager
def followed(
    output: TrainingOutput, tell: Callable[[list[LiveMetrics]], object], every: float = _SECONDS_BETWEEN_LOOKS
) -> Iterator[None]:
    """While the block runs, tell of new figures of the training that it launches; of the last ones when it ends."""
    over = threading.Event()
    reader = _Reader(output)

    def follow() -> None:
        while not over.wait(every):
            if found := reader.new():
                tell(found)

    thread = threading.Thread(target=follow, name="live-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        if found := reader.new():
            tell(found)


class _Reader:
    """Reads what was added to the file since the last look; it moves with its folder when the training is done."""

    def __init__(self, output: TrainingOutput) -> None:
        self._files = (output.partial / FILE, output.folder / FILE)
        self._read = 0

    def new(self) -> list[LiveMetrics]:
        for file in self._files:
            try:
                lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
            except OSError:  # not yet, or no longer
                continue
            whole = [line for line in lines if line.endswith("\n")]  # the last one may still be being written
            self._read, start = len(whole), self._read
            return [LiveMetrics(**json.loads(line)) for line in whole[start:]]
        return []
