"""Tokens that their issuers gave a prefix, so that they can be told from words and hashes."""

import re
from collections.abc import Iterator

from llm_twin_assets.domain.scrub.placeholders import is_filler
from llm_twin_assets.domain.scrub.spans import Rule, Span, found_by


def _genuine(match: re.Match[str]) -> bool:
    """`ghp_xxxxxxxxxxxx` is how one writes about tokens."""
    return not is_filler(match.group())


def _rule(form: str, *hints: str) -> Rule:
    """A form that is not part of a longer word; `re` is fastest where a pattern begins with its literal."""
    before, head = "(?<![A-Za-z0-9_])", ""
    if len(hints) == 1 and form.startswith(re.escape(hints[0])) and "|" not in form:
        head = re.escape(hints[0])
        before = f"(?<![A-Za-z0-9_]{head})"
    return Rule(hints, re.compile(rf"{head}{before}(?:{form.removeprefix(head)})(?![A-Za-z0-9])"), _genuine)


_WORD = r"[A-Za-z0-9_-]"
# Forms as the issuers document them, or as their own secret scanners publish them.
_RULES = (
    _rule(
        r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ANVA)[A-Z0-9]{16}",
        *["A3T", "ABIA", "ACCA", "AKIA", "ASIA", "AGPA", "AIDA", "AROA", "ANPA", "ANVA"],
    ),
    _rule(r"gh[pousr]_[A-Za-z0-9]{36,255}", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    _rule(r"github_pat_[A-Za-z0-9_]{50,255}", "github_pat_"),
    _rule(
        rf"gl(?:pat|dt|ft|soat|rt|cbt|ptt|agent|imt|oas|ffct)-{_WORD}{{20,255}}(?:\.[0-9a-z]{{2,12}}){{0,3}}",
        *[
            "glpat-",
            "gldt-",
            "glft-",
            "glsoat-",
            "glrt-",
            "glcbt-",
            "glptt-",
            "glagent-",
            "glimt-",
            "gloas-",
            "glffct-",
        ],
    ),
    _rule(r"xox[abeoprs]-[A-Za-z0-9-]{10,255}", "xox"),
    _rule(r"xapp-\d-[A-Z0-9]{8,}-\d{8,}-[a-z0-9]{32,}", "xapp-"),
    _rule(rf"sk-ant-{_WORD}{{20,255}}", "sk-ant-"),
    _rule(rf"sk-(?:proj-|svcacct-|admin-|or-v1-|lf-)?(?={_WORD}{{0,250}}\d)[A-Za-z0-9_]{{2}}{_WORD}{{30,250}}", "sk-"),
    _rule(
        r"(?:sk|rk|whsec)_(?:live_|test_)?[A-Za-z0-9]{24,250}", "sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"
    ),
    _rule(rf"AIza{_WORD}{{35}}", "AIza"),
    _rule(rf"GOCSPX-{_WORD}{{28}}", "GOCSPX-"),
    _rule(rf"ya29\.{_WORD}{{30,500}}", "ya29."),
    _rule(rf"1//0{_WORD}{{40,200}}", "1//0"),
    _rule(r"hf_[A-Za-z0-9]{30,100}", "hf_"),
    _rule(r"AKC[A-Za-z0-9]{40,80}", "AKC"),
    _rule(r"npm_[A-Za-z0-9]{36}", "npm_"),
    _rule(rf"pypi-AgE{_WORD}{{50,500}}", "pypi-AgE"),
    _rule(
        rf"gsk_[A-Za-z0-9]{{40,60}}|r8_[A-Za-z0-9]{{37}}|pplx-[A-Za-z0-9]{{40,60}}|tvly-{_WORD}{{28,60}}|nvapi-{_WORD}{{60,80}}|xai-[A-Za-z0-9]{{70,90}}",
        "gsk_",
        "r8_",
        "pplx-",
        "tvly-",
        "nvapi-",
        "xai-",
    ),
    _rule(r"do[opr]_v1_[a-f0-9]{64}", "_v1_"),
    _rule(r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", "shp"),
    _rule(rf"sq0(?:atp|csp|idp)-{_WORD}{{22,43}}|EAAA{_WORD}{{60}}", "sq0", "EAAA"),
    _rule(rf"SG\.{_WORD}{{16,32}}\.{_WORD}{{32,64}}", "SG."),
    _rule(r"key-[a-f0-9]{32}", "key-"),
    _rule(r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", "lin_"),
    _rule(r"(?:ntn_|secret_)[A-Za-z0-9]{43,50}", "ntn_", "secret_"),
    _rule(rf"pscale_(?:tkn|pw|oauth)_{_WORD}{{32,64}}", "pscale_"),
    _rule(r"gl(?:sa|c)_[A-Za-z0-9+/=_]{32,250}", "glsa_", "glc_"),
    _rule(rf"hv[sbr]\.{_WORD}{{24,250}}", "hvs.", "hvb.", "hvr."),
    _rule(rf"dckr_(?:pat|oat)_{_WORD}{{20,60}}", "dckr_"),
    _rule(r"rubygems_[a-f0-9]{48}", "rubygems_"),
    _rule(rf"fig[dour]_{_WORD}{{40,60}}", "figd_", "figo_", "figu_", "figr_"),
    _rule(r"pat[A-Za-z0-9]{14}\.[a-f0-9]{64}", "pat"),
    _rule(r"AGE-SECRET-KEY-1[A-Z0-9]{58}", "AGE-SECRET-KEY"),
    _rule(r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}", "PMAK-"),
    _rule(r"NRAK-[A-Z0-9]{27}|NRII-[A-Za-z0-9_-]{32}", "NRAK-", "NRII-"),
    _rule(r"dapi[a-f0-9]{32}(?:-\d)?", "dapi"),
    _rule(r"(?:sbp_[a-f0-9]{40}|sb_secret_[A-Za-z0-9_-]{20,60})", "sbp_", "sb_secret_"),
    _rule(r"xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}", "xkeysib-", "re_"),
    _rule(
        r"sntry[su]_[A-Za-z0-9+/=_-]{40,300}|phc_[A-Za-z0-9]{40,50}|phx_[A-Za-z0-9]{40,50}",
        "sntry",
        "phc_",
        "phx_",
    ),
    _rule(rf"CFPAT-{_WORD}{{43}}|v1\.0-[a-f0-9]{{24}}-[a-f0-9]{{146}}", "CFPAT-", "v1.0-"),
    _rule(r"LTAI[A-Za-z0-9]{17,21}|AKID[A-Za-z0-9]{32}", "LTAI", "AKID"),
    _rule(r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}", "."),
    _rule(r"\d{8,10}:AA[A-Za-z0-9_-]{33}", ":AA"),
    # Addresses that are secrets: whoever has one may post.
    Rule(
        ("hooks.slack.com",),
        re.compile(
            r"(?<=hooks\.slack\.com/)(?P<found>(?:services|workflows|triggers)/[A-Z0-9]{8,}/[A-Za-z0-9/]{16,200})"
        ),
        _genuine,
    ),
    Rule(("/api/webhooks/",), re.compile(r"/api/webhooks/(?P<found>\d{16,20}/[\w-]{60,90})"), _genuine),
    Rule(
        (".webhook.office.com",), re.compile(r"\.webhook\.office\.com/webhookb2/(?P<found>[\w@/-]{60,300})"), _genuine
    ),
    Rule(("sig=",), re.compile(r"[?&;]sig=(?P<found>[A-Za-z0-9%+/]{40,120}(?:=|%3D)?)"), _genuine),
    Rule(
        ("eyJ",), re.compile(r"(?<![\w.-])eyJ[\w-]{10,4000}\.eyJ[\w-]{10,8000}(?:\.[\w-]{10,2000})?(?![\w-])"), _genuine
    ),
)


def tokens(text: str) -> Iterator[Span]:
    """Where tokens with a prefix are."""
    return found_by(_RULES, text)
