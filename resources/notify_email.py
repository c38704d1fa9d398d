"""A notice as an e-mail, over SMTP with TLS that is never left out where the configuration asks for it."""

import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate

from resources.notice import Notice, NotSentError, held_by, refused_certificate
from resources.notification_settings import Email

# RFC 5321, section 4.2.1: replies of this size and above are for good.
_FOR_GOOD = 500


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """Hands a message to a mail server; `timeout` (seconds) is for each step of the conversation."""

    settings: Email
    timeout: float
    tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """By the server; who reads there is nobody else's business."""
        return f"e-mail by {self.settings.host}"

    def send(self, notice: Notice) -> None:
        """Send it once, to all at once; raises `NotSentError`, also if a recipient was refused."""
        try:
            refused = self._sent(message(notice, self.settings))
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise NotSentError("no recipient was accepted", final=min(codes) >= _FOR_GOOD) from None
        except smtplib.SMTPResponseException as error:
            said = type(error).__name__.removeprefix("SMTP")
            raise NotSentError(f"answered {error.smtp_code} ({said})", final=error.smtp_code >= _FOR_GOOD) from None
        except smtplib.SMTPNotSupportedError:
            raise NotSentError(f"does not offer {self._wanted()}", final=True) from None
        except (smtplib.SMTPException, OSError) as error:
            invalid = refused_certificate(error)
            raise NotSentError(invalid or f"no answer ({type(error).__name__})", final=invalid is not None) from None
        if refused:
            # Those who were accepted have it: another attempt would tell them twice.
            raise NotSentError(f"{len(refused)} of {len(self.settings.to)} recipients were refused", final=True)

    def _sent(self, written: EmailMessage) -> dict[str, tuple[int, bytes]]:
        tls = None if self.settings.security == "none" else self.tls or _trusted()
        with self._connected(tls) as server:
            if self.settings.security == "starttls":
                server.starttls(context=tls)
            if self.settings.user_variable and self.settings.password_variable:
                server.login(held_by(self.settings.user_variable), held_by(self.settings.password_variable))
            return server.send_message(written)

    def _connected(self, tls: ssl.SSLContext | None) -> smtplib.SMTP:
        host, port = self.settings.host, self.settings.port
        if self.settings.security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=self.timeout, context=tls)
        return smtplib.SMTP(host, port, timeout=self.timeout)

    def _wanted(self) -> str:
        return "STARTTLS" if self.settings.security == "starttls" else "what is asked of it"


def _trusted() -> ssl.SSLContext:
    """Whom HTTPS trusts, but a context of its own: over the shared one, HTTP's connections offer HTTP alone (ALPN)."""
    import httpx

    return httpx.create_ssl_context()


def message(notice: Notice, settings: Email) -> EmailMessage:
    """Plain text. Its id follows from the notice's, so that a message sent twice is one in most mailboxes."""
    written = EmailMessage()
    written["Subject"] = notice.heading
    written["From"] = settings.sender
    written["To"] = ", ".join(settings.to)
    written["Date"] = formatdate()
    written["Message-ID"] = f"<{notice.notice_id}@{settings.sender.rpartition('@')[2]}>"
    # RFC 3834: no out-of-office reply to this.
    written["Auto-Submitted"] = "auto-generated"
    # Of seven bits: whether a server takes eight is one question less.
    written.set_content(f"{notice.plain}\n", cte="quoted-printable")
    return written
