"""What tracing costs an answer, whatever Phoenix does: alive, slow, gone, failing, babbling, or behind a full queue.

    python -m llm_twin_assets_tests.benchmarks.tracing

A trace is that of a whole answer: four spans, six passages of some 900 characters, a prompt of them, a vector of 384
numbers, all of it to be masked. Answers come twenty-five a second; what is timed is all that tracing does for one on
the thread that answers, and the same with nothing traced. What stands in for Phoenix is a process of its own.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from llm_twin_assets.domain.chunk import FoundChunk
from llm_twin_assets.domain.scrub import Scrubber
from llm_twin_assets.features.retrieve import Retriever
from llm_twin_assets.inference import spans
from llm_twin_assets.inference.asked import Asked
from llm_twin_assets.inference.engine import Generated, Sampling
from llm_twin_assets.inference.prompts import Passage, messages
from llm_twin_assets.inference.search_spans import SearchSpans
from llm_twin_assets.inference.twin import Answer, Limits, Outcome, Twin
from llm_twin_assets_tests.benchmarks.measuring import Row
from resources.phoenix_tracer import PhoenixTracer
from resources.trace_export import PhoenixExporter
from resources.trace_queue import TraceQueue
from resources.tracing import NoTracer, Tracer
from resources.tracing_settings import Tracing
from resources.vector_store import Filters

ANSWERS = 300
PER_SECOND = 25
# Milliseconds of the caller's time, at the 99th percentile.
BOUND = 1.0

_PARAGRAPH = (
    "I used to cut every page after five hundred characters, and a sentence about the ferry ended in one chunk while "
    "its point stood in the next. A chunk follows the headings of the page and keeps the span it came from. "
)
_CONTACT = "Write to maya.lind@loomworks.dev or call +46 70 123 45 67 if you doubt it."


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of the caller's time for a trace."""

    p50: float
    p99: float


def measure() -> list[Row]:
    """Rows for `make bench`."""
    rows = [_row("not traced", *_costs(NoTracer()))]
    for name, (status, pause, most_bytes) in CONDITIONS.items():
        with stand_in(status, pause) as url:
            tracer = PhoenixTracer(url, TraceQueue(PhoenixExporter(url, Tracing()), most_bytes=most_bytes))
            cost, without = _costs(tracer)
            began = time.perf_counter()
            tracer.close()
            closed = f", {tracer.lost_spans} of {4 * (ANSWERS + 1)} spans lost, closed in "
            rows.append(_row(f"Phoenix {name}", cost, without, f"{closed}{time.perf_counter() - began:.1f} s"))
    rows.append(Row("masking and encoding a trace, off the answer's way", f"{_exporting():.1f} ms of processor time"))
    return rows


def _row(name: str, cost: Cost, without: Cost, more: str = "") -> Row:
    return Row(
        name,
        f"p50 {cost.p50:.3f} p99 {cost.p99:.3f} ms, untraced {without.p50:.3f} and {without.p99:.3f}{more}",
        f"p99 {BOUND:.0f} ms more at most",
        cost.p99 - without.p99 <= BOUND,
    )


_ROOM = 16 * 1024 * 1024
# Status (0: no HTTP, -1: nobody there), seconds before it answers, bytes of the queue.
CONDITIONS = {
    "alive": (200, 0.0, _ROOM),
    "slow (30 s)": (200, 30.0, _ROOM),
    "gone": (-1, 0.0, _ROOM),
    "failing (500)": (500, 0.0, _ROOM),
    "babbling": (0, 0.0, _ROOM),
    "behind a full queue": (200, 30.0, 200_000),
}


@contextmanager
def stand_in(status: int, pause: float) -> Iterator[str]:
    """A process in Phoenix's place."""
    if status < 0:
        yield "http://127.0.0.1:9"  # the discard port: nobody answers
        return
    command = [sys.executable, "-m", "llm_twin_assets_tests.resources.collector", str(status), str(pause)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip() if process.stdout else ""
    finally:
        process.kill()
        process.wait()


def _costs(tracer: Tracer) -> tuple[Cost, Cost]:
    """With the tracer and without, by turns, so that whatever else the machine does meets both alike."""
    taken: dict[bool, list[float]] = {True: [], False: []}
    traces = {True: one_answer(tracer), False: one_answer(NoTracer())}
    traces[True]()  # what is slow once
    due = time.perf_counter()
    for number in range(2 * ANSWERS):
        due += 1 / PER_SECOND / 2
        time.sleep(max(0.0, due - time.perf_counter()))
        is_traced = number % 2 == 0
        began = time.perf_counter()
        traces[is_traced]()
        taken[is_traced].append(1000 * (time.perf_counter() - began))
    return _cost(taken[True]), _cost(taken[False])


def _cost(taken: list[float]) -> Cost:
    # The quietest third: what Phoenix and the exporter's thread do, they do in all of them; what else the machine does
    # only adds.
    thirds = np.array_split(np.array(taken), 3)
    return Cost(float(np.median(taken)), min(float(np.percentile(third, 99)) for third in thirds))


def one_answer(tracer: Tracer) -> Callable[[], None]:
    """What tracing does for an answer, and nothing else of it."""
    scrubber = Scrubber.of(("secrets", "email", "phone", "address", "payment", "national_id"))
    twin = Twin(
        "bench", "Maya", Retriever(_Nothing(), _Nothing()), _Nothing(), None, {"release": "1"}, scrubber=scrubber
    )
    chunks = [
        FoundChunk(f"c{at}", f"d{at}", "article", "medium", f"https://e.org/{at}", "Title", "Title", 0, 900, text, 0.5)
        for at, text in enumerate(_passages())
    ]
    question = "How should I cut pages into chunks, and whom do I write to about it?"
    asked = Asked(question, (), Filters(), Limits(), Sampling(160))
    prompt = messages(question, [Passage(each.title, each.text) for each in chunks], author_name="Maya")
    vector = np.random.default_rng(7).standard_normal(384, np.float32)
    given = Answer("Follow the headings. [1]", (), Outcome.ANSWERED, False, None, None, 0.9)

    def trace() -> None:
        with tracer.trace("twin-bench", "answer", scrubber.masked) as span:
            labels = spans.labels_of(twin, asked)
            span.set(spans.question_asked(asked, labels))
            steps = SearchSpans(twin, span)
            with steps.embed([question]) as told:
                told(vector)
            with steps.retrieve(question) as found:
                found(chunks)
            with span.child("generate") as step:
                step.set(spans.model_asked(_Nothing(), prompt, asked, {"author_name": "Maya", "question": question}))
                step.event(spans.FIRST_TOKEN)
                step.set(spans.model_answered(Generated("Follow the headings.", 1500, 5), 120.0))
            span.set(spans.answer_given(given, labels))

    return trace


def _passages() -> list[str]:
    return [f"{_PARAGRAPH * 4}{number} {_CONTACT if number == 3 else ''}" for number in range(6)]


class _Nothing:
    """What is only named."""

    name = "tiny"


def _exporting() -> float:
    """Milliseconds of processor time for one trace, median."""
    kept: list = []

    class _Kept:
        lost_spans = 0

        def put(self, trace: object) -> None:
            kept.append(trace)

    trace = one_answer(PhoenixTracer("", _Kept()))
    for _ in range(50):
        trace()
    exporter = PhoenixExporter("http://127.0.0.1:9", Tracing())
    taken = []
    for each in kept:
        began = time.thread_time()
        exporter.encoded([each])
        taken.append(1000 * (time.thread_time() - began))
    return float(np.median(taken))


if __name__ == "__main__":
    for row in measure():
        sys.stdout.write(f"{row.what:40} {row.measured:110} {row.bound} {'' if row.holds else 'NOT MET'}\n")
