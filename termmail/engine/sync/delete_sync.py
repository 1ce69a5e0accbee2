"""DELE in two phases: what the user deleted leaves the server, and nothing else does.

A message goes only when its body is safe in the store (or the user deleted it for good), its UIDL is in this
session's list and the header block the server shows now has the fingerprint that was stored. At any doubt: RSET, stop.
Only an answered QUIT makes it count (RFC 1939 section 6).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.clock import now
from termmail.engine.events import Failed, MessageChanged
from termmail.mail import parse
from termmail.net.net_errors import Refused, TooLarge
from termmail.store import delete_queue, pop3_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.sync.pop3_source import Receiver
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

log = logging.getLogger("termmail")

BATCH = 50
"""DELEs a session: a short one, so that a dropped line costs little."""

AN_HOUR = 3600


async def commit_deletes(receiver: Receiver, drop: Maildrop) -> int:
    """Delete everything due, in sessions of at most 50; how many messages the server confirmed.

    The first session is the one that is open; the last one is left open only when nothing was deleted in it.
    """
    await _fetch_bodies(receiver, drop)
    if held := await receiver.engine.db(delete_queue.hold_back, receiver.account):
        words = f"Not deleted from the server: {'1 message' if held == 1 else f'{held} messages'}."
        receiver.engine.tell(
            Failed(receiver.account, words, "It sent less of them than it announced; they stay there.")
        )
    total = 0
    while due := (await receiver.engine.db(pop3_identity.due, receiver.account, now()))[:BATCH]:
        async with receiver.in_use:
            if receiver.drop is not drop or drop.closed:
                drop = await receiver.reopen()
                await receiver.list_again(drop)
            total += await _one_session(receiver, drop, due)
        if receiver.drop is not None:
            break
    return total


async def _fetch_bodies(receiver: Receiver, drop: Maildrop) -> None:
    """The law: body before DELE. What is due and only known by its header is fetched first."""
    due = await receiver.engine.db(pop3_identity.need_body, receiver.account, now())
    places = await receiver.locate(drop, due)
    for known in due:
        if (listed := places.get(known.remote_id)) is None:
            continue
        try:
            raw = await drop.retrieve_one(listed)
        except (Refused, TooLarge) as error:
            log.warning("a message to be deleted could not be fetched first: %s", error)
            await receiver.engine.db(pop3_identity.set_state, [known.remote_id], "due", due_at=now() + AN_HOUR)
            if drop.closed:
                raise
            continue
        await receiver.keep(known, raw)


async def _one_session(receiver: Receiver, drop: Maildrop, due: Sequence[Known]) -> int:
    """DELE one batch and QUIT. Returns how many are gone; the session stays open where none was to be deleted."""
    engine = receiver.engine
    checked = await _checked(receiver, drop, due)
    doubtful = [known.remote_id for known in due if known.remote_id not in checked]
    if doubtful:
        log.warning("%d deletes of %s put off: the server shows another message", len(doubtful), receiver.account)
        await engine.db(pop3_identity.set_state, doubtful, "due", due_at=now() + AN_HOUR)
    if not checked:
        return 0
    # What the user called off a moment ago is not among those that could be marked.
    marked = set(await engine.db(pop3_identity.set_state, list(checked), "sent"))
    checked = {remote_id: listed for remote_id, listed in checked.items() if remote_id in marked}
    receiver.drop = None  # whatever happens now, this session ends
    try:
        answers = await asyncio.gather(*map(drop.delete, checked.values()), return_exceptions=True)
        refused = [remote_id for remote_id, error in zip(checked, answers, strict=True) if isinstance(error, Refused)]
        if refused:
            log.warning("the server of %s would not delete %d messages", receiver.account, len(refused))
            await drop.reset()
            await engine.db(pop3_identity.set_state, list(checked), "due", due_at=now())
            await engine.db(pop3_identity.set_state, refused, "due", due_at=now() + AN_HOUR)
            receiver.drop = drop
            return 0
        _raise_first(answers)
        await drop.commit()
    except BaseException:
        await drop.close()
        raise
    await engine.db(pop3_identity.set_state, list(checked), "gone")
    engine.tell(MessageChanged(tuple(known.message for known in due if known.message is not None)))
    return len(checked)


def _raise_first(answers: Sequence[BaseException | None]) -> None:
    for error in answers:
        if error is not None:
            raise error


async def _checked(receiver: Receiver, drop: Maildrop, due: Sequence[Known]) -> dict[int, Listed]:
    """Remote id -> where it is, for those whose header the server shows now with the stored fingerprint."""
    found = await receiver.locate(drop, due)
    places = {found[known.remote_id].number: known for known in due if known.remote_id in found}
    checked: dict[int, Listed] = {}
    waiting = list(found.values())
    try:
        async for listed, answer in drop.headers(list(waiting)):
            waiting.remove(listed)
            known = places[listed.number]
            header = await _header_of_whole(drop, listed) if isinstance(answer, TooLarge) else answer
            if isinstance(header, bytes) and parse.fingerprint(header) == known.fingerprint:
                checked[known.remote_id] = listed
    except TooLarge:  # a header without an end, which ends the session: the others go next time
        endless = places[waiting[0].number].remote_id
        await receiver.engine.db(pop3_identity.set_state, [endless], "due", due_at=now() + AN_HOUR)
        raise
    return checked


async def _header_of_whole(drop: Maildrop, listed: Listed) -> bytes | None:
    """A header block that is too large for TOP, as it was read when the message came (SAFETY M8)."""
    try:
        return parse.split_header(await drop.retrieve_one(listed))
    except (Refused, TooLarge):
        return None
