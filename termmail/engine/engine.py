"""The Engine: opens the store and the accounts and offers everything that the program can do.

The parts beside this module do the work; each depends on the Context alone.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from termmail.accounts.credentials import Passwords
from termmail.engine import account_setup, indexing, reading, triage, writing
from termmail.engine.context import Context
from termmail.engine.servers import Servers
from termmail.engine.undo import Journal
from termmail.engine.views import Status, SyncResult, View
from termmail.store import messages, search

if TYPE_CHECKING:
    from array import array
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
    from pathlib import Path

    from termmail.accounts.config import Account, Config
    from termmail.accounts.paths import Paths
    from termmail.engine.events import Event
    from termmail.engine.sender import Sender
    from termmail.engine.sync.source import MailSource
    from termmail.engine.transfer import Moved
    from termmail.mail.message import Address, Draft, Message, Rendered
    from termmail.net.trace import Trace
    from termmail.store.rows import Count, OutboxRow, Row
    from termmail.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("termmail")


class Engine:
    """One open termmail. Create it with `await Engine.open(...)` and end it with `await close()`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.servers = Servers(context)
        self.journal = Journal()
        self.last_draft = 0
        self.reader = reading.Reader(self)

    # -- open and close

    @classmethod
    async def open(cls, paths: Paths, config: Config, *, passwords: Passwords | None = None) -> Engine:
        """Open the store (created and migrated where needed) for these accounts. No server is asked.

        Raises StoreError where the store cannot be opened.
        """
        context = Context(paths, config, passwords or Passwords())
        await context.open()
        return cls(context)

    def start_background(self) -> None:
        """Receive at each account's interval, send what waits, and commit deletes that fall due."""
        self.servers.start()

    async def close(self, patience: float = 2.0, *, commit: bool = True) -> None:
        """Commit deletes and finish what is on the wire, waiting at most `patience` seconds for servers, and close.

        What is left stays due, or queued, for the next session; without `commit`, deletes wait for their minute.
        """
        await self.context.tasks.close()
        await self.servers.leave(patience, commit=commit)
        await asyncio.to_thread(self.reader.close)
        await self.context.close()

    # -- the context, for the parts and callers that still take the Engine

    @property
    def paths(self) -> Paths:
        """Where the files of this termmail are."""
        return self.context.paths

    @property
    def config(self) -> Config:
        """The settings, as config.toml has them."""
        return self.context.config

    @config.setter
    def config(self, config: Config) -> None:
        self.context.config = config

    @property
    def passwords(self) -> Passwords:
        """The passwords of this session."""
        return self.context.passwords

    async def db(self, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run one whole function of the store on the store thread."""
        return await self.context.db(function, *args, **kwargs)

    def tell(self, event: Event) -> None:
        """Call every listener with the event, on the loop."""
        self.context.tell(event)

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call `listener` with every event, on the loop; call the returned function to stop."""
        return self.context.subscribe(listener)

    def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that `close` cancels; an exception in it is logged and told."""
        return self.context.tasks.run(work)

    def receiver(self, account: str) -> MailSource:
        """Return the mail source of an account. Raises KeyError for an unknown name."""
        return self.servers.source(account)

    def sender(self, account: str) -> Sender:
        """Return the sender of an account. Raises KeyError for an unknown name."""
        return self.servers.sender(account)

    # -- accounts

    @property
    def accounts(self) -> list[str]:
        """The names of the accounts, in the order of the config."""
        return self.context.accounts

    @property
    def default_account(self) -> str:
        """The account that new mail is written from; "" where there is none."""
        return self.config.default_account or next(iter(self.config.accounts), "")

    def account(self, name: str) -> Account:
        """Return the settings of an account. Raises KeyError for an unknown name."""
        return self.context.account(name)

    @property
    def log_file(self) -> Path:
        """The file that holds the details of failures."""
        return self.context.log_file

    @property
    def read_only(self) -> bool:
        """Whether the data folder cannot be written: mail can be read, nothing else."""
        return self.context.read_only

    def try_account(
        self, account: Account, pop3_password: str, smtp_password: str | None = None, *, trace: Trace | None = None
    ) -> AsyncIterator[account_setup.Step]:
        """Try both servers step by step, and yield what came of each. Nothing is saved."""
        return account_setup.try_account(account, pop3_password, smtp_password, trace=trace)

    async def add_account(self, name: str, account: Account, password: str, smtp_password: str | None = None) -> str:
        """Save an account to config.toml and the keyring. Return the sentence that says where the password is."""
        words = await account_setup.add_account(self.context, name, account, password, smtp_password)
        self.servers.renew(name)
        return words

    def status(self, account: str) -> Status:
        """Return what is known of the account's server right now, from memory."""
        source = self.servers.known_source(account)
        return source.status if source else Status()

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
        await indexing.catch_up(self.context)

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
        """Return one outgoing message, as far as its outcome is known. Raises KeyError where it is gone."""
        row = await writing.outbox_row(self, id)
        return self.sender(row.account).as_known(row) if row.account in self.accounts else row

    async def seconds_until_sent(self, outbox_id: int) -> float:
        """Return how long a queued message still waits, by the monotonic clock; 0.0 for one that is ready or gone."""
        try:
            row = await self.outbox_row(outbox_id)
        except KeyError:
            return 0.0
        return await self.sender(row.account).seconds_left(outbox_id) if row.account in self.accounts else 0.0

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

        Raises NetError, PasswordError or StoreError.
        """
        return await self.receiver(account).sync(full=full)

    def sync_soon(self, account: str) -> None:
        """Receive, and send what was deferred, in the background; a failure becomes a Failed event."""
        self.servers.sync_soon(account)

    async def sync_quietly(self, account: str) -> None:
        """Receive, and tell a failure instead of raising it."""
        await self.servers.sync_quietly(account)

    async def flush(self, account: str) -> list[OutboxRow]:
        """Send everything of the account that is ready, and return the rows tried, in their new states.

        Raises StoreError.
        """
        return await self.sender(account).flush()

    async def hurry(self, account: str) -> None:
        """Make deferred messages due now: the next flush, which follows soon, tries them. Raises StoreError."""
        if not self.read_only:
            await self.sender(account).hurry()

    # -- in and out

    async def import_mail(self, account: str, path: Path, folder: str = "Inbox") -> Moved:
        """Read an mbox, a Maildir, an .eml file or a folder of them into a folder; nothing is taken twice."""
        from termmail.engine import transfer  # noqa: PLC0415 - few sessions move files

        return await transfer.import_mail(self, account, path, folder)

    async def export_mail(self, query: str, dest: Path, form: str) -> Moved:
        """Write the messages that answer `query` (empty: all) as "mbox", "maildir" or "eml"."""
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
