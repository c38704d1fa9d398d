"""Telling people: what arrives, what is tried again, and what stays secret."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from pydantic import ValidationError

from llm_twin_assets_tests.resources.http.authority import Authority
from llm_twin_assets_tests.resources.listeners import MailServer, Webhook, mail_server, webhook
from resources.notice import Channel, Notice, NotSentError
from resources.notification_settings import Email, Notify
from resources.notification_settings import Webhook as WebhookSettings
from resources.notify import Delivery, channels_for, tell
from resources.notify_email import EmailChannel
from resources.notify_webhook import WebhookChannel, payload

NOTICE = Notice(
    "alarm.maya.a1",
    "critical",
    "maya: errors",
    "12 of 30 answers failed.\nTo do: twin rollback --author maya",
    (("release", "maya-000002"), ("over", "30 answers in 60 minutes")),
)
VARIABLE = "TWIN_TEST_WEBHOOK"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with webhook() as told:
        monkeypatch.setenv(VARIABLE, told.url)
        yield told


def channel(tls: ssl.SSLContext | None = None, timeout: float = 5.0) -> WebhookChannel:
    return WebhookChannel(WebhookSettings(url_variable=VARIABLE), timeout, tls)


def told(*channels: Channel, slept: list[float] | None = None, **settings: object) -> list[Delivery]:
    """Tell over these channels without waiting between attempts."""
    sleep = slept.append if slept is not None else lambda _: None
    return tell(NOTICE, channels, Notify.model_validate(settings), sleep=sleep, chance=lambda: 1.0)


def test_a_webhook_gets_slacks_json_that_says_it_all_twice(hook: Webhook) -> None:
    assert told(channel()) == [Delivery(f"webhook {VARIABLE}", 1)]
    [posted] = hook.posted
    text, blocks = posted["text"], posted["blocks"]
    assert isinstance(text, str)
    assert isinstance(blocks, list)
    assert text.startswith("[critical] maya: errors\n12 of 30 answers failed.")
    assert "release: maya-000002" in text
    assert [block["type"] for block in blocks] == ["header", "section", "section"]
    assert blocks[0]["text"] == {"type": "plain_text", "text": "[critical] maya: errors"}
    assert blocks[2]["fields"][0]["text"] == "*release*\nmaya-000002"


def test_nothing_that_is_said_rings_for_everybody_or_outgrows_slack() -> None:
    long = Notice(
        "x", "info", "<!channel> " * 100, "<!here> & " * 900, tuple((f"n{at}", "<" * 900) for at in range(30))
    )
    said = payload(long)
    blocks = said["blocks"]
    assert isinstance(blocks, list)
    assert "<" not in str(said["text"])
    assert len(blocks[0]["text"]["text"]) <= 150
    assert len(blocks[1]["text"]["text"]) <= 3000
    assert len(blocks[2]["fields"]) == 10
    assert all(len(each["text"]) <= 2000 for each in blocks[2]["fields"])


def test_what_may_pass_is_tried_again_as_late_as_the_server_asks(hook: Webhook) -> None:
    hook.statuses, hook.headers = [503, 429, 200], {"Retry-After": "7"}
    slept: list[float] = []
    assert told(channel(), slept=slept) == [Delivery(f"webhook {VARIABLE}", 3)]
    assert slept == [7.0, 7.0]


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (404, 1), (302, 1), (403, 1)])
def test_attempts_are_bounded_and_a_refusal_is_believed(hook: Webhook, status: int, attempts: int) -> None:
    hook.statuses, hook.headers = [status], {"Location": hook.url}
    assert told(channel()) == [Delivery(f"webhook {VARIABLE}", attempts, f"answered {status}")]
    assert len(hook.posted) == attempts


def test_a_wait_beyond_the_deadline_is_not_waited_for(hook: Webhook) -> None:
    hook.statuses, hook.headers = [429], {"Retry-After": "3600"}
    slept: list[float] = []
    [delivery] = told(channel(), slept=slept)
    assert (delivery.error, delivery.attempts, slept) == ("answered 429", 1, [])


def test_a_webhook_that_is_not_there_is_on_record_and_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv(VARIABLE, f"http://127.0.0.1:{probe.getsockname()[1]}/secret-part")
        [delivery] = told(channel())
    assert (delivery.error, delivery.attempts) == ("no answer (ConnectError)", 3)
    assert str(delivery) == f"webhook {VARIABLE}: not told: no answer (ConnectError) at attempt 3"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (None, f"the variable {VARIABLE} is not set"),
        ("  ", f"the variable {VARIABLE} is not set"),
        ("http://hooks.example.org/secret-part", f"the variable {VARIABLE} holds no https address"),
        ("file:///etc/secret-part", f"the variable {VARIABLE} holds no https address"),
        ("https://a:secret-part/", f"the variable {VARIABLE} holds no https address"),
        ("https://xn--/secret-part", f"the variable {VARIABLE} holds no https address"),
        ("https://a/secret-part\x07", f"the variable {VARIABLE} is unusable"),
    ],
)
def test_an_address_that_is_none_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, address: str | None, said: str
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    if address is not None:
        monkeypatch.setenv(VARIABLE, address)
    assert told(channel()) == [Delivery(f"webhook {VARIABLE}", 1, said)]


def test_the_address_of_a_webhook_is_logged_by_nobody(hook: Webhook, caplog: pytest.LogCaptureFixture) -> None:
    hook.statuses = [500]
    with caplog.at_level(logging.DEBUG):
        [delivery] = told(channel())
    assert "12 of 30 answers failed" in caplog.text, "the log is told, too"
    assert "secret-part" not in caplog.text + str(delivery)


def test_a_certificate_that_nobody_vouches_for_ends_it_at_once(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    with webhook(authority.server("localhost")) as hook:
        monkeypatch.setenv(VARIABLE, f"https://localhost:{hook.port}/secret-part")
        [refused] = told(channel())
        assert (refused.attempts, hook.posted) == (1, [])
        assert "its certificate is not valid" in (refused.error or "")
        assert told(channel(authority.client()))[0].error is None
        monkeypatch.setenv(VARIABLE, f"https://127.0.0.1:{hook.port}/secret-part")
        assert "its certificate is not valid" in (told(channel(authority.client()))[0].error or "")
    assert len(hook.posted) == 1


@dataclass
class Endless:
    """A channel whose server never ends its answer."""

    name: str = "endless"
    end: threading.Event = field(default_factory=threading.Event)

    def send(self, notice: Notice) -> None:
        self.end.wait()


def test_a_channel_that_never_ends_costs_the_deadline_and_no_other_channel(hook: Webhook) -> None:
    endless, began = Endless(), time.monotonic()
    deliveries = told(endless, channel(), deadline=0.3)
    assert time.monotonic() - began < 5
    endless.end.set()
    assert deliveries == [Delivery("endless", 1, "no end within 0.3 s"), Delivery(f"webhook {VARIABLE}", 1)]


def test_who_is_told_depends_on_the_severity() -> None:
    mail = {"host": "mail.example.org", "sender": "twin@example.org", "to": ["noor@example.org"]}
    settings = Notify.model_validate(
        {
            "webhooks": [{"url_variable": "ALL"}, {"url_variable": "WORST", "severity": "critical"}],
            "emails": [mail, {**mail, "host": "pager.example.org", "severity": "critical"}],
        }
    )
    assert [each.name for each in channels_for("info", settings)] == ["webhook ALL"]
    assert [each.name for each in channels_for("warning", settings)] == ["webhook ALL", "e-mail by mail.example.org"]
    assert len(channels_for("critical", settings)) == 4


def email(server: MailServer, **other: object) -> Email:
    whole = {
        "host": "localhost", "port": server.port, "sender": "twin@example.org",
        "to": ["noor@example.org", "ada@example.org"], **other,
    }  # fmt: skip
    return Email.model_validate(whole)


def test_a_mail_goes_to_all_in_plain_text_after_starttls_and_login(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("MAIL_USER", "twin")
    monkeypatch.setenv("MAIL_PASSWORD", "hush")
    with mail_server(authority.server("localhost"), "STARTTLS", "AUTH PLAIN") as server:
        settings = email(server, user_variable="MAIL_USER", password_variable="MAIL_PASSWORD")
        assert told(EmailChannel(settings, 5.0, authority.client())) == [Delivery("e-mail by localhost", 1)]
    assert server.commands.index("STARTTLS") < server.commands.index("AUTH") < server.commands.index("MAIL")
    assert server.logins == ["\0twin\0hush"]
    [mail] = server.received
    assert (mail["Subject"], mail["To"]) == ("[critical] maya: errors", "noor@example.org, ada@example.org")
    assert (mail["Message-ID"], mail["Auto-Submitted"]) == ("<alarm.maya.a1@example.org>", "auto-generated")
    assert "12 of 30 answers failed.\nTo do: twin rollback" in mail.get_content().replace("\r\n", "\n")
    assert len(server.recipients) == 2


def test_a_mail_over_tls_and_one_to_a_server_of_this_machine(authority: Authority) -> None:
    with mail_server(authority.server("localhost"), wrapped=True) as server:
        assert told(EmailChannel(email(server, security="tls"), 5.0, authority.client()))[0].error is None
    with mail_server() as plain:
        assert told(EmailChannel(email(plain, security="none"), 5.0))[0].error is None
    assert len(server.received) == len(plain.received) == 1


def test_a_mail_server_that_is_not_what_it_says_gets_neither_mail_nor_password(
    monkeypatch: pytest.MonkeyPatch, authority: Authority
) -> None:
    monkeypatch.setenv("MAIL_USER", "twin")
    monkeypatch.setenv("MAIL_PASSWORD", "hush")
    named = {"user_variable": "MAIL_USER", "password_variable": "MAIL_PASSWORD"}
    with mail_server(authority.server("localhost"), "STARTTLS", "AUTH PLAIN") as server:
        [stranger] = told(EmailChannel(email(server, **named), 5.0))
    assert (stranger.attempts, server.logins, server.received) == (1, [], [])
    assert "its certificate is not valid" in (stranger.error or "")
    with mail_server(None, "AUTH PLAIN") as plain:
        [delivery] = told(EmailChannel(email(plain, **named), 5.0))
    assert (delivery.error, delivery.attempts, plain.logins) == ("does not offer STARTTLS", 1, [])


@pytest.mark.parametrize(
    ("replies", "said", "attempts"),
    [
        ({"AUTH": "535 no"}, "answered 535 (AuthenticationError)", 1),
        ({"MAIL": "451 later"}, "answered 451 (SenderRefused)", 3),
        ({"RCPT": "550 nobody"}, "no recipient was accepted", 1),
        ({"RCPT": "450 later"}, "no recipient was accepted", 3),
        ({"rcpt TO:<ada@example.org>": "550 nobody"}, "1 of 2 recipients were refused", 1),
    ],
)
def test_what_a_mail_server_refuses_for_good_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, authority: Authority, replies: dict[str, str], said: str, attempts: int
) -> None:
    monkeypatch.setenv("MAIL_USER", "twin")
    monkeypatch.setenv("MAIL_PASSWORD", "hush")
    with mail_server(authority.server("localhost"), "AUTH PLAIN", wrapped=True) as server:
        server.replies = replies
        settings = email(server, security="tls", user_variable="MAIL_USER", password_variable="MAIL_PASSWORD")
        [delivery] = told(EmailChannel(settings, 5.0, authority.client()))
    assert (delivery.error, delivery.attempts) == (said, attempts)
    assert "hush" not in str(delivery)


def test_a_subject_of_several_lines_adds_no_header() -> None:
    with mail_server() as server:
        notice = Notice("x", "info", "maya: errors\r\nBcc: all@example.org", "größer als 5 %")
        EmailChannel(email(server, security="none"), 5.0).send(notice)
    [mail] = server.received
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[info] maya: errors Bcc: all@example.org"
    assert "größer als 5 %" in mail.get_content()


def test_a_mail_server_that_is_silent_is_not_waited_for() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = Email(
            host="127.0.0.1", port=silent.getsockname()[1], security="none", sender="a@b.org", to=("c@d.org",)
        )
        with pytest.raises(NotSentError, match="no answer"):
            EmailChannel(settings, 0.1).send(NOTICE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"security": "none", "user_variable": "U", "password_variable": "P"}, "without security"),
        ({"user_variable": "U"}, "go together"),
        ({"to": []}, "at least 1 item"),
        ({"to": ["Noor <noor@example.org>"]}, "should match pattern"),
        ({"password_variable": "hunter2"}, "should match pattern"),
    ],
)
def test_settings_that_would_tell_nobody_or_everybody_are_refused(wrong: dict[str, object], said: str) -> None:
    right = {"host": "mail.example.org", "sender": "twin@example.org", "to": ["noor@example.org"]}
    with pytest.raises(ValidationError, match=said):
        Email.model_validate({**right, **wrong})
