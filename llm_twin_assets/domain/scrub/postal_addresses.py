"""Postal addresses of several countries: only what can hardly be anything else, and never in source code."""

import re
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.spans import Rule, Span, found_by, line_before

_GAP = r"(?:,?[ ]{0,2}(?:<br ?/?>)?\r?\n?[ ]{0,8}|,[ ]?)"
_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’.-]{0,30}"
_CITY = rf"{_NAME}(?:[ -](?:[a-zà-ÿ]{{2,4}}[ -])?{_NAME}){{0,3}}"
_NUMBER = r"\d{1,4}(?:[ ]?[a-zA-Z](?!\w))?(?!\w)(?![.,]\d)"
_EDGE = r"(?<![\w.,/#$€£-])"

_UNIT = r"(?:,?[ ](?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Fl)\.?[ ]?|#[ ]?)[\w-]{1,6})?"
_STATE = (
    r"(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]"
    r"|W[AIVY])"
)
_BRITISH_CODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"
_CANADIAN_CODE = r"(?:[A-Z]{2,3}[ ])?[ABCEGHJ-NPRSTVXY]\d[A-Z] ?\d[A-Z]\d"
_AUSTRALIAN_CODE = r"(?:NSW|VIC|QLD|WA|SA|TAS|ACT|NT)[ ]\d{4}"
_CODE = rf"(?:{_STATE}[ ]\d{{5}}(?:-\d{{4}})?|{_CANADIAN_CODE}|{_BRITISH_CODE}|{_AUSTRALIAN_CODE})"
_TYPES = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Way|Terrace|Ter"
    r"|Parkway|Pkwy|Highway|Hwy|Close|Crescent|Gardens|Grove|Mews|Row|Hill|Quay|Circle|Cir|Trail|Loop)"
)
_ENGLISH_STREET = (
    rf"\d{{1,5}}[A-Za-z]?[ ](?:[NSEW]{{1,2}}\.?[ ])?(?:(?:{_NAME}|\d{{1,3}}(?:st|nd|rd|th))[ ]){{1,3}}"
    rf"{_TYPES}(?![\w-])\.?(?:[ ][NSEW]{{1,2}}\b)?{_UNIT}"
)
_ENGLISH_PLACE = (
    rf"(?:{_GAP}(?:{_CITY},?[ ])?{_CODE}(?!\w)"
    rf"|{_GAP}{_CITY},?[ ]{_STATE}(?!\w)|{_GAP}{_CITY}{_GAP}{_BRITISH_CODE}(?!\w))"
)
_STREET = re.compile(rf"{_EDGE}{_ENGLISH_STREET}(?P<place>{_ENGLISH_PLACE})?")
# An English street may be in any sentence ("5 Long Way"): without a place behind it, something has to say so.
_SAID = re.compile(
    r"\b(?:address|adress|located at|liv(?:e|es|ed|ing) (?:at|on)|reside[sd]? at|ship(?:ped|ping)? to|mail(?:ed)? to"
    r"|deliver(?:ed|y)? to|visit (?:me|us) at|my (?:house|home|flat|apartment)(?: is)?(?: at| on)|moved (?:in )?to"
    r"|come to|office(?: is)? at|hq|headquarters at)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)
_NEARBY = 70

_FLOOR = r"(?:,?[ ](?:lgh|vån|as\.?|A|B|C)[ ]?\d{1,4})?"
_GERMAN_PLACE = rf"{_GAP}(?:(?:D|A|CH)-)?\d{{4,5}}[ ]{_CITY}"
_SWEDISH_PLACE = rf"{_GAP}(?:SE?-)?\d{{3}} ?\d{{2}}[ ]{_CITY}"


def _rule(hints: str, *parts: str) -> Rule:
    return Rule(tuple(f"{hint} " for hint in hints.split()), re.compile("".join(parts)))


# The place behind the street may be missing where the kind of street is no everyday word.
_RULES = (
    _rule(
        "traße trasse str.",
        rf"(?<!\w)[A-ZÄÖÜ][\wäöüß-]{{2,30}}?(?:[sS]tra(?:ß|ss)e|str\.)[ ]{_NUMBER}(?:{_GERMAN_PLACE})?",
    ),
    _rule(
        "platz weg allee gasse ring damm ufer",
        r"(?<!\w)[A-ZÄÖÜ][\wäöüß-]{2,30}?(?:[pP]latz|[wW]eg|[aA]llee|gasse|ring|damm|ufer)[ ]",
        rf"{_NUMBER}{_GERMAN_PLACE}",
    ),
    _rule(
        "gatan vägen gränd gata torget stigen",
        r"(?<!\w)[A-ZÅÄÖ](?:[\wåäöé-]{2,30}?|[\wåäöé]{2,20}[ ])(?:gatan|vägen|gränd|gata|torget|stigen)[ ]",
        rf"{_NUMBER}{_FLOOR}(?:{_SWEDISH_PLACE})?",
    ),
    _rule(
        "katu kuja tie polku kaari",
        r"(?<!\w)[A-ZÅÄÖ][\wåäö-]{2,30}?(?:katu|kuja|tie|polku|kaari)[ ]",
        rf"{_NUMBER}{_FLOOR}{_GAP}(?:FI-)?\d{{5}}[ ]{_CITY}",
    ),
    _rule(
        "straat laan gracht kade weg plein singel",
        rf"(?<!\w){_NAME}(?:straat|laan|gracht|kade|weg|plein|singel)[ ]{_NUMBER}",
        rf"{_GAP}\d{{4}} ?[A-Z]{{2}}(?!\w)(?:[ ]{{1,2}}{_CITY})?",
    ),
    _rule(
        "rue avenue boulevard place chemin allée impasse quai cours route",
        rf"{_EDGE}\d{{1,4}}(?:[ ]?(?:bis|ter))?,?[ ]",
        r"(?:rue|avenue|boulevard|place|chemin|allée|impasse|quai|cours|route)[ ]",
        r"(?:(?:de la|de l['’]|des|du|de|d['’]|l['’]|la|le)[ ]?)?",
        rf"{_NAME}(?:[ -](?:(?:de|du|des|la)[ -])?{_NAME}){{0,3}}",
        rf"(?:{_GAP}\d{{5}}[ ]{_CITY})?",
    ),
    _rule(
        "Calle C/ Avenida Avda Avda. Plaza Paseo Carrer",
        r"(?<!\w)(?:Calle|C/|Avenida|Avda\.?|Plaza|Paseo|Carrer)[ ](?:(?:de las|de los|de la|del|de)[ ])?",
        rf"{_CITY},?[ ](?:n\.?[º°o][ ]?)?{_NUMBER}{_GAP}(?:\d{{1,2}}[ºª°][^\n,]{{0,10}},[ ])?\d{{5}}[ ]{_CITY}",
    ),
    _rule(
        "Via Viale Piazza Corso Largo Vicolo",
        r"(?<!\w)(?:Via|Viale|Piazza|Corso|Largo|Vicolo)[ ](?:(?:della|delle|degli|dei|del|di|da)[ ])?",
        rf"{_CITY},?[ ]{_NUMBER}{_GAP}\d{{5}}[ ]{_CITY}(?:[ ]\([A-Z]{{2}}\))?",
    ),
    _rule("Box BOX", rf"{_EDGE}P\.?[ ]?O\.?[ ]?B(?:ox|OX)[ ]\d{{1,6}}(?!\w)(?:{_ENGLISH_PLACE})?"),
    _rule(
        "Postfach Box",
        rf"(?<!\w)(?:Postfach[ ]\d[\d ]{{1,8}}\d|Box[ ]\d{{1,5}}){_GAP}(?:SE?-)?(?:\d{{3}} \d\d|\d{{5}})[ ]{_CITY}",
    ),
)
_DIGIT = re.compile(r"\d")


def postal_addresses(text: str, code: bool) -> Iterator[Span]:
    """Where postal addresses are; none is looked for in source code."""
    if code or not _DIGIT.search(text):
        return
    yield from found_by(_RULES, text)
    for match in _STREET.finditer(text):
        if match["place"] or _SAID.search(line_before(text, match.start(), _NEARBY)):
            yield match.span()
