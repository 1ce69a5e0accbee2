"""The main screen: finding mail, going to folders, checking servers, what is on its way, and leaving."""

# ruff: noqa: D102 - what an action does stands in the table of keys.py

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from termmail.engine.events import Failed, OutboxChanged, SendOf, SyncOf, SyncProgress
from termmail.engine.views import View
from termmail.store.store_errors import StoreError
from termmail.ui.humanize import count, number
from termmail.ui.keys import BY_ID
from termmail.ui.screens.main_message import LookingScreen
from termmail.ui.screens.main_view import UNSENT, as_typed
from termmail.ui.widgets.prompt import Prompt
from termmail.ui.widgets.status import Problem
from termmail.ui.workers import behind

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from termmail.engine.events import Event

log = logging.getLogger("termmail")


class FindingScreen(LookingScreen):
    """Search, filter, places, servers."""

    def __init__(self) -> None:
        super().__init__()
        self._sending: dict[int, int] = {}
        """Outgoing messages that `z` can still take back, with the UTC second each of them goes."""
        self._clock: Timer | None = None

    # -- questions

    def ask(self, question: str, yes: str, then: Callable[[], object]) -> None:
        """Do `then` only after a yes."""
        from termmail.ui.screens.confirm import ConfirmScreen  # noqa: PLC0415 - not needed for the first screen

        def answered(sure: bool | None) -> None:
            if sure:
                then()

        self.app.push_screen(ConfirmScreen(question, yes, "Back"), answered)

    # -- search and filter

    def action_mail_search(self) -> None:
        several = self.engine is not None and len(self.engine.accounts) > 1
        label = " Search all accounts: " if several else " Search all mail: "
        self.query_one(Prompt).open("search", label, "words, from:ada, subject:lunch")

    def action_mail_filter(self) -> None:
        self.query_one(Prompt).open("filter", f" Filter {self.home.folder}: ", "words of the messages to keep")

    def on_prompt_typed(self, event: Prompt.Typed) -> None:
        """The list follows the typing."""
        if event.kind == "filter":
            self.filter = event.text
            self.stale("ids")
        elif event.text:
            self._find(as_typed(event.text))
        elif self.view.query is not None:
            self.go_to(self.home)

    def on_prompt_closed(self, event: Prompt.Closed) -> None:
        """Enter keeps what was found, Esc goes back."""
        if self.whole:
            self.step_back()
        self.set_focus(self.messages)
        if event.kind == "filter":
            self.filter = event.text if event.kept else ""
            self.stale("ids")
        elif event.kept and event.text:
            self._find(event.text)
        elif self.view.query is not None:
            self.go_to(self.home)

    def _find(self, query: str) -> None:
        """Show what answers, in all accounts; with one, in that one, so that its coverage can be told. What was thrown
        away is not looked through: what `d` takes off the list must not be found again.
        """
        accounts = self.engine.accounts if self.engine is not None else []
        self.go_to(View.search(accounts[0] if len(accounts) == 1 else "", query, kept_only=True))

    # -- places

    def action_mail_go(self) -> None:
        self.choose_folder("Go to", self._went)

    def choose_folder(self, title: str, then: Callable[[str], None], *, moving: bool = False) -> None:
        """A list of folders with their letters; other accounts' folders as `account / folder`."""
        from termmail.ui.screens.folder_picker import Place, PlacesScreen  # noqa: PLC0415

        letters = {BY_ID[id_].words: letter for letter, id_ in self.termmail.keys.places().items()}
        account = self.home.account
        places = []
        if not moving:
            places = [Place(words, letters[words]) for words in (BY_ID["go.top"].words,) if words in letters]
        for folder, held in self.counts.get(account, {}).items():
            if not moving or folder not in {*UNSENT, self.view.folder}:
                detail = f"{number(held.unread)} unread" if held.unread else number(held.total) if held.total else ""
                places.append(Place(folder, letters.get(folder, ""), detail))
        if not moving:
            places += [
                Place(f"{other} / {folder}")
                for other, folders in self.counts.items()
                if other != account
                for folder in folders
            ]

        def chosen(name: str | None) -> None:
            if name is not None:
                then(name)

        self.app.push_screen(PlacesScreen(title, places, new="New folder" if moving else ""), chosen)

    def _went(self, name: str) -> None:
        if name == BY_ID["go.top"].words:
            if self.whole:
                self.reader.action_reader_top()
            else:
                self.messages.action_list_top()
            return
        account, _, folder = name.rpartition(" / ")
        if self.whole:
            self.step_back()
        self.go_to(View(account or self.home.account, folder))
        self.set_focus(self.messages)

    # -- servers

    def action_mail_check(self) -> None:
        if self.engine is None:
            return
        if not self.engine.accounts:
            self.action_mail_add_account()
        for account in self.engine.accounts:
            self.problems.forget(account)
            self.engine.sync_soon(account)

    def action_mail_add_account(self) -> None:
        from termmail.ui.screens.setup import SetupScreen  # noqa: PLC0415

        if self.engine is not None:
            self.app.push_screen(SetupScreen(self.engine), self._account_added)

    def _account_added(self, account: str | None) -> None:
        if account is not None and self.engine is not None:
            self.go_to(View(account, "Inbox"))
            self.engine.sync_soon(account)

    def heard(self, event: Event) -> None:
        """What goes out and what went wrong, beside what the lists hear."""
        super().heard(event)
        match event:
            case Failed():
                self.problems.add(Problem(event.words, event.advice, event.account, event.about))
            case OutboxChanged(id=id_, state=state):
                if state in {
                    "sending",
                    "sent",
                    "cancelled",
                }:  # tried again, or nothing to try: the last trouble is over
                    self.problems.settle(SendOf(id_))
                behind(self, partial(self._outbox, event), "outbox")
            case SyncProgress(account=account, running=False, well=True, words=words):
                self._went_well(account, words)
            case _:
                pass

    def _went_well(self, account: str, words: str) -> None:
        """The server has answered: what was told of it is so no longer, and what it did not give it may give now."""
        self.problems.forget(account)
        self.problems.settle(SyncOf(account))
        self.reader.try_again(account)
        if words and words != "No new messages":
            self.status.say(words)

    # -- what is on its way

    async def _outbox(self, event: OutboxChanged) -> None:
        if self.engine is None:
            return
        self._sending.pop(event.id, None)
        try:
            row = await self.engine.outbox_row(event.id)
        except (KeyError, StoreError):
            row = None
        if event.state == "queued" and row is not None and row.not_before > self.clock():
            self._sending[event.id] = row.not_before
        elif event.state == "sent":
            self.status.say("Sent: the server has taken it.")
        elif event.state in {"failed", "unsure"} and row is not None and row.state == event.state:
            title = "was not sent" if event.state == "failed" else "may or may not have been sent"
            key = self.termmail.keys.shown("go.outbox")
            self.problems.add(
                Problem(
                    f"“{row.subject}” {title}. {row.words}",
                    f"It is in the Outbox ({key}).",
                    event.account,
                    SendOf(event.id),
                )
            )
        self._tick()

    def _tick(self) -> None:
        """The countdown of the message that goes next, each second while there is one."""
        left = [when - self.clock() for when in self._sending.values()]
        if self._clock is not None:
            self._clock.stop()
            self._clock = None
        if not left:
            self.status.count_down("")
        elif min(left) <= 0:
            self.status.count_down("Sending …")
        else:
            key = self.termmail.keys.shown("message.undo")
            self.status.count_down(f"Sending in {max(1, round(min(left)))} s · {key} takes it back")
            self._clock = self.set_timer(min(1.0, max(0.05, min(left) % 1 or 1.0)), self._tick)

    # -- leaving, for a while or for good, and what the app does for one more key

    def action_app_palette_too(self) -> None:
        self.termmail.action_app_palette()

    def action_app_help_too(self) -> None:
        self.termmail.action_app_help()

    def action_app_suspend(self) -> None:
        if os.getpgrp() == os.getsid(0):  # what began the session is no shell that could go on with another job
            self.status.say("No shell is there to go to.", 3)
            return
        with contextlib.suppress(SuspendNotSupported), self.app.suspend():
            ours = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
            os.killpg(os.getpgrp(), signal.SIGTSTP)  # what started termmail too, as the terminal itself would do it
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # this thread stops here, and nowhere later
            signal.signal(signal.SIGTSTP, ours)

    def action_copy_text(self) -> None:
        """What is selected, as everywhere. With nothing selected, ctrl+c is how other programs are left."""
        if self.get_selected_text() is not None:
            super().action_copy_text()
            return
        at_list = self.offers("view.quit", "quit", fits=self.focused is self.messages)
        self.status.say(f"{self.termmail.keys.shown('view.quit' if at_list else 'app.leave')} quits", 5)

    def action_view_quit(self) -> None:
        if not self.step_back():
            self.leave()

    def leave(self) -> None:
        """Quit; with unsent mail, only after a question."""
        waiting = sum(folders["Outbox"].total for folders in self.counts.values() if "Outbox" in folders)
        waiting = max(waiting, len(self._sending))
        if not waiting:
            self.app.exit()
        else:
            behind(self, partial(self._ask_to_leave, waiting), "leave", exclusive=True)

    async def _ask_to_leave(self, waiting: int) -> None:
        """What waits goes by itself next time; what was refused, or may have arrived, does not."""
        if self.engine is None:
            return
        undecided = 0
        try:
            for account in self.counts:
                for id_ in await self.engine.ids(View(account, "Outbox")):
                    undecided += (await self.engine.outbox_row(id_)).state in {"failed", "unsure"}
        except (KeyError, StoreError) as error:
            log.warning("the outbox could not be read: %s", type(error).__name__)
        words = []
        if waiting := max(0, waiting - undecided):
            them = "It stays in the Outbox and goes out" if waiting == 1 else "They stay in the Outbox and go out"
            words.append(f"{count(waiting, 'message')} not sent yet. {them} next time.")
        if undecided:
            them = "needs a decision" if undecided == 1 else "need a decision"
            key = self.termmail.keys.shown("go.outbox")
            words.append(f"{count(undecided, 'message')} in the Outbox {them} and will not go out before it ({key}).")
        self.ask(f"{' '.join(words)} Quit now?", "Quit", self.app.exit)
