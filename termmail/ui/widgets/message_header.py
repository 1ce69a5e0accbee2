"""Lay out the block on top of a message: subject, people, date, files; then termmail's own warnings and notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells

from termmail.mail import sanitize
from termmail.mail.counting import count
from termmail.mail.model import MessageRow, Role
from termmail.ui.humanize import long_date, size
from termmail.ui.widgets.list_row import BACK, facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.mail.message import Message
    from termmail.mail.model import Row

HeadLine = tuple[tuple[str, str], ...]
"""One line: texts, each with the name of its style (title, label, text, warning)."""

LABEL = 7
MORE_LINES = 2
"""Lines beyond the first that the people a message went to may take."""
MOST_NAMES = 60
"""People and files that are looked at: more never fit."""
MOST_WARNINGS = 20
"""Warnings about files that are shown."""
LOW = 14
"""Lines of the reader below which the block keeps to subject, sender and warnings, and in Sent to whom it went."""


def head(
    row: Row, message: Message | None, notes: Sequence[str], width: int, height: int, *, warned: int = 0
) -> list[HeadLine]:
    """Return the lines of the block, each at most `width` cells and together at most half of `height`.

    A note that does not fit whole is left out. The first `warned` of the notes are warnings: those stand above
    everything that could push them out, and where there is no room for them one line says how many there are. The
    sender's address is never cut, for a look-alike would hide in what is missing.
    """
    low, budget = height < LOW, max(2, height // 2)
    top: list[HeadLine] = [((sanitize.cut(row.subject or "(no subject)", width), "title"),)]
    who = _who(row, message, width, low=low)
    found = warnings(message, notes[:warned])
    elsewhere = [line for words in replies_elsewhere(message) for line in _folded(words, width, " " * LABEL, "text")]
    if elsewhere and len(top + who + elsewhere) + bool(found) > budget:
        found, elsewhere = [*found, *replies_elsewhere(message)], []
    if found and len(top + who) >= budget:
        top = [] if len(who) >= budget - 1 else top
        who = who[: budget - 1]
    lines = [*top, *who, *elsewhere]
    lines += _warned(found, width, budget - len(lines))
    if message is not None and (not low or _is_sent(row)):
        lines += _others(message, width, budget - len(lines))
    if len(lines) < budget and (own := _marks(row, width)) is not None:
        lines.append(own)
    for note in notes[warned:]:
        told = _folded(note, width, " " * LABEL, "label")
        lines += told if len(lines) + len(told) <= budget else []  # half a sentence is worse than none
    return lines[:budget]


def _marks(row: Row, width: int) -> HeadLine | None:
    """Return what the user attached to the message: a star, labels, and when it comes back."""
    if not isinstance(row, MessageRow):
        return None
    words = ["★"] if row.starred else []
    words += [f"‹{one.name}›" for one in row.labels]
    words += [f"snoozed until {long_date(row.snoozed_until)}"] if row.snoozed_until else []
    words += [f"reminder {long_date(row.remind_at)} if nobody answers"] if row.remind_at else []
    words += [BACK[row.returned]] if row.returned else []
    words += ["muted"] if row.muted else []
    if not words:
        return None
    return (("Marks".ljust(LABEL), "label"), (sanitize.cut(" ".join(words), max(1, width - LABEL)), "text"))


def _is_sent(row: Row) -> bool:
    return isinstance(row, MessageRow) and row.role is Role.SENT


def _warned(found: list[str], width: int, room: int) -> list[HeadLine]:
    """Return every warning, or those that fit whole and how many more there are."""
    each = [_folded(words, width, "  ! ", "warning") for words in found]
    if not each or sum(map(len, each)) <= room:
        return [line for lines in each for line in lines]
    shown: list[HeadLine] = []
    while len(shown) + len(each[0]) < room:
        shown += each.pop(0)
    left = count(len(each), "more warning" if shown else "warning")
    return [*shown, ((sanitize.cut(f"  ! {left} · h", width), "warning"),)]


def replies_elsewhere(message: Message | None) -> list[str]:
    """Return a sentence on where a reply goes, where that is not the sender; else nothing."""
    if message is None:
        return []
    senders = {address.email.casefold() for address in message.envelope.sender}
    others = [one for one in message.envelope.reply_to if one.email and one.email.casefold() not in senders]
    return [f"Replies go to {', '.join(map(sanitize.address_text, others[:3]))}"] if others else []


def _who(row: Row, message: Message | None, width: int, *, low: bool) -> list[HeadLine]:
    """Return sender or recipients with the date: at the right edge, or on a line of its own where there is no room."""
    label, people = "From", facts(row).who
    if message is not None:
        people = ", ".join(map(sanitize.address_text, message.envelope.sender)) or "nobody"
    elif isinstance(row, MessageRow) and row.conversation is not None:
        label = "With"
    elif not isinstance(row, MessageRow) or row.role is Role.SENT:
        label, people = "To", people.removeprefix("To: ")
    when = long_date(row.date)
    room = width - LABEL - cell_len(people) - cell_len(when)
    if room >= 2:
        return [((label.ljust(LABEL), "label"), (people + " " * room, "text"), (when, "label"))]
    lines = _whole(label, people, width)
    return lines if low else [*lines, ((sanitize.cut(" " * LABEL + when, width), "label"),)]


def _whole(label: str, words: str, width: int) -> list[HeadLine]:
    """Return words that are never cut: they continue on the next line, broken at blanks where there are any."""
    lines = _folded(words, width, " " * LABEL, "text")
    first = "".join(text for text, _ in lines[0])[LABEL:]
    return [((label.ljust(LABEL), "label"), (first, "text")), *lines[1:]]


def _others(message: Message, width: int, room: int) -> list[HeadLine]:
    """Return who else received it, all of them as long as there is room, and its files."""
    lines: list[HeadLine] = []
    envelope = message.envelope
    rows = [(label, people) for label, people in (("To", envelope.to), ("Cc", envelope.cc)) if people]
    room -= len(rows) + bool(message.parts)
    for label, people in rows:
        names = [sanitize.address_text(one) for one in people[:MOST_NAMES]]
        whole = _whole(label, ", ".join(names), width)
        if len(names) == len(people) and len(whole) - 1 <= min(room, MORE_LINES):
            room -= len(whole) - 1
            lines += whole
        else:
            few = _as_many_as_fit(names, max(1, width - LABEL), len(people))
            lines.append(((label.ljust(LABEL), "label"), (few, "text")))
    if message.parts:
        hint = " · A opens or saves" if width >= 50 else ""
        names = [f"{part.name} ({size(part.size)})" for part in message.parts[:MOST_NAMES]]
        files = _as_many_as_fit(names, max(1, width - LABEL - len(hint)), len(message.parts))
        lines.append((("Files".ljust(LABEL), "label"), (files, "text"), (hint, "label")))
    return lines


def _as_many_as_fit(names: list[str], room: int, total: int) -> str:
    """Return as many of the names as fit whole, then how many more of `total` there are."""
    shown = ""
    for place, name in enumerate(names, 1):
        longer = f"{shown}, {name}" if shown else name
        more = f" and {total - place} more" if place < total else ""
        if cell_len(longer) + len(more) > room and shown:
            more = f" and {total - place + 1} more"
            return sanitize.cut(shown, max(1, room - len(more))) + more
        shown = longer
    more = f" and {total - len(names)} more" if total > len(names) else ""
    return sanitize.cut(shown, max(1, room - len(more))) + more


def _folded(words: str, width: int, margin: str, style: str) -> list[HeadLine]:
    """Return a sentence in as many lines as it needs, `margin` before the first and blanks before the others."""
    blank = " " * len(margin)
    lines = broken(words, width - len(margin))
    return [(((blank if place else margin) + line, style),) for place, line in enumerate(lines)]


def broken(words: str, room: int) -> list[str]:
    """Return a sentence in lines of at most `room` cells, broken at blanks where there are any."""
    room = max(1, room)
    pieces = [
        piece for word in words.split() for piece in (chop_cells(word, room) if cell_len(word) > room else [word])
    ]
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]} {piece}".strip()
        if cell_len(longer) <= room:
            lines[-1] = longer
        else:
            lines.append(piece)
    return lines


def warnings(message: Message | None, notes: Sequence[str] = ()) -> list[str]:
    """Return the warnings about a message: from parsing, the sender's domain, its attachments and links."""
    if message is None:
        return list(notes)
    found = list(message.warnings)
    found += [words for address in message.envelope.sender if (words := sanitize.domain_warning(address.email))]
    found += [f"{part.name}: {part.warning}" for part in message.parts if part.warning][:MOST_WARNINGS]
    return list(dict.fromkeys([*found, *notes]))
