"""Tell an IMAP server which folders were made, renamed and removed here."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from termmail.engine.events import Failed, FolderChanged
from termmail.net.imap.folder_names import encode_name
from termmail.net.imap.refusals import FolderExists, NoSuchFolder
from termmail.net.net_errors import Refused
from termmail.store import imap_folders

if TYPE_CHECKING:
    from termmail.engine.context import Context
    from termmail.net.imap.imap_session import ImapSession
    from termmail.store.imap_folders import ImapFolder

_LOOKALIKES = {".": "\N{ONE DOT LEADER}", "\\": "\N{REVERSE SOLIDUS OPERATOR}"}
"""What stands for the character that divides levels on the server, inside a level."""


class FolderPush:
    """The folders of an account in one session. `done` counts the changes that the server confirmed.

    `prefix` and `delimiter` make the name of a new folder. `refused` are the ids of folders that the server did not make,
    as was told before.
    """

    def __init__(
        self, context: Context, account: str, session: ImapSession, *, prefix: str, delimiter: str, refused: set[int]
    ) -> None:
        self.context = context
        self.account = account
        self.session = session
        self.done = 0
        self._prefix = prefix
        self._delimiter = delimiter
        self._refused = refused
        self._folders: dict[int, ImapFolder] = {}

    def get(self, folder_id: int) -> ImapFolder | None:
        """Return a folder as it is known in this session."""
        return self._folders.get(folder_id)

    async def make_and_rename(self) -> None:
        """Rename and create folders. Raises NetError or StoreError."""
        await self._read()
        await self._push_names(await self.context.db(imap_folders.to_rename, self.account))
        for one in await self.context.db(imap_folders.to_create, self.account):
            await self._create(one)

    async def _read(self) -> None:
        self._folders = {one.folder_id: one for one in await self.context.db(imap_folders.all_folders, self.account)}

    async def _push_names(self, waiting: list[ImapFolder]) -> None:
        """Rename folders, those first whose new name is free. Where two swap their names, one gets another in between."""
        while waiting:
            free = [one for one in waiting if not self._is_taken(self._wire(one.name))]
            if not free and not (free_later := self._swapping(waiting)):
                return  # a folder that is not renamed has the name
            one = free[0] if free else free_later[0]
            if free:
                await self._rename(one)
            goes_on = not free and await self._rename_between(one)  # else it keeps its name: that was told
            left = [other.folder_id for other in waiting if other is not one or goes_on]
            waiting = [self._folders[folder_id] for folder_id in left if folder_id in self._folders]

    def _swapping(self, waiting: list[ImapFolder]) -> list[ImapFolder]:
        """Return the folders of which each has the name that another of them is to get."""
        found: list[ImapFolder] = []
        left = waiting
        while left != found:
            found = left
            names, wanted = {one.server_name for one in found}, {self._wire(one.name) for one in found}
            left = [one for one in found if self._wire(one.name) in names and one.server_name in wanted]
        return found

    def _wire(self, name: str) -> bytes:
        """Return the name on the wire: a level that has the server's delimiter in it gets a character that looks alike."""
        delimiter = self._delimiter
        if delimiter not in {"", "/"}:
            name = name.replace(delimiter, _LOOKALIKES.get(delimiter, "_")).replace("/", delimiter)
            name = name.replace("\N{FRACTION SLASH}", "/")
        return encode_name(self._prefix + name)

    def _is_taken(self, name: bytes) -> bool:
        return any(one.server_name == name for one in self._folders.values())

    async def _rename(self, folder: ImapFolder) -> None:
        assert folder.server_name is not None
        name = self._wire(folder.name)
        await self.session.close_folder()
        try:
            await self.session.rename_folder(folder.server_name, name)
        except Refused as error:
            await self._rename_refused(folder, error)
            return
        await self.context.db(imap_folders.renamed, folder.folder_id, name, encode_name(self._delimiter))
        self.done += 1
        await self._read()

    async def _rename_refused(self, folder: ImapFolder, error: Refused) -> None:
        """Give a folder its old name back, and tell why."""
        await self.context.db(imap_folders.refused, folder.folder_id)
        self.context.tell(FolderChanged(self.account))
        self._tell(f"The server did not rename {folder.listed_as} to {folder.name}.", error)
        await self._read()

    async def _rename_between(self, folder: ImapFolder) -> bool:
        """Give a folder a name that is free for now; return whether the server has done so."""
        between = self._wire(f"{folder.name} {folder.folder_id}")
        await self.session.close_folder()
        try:
            await self.session.rename_folder(folder.server_name or b"", between)
        except Refused as error:
            await self._rename_refused(folder, error)
            return False
        await self.context.db(imap_folders.named, folder.folder_id, between)
        await self._read()
        return True

    async def _create(self, folder: ImapFolder) -> bytes | None:
        """Create a folder on the server; return its name there, or None where the server refused.

        A name that one of our folders has there still waits until that one is renamed or removed.
        """
        name = self._wire(folder.name)
        if self._is_taken(name):
            return None
        try:
            await self.session.create_folder(name)
        except FolderExists:
            pass
        except Refused as error:
            if folder.folder_id not in self._refused:
                self._refused.add(folder.folder_id)
                self._tell(f"The folder {folder.name} could not be made on the server.", error)
            return None
        with contextlib.suppress(Refused):  # a server may have no subscriptions
            await self.session.subscribe(name)
        await self.context.db(imap_folders.bound, folder.folder_id, name)
        self.done += 1
        await self._read()
        return name

    async def name_of(self, folder_id: int) -> bytes | None:
        """Return the server's name of a folder, which is created where it is missing; None where that is refused."""
        folder = self._folders.get(folder_id)
        if folder is None:
            return None
        return folder.server_name if folder.server_name is not None else await self._create(folder)

    async def remove(self) -> None:
        """Remove folders that were removed here, where they are empty: mail that is not known here must stay."""
        for one in await self.context.db(imap_folders.to_remove, self.account):
            assert one.server_name is not None
            await self.session.close_folder()
            try:
                status = await self.session.status(one.server_name)
                if status.messages != 0:
                    raise Refused("There is mail in it that is not here.")  # noqa: TRY301 - told like a NO
                await self.session.delete_folder(one.server_name)
            except NoSuchFolder:
                pass
            except Refused as error:
                await self.context.db(imap_folders.refused, one.folder_id)
                self.context.tell(FolderChanged(self.account))
                self._tell(f"The server did not remove the folder {one.name}.", error)
                continue
            await self.context.db(imap_folders.unbound, one.folder_id)
            self.done += 1

    def _tell(self, words: str, error: Refused) -> None:
        self.context.tell(Failed(self.account, words, says(error)))


def says(error: Refused) -> str:
    """Return why a server refused, with its own words behind ours."""
    return f"{error} The server says: {error.server_says}" if error.server_says else str(error)
