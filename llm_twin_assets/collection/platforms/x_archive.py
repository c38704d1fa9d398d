"""X's data archive: `data/tweets.js` and what goes with it. Each file assigns JSON to a variable; it is only parsed.

A thread, that is the author's answers to their own posts, is one document under the address of its first post: it was
written as one text, cut to length. An answer to somebody else stands for itself and keeps the name that it begins with.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TypeAlias, TypeVar

from llm_twin_assets.collection.connector import Collectable, Found, Listed, Quarantined
from llm_twin_assets.collection.reading.dates import utc
from llm_twin_assets.collection.reading.export import Export, ExportError, read_text, where
from llm_twin_assets.domain.document import Category
from llm_twin_assets.domain.identity import Json

LISTING = "posts"
# `tweet.js` until 2022. Direct messages, likes and the rest are never opened.
_TWEETS = re.compile(r"tweets?(-part\d+)?\.js")
_NOTES = re.compile(r"note-tweet(-part\d+)?\.js")
_SHORT_LINK = re.compile(r"https?://t\.co/\w+")
_MENTIONS = re.compile(r"(?:@\w+\s+)+")
# X escapes these three and nothing else.
_ESCAPED = re.compile(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_AGAIN = "Ask X for the archive again (Settings, Your account, Download an archive of your data)."
# A long post and its note are saved in two steps; seconds. What is cut is never cut to less than these characters.
_APART = 5
_LEAST_IN_COMMON = 30


@dataclass(frozen=True, slots=True)
class Tweet:
    """One post as archived; `text` is readable, with its links in full."""

    id: str
    text: str
    moment: datetime | None
    answers: str | None
    screen_name: str | None


@dataclass(frozen=True, slots=True)
class Note:
    """The whole text of a post that is longer than a tweet; only its time and its beginning say which.

    `skeleton` is what two spellings of the text have in common.
    """

    text: str
    skeleton: str
    moment: datetime


# By the second of their making.
Notes: TypeAlias = dict[int, list[Note]]
T = TypeVar("T")


def is_wanted(name: str) -> bool:
    """Whether a file of the archive is read at all."""
    path = PurePosixPath(name)
    return path.parent.name in ("data", "") and bool(_TWEETS.fullmatch(path.name) or _NOTES.fullmatch(path.name))


def documents(export: Export, handle: str | None = None) -> Iterator[Collectable]:
    """Every post of the author; no retweets, and nothing where only a picture was posted."""
    names = [name for name in export.names() if is_wanted(name)]
    tweet_files = [name for name in names if _TWEETS.fullmatch(PurePosixPath(name).name)]
    if not tweet_files:
        raise ExportError("holds no data/tweets.js", where=str(export.path), mend=_AGAIN)
    notes: Notes = {}
    for note in _read(export, [name for name in names if name not in tweet_files], "noteTweet", _note):
        if isinstance(note, Quarantined):
            yield note
        elif note:
            notes.setdefault(int(note.moment.timestamp()), []).append(note)
    tweets: dict[str, Tweet] = {}
    for tweet in _read(export, tweet_files, "tweet", _tweet):
        if isinstance(tweet, Quarantined):
            yield tweet
        elif tweet:
            tweets[tweet.id] = replace(tweet, text=whole(tweet, notes))
    yield from (document for thread in threads(tweets) if (document := _document(thread, handle)))
    yield Listed(LISTING)


def whole(tweet: Tweet, notes: Notes) -> str:
    """The text of the long post that a tweet is the beginning of, else its own.

    Nothing but the moment and the words says which note belongs to which tweet; whom it answers stands in the tweet
    alone.
    """
    if tweet.moment is None:
        return tweet.text
    mentions = _MENTIONS.match(tweet.text)
    lead = mentions.group() if mentions else ""
    cut, without_lead = _skeleton(tweet.text), _skeleton(tweet.text[len(lead) :])
    if len(without_lead) < _LEAST_IN_COMMON:
        return tweet.text
    second = int(tweet.moment.timestamp())
    for note in (note for at in range(second - _APART, second + _APART + 1) for note in notes.get(at, ())):
        if len(cut) < len(note.skeleton) and note.skeleton.startswith(cut):
            return note.text
        if len(without_lead) < len(note.skeleton) and note.skeleton.startswith(without_lead):
            return lead + note.text
    return tweet.text


def threads(tweets: Mapping[str, Tweet]) -> list[list[Tweet]]:
    """Posts with the author's answers to them, each thread and all threads in the order of their ids, which is time."""
    found: dict[str, list[Tweet]] = {}
    first: dict[str, str] = {}
    for tweet in sorted(tweets.values(), key=lambda each: (len(each.id), each.id)):
        # What is answered is older, so its own beginning is known by now.
        start = first.get(tweet.answers or "", tweet.id)
        first[tweet.id] = start
        found.setdefault(start, []).append(tweet)
    return list(found.values())


def json_of(text: str) -> Json:
    """The array in `window.YTD.tweets.part0 = [...]`; raises ValueError if there is none."""
    value: Json = json.JSONDecoder().raw_decode(text, text.index("["))[0]
    return value


def readable(text: str, links: Mapping[str, str]) -> str:
    """Text without escapes and with short links written out; a link to the post's own picture is none to read."""
    plain = _ESCAPED.sub(lambda found: _CHARACTERS[found.group(1)], text)
    return _SHORT_LINK.sub(lambda found: links.get(found.group(), found.group()), plain).strip()


def _read(
    export: Export, names: Sequence[str], wrapper: str, parse: Callable[[Mapping[str, Json], str], T]
) -> Iterator[T | Quarantined]:
    for name in names:
        text = read_text(export, name)
        if isinstance(text, Quarantined):
            yield text
            continue
        try:
            entries = json_of(text)
        except (ValueError, RecursionError) as error:
            yield Quarantined(where(export, name), f"holds no JSON that can be read ({error}). {_AGAIN}")
            continue
        for number, entry in enumerate(entries if isinstance(entries, list) else ()):
            place = f"{where(export, name)}[{number}]"
            inner = entry.get(wrapper, entry) if isinstance(entry, Mapping) else None
            yield parse(inner if isinstance(inner, Mapping) else {}, place)


def _tweet(entry: Mapping[str, Json], place: str) -> Tweet | Quarantined | None:
    identity, text = entry.get("id_str") or entry.get("id"), entry.get("full_text") or entry.get("text")
    if not isinstance(identity, str) or not identity.isdigit() or not isinstance(text, str):
        return Quarantined(place, f"has no id_str or no full_text. {_AGAIN}")
    if text.startswith("RT @") or "retweeted_status" in entry:
        return None
    entities = entry.get("entities")
    links = _links(entities, "urls", "url", "expanded_url") | _links(entities, "media", "url", None)
    answers, name = entry.get("in_reply_to_status_id_str"), entry.get("in_reply_to_screen_name")
    return Tweet(
        identity,
        readable(text, links),
        moment_of(entry.get("created_at")),
        answers if isinstance(answers, str) else None,
        name if isinstance(name, str) else None,
    )


def moment_of(stated: Json) -> datetime | None:
    """`Mon Jan 05 08:36:41 +0000 2026`, or ISO as the notes have it."""
    parts = stated.split() if isinstance(stated, str) else []
    if len(parts) != 6:
        return utc(stated)
    _, month, day, time, zone, year = parts
    return utc(f"{day} {month} {year} {time} {zone}")


def _note(entry: Mapping[str, Json], place: str) -> Note | Quarantined:
    core, moment = entry.get("core"), moment_of(entry.get("createdAt"))
    text = core.get("text") if isinstance(core, Mapping) else None
    if not isinstance(text, str) or moment is None:
        return Quarantined(place, f"is a long post without text or date. {_AGAIN}")
    links = _links(core, "urls", "shortUrl", "expandedUrl")
    # A bare < or & shows that this text was not escaped.
    escaped = not re.search(r"[<>]|&(?!(?:amp|lt|gt);)", text)
    whole_text = readable(text if escaped else text.replace("&", "&amp;"), links)
    return Note(whole_text, _skeleton(whole_text), moment)


def _skeleton(text: str) -> str:
    """A text without what differs when it is cut: links, blanks, the dots at its end."""
    return "".join(re.sub(r"https?://\S*", "", text).rstrip("… \n").split())


def _links(entities: Json, kind: str, short: str, full: str | None) -> dict[str, str]:
    """Short link to full; to nothing where no name for the full one is given."""
    listed = entities.get(kind) if isinstance(entities, Mapping) else None
    found: dict[str, str] = {}
    for each in listed if isinstance(listed, list) else ():
        target = (each.get(full) if full else "") if isinstance(each, Mapping) else None
        if isinstance(each, Mapping) and isinstance(target, str) and isinstance(key := each.get(short), str):
            found[key] = target
    return found


def _document(thread: Sequence[Tweet], handle: str | None) -> Found | None:
    first, *rest = thread
    # Answering oneself used to put one's own name first.
    texts = [first.text, *(tweet.text.removeprefix(f"@{tweet.screen_name} ").lstrip() for tweet in rest)]
    text = "\n\n".join(text for text in texts if text)
    permanent = f"https://x.com/i/web/status/{first.id}"
    if not text:
        return None
    return Found(
        stable_id=permanent,
        category=Category.POST,
        title=None,
        content=text,
        media_type="text/plain",
        url=f"https://x.com/{handle}/status/{first.id}" if handle else permanent,
        published_at=first.moment,
        dated_by="platform" if first.moment else "nothing",
        listing=LISTING,
    )
