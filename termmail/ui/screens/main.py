"""The main screen: folders, list and reader, and the lines around them. Its verbs are in `ui/actions`."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.containers import Container
from textual.screen import Screen

from termmail.engine.events import Failed, JournalChanged, OutboxChanged, SendOf, SyncOf, SyncProgress
from termmail.errors import ErrorCode
from termmail.mail.model import Role, SendState
from termmail.mail.views import FolderView
from termmail.ui import column_keys, titles, triage_mode
from termmail.ui.actions import (
    BY_ID,
    Group,
    Place,
    bindings,
    finding,
    folder_verbs,
    linking,
    program,
    reading,
    searching,
    unfolding,
)
from termmail.ui.actions.verb_context import Mail
from termmail.ui.compositor import LineCompositor
from termmail.ui.widgets.find_prompt import FindPrompt
from termmail.ui.widgets.folder_column import FolderList
from termmail.ui.widgets.keybar import KeyBar
from termmail.ui.widgets.link_prompt import LinkPrompt
from termmail.ui.widgets.message_list import MessageList
from termmail.ui.widgets.prompt import Prompt
from termmail.ui.widgets.reader import Reader
from termmail.ui.widgets.status import Problem, Problems, StatusLine, TitleLine
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from termmail.accounts.config import Ui
    from termmail.engine.events import Event
    from termmail.errors import UserError
    from termmail.mail.model import Row
    from termmail.ui.actions import Action
    from termmail.ui.app import TermmailApp
    from termmail.ui.first_page import First

ABOUT_THE_SERVER = {
    *(ErrorCode.OFFLINE, ErrorCode.BUSY, ErrorCode.TLS),
    *(ErrorCode.LOGIN, ErrorCode.REFUSED, ErrorCode.PROTOCOL),
}
"""Failures that are over once the server has given what it was asked for."""

WITHOUT_ACCOUNT = {"message.open", "app.help-too", "view.quit"}
"""The actions that the key bar shows before there is an account."""

FOR_SELECTED = {Group.SELECTING, Group.SORTING_OUT}
"""The groups of which the key bar shows actions while messages are selected."""

WITH_SELECTED = {"app.help-too", "view.back"}
"""The other actions that it shows then."""

MOVES_NOTHING_ON = {"view.back", "view.quit"}
"""The actions after which the words of the action before stay in the status line."""

LOOK_EVERY = 2.0
"""Seconds between two looks for what another program has written to the store."""


class MainScreen(Screen[None]):
    """Panes and focus; events go to the parts of `mail`, which exists once the engine is open."""

    BINDINGS = bindings(Place.MAIL)
    AUTO_FOCUS = "#list"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (80, "-medium"), (120, "-wide"), (160, "-broad")]  # noqa: RUF012 - Textual's own type
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012

    mail: Mail

    def __init__(self) -> None:
        super().__init__()
        self._compositor = LineCompositor()
        self.ready = asyncio.Event()
        self.clock: Callable[[], float] = time.time
        self.opened = False
        """The engine is open: `mail` is there."""
        self._offered: tuple[object, ...] = ()
        """The facts that the key bar was last drawn for."""
        self._fold_word = ""
        """What the key bar calls folding."""

    def compose(self) -> ComposeResult:
        """Title, panes, problems, status, keys."""
        steps = ((self.app.size.width, self.HORIZONTAL_BREAKPOINTS), (self.app.size.height, self.VERTICAL_BREAKPOINTS))
        # Textual would do this after a first layout, and then style, lay out and paint all of it again
        self.add_class(*(max(step for step in known if step[0] <= cells)[1] for cells, known in steps))
        yield TitleLine()
        with Container(id="panes"):
            yield FolderList(id="folders")
            with Container(id="mail"):
                yield MessageList(self._rows, clock=self.clock, id="list")
                yield Reader(id="reader")
        yield Problems()
        yield StatusLine()
        yield Prompt()
        yield FindPrompt()
        yield LinkPrompt()
        yield KeyBar()

    def on_mount(self) -> None:
        """Give the list the focus; renew the words of time now and then."""
        self.messages.empty = "Opening your mail …"
        self.set_focus(self.messages)
        if (first := self.termmail.first) is not None:
            self.open(first)
        self.set_interval(20, self.retitle)
        self.ready.set()

    def open(self, first: First) -> None:
        """Show the mail: the engine is open."""
        self.reader.engine = first.engine
        self.reader.clock = self.clock
        self.mail = Mail(first, self)
        self.opened = True
        self._name_keys()
        self.reader.reflowed = first.engine.context.config.ui.reflow
        self.messages.set_density(first.engine.preferences.ui.density)
        if first.engine.context.read_only:
            self.problems.add(
                Problem("The data folder cannot be written.", "Mail can be read; nothing can be changed.")
            )
        self.query_one(TitleLine).show(self.mail.list.place(typing=False)[:1], "")
        self.mail.list.open(first)
        self.mail.journal_changed()
        self.set_interval(LOOK_EVERY, self.mail.look_elsewhere)

    async def _rows(self, ids: Sequence[int]) -> list[Row]:
        return await self.mail.list.rows(ids)

    # -- the widgets, by name

    @property
    def messages(self) -> MessageList:
        """The message list."""
        return self.query_one(MessageList)

    @property
    def folders(self) -> FolderList:
        """The folder column."""
        return self.query_one(FolderList)

    @property
    def reader(self) -> Reader:
        """The reading pane, or the reader on the whole screen."""
        return self.query_one(Reader)

    @property
    def status(self) -> StatusLine:
        """The line for what just happened."""
        return self.query_one(StatusLine)

    @property
    def problems(self) -> Problems:
        """What went wrong and was not read yet."""
        return self.query_one(Problems)

    @property
    def termmail(self) -> TermmailApp:
        """The app, as ours."""
        return cast("TermmailApp", self.app)

    # -- panes and focus

    @property
    def asking(self) -> bool:
        """Words to search for or to filter by are being typed."""
        return self.has_class("-asking")

    @property
    def is_wide(self) -> bool:
        """There is room for folders, list and reader at once."""
        return self.has_class("-wide") or self.has_class("-broad")

    @property
    def whole(self) -> bool:
        """The reader has the whole screen."""
        return self.has_class("-reading")

    def set_whole(self, *, on: bool) -> None:
        """Give the reader the whole screen and the focus, or give both back to the list."""
        if not on and self.opened:
            self.mail.leave_triage()
        self.set_class(on, "-reading")
        self.set_focus(self.reader if on else self.messages)
        if not on and self.opened:
            self.mail.preview.left_page()
        self.query_one(KeyBar).again()

    @property
    def has_pane(self) -> bool:
        """The reading pane is shown where there is room for it."""
        return not self.has_class("-pane-off")

    def take(self, ui: Ui, before: Ui | None) -> None:
        """Show list, reader and pane as these settings say; what did not change since `before` stays as keys left it."""
        if before is None or before.pane != ui.pane:
            for place in ("right", "below", "off"):
                self.set_class(ui.pane == place, f"-pane-{place}")
        if self.opened and before is not None:
            self.messages.set_density(ui.density)
            self._name_keys()
            if before.conversations != ui.conversations:
                self.mail.list.thread(on=ui.conversations)
            if before.reflow is not ui.reflow and self.reader.reflowed is not ui.reflow:
                self.reader.switch_reflow()
            if self.focused is not None and not self.focused.display:
                self.set_focus(self.messages)

    def _name_keys(self) -> None:
        """Tell the widgets the keys that they name."""
        self.reader.check_key = self.termmail.keys.shown("mail.check")
        self.reader.answer_key = self.termmail.keys.shown("invitation.answer")
        self.problems.dismiss_key = self.termmail.keys.shown("view.back")
        self.query_one(KeyBar).again()

    def toggle_pane(self) -> None:
        """Show the reading pane, or hide it."""
        self.toggle_class("-pane-off")
        if self.focused is not None and not self.focused.display:
            self.set_focus(self.messages)

    # -- keys

    async def action_do(self, action_id: str) -> None:
        """Do an action of the registry, or say why it does nothing here."""
        self.do(BY_ID[action_id])

    def do(self, action: Action) -> None:
        """Do an action, or say why it does nothing here."""
        if not self.opened or action.run is None:
            return
        if why := column_keys.why_not(self.mail, action) or action.applies(self.mail):
            self.status.say(why, 5)
        else:
            if action.id not in MOVES_NOTHING_ON:
                self.status.move_on()
            action.run(self.mail)

    def offers(self, action: Action) -> str:
        """Return what the key bar calls an action here and now, "" where it leaves it out."""
        if not self.opened:
            return ""
        if not self.mail.engine.accounts.names:
            return action.short_word(self.mail) if action.id in WITHOUT_ACCOUNT else ""
        if self.mail.triage is not None and action.id not in triage_mode.KEYS:
            return ""
        if self.folders.has_focus:
            return action.short_word(self.mail) if column_keys.offered(action) and not action.applies(self.mail) else ""
        if self.messages.selected and action.group not in FOR_SELECTED and action.id not in WITH_SELECTED:
            return ""
        return "" if action.applies(self.mail) else action.short_word(self.mail)

    @property
    def leading(self) -> Sequence[str]:
        """The actions that come first in the key bar, in this order."""
        return triage_mode.KEYS if self.opened and self.mail.triage is not None else ()

    def action_copy_text(self) -> None:
        """Copy what is selected. With nothing selected say how to quit: ctrl+c is how other programs are left."""
        if self.get_selected_text() is not None:
            super().action_copy_text()
            self.status.say("Copied", 3)
            return
        at_list = self.opened and self.offers(BY_ID["view.quit"])
        self.status.say(f"{self.termmail.keys.shown('view.quit' if at_list else 'app.leave')} quits", 5)

    def leave(self) -> None:
        """Quit; with unsent mail, only after a question."""
        if self.opened:
            program.leave(self.mail)
        else:
            self.app.exit()

    def add_account(self) -> None:
        """Set up an account."""
        from termmail.ui.screens.setup import SetupScreen  # noqa: PLC0415 - not needed for the first screen

        self.app.push_screen(SetupScreen(self.mail.engine), self._account_added)

    def _account_added(self, account: str | None) -> None:
        if account is not None:
            start_worker(self, partial(self._show_account, account), "account")

    async def _show_account(self, account: str) -> None:
        inbox = await self.mail.engine.folders.by_role(account, Role.INBOX)
        self.mail.go_to(FolderView(inbox.folder_id))
        self.mail.engine.accounts.sync_soon(account)

    # -- what the widgets tell

    def on_message_list_moved(self, event: MessageList.Moved) -> None:
        """Let the reading pane follow the cursor."""
        if self.opened:
            linking.close(self.mail)
            self.status.only_about(self.messages.cursor_id)
            self.mail.preview.moved(anew=event.anew)
            self._offer_folding()
            if self.mail.triage is not None:
                self.retitle()

    def on_message_list_renewed(self) -> None:
        """Show the row of the cursor in the reading pane and the key bar, if it is a conversation by now, or no more."""
        if self.opened:
            self.mail.preview.renewed()
            self._offer_folding()

    def _offer_folding(self) -> None:
        """Draw the key bar again where the row of the cursor can be unfolded or folded, and the one before could not."""
        if unfolding.fold_word(self.mail) != self._fold_word:
            self.retitle()

    def on_message_list_opened(self) -> None:
        """Open what the cursor is on."""
        if self.opened:
            self.status.move_on()
            reading.open_row(self.mail)

    def on_reader_appeared(self) -> None:
        """Show the message at the cursor: the pane is there again, on a larger terminal."""
        if self.opened and not self.whole:
            self.mail.preview.moved()

    def on_reader_fetched(self, event: Reader.Fetched) -> None:
        """Clear the connection error of this account: its server answers."""
        self.problems.settle(SyncOf(event.account))

    def on_reader_shown(self, event: Reader.Shown) -> None:
        """Count the message as read, if it was opened; offer the keys for what it holds."""
        self.mail.preview.shown(event.id)
        self.query_one(KeyBar).again()

    def on_reader_whole_asked(self) -> None:
        """Give the reader the whole screen, or take it back."""
        reading.toggle_whole(self.mail)

    def on_folder_list_chosen(self, event: FolderList.Chosen) -> None:
        """Show a folder of the column."""
        folder_verbs.show(self.mail, event.view)

    def on_folder_list_scrolled(self) -> None:
        """Count the searches that are on the screen now."""
        if self.opened:
            self.mail.list.count_kept()

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """Let the list follow the typing."""
        searching.typed(self.mail, event.kind, event.text)

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Keep what was found, or go back."""
        searching.closed(self.mail, event.kind, event.text, kept=event.kept)

    def on_find_prompt_typed(self, event: FindPrompt.Typed) -> None:
        """Mark the words in the message."""
        finding.typed(self.mail, event.text)

    def on_find_prompt_stepped(self, event: FindPrompt.Stepped) -> None:
        """Go to the next or the previous place."""
        finding.step(self.mail, event.by)

    def on_find_prompt_scrolled(self, event: FindPrompt.Scrolled) -> None:
        """Scroll the message."""
        self.reader.by_page(event.by)

    def on_find_prompt_closed(self) -> None:
        """Go on reading."""
        finding.closed(self.mail)

    def on_link_prompt_typed(self, event: LinkPrompt.Typed) -> None:
        """Mark the link in the message."""
        linking.typed(self.mail, event.link)

    def on_link_prompt_chosen(self, event: LinkPrompt.Chosen) -> None:
        """Open the link, after a question."""
        linking.follow(self.mail, event.link)

    def on_link_prompt_copied(self, event: LinkPrompt.Copied) -> None:
        """Copy the address of the link."""
        linking.copy(self.mail, event.link)

    def on_link_prompt_closed(self) -> None:
        """Go on reading."""
        linking.close(self.mail)

    def on_reader_found(self, event: Reader.Found) -> None:
        """Show at which of how many places the user is."""
        finding.told(self.mail, event.words)

    # -- what the engine tells

    def handle_event(self, event: Event) -> None:
        """Hand one event of the engine to the parts it concerns."""
        self.mail.list.handle_event(event)
        match event:
            case SyncProgress():
                self.status.progress(event)
                self.retitle()
                if not event.running and event.well:
                    self._synced(event)
            case OutboxChanged(outbox_id=outbox_id, state=state):
                if state in {
                    SendState.SENDING,
                    SendState.SENT,
                    SendState.CANCELLED,
                }:  # it is tried again, or there is nothing to try
                    self.problems.settle(SendOf(outbox_id))
                start_worker(self, partial(self.mail.sending.handle_event, event), "outbox")
                self.mail.journal_changed()  # what is being sent cannot be taken back any more
                if self.reader.message is not None and self.reader.message.invitation is not None:
                    self.reader.look_again()  # it says what was answered
            case JournalChanged():
                self.mail.journal_changed()
            case Failed():
                self.problems.add(Problem(event.words, event.advice, event.account, event.about))
            case _:
                pass

    def _synced(self, event: SyncProgress) -> None:
        """Clear the errors of an account whose server has answered, and fetch again what it did not give before."""
        self.problems.forget(event.account)
        self.problems.settle(SyncOf(event.account))
        self.reader.try_again(event.account)
        if event.news:
            several = len(self.mail.engine.accounts.names) > 1
            self.status.report(event.account, f"{event.account}: {event.words}" if several else event.words)

    def fail(self, error: UserError, account: str = "") -> None:
        """Show an error until it is read. `account` is whose server was asked."""
        if error.code is ErrorCode.DATA:
            self.status.say(str(error))
            return
        account = account if error.code in ABOUT_THE_SERVER else ""
        about = SyncOf(account) if account else None
        self.problems.add(Problem(str(error), error.advice, account, about))

    def retitle(self) -> None:
        """Draw the title line and the key bar, if they have changed."""
        if not self.opened:
            return
        mail = self.mail
        server = ""
        if mail.engine.accounts.names:
            status = mail.engine.accounts.status(mail.list.account)
            server = titles.server(status, self.clock())
        place = mail.list.place(typing=self.asking) if mail.triage is None else mail.triage.title()
        self.query_one(TitleLine).show(place, server)
        self._fold_word = unfolding.fold_word(mail)
        offered = (
            self._fold_word,
            mail.next_step,
            mail.list.narrowed,
            mail.list.listing,
            mail.list.role,
            self.reader.conversation is not None and self.reader.conversation.every,
            bool(self.messages.ids),
            bool(mail.engine.accounts.names),
            bool(self.messages.selected),
            mail.triage is None,
        )
        self.set_class(mail.triage is not None, "-triage")
        if offered != self._offered:
            self._offered = offered
            self.query_one(KeyBar).again()
