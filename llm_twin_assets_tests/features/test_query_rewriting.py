"""Questions in other words, by a chat model that a real server stands in for."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from llm_twin_assets.features.query_rewriting import rewriter_of
from resources.llm import ChatModel
from resources.llm_errors import LlmError
from resources.llm_settings import RewritingModel
from resources.settings import Rewriting


@pytest.fixture
def chat():
    """Answers with what it is told to; remembers what it was asked."""

    class Chat(BaseHTTPRequestHandler):
        answer, status, asked = b"", 200, []

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            Chat.asked.append((self.path, self.headers.get("Authorization"), json.loads(body)))
            self.send_response(Chat.status)
            self.end_headers()
            self.wfile.write(Chat.answer)

        def log_message(self, *arguments):
            pass

    Chat.asked = []
    server = HTTPServer(("127.0.0.1", 0), Chat)
    Chat.settings = RewritingModel(
        url=f"http://127.0.0.1:{server.server_port}/v1/", model="small", patience={"timeout": 5}
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Chat
    server.shutdown()
    server.server_close()


def saying(text):
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


@pytest.mark.parametrize(
    ("method", "meanings", "words"),
    [
        ("rewrite", ("warp count",), "warp count"),
        ("expand", ("How many threads?",), "How many threads? warp count"),
        ("hyde", ("How many threads?", "warp count"), "How many threads?"),
    ],
)
def test_each_method_says_what_to_search_for(chat, method, meanings, words):
    chat.answer = saying(" warp count \n")
    rewritten = rewriter_of(Rewriting(method=method, llm=chat.settings))("How many threads?")
    assert (rewritten.meanings, rewritten.words) == (meanings, words)
    path, key, body = chat.asked[0]
    assert (path, key) == ("/v1/chat/completions", None)
    assert body["model"] == "small"
    assert body["messages"][1] == {"role": "user", "content": "How many threads?"}


def test_the_key_is_read_when_it_is_needed(chat, monkeypatch):
    chat.answer = saying("yes")
    model = ChatModel(chat.settings.model_copy(update={"key_variable": "REWRITING_KEY"}))
    with pytest.raises(LlmError, match="REWRITING_KEY is not set"):
        model.complete("system", "user")
    monkeypatch.setenv("REWRITING_KEY", "a-key")
    model.complete("system", "user")
    assert chat.asked[0][1] == "Bearer a-key"


@pytest.mark.parametrize(
    ("answer", "status"),
    [(saying("late"), 500), (b"<html>", 200), (b"{}", 200), (saying(" "), 200), (saying(None), 200), (b"[]", 200)],
)
def test_what_is_no_answer_is_an_error_that_says_who_gave_it(chat, answer, status):
    chat.answer, chat.status = answer, status
    with pytest.raises(LlmError, match=r"127\.0\.0\.1"):
        rewriter_of(Rewriting(method="rewrite", llm=chat.settings))("How many threads?")


def test_nobody_there_is_an_error_too():
    nobody = RewritingModel(url="http://127.0.0.1:9", model="small", patience={"timeout": 1})
    with pytest.raises(LlmError, match="cannot be asked"):
        rewriter_of(Rewriting(method="expand", llm=nobody))("Who?")


def test_it_is_off_unless_configured():
    assert rewriter_of(Rewriting()) is None
    with pytest.raises(ValueError, match="needs llm"):
        Rewriting(method="hyde")
