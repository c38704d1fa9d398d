"""The section of `twin.yaml` about who is told of an alarm, and how."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from resources.llm_settings import VariableName
from resources.section import Section

AlarmSeverity = Literal["info", "warning", "critical"]
MailAddress = Annotated[str, StringConstraints(pattern=r"^[^\s@<>,;:]+@[^\s@<>,;:]+$", max_length=254)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]+$", max_length=253)]


class Webhook(Section):
    """A page that takes Slack's JSON: Slack, Mattermost, Rocket.Chat, or a program of your own.

    `url_variable` names the environment variable that holds its address, which is a secret: whoever has it may post.
    It is told of alarms of this `severity` and above.
    """

    url_variable: VariableName
    severity: AlarmSeverity = "info"


class Email(Section):
    """A mail server that takes messages for `to`. It is told of alarms of this `severity` and above.

    `security` is `starttls` (port 587), `tls` (465), or `none` for a server of this machine. `user_variable` and
    `password_variable` name the environment variables that hold what it wants to know.
    """

    host: HostName
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: MailAddress
    to: tuple[MailAddress, ...] = Field(min_length=1)
    user_variable: VariableName | None = None
    password_variable: VariableName | None = None
    severity: AlarmSeverity = "warning"

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        if (self.user_variable is None) != (self.password_variable is None):
            raise ValueError("user_variable and password_variable go together")
        if self.password_variable is not None and self.security == "none":
            raise ValueError("a password is not sent without security: starttls or tls")
        return self


class Notify(Section):
    """Who is told when an alarm opens; the log always is.

    One attempt may take `timeout` seconds; there are so many `attempts`, and after `deadline` seconds none is waited
    for. What could not be told is on the alarm's record, and undoes nothing.
    """

    webhooks: tuple[Webhook, ...] = ()
    emails: tuple[Email, ...] = ()
    timeout: float = Field(default=10.0, gt=0, le=60)
    attempts: int = Field(default=3, ge=1, le=10)
    deadline: float = Field(default=60.0, gt=0, le=600)
