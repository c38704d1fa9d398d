"""Chrome of pages that somebody made one run of text of: no line ends are left to go by, only what a bar says in a row.

So do crawlers that keep an element's text alone ("…Open in appSign upSign inWrite…"). Cut out are rows of buttons that
stand in no sentence; what was apart on the page is apart again by a blank line.
"""

import re

_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_SHARE = r"Copy linkFacebookEmailNotes?(?:Other|More)(?:Share)?"

# Medium: the title and the site bar; the line of author, publication, minutes, date and claps; all below the text.
_MEDIUM_BAR = re.compile(
    r"\A[^\n]{0,300}?Open in app(?:Sign up|Sign in|Write|Search|Top highlight|Member-only story){2,}"
)
_MEDIUM_BYLINE = re.compile(
    r"·Follow(?:ing)?(?:Published in[^\n]{1,80}?)?·\d+ min read·"
    rf"(?:{_MONTH} \d{{1,2}}(?:, \d{{4}})?|\d+ \w+ ago)[\d.K]*(?:--)?\d*Listen(?:Share)?(?:More)?"
)
_MEDIUM_NAME = re.compile(r"Written by ([^\n]{2,60}?)(?=[\d.]+K? Followers)")
_MEDIUM_END = re.compile(
    r"Sign up to discover human stories that deepen your understanding of the world\.|"
    r"FollowWritten by [^\n]{2,60}Followers"
)
_MEDIUM_COOKIES = re.compile(
    r"\n[ \t\n]{0,80}To make Medium work, we log user data\. By using Medium, you agree[^\n]*\Z"
)
_NAME_BEFORE = re.compile(r"(?<=[.!?…”\"’)])[^.!?…\n]{2,60}\Z|(?<=[a-z])(?:[A-Z][\w.’-]+ ?){2,4}\Z")

# Substack: the same from its page.
_SUBSTACK = re.compile(
    r"(?:\A[^\n]{0,120}?Subscribe ?Sign in)?"
    rf"Share this post(?:(?!Share this post)[^\n]){{0,200}}?\.[a-z]{{2,6}}{_SHARE}|{_SHARE}"
)
_SUBSTACK_END = re.compile(
    r"(?:Previous ?Next)?Discussion about this post(?:Comments?|Likes?|Restacks?|Top|Latest|Discussions)"
)
_SUBSTACK_FOOTER = "Substack is the home for great culture"


def without_flat_chrome(text: str) -> str:
    """The text without the bars of a flattened page; identical if it is none."""
    if _MEDIUM_BAR.match(text) and (byline := _MEDIUM_BYLINE.search(text, 0, 3_000)):
        text = _medium(text, byline)
    if "Copy linkFacebookEmail" in text:
        end = _SUBSTACK_END.search(text)
        if end and _SUBSTACK_FOOTER in text[end.end() :]:
            text = text[: end.start()]
        text = _SUBSTACK.sub("\n\n", text).strip("\n")
    return text


def _medium(text: str, byline: re.Match[str]) -> str:
    bar = _MEDIUM_BAR.match(text)
    head = text[bar.end() if bar else 0 : byline.start()]
    name = _MEDIUM_NAME.search(text)
    head = head.removesuffix(name[1]) if name else _NAME_BEFORE.sub("", head)
    body = _MEDIUM_COOKIES.sub("", text[byline.end() :])
    if end := _MEDIUM_END.search(body):
        body = body[: end.start()]
    return f"{head.strip()}\n\n{body.strip()}".strip()
