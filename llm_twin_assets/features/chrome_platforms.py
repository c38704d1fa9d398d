"""What platforms put around an author's words, line by line, as data; read from their pages of 2022 to 2026."""

from llm_twin_assets.features.chrome_rules import (
    BAR,
    COUNTER,
    DATE,
    DOMAIN,
    NAME,
    Platform,
    Rule,
    any_of,
    rest,
    strong,
    weak,
)  # fmt: skip

_SUBSTACK = Platform(
    "substack",
    (
        *strong(r"subscribe ?\W? ?sign ?in", label="subscribe"),
        *strong(r"copy link", label="copy"),
        *strong(
            r"share this post",
            r"start (?:writing|your substack)\W*(?:get the app)?",
            r"substack is the home for great culture",
            r"(?:(?:© )?substack\W+)?(?:publisher )?privacy(?: policy)? ?[∙·•|] ?(?:publisher )?terms"
            r"(?: of use)?(?: ?[∙·•|] ?(?:information )?collection notice)?",
            r"this site requires javascript to run correctly\. please turn on javascript or unblock scripts\.?",
            r"discover more from .{1,80}",
                        r"by subscribing,? (?:i|you) agree to .{0,20}terms .{0,160}",
            r"already have an account\? (?:sign|log) in\.?",
            r"ready for more\?",
            r"thanks for subscribing\W*(?:share .{1,60})?",
            r"pledge your support",
            r"(?:expand full comment)?reply ?share",
            r"get the app",
            r"previous ?next",
            r"\|? ?a guest post by\|? ?.{0,300}",
        ),
        *strong(
            r"thanks for reading(?: .{1,80}?)?[!.] (?:this post is public so feel free to share it|"
            r"subscribe for free to receive new posts.{0,60})[.!]?",
            r".{1,80} is a reader-supported publication\. (?:to receive new posts|if you (?:enjoy|like)).{1,160}",
            r"(?:to )?receive new posts and support my work,? (?:please )?consider becoming .{1,40}subscriber\.?",
            r"type your email(?:…|\.\.\.)?(?: ?subscribe)?",
            r"(?:upgrade to paid|give a gift subscription|get \d+% off(?: for \d+ year)?|invite your friends)",
            r"no posts",
        ),
        *strong(r"over [\d,.]+[km]? subscribers", label="subscribers"),
        Rule(any_of(".{0,30}"), strong=True, target=any_of(r"[?&]action=share\b", r"/subscribe\?")),
        Rule(any_of(".{1,200}"), before=frozenset({"subscribers"})),
        rest(r"discussion about this (?:post|episode|video)", heading=False),
        BAR,
        COUNTER,
        weak(
            "", "sign ?in", "comments?", "restacks?", "likes?", "top", "latest", "discussions",
            "continue reading", "leave a comment", "share (?-i:[^\\W\\d_a-z])[^.!?]{0,50}", "privacy", "terms",
            "collection notice", "previous", "next", "user's avatar", "read in (?:the )?app", "play", "∙? ?paid",
            "∙? ?preview", "error", "[^|]{0,40}['’]s avatar", "view (?:all )?comments.*", "see all",
            "© \\d{4} .{1,80}", "start writing",
        ),
        weak("subscribe(?: now)?", label="subscribe"),
        weak(DOMAIN, label="site", before=("copy",)),
        weak(".{1,250}", before=("site",)),
        Rule(any_of(".{0,80}"), shape="first", before=frozenset({"subscribe"})),
        weak(DATE, label="date"),
        weak(NAME, ",? ?(?:and)?", label="name", before=("date", "name")),
    ),
)  # fmt: skip

_MEDIUM = Platform(
    "medium",
    (
        *strong(rf"\W*\d+ min read(?:\W+(?:{DATE}))?", label="read"),
        *strong(
            r"open in app",
            r"member-only story",
            r"published in(?: .{1,60})?(?:\W*\d+ min read.*)?",
            r"recommended from medium",
            r"see (?:all from .{1,60}|more recommendations)",
            r"sign up (?:to|&) .{0,20}sign in",
            r"text to speech",
            r"to make medium work, we log user data\. by using medium, you agree to our privacy policy.*",
        ),
        *strong(
            r"get an email whenever .{1,60} publishes\.?",
            r"become a (?:medium )?member\.?|join medium with my referral link.{0,300}",
            r"(?:top highlight|responses? \(\d+\)|see all responses|what are your thoughts\?|write a response)",
            r"(?:no rights|some rights|all rights) reserved(?: by the author)?",
        ),
        rest(r"sign up to discover human stories that deepen your understanding of the world\.?", heading=False),
        *strong(r"[\d.,]+[km]? followers(?:\W*[\d.,]+[km]? following)?(?:\W.{0,80})?", label="followers"),
        rest(r"written by .{1,60}", heading=False, proof="followers"),
        rest(r"more from .{1,80}", r"recommended from medium"),
        BAR,
        COUNTER,
        weak(r"\W*follow(?:ing)?", label="follow"),
        weak(
            "medium", "listen", "sign ?(?:up|in)", "write", "search", "get started", "get unlimited access",
            "help", "status", "about", "careers", "press", "blog", "privacy", "rules", "terms", "teams",
            "\\W*editor for.*", "in", "subscribe", "press enter or click to view image in full size",
        ),
        weak(DATE, label="date"),
        weak(NAME, label="name", before=("date", "follow", "count", "read")),
        Rule(any_of(NAME), label="name", before=frozenset({"name"}), target=any_of(r"/(?:tag/|topic/|@)")),
    ),
)  # fmt: skip

_LINKEDIN = Platform(
    "linkedin",
    (
        *strong(
            r"agree & join linkedin",
            r"(?:sign in|join(?: now)?) to (?:view|see|leave|like|continue).{0,80}",
            r"report this (?:article|post|comment)",
            r"to view or add a comment, sign in\.?",
            r"(?:(?:like|celebrate|support|love|insightful|funny)\b ?){3,}",
            r"more articles by (?:this author|.{1,60})",
            r"(?:others also viewed|explore (?:topics|content categories))",
            r"by clicking (?:agree & join|continue to join or sign in).{0,250}",
        ),
        rest(r"more articles by .{1,60}", r"others also viewed", r"explore (?:topics|content categories)"),
        BAR,
        COUNTER,
        weak(
            "like", "celebrate", "support", "love", "insightful", "funny", "sign in", "join now", "see all",
            "published .{1,30}", "subscribe", "skip to main content", "[\\d,]+ followers",
        ),
        weak("\\+? ?follow", label="follow"),
        weak(DATE, label="date"),
        weak(NAME, label="name", before=("date", "follow")),
    ),
)  # fmt: skip

# Quarto's sites come with icons as empty marks ("__") from converters that know no icon fonts.
_QUARTO = Platform(
    "quarto",
    (
        *strong(r"__ ?copyright.{0,80}", r"(?:__ ?)+", r"[^_\n]{1,60} __"),
        *strong(r"__[^\W_][^_]{0,60}", label="icon"),
        weak("author", "published", "modified", "sections", "on this page", "table of contents", label="meta"),
        weak(DATE),
        Rule(any_of(r"\*{3}"), shape="break"),
        Rule(any_of(r"(?:[^.!?]|\.(?=\S)){0,60}"), shape="item"),
        weak(NAME, before=("meta", "icon")),
    ),
    evidence=3,
)

PLATFORMS = (_SUBSTACK, _MEDIUM, _LINKEDIN, _QUARTO)
