"""Values that what stands before them gives away: assignments, headers, addresses with a password, command lines."""

import re
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.placeholders import is_placeholder
from llm_twin_assets.domain.scrub.spans import Rule, Span, found_by

# Words that end the name of a secret; `key` alone ends many another name.
_KEYWORDS = (
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "lösenord",
    "contraseña",
    "pwd",
    "secret",
    "token",
)
_KEYS = re.compile(
    r"(?:api|access|auth|private|secret|account|master|encrypt|encryption|signing|license|subscription|storage|service"
    r"|admin|client)[_ .-]?$"
)
_LONGEST_KEY = 14
_TAIL = r"(?:[_-]?(?:v?\d{1,2}|base64|prod|production|dev|live|value|key|id_secret|hash_salt))?"
# Highlighted code in a page has tags between name, sign and value.
_GAP = r"(?:[ \t]|</?[a-z]{1,6}(?:[ ][^<>\n]{0,60})?>){0,6}"
_QUOTE = r"(?:[\"'`]|&quot;|&#39;|&#x27;|&#34;|\\\")"
_ANNOTATION = r"(?::[ ]?[A-Za-z][\w.\[\], |]{0,40}(?=[ ]?=))?"
_VALUE = (
    rf"(?:[bru]?(?P<quote>{_QUOTE})(?P<quoted>(?:(?!(?P=quote))[^\s<>]){{4,500}})(?P=quote)"
    r"|(?P<bare>(?:[^\s\"'`,;<>(){}\[\]&|\\]|&(?![\w.-]{1,40}=|(?:amp|lt|gt|quot|apos|nbsp|#\w{2,5});)){6,500})"
    r"(?P<after>[(\[{]?))"
)
# What follows a keyword.
_ASSIGNED = re.compile(
    rf"{_TAIL}{_QUOTE}?\]?{_GAP}{_ANNOTATION}{_GAP}(?::=|=>|={{1,3}}|:){_GAP}{_VALUE}", re.IGNORECASE
)
# A constant or a variable of the environment: a shorter name will do.
_ENVIRONMENT = re.compile(
    r"(?<![A-Za-z0-9_])(?P<name>[A-Z][A-Z0-9_]{1,50}_(?:KEY|PASS|PASSWORD|PW|AUTH|SALT|DSN|PAT))[\"']?[ \t]?[=:][ \t]?"
    r"(?:(?P<quote>[\"'])(?P<quoted>[^\"'\s]{6,500})(?P=quote)|(?P<bare>[^\s\"'#<>;,&]{6,500})(?P<after>))"
)
_CLASSES = re.compile(r"[a-z]+|[A-Z]+|\d+|[^A-Za-z\d]+")
_WORDS = re.compile(r"[A-Za-z]+\d{0,4}(?:[-_.: ][A-Za-z]+\d{0,4}|[-_.: ]\d{1,4})*")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:(?:\.|->|::)[A-Za-z_]\w*)+")
_PASSWORD = re.compile(r"pass|pwd|kennwort|lösenord|contraseña", re.IGNORECASE)


# Enough of a value to judge it by.
_HEAD = 120


def looks_random(value: str) -> bool:
    """Whether letters and digits change places as they do in no word, name, version or date."""
    value = value[:_HEAD]
    runs = _CLASSES.findall(value)
    if len(value) < 12 or not any(run[0].isdigit() for run in runs) or value.replace("-", "").isdecimal():
        return False
    return any(run[0].isalpha() for run in runs) and not _WORDS.fullmatch(value) and len(runs) * 4 >= len(value)


def looks_chosen(value: str) -> bool:
    """Whether a value is what a person takes for a password: letters, and a digit or sign among them."""
    letters = any(each.isalpha() for each in value)
    others = any(each.isdigit() or each in "!@#$%^*?~+" for each in value)
    return 6 <= len(value) <= 64 and letters and others and not _DOTTED.fullmatch(value)


def _assigned(match: re.Match[str], keyword: str) -> bool:
    quoted, bare = match["quoted"], match["bare"]
    value = quoted or bare
    if (bare and match["after"]) or _DOTTED.fullmatch(value) or is_placeholder(value):
        return False
    if looks_random(value):
        return True
    if not _PASSWORD.search(keyword) or not looks_chosen(value):
        return False
    # Without quotes a word with a digit in it is a variable, unless the line is no code.
    return bool(quoted) or not value.isidentifier() or keyword.isupper()


def _genuine(match: re.Match[str]) -> bool:
    return not is_placeholder(match["found"])


def _random(match: re.Match[str]) -> bool:
    return not is_placeholder(match["found"]) and looks_random(match["found"])


def _chosen(match: re.Match[str]) -> bool:
    return not is_placeholder(match["found"]) and looks_chosen(match["found"])


def _not_the_user(match: re.Match[str]) -> bool:
    """`postgres:postgres@` is what an image comes with."""
    return not is_placeholder(match["found"]) and match["user"].lower() != match["found"].lower()


_RULES = (
    # The password alone goes: `postgres://user:[secret]@host/db`. Braces, `$` and `<` are variables, which are code.
    Rule(
        ("://",),
        re.compile(r"://(?P<user>[^\s:/@?#'\"`<>{}$\[\]]{0,100}):(?P<found>[^\s:/@'\"`<>{}$\[\]]{1,200})(?=@[\w\[.-])"),
        _not_the_user,
    ),
    # An AWS secret has no prefix: the name in front of it says what it is.
    Rule(
        ("aws", "AWS", "Aws"),
        re.compile(
            r"aws_?secret_?(?:access_?)?key[\"']?\s{0,4}[:=]\s{0,4}[\"']?(?P<found>[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+]))",
            re.IGNORECASE,
        ),
    ),
    Rule(
        ("uthorization", "UTHORIZATION"),
        re.compile(
            r"authorization[\"']?[ ]?[:=,][ ]?[bf]?[\"']?(?:bearer|basic|token|bot|apikey|key|digest)[ ]"
            r"(?P<found>[A-Za-z0-9._~+/=-]{12,2000})",
            re.IGNORECASE,
        ),
        _random,
    ),
    Rule(("earer ", "EARER "), re.compile(r"\bbearer (?P<found>[A-Za-z0-9._~+/=-]{20,2000})", re.IGNORECASE), _random),
    Rule(
        ("curl", "wget", "http "),
        re.compile(
            r"\b(?:curl|wget|http)\b[^\n]{0,300}?[ ](?:-u|--user)[ =][\"']?[^\s:'\"]{1,60}:(?P<found>[^\s'\"]{4,200})"
        ),
        _chosen,
    ),
    Rule(
        ("--",),
        re.compile(r"--(?:password|token|api-key|secret|access-key|auth)[ =][\"']?(?P<found>[^\s'\"<>]{6,300})"),
        _random,
    ),
    Rule(
        ("machine ",),
        re.compile(r"\bmachine[ \n]\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password\s{1,4}(?P<found>\S{4,200})"),
        _genuine,
    ),
    Rule(
        ("auth=",), re.compile(r"\bauth=\([\"'][^\"'\n]{1,60}[\"'],[ ]?[\"'](?P<found>[^\"'\n]{6,200})[\"']\)"), _chosen
    ),
    Rule(
        ("assword", "assphrase", "passcode"),
        re.compile(
            r"\b(?:password|passphrase|passcode)(?: \w{1,12}){0,3} (?:is|was)[ :]{1,2}[\"'“‘`]?"
            r"(?P<found>[^\s\"'”’`<>]{6,60}[^\s\"'”’`<>.,;!?)])",
            re.IGNORECASE,
        ),
        _chosen,
    ),
)


def credentials(text: str) -> Iterator[Span]:
    """Where a value is that should have stayed with its owner; names, signs and quotes stay."""
    yield from found_by(_RULES, text)
    for start, end in _keywords(text):
        match = _ASSIGNED.match(text, end)
        if match and _assigned(match, text[start:end]):
            yield match.span("quoted" if match["quoted"] else "bare")
    for match in _ENVIRONMENT.finditer(text):
        if _assigned(match, match["name"]):
            yield match.span("quoted" if match["quoted"] else "bare")


def _keywords(text: str) -> Iterator[Span]:
    """Where the names of secrets end; `str.find` is many times as fast as a pattern that ignores case."""
    lowered = _lowered(text)
    for keyword in _KEYWORDS:
        for start in _places(lowered, keyword):
            yield start, start + len(keyword)
    for start in _places(lowered, "key"):
        if _KEYS.search(lowered[max(0, start - _LONGEST_KEY) : start]):
            yield start, start + 3


def _places(text: str, word: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + len(word))


def _lowered(text: str) -> str:
    """In lower case, every character at its place: `İ` would become two."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := each.lower()) == 1 else each for each in text)
