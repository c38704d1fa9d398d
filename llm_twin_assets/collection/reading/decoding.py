"""Bytes to text: UTF-8 or a reason, never a guess."""

import codecs
import re

from llm_twin_assets.collection.connector import Quarantined

# Where a page says it itself, within the first KiB: https://html.spec.whatwg.org/#determining-the-character-encoding
_STATED = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# Browsers take these for Windows-1252, as their pages are.
_WINDOWS = frozenset({"ascii", "iso8859-1"})
_OTHER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def decode(data: bytes, where: str) -> str | Quarantined:
    """UTF-8 with or without a byte order mark; anything else is quarantined with the offset and how to convert it."""
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        # The error's offset counts from after a byte order mark; a person looks at the file.
        offset = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        encoding = _OTHER_MARKS.get(data[:2], "ISO-8859-1")
        return Quarantined(
            where,
            f"is not UTF-8 (byte {offset} is 0x{data[offset]:02x}). If it is {encoding}, convert it: "
            f"iconv -f {encoding} -t UTF-8 FILE > FILE.utf8, then put that in its place.",
        )


def decode_html(data: bytes, where: str) -> str | Quarantined:
    """A page in the encoding that it states, UTF-8 where it states none."""
    stated = _STATED.search(data[:1024])
    if stated is None or data.startswith(codecs.BOM_UTF8):
        return decode(data, where)
    try:
        encoding = codecs.lookup(stated.group(1).decode("ascii")).name
        return data.decode("cp1252" if encoding in _WINDOWS else encoding)
    except (LookupError, UnicodeError):
        return decode(data, where)
