"""The verbs on messages: flags, moving, copying, erasing.

Each verb is one transaction: it checks that every message still is where the user saw it, writes the effect, and
writes the step that undoes it. What has moved in the meantime is left alone and reported as skipped.

Flags and folders change at once. For a POP3 account a message whose only folders are Trash becomes due for DELE
(store/remote_state.py); leaving Trash calls that off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.model import ROLE_NAMES, Done, Placement, Role, StepKind
from termmail.store import folders, journal, marks, messages, placements, remote_state
from termmail.store.placements import Seen
from termmail.store.store import IN_IDS, id_list

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from termmail.store.store import Store


# -- flags


def mark(store: Store, message_ids: Iterable[int], kind: StepKind, now: int) -> Done:
    """Mark messages read, unread, starred or not; those that are so already are left out of the step."""
    flag = journal.FLAG_STEPS[kind]
    column, on = journal.FLAG_COLUMNS[flag], kind in {StepKind.UNREAD, StepKind.STAR}
    with store.transaction() as db:
        found = db.execute(
            f"SELECT id FROM message WHERE id {IN_IDS} AND {column} <> ?",  # noqa: S608 - a column of ours
            (id_list(message_ids), on),
        ).fetchall()
        changed = [message_id for (message_id,) in found]
        if not changed:
            return Done(None)
        step = journal.begin(db, kind, len(changed), now)
        before, after = (0, int(flag)) if on else (int(flag), 0)
        db.executemany(
            "INSERT INTO change (step, message, before, after) VALUES (?, ?, ?, ?)",
            [(step.step_id, message_id, before, after) for message_id in changed],
        )
        db.execute(f"UPDATE message SET {column} = ? WHERE id {IN_IDS}", (on, id_list(changed)))  # noqa: S608
    return Done(step, tuple(changed))


def set_seen(store: Store, message_ids: Iterable[int]) -> tuple[int, ...]:
    """Mark messages read because they were opened, which is no step of the journal; return those that were unread."""
    with store.transaction() as db:
        rows = db.execute(f"SELECT id FROM message WHERE id {IN_IDS} AND unread = 1", (id_list(message_ids),))  # noqa: S608
        unread = tuple(message_id for (message_id,) in rows)
        db.execute(f"UPDATE message SET unread = 0 WHERE id {IN_IDS}", (id_list(unread),))  # noqa: S608
    return unread


# -- moving


def move(store: Store, seen: Iterable[Placement], folder_id: int, now: int, due: Mapping[str, int | None]) -> Done:
    """Move messages to a folder of their own account; into Trash, they are deleted. Raises FolderGone."""
    kinds = {Role.TRASH: StepKind.DELETE, Role.ARCHIVE: StepKind.ARCHIVE, Role.JUNK: StepKind.JUNK}
    wanted = list(seen)
    with store.transaction() as db:
        target = folders.get(store, folder_id)
        return _move(
            db,
            kinds.get(target.role, StepKind.MOVE),
            wanted,
            lambda account: folder_id if account == target.account else None,
            name=target.name,
            now=now,
            due=due,
        )


def move_to_role(
    store: Store,
    seen: Iterable[Placement],
    kind: StepKind,
    now: int,
    due: Mapping[str, int | None],
) -> Done:
    """Archive (ARCHIVE), delete (DELETE), or mark messages as junk or not junk (JUNK, NOT_JUNK).

    Each goes to the folder with that role in its own account.
    """
    role = _TARGETS[kind]
    wanted = list(seen)
    with store.transaction() as db:
        name = ROLE_NAMES[role]
        return _move(db, kind, wanted, lambda account: folders.role_id(db, account, role), name=name, now=now, due=due)


_TARGETS = {
    StepKind.ARCHIVE: Role.ARCHIVE,
    StepKind.DELETE: Role.TRASH,
    StepKind.JUNK: Role.JUNK,
    StepKind.NOT_JUNK: Role.INBOX,
}


def copy(store: Store, seen: Iterable[Placement], folder_id: int, now: int) -> Done:
    """Let messages lie in another folder of their account too. Raises FolderGone."""
    wanted = list(seen)
    with store.transaction() as db:
        target = folders.get(store, folder_id)
        there, skipped = placements.present(db, wanted)
        ids = list(dict.fromkeys(one.message_id for one in there if one.account == target.account))
        skipped += [one.message_id for one in there if one.account != target.account]
        new = placements.absent(db, ids, folder_id)
        if not new:
            return Done(None, (), tuple(skipped))
        step = journal.begin(db, StepKind.COPY, len(new), now, name=target.name)
        placements.place(db, new, folder_id)
        journal.record(db, step, [(message_id, 0, folder_id, "") for message_id in new])
        if target.role is not Role.TRASH:
            remote_state.call_off(db, new)
    return Done(step, tuple(new), tuple(skipped))


def erase(store: Store, seen: Iterable[Placement], due: Mapping[str, int | None]) -> Done:
    """Delete messages for good: bytes, list line, index. There is no undo. On the disk on return.

    A message that is in another folder too only leaves this one (`Done.kept`). What the server still has becomes due to
    be deleted there, except what was trashed never to be deleted there; a tombstone stays, so that it is not shown as
    new again. `due` says when the DELE of a message that is left in Trash alone falls due, by account.
    """
    wanted = list(seen)
    with store.transaction(durable=True) as db:
        there, skipped = placements.present(db, wanted)
        return replace(_erase(db, there, due), skipped=tuple(skipped))


def erase_everywhere(store: Store, message_ids: Iterable[int]) -> Done:
    """Delete messages for good from every folder they are in; as `erase`."""
    wanted = id_list(message_ids)
    with store.transaction(durable=True) as db:
        rows = db.execute(f"SELECT message, folder FROM placement WHERE message {IN_IDS}", (wanted,)).fetchall()  # noqa: S608
        return erase(store, [Placement(*row) for row in rows], {})


def empty_trash(store: Store, account: str) -> int:
    """Delete everything in an account's Trash for good; return how many messages that were. There is no undo."""
    with store.transaction(durable=True) as db:
        trash = folders.role_id(db, account, Role.TRASH)
        rows = db.execute("SELECT message FROM placement WHERE folder = ?", (trash,)).fetchall()
        return len(_erase(db, [Seen(message_id, trash, account, "") for (message_id,) in rows], {}).message_ids)


def _move(
    db: sqlite3.Connection,
    kind: StepKind,
    seen: Sequence[Placement],
    target_of: Callable[[str], int | None],
    *,
    name: str,
    now: int,
    due: Mapping[str, int | None],
) -> Done:
    """Move what is still where the user saw it, as one step. `target_of` gives an account's target folder."""
    there, skipped = placements.present(db, seen)
    targets = {account: target_of(account) for account in {one.account for one in there}}
    moving = [one for one in there if targets[one.account] not in {None, one.folder_id}]
    already = tuple(one.message_id for one in there if targets[one.account] == one.folder_id)
    skipped += [one.message_id for one in there if targets[one.account] is None]
    if not moving:
        return Done(None, (), tuple(skipped), already)
    step = journal.begin(db, kind, len(moving), now, name=name)
    trash = placements.trash_ids(db)
    for account, target in targets.items():
        if target is None:
            continue
        group = [one for one in moving if one.account == account]
        new = set(placements.absent(db, [one.message_id for one in group], target))
        journal.record(
            db,
            step,
            [
                (one.message_id, one.folder_id, target if one.message_id in new else 0, one.server_state)
                for one in group
            ],
        )
        placements.unplace(db, [(one.message_id, one.folder_id) for one in group])
        placements.place(db, new, target)
        marks.end_snooze(db, [one.message_id for one in group], target)
        if target in trash:
            remote_state.trash(db, [one.message_id for one in group], due.get(account))
        else:
            remote_state.call_off(db, [one.message_id for one in group if one.folder_id in trash])
    return Done(step, tuple(one.message_id for one in moving), tuple(skipped), already)


def _erase(db: sqlite3.Connection, there: Sequence[Seen], due: Mapping[str, int | None]) -> Done:
    placements.unplace(db, [(one.message_id, one.folder_id) for one in there])
    rows = db.execute(
        f"SELECT id FROM message m WHERE id {IN_IDS} AND NOT EXISTS (SELECT 1 FROM placement p WHERE p.message = m.id)",  # noqa: S608
        (id_list(one.message_id for one in there),),
    ).fetchall()
    erased = [message_id for (message_id,) in rows]
    remote_state.erase(db, erased)
    messages.delete(db, erased)
    kept = [one for one in there if one.message_id not in set(erased)]
    for account in {one.account for one in kept}:
        remote_state.trash(db, [one.message_id for one in kept if one.account == account], due.get(account))
    return Done(None, tuple(erased), kept=tuple(dict.fromkeys(one.message_id for one in kept)))
