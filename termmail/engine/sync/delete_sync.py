"""Delete messages from a POP3 server in two phases: what the user deleted leaves the server, and nothing else does.

A message is deleted only when its body is safe in the store (or the user deleted it for good), its UIDL is in this
session's list, and the header block the server shows now has the fingerprint that was stored. Where another message
has the same header block, the body must be the stored one too. At any doubt: RSET, and stop. Only an answered QUIT
makes it count (RFC 1939 section 6).
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from termmail.engine.events import Failed, MessageChanged
from termmail.engine.sync.pop3_session import fingerprint_of
from termmail.mail import parse
from termmail.mail.counting import count
from termmail.mail.model import RemoteState
from termmail.net.net_errors import Refused, TooLarge
from termmail.store import delete_queue, messages, pop3_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.sync.pop3_session import Pop3Session
    from termmail.net.pop3.maildrop import Listed, Maildrop
    from termmail.store.rows import Known

log = logging.getLogger("termmail")

BATCH = 50
"""DELEs in one session: a short one, so that a dropped connection costs little."""

AN_HOUR = 3600


async def commit_deletes(session: Pop3Session, drop: Maildrop) -> int:
    """Delete everything that is due, in sessions of at most 50, and return how many messages the server confirmed.

    The first session is the one that is open; the last one is left open only when nothing was deleted in it. Raises
    NetError, PasswordError or StoreError.
    """
    context, account = session.context, session.account
    await _fetch_bodies(session, drop)
    if held := await context.db(delete_queue.hold_back, account):
        words = f"Not deleted from the server: {count(held, 'message')}."
        context.tell(Failed(account, words, "It sent less of them than it announced; they stay there."))
    total = 0
    while due := (await context.db(pop3_identity.due, account, context.clock()))[:BATCH]:
        async with session.in_use:
            if session.drop is not drop or drop.closed:
                drop = await session.open(list_too=True)
                await session.list_again(drop)
            total += await _delete_in_one_session(session, drop, due)
        if session.drop is not None:
            break
    return total


async def _put_off(session: Pop3Session, remote_ids: Sequence[int], seconds: int = AN_HOUR) -> None:
    due_at = session.context.clock() + seconds
    await session.context.db(pop3_identity.set_state, remote_ids, RemoteState.DUE, due_at=due_at)


async def _fetch_bodies(session: Pop3Session, drop: Maildrop) -> None:
    """Fetch and store what is due and known only by its header: the body is stored before DELE is sent."""
    due = await session.context.db(pop3_identity.need_body, session.account, session.context.clock())
    places = await session.locate(drop, due)
    for known in due:
        if (listed := places.get(known.remote_id)) is None:
            continue
        try:
            raw = await drop.retrieve_one(listed)
        except (Refused, TooLarge) as error:
            log.warning("a message to be deleted could not be fetched first: %s", error)
            await _put_off(session, [known.remote_id])
            if drop.closed:
                raise
            continue
        await session.keep(known, raw)


async def _delete_in_one_session(session: Pop3Session, drop: Maildrop, due: Sequence[Known]) -> int:
    """Send DELE for one batch and QUIT, and return how many are gone; the session stays open where none was sent."""
    context = session.context
    checked = await _checked(session, drop, due)
    doubtful = [known.remote_id for known in due if known.remote_id not in checked]
    if doubtful:
        log.warning("%d deletes of %s put off: the server shows another message", len(doubtful), session.account)
        await _put_off(session, doubtful)
    if not checked:
        return 0
    # What the user called off a moment ago is not among those that could be marked.
    marked = set(await context.db(pop3_identity.set_state, list(checked), RemoteState.SENT))
    checked = {remote_id: listed for remote_id, listed in checked.items() if remote_id in marked}
    session.drop = None  # whatever happens now, this session ends
    try:
        answers = await asyncio.gather(*map(drop.delete, checked.values()), return_exceptions=True)
        refused = [remote_id for remote_id, error in zip(checked, answers, strict=True) if isinstance(error, Refused)]
        if refused:
            log.warning("the server of %s would not delete %d messages", session.account, len(refused))
            await drop.reset()
            await _put_off(session, list(checked), 0)
            await _put_off(session, refused)
            session.drop = drop
            return 0
        _raise_first(answers)
        await drop.commit()
    except BaseException:
        await drop.close()
        raise
    await context.db(pop3_identity.set_state, list(checked), RemoteState.GONE)
    context.tell(MessageChanged(tuple(known.message for known in due if known.message is not None)))
    return len(checked)


def _raise_first(answers: Sequence[BaseException | None]) -> None:
    for error in answers:
        if error is not None:
            raise error


async def _checked(session: Pop3Session, drop: Maildrop, due: Sequence[Known]) -> dict[int, Listed]:
    """Return, by remote id, where the messages are whose header the server shows now with the stored fingerprint."""
    found = await session.locate(drop, due)
    places = {found[known.remote_id].number: known for known in due if known.remote_id in found}
    checked: dict[int, Listed] = {}
    waiting = list(found.values())
    try:
        async for listed, answer in drop.headers(list(waiting)):
            waiting.remove(listed)
            known = places[listed.number]
            header = await _header_of_whole(drop, listed) if isinstance(answer, TooLarge) else answer
            if isinstance(header, bytes) and await fingerprint_of(header) == known.fingerprint:
                checked[known.remote_id] = listed
    except TooLarge:  # a header without an end, which ends the session: the others go next time
        await _put_off(session, [places[waiting[0].number].remote_id])
        raise
    for remote_id, message_id in (await session.context.db(delete_queue.with_twins, list(checked))).items():
        if not await _has_body(session, drop, checked[remote_id], message_id):
            del checked[remote_id]
    return checked


async def _has_body(session: Pop3Session, drop: Maildrop, listed: Listed, message_id: int) -> bool:
    """Return whether the server shows the body that is stored: headers do not tell a message from its twin."""
    try:
        stored, complete = await session.context.db(messages.raw, message_id)
        shown = await drop.retrieve_one(listed)
    except KeyError:  # erased a moment ago
        return False
    except (Refused, TooLarge):
        if drop.closed:
            raise
        return False
    return complete and await asyncio.to_thread(lambda: _body(shown) == _body(stored))


def _body(raw: bytes) -> bytes:
    """Return what is behind the header block, in one kind of line ends and without empty lines around it."""
    return raw[len(parse.split_header(raw)) :].replace(b"\r\n", b"\n").strip(b"\n")


async def _header_of_whole(drop: Maildrop, listed: Listed) -> bytes | None:
    """Return a header block that is too large for TOP from the whole message; None where that cannot be fetched."""
    try:
        return await asyncio.to_thread(parse.split_header, await drop.retrieve_one(listed))
    except (Refused, TooLarge):
        return None
