"""Addresses on the web: whether two are one, whether they are of one site, whether one looks like an article's."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urljoin, urlsplit

# Path segments under which sites keep listings of articles, and pages that are none. A page below them with a further
# segment of its own (`/archive/2024/a-title`) is none of these.
_LISTINGS = frozenset({"tag", "tags", "category", "categories", "author", "authors", "label", "labels", "topics"})
_NO_ARTICLES = frozenset(
    {"", "search", "login", "subscribe", "feed", "rss", "archive", "archives", "blog", "posts", "articles", "tags"}
    | {"privacy", "privacy-policy", "imprint", "impressum", "contact", "cart", "checkout", "404"}
)
_PAGE_NUMBER = re.compile(r"/page/?-?\d+/?$|/(?:19|20)\d\d(?:/\d\d?){0,2}/?$")
_FILES = re.compile(
    r"\.(?:png|jpe?g|gif|webp|svg|ico|css|js|json|xml|rss|atom|pdf|zip|gz|mp3|mp4|webm|woff2?|txt|csv)$"
)


def absolute(address: object, base: str) -> str | None:
    """What a link on the page at `base` leads to, None if that is no web address (`mailto:`, nonsense)."""
    try:
        url = urljoin(base, address.strip()) if isinstance(address, str) and address.strip() else ""
    except ValueError:
        return None
    return url if url.startswith(("https://", "http://")) else None


def path(url: str) -> str:
    """The path of an address; empty if it cannot be parsed."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def host(url: str) -> str:
    """Name and port of an address without `www.`; empty if it has none."""
    try:
        return urlsplit(url).netloc.lower().rpartition("@")[2].removeprefix("www.")
    except ValueError:
        return ""


def same_site(url: str, sites: Iterable[str]) -> bool:
    """Whether an address is on one of the hosts or on a subdomain of one."""
    own = host(url)
    return any(own == site or own.endswith(f".{site}") for site in sites if site)


def is_front(url: str) -> bool:
    """Whether it is a site's front page."""
    return path(url) in ("", "/", "/index.html") and "?" not in url


def folder(url: str) -> str:
    """The path of a section without its last slash: empty for a whole site, `/blog` for `…/blog/index.html`."""
    own = path(url)
    head, _, last = own.rpartition("/")
    return head if "." in last else own.rstrip("/")


def matches(url: str, patterns: Iterable[str]) -> bool:
    """Whether a shell pattern (`/blog/*`) fits the path, or the whole address if it begins with http."""
    own = path(url) or "/"
    return any(fnmatchcase(url if pattern.startswith("http") else own, pattern) for pattern in patterns)


def looks_like_article(url: str) -> bool:
    """Whether nothing in the path says that the page lists others or is a file. Errs towards yes."""
    own = path(url).lower().removesuffix("index.html")
    if own in ("", "/") and "?" in url:  # WordPress without permalinks: `/?p=12`
        return True
    segments = own.strip("/").split("/")
    if segments[-1] in _NO_ARTICLES or _PAGE_NUMBER.search(own) or _FILES.search(own):
        return False
    return segments[-1] not in _LISTINGS and not (len(segments) > 1 and segments[-2] in _LISTINGS)
