"""The Engine: opens the store and the accounts, owns every task, tells events. Everything the program can do is a
verb here; the rooms beside this file hold how.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Concatenate, Literal, ParamSpec, TypeVar

from termmail.accounts.credentials import PasswordError, Passwords
from termmail.engine import account_setup, indexing, reading, triage, writing
from termmail.engine.events import Event, Failed, receiving
from termmail.engine.undo import Journal
from termmail.engine.views import Status, SyncResult, View
from termmail.net.net_errors import NetError
from termmail.store import messages, search
from termmail.store.store_errors import StoreError

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence
    from pathlib import Path

    from termmail.accounts.config import Account, Config
    from termmail.accounts.paths import Paths
    from termmail.engine.sender import Sender
    from termmail.engine.sync.pop3_source import Receiver
    from termmail.engine.transfer import Moved
    from termmail.mail.message import Address, Draft, Message, Rendered
    from termmail.net.stream import Server
    from termmail.net.trace import Trace
    from termmail.store.rows import Count, OutboxRow, Row
    from termmail.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("termmail")


class Engine:
    """One open termmail. Make it with `await Engine.open(...)`, end it with `await close()`."""

    def __init__(self, paths: Paths, config: Config, passwords: Passwords) -> None:
        self.paths = paths
        self.config = config
        self.passwords = passwords
        self.journal = Journal()
        self.last_draft = 0
        self.reader = reading.Reader(self)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._store: Store | None = None
        self._listeners: list[Callable[[Event], None]] = []
        self._receivers: dict[str, Receiver] = {}
        self._senders: dict[str, Sender] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._background = False

    # -- life

    @classmethod
    async def open(cls, paths: Paths, config: Config, *, passwords: Passwords | None = None) -> Engine:
        """Open the store (made and migrated where needed) for these accounts. No server is asked.

        Raises StoreError, in words for the reader, where the store cannot be opened.
        """
        engine = cls(paths, config, passwords or Passwords())
        loop = asyncio.get_running_loop()
        try:
            engine._store = await loop.run_in_executor(engine._thread, account_setup.open_store, paths)
        except BaseException:
            engine._thread.shutdown(wait=False)
            raise
        return engine

    def start_background(self) -> None:
        """Look for mail by each account's clock, send what waits, commit deletes that fall due."""
        self._background = True
        for name in self.accounts:
            self._start_account(name)

    def _start_account(self, name: str) -> None:
        if self._background and not self.read_only:
            self.run(self.receiver(name).run())
            self.run(self.sender(name).run())

    async def close(self, patience: float = 2.0, *, commit: bool = True) -> None:
        """Leave: commit deletes and finish what is on the wire, waiting at most `patience` seconds for servers.

        What is left stays due, or queued, for the next session; without `commit`, deletes wait for their minute.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        names = self.accounts if commit else [*self._receivers]
        leaving = [self.receiver(name).leave(patience, commit=commit) for name in names]
        leaving += [s.leave(patience) for s in self._senders.values()]
        await asyncio.gather(*leaving, return_exceptions=True)
        await asyncio.to_thread(self.reader.close)
        store, self._store = self._store, None
        if store is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, store.close)
        self._thread.shutdown(wait=False)

    # -- what the rooms of the engine stand on

    async def db(self, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one whole function of the store on the store thread."""
        if self._store is None:
            raise StoreError("The mail store is closed.")
        call = partial(function, self._store, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def tell(self, event: Event) -> None:
        """Tell every listener, on the loop."""
        for listener in tuple(self._listeners):
            listener(event)

    def run(self, work: object) -> asyncio.Task[object]:
        """Own a task: it is kept, ended by `close`, and what goes wrong in it is told and logged, never lost."""
        task: asyncio.Task[object] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a task of the engine ended", exc_info=error)
            where = f"The log has the details: {self.log_file}."
            self.tell(Failed("", "Something in termmail went wrong; your mail is safe.", where))

    async def server(self, account: str, kind: Literal["pop3", "smtp"]) -> Server:
        """The "pop3" or "smtp" server of an account, its password fetched. Raises PasswordError."""
        settings = self.account(account)
        part = settings.pop3 if kind == "pop3" else settings.smtp
        return account_setup.server(kind, part, await self.passwords.get(account, kind, settings))

    def receiver(self, account: str) -> Receiver:
        """The one that talks POP3 for this account; KeyError where there is no such account."""
        from termmail.engine.sync.pop3_source import Receiver  # noqa: PLC0415 - mail is shown before servers are asked

        if account not in self._receivers:
            self.account(account)
            self._receivers[account] = Receiver(self, account)
        return self._receivers[account]

    def sender(self, account: str) -> Sender:
        """The one that talks SMTP for this account; KeyError where there is no such account."""
        from termmail.engine.sender import Sender  # noqa: PLC0415

        if account not in self._senders:
            self.account(account)
            self._senders[account] = Sender(self, account)
        return self._senders[account]

    # -- accounts

    @property
    def accounts(self) -> list[str]:
        """The names of the accounts, in the order of the config."""
        return list(self.config.accounts)

    @property
    def default_account(self) -> str:
        """The account that new mail is written from; "" where there is none."""
        return self.config.default_account or next(iter(self.config.accounts), "")

    def account(self, name: str) -> Account:
        """The settings of an account; KeyError where there is none of that name."""
        return self.config.accounts[name]

    @property
    def log_file(self) -> Path:
        """Where details go that a reader does not want on the screen."""
        return self.paths.data / "termmail.log"

    @property
    def read_only(self) -> bool:
        """True where the data folder cannot be written: mail can be read, nothing else."""
        return self._store is not None and self._store.read_only

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Hear every event, on the loop; call what comes back to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def try_account(
        self, account: Account, pop3_password: str, smtp_password: str | None = None, *, trace: Trace | None = None
    ) -> AsyncIterator[account_setup.Step]:
        """Try both servers step by step, and say what came of each. Nothing is saved."""
        return account_setup.try_account(account, pop3_password, smtp_password, trace=trace)

    async def add_account(self, name: str, account: Account, password: str, smtp_password: str | None = None) -> str:
        """Save an account: config.toml and keyring. Returns the sentence that says where the password is."""
        words = await account_setup.add_account(self, name, account, password, smtp_password)
        self._receivers.pop(name, None)
        self._senders.pop(name, None)
        self._start_account(name)
        return words

    def status(self, account: str) -> Status:
        """What is known of the account's server right now, from memory."""
        receiver = self._receivers.get(account)
        return receiver.status if receiver else Status()

    # -- lists

    async def ids(self, view: View, limit: int | None = None) -> array[int]:
        """The ids of a view, newest first. In Drafts they are draft ids, in Outbox outbox ids."""
        return await reading.ids(self, view, limit)

    async def changed_elsewhere(self) -> bool:
        """Whether another program has written to the store since this was last asked: then lists are read again."""
        return await self.db(lambda store: store.changed_elsewhere())

    async def rows(self, view: View, ids: Sequence[int]) -> list[Row]:
        """What the list draws for these ids of the view, in their order; ids that are gone are left out."""
        return await reading.rows(self, view, ids)

    async def row(self, id: int) -> Row | None:  # noqa: A002 - the word of the house for a message's key
        """One message's row, or None where it is gone."""
        return await self.db(messages.row, id)

    async def counts(self, account: str) -> dict[str, Count]:
        """Each folder of the account with how many messages it holds and how many are unread."""
        return await self.db(messages.counts, account)

    async def search(self, account: str, query: str) -> array[int]:
        """The ids of messages that answer, newest first; `account` "" searches all. What waits is indexed first."""
        return await self.ids(View.search(account, query))

    async def index(self) -> None:
        """Bring the search index, snippets and attachment marks up with the store, in small steps."""
        await indexing.catch_up(self)

    async def coverage(self, account: str, *, kept_only: bool = False) -> tuple[int, int]:
        """How many bodies search covers, of how many messages; with `kept_only`, Trash and Spam aside."""
        return await self.db(search.coverage, account, kept_only=kept_only)

    # -- reading

    async def peek(self, id: int) -> Message | None:  # noqa: A002
        """The message if its text is here, else None. Never asks a server."""
        return await self.reader.peek(id)

    async def read(self, id: int, progress: Callable[[int, int], None] | None = None) -> Message:  # noqa: A002
        """The whole message: from the store, or by RETR once and then from the store for ever.

        `progress(done, total)` is called in bytes. Raises NetError or PasswordError where it cannot be fetched.
        """
        return await self.reader.read(id, progress)

    async def raw(self, id: int) -> bytes:  # noqa: A002
        """The bytes as received: the whole message where it was downloaded, else its header block."""
        return (await self.db(messages.raw, id))[0]

    async def rendered(self, id: int, width: int = 88, *, html: bool | None = None) -> Rendered:  # noqa: A002
        """The body as lines of at most `width` cells; `html` chooses the part, None the best one."""
        return await self.reader.rendered(id, width, html=html)

    async def part(self, id: int, path: str) -> bytes:  # noqa: A002
        """The decoded bytes of one part."""
        return await self.reader.part(id, path)

    async def save_part(self, id: int, path: str, folder: Path) -> Path:  # noqa: A002
        """Save one part below `folder` under a safe, new name (mode 0600); OSError where that cannot be done."""
        return await self.reader.save_part(id, path, folder)

    async def open_part(self, id: int, path: str) -> Path:  # noqa: A002
        """A copy of one part for another program to open, in a folder of ours that `close` empties."""
        return await self.reader.open_part(id, path)

    async def browser_file(self, id: int) -> Path:  # noqa: A002
        """The message as a file for the browser that loads nothing and runs nothing."""
        return await self.reader.browser_file(id)

    # -- triage: the screen changes at once, `z` takes it back

    async def mark_read(self, ids: Iterable[int], *, unread: bool = False) -> None:
        """Mark messages read, or unread."""
        await triage.flag(self, ids, unread=unread)

    async def star(self, ids: Iterable[int], *, on: bool | None = None) -> None:
        """Star messages, or take the star away; None turns the first one round and the others with it."""
        await triage.star(self, ids, on=on)

    async def delete(self, ids: Iterable[int]) -> str:
        """Move messages to Trash; DELE follows a minute later. In Trash: delete them for good."""
        return await triage.delete(self, ids)

    async def archive(self, ids: Iterable[int]) -> str:
        """Move messages to Archive."""
        return await triage.move(self, ids, "Archive")

    async def spam(self, ids: Iterable[int]) -> str:
        """Move messages to Spam."""
        return await triage.move(self, ids, "Spam")

    async def move(self, ids: Iterable[int], folder: str) -> str:
        """Move messages to a folder (Inbox, Archive, Spam, Trash, or one of the user's own)."""
        return await triage.move(self, ids, folder)

    async def empty_trash(self, account: str) -> str:
        """Delete everything in Trash for good, here and on the server. There is no undo."""
        return await triage.empty_trash(self, account)

    async def undo(self) -> str | None:
        """Take back the last thing done; the words for it, or None. A send taken back leaves its draft's id in
        `last_draft`.
        """
        return await self.journal.undo()

    # -- writing

    async def new_draft(self, account: str = "", to: str = "") -> Draft:
        """A new message, signature in place. Not stored until it is saved."""
        return writing.new(self, account or self.default_account, to)

    async def mailto_draft(self, url: str) -> Draft:
        """A new message from a mailto: link; nothing but to, cc, subject, body and in-reply-to is taken from it."""
        return writing.mailto(self, url)

    async def reply_draft(self, id: int, *, everyone: bool = False, to_list: bool = False) -> Draft:  # noqa: A002
        """An answer to a message, quoted."""
        return await writing.reply(self, id, everyone=everyone, to_list=to_list)

    async def forward_draft(self, id: int, *, attached: bool = False) -> Draft:  # noqa: A002
        """A message passed on, with its attachments; stored at once, for they are copied in."""
        return await writing.forward(self, id, attached=attached)

    async def save_draft(self, draft: Draft) -> Draft:
        """Store the draft; what comes back has its id."""
        return await writing.save(self, draft)

    async def load_draft(self, id: int) -> Draft:  # noqa: A002
        """A stored draft; KeyError where it is gone."""
        return await writing.load(self, id)

    async def discard_draft(self, id: int) -> None:  # noqa: A002
        """Delete a draft and its attachments for good."""
        await writing.discard(self, id)

    async def attach(self, draft: Draft, path: Path) -> Draft:
        """Copy a file into the draft; OSError or ComposeError, in words, where it cannot be."""
        return await writing.attach(self, draft, path)

    async def detach(self, draft: Draft, file_id: int) -> Draft:
        """Take an attachment out of the draft."""
        return await writing.detach(self, draft, file_id)

    async def concerns(self, draft: Draft) -> tuple[str, ...]:
        """What a careful friend would ask before this is sent."""
        return await writing.concerns(draft)

    async def send(self, draft: Draft, delay: float = writing.SEND_DELAY) -> int:
        """Queue a draft; it goes out after `delay` seconds. Returns its outbox id.

        Raises ComposeError, in words, where it cannot be sent as it is.
        """
        return await writing.send(self, draft, delay)

    async def complete(self, prefix: str) -> list[Address]:
        """People written to and received from whose name or address begins so, most used first."""
        return await writing.complete(self, prefix)

    # -- outbox

    async def outbox_row(self, id: int) -> OutboxRow:  # noqa: A002
        """One outgoing message; KeyError where it is gone."""
        return await writing.outbox_row(self, id)

    async def retry_outbox(self, id: int, *, sure: bool = False) -> None:  # noqa: A002
        """Send again now; one that may have arrived only when the user is `sure`."""
        await writing.retry(self, id, sure=sure)

    async def cancel_outbox(self, id: int) -> Draft | None:  # noqa: A002
        """Take an unsent message back as a draft; None where it is already on its way."""
        return await writing.cancel(self, id)

    async def assume_sent(self, id: int) -> None:  # noqa: A002
        """The user knows that an unsure message arrived: it goes to Sent."""
        await writing.assume_sent(self, id)

    # -- servers

    async def sync(self, account: str, *, full: bool = False) -> SyncResult:
        """Receive new mail and commit due deletes now. `full` asks for the whole list even where STAT looks the same.

        Raises NetError or PasswordError.
        """
        return await self.receiver(account).sync(full=full)

    def sync_soon(self, account: str) -> None:
        """Somebody asked: receive, and send what was put off, in the background; what goes wrong becomes a Failed
        event."""
        self.run(self.sync_quietly(account))
        self.run(self.hurry(account))

    async def sync_quietly(self, account: str) -> None:
        """Receive, and tell instead of raising."""
        try:
            await self.sync(account)
            await self.index()
        except (NetError, PasswordError, StoreError) as error:
            self.tell(Failed(account, str(error), error.advice, receiving(account)))

    async def flush(self, account: str) -> list[OutboxRow]:
        """Send everything of the account that is ready to go; the rows tried, in their new states."""
        return await self.sender(account).flush()

    async def hurry(self, account: str) -> None:
        """Somebody asks: what was put off is tried at the next flush, which follows soon."""
        if not self.read_only:
            await self.sender(account).hurry()

    # -- in and out

    async def import_mail(self, account: str, path: Path, folder: str = "Inbox") -> Moved:
        """Read an mbox, a Maildir, an .eml file or a folder of them into a folder; nothing is taken twice."""
        from termmail.engine import transfer  # noqa: PLC0415 - few sessions move files

        return await transfer.import_mail(self, account, path, folder)

    async def export_mail(self, query: str, dest: Path | BinaryIO, form: str) -> Moved:
        """Write the messages that match `query` ("": all) as "mbox", "maildir" or "eml"; see transfer.export_mail."""
        from termmail.engine import transfer  # noqa: PLC0415 - few sessions move files

        return await transfer.export_mail(self, query, dest, form)


@asynccontextmanager
async def opened(
    paths: Paths, config: Config, *, passwords: Passwords | None = None, commit: bool = True
) -> AsyncIterator[Engine]:
    """An open Engine for as long as the block runs; `commit` as `Engine.close` has it."""
    engine = await Engine.open(paths, config, passwords=passwords)
    try:
        yield engine
    finally:
        await engine.close(commit=commit)
