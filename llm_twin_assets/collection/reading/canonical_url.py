"""One key for the many ways to write an address: compared and hashed, never fetched."""

import re
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_SLASHES = re.compile(r"/{2,}")
_SESSION = re.compile(r";jsessionid=[^/;?]*", re.IGNORECASE)
# What Medium, Substack and newsletters add and courlan does not know.
_OWN_TRACKERS = re.compile(
    r"_h(?:senc|smi|stc)|hsctatracking|mkt_tok|triedredirect|isfreemail|showwelcome\w*|__s|__twitter_impression"
)
# Attributes of HTML have it so, sometimes twice over.
_AMPERSAND = re.compile(r"&(?:amp;)+")
# Underscores are no part of a host's name but of some blogs'.
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_])?")
_DEFAULT_PORTS = (None, 80, 443)


def url_key(url: str) -> str:
    """The address without what does not say which page it is (RFC 3986, section 6): scheme, `www.`, default port, user,
    fragment, trailing slash, tracking parameters; with host, escapes and the order of parameters in one form.

    Something else than a web address stays as it is but for blanks around it. The key of a key is itself.
    """
    stripped = url.strip()
    try:
        parts = urlsplit(_AMPERSAND.sub("&", stripped))
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return stripped
    if parts.scheme not in ("http", "https") or not host:
        return stripped
    # `#!` addresses a page of its own; any other fragment a place in it.
    fragment = quote(_one_form(parts.fragment), safe="/!%=:,&-?") if parts.fragment.startswith("!") else ""
    place = host if port in _DEFAULT_PORTS else f"{host}:{port}"
    return urlunsplit(("https", place, _path(parts.path), _query(parts.query), fragment))


def _host(host: str) -> str:
    """In the form that the name system has; empty if it can be no host."""
    import idna

    if ":" in host:
        return f"[{host}]"
    try:
        name = idna.encode(host.rstrip("."), uts46=True).decode()
    except idna.IDNAError:
        name = host.rstrip(".").lower()
    while name.startswith("www.") and "." in name[4:]:
        name = name[4:]
    return name if _HOST.fullmatch(name) else ""


def _path(path: str) -> str:
    segments: list[str] = []
    for segment in _SLASHES.sub("/", _SESSION.sub("", _one_form(path))).split("/"):
        if segment == "..":
            segments = segments[:-1]
        elif segment != ".":
            segments.append(segment)
    joined = "/".join(segments).strip("/")
    return quote(f"/{joined}", safe="/%!=:,;@&+$()*'~-") if joined else ""


def _one_form(part: str) -> str:
    """Escapes in capitals, and none where none is needed (RFC 3986, 6.2.2)."""

    def escape(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if character in _UNRESERVED else match[0].upper()

    return _ESCAPE.sub(escape, part)


def _query(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True, errors="surrogateescape")
    return urlencode(sorted(pair for pair in pairs if not _tracks(pair[0])), errors="surrogateescape")


def _tracks(name: str) -> bool:
    """Whether a parameter says where a reader came from; courlan's pattern would take `game` for Google's `ga`."""
    from courlan.clean import TRACKERS_RE

    lowered = name.lower()
    if _OWN_TRACKERS.fullmatch(lowered):
        return True
    return any(
        match.end() == len(lowered) or lowered[match.end() - 1] == "_" or not lowered[match.end()].isalpha()
        for match in TRACKERS_RE.finditer(lowered)
    )
