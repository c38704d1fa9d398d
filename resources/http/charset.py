"""Which charset a body is in, as browsers find out: byte order mark, header, what the document says, detection.

Labels mean what https://encoding.spec.whatwg.org/#names-and-labels says: `iso-8859-1` and `ascii` are windows-1252,
`gb2312` is gb18030, because that is what is sent under these names.
"""

import codecs
import re
from collections.abc import Iterator

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# What Python calls a charset, and the one that the web means. A charset that is not here is not used on the web, or is
# dangerous there (utf-7 hides markup).
_MEANT = {
    "utf-8": "utf-8", "utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-16-le": "utf-16-le", "utf-16-be": "utf-16-be",
    "ascii": "cp1252", "iso8859-1": "cp1252", "cp1252": "cp1252", "iso8859-9": "cp1254", "cp1254": "cp1254",
    "iso8859-11": "cp874", "tis-620": "cp874", "cp874": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "gb18030": "gb18030", "big5": "big5hkscs", "big5hkscs": "big5hkscs",
    "shift_jis": "cp932", "cp932": "cp932", "euc_jp": "euc_jp", "iso2022_jp": "iso2022_jp",
    "euc_kr": "cp949", "cp949": "cp949", "koi8-r": "koi8-r", "koi8-u": "koi8-u", "cp866": "cp866",
    "mac-roman": "mac-roman", "mac-cyrillic": "mac-cyrillic",
    **{f"iso8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"cp{n}": f"cp{n}" for n in (1250, 1251, 1253, 1255, 1256, 1257, 1258)},
}  # fmt: skip
# Labels that Python does not know, with or without the `x-` that many may have.
_ALSO = {
    "unicode": "utf-16", "unicode-1-1-utf-8": "utf-8", "utf8mb4": "utf-8", "x-big5": "big5", "cn-big5": "big5",
    "windows-31j": "cp932", "csshiftjis": "cp932", "cseucpkdfmtjapanese": "euc_jp", "windows-949": "cp949",
    "ks_c_5601-1989": "cp949", "windows-874": "cp874", "dos-874": "cp874", "mac": "mac-roman",
    "mac-ukrainian": "mac-cyrillic", "iso-8859-6-e": "iso8859-6", "iso-8859-6-i": "iso8859-6",
    "iso-8859-8-e": "iso8859-8", "iso-8859-8-i": "iso8859-8", "logical": "iso8859-8", "visual": "iso8859-8",
    "koi": "koi8-r", "koi8": "koi8-r", "koi8-ru": "koi8-u", "gb_2312": "gb2312", "gb_2312-80": "gb2312",
    "iso88591": "cp1252", "ksc_5601": "cp949",
}  # fmt: skip
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
# https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding looks at the first 1024 bytes.
_PRESCANNED = 1024
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta\s[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml\s[^>]*?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
# In all others a byte is a character. That a text in one of those is UTF-8 by chance is next to impossible; that a
# server labels every page alike, whatever its charset, is common.
_SEVERAL_BYTES = {"gb18030", "big5hkscs", "cp932", "euc_jp", "iso2022_jp", "cp949", "utf-16-le", "utf-16-be"}
# Detection reads so much; a page's charset does not change half-way.
_DETECTED_FROM = 2**16
# One wrong byte in a hundred that are not ASCII is a slip in a text of that charset, not another charset.
_SLIPS = 0.01


def text_of(content: bytes, content_type: str) -> str:
    """The body as text, in any case: what no charset fits is decoded with U+FFFD for what is wrong in it."""
    for mark, codec in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(codec, "replace")
    try:
        utf8 = content.decode("utf-8")
    except UnicodeDecodeError:
        utf8 = None
    stated = list(_stated(content, content_type))
    for codec in stated:
        if utf8 is not None and codec not in _SEVERAL_BYTES:
            return utf8
        if (text := _decoded(content, codec)) is not None:
            return text
    if utf8 is not None:
        return utf8
    return content.decode(_detected(content) or (stated[0] if stated else "utf-8"), "replace")


def codec_of(label: str) -> str | None:
    """The Python codec for a charset's label; None for one that the web does not know."""
    label = label.strip().lower().removeprefix("x-")
    try:
        known = codecs.lookup(_ALSO.get(label, label)).name
    except (LookupError, ValueError):
        return None
    return _MEANT.get(known)


def _stated(content: bytes, content_type: str) -> Iterator[str]:
    if (header := _HEADER.search(content_type)) and (codec := codec_of(header[1])):
        yield codec
    start = content[:_PRESCANNED]
    found = _XML.search(start) or _META.search(_COMMENT.sub(b"", start))
    if found and (codec := codec_of(found[1].decode("ascii", "replace"))):
        # Written in ASCII, or it would not have been read: it cannot be UTF-16.
        yield "utf-8" if codec.startswith("utf-16") else codec


def _decoded(content: bytes, codec: str) -> str | None:
    """The text, if it is in this charset but for slips."""
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        text = content.decode(codec, "replace")
    foreign = sum(1 for character in text if character > "\x7f")
    return text if text.count("\ufffd") <= foreign * _SLIPS else None


def _detected(content: bytes) -> str | None:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:_DETECTED_FROM]).best()
    return codec_of(best.encoding) if best else None
