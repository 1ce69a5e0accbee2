"""The main screen: ways to look at a message beyond its text."""

# ruff: noqa: D102 - what an action does stands in the table of keys.py

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.accounts.credentials import PasswordError
from termmail.net.net_errors import NetError
from termmail.store.store_errors import StoreError
from termmail.ui.humanize import GONE
from termmail.ui.screens.main_panes import ReadingScreen
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from termmail.mail.message import Message
    from termmail.store.rows import Row


class LookingScreen(ReadingScreen):
    """Headers, HTML, quotes; source, attachments, links, the browser."""

    def mail_to(self, url: str) -> None:
        """Write to a mailto: link. The screen that can write does it."""

    async def message(self) -> tuple[Row, Message] | None:
        """The message the reader means, whole: the one in the reader, else the one under the cursor."""
        row = await self.cursor_row()
        if row is None or self.engine is None or row.folder in {"Drafts", "Outbox"}:
            return None
        shown = self.reader
        if shown.message is not None and shown.row is not None and shown.row.id == row.id:
            return row, shown.message
        try:
            return row, await self.engine.read(row.id)
        except (NetError, PasswordError, StoreError) as error:
            self.fail(error, row.account)
        except KeyError:
            self.status.say(GONE)
        return None

    def _look(self) -> bool:
        """There is a message on screen to look at; if it was not open yet, it is now."""
        shown = self.reader.row if self.reader.display and self.reader.message is not None else None
        if shown is not None and shown.id == self.messages.cursor_id:
            return True
        if self.messages.cursor_id:
            self.read_here()
        return False

    def action_message_quotes(self) -> None:
        if self._look():
            self.reader.fold()

    def action_message_headers(self) -> None:
        if self._look():
            self.reader.switch_headers()

    def action_message_html(self) -> None:
        if self._look():
            self.status.say(self.reader.switch_html(), 3)

    def action_message_source(self) -> None:
        behind(self, self._source, "look", exclusive=True)

    async def _source(self) -> None:
        if (found := await self.message()) is not None and self.engine is not None:
            from termmail.ui.screens.source import SourceScreen  # noqa: PLC0415

            row, _ = found
            try:
                raw = await self.engine.raw(row.id)
            except KeyError:
                self.status.say(GONE)
                return
            self.app.push_screen(SourceScreen(f"Source · {row.subject}", raw.decode("utf-8", "replace")))

    def action_message_attachments(self) -> None:
        behind(self, self._attachments, "look", exclusive=True)

    async def _attachments(self) -> None:
        if (found := await self.message()) is None or self.engine is None:
            return
        row, message = found
        if not message.parts:
            self.status.say("This message has no attachments.", 3)
            return
        from termmail.ui.screens.attachments import AttachmentsScreen  # noqa: PLC0415

        self.app.push_screen(AttachmentsScreen(self.engine, row.id, message))

    def action_message_links(self) -> None:
        behind(self, self._links, "look", exclusive=True)

    async def _links(self) -> None:
        if (found := await self.message()) is None or self.engine is None:
            return
        row, message = found
        try:
            links = (await self.engine.rendered(row.id, html=self.reader.html)).links
            if not links and message.html:
                links = (await self.engine.rendered(row.id, html=True)).links
        except KeyError:
            self.status.say(GONE)
            return
        if not links:
            self.status.say("This message has no links.", 3)
            return
        from termmail.ui.screens.links import LinksScreen  # noqa: PLC0415

        self.app.push_screen(LinksScreen(links), self._link_chosen)

    def _link_chosen(self, url: str | None) -> None:
        if url is not None and url.lower().startswith("mailto:"):
            self.mail_to(url)

    def action_message_browser(self) -> None:
        behind(self, self._browser, "look", exclusive=True)

    async def _browser(self) -> None:
        if (found := await self.message()) is None or self.engine is None:
            return
        from termmail.ui import desktop  # noqa: PLC0415

        row: Row = found[0]
        try:
            path = await self.engine.browser_file(row.id)
            await desktop.open_file(path)
        except KeyError:
            self.status.say(GONE)
        except (NetError, PasswordError, StoreError) as error:
            self.fail(error, row.account)
        except desktop.OpenError as error:
            self.status.say(f"{error} The file is {path}.", 15)
        except OSError:
            self.status.say("The file for the browser cannot be written; the disk may be full.", 15)
