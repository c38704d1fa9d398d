"""Connections only to addresses that were checked: the name is resolved here, and the connection goes to that answer.

Whoever checks a name and then connects to the name can be given another answer the second time (DNS rebinding). Here
nothing resolves it again: the socket gets the checked IP, while TLS and the `Host` header keep the name.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import httpcore

from resources.http.address import is_allowed, is_public
from resources.http.errors import AddressRefusedError

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

# Enough for a host with a dead IPv6 address or two; more only make the wait for a dead host longer.
_TRIED = 4
_NO_SUCH_HOST = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class UnknownHostError(httpcore.ConnectError):
    """The name does not exist: asking again will not help."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """Every address of a host, in the order of the system's preference (RFC 6724)."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """httpcore's network, for public addresses and those hosts that the policy allows."""

    def __init__(self, resolve: Resolve, allowed: tuple[str, ...]) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host that answers; each gets its share of `timeout`."""
        try:
            async with asyncio.timeout(timeout):
                addresses = (await self._checked(host, port))[:_TRIED]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout("the name was not resolved in time") from error
        share = timeout / len(addresses) if timeout else None
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(addresses[-1], port, share, local_address, socket_options)

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        try:
            addresses = await self._resolve(host, port)
        except socket.gaierror as error:
            kind = UnknownHostError if error.errno in _NO_SUCH_HOST else httpcore.ConnectError
            raise kind(f"the name is not known: {error.strerror}") from error
        except UnicodeError as error:
            raise UnknownHostError("the name cannot be one") from error
        if not addresses:
            raise UnknownHostError("the name has no address")
        if is_allowed(host, port, self._allowed):
            return addresses
        # One private address among public ones is a trap or a mistake: neither is worth a guess which one is meant.
        for address in addresses:
            if not is_public(address):
                raise AddressRefusedError(
                    f"is at {address}, which is no public address",
                    where=host,
                    mend="If it is yours, name it under collection.http.allowed.",
                )
        return addresses

    async def sleep(self, seconds: float) -> None:
        """What httpcore asks for between attempts to connect."""
        await asyncio.sleep(seconds)
