"""The block on top of a message: subject, people, date, files; then termmail's own warnings and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from termmail.mail import safe
from termmail.ui.words import long_date, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.mail.message import Address, Message
    from termmail.store.rows import Row

HeadLine = tuple[tuple[str, str], ...]
"""One line: texts, each with the name of its style (title, label, text, warning)."""

LABEL = 7
LOW = 14
"""Lines of the reader below which the block keeps to subject, sender and warnings."""


def head(row: Row, message: Message | None, notes: Iterable[str], width: int, height: int) -> list[HeadLine]:
    """The lines of the block, each at most `width` cells; few of them in a reader of few lines."""
    low = height < LOW
    lines: list[HeadLine] = [((safe.cut(row.subject or "(no subject)", width), "title"),)]
    lines += _people_lines(row, message, width, low=low)
    if message is not None:
        for words in _warnings(message):
            lines += _warning(words, width)
        if message.parts and not low:
            files = ", ".join(f"{part.name} ({size(part.size)})" for part in message.parts)
            room = max(1, width - LABEL - 20)
            lines.append(
                (("Files".ljust(LABEL), "label"), (safe.cut(files, room), "text"), (" · A opens or saves", "label"))
            )
    if not low:
        lines += [((safe.cut(" " * LABEL + note, width), "label"),) for note in notes]
    return lines[: max(2, height // 2)]


def _people_lines(row: Row, message: Message | None, width: int, *, low: bool) -> list[HeadLine]:
    if message is None:
        label = "To" if row.folder in {"Sent", "Drafts", "Outbox"} else "From"
        return _dated(label, row.recipients if label == "To" else row.sender, row.date, width, low=low)
    envelope = message.envelope
    lines = _dated("From", _people(envelope.sender) or "nobody", row.date, width, low=low)
    if not low:
        lines += [
            _labelled(label, _people(people), width)
            for label, people in (("To", envelope.to), ("Cc", envelope.cc))
            if people
        ]
    return lines


def _dated(label: str, people: str, date: int, width: int, *, low: bool) -> list[HeadLine]:
    """Who, and the date at the right edge; on a line of its own where there is no room beside a whole address."""
    when = long_date(date)
    room = width - LABEL - cell_len(people) - cell_len(when)
    if room >= 2:
        return [((label.ljust(LABEL), "label"), (people + " " * room, "text"), (when, "label"))]
    lines = [_labelled(label, people, width)]
    return lines if low else [*lines, ((" " * LABEL + when, "label"),)]


def _labelled(label: str, words: str, width: int) -> HeadLine:
    return ((label.ljust(LABEL), "label"), (safe.cut(words, max(1, width - LABEL)), "text"))


def _warning(words: str, width: int) -> list[HeadLine]:
    """A warning is never cut: it goes on in the next line."""
    lines: list[HeadLine] = []
    line = ""
    for word in words.split():
        if line and cell_len(f"{line} {word}") > width - 4:
            lines.append(((("  ! " if not lines else "    ") + line, "warning"),))
            line = word
        else:
            line = f"{line} {word}".strip()
    lines.append(((("  ! " if not lines else "    ") + safe.cut(line, max(1, width - 4)), "warning"),))
    return lines


def _people(addresses: Iterable[Address]) -> str:
    return ", ".join(safe.address_text(address) for address in addresses)


def _warnings(message: Message) -> list[str]:
    """What the reader should know before believing: from parsing, from the sender's domain, from the attachments."""
    found = list(message.warnings)
    found += [words for address in message.envelope.sender if (words := safe.domain_warning(address.email))]
    found += [f"{part.name}: {part.warning}" for part in message.parts if part.warning]
    return list(dict.fromkeys(found))
