"""A command on its way, and what came back for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.command_writer import Command
    from termmail.net.imap.imap_machine import Challenge
    from termmail.net.imap.untagged import Status, Untagged
    from termmail.net.net_errors import NetError

    Take = Callable[[Untagged], bool]
    """Takes an untagged response, or returns False if it belongs to others."""


class Waiter:
    """A command that was queued, and its answer.

    `take` returns whether an untagged response belongs to the command; `done` is called with the tagged answer before
    anything behind it is read.
    """

    def __init__(
        self,
        command: Command,
        take: Take | None = None,
        done: Callable[[Status], None] | None = None,
    ) -> None:
        self.command = command
        self.tag = b""
        """The tag, once the command was sent."""
        self.take = take
        self.done = done
        self.future: asyncio.Future[Status | Challenge] = asyncio.get_running_loop().create_future()

    def answered(self, answer: Status | Challenge) -> None:
        """Resolve the future."""
        if not self.future.done():
            self.future.set_result(answer)

    def failed(self, error: NetError) -> None:
        """Make the future raise."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # mark it as retrieved: a cancelled waiter never looks
