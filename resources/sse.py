"""Server-sent events as they come over a connection: cut anywhere, and not always well formed."""

from resources.http.errors import BrokenError

# An event is a few hundred bytes; this much without an end is something else.
_MOST = 1024 * 1024


class EventReader:
    """Takes bytes in and gives the data of whole events (WHATWG HTML, section 9.2.6).

    Comments and fields other than `data` say nothing to us. A byte that is no UTF-8 becomes U+FFFD, as there.
    """

    def __init__(self) -> None:
        self._line = b""
        self._data: list[str] = []
        self._size = 0

    def feed(self, received: bytes) -> list[str]:
        """The events that end here; raises `BrokenError` if one has no end."""
        self._size += len(received)
        if self._size > _MOST:
            raise BrokenError("sent an event without an end")
        buffered = self._line + received
        # A CR at the end may be half of a CRLF.
        half = b"\r" if buffered.endswith(b"\r") else b""
        lines = buffered.removesuffix(half).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._line = lines.pop() + half
        events = [event for line in lines if (event := self._ended(line)) is not None]
        if events:
            self._size = len(self._line)
        return events

    def _ended(self, line: bytes) -> str | None:
        text = line.decode("utf-8", "replace")
        if not text:
            event, self._data = "\n".join(self._data), []
            return event or None
        field, _, value = text.partition(":")
        if field == "data":
            self._data.append(value.removeprefix(" "))
        return None
