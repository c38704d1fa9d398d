"""Payment cards and bank accounts, by their issuers' prefixes, lengths and check digits."""

import re
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.checksums import luhn, mod97
from llm_twin_assets.domain.scrub.numbers import NumberRule, digits_of, islands
from llm_twin_assets.domain.scrub.spans import Span

_CARD_WORD = re.compile(
    r"\b(?:card|visa|master ?card|amex|american express|discover|diners|jcb|maestro|credit|debit|payment|pan|cc"
    r"|kort(?:nummer)?|karte|kreditkarte|carte|tarjeta|carta)\b|(?:card|cc|pan)(?:_?(?:number|num|no))?[\"']?\s{0,3}[=:]",
    re.IGNORECASE,
)
# Prefixes and lengths by network, as their operators publish them (ISO/IEC 7812 assigns the prefixes).
_NETWORKS = re.compile(
    r"4\d{12}(?:\d{3}){0,2}"  # Visa
    r"|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:6011|64[4-9]\d|65\d{2})\d{12}(?:\d{3})?"  # Discover
    r"|3(?:0[0-5]|[689]\d)\d{11}"  # Diners Club
    r"|35(?:2[89]|[3-8]\d)\d{12}"  # JCB
    r"|62\d{14,17}"  # UnionPay
)
_EDGE = r"(?<![\w.+,/%#-])"
_END = r"(?![\w/%-])(?!\.\d)"
_GROUPED = re.compile(
    rf"{_EDGE}(?:\d{{4}}([ -])\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?|\d{{4}}([ -])\d{{6}}\2\d{{4,5}}){_END}"
)
_PLAIN = re.compile(rf"{_EDGE}\d{{14,16}}{_END}")
_OTHER = re.compile(rf"{_EDGE}\d(?:[ -]?\d){{12,18}}{_END}")

# Lengths from the IBAN registry (SWIFT, ISO 13616-1).
_LENGTHS = {
    length: countries.split()
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL SD FK",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK MN",
        21: "CH CR HR LI LV",
        22: "BG BH DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM TL SO",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "FR GR IT MC MR SM DJ",
        28: "AL AZ BY CY DO GT HU LB NI PL SV BI",
        29: "BR EG PS QA UA",
        30: "JO KW MU",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
}
_LENGTH = {country: length for length, countries in _LENGTHS.items() for country in countries}
_IBAN = re.compile(r"(?<![A-Za-z0-9/_-])(?=([A-Z]{2})\d{2})[A-Z0-9](?:[ \u00a0]?[A-Z0-9]){13,33}")
# An account number may end in more letters than a place has room for.
_IBAN_ROOM = 20


def payment_numbers(text: str, code: bool) -> Iterator[Span]:
    """Where cards and bank accounts are."""
    places = islands(text)
    if not places:
        return
    for rule in _CARDS:
        yield from rule.spans(text, places, code)
    for place in places:
        for match in _IBAN.finditer(text, place.start, min(len(text), place.end + _IBAN_ROOM)):
            yield from _iban(text, match)


def _iban(text: str, match: re.Match[str]) -> Iterator[Span]:
    """The match may run on into capitals behind the number: the country says where it ends."""
    length = _LENGTH.get(match[1], 0)
    end, seen = match.start(), 0
    while end < match.end() and seen < length:
        seen += text[end].isalnum()
        end += 1
    number = "".join(text[match.start() : end].split())
    if len(number) == length > 0 and not text[end : end + 1].isalnum() and mod97(number):
        yield match.start(), end


def _card(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    return bool(_NETWORKS.fullmatch(digits)) and luhn(digits) and len(set(digits)) > 1


_CARDS = (
    NumberRule(_GROUPED, _card, _CARD_WORD, "always", 14),
    NumberRule(_PLAIN, _card, _CARD_WORD, "prose", 14),
    NumberRule(_OTHER, _card, _CARD_WORD, "never", 13),
)
