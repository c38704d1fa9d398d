import logging
import socket
import time

import pytest

from llm_twin_assets_tests.resources.collector import attributes, collecting
from resources.phoenix_tracer import PhoenixTracer, phoenix_tracer
from resources.trace_export import PhoenixExporter
from resources.trace_queue import TraceQueue
from resources.tracing import NoTracer, tracer_for
from resources.tracing_settings import Tracing


def dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def one_trace(tracer: PhoenixTracer | NoTracer, project: str = "twin-maya", text: str = "Why?") -> str:
    with tracer.trace(project, "answer", str) as root:
        root.set({"openinference.span.kind": "CHAIN", "input.value": text, "left.out": None})
        with root.child("retrieve") as step:
            step.set({"openinference.span.kind": "RETRIEVER"})
        with root.child("generate") as step:
            step.set({"openinference.span.kind": "LLM", "llm.token_count.total": 3})
        return root.trace_id


def test_a_trace_arrives_as_a_tree_in_the_authors_project_whatever_surrounds_it():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)
        # BentoML's own span around a request is unsampled just so.
        with TracerProvider(sampler=ALWAYS_OFF).get_tracer("outer").start_as_current_span("request"):
            identities = {project: one_trace(tracer, project) for project in ("twin-maya", "twin-ben")}
        tracer.close()
    assert set(collector.paths) == {"/v1/traces"}
    assert collector.spans.keys() == identities.keys()
    for project, found in collector.spans.items():
        by_name = {span.name: span for span in found}
        assert by_name.keys() == {"answer", "retrieve", "generate"}
        assert {span.trace_id.hex() for span in found} == {identities[project]}
        assert by_name["answer"].parent_span_id == b""
        assert by_name["retrieve"].parent_span_id == by_name["generate"].parent_span_id == by_name["answer"].span_id
        assert "left.out" not in attributes(by_name["answer"])
    assert tracer.lost_spans == 0


def test_an_exception_marks_its_step_and_goes_on():
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)
        with (
            pytest.raises(LookupError),
            tracer.trace("twin-maya", "answer", str.upper) as root,
            root.child("retrieve"),
        ):
            raise LookupError("gone")
        tracer.close()
    assert [(span.status.code, span.status.message) for span in collector.spans["twin-maya"]] == [
        (2, "LOOKUPERROR: GONE")
    ] * 2


def test_who_leaves_early_is_no_failure():
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)

        def left():
            with tracer.trace("twin-maya", "answer", str) as root:
                root.abandoned()
                raise LookupError("nobody waits")

        with pytest.raises(LookupError):
            left()

        def stream():
            with tracer.trace("twin-maya", "answer", str):
                yield 1

        unread = stream()
        next(unread)
        unread.close()
        tracer.close()
    assert [span.status.code for span in collector.spans["twin-maya"]] == [0, 0]


def test_a_trace_of_fifty_documents_is_whole():
    documents = {f"retrieval.documents.{at}.document.{key}": "x" for at in range(50) for key in ("id", "content")}
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)
        with tracer.trace("twin-maya", "answer", str) as root:
            root.set({**documents, "vector": [0.5] * 2048})
        tracer.close()
    [span] = collector.spans["twin-maya"]
    assert attributes(span).keys() == {*documents, "vector"}
    assert len(attributes(span)["vector"]) == 2048


@pytest.mark.parametrize("statuses", [(503, 503, 200), (429, 200), (0, 200)], ids=["busy", "too many", "no HTTP"])
def test_traces_wait_for_a_phoenix_that_is_away_for_a_moment(
    statuses: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("resources.trace_queue._PAUSES", (0.01,))
    monkeypatch.setattr("resources.trace_queue._COMPANY", 0.01)
    with collecting(*statuses) as collector:
        tracer = phoenix_tracer(collector.url)
        one_trace(tracer)
        collector.wait_for(1)
        tracer.close()
    assert len(collector.spans["twin-maya"]) == 3
    assert tracer.lost_spans == 0


@pytest.mark.parametrize("statuses", [(500,), (400,), (301,), (507,)])
def test_what_phoenix_will_not_have_is_lost_and_counted(statuses: tuple[int, ...], caplog: pytest.LogCaptureFixture):
    with collecting(*statuses) as collector:
        tracer = phoenix_tracer(collector.url)
        for _ in range(3):
            one_trace(tracer)
        tracer.close()
    assert tracer.lost_spans == 9
    assert [record.message for record in caplog.records] == [
        f"traces cannot be sent ({collector.url}/v1/traces answered {statuses[0]}): "
        "answers go on, their traces wait, and then are lost"
    ]


def test_one_that_cannot_be_encoded_costs_no_other():
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url)
        one_trace(tracer, text="half a \ud83d and\0nothing")
        one_trace(tracer)
        tracer.close()
    said = [attributes(span).get("input.value") for span in collector.spans["twin-maya"] if span.name == "answer"]
    assert said == ["half a ? andnothing", "Why?"]


def test_a_full_queue_loses_the_oldest_traces_whole_and_counts_them():
    with collecting(pause=0.2) as collector:
        queue = TraceQueue(PhoenixExporter(collector.url, Tracing()), most_bytes=20_000)
        tracer = PhoenixTracer(collector.url, queue)
        identities = [one_trace(tracer, text=str(number) * 1000) for number in range(100)]
        one_trace(tracer, text="x" * 30_000)  # larger than all there is room for
        tracer.close()
    found = collector.spans["twin-maya"]
    assert tracer.lost_spans + len(found) == 303
    assert tracer.lost_spans > 200
    arrived = {span.trace_id.hex() for span in found}
    assert len(found) == 3 * len(arrived)
    assert identities[-1] in arrived


def test_traces_wait_for_a_phoenix_that_is_gone_only_so_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("resources.trace_queue._COMPANY", 0.01)
    url = f"http://127.0.0.1:{dead_port()}"
    tracer = PhoenixTracer(url, TraceQueue(PhoenixExporter(url, Tracing()), patience=0.1))
    one_trace(tracer)
    deadline = time.monotonic() + 30
    while tracer.lost_spans < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert tracer.lost_spans == 3
    tracer.close()
    assert tracer.lost_spans == 3


def test_closing_waits_for_no_phoenix_that_is_gone(caplog: pytest.LogCaptureFixture):
    tracer = phoenix_tracer(f"http://127.0.0.1:{dead_port()}")
    with caplog.at_level(logging.INFO, "resources"):
        for _ in range(10):
            one_trace(tracer)
        tracer.close()
        one_trace(tracer)  # who is late is lost, too
    assert tracer.lost_spans == 33
    assert len(caplog.records) == 1, caplog.text


@pytest.mark.parametrize(
    ("status", "pause", "room"),
    [(200, 30.0, 2**24), (None, 0.0, 2**24), (500, 0.0, 2**24), (0, 0.0, 2**24), (200, 30.0, 20_000)],
    ids=["slow", "gone", "failing", "babbling", "full"],
)
def test_whatever_phoenix_does_costs_the_caller_less_than_a_millisecond(
    status: int | None, pause: float, room: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("resources.trace_export._TIMEOUT", 0.3)
    with collecting(status if status is not None else 200, pause=pause) as collector:
        url = collector.url if status is not None else f"http://127.0.0.1:{dead_port()}"
        tracer = PhoenixTracer(url, TraceQueue(PhoenixExporter(url, Tracing()), most_bytes=room))
        taken = [timed(tracer, pause=0.002) for _ in range(200)]
        began = time.perf_counter()
        tracer.close()
        closing = time.perf_counter() - began
    # The quietest of four stretches: what else the machine does only adds.
    assert min(sorted(taken[at : at + 50])[48] for at in range(0, 200, 50)) < 0.001
    assert closing < 3
    assert tracer.lost_spans == 600


def timed(tracer: PhoenixTracer, pause: float) -> float:
    """Seconds for a trace of some 20 kB."""
    time.sleep(pause)
    began = time.perf_counter()
    one_trace(tracer, text="What I wrote about ferries. " * 700)
    return time.perf_counter() - began


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_traces_is_sent_whole_and_only_those_have_an_address(share: float):
    with collecting() as collector:
        tracer = phoenix_tracer(collector.url, Tracing(sample=share))
        identities = {one_trace(tracer) for _ in range(100)}
        tracer.close()
    sent = collector.spans.get("twin-maya", [])
    assert len(identities) == 100
    assert {span.trace_id.hex() for span in sent} == {each for each in identities if tracer.address(each)}
    assert len(sent) == pytest.approx(300 * share, abs=75)
    assert len(sent) % 3 == 0


def test_a_trace_has_an_identity_and_an_address():
    tracer = phoenix_tracer("http://127.0.0.1:6006/")
    identity = "0af7651916cd43dd8448eb211c80319c"
    assert tracer.address(identity) == f"http://127.0.0.1:6006/redirects/traces/{identity}"
    tracer.close()


def test_phoenixs_password_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture):
    with collecting(500) as collector:
        tracer = phoenix_tracer(collector.url.replace("//", "//maya:hush@"))
        identity = one_trace(tracer)
        tracer.close()
    assert tracer.address(identity) == f"{collector.url}/redirects/traces/{identity}"
    assert collector.authorizations == ["Basic bWF5YTpodXNo"]
    assert "hush" not in caplog.text
    assert collector.url in caplog.text


def test_without_an_address_nothing_is_traced_but_answers_have_an_identity():
    tracer = tracer_for("")
    assert isinstance(tracer, NoTracer)
    identity = one_trace(tracer)
    assert len(identity) == 32
    assert identity != one_trace(tracer)
    assert tracer.address(identity) is None
    assert tracer.lost_spans == 0
    tracer.close()
