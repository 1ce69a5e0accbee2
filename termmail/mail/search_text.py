"""What search looks through in a message: the text of every alternative, the names of its files, what it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.mail.message import SectionKind, View, shown_sections
from termmail.mail.query import Content
from termmail.mail.snippet import html_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.mail.message import Message, Section

TEXT_LIMIT = 1 << 20
"""Characters of one message that search looks through, at most."""
FILES_LIMIT = 500
"""Attachments whose names are looked through, at most."""

_LINK = re.compile(r"https?://|\bwww\.|<a\s[^>]{0,500}href", re.IGNORECASE)


class SearchText(Struct, frozen=True):
    """What is searched in a message besides its header."""

    text: str
    files: str
    contents: tuple[Content, ...]


def read(message: Message, limit: int = TEXT_LIMIT) -> SearchText:
    """Return what search looks through, at most `limit` characters of text.

    That is every section but notices, attached messages and the HTML beside a text included.
    """
    sections = _sections(message)
    pieces: list[str] = []
    room = limit
    for piece in _pieces(sections, limit):
        pieces.append(piece[:room])
        room -= len(piece) + 1
        if room <= 0:
            break
    names = [part.name for part in message.parts[:FILES_LIMIT]] + list(message.inner_files[:FILES_LIMIT])
    return SearchText("\n".join(pieces)[:limit], "\n".join(names), tuple(_contents(message, sections)))


def _sections(message: Message) -> tuple[Section, ...]:
    """Return the sections of the text view, then those that only the HTML view has."""
    found = shown_sections(message)
    return (*found, *(one for one in shown_sections(message, html=True) if one.view is View.HTML and one not in found))


def _pieces(sections: tuple[Section, ...], limit: int) -> Iterator[str]:
    seen: set[str] = set()
    for section in sections:
        if section.kind is SectionKind.NOTICE:
            continue
        if section.title:
            yield section.title
        text = section.text or html_words(section.html[: limit * 4])
        if section.view is View.HTML:
            # Most HTML says what the text beside it says.
            words = set(text.split())
            if words <= seen:
                continue
        elif section.view is View.TEXT:
            seen.update(text.split())
        if text:
            yield text


def _contents(message: Message, sections: tuple[Section, ...]) -> Iterator[Content]:
    if any(not part.inline for part in message.parts):
        yield Content.ATTACHMENT
    if any(one.kind is SectionKind.INVITATION for one in sections):
        yield Content.INVITE
    if any(_LINK.search(one.text) or _LINK.search(one.html) for one in sections):
        yield Content.LINK
