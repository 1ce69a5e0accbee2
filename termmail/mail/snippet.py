"""The text of a message for a list row, without layout, quotes and tags."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from termmail.mail.message import SectionKind, shown_sections
from termmail.mail.sanitize import clean, clean_lines

if TYPE_CHECKING:
    from termmail.mail.message import Message, Section

SNIPPET_SOURCE = 20_000  # characters of a body that are looked at for a snippet

_UNSEEN = ("style", "script", "head", "title", "template")
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]{0,15})")
_ATTRIBUTION = re.compile(
    r"(wrote|schrieb|écrit|escribió|scritto|schreef|escreveu|skrev|napisał\(a\)|написал|写道)\s?:$"
)


def html_words(source: str) -> str:
    """Return the text of an HTML source without its tags, in one pass. Good enough to find a word, not to read."""
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
    """Return the first words of the writer as one line of at most `limit` characters: no quotes, no signature.

    Where the sender wrote nothing, the words are those of the invitation, report, message or notice that is shown.
    """
    sections = shown_sections(message)
    own = [each for each in sections if each.kind is SectionKind.BODY]
    words = ""
    for section in own or sections:
        words = _section_words(section, limit)
        if words:
            break
    words = clean(words)
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def _section_words(section: Section, limit: int) -> str:
    if section.html:
        return " ".join(html_words(section.html[:SNIPPET_SOURCE]).split())
    if section.kind is SectionKind.BODY:
        return _own_words(section.text[:SNIPPET_SOURCE], limit)
    return " ".join(f"{section.title} {section.text[:SNIPPET_SOURCE]}".split())


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
