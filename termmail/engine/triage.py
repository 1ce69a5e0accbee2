"""What the user does with messages in a list: flags, archive, delete. The store changes at once, servers follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.engine.clock import now
from termmail.engine.events import FolderChanged, MessageChanged
from termmail.errors import ErrorCode, UserError
from termmail.store import messages, pop3_identity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from termmail.engine.engine import Engine
    from termmail.store.rows import Row

DELETE_DELAY = 60
"""Seconds between `d` and the DELE it asks for."""


def how_many(ids: object) -> str:
    """`1 message`, `5 messages`."""
    count = len(ids)  # type: ignore[arg-type]
    return "1 message" if count == 1 else f"{count} messages"


async def flag(
    engine: Engine,
    ids: Iterable[int],
    *,
    unread: bool | None = None,
    starred: bool | None = None,
    undoable: bool = True,
) -> None:
    """Set flags; where it is `undoable`, remember what they were."""
    chosen = list(ids)
    before = await engine.db(messages.rows, chosen)
    await engine.db(messages.set_flags, chosen, unread=unread, starred=starred)
    engine.tell(MessageChanged(tuple(chosen)))

    async def takes_back() -> str | None:
        for row in before:
            await engine.db(
                messages.set_flags,
                [row.id],
                unread=None if unread is None else row.unread,
                starred=None if starred is None else row.starred,
            )
        engine.tell(MessageChanged(tuple(chosen)))
        return f"{how_many(chosen)} as before"

    changed = [
        row
        for row in before
        if (unread is not None and row.unread != unread) or (starred is not None and row.starred != starred)
    ]
    if changed and undoable:
        engine.journal.add(takes_back)


async def star(engine: Engine, ids: Iterable[int], *, on: bool | None = None) -> None:
    """Star, or take the star away; None turns the first one round and the others with it."""
    chosen = list(ids)
    if on is None:
        rows = await engine.db(messages.rows, chosen[:1])
        on = bool(rows) and not rows[0].starred
    await flag(engine, chosen, starred=on)


async def move(engine: Engine, ids: Iterable[int], folder: str) -> str:
    """Move messages to another folder; into Trash is the same as deleting them."""
    chosen = list(ids)
    if folder == "Trash":
        return await delete(engine, chosen)
    rows = await engine.db(messages.rows, chosen)
    before = await engine.db(messages.move, chosen, folder)
    _tell_moved(engine, rows, {folder})
    if not before:
        raise UserError(f"Nothing to move: {how_many(chosen)} in {folder} already.", code=ErrorCode.DATA)

    async def takes_back() -> str | None:
        for old_folder in set(before.values()):
            back = [id_ for id_, old in before.items() if old == old_folder]
            if old_folder == "Trash":
                await delete(engine, back, journal=False)
            else:
                await engine.db(messages.move, back, old_folder)
        _tell_moved(engine, rows, {folder})
        return f"{how_many(before)} back in {_places(before.values())}"

    engine.journal.add(takes_back)
    verb = {"Archive": "Archived", "Spam": "Marked as spam"}.get(folder)
    return f"{verb}: {how_many(before)}" if verb else f"Moved to {folder}: {how_many(before)}"


async def delete(engine: Engine, ids: Iterable[int], *, journal: bool = True) -> str:
    """Move to Trash, DELE due in a minute; what is in Trash already is deleted for good, here and on the server."""
    rows = await engine.db(messages.rows, list(ids))
    for_good = [row for row in rows if row.folder == "Trash"]
    to_trash = [row for row in rows if row.folder != "Trash"]
    if for_good:
        await engine.db(messages.erase, [row.id for row in for_good])
    before: dict[int, tuple[str, str]] = {}
    for account, group in _by_account(to_trash).items():
        keeps = engine.account(account).pop3.delete == "never" if account in engine.config.accounts else True
        due_at = None if keeps else now() + DELETE_DELAY
        before |= await engine.db(pop3_identity.trash, [row.id for row in group], due_at)
    _tell_moved(engine, rows, {"Trash"})
    _wake(engine, rows)
    if before and journal:

        async def takes_back() -> str | None:
            await engine.db(pop3_identity.restore, before)
            _tell_moved(engine, rows, {"Trash"})
            return f"{how_many(before)} back in {_places(folder for folder, _ in before.values())}"

        engine.journal.add(takes_back)
    if for_good and not to_trash:
        return f"Deleted for good: {how_many(for_good)}"
    return f"Deleted: {how_many(rows)}"


async def empty_trash(engine: Engine, account: str) -> str:
    """Delete everything in Trash for good."""
    ids = list(await engine.db(messages.ids, account, "Trash"))
    await engine.db(messages.erase, ids)
    engine.tell(FolderChanged(account, "Trash"))
    if account in engine.config.accounts:
        engine.receiver(account).look_again()
    return f"Deleted for good: {how_many(ids)}"


def _by_account(rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.account, []).append(row)
    return groups


def _places(folders: Iterable[str]) -> str:
    return " and ".join(sorted(set(folders)))


def _tell_moved(engine: Engine, rows: Iterable[Row], folders: set[str]) -> None:
    for account, group in _by_account(rows).items():
        for folder in folders | {row.folder for row in group}:
            engine.tell(FolderChanged(account, folder))


def _wake(engine: Engine, rows: Iterable[Row]) -> None:
    for account in _by_account(rows):
        if account in engine.config.accounts:
            engine.receiver(account).look_again()
