"""Lines that are chrome on every kind of site: cookie banners, share bars, newsletter boxes, footers, comment forms."""

from llm_twin_assets.features.chrome_rules import BAR, DATE, DOMAIN, MONTH, Platform, Rule, any_of, rest, strong, weak

_CONSENT = (
    r"(?:your (?:[\w-]+ ){0,2}experience|by (?:continuing|using|clicking)|you (?:agree|accept|consent|can opt)|"
    r"(?:cookie|privacy) policy|analy[sz]e (?:our |site )?traffic|personali[sz]e)"
)
_FIRST_AT = (
    r"(?:this (?:article|post|story|piece|essay) (?:was|has been|is) )?(?:originally|first|also|cross-?) ?"
    r"(?:published|posted|appeared)"
)
_LEGAL = (
    r"(?:privacy(?: policy)?|cookie policy|terms(?: (?:of|&|and) \w+)?|contact(?: us)?|about(?: us)?|imprint|sitemap|"
    r"rss)"
)
_ELSEWHERE = r"(?:medium|substack|linkedin|dev\.to|hashnode|hackernoon|towards data science|wordpress|blogger|tumblr)"

ANYWHERE = Platform(
    "anywhere",
    (
        *strong(
            r"skip to (?:main |primary |the )?(?:content|navigation|search|footer)",
            r"(?:we (?:value|respect) your privacy\W+)?"
            rf"(?:(?:this|our|the) (?:web)?site|we|{DOMAIN}) uses? (?:[\w ]+ )?cookies?\b(?=.*{_CONSENT}).{{0,300}}",
            r"(?:this|our) (?:web)?site uses cookies\.?",
            r"by (?:continuing|using|browsing) .{0,60}\byou (?:agree|consent|accept)\b.{0,40}\bcookies.{0,80}",
            r"(?:accept|reject|allow|decline|manage) (?:all|cookies|all cookies|non-essential cookies)",
            r"(?:cookie|privacy) (?:settings|preferences)|close and accept",
            rf"{_FIRST_AT} (?:at|on|in) (?:https?://\S+|{DOMAIN}\S*|my (?:own )?(?:blog|site|newsletter)|{_ELSEWHERE})"
            rf"(?:(?: on| in|,)? (?:{DATE}|{MONTH} \d{{4}}|\d{{4}}))?\.?",
            r"click to (?:share|e?mail|print) .{0,60}\(opens in new window\)",
            r"like this: ?like loading(?:…|\.\.\.)|like loading(?:…|\.\.\.)",
            r"(?:proudly )?powered by (?:wordpress|ghost|hugo|jekyll|blogger|substack|medium|quarto|astro|hexo)\b"
            r"(?:\W+(?:[\w:’']+\W*){0,4})?",
            r"save my name, email,? and website in this browser .{0,40}",
            r"this site uses akismet.{0,80}",
            r"(?:(?:©|\(c\)|copyright) ?){1,2}(?:\d{4}(?: ?[-–] ?\d{4})?)?.{0,60}all rights reserved.{0,60}",
            r"(?:sign up|subscribe)(?: (?:for|to))(?: (?:our|my|the))?(?: (?:free|weekly|monthly|daily))? newsletter"
            r"(?: to (?:get|receive|stay) .{0,80})?[.!]?",
            r"(?:thanks|thank you) for subscribing[.!]",
            r"enter your email(?: address)?(?: to subscribe.{0,60})?(?:…|\.\.\.)?",
            r"thanks for reading .{1,80}?[!.] subscribe for free to receive new posts.{0,60}[.!]?",
            r"share this(?: (?:post|article|story|page))?:?|share (?:this|on)(?: (?:post|article|story|page))?:?"
            r"(?:,? (?:on |via )?(?:x|twitter|facebook|linkedin|reddit|e-?mail|whatsapp|hacker news)\b\W*){1,8}",
            r"(?:(?:share|post|save|tweet) (?:on|to|via) [\w.]+\W*){2,}",
            rf"\W*(?:(?:{DATE})\W+)?\d+ min(?:ute)?s? read(?:\W+(?:{DATE}))?",
            r"(?:get|have|receive) .{0,60}(?:delivered|sent) (?:right |straight |directly )?to your inbox[.!]?",
            r"copyright ?(?:©|\(c\)) ?\d{4}.{0,60}",
            rf"{_LEGAL}(?: ?[|·•∙/–-] ?{_LEGAL}){{1,6}}",
            r"(?:tweet|share|pin)(?: (?:tweet|share|pin|e-?mail|print|reddit)){2,}",
            r"[←«‹<] ?(?:previous|older|prev)(?: (?:post|article|posts|page))?",
            r"[←«‹<] ?(?:previous|older|prev)\b.{0,120}\b(?:next|newer)(?: (?:post|article|posts|page))? ?[→»›>]",
            r"(?:next|newer)(?: (?:post|article|posts|page))? ?[→»›>]",
            r"(?:edit this page(?: on github)?|view page source|was this page helpful\?.{0,20}|report an issue)",
            r"home(?: ?[»›>/] ?[^\n.!?»›>]{1,60}){1,5}",
        ),
        *strong(r"your email address will not be published\..{0,60}", label="form"),
        Rule(
            any_of(r"[←«‹<] ?(?:previous|older|prev)\b.{0,120}", r"(?:next|newer)\b.{0,120}[→»›>]"),
            strong=True,
            target=any_of("."),
        ),
        Rule(any_of(rf"{_FIRST_AT}(?: (?:at|on|in|here)\b.{{0,100}})"), strong=True, target=any_of(".")),
        rest(r"leave a (?:reply|comment)(?: cancel reply)?", proof="form"),
        rest(r"(?:\d+|one) (?:thoughts?|responses?|repl(?:y|ies)|comments?)(?: (?:on|to) .{1,120})?", proof="form"),
        BAR,
        weak(
            "subscribe(?: now)?", "sign ?(?:in|up)", "log ?in", "menu", "search", "home", "toggle navigation", "accept",
            "comment ?\\*?", "name ?\\*?", "e-?mail ?\\*", "website", "post comment", "reply", "close", "related posts",
            "back to top ?[↑^]?", "(?:previous|next|older|newer) (?:post|article|page)s?", "you m(?:ight|ay) also like",
            "learn more\\.?", "read more", "privacy policy", "terms of (?:use|service)", "contact(?: us)?",
            "about(?: us)?", "required fields are marked \\*", "leave a comment", "\\(?opens in new window\\)?",
            "rss(?: feed)?", "©.{0,80}", "no thanks", "cookie policy", "imprint|impressum", "blog", "archives?",
            "posts", "projects", "tags", "categories", "newsletter", "publications", "talks", "cv|resume|résumé",
            "github", "docs|documentation", "pricing", "toggle (?:theme|dark mode)", "table of contents", "portfolio",
            label="menu",
        ),
    ),
    evidence=1,
)  # fmt: skip
