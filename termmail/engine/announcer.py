"""Announce new mail: once for all that comes together, and never for what is no news.

No news is mail that was read already, that is not in an inbox, that is older than RECENT, or that came with the first
fill of an account. `new_mail` of the config says how it is announced; "off" is the default: the status line tells it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.engine.events import Failed, MailArrived, SyncProgress
from termmail.errors import UserError
from termmail.mail.counting import count
from termmail.mail.sanitize import clean_words, cut
from termmail.store import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.engine.context import Context
    from termmail.engine.events import Event
    from termmail.engine.mail_accounts import Accounts
    from termmail.store.messages import Arrival

log = logging.getLogger("termmail")

PAUSE = 1.0
"""Seconds from the end of a sync to the announcement: those of other accounts often end together."""
RECENT = 3 * 86_400
"""Seconds. Older mail that arrives was moved into the inbox, or comes from an account that was set up elsewhere."""
MOST_NAMES = 3
LONGEST = 160
"""Cells of an announcement."""
COMMAND_SECONDS = 20.0


class Announcement(Struct, frozen=True):
    """New mail in words, on one line and without control characters. They begin with a letter or a digit of ours."""

    words: str
    arrivals: tuple[Arrival, ...]


def announcement(arrivals: Sequence[Arrival]) -> Announcement:
    """Return what is said of these new messages, newest first."""
    first = arrivals[0]
    if len(arrivals) == 1:
        words = f"New mail from {first.sender or 'nobody'}: {first.subject or '(no subject)'}"
    else:
        senders = list(dict.fromkeys(one.sender or "nobody" for one in arrivals))
        more = f" and {count(len(senders) - MOST_NAMES, 'other')}" if len(senders) > MOST_NAMES else ""
        words = f"{count(len(arrivals), 'new message')}: {', '.join(senders[:MOST_NAMES])}{more}"
    return Announcement(cut(clean_words(words), LONGEST), tuple(arrivals))


def is_quiet(hours: str, now: float) -> bool:
    """Return whether this time (UTC seconds) is in the quiet hours, "22:00-07:00" by the local clock."""
    if not hours:
        return False
    begin, _, end = hours.partition("-")
    local = time.localtime(now)
    shown = f"{local.tm_hour:02}:{local.tm_min:02}"
    return begin <= shown < end if begin <= end else shown >= begin or shown < end


class Announcer:
    """Announces the new mail of an Engine after `start`, or all of it at `finish` after `collect`.

    `show` is set by a screen: it has the terminal. Mail is announced by the program whose sync it came with, so never
    twice.
    """

    def __init__(self, context: Context, accounts: Accounts) -> None:
        self.context = context
        self._accounts = accounts
        self._filled: dict[str, asyncio.Task[bool]] = {}
        """For each account whether it had been received from before the sync that runs now."""
        self._arrived: dict[str, list[int]] = {}
        """What has come with the sync of each account that runs now."""
        self._news: list[int] = []
        """What is to be announced."""
        self._timer: asyncio.TimerHandle | None = None
        self._by_itself = False
        self._failed = ""
        self.show: Callable[[Announcement], None] = lambda _: None

    def start(self) -> None:
        """Announce new mail from now on, soon after the sync that it came with."""
        self._by_itself = True
        self.context.subscribe(self._listen)

    def collect(self) -> None:
        """Collect new mail from now on, for `finish`."""
        self.context.subscribe(self._listen)

    async def finish(self) -> None:
        """Announce what was collected. Returns when the command for new mail has ended."""
        ids, self._news = self._news, []
        if ids:
            await self._announce(ids)

    def _listen(self, event: Event) -> None:
        match event:
            case SyncProgress(account=account, running=True, what="connecting"):
                self._arrived[account] = []
                self._filled[account] = self.context.tasks.run(self._was_filled(account))
            case MailArrived(account=account, ids=ids) if account in self._arrived:
                self._arrived[account] += ids
            case SyncProgress(account=account, running=False):
                filled = self._filled.pop(account, None)
                arrived = self._arrived.pop(account, [])
                if self.context.config.notifications.new_mail != "off" and filled is not None:
                    self._news += arrived if filled.done() and filled.result() else []
                if self._by_itself and self._news and not self._arrived:
                    self._later()
            case _:
                pass

    def _later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(PAUSE, self._now)

    def _now(self) -> None:
        ids, self._news = self._news, []
        self.context.tasks.run(self._announce(ids))

    async def _was_filled(self, account: str) -> bool:
        try:
            return await self._accounts.last_sync(account) is not None
        except (UserError, KeyError):  # the store is closed, or the account was removed a moment ago
            return False

    async def _announce(self, ids: Sequence[int]) -> None:
        settings = self.context.config.notifications
        now = self.context.clock()
        if is_quiet(settings.quiet_hours, now):
            return
        news = await self.context.db(messages.arrivals, ids, now - RECENT)
        if not news:
            return
        said = announcement(news)
        if settings.new_mail == "command" and settings.command is not None:
            await self._run(settings.command, said)
        else:
            self.show(said)

    async def _run(self, command: Sequence[str], said: Announcement) -> None:
        """Run the user's program. There is no shell; the words never begin with a dash, so they are no option."""
        first = said.arrivals[0]
        environment = os.environ | {
            "TERMMAIL_COUNT": str(len(said.arrivals)),
            "TERMMAIL_ACCOUNT": first.account,
            "TERMMAIL_SENDER": clean_words(first.sender),
            "TERMMAIL_SUBJECT": clean_words(first.subject),
        }
        try:
            code = await _ended([*command, said.words], environment)
        except (OSError, ValueError):
            code = -1
        if code == 0:
            self._failed = ""
        elif self._failed != command[0]:
            self._failed = command[0]
            words = f"The command for new mail, {command[0]!r}, did not work."
            self.context.tell(Failed("", words, "Correct command under [notifications] in config.toml."))


async def _ended(argv: Sequence[str], environment: dict[str, str]) -> int:
    """Run a program, for COMMAND_SECONDS at most, and return its exit code. Raises OSError or ValueError."""
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=nothing, stdout=nothing, stderr=nothing, env=environment, start_new_session=True
    )
    try:
        async with asyncio.timeout(COMMAND_SECONDS):
            return await process.wait()
    except TimeoutError:
        log.warning("the command for new mail took too long")
        return 0
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
