"""What an account is received from, whatever protocol its server speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from termmail.engine.sync_status import Status, SyncResult


class MailSource(Protocol):
    """The server of one account, seen from the engine. `Pop3Source` and `ImapSource` implement it.

    Every method may raise NetError, PasswordError and StoreError where nothing else is said.
    """

    @property
    def status(self) -> Status:
        """What is known of the server right now."""

    @property
    def wake(self) -> asyncio.Event:
        """Set to end the wait in `run`."""

    async def run(self) -> None:
        """Receive and push when that is due, then return when there may be more to do or `wake` is set.

        A failure of the server is told as a Failed event. Raises StoreError.
        """

    def look_again(self) -> None:
        """Read again when the next change is due: the user changed something."""

    async def sync(self, *, full: bool = False) -> SyncResult:
        """Receive what is new and push what is due.

        `full` compares the whole list even where the server says that nothing changed. A call while a sync runs joins
        it; a full one waits for a plain one to end, then runs.
        """

    async def fetch(
        self,
        message_id: int,
        progress: Callable[[int, int], None] | None = None,
        started: Callable[[bytes], None] | None = None,
    ) -> bytes:
        """Fetch one whole message now, ahead of a running sync, and store it.

        `progress(done, total)` is in bytes. `started` is called at most once, with the first bytes of a large message,
        which were not compared with anything yet.
        """

    async def prefetch(self, message_ids: Sequence[int]) -> list[int]:
        """Fetch whole messages that nobody waits for, and store them; return those that came.

        Neither a sync nor a message that is opened waits for all of them.
        """

    async def leave(self, patience: float, *, commit: bool) -> None:
        """End before the program does, waiting at most `patience` seconds for the server.

        With `commit`, deletes do not wait for their minute. Never raises for a server or the store.
        """
