"""A conversation as one page: unread messages and the newest whole, the others one line each."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len

from termmail.errors import UserError
from termmail.mail.conversation import ancestors
from termmail.mail.counting import count
from termmail.mail.message import Line, Rendered
from termmail.mail.sanitize import address_text, cut
from termmail.ui.reading_text import with_answer
from termmail.ui.widgets.message_header import broken, warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from termmail.engine.engine import Engine
    from termmail.engine.message_reader import Look
    from termmail.mail.message import Link, Message
    from termmail.mail.model import MessageRow
    from termmail.ui.humanize import Today

WHOLE_AT_MOST = 30
"""Messages that a page shows whole: the newest of those that it should."""

HIDDEN_FROM = 2
"""Quoted lines in a row that are worth hiding."""

SENDERS = 3
"""Senders of one message that are named."""

MARK = re.compile(r"\[(\d{1,4})\]")


class Opened(Struct, frozen=True):
    """A message of the page that is shown whole: its text as lines, and what is told of it before."""

    message: Message
    rendered: Rendered
    warnings: tuple[str, ...] = ()


def shown_whole(rows: Sequence[MessageRow], newest: int, *, every: bool) -> list[MessageRow]:
    """Return the messages that a page shows whole: unread ones, the last one, and `newest`, or every one."""
    wanted = [row for row in rows if every or row.unread or row.message_id == newest or row is rows[-1]]
    older, last = wanted[:-WHOLE_AT_MOST], wanted[-WHOLE_AT_MOST:]
    return [*(row for row in older if row.message_id == newest), *last]


def _in_order(rows: Iterable[MessageRow], newest: int, *, every: bool) -> tuple[list[MessageRow], list[MessageRow]]:
    """Return the rows in the order of the page, and those that it shows whole."""
    found = sorted(rows, key=lambda row: (row.date, row.message_id))
    return found, shown_whole(found, newest, every=every) if found else []


def page(rows: Iterable[MessageRow], opened: dict[int, Opened], today: Today, width: int, *, quotes: bool) -> Rendered:
    """Return the page as lines of about `width` cells, and the links of all of it, numbered through.

    `rows` are in the order of the page. Without `quotes`, what a message quotes of another one of the page is hidden.
    """
    rows = list(rows)
    there = {row.rfc_message_id for row in rows if row.rfc_message_id}
    lines: list[Line] = []
    links: list[Link] = []
    for row in rows:
        one = opened.get(row.message_id)
        if one is None:
            lines.append(_closed(row, today.date(row.date), width))
            continue
        if lines:
            lines.append(Line(""))
        body, found = _renumbered(one.rendered, len(links))
        envelope = one.message.envelope
        answers = bool(there.intersection(ancestors(envelope.references, envelope.in_reply_to)))
        lines += _heading(row, one.message, today.date(row.date), width)
        lines += [Line(text, kind="warning") for words in one.warnings for text in broken(f"! {words}", width)]
        lines += body if quotes or not answers else _without_quotes(body)
        links += found
    return Rendered(tuple(lines), tuple(links))


def _heading(row: MessageRow, message: Message, date: str, width: int) -> list[Line]:
    """Return the lines above a message: its sender, whose address is never cut, and its date."""
    people = message.envelope.sender[:SENDERS]
    who = ", ".join(map(address_text, people)) or "nobody"
    mark = "● " if row.unread else ""
    room = width - cell_len(mark) - cell_len(who) - cell_len(date)
    if room >= 2:
        return [Line(f"{mark}{who}{' ' * room}{date}", kind="from")]
    return [Line(text, kind="from") for text in (*broken(mark + who, width), date)]


def _closed(row: MessageRow, date: str, width: int) -> Line:
    """Return the line of a message that is not shown whole: its sender, its first words and its date."""
    mark = "● " if row.unread else ""
    words = " · ".join(filter(None, (row.sender or "(nobody)", row.snippet or row.note)))
    text = cut(mark + words, max(width - cell_len(date) - 2, 1))
    return Line(f"{text}{' ' * max(width - cell_len(text) - cell_len(date), 2)}{date}", kind="closed")


def _renumbered(rendered: Rendered, before: int) -> tuple[list[Line], list[Link]]:
    """Return lines and links whose marks [1], [2], ... go on behind so many others."""
    if not before or not rendered.links:
        return list(rendered.lines), list(rendered.links)
    numbers = {link.number for link in rendered.links if link.number}

    def later(found: re.Match[str]) -> str:
        number = int(found[1])
        return f"[{number + before}]" if number in numbers else found[0]

    lines = [replace(line, text=MARK.sub(later, line.text)) if "[" in line.text else line for line in rendered.lines]
    return lines, [replace(one, number=one.number + before) if one.number else one for one in rendered.links]


def _without_quotes(lines: Sequence[Line]) -> list[Line]:
    """Hide what a message quotes before or behind all of its own words; what it answers line by line stays."""
    runs = _quoted_runs(lines)
    hidden: Collection[tuple[int, int]] = ()
    if runs:
        behind = all(line.kind == "signature" or not line.text.strip() for line in lines[runs[-1][1] :])
        hidden = runs if len(runs) == 1 else runs[-1:] if behind else ()
    found = list(lines)
    for start, end in reversed(list(hidden)):
        if end - start >= HIDDEN_FROM:
            found[start:end] = [Line(f"… {count(end - start, 'quoted line')} · Q shows quotes", kind="fold")]
    return found


def _quoted_runs(lines: Sequence[Line]) -> list[tuple[int, int]]:
    """Return where quoted lines begin and end; blank lines between two of them belong to them."""
    runs: list[tuple[int, int]] = []
    for place, line in enumerate(lines):
        if not line.quote:
            continue
        if runs and all(not between.text.strip() for between in lines[runs[-1][1] : place]):
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs


class ConversationPage:
    """The messages of a conversation, as far as they are loaded, and which of them the page shows whole."""

    def __init__(self, engine: Engine, newest: int) -> None:
        self.newest = newest
        """The message that the row of the list stands for: the newest one there."""
        self.every = False
        """Every message is shown whole."""
        self.quotes = False
        """What the messages quote of each other is shown."""
        self.missing = 0
        """Messages that should be shown whole, and whose text is still on a server."""
        self.trouble = ""
        """Why a text could not be fetched."""
        self.opened: dict[int, Opened] = {}
        self._engine = engine
        self._rows: list[MessageRow] = []

    async def load(
        self,
        width: int,
        *,
        look: Look,
        key: str = "",
        fetch: bool,
        progress: Callable[[str], None] = lambda _words: None,
    ) -> None:
        """Read what the page shows whole, with `fetch` from the servers where it is not here.

        `key` answers the invitation in the newest message. Raises StoreError.
        """
        rows = self._rows or await self._engine.lists.conversation(self.newest)
        self._rows, whole = await asyncio.to_thread(_in_order, rows, self.newest, every=self.every)
        opened: dict[int, Opened] = {}
        self.missing, self.trouble = 0, ""
        for place, row in enumerate(whole, 1):
            message = await self._engine.reader.peek(row.message_id)
            if message is None and fetch and not self.trouble:
                progress(f"Fetching {place} of {count(len(whole), 'message')} …")
                message = await self._fetched(row)
            if message is None:
                self.missing += 1
                continue
            rendered = await self._engine.reader.rendered(row.message_id, width, look=look)
            key_here = key if row.message_id == self.newest else ""
            rendered = await with_answer(self._engine, row, message, rendered, width, key_here)
            judged = await self._engine.senders.judge(row.account, message)
            told = warnings(message, [*judged.warnings, *rendered.notes[: rendered.warned]])
            opened[row.message_id] = Opened(message, rendered, tuple(told))
        self.opened = opened

    async def _fetched(self, row: MessageRow) -> Message | None:
        try:
            return await self._engine.reader.read(row.message_id)
        except UserError as error:
            self.trouble = f"{error} {error.advice}".strip()
        return None

    def lines(self, today: Today, width: int) -> Rendered:
        """Return the page as it was loaded."""
        rendered = page(self._rows, self.opened, today, width, quotes=self.quotes)
        told = [self.trouble] if self.trouble else []
        if self.missing and not self.trouble:
            told = [f"The text of {count(self.missing, 'message')} is still on the server. Enter fetches it."]
        found = [Line(text, kind="fold") for words in told for text in broken(words, width)]
        return replace(rendered, lines=(*rendered.lines, *([Line("")] if found else []), *found))

    def words(self) -> str:
        """Return how many messages the page is about, and how many of them it shows whole."""
        closed = len(self._rows) - len(self.opened)
        return f"{count(len(self._rows), 'message')}" + (f", {closed} of them folded" if closed else "")
