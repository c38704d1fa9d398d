"""A body as it arrives, decoded within bounds: what was sent, what it becomes, and how the two compare."""

import zlib
from typing import Protocol

from resources.http.errors import BrokenError, HttpError, TooLargeError

# Only what the standard library decodes with a limit on its output; nothing else is asked for.
ACCEPT_ENCODING = "gzip, deflate"

_ZLIB = {"gzip", "x-gzip", "deflate"}
_NEVER_ASKED_FOR = {"br", "zstd", "compress", "x-compress", "dcb", "dcz"}
_GZIP_MAGIC = b"\x1f\x8b"
# Below this a body may be as repetitive as it likes: a ratio says little about a small page.
_RATIO_FROM = 2**20


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...


class Body:
    """Collects one body. `sent` counts bytes on the wire; more than `limit`, sent or decoded, is a `TooLargeError`."""

    def __init__(self, coding: str, *, limit: int, max_ratio: int, where: str) -> None:
        coding = coding.strip().lower()
        if coding in _NEVER_ASKED_FOR or "," in coding:
            raise HttpError(f"is coded as {coding[:40]}, which was not asked for", where=where)
        self.sent = 0
        self._decoded = 0
        self._limit = limit
        self._max_ratio = max_ratio
        self._where = where
        self._parts: list[bytes] = []
        # A server that names something that is no coding at all (`utf-8`, `none`) has not coded the body.
        self._coded = coding in _ZLIB
        self._head = b""
        self._decompressor: _Decompressor | None = None

    @property
    def content(self) -> bytes:
        """What there is so far, decoded, at most `limit` bytes."""
        return b"".join(self._parts)[: self._limit]

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the wire."""
        self.sent += len(data)
        if self._coded:
            self._decompress(data)
        else:
            self._add(data)
        self._bounded(self.sent)

    def end(self) -> bytes:
        """The whole body; raises `BrokenError` if the coding says that more was to come."""
        if self._head or (self._decompressor and not self._decompressor.eof):
            raise BrokenError("the body ends too early")
        return self.content

    def _add(self, data: bytes) -> None:
        self._decoded += len(data)
        self._parts.append(data)
        self._bounded(self._decoded)

    def _decompress(self, data: bytes) -> None:
        try:
            while data:
                if self._decompressor is None:
                    # Two bytes tell the formats apart; they may come one by one.
                    data, self._head = self._head + data, b""
                    if len(data) < 2:
                        self._head = data
                        return
                    self._decompressor = zlib.decompressobj(_window(data))
                # One byte more than is allowed shows that it is too much; 0 would mean no limit.
                self._add(self._decompressor.decompress(data, self._limit + 1 - self._decoded))
                if self._decoded > max(_RATIO_FROM, self.sent * self._max_ratio):
                    raise TooLargeError(f"unpacks to more than {self._max_ratio} times its size", where=self._where)
                data = self._next_member()
        except zlib.error as error:
            raise BrokenError(f"the body is damaged: {error}") from error

    def _next_member(self) -> bytes:
        """What is left for another gzip member (RFC 1952, section 2.2); anything else after the end is ignored."""
        if not self._decompressor or not self._decompressor.eof:
            return b""
        rest = self._decompressor.unused_data
        if not rest.startswith(_GZIP_MAGIC):
            return b""
        self._decompressor = None
        return rest

    def _bounded(self, size: int) -> None:
        if size > self._limit:
            raise TooLargeError(f"is larger than {self._limit:,} bytes", where=self._where)


def _window(data: bytes) -> int:
    """How zlib is to read it: by the header of gzip or zlib, else as bare deflate, which many servers send."""
    zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    if data.startswith(_GZIP_MAGIC) or zlib_header:
        return zlib.MAX_WBITS | 32
    return -zlib.MAX_WBITS
