"""Telephone numbers, judged by libphonenumber's metadata; versions, dates, ISBNs and plain integers stay."""

import re
from collections.abc import Iterator
from functools import lru_cache

from llm_twin_assets.domain.scrub.numbers import digits_of, islands
from llm_twin_assets.domain.scrub.spans import Span, in_address, line_before

# `+46 70-123 45 67`, `+1 (415) 555-2671`: E.164 allows 15 digits.
_INTERNATIONAL = re.compile(r"(?<![\w+.,/%=-])\+[1-9](?:[ .\u00a0\u2010-\u2013-]?\(?\d\)?){6,16}(?![\w%])(?!\.\d)")
_LINKED = re.compile(r"(?<=tel:)\+?\d(?:[ .()-]{0,2}\d){5,16}(?!\w)|(?<=wa\.me/)\d{8,15}(?!\w)")
# The form with the area in brackets is used for nothing else.
_BRACKETED = re.compile(r"(?<![\w+.(/-])\([2-9]\d\d\) ?[2-9]\d\d[-. ]\d{4}(?![\w-])")
_NATIONAL = re.compile(
    r"(?<![\w+.,/%#-])\(?\d\)?(?:(?:[ ./\u00a0\u2010-\u2013-]|\)[ -]?| ?\()?\d){5,13}(?![\w%/-])(?!\.\d)"
)
_WORD = re.compile(
    r"(?<![^\W_])(?:tele)?(?:phone|fon|f[oó]no|f[oå]n)(?:number|nummer)?s?\b|(?<![^\W_])(?:tel|tlf|tfn|mob|mobile?n?|cell|fax|sms"
    r"|whatsapp|handy|rufnummer|m[oó]vil|t[eé]l[eé]phone|tel[eé]fono|portable|cellulare|telefoon|gsm|puh|puhelin|celular"
    r"|direct line|switchboard|hotline|helpline)\b"
    # These have other senses: the number has to follow at once.
    r"|\b(?:call|ring|dial|text|reach)(?: (?:me|us|him|her|them|now|home|on|at|or|text|call)){0,3}:? $",
    re.IGNORECASE,
)
_REACH = 40
# Where a national number may be at home when nothing says where: the valid number of any of these is one.
_REGIONS = (
    "US",
    "GB",
    "SE",
    "DE",
    "FR",
    "FI",
    "NO",
    "DK",
    "NL",
    "ES",
    "IT",
    "PL",
    "BE",
    "AT",
    "CH",
    "IE",
    "IN",
    "AU",
    "BR",
)
# Dates, times, IP addresses and book numbers, as a word before them may be "call" or "text", too.
_NO_PHONE = re.compile(
    r"(?:19|20)\d\d[-./](?:0?[1-9]|1[0-2])[-./]\d{1,2}.{0,9}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d|\d{1,3}(?:\.\d{1,3}){3}"
    r"|97[89][- ]?\d.{8,13}|(?:19|20)\d\d ?- ?(?:19|20)\d\d"
)


def phone_numbers(text: str, code: bool) -> Iterator[Span]:
    """Where telephone numbers are: international ones, national ones after a word such as "phone" or "Tel."."""
    for place in islands(text):
        for pattern, accept in _FORMS:
            for match in pattern.finditer(text, place.start, place.end):
                if accept(text, match, code):
                    yield match.span()


def _linked(_text: str, _match: re.Match[str], _code: bool) -> bool:
    """The scheme says what it is."""
    return True


def _bracketed(_text: str, match: re.Match[str], _code: bool) -> bool:
    return _valid(match.group(), ("US",))


def _international(text: str, match: re.Match[str], code: bool) -> bool:
    said = match.group()
    if in_address(text, match.start()) or not _valid(said):
        return False
    if _WORD.search(line_before(text, match.start(), _REACH)):
        return True
    # Without a blank or a dash it may be an added integer or a line of a diff.
    grouped = not said[1:].isdecimal()
    return _well_grouped(said) if grouped else not code


def _national(text: str, match: re.Match[str], _code: bool) -> bool:
    said = match.group()
    if _NO_PHONE.fullmatch(said) or len(digits_of(said)) < 7 or said.count("(") != said.count(")"):
        return False
    word = _WORD.search(line_before(text, match.start(), _REACH))
    return bool(word) and not in_address(text, match.start()) and _valid(said, _REGIONS)


def _well_grouped(said: str) -> bool:
    """Whether blanks and dashes stand where the country writes them; loose grouping is not the number's own."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    return any(found.raw_string == said for found in PhoneNumberMatcher(said, None, Leniency.VALID))


@lru_cache(maxsize=1024)
def _valid(said: str, regions: tuple[str | None, ...] = (None,)) -> bool:
    from phonenumbers import NumberParseException, is_valid_number, parse

    for region in regions:
        try:
            if is_valid_number(parse(said, region)):
                return True
        except NumberParseException:
            continue
    return False


_FORMS = ((_INTERNATIONAL, _international), (_LINKED, _linked), (_BRACKETED, _bracketed), (_NATIONAL, _national))
