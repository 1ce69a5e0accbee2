"""A message to read: who and what in a calm block on top, the body below, and nothing a stranger can draw on outside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Event
from textual.widget import Widget
from textual.worker import get_current_worker

from termmail.accounts.passwords import PasswordError
from termmail.engine.views import View
from termmail.mail import safe
from termmail.mail.message import Line, Rendered
from termmail.net.errors import NetError
from termmail.store.errors import StoreError
from termmail.ui.widgets.body import Body
from termmail.ui.words import long_date, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.message import Address, Message
    from termmail.store.rows import Row

LOW = 14
"""Lines below which the block on top keeps to subject and sender."""


class Head(Widget):
    """Subject, people, date, attachments; then termmail's own warnings and notes, which no body can imitate here."""

    def __init__(self) -> None:
        super().__init__(id="head")
        self._row: Row | None = None
        self._message: Message | None = None
        self._notes: tuple[str, ...] = ()

    def show(self, row: Row | None, message: Message | None, notes: tuple[str, ...] = ()) -> None:
        """From the row alone, until the message is here."""
        if (row, message, notes) != (self._row, self._message, self._notes):
            self._row, self._message, self._notes = row, message, notes
            self.refresh(layout=True)

    def render(self) -> Content:
        """As few lines as say it."""
        row, message = self._row, self._message
        if row is None:
            return Content("")
        low = self.parent is not None and isinstance(self.parent, Widget) and self.parent.size.height < LOW
        lines = [Content.assemble((row.subject or "(no subject)", "bold"))]
        lines += self._people(row, message, low=low)
        if message is not None:
            lines += [self._warning(words) for words in _warnings(message)]
            if message.parts and not low:
                files = ", ".join(f"{part.name} ({size(part.size)})" for part in message.parts)
                lines.append(self._labelled("Files", f"{files} · A opens or saves"))
        lines += [Content.assemble((f"       {note}", "$foreground 60%")) for note in self._notes if not low]
        return Content("\n").join(lines)

    def _people(self, row: Row, message: Message | None, *, low: bool) -> list[Content]:
        if message is None:
            label = "To" if row.folder in {"Sent", "Drafts", "Outbox"} else "From"
            return [self._with_date(label, row.recipients if label == "To" else row.sender, row.date)]
        envelope = message.envelope
        lines = [self._with_date("From", _people(envelope.sender) or "nobody", row.date)]
        if not low:
            lines += [
                self._labelled(label, _people(people))
                for label, people in (("To", envelope.to), ("Cc", envelope.cc))
                if people
            ]
        return lines

    def _with_date(self, label: str, people: str, date: int) -> Content:
        """The date at the right edge where there is room, else on its own line below."""
        when = long_date(date)
        room = self.size.width - 7 - cell_len(people) - cell_len(when)
        who = Content.assemble((f"{label:<7}", "$foreground 60%"), people)
        if room >= 2:
            return Content.assemble(who, " " * room, (when, "$foreground 60%"))
        return Content("\n").join(
            [self._labelled(label, people), Content.assemble((f"       {when}", "$foreground 60%"))]
        )

    def _labelled(self, label: str, words: str) -> Content:
        return Content.assemble((f"{label:<7}", "$foreground 60%"), safe.cut(words, max(1, self.size.width - 7)))

    def _warning(self, words: str) -> Content:
        return Content.assemble(("  !    ", "bold $text-warning"), (words, "$text-warning"))


def _people(addresses: Iterable[Address]) -> str:
    return ", ".join(safe.address_text(address) for address in addresses)


def _warnings(message: Message) -> list[str]:
    """What the reader should know before believing: from parsing, from the sender's domain, from the attachments."""
    found = list(message.warnings)
    found += [words for address in message.envelope.sender if (words := safe.domain_warning(address.email))]
    found += [f"{part.name}: {part.warning}" for part in message.parts if part.warning]
    return list(dict.fromkeys(found))


class Reader(Vertical):
    """Shows one message of a view. A preview never asks a server; `fetch` may."""

    @dataclass
    class Shown(Event):
        """The text of this message is on screen."""

        id: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.engine: Engine | None = None
        self.row: Row | None = None
        self.message: Message | None = None
        self.rendered: Rendered = Rendered(())
        self.html: bool | None = None
        self._headers = False
        self._width = 0

    def compose(self) -> ComposeResult:
        """The block on top, the body below."""
        yield Head()
        yield Body(id="body")

    @property
    def head(self) -> Head:
        """The block on top."""
        return self.query_one(Head)

    @property
    def body(self) -> Body:
        """The text."""
        return self.query_one(Body)

    def clear(self, words: str = "") -> None:
        """No message; `words` in its place."""
        self.workers.cancel_group(self, "reader")
        self.row = self.message = None
        self.rendered = Rendered(())
        self.head.show(None, None)
        self.body.say(words)

    def show(self, row: Row, *, fetch: bool = False) -> None:
        """Another message. With `fetch` its text comes from the server where it is not here yet."""
        if self.row is not None and self.row.id == row.id and self.row.folder == row.folder and self.message:
            self.row = row
            return
        fresh = self.row is None or self.row.id != row.id or self.row.folder != row.folder
        self.row = row
        if fresh:
            self.message, self.rendered, self.html, self._headers = None, Rendered(()), None, False
        self.run_worker(self._load(row, fetch=fetch), group="reader", exclusive=True, exit_on_error=False)

    async def _load(self, row: Row, *, fetch: bool) -> None:
        engine = self.engine
        if engine is None:
            return
        try:
            if row.folder == "Drafts":
                await self._show_draft(engine, row)
            elif row.folder == "Outbox":
                await self._show_outgoing(engine, row)
            elif (message := await engine.peek(row.id)) is not None:
                await self._show_message(engine, row, message)
            elif fetch:
                self.fetch(row)
            else:
                self.head.show(row, None)
                self.body.say(_not_here(row))
        except KeyError:
            self.body.say("This message is gone.")
        except StoreError as error:
            self.body.say(str(error))

    def fetch(self, row: Row) -> None:
        """Bring the text from the server. What was fetched stays, also when the reader goes on meanwhile."""
        self.head.show(row, None)
        self.body.say(f"Fetching {size(row.size)} …")
        self.run_worker(self._fetch(row), group="fetch", exclusive=True, exit_on_error=False)

    async def _fetch(self, row: Row) -> None:
        engine, worker = self.engine, get_current_worker()
        if engine is None:
            return

        def progress(done: int, total: int) -> None:
            if self._still(row) and not worker.is_cancelled:
                self.body.say(f"Fetching … {size(done)} of {size(total)}")

        try:
            message = await engine.read(row.id, progress)
            if self._still(row):
                await self._show_message(engine, row, message)
        except (NetError, PasswordError) as error:
            self._failed(row, f"{error}\n\n{error.advice}")
        except StoreError as error:
            self._failed(row, str(error))
        except KeyError:
            self._failed(row, "This message is gone.")

    def _failed(self, row: Row, words: str) -> None:
        if self._still(row):
            self.body.say(words)

    def _still(self, row: Row) -> bool:
        """The reader has not gone on to another message."""
        return self.is_attached and self.row is not None and (self.row.id, self.row.folder) == (row.id, row.folder)

    async def _show_message(self, engine: Engine, row: Row, message: Message) -> None:
        """Rendered in a thread at the width there is; dropped where the reader has gone on."""
        keep_place = self.message is message
        self._width = self.body.measure
        rendered = await engine.rendered(row.id, self._width, html=self.html)
        if not self._still(row):
            return
        self.message, self.rendered = message, rendered
        self.head.show(row, message, rendered.notes)
        if self._headers:
            self._show_headers()
        elif rendered.lines:
            self.body.show(rendered, keep_place=keep_place)
        else:
            self.body.say("There is no text in this message." + (" A shows the files." if message.parts else ""))
        self.post_message(self.Shown(row.id))

    async def _show_draft(self, engine: Engine, row: Row) -> None:
        from termmail.mail import flow  # noqa: PLC0415 - not needed for the first screen

        draft = await engine.load_draft(row.id)
        self.head.show(row, None, tuple(f"{file.name} ({size(file.size)})" for file in draft.attachments))
        lines = flow.wrap(safe.clean_lines(draft.body), self.body.measure)
        self.body.show(Rendered((*lines, Line(""), Line("Enter goes on writing.", kind="fold"))))

    async def _show_outgoing(self, engine: Engine, row: Row) -> None:
        outgoing = await engine.outbox_row(row.id)
        self.head.show(row, None)
        refused = [f"{who}: {safe.clean(why)}" for who, why in outgoing.refused.items()]
        words = [outgoing.words or row.note, "", *refused, "", "Enter shows what can be done."]
        self.body.say("\n".join(words).strip())

    # -- other ways to look at it

    def look_again(self) -> None:
        """Render anew: another width, or the other of text and HTML."""
        if self.row is not None and self.message is not None:
            self.run_worker(self._again(self.row, self.message), group="reader", exclusive=True, exit_on_error=False)

    async def _again(self, row: Row, message: Message) -> None:
        if self.engine is not None:
            await self._show_message(self.engine, row, message)

    def on_resize(self) -> None:
        """A new measure wraps the text anew."""
        self.head.refresh(layout=True)
        if self.message is not None and self.body.measure != self._width:
            self.look_again()

    def switch_html(self) -> str:
        """The other of text and HTML; words where there is only one."""
        message = self.message
        if message is None or not (message.text and message.html):
            return "This message has only one form."
        self.html = not (self.html if self.html is not None else not message.text)
        self._headers = False
        self.look_again()
        return "HTML, made readable" if self.html else "Plain text"

    def switch_headers(self) -> None:
        """All headers instead of the text, and back."""
        if self.message is not None:
            self._headers = not self._headers
            if self._headers:
                self._show_headers()
            else:
                self.body.show(self.rendered)

    def _show_headers(self) -> None:
        if self.message is not None:
            from termmail.mail import flow  # noqa: PLC0415

            lines: list[Line] = []
            for name, value in self.message.headers:
                first, *rest = flow.wrap(safe.clean(f"{name}: {value}"), self.body.measure - 2) or (Line(""),)
                lines += [first, *(Line(f"  {line.text}") for line in rest)]
            self.body.show(Rendered(tuple(lines)))


def _not_here(row: Row) -> str:
    if row.state == "skipped":
        return row.note or "This message was not fetched."
    if row.state in {"gone", "absent"}:
        return "This message is no longer on the server, and its text was never downloaded."
    return f"The text is still on the server ({size(row.size)}). Enter fetches it."


def view_of(row: Row) -> View:
    """The folder a row is in."""
    return View(row.account, row.folder)
