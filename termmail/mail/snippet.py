"""The words of a message for a list row and for the search index: no layout, no quotes, no tags."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from termmail.mail.sanitize import clean, clean_lines

if TYPE_CHECKING:
    from termmail.mail.message import Message

SNIPPET_SOURCE = 20_000  # characters of a body that are looked at for a snippet

_UNSEEN = ("style", "script", "head", "title", "template")
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_ATTRIBUTION = re.compile(
    r"(wrote|schrieb|écrit|escribió|scritto|schreef|escreveu|skrev|napisał\(a\)|написал|写道)\s?:$"
)


def html_words(source: str) -> str:
    """The text of an HTML source without its tags, in one pass. Good enough to find a word, not to read."""
    pieces: list[str] = []
    position, lowered = 0, source.lower()
    while True:
        start = source.find("<", position)
        if start < 0:
            pieces.append(source[position:])
            break
        pieces.append(source[position:start])
        if source.startswith("<!--", start):
            end = source.find("-->", start)
            position = end + 3 if end >= 0 else len(source)
            continue
        name = _TAG_NAME.match(source, start + 1)
        if name is None and source[start + 1 : start + 2] not in ("!", "?"):
            pieces.append("<")
            position = start + 1
            continue
        end = source.find(">", start)
        position = end + 1 if end >= 0 else len(source)
        if name and name[1].lower() in _UNSEEN and source[start + 1] != "/":
            close = lowered.find(f"</{name[1].lower()}", position)
            position = close if close >= 0 else len(source)
        pieces.append(" ")
    return clean_lines(html.unescape("".join(pieces)))


def snippet(message: Message, limit: int = 160) -> str:
    """The first words the writer wrote, as one line of at most `limit` characters: no quotes, no signature."""
    if message.text:
        words = _own_words(message.text[:SNIPPET_SOURCE], limit)
    else:
        words = " ".join(html_words(message.html[:SNIPPET_SOURCE]).split())
    words = clean(words)
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _own_words(text: str, limit: int) -> str:
    found: list[str] = []
    length = 0
    for line in text.split("\n"):
        if line in ("-- ", "--") or length > limit:
            break
        words = " ".join(line.split())
        if words.startswith((">", "|")) or not words.strip("-=_*#~ ") or _ATTRIBUTION.search(words[-80:]):
            continue
        found.append(words)
        length += len(words) + 1
    return " ".join(found)


def search_text(message: Message, limit: int = 200_000) -> str:
    """What the search index reads of the body: its text and the names of its attachments, at most `limit` characters."""
    body = message.text or html_words(message.html[: limit * 4])
    names = "\n".join(part.name for part in message.parts[:200])
    return f"{body[: max(0, limit - len(names) - 1)]}\n{names}"[:limit]
