"""The reader: one message of a view, from the store, or from the server on request."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message as Event
from textual.worker import get_current_worker

from termmail.accounts.password_error import PasswordError
from termmail.engine.message_reader import Look
from termmail.errors import ErrorCode, UserError
from termmail.mail import sanitize
from termmail.mail.message import Line, Rendered
from termmail.mail.model import DraftRow, MessageRow, OutgoingRow
from termmail.ui.conversation_page import ConversationPage
from termmail.ui.finder import Finder
from termmail.ui.humanize import Today, size
from termmail.ui.reading_text import draft_lines, header_lines, is_same, not_here, with_answer, with_notes
from termmail.ui.widgets.list_row import facts
from termmail.ui.widgets.message_header import broken, head, replies_elsewhere, warnings
from termmail.ui.widgets.text_view import TextView
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message
    from termmail.mail.model import Row
    from termmail.mail.trust import Judgement
    from termmail.ui.widgets.message_header import HeadLine


PASSING = {ErrorCode.LOGIN, ErrorCode.OFFLINE, ErrorCode.BUSY}
"""Errors after which the same request may succeed the next time."""


class Reader(TextView):
    """Shows one message of a view. A preview never asks a server; `fetch` does."""

    engine: Engine
    """Set by the screen before it shows a message."""

    class Shown(Event):
        """Posted when the text of a message is on the screen."""

        def __init__(self, id: int) -> None:  # noqa: A002 - Textual's word
            super().__init__()
            self.id = id

    class Fetched(Event):
        """Posted when the server of an account has returned a text."""

        def __init__(self, account: str) -> None:
            super().__init__()
            self.account = account

    class Found(Event):
        """Posted when words were looked for in the text: `words` say at which of how many hits the user is."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    class Appeared(Event):
        """Posted when the reader is visible again: it may have to show another message by now."""

    class WholeAsked(Event):
        """Posted when the user wants the whole screen for the message, or the list back."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.row: Row | None = None
        self.message: Message | None = None
        self.text: Rendered = Rendered(())
        """The message made readable, also while its headers are shown instead."""
        self.html: bool | None = None
        self.charset = ""
        """The character set that the text is read in, "" for what the message names."""
        self.reflowed = True
        """Paragraphs that were broken by hand wrap at the width there is."""
        self.finder = Finder(self, lambda words: self.post_message(self.Found(words)))
        self.clock: Callable[[], float] = time.time
        self.check_key = "F5"
        """The key that checks for mail, "" where there is none."""
        self._judged: tuple[Message, Judgement] | None = None
        """What is told of the sender of a message."""
        self.answer_key = ""
        """The key that answers an invitation, "" where there is none."""
        self.conversation: ConversationPage | None = None
        """The conversation that is shown as one page."""
        self._headers = False
        self._width = 0
        self._said = ""
        """The sentence that is shown instead of a body."""
        self._fetching = 0
        """The message that is coming from its server, 0 for none."""
        self._start: Rendered | None = None
        """The start of a large message, shown while the rest comes."""
        self._may_come = False
        """Whether the server may return the text when it answers again."""

    def action_reader_whole(self) -> None:
        """Ask for the whole screen, or give it back."""
        self.post_message(self.WholeAsked())

    def on_show(self) -> None:
        """Tell the screen that the reader is visible again."""
        self.post_message(self.Appeared())

    def clear(self, words: str = "") -> None:
        """Show no message, but these words."""
        self.workers.cancel_group(self, "reader")
        self.row = self.message = self.conversation = None
        self.text = Rendered(())
        self._say(words)

    def _say(self, words: str, notes: tuple[str, ...] = ()) -> None:
        """Show a sentence of termmail's own instead of a body."""
        self._said = words
        lines = [line for sentence in words.split("\n") for line in broken(sentence, self.measure)]
        self._paint(Rendered(tuple(Line(line, kind="fold") for line in lines)), notes)

    def _paint(self, rendered: Rendered, notes: tuple[str, ...] = (), *, keep_place: bool = False) -> None:
        row = self.row
        self.paint(self._block(row, notes) if row is not None else [], rendered, keep_place=keep_place)
        self.finder.look_again()

    def _block(self, row: Row, notes: tuple[str, ...]) -> list[HeadLine]:
        message = self.message if self.conversation is None else None
        return head(row, message, notes, self.cells - 2, self.size.height, warned=self.text.warned)

    def _block_again(self) -> None:
        """Paint the block above the text again."""
        if self.row is not None:
            notes = self.text.notes if self.conversation is None else (self.conversation.words(),)
            self.paint(self._block(self.row, notes), self.rendered, keep_place=True)

    def show(self, row: Row, *, fetch: bool = False) -> None:
        """Show another message. With `fetch`, its text comes from the server where the store does not have it."""
        fresh = not is_same(self.row, row)
        if not fresh and self.message and not (fetch and self.conversation is not None and self.conversation.missing):
            self.row = row
            self._block_again()  # its folder may be another
            return
        self.row = row
        if fresh:
            self.message, self.text, self.html, self._headers = None, Rendered(()), None, False
            self.conversation = None
            self.charset = ""
            self._may_come, self._start = False, None
            self.finder.other_text(keep=self.screen.has_class("-finding"))
        start_worker(self, partial(self._load, row, fetch=fetch), "reader", exclusive=True)

    async def _load(self, row: Row, *, fetch: bool) -> None:
        engine = self.engine
        try:
            if isinstance(row, DraftRow):
                await self._show_draft(engine, row)
            elif isinstance(row, OutgoingRow):
                await self._show_outgoing(engine, row)
            elif row.conversation is not None:
                await self._show_conversation(row, fetch=fetch)
            elif (message := await engine.reader.peek(row.message_id)) is not None:
                await self._show_message(engine, row, message)
            elif fetch or self._fetching == row.message_id:
                self.fetch(row)
            else:
                self._say(not_here(row))
        except UserError as error:
            self._say(str(error))

    def fetch(self, row: MessageRow) -> None:
        """Fetch the text from the server, unless it is coming already.

        It is stored also when the reader has gone on meanwhile.
        """
        if self._fetching == row.message_id:
            return
        self._fetching = row.message_id
        self._may_come = False
        self._say(f"Fetching {size(row.size)} …")
        start_worker(self, partial(self._fetch, row), "fetch", exclusive=True)

    async def _fetch(self, row: MessageRow) -> None:
        engine, worker = self.engine, get_current_worker()

        def progress(done: int, total: int) -> None:
            if not self._still(row) or worker.is_cancelled:
                return
            words = f"Fetching … {size(done)} of {size(total)}"
            if self._start is not None:
                self._paint(self._start, (words,), keep_place=True)
            else:
                self._say(words)

        def started(message: Message) -> None:
            if self._still(row) and not worker.is_cancelled:
                start_worker(self, partial(self._show_start, row, message), "start", exclusive=True)

        try:
            message = await engine.reader.read(row.message_id, progress, started)
            self.post_message(self.Fetched(row.account))
            if self._still(row):
                await self._show_message(engine, row, message)
        except UserError as error:
            words = self._needs_password() if isinstance(error, PasswordError) else f"{error}\n\n{error.advice}".strip()
            self._failed(row, words)
            self._may_come = self._still(row) and error.code in PASSING
        finally:
            if self._fetching == row.message_id:
                self._fetching = 0

    async def _show_start(self, row: MessageRow, start: Message) -> None:
        """Show the start of a large message while the rest comes."""
        rendered = await self.engine.reader.laid_out(start, self.measure, self.look)
        if self._still(row) and self.message is None:
            self._said, self._start = "", rendered
            self._paint(rendered, ("Fetching …",))

    def _needs_password(self) -> str:
        asks = f" {self.check_key} asks for it." if self.check_key else ""
        return f"The text is still on the server: it needs the password.{asks}"

    def try_again(self, account: str) -> None:
        """Fetch what the server of this account did not return before it answered again."""
        if self._may_come and self.row is not None and isinstance(self.row, MessageRow) and self.row.account == account:
            self.fetch(self.row)

    def _failed(self, row: MessageRow, words: str) -> None:
        if self._still(row):
            self._start = None
            self._say(words)

    def _still(self, row: Row) -> bool:
        """Return whether the reader has not gone on to another message."""
        return self.is_attached and self.row is not None and is_same(self.row, row)

    async def _show_message(self, engine: Engine, row: MessageRow, message: Message) -> None:
        """Lay the message out at the width there is, and show it unless the reader has gone on."""
        keep_place = self.message is message or self._start is not None
        if self._judged is None or self._judged[0] is not message:
            judgement, _ = await asyncio.gather(  # the second is kept by the engine
                engine.senders.judge(row.account, message),
                engine.reader.rendered(row.message_id, self.measure, self.look),
            )
            self._judged = (message, judgement)
        self._width = 0
        while self._width != self.measure:  # the reader may get its size only while the text is laid out
            self._width = self.measure
            rendered = await engine.reader.rendered(row.message_id, self._width, self.look)
            rendered = await with_answer(engine, row, message, rendered, self._width, self.answer_key)
            rendered = with_notes(rendered, self._judged[1])
            if not self._still(row):
                return
        self.message, self.text, self._start = message, rendered, None
        if self._headers:
            await self._show_headers(row, message)
        elif rendered.lines:
            self._paint(rendered, rendered.notes, keep_place=keep_place)
        else:
            files = " A shows the files." if message.parts else ""
            self._say(f"There is no text in this message.{files}", rendered.notes)
        self.post_message(self.Shown(row.message_id))

    async def _show_conversation(self, row: MessageRow, *, fetch: bool = False) -> None:
        """Show a conversation as one page, unless the reader has gone on."""
        page = self.conversation = self.conversation or ConversationPage(self.engine, row.message_id)
        keep_place = self.message is not None

        def progress(words: str) -> None:
            if self._still(row):
                self._say(words)

        self._width = 0
        while self._width != self.measure:  # the reader may get its size only while the text is laid out
            self._width = self.measure
            await page.load(self._width, look=self.look, key=self.answer_key, fetch=fetch, progress=progress)
            if not self._still(row):
                return
        newest = page.opened.get(row.message_id)
        self.message = newest.message if newest is not None else None
        await self._paint_page(row, page, keep_place=keep_place)
        if page.opened and self._still(row):
            self.post_message(self.Shown(row.message_id))

    async def _paint_page(self, row: Row, page: ConversationPage, *, keep_place: bool) -> None:
        """Compose the page in a thread, for it may have thousands of lines, and show it unless the reader has gone on."""
        text = await asyncio.to_thread(page.lines, Today.at(self.clock()), self._width)
        if self._still(row) and self.conversation is page:
            self.text = text
            self._paint(text, (page.words(),), keep_place=keep_place)

    def switch_every(self) -> None:
        """Show every message of the conversation whole, or only the unread and the newest."""
        if self.conversation is not None:
            self.conversation.every = not self.conversation.every
            self.look_again()

    def unfold(self) -> bool:
        """Show what the page hides of quotes; return whether there was any."""
        if self.conversation is None or self.conversation.quotes:
            return False
        self.fold()
        return True

    def fold(self) -> None:
        """Fold the quoted text, or show it again."""
        if self.conversation is None:
            super().fold()
            return
        page, row = self.conversation, self.row
        page.quotes = not page.quotes
        if row is not None:
            start_worker(self, partial(self._paint_page, row, page, keep_place=True), "page", exclusive=True)

    async def _show_draft(self, engine: Engine, row: DraftRow) -> None:
        draft = await engine.drafts.load(row.draft_id)
        files = tuple(f"{file.name} ({size(file.size)})" for file in draft.attachments)
        lines = await asyncio.to_thread(draft_lines, draft.body, self.measure)
        if self._still(row):
            self._said = ""
            self._paint(Rendered((*lines, Line(""), Line("Enter continues writing.", kind="fold"))), files)

    async def _show_outgoing(self, engine: Engine, row: OutgoingRow) -> None:
        outgoing = await engine.outbox.row(row.outbox_id)
        refused = [f"{who}: {sanitize.clean(why)}" for who, why in outgoing.refused.items()]
        words = [facts(outgoing).extra, *refused, "", "Enter shows what can be done."]
        self._say("\n".join(words).strip())

    # -- other ways to look at it

    def look_again(self) -> None:
        """Lay the message out again: at another width, or in its other form."""
        if isinstance(self.row, MessageRow) and self.message is not None:
            start_worker(self, partial(self._again, self.row, self.message), "reader", exclusive=True)

    async def _again(self, row: MessageRow, message: Message) -> None:
        if self.conversation is not None and not self._headers:
            await self._show_conversation(row, fetch=True)
        else:
            await self._show_message(self.engine, row, message)

    def on_resize(self) -> None:
        """Wrap the text to a new width."""
        self._painted = []
        if self.message is not None and self.measure != self._width:
            self.look_again()
        elif self.message is None and self._said:
            self._say(self._said)
        else:
            self._block_again()

    def switch_html(self) -> str:
        """Toggle between the plain-text and HTML views, and return the words for what is shown now."""
        message = self.message
        if message is None or not message.html:
            return "This message has no HTML."
        if not message.text and not self._headers:
            return "This message has only an HTML version."
        shows_html = self.html if self.html is not None else not message.text
        self.html = self._headers or not shows_html
        self._headers = False
        self.look_again()
        return "HTML, made readable" if self.html else "Plain text"

    @property
    def look(self) -> Look:
        """Return how the body is looked at."""
        return Look(self.html, self.reflowed, self.charset)

    def switch_reflow(self) -> str:
        """Wrap paragraphs anew, or show their lines as they were sent; return the words for what is shown now."""
        self.reflowed = not self.reflowed
        self.look_again()
        return "Paragraphs wrap at the width there is" if self.reflowed else "Lines as they were sent"

    def read_in(self, charset: str) -> None:
        """Show the text in another character set, or with "" in the one that the message names."""
        self.charset = charset
        self.look_again()

    def switch_headers(self) -> None:
        """Show all headers instead of the text, below all warnings; or the text again."""
        if self.message is not None:
            self._headers = not self._headers
            self.look_again()

    async def _show_headers(self, row: Row, message: Message) -> None:
        found = [*warnings(message, self.text.notes[: self.text.warned]), *replies_elsewhere(message)]
        lines = await asyncio.to_thread(header_lines, message, found, self.measure)
        if self._still(row):
            self._paint(Rendered(lines), self.text.notes)
