"""The folders of every account, how much lies in them, and making, renaming and removing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.engine import indexing, queries
from termmail.engine.events import FolderChanged, JournalChanged
from termmail.store import drafts, folder_changes, folders, label_names, marked_ids, outbox, saved_searches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.engine.context import Context
    from termmail.mail.model import Count, Done, Folder, Label, Role, SavedSearch
    from termmail.store.store import Store


class Counts(Struct, frozen=True):
    """What a folder column shows.

    `messages` counts what lies in each folder, by its id; empty ones have no entry. `drafts` and `outbox` count the
    drafts and the unsent messages of each account. `searches` are those that are kept, `found` counts the unread
    messages of each search that was counted by `Folders.found`, by its id. `snoozed` counts what is snoozed in all
    accounts.
    """

    folders: list[Folder]
    messages: dict[int, Count]
    drafts: dict[str, int]
    outbox: dict[str, int]
    searches: list[SavedSearch] = []
    found: dict[int, Count] = {}
    labels: list[Label] = []
    snoozed: int = 0


class Folders:
    """Folders of every account. Every method may raise StoreError."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def ensure(self) -> None:
        """Create the standard folders of the accounts that lack them."""
        if not self.context.read_only:
            for account in self.context.accounts:
                await self.context.db(folders.ensure, account)

    async def listing(self) -> list[Folder]:
        """Return the folders of every account: the standard ones first, then the others by name."""
        return await self.context.db(folders.listing)

    async def counts(self) -> Counts:
        """Return the folders and how much lies in them."""
        return await self.context.db(_counts)

    async def found(self, searches: Iterable[SavedSearch]) -> dict[int, Count]:
        """Return how many unread messages these searches find, by their ids; the store does other work in between.

        What came lately is indexed before.
        """
        await indexing.before_search(self.context)
        asked = {one.search_id: queries.parsed(self.context, one.words).query for one in searches}
        return {search_id: await self.context.db(saved_searches.unread, query) for search_id, query in asked.items()}

    async def by_role(self, account: str, role: Role) -> Folder:
        """Return an account's folder of this role, creating it where it is missing."""
        return await self.context.db(folders.by_role, account, role)

    async def by_name(self, account: str, name: str) -> Folder | None:
        """Return an account's folder of this name, or None; the case of letters matters only between two folders."""
        return await self.context.db(folders.by_name, account, name)

    async def make(self, account: str, name: str) -> Folder:
        """Create a folder. Raises FolderError."""
        folder = await self.context.db(folder_changes.make, account, name, self.context.clock())
        self._tell(account)
        return folder

    async def rename(self, folder_id: int, name: str) -> Folder:
        """Rename a folder of the user's own. Raises FolderError or FolderGone."""
        folder = await self.context.db(folder_changes.rename, folder_id, name, self.context.clock())
        self._tell(folder.account)
        return folder

    async def remove(self, folder_id: int) -> Done:
        """Remove a folder of the user's own; its messages go to Archive. Raises FolderError or FolderGone."""
        done = await self.context.db(folder_changes.remove, folder_id, self.context.clock())
        self._tell("")
        return done

    # -- searches that are kept

    async def save_search(self, name: str, words: str) -> SavedSearch:
        """Keep a search as a folder. Raises FolderError."""
        found = await self.context.db(saved_searches.save, name, words)
        self._tell("")
        return found

    async def rename_search(self, search_id: int, name: str) -> SavedSearch:
        """Rename a kept search. Raises FolderError or FolderGone."""
        found = await self.context.db(saved_searches.rename, search_id, name)
        self._tell("")
        return found

    async def move_search(self, search_id: int, places: int) -> None:
        """Move a kept search so many places down, or up where `places` is negative. Raises FolderGone."""
        await self.context.db(saved_searches.move, search_id, places)
        self._tell("")

    async def remove_search(self, search_id: int) -> Done:
        """Remove a kept search; its messages stay. Raises FolderGone."""
        done = await self.context.db(saved_searches.remove, search_id, self.context.clock())
        self._tell("")
        return done

    def _tell(self, account: str) -> None:
        self.context.tell(FolderChanged(account))
        self.context.tell(JournalChanged())


def _counts(store: Store) -> Counts:
    return Counts(
        folders.listing(store),
        folders.counts(store),
        drafts.counts(store),
        outbox.counts(store),
        saved_searches.listing(store),
        labels=label_names.listing(store),
        snoozed=len(marked_ids.snoozed_ids(store)),
    )
