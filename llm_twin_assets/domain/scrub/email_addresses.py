"""E-mail addresses in prose, links and comments; not what looks like one in code or on a command line."""

import re
import string
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.spans import Span, line_before

_LOCAL = frozenset(string.ascii_letters + string.digits + "._%+-" + "åäöøæéèüßñç")
_MAX_LOCAL = 64  # RFC 5321, 4.5.3.1.1
# Every country's, and the general ones where people have mail. `x@layer.weight` is Python, not mail.
_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc cd "
    "cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge "
    "gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke kg kh "
    "ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw "
    "mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb "
    "sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug uk "
    "us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw"
)
_GENERAL = (
    "com org net edu gov mil int info biz name pro mobi museum aero coop jobs travel dev app tech cloud online site "
    "email blog academy agency xyz me io ai club live life world today news media network systems solutions "
    "services consulting studio design digital software company group team work space website store shop zone page "
    "llc ltd inc gmbh berlin london paris amsterdam nyc tokyo foundation community institute university science"
)
_TOP = "|".join(sorted({*_COUNTRIES.split(), *_GENERAL.split()}, key=len, reverse=True))
_DOMAIN = re.compile(
    rf"(?!v?\d+\.\w+(?![\w.]))(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}(?:{_TOP})(?![\w-])", re.IGNORECASE
)
# An expression that goes on with a call or an attribute, a path on a server (`host:path`, as scp and git write it).
_GOES_ON = re.compile(r"[(\[@]|\.\w|:[\w~/.]")
_AT_SPELT = re.compile(r"[\[({<] ?at ?[\])}>]", re.IGNORECASE)
_OBFUSCATED = re.compile(
    r"(?<![\w.+-])(?P<local>[a-z0-9][\w.+-]{0,63})[ ]?[\[({<][ ]?at[ ]?[\])}>][ ]?"
    r"(?:[a-z0-9-]{1,63}(?:[ ]?[\[({<][ ]?dot[ ]?[\])}>][ ]?|\.)){1,6}" + rf"(?:{_TOP})(?![\w-])",
    re.IGNORECASE,
)
# RFC 2606 and RFC 6761 reserve them for examples; the reserved top levels are not among ours anyway.
_RESERVED = re.compile(r"(?:^|[@.])example\.(?:com|org|net)$", re.IGNORECASE)
_COMMAND = re.compile(r"(?:^|[\s`>$])(?:ssh|scp|sftp|rsync|mosh|ssh-copy-id|git)\s")
# How an `@` is written: as such, as HTML, in a link.
_AT = re.compile(r"@|&#(?:64|x40);|%40")


def email_addresses(text: str, code: bool) -> Iterator[Span]:
    """Where addresses are; those on domains that are reserved for examples stay."""
    for at in _AT.finditer(text):
        start = _local_start(text, at.start())
        if start == at.start() or not _may_begin(text, start):
            continue
        domain = _DOMAIN.match(text, at.end())
        if domain and not _GOES_ON.match(text, domain.end()) and not _reserved(text, start, domain):
            yield start, domain.end()
    if not code and _AT_SPELT.search(text):
        for match in _OBFUSCATED.finditer(text):
            if not re.search(r"example\.(?:com|org|net)$", match.group(), re.IGNORECASE):
                yield match.span()


def _local_start(text: str, end: int) -> int:
    start = end
    while start > 0 and end - start <= _MAX_LOCAL and text[start - 1].lower() in _LOCAL:
        start -= 1
    while start < end and not text[start].isalnum():
        start += 1
    return start


def _may_begin(text: str, start: int) -> bool:
    """Not in the middle of something longer, nor a name in a URL, nor after `ssh`."""
    if start and (text[start - 1].isalnum() or text[start - 1] in "@/_"):
        return False
    return not text.startswith("git@", start) and not _COMMAND.search(line_before(text, start, 120))


def _reserved(text: str, start: int, domain: re.Match[str]) -> bool:
    return bool(_RESERVED.search(text[start : domain.end()]))
