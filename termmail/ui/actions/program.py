"""Checking mail, accounts, the reading pane, palette and help, and leaving, for a while or for good."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import threading
from functools import partial
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from termmail.errors import UserError
from termmail.mail.counting import count
from termmail.mail.model import SendState
from termmail.ui.actions.moving import step_back
from termmail.ui.actions.registry import Group, Place, declare, verb
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from termmail.ui.actions.verb_context import Mail

log = logging.getLogger("termmail")

READ_PATIENCE = 1.0
"""Seconds that quitting waits for the store, which another process may hold."""


@verb("mail.check", "f5", "Check mail", Group.PROGRAM)
def check(mail: Mail) -> None:
    """Look for new mail in all accounts."""
    if not mail.engine.accounts.names:
        mail.screen.add_account()
    if mail.screen.termmail.password_questions.declined:
        mail.screen.termmail.held_keys.drop()  # they are for the question that is about to come again
    for account in mail.engine.accounts.names:
        mail.problems.forget(account)
        mail.engine.accounts.sync_soon(account)


@verb("view.pane", "p", "Reading pane on or off", Group.PROGRAM)
def pane(mail: Mail) -> None:
    """Show the reading pane, or hide it."""
    mail.screen.toggle_pane()
    mail.status.say("Reading pane on" if mail.screen.has_pane else "Reading pane off", 3)
    if mail.screen.has_pane:
        mail.screen.call_after_refresh(mail.preview.follow)


@verb("app.settings", "comma", "Settings", Group.PROGRAM)
def settings(mail: Mail) -> None:
    """Show the settings; the mail behind them shows each change."""
    from termmail.ui.screens.settings import SettingsScreen  # noqa: PLC0415 - not needed for the first screen

    app, engine = mail.screen.termmail, mail.engine

    def closed(kept: bool | None) -> None:
        mail.status.say("Settings saved in config.toml." if kept else "Settings not changed.", 3)

    screen = SettingsScreen(engine.preferences, engine.accounts.names, app.appearance.themes(), app.appearance.apply)
    app.push_screen(screen, closed)


@verb("mail.space", "", "Server space: see and free it", Group.PROGRAM)
def space(mail: Mail) -> None:
    """Show what lies on the servers."""
    from termmail.ui.screens.space import SpaceScreen  # noqa: PLC0415 - not needed for the first screen

    if not mail.engine.accounts.names:
        mail.screen.add_account()
        return
    mail.screen.app.push_screen(SpaceScreen(mail.engine, mail.list.target_account()))


@verb("mail.add-account", "", "Add an account", Group.PROGRAM)
def add_account(mail: Mail) -> None:
    """Set up another account."""
    mail.screen.add_account()


declare("app.palette", "ctrl+p", "Find an action or a place by name", Place.APP, Group.PROGRAM)


@verb("app.palette-too", ":", "Find an action or a place by name", Group.PROGRAM)
def palette(mail: Mail) -> None:
    """Find any action by its name."""
    mail.screen.termmail.action_app_palette()


declare("app.help", "f1", "All keys", Place.APP, Group.PROGRAM)


@verb("app.help-too", "?", "All keys", Group.PROGRAM, rank=4, short="keys")
def all_keys(mail: Mail) -> None:
    """Show all keys."""
    mail.screen.termmail.action_app_help()


def _quit_word(mail: Mail) -> str:
    return "quit" if mail.screen.messages.has_focus and not mail.list.narrowed else ""


@verb("view.quit", "q", "Back; at the list, quit", Group.PROGRAM, rank=6, short=_quit_word)
def back_or_quit(mail: Mail) -> None:
    """Go back one level; at the list, quit."""
    if not step_back(mail):
        mail.screen.termmail.action_app_leave()


declare("app.leave", "ctrl+q", "Quit", Place.APP, Group.PROGRAM)


def leave(mail: Mail) -> None:
    """Quit; with unsent mail, only after a question."""
    waiting = max(mail.list.waiting(), mail.sending.waiting)
    if not waiting:
        mail.screen.app.exit()
    else:
        start_worker(mail.screen, partial(_ask_to_leave, mail, waiting), "leave", exclusive=True)


async def _ask_to_leave(mail: Mail, waiting: int) -> None:
    """Ask whether to quit, as long as something is not sent."""
    from termmail.ui.screens.leave import LeaveScreen  # noqa: PLC0415 - not needed for the first screen

    def answered(sure: bool | None) -> None:
        if sure:
            mail.screen.app.exit()

    if question := await _unsent(mail, waiting):
        mail.screen.app.push_screen(LeaveScreen(mail.engine, question, partial(_unsent, mail, waiting)), answered)
    else:
        mail.screen.app.exit()


async def _unsent(mail: Mail, waiting: int) -> str:
    """Return the question with what goes out by itself next time and what waits for a decision, "" without such mail.

    `waiting` is how many messages the Outbox had, for a store that does not answer in time.
    """
    undecided = 0
    try:
        async with asyncio.timeout(READ_PATIENCE):
            rows = await mail.engine.outbox.rows()
        undecided = sum(row.state in {SendState.FAILED, SendState.UNSURE} for row in rows)
        waiting = len(rows) - undecided
    except (UserError, TimeoutError) as error:
        log.warning("the outbox could not be read: %s", type(error).__name__)
    words = []
    if waiting:
        them = "It stays in the Outbox and goes out" if waiting == 1 else "They stay in the Outbox and go out"
        words.append(f"{count(waiting, 'message')} not sent yet. {them} next time.")
    if undecided:
        them = "needs a decision" if undecided == 1 else "need a decision"
        key = mail.key("go.outbox")
        words.append(f"{count(undecided, 'message')} in the Outbox {them} and will not go out until then ({key}).")
    return f"{' '.join(words)} Quit now?" if words else ""


@verb("app.suspend", "ctrl+z", "Suspend; fg in the shell continues", Group.PROGRAM)
def suspend(mail: Mail) -> None:
    """Stop the program and give the terminal to the shell."""
    if os.getpgrp() == os.getsid(0):  # the leader of the session is no shell that could go on with another job
        mail.status.say("There is no shell to return to.", 3)
        return
    with contextlib.suppress(SuspendNotSupported), mail.screen.app.suspend():
        ours = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        os.killpg(os.getpgrp(), signal.SIGTSTP)  # the programs that started termmail too, as the terminal would do it
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)  # stop this thread here, and nowhere later
        signal.signal(signal.SIGTSTP, ours)
