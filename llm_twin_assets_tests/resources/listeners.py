"""Who is told: a webhook and a mail server of this machine, each as helpful as a test wants it."""

import json
import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Webhook:
    """Answers with `statuses` one by one, the last one for ever, and keeps what was posted."""

    statuses: list[int] = field(default_factory=lambda: [200])
    headers: dict[str, str] = field(default_factory=dict)
    posted: list[dict[str, object]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/services/T0/secret-part"


@contextmanager
def webhook(tls: ssl.SSLContext | None = None) -> Iterator[Webhook]:
    """A page that takes JSON, gone after the block."""
    told = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.paths.append(self.path)
            told.posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(told.statuses.pop(0) if len(told.statuses) > 1 else told.statuses[0])
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    told.port = server.server_address[1]
    with _serving(server):
        yield told


@dataclass
class MailServer:
    """Takes mail; `offers` are its extensions, `replies` what it says to a command in place of yes."""

    tls: ssl.SSLContext | None = None
    offers: tuple[str, ...] = ()
    wrapped: bool = False
    replies: dict[str, str] = field(default_factory=dict)
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0


class _Mails(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, mails: MailServer) -> None:
        self.mails = mails
        super().__init__(("127.0.0.1", 0), _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client needs that behaves."""

    server: _Mails

    def handle(self) -> None:
        self.mails = self.server.mails
        if self.mails.wrapped and not self.on_starttls():
            return
        self.say("220 mail.test ready")
        while line := self.rfile.readline().decode("utf-8", "replace").strip():
            word = line.split(" ")[0].upper()
            self.mails.commands.append(word)
            if refusal := self.mails.replies.get(line, self.mails.replies.get(word)):
                self.say(refusal)
            elif not getattr(self, f"on_{word.lower()}", self.on_other)(line):
                return

    def on_ehlo(self, line: str) -> bool:
        return self.say("\r\n".join(["250-mail.test", *(f"250-{each}" for each in self.mails.offers), "250 HELP"]))

    def on_starttls(self, line: str = "") -> bool:
        if line:
            self.say("220 go ahead")
        assert self.mails.tls is not None
        try:
            self.request = self.mails.tls.wrap_socket(self.request, server_side=True)
        except OSError:
            return False
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        return True

    def on_auth(self, line: str) -> bool:
        self.mails.logins.append(b64decode(line.split(" ")[2]).decode())
        return self.say("235 welcome")

    def on_rcpt(self, line: str) -> bool:
        self.mails.recipients.append(line)
        return self.say("250 yes")

    def on_data(self, line: str) -> bool:
        self.say("354 go on")
        lines = list(iter(self.rfile.readline, b".\r\n"))
        found = message_from_bytes(b"".join(lines), policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.mails.received.append(found)
        return self.say("250 taken")

    def on_quit(self, line: str) -> bool:
        self.say("221 bye")
        return False

    def on_other(self, line: str) -> bool:
        return self.say("250 yes")

    def say(self, line: str) -> bool:
        self.wfile.write(f"{line}\r\n".encode())
        return True


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, *offers: str, wrapped: bool = False) -> Iterator[MailServer]:
    """A mail server, gone after the block; with `wrapped` it speaks TLS from the first byte."""
    mails = MailServer(tls, offers, wrapped)
    server = _Mails(mails)
    mails.port = server.server_address[1]
    with _serving(server):
        yield mails


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
