"""National identity, tax and insurance numbers, by their forms, check digits, dates and the words before them."""

import re
from collections.abc import Callable, Iterator

from llm_twin_assets.domain.scrub import checksums
from llm_twin_assets.domain.scrub.numbers import Alone, NumberRule, digits_of, islands
from llm_twin_assets.domain.scrub.spans import Accept, Rule, Span

_EDGE = r"(?<![\w.+/-])"
_END = r"(?![\w/-])(?!\.\d)"
_TAX = r"tax[ -]?(?:id|number|no)|TIN|identity (?:number|no)|national id|personal (?:id|number)|id[ -]number|"


def _date(year: int, month: int, day: int) -> bool:
    return 1800 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31


def _short_date(digits: str) -> bool:
    """`DDMMYY`."""
    return _date(2000 + int(digits[4:6]), int(digits[2:4]), int(digits[:2]))


def _personnummer(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    ten = digits[-10:]
    day = int(ten[4:6])
    # A day of more than 60 is a coordination number.
    if not _date(2000 + int(ten[:2]), int(ten[2:4]), day - 60 if day > 60 else day):
        return False
    return digits[:-10] in ("", "18", "19", "20") and checksums.luhn(ten)


def _no_timestamp(match: re.Match[str]) -> bool:
    """`20240101-1230` is when a file was written."""
    digits = digits_of(match.group())
    timestamp = len(digits) == 12 and digits[0] == "2" and digits[8:10] < "24" and digits[10:12] < "60"
    return not timestamp and _personnummer(match)


def _hetu(match: re.Match[str]) -> bool:
    said = match.group()
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(said[:6] + said[7:10]) % 31]
    return _short_date(said) and check == said[10]


def _steuer_id(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    # One digit of the first ten comes twice or three times.
    return len(set(digits[:10])) in (8, 9) and checksums.mod11_10(digits)


def _nir(match: re.Match[str]) -> bool:
    said = "".join(each for each in match.group() if each.isalnum())
    # Corsica's departments count as 19 and 18.
    number = said[:13].replace("2A", "19").replace("2B", "18")
    return number.isdecimal() and 97 - int(number) % 97 == int(said[13:])


def _dni(match: re.Match[str]) -> bool:
    said = "".join(each for each in match.group() if each.isalnum())
    number = said[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23] == said[-1]


def _bsn(match: re.Match[str]) -> bool:
    digits = digits_of(match.group()).zfill(9)
    return int(digits) > 0 and checksums.weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def _pesel(match: re.Match[str]) -> bool:
    return checksums.weighted(match.group(), (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def _fodselsnummer(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    first = checksums.weighted(digits[:10], (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11
    second = checksums.weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11
    return first == 0 and second == 0 and _short_date(digits)


def _cpf(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    if len(set(digits)) == 1:
        return False
    for place in (9, 10):
        rest = checksums.weighted(digits[:place], range(place + 1, 1, -1)) * 10 % 11 % 10
        if rest != int(digits[place]):
            return False
    return True


def _belgian(match: re.Match[str]) -> bool:
    digits = digits_of(match.group())
    check = int(digits[9:])
    # Those born from 2000 on count with a 2 in front.
    return check in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)


def _by(check: Callable[[str], bool]) -> Callable[[re.Match[str]], bool]:
    """A check over the digits alone, which are not all the same."""

    def accept(match: re.Match[str]) -> bool:
        digits = digits_of(match.group())
        return len(set(digits)) > 1 and check(digits)

    return accept


def _any(_: re.Match[str]) -> bool:
    return True


def _rule(form: str, accept: Accept, words: str, alone: Alone = "never", digits: int = 9) -> NumberRule:
    return NumberRule(
        re.compile(rf"{_EDGE}(?:{form}){_END}"),
        accept,
        re.compile(rf"(?<![^\W_])(?:{_TAX}{words})", re.IGNORECASE),
        alone,
        digits,
    )


_SSN = r"(?!000|666|9)\d{3}"
_RULES = (
    # United States: no check digit, but areas, groups and serials that are never given out.
    _rule(rf"{_SSN}-(?!00)\d\d-(?!0000)\d{{4}}", _any, r"SSN|social security", "prose"),
    _rule(rf"{_SSN} ?(?!00)\d\d ?(?!0000)\d{{4}}", _any, r"SSN|social security"),
    # United Kingdom
    _rule(
        r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
        _any,
        r"NINO|NI (?:number|no)|national insurance",
        "prose",
        6,
    ),
    # Sweden
    _rule(r"(?:\d\d)?\d{6}[-+]\d{4}", _no_timestamp, r"personnummer|samordningsnummer|person ?nr", "prose"),
    _rule(r"(?:\d\d)?\d{6}[-+]?\d{4}", _personnummer, r"personnummer|samordningsnummer|person ?nr"),
    # Finland
    _rule(r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _hetu, r"HETU|henkilötunnus|personbeteckning", "always"),
    # Norway, Denmark
    _rule(r"\d{6} ?\d{5}", _fodselsnummer, r"f[øo]dselsnummer|personnummer|fnr"),
    _rule(r"\d{6}-?\d{4}", lambda match: _short_date(match.group()), r"CPR|personnummer"),
    # Germany
    _rule(r"[1-9]\d(?: ?\d{3}){3}", _steuer_id, r"steuer-?(?:id|identifikation\w*|nummer)|IdNr|St-?IdNr"),
    # France
    _rule(
        r"[1278] \d\d [0-9]\d (?:\d\d|2[AB]) \d{3} \d{3} \d\d",
        _nir,
        r"NIR|sécurité sociale|securite sociale|insee",
        "always",
    ),
    _rule(r"[1278]\d{4}(?:\d\d|2[AB])\d{6} ?\d\d", _nir, r"NIR|sécurité sociale|securite sociale|insee"),
    # Spain
    _rule(r"(?:\d{8}|[XYZ]-?\d{7})-?[A-HJ-NP-TV-Z]", _dni, r"DNI|NIE|NIF", "prose", 7),
    # Netherlands
    _rule(r"\d{9}|\d{4}\.\d\d\.\d{3}", _bsn, r"BSN|burgerservicenummer|sofi"),
    # Belgium
    _rule(r"\d\d\.\d\d\.\d\d-\d{3}\.\d\d", _belgian, r"rijksregister\w*|registre national|NISS|INSZ", "always"),
    # Italy; the letters that may stand for digits tell namesakes apart.
    _rule(
        r"[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z][\dLMNP-V]{3}[A-Z]",
        lambda match: checksums.codice_fiscale(match.group()),
        r"codice fiscale|C\.?F\.?",
        "always",
        6,
    ),
    # Switzerland, Poland
    _rule(r"756\.\d{4}\.\d{4}\.\d\d", _by(checksums.ean13), r"AHV|AVS|OASI", "always"),
    _rule(r"\d{11}", _pesel, r"PESEL"),
    # Canada
    _rule(r"\d{3}([ -]?)\d{3}\1\d{3}", _by(checksums.luhn), r"SIN|social insurance"),
    # Brazil
    _rule(r"\d{3}\.\d{3}\.\d{3}-\d\d", _cpf, r"CPF", "always"),
    _rule(r"\d{11}", _cpf, r"CPF"),
    # India: Aadhaar and the tax department's PAN
    _rule(r"[2-9]\d{3} \d{4} \d{4}", _by(checksums.verhoeff), r"a+dh?a+r|UID(?:AI)?", "prose"),
    _rule(r"[2-9]\d{3}-?\d{4}-?\d{4}", _by(checksums.verhoeff), r"a+dh?a+r|UID(?:AI)?"),
)
# Passports have no common form: a word, then letters and digits.
_PASSPORT = Rule(
    ("passport", "Passport", "PASSPORT", "eisepass", "asseport", "asaporte"),
    re.compile(
        r"(?:passport|reisepass|passeport|pasaporte)[ -]?(?:(?:number|nummer|num|no|nr|n[º°])\.?)?"
        r"\s{0,2}(?:is|was)?\s{0,2}[:#=]?\s{0,2}(?P<found>(?=[A-Z\d]{0,8}\d{4})[A-Z\d]{6,9})(?!\w)",
        re.IGNORECASE,
    ),
)


def national_ids(text: str, code: bool) -> Iterator[Span]:
    """Where identity numbers are."""
    if places := islands(text):
        for rule in _RULES:
            yield from rule.spans(text, places, code)
    if not code:
        yield from _PASSPORT.spans(text)
