"""Telling people: over every channel at once, each tried a few times; what goes wrong is returned, not raised."""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from resources.http.retry import backoff
from resources.notice import Channel, Notice, NotSentError
from resources.notification_settings import AlarmSeverity, Notify
from resources.notify_email import EmailChannel
from resources.notify_webhook import WebhookChannel

_logger = logging.getLogger(__name__)

_LEVELS: dict[AlarmSeverity, int] = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.ERROR}
_SEVERITIES: tuple[AlarmSeverity, ...] = get_args(AlarmSeverity)
# Seconds between attempts, doubled each time, by full jitter.
_BACKOFF, _LONGEST_BACKOFF = 1.0, 15.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a notice on one channel; `error` is None where it arrived."""

    channel: str
    attempts: int
    error: str | None = None

    def __str__(self) -> str:
        tried = "" if self.attempts == 1 else f" at attempt {self.attempts}"
        return f"{self.channel}: {f'not told: {self.error}' if self.error else 'told'}{tried}"


def channels_for(severity: AlarmSeverity, settings: Notify) -> list[Channel]:
    """The channels that are told of this."""
    channels: list[tuple[AlarmSeverity, Channel]] = [
        *((each.severity, WebhookChannel(each, settings.timeout)) for each in settings.webhooks),
        *((each.severity, EmailChannel(each, settings.timeout)) for each in settings.emails),
    ]
    return [channel for least, channel in channels if _SEVERITIES.index(severity) >= _SEVERITIES.index(least)]


def tell(
    notice: Notice,
    channels: Sequence[Channel],
    settings: Notify,
    *,
    sleep: Callable[[float], None] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> list[Delivery]:
    """Log the notice and send it; at the deadline those channels that are not done count as not told."""
    _logger.log(_LEVELS[notice.severity], "%s: %s", notice.heading, " ".join(notice.plain.split()))
    tellings = [_Telling(notice, channel, settings, sleep, chance) for channel in channels]
    for telling in tellings:
        telling.start()
    end = time.monotonic() + settings.deadline
    for telling in tellings:
        telling.join(max(0.0, end - time.monotonic()))
    return [telling.delivery for telling in tellings]


class _Telling(threading.Thread):
    """One channel's attempts. A daemon: a server that never ends its answer must not keep the process alive."""

    def __init__(
        self,
        notice: Notice,
        channel: Channel,
        settings: Notify,
        sleep: Callable[[float], None],
        chance: Callable[[], float],
    ) -> None:
        super().__init__(name=f"tell {channel.name}", daemon=True)
        self._notice, self._channel, self._settings = notice, channel, settings
        self._sleep, self._chance = sleep, chance
        self.delivery = Delivery(channel.name, 1, f"no end within {settings.deadline:g} s")

    def run(self) -> None:
        """Try until it is sent, or trying makes no sense."""
        for attempt in range(1, self._settings.attempts + 1):
            try:
                self._channel.send(self._notice)
            except NotSentError as error:
                self.delivery = Delivery(self._channel.name, attempt, error.what)
                wait = max(error.wait or 0.0, backoff(attempt, _BACKOFF, _LONGEST_BACKOFF, self._chance))
                if error.final or attempt == self._settings.attempts or wait > self._settings.deadline:
                    return
                self._sleep(wait)
            else:
                self.delivery = Delivery(self._channel.name, attempt)
                return
