import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from openinference.semconv.resource import ResourceAttributes
from openinference.semconv.trace import SpanAttributes
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from llm_twin_assets.inference import spans
from llm_twin_assets.inference.engine import Generated, Sampling
from resources.tracing import NoTracer, PhoenixTracer, phoenix_tracer, tracer_for


def dead_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Collector(ThreadingHTTPServer):
    """What Phoenix's OTLP endpoint is, kept in memory."""

    def __init__(self, status: int = 200) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        self.paths: list[str] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.paths.append(self.path)
                collector.received.append(ExportTraceServiceRequest.FromString(body))
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def one_trace(tracer: PhoenixTracer | NoTracer, project: str = "twin-maya") -> str:
    with tracer.trace(project, "answer") as root:
        root.set({"openinference.span.kind": "CHAIN", "input.value": "Why?", "left.out": None})
        with root.child("retrieve") as step:
            step.set({"openinference.span.kind": "RETRIEVER"})
        with root.child("generate") as step:
            step.set({"openinference.span.kind": "LLM", "llm.token_count.total": 3})
        return root.trace_id


def timed(tracer: PhoenixTracer, pause: float = 0.0) -> float:
    time.sleep(pause)
    began = time.perf_counter()
    one_trace(tracer)
    return time.perf_counter() - began


def test_a_trace_arrives_as_a_tree_in_the_authors_project_whatever_surrounds_it():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    collector = Collector()
    tracer = phoenix_tracer(collector.url)
    # BentoML's own span around a request is unsampled just so.
    with TracerProvider(sampler=ALWAYS_OFF).get_tracer("outer").start_as_current_span("request"):
        identities = {project: one_trace(tracer, project) for project in ("twin-maya", "twin-ben")}
    tracer.close()
    assert set(collector.paths) == {"/v1/traces"}
    arrived = {}
    for resource_spans in (each for request in collector.received for each in request.resource_spans):
        attributes = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
        arrived[attributes[ResourceAttributes.PROJECT_NAME]] = resource_spans.scope_spans[0].spans
    assert arrived.keys() == identities.keys()
    for project, found in arrived.items():
        by_name = {span.name: span for span in found}
        assert by_name.keys() == {"answer", "retrieve", "generate"}
        assert {span.trace_id.hex() for span in found} == {identities[project]}
        assert by_name["answer"].parent_span_id == b""
        assert by_name["retrieve"].parent_span_id == by_name["generate"].parent_span_id == by_name["answer"].span_id
        assert "left.out" not in {each.key for each in by_name["answer"].attributes}


def test_an_exception_marks_its_step_and_goes_on():
    collector = Collector()
    tracer = phoenix_tracer(collector.url)
    with pytest.raises(LookupError), tracer.trace("twin-maya", "answer") as root, root.child("retrieve"):
        raise LookupError("gone")
    tracer.close()
    found = [span for each in collector.received[0].resource_spans for span in each.scope_spans[0].spans]
    assert [span.status.code for span in found] == [2, 2]


@pytest.mark.parametrize("phoenix", ["dead", "refusing"])
def test_a_phoenix_that_is_gone_costs_the_caller_nothing(phoenix: str, caplog: pytest.LogCaptureFixture):
    url = f"http://127.0.0.1:{dead_port()}" if phoenix == "dead" else Collector(status=503).url
    tracer = phoenix_tracer(url)
    one_trace(tracer)
    with caplog.at_level(logging.INFO):
        paced = [timed(tracer, pause=0.01) for _ in range(400)]  # longer than an export takes to give up
        flood = [timed(tracer) for _ in range(3000)]  # twice what the queue holds
        began = time.perf_counter()
        tracer.close()
        closing = time.perf_counter() - began
    # The quietest of four stretches at 100 answers a second: what else the machine does only adds. Under a flood the
    # exporter's thread encodes all the time, and now and then the caller waits for Python's lock: some 4 ms at p99.
    assert min(sorted(paced[at : at + 100])[98] for at in range(0, 400, 100)) < 0.003
    assert sorted(flood)[len(flood) // 2] < 0.003
    assert closing < 4
    assert len(caplog.records) <= 1, caplog.text
    assert tracer.lost_spans > 0


def test_a_trace_has_an_identity_and_an_address():
    tracer = phoenix_tracer("http://127.0.0.1:6006/")
    identity = one_trace(tracer)
    assert len(identity) == 32
    assert int(identity, 16)
    assert tracer.address(identity) == f"http://127.0.0.1:6006/redirects/traces/{identity}"
    tracer.close()


def test_without_an_address_nothing_is_traced_but_answers_have_an_identity():
    tracer = tracer_for("")
    assert isinstance(tracer, NoTracer)
    identity = one_trace(tracer)
    assert len(identity) == 32
    assert identity != one_trace(tracer)
    assert tracer.address(identity) is None
    tracer.close()


def test_attribute_names_are_those_of_openinference():
    known = {value for name, value in vars(SpanAttributes).items() if name.isupper()}
    said = {
        *spans.question_asked("q", {}),
        *spans.answer_given("a", {}),
        *spans.retrieval_asked("q"),
        *spans.model_asked("m", [{"role": "user", "content": "q"}], Sampling(8), {}, "v"),
        *spans.model_answered(Generated("a", 1, 2)),
    }
    flattened = ("llm.input_messages.", "llm.output_messages.", "retrieval.documents.")
    assert {name for name in said if not name.startswith(flattened)} <= known
    assert {"llm.input_messages", "llm.output_messages", "retrieval.documents"} <= known
