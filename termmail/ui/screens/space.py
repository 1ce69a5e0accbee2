"""Server space: what lies on each server by size, sender and age, and deleting it there while it stays here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.mail.counting import count, number
from termmail.mail.shares import Grouping
from termmail.ui.humanize import long_date, size
from termmail.ui.screens import dialog
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.widgets.list_row import fit
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult

    from termmail.engine.engine import Engine
    from termmail.mail.shares import Share

MOST = 300
"""Lines that are shown."""
NUMBERS = 24
"""Cells of size and count at the right."""
NUMBERS_NARROW = 16
"""The same in a line that has no room for a date."""
BROAD = 50
"""Cells of a line from which on it has dates."""
HEADINGS = {
    Grouping.SIZE: "the largest messages",
    Grouping.SENDER: "by sender",
    Grouping.AGE: "by age",
    Grouping.FOLDER: "by folder",
}


class SpaceScreen(dialog.Dialog[None]):
    """Lists what lies on the server of one account."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("d,delete,enter", "free", "Delete there", priority=True),
        Binding("tab,right", "group(1)", "Group", priority=True),
        Binding("shift+tab,left", "group(-1)", show=False, priority=True),
        Binding("j", "move(1)", show=False),
        Binding("k", "move(-1)", show=False),
        Binding("n", "account(1)", "Next account"),
    ]

    def __init__(self, engine: Engine, account: str) -> None:
        super().__init__()
        self._engine = engine
        self._account = account
        self._grouping = engine.space.groupings(account)[0]
        self._shares: list[Share] = []

    def compose(self) -> ComposeResult:
        """Yield the title, the list, what happened, and the keys."""
        with dialog.Frame(classes="dialog dialog-wide"):
            yield Static("", classes="dialog-title", markup=False)
            yield Static("", classes="dialog-text", markup=False)
            yield OptionList(classes="dialog-list", markup=False)
            yield dialog.Trouble()
            yield Static("", classes="dialog-quiet", markup=False)

    def on_mount(self) -> None:
        """Read the first list."""
        self.query_one(OptionList).focus()
        self._read()

    def on_resize(self, _event: events.Resize) -> None:
        """Draw the lines for another width."""
        self.call_after_refresh(self._show)

    def _read(self) -> None:
        self.query_one(".dialog-title", Static).update(Content(f"{self._account} · {HEADINGS[self._grouping]}"))
        self.query_one(".dialog-text", Static).update(Content("Reading …"))
        self._shares = []  # a key that is pressed meanwhile is not for what another title stood above
        self.query_one(OptionList).clear_options()
        start_worker(self, self._load, "space", exclusive=True)

    async def _load(self) -> None:
        try:
            self._shares = await self._engine.space.shares(self._account, self._grouping)
        except UserError as error:
            self.query_one(dialog.Trouble).say(str(error))
            return
        self._show()

    def _show(self) -> None:
        shares = self._shares
        total, messages = sum(one.size for one in shares), sum(one.count for one in shares)
        leaving = sum(one.leaving for one in shares)
        words = f"{size(total)} in {count(messages, 'message')} on the server, as the last check saw it."
        if not shares:
            words = "Nothing is on the server, as far as the last check saw it."
        if leaving:
            words += f" {count(leaving, 'message')} will be deleted there with the next check."
        self.query_one(".dialog-text", Static).update(Content(words))
        listed = self.query_one(OptionList)
        marked = listed.highlighted
        listed.clear_options()
        width = max(30, listed.scrollable_content_region.width - 2)
        listed.add_options([Option(_line(one, width)) for one in shares[:MOST]])
        listed.highlighted = min(marked or 0, len(shares[:MOST]) - 1) if shares else None
        self.query_one(".dialog-quiet", Static).update(Content(self._keys()))

    def _keys(self) -> str:
        keys = [] if self._grouping is Grouping.FOLDER else ["Enter or d deletes there, keeps here", "← → other groups"]
        if len(self._engine.accounts.names) > 1:
            keys.append("n next account")
        return " · ".join([*keys, "Esc back"])

    def action_group(self, step: int) -> None:
        """Group another way."""
        known = self._engine.space.groupings(self._account)
        if len(known) > 1:
            self._grouping = known[(known.index(self._grouping) + step) % len(known)]
            self._read()

    def action_account(self, step: int) -> None:
        """Show another account."""
        names = self._engine.accounts.names
        self._account = names[(names.index(self._account) + step) % len(names)]
        self._grouping = self._engine.space.groupings(self._account)[0]
        self._read()

    def action_move(self, step: int) -> None:
        """Go up or down."""
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if step > 0 else listed.action_cursor_up()

    def action_free(self) -> None:
        """Ask, and delete there what the line stands for."""
        place, trouble = self.query_one(OptionList).highlighted, self.query_one(dialog.Trouble)
        trouble.say("")
        if place is None or place >= len(self._shares):
            return
        share = self._shares[place]
        if self._grouping is Grouping.FOLDER:
            trouble.say("With IMAP the folders of the server are the truth: what leaves it leaves here too.")
        elif not share.ids:
            trouble.say("Nothing here can be deleted there: it is on its way already, or was held back.")
        else:
            start_worker(self, partial(self._ask, share), "space verb", exclusive=True)

    async def _ask(self, share: Share) -> None:
        host = self._engine.accounts.settings(self._account).incoming.host
        messages = count(len(share.ids), "message")
        them = "It stays" if len(share.ids) == 1 else "They stay"
        details = [f"{them} here, whole, and the space on the server is free. No other device can fetch them any more."]
        if share.missing:
            details.append(
                f"{count(share.missing, 'message')} must be fetched whole before ({size(share.size)} at most)."
            )
        question = f"Delete {messages} ({sanitize.cut(share.name, 60)}) on {host}? This cannot be undone."
        if not await self.app.push_screen_wait(ConfirmScreen(question, "Delete there", "Keep", details=details)):
            return
        try:
            counts = await self._engine.space.free(share.ids)
        except UserError as error:
            self.query_one(dialog.Trouble).say(f"{error} {error.advice}")
            return
        for account in counts:
            self._engine.accounts.sync_soon(account)
        self._read()

    def action_leave(self) -> None:
        """Go back."""
        self.dismiss(None)


def _line(share: Share, width: int) -> Content:
    """Return one line: the name, then size and count, or the date of a single message where there is room for it."""
    marks = "→ " if share.leaving == share.count else "  "
    numbers = NUMBERS if width >= BROAD else NUMBERS_NARROW
    many = number(share.count) if share.count > 1 else long_date(share.newest).partition(",")[0].split(" ", 1)[-1]
    many = "" if share.count == 1 and width < BROAD else many
    name = fit(marks + sanitize.clean(share.name), width - numbers)
    return Content.assemble(name, (f"{size(share.size):>8}  {many:>{numbers - 10}}"[:numbers].rstrip(), "$quiet"))
