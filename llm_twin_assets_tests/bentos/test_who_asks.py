"""Who asks, as Phoenix is told: a session as the client calls it, a user whom nobody can name."""

from dataclasses import replace
from pathlib import Path

from fastapi.testclient import TestClient

from bentos.api import create_app, open_up
from bentos.desk import Desk
from bentos.door import Door
from llm_twin_assets_tests.bentos.scripted import Scripted
from llm_twin_assets_tests.resources.collector import attributes, collecting
from resources.api_keys import Keyring, new_key, write_keys
from resources.object_store import ObjectStore
from resources.phoenix_tracer import phoenix_tracer
from resources.pseudonyms import Pseudonyms

QUESTION = "How should I split samples into training and test set?"


def test_requests_are_traced_with_their_session_and_a_pseudonym(desk: Desk, engine: Scripted, tmp_path: Path):
    token, key = new_key("annas-laptop")
    write_keys(tmp_path / "keys.json", [key])
    pseudonyms = Pseudonyms(ObjectStore(str(tmp_path / "objects")))
    said = {"author": "maya", "session": "talk-7"}
    chat = {"model": "maya", "messages": [{"role": "user", "content": QUESTION}]}
    with collecting() as phoenix:
        app = create_app()
        tracer = phoenix_tracer(phoenix.url)
        open_up(app, replace(desk, tracer=tracer, pseudonyms=pseudonyms), Door(Keyring(tmp_path / "keys.json")))
        api = TestClient(app, headers={"Authorization": f"Bearer {token}"})
        for path, body in (
            ("answer", {**said, "question": QUESTION}),
            ("write", {**said, "topic": "splitting"}),
            ("search", {**said, "query": QUESTION}),
            ("chat/completions", {**chat, "user": "anna@loomworks.dev"}),
            ("chat/completions", chat),
        ):
            api.post(f"/v1/{path}", json=body).raise_for_status()
        tracer.close()
    roots = sorted(
        (span for span in phoenix.spans["twin-maya"] if not span.parent_span_id),
        key=lambda span: span.start_time_unix_nano,
    )
    holder, user = pseudonyms.of("annas-laptop"), pseudonyms.of("annas-laptop", "anna@loomworks.dev")
    asked = [(attributes(span).get("session.id"), attributes(span)["user.id"]) for span in roots]
    assert asked == [*[("talk-7", holder)] * 3, (None, user), (None, holder)]
    assert holder != user
    assert "anna" not in str([attributes(span) for span in roots])


def test_who_shows_no_key_has_no_pseudonym_and_a_session_has_its_bounds(desk: Desk, engine: Scripted):
    with collecting() as phoenix:
        app = create_app()
        tracer = phoenix_tracer(phoenix.url)
        open_up(app, replace(desk, tracer=tracer), Door())
        api = TestClient(app)
        body = {"author": "maya", "question": QUESTION}
        api.post("/v1/answer", json=body).raise_for_status()
        for session in ("", "x" * 129, 7):
            assert api.post("/v1/answer", json={**body, "session": session}).status_code == 422
        tracer.close()
    [root] = [span for span in phoenix.spans["twin-maya"] if not span.parent_span_id]
    assert not {"user.id", "session.id"} & attributes(root).keys()
