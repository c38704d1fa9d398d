"""Which addresses may be asked: http or https, no credentials, a host spelled in one way only, an IP that is public."""

import re
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from resources.http.errors import AddressRefusedError

if TYPE_CHECKING:
    import httpx

# What the IANA special-purpose registries (RFC 6890) do not call globally reachable, with multicast. Listed here, as
# `ipaddress.is_global` differs between patch releases of Python (and takes global multicast for a place to connect to).
_REFUSED_V4 = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # public by its number, but Azure's host agent answers there to every machine of theirs
    )
)  # fmt: skip
# Of IPv6 only 2000::/3 is assigned as global unicast; inside it: protocol assignments with Teredo (2001::/23),
# documentation, 6to4 (which carries an IPv4 address of anyone's choice).
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(IPv6Network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
# IPv4 in IPv6's clothes: as public as the address inside. NAT64 has to pass: an IPv6-only network sees the web by it.
_MAPPED = IPv6Network("::ffff:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SECRET = re.compile(r"//[^/?#]*@")


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet; False for text that is none."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return _public_v4(ip) if isinstance(ip, IPv4Address) else _public_v6(ip)


def _public_v4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _REFUSED_V4)


def _public_v6(ip: IPv6Address) -> bool:
    inside = IPv4Address(int(ip) & 0xFFFF_FFFF)
    if ip in _MAPPED or ip in _NAT64:
        return _public_v4(inside)
    if (int(ip) >> 32) & 0xFFFF_FFFF in _ISATAP and not _public_v4(inside):
        return False
    return ip in _GLOBAL_V6 and not any(ip in network for network in _REFUSED_V6)


def is_allowed(host: str, port: int, allowed: tuple[str, ...]) -> bool:
    """Whether the policy names this host (`host` or `host:port`), which may then be private."""
    if not allowed:
        return False
    bracketed = f"[{host}]" if ":" in host else host
    return not {host, bracketed, f"{bracketed}:{port}"}.isdisjoint(allowed)


def web_address(url: str, base: "httpx.URL | None" = None) -> "httpx.URL":
    """Parse an address (relative to `base`, if given) without its fragment; raises `AddressRefusedError`.

    `0x7f.1`, `2130706433` and `0177.0.0.1` are IP addresses to some resolvers and names to others; none of them passes.
    """
    import httpx

    # A redirect's query may be the signature of a download.
    where = shown(url.partition("?")[0] if base else url)
    try:
        parsed = base.join(url) if base else httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise AddressRefusedError("is no address on the web", where=where) from error
    if fault := _fault(parsed):
        raise AddressRefusedError(fault, where=where)
    if parsed.fragment:
        parsed = parsed.copy_with(fragment=None)
    return parsed.copy_with(host=parsed.host[:-1]) if parsed.host.endswith(".") else parsed


def _fault(url: "httpx.URL") -> str | None:
    if url.scheme not in ("http", "https"):
        return "is neither http nor https"
    if url.userinfo:
        return "holds a name or password"
    if url.port is not None and not 0 < url.port < 2**16:
        return "names a port that is none"
    return _host_fault(url.raw_host.decode("ascii").removesuffix("."))


def _host_fault(host: str) -> str | None:
    if ":" in host:
        return "names a network interface" if "%" in host else None
    if not _NAME.fullmatch(host) or len(host) > 253:
        return "names a host that is none"
    # https://url.spec.whatwg.org/#ends-in-a-number-checker
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_ipv4(host):
        return "spells an IP address in an odd way"
    return None


def _is_ipv4(host: str) -> bool:
    try:
        return str(IPv4Address(host)) == host
    except ValueError:
        return False


def shown(url: str) -> str:
    """An address as an error may show it: one line, no credentials, not endless."""
    line = _SECRET.sub("//", url) if "@" in url else url
    if not line.isprintable():
        line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= 300 else f"{line[:300]}…"


def shown_hop(url: "httpx.URL") -> str:
    """An address that a redirect led to: without its query, which holds the signature where downloads are signed."""
    return shown(str(url.copy_with(query=None)))


def origin(url: "httpx.URL") -> str:
    """Scheme, host and port: what a robots.txt and a credential belong to (RFC 6454)."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
