"""Sitemaps (sitemaps.org): the addresses of a site with the day of their last change, or an index of such files."""

import re
import zlib
from dataclasses import dataclass

from resources.errors import TwinError

# The protocol's own limits: 50 MB as unpacked and 50,000 addresses a file.
MAX_BYTES = 50 * 2**20
MAX_ADDRESSES = 50_000
_GZIP = b"\x1f\x8b"
_ROOT = re.compile(rb"<(?:\w+:)?(?:urlset|sitemapindex)\b")
_LINES = re.compile(rb"\s*https?://\S+\s*(?:[\r\n]|$)")


class SitemapError(TwinError):
    """Something that should be a sitemap and is none, or is cut off."""


@dataclass(frozen=True, slots=True)
class Located:
    """One address as a sitemap states it; `lastmod` as written, None where it is not stated."""

    url: str
    lastmod: str | None = None


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Pages, and in an index the sitemaps that it is made of."""

    pages: tuple[Located, ...] = ()
    sitemaps: tuple[Located, ...] = ()


def is_sitemap(data: bytes) -> bool:
    """Whether a body looks like a sitemap in XML, packed or not."""
    try:
        return bool(_ROOT.search(_unpacked(data[:65536], "", whole=False)[:4096]))
    except SitemapError:
        return False


def read_sitemap(data: bytes, url: str) -> Sitemap:
    """Parse a sitemap from `url` (XML or a plain list, perhaps gzipped); raises `SitemapError` if it is not whole."""
    text = _unpacked(data, url)
    if _LINES.match(text):
        lines = text.decode("utf-8", "replace").split()
        return Sitemap(tuple(Located(line) for line in lines if line.startswith(("https://", "http://"))))
    if not _ROOT.search(text[:4096]):
        raise SitemapError("is not a sitemap", where=url)
    return _xml(text, url)


def _unpacked(data: bytes, url: str, *, whole: bool = True) -> bytes:
    if not data.startswith(_GZIP):
        return data
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        text = unpacker.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise SitemapError(f"is damaged gzip ({error})", where=url) from error
    if len(text) > MAX_BYTES:
        raise SitemapError(f"unpacks to more than {MAX_BYTES // 2**20} MiB", where=url)
    if whole and not unpacker.eof:
        raise SitemapError("is truncated gzip: its end is missing", where=url)
    return text


def _xml(text: bytes, url: str) -> Sitemap:
    from lxml import etree

    # Not `recover`: half a sitemap would look as if the other half had been taken off the site.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(text.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SitemapError(f"is not well-formed XML: {error}", where=url, mend="Mend the site's sitemap.") from error
    found = [located for child in root if (located := _located(child)) is not None]
    if len(found) > MAX_ADDRESSES:
        raise SitemapError(f"names more than {MAX_ADDRESSES} addresses", where=url)
    index = _local_name(root.tag) == "sitemapindex"
    return Sitemap(sitemaps=tuple(found)) if index else Sitemap(pages=tuple(found))


def _located(element: object) -> Located | None:
    values: dict[str, str] = {}
    for child in element:  # type: ignore[attr-defined]
        text = " ".join((child.text or "").split()) if isinstance(child.tag, str) else ""
        if text:
            values.setdefault(_local_name(child.tag), text)
    loc = values.get("loc", "")
    return Located(loc, values.get("lastmod")) if loc.startswith(("https://", "http://")) else None


def _local_name(tag: object) -> str:
    return str(tag).rpartition("}")[2].lower()
