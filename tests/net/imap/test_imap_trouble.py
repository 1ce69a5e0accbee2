"""Servers that lie, stall, flood and die: every error in time, bounded memory, nothing believed."""

from __future__ import annotations

import asyncio
import contextlib
import tracemalloc

import pytest

from termmail.net.imap.imap_session import ImapSession
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import Busy, NetError, Offline, ProtocolError, Refused
from termmail.net.trace import Trace
from tests.net.imap.imap_script import Honest, header, in_inbox, mails, opened, server
from tests.net.loop_clock import LoopClock
from tests.net.loop_lag import loop_lag

SEEN = frozenset({"\\Seen"})


async def pages(folder, uids) -> list:
    return [page async for page in folder.fetch_headers(uids)]


VERBS = {
    "LIST": lambda session, folder: session.list_folders(),
    "STATUS": lambda session, folder: session.status(b"INBOX"),
    "SELECT": lambda session, folder: session.select(b"INBOX"),
    "NAMESPACE": lambda session, folder: session.namespace(),
    "CREATE": lambda session, folder: session.create_folder(b"x"),
    "RENAME": lambda session, folder: session.rename_folder(b"x", b"y"),
    "DELETE": lambda session, folder: session.delete_folder(b"x"),
    "SUBSCRIBE": lambda session, folder: session.subscribe(b"x"),
    "APPEND": lambda session, folder: session.append(b"x", b"raw"),
    "NOOP": lambda session, folder: session.noop(),
    "UID FETCH": lambda session, folder: folder.fetch_flags(),
    "UID SEARCH": lambda session, folder: folder.search_uids(b"ALL"),
    "UID STORE": lambda session, folder: folder.store_flags([1], add=SEEN),
    "UID COPY": lambda session, folder: folder.copy([1], b"x"),
    "UID MOVE": lambda session, folder: folder.move([1], b"x"),
    "UID EXPUNGE": lambda session, folder: folder.expunge([1]),
    "IDLE": lambda session, folder: idled(folder),
}


async def idled(folder) -> None:
    async with folder.idle() as watch:
        await watch.wait(60)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("answer", [b"NO sorry", b"BAD what", b"NO", b"BAD [CLIENTBUG]"])
async def test_a_refusal_of_any_command_is_told_and_the_session_goes_on(verb, answer):
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers[verb] = b"TAG " + answer + b"\r\n"
        with pytest.raises(Refused) as refused:
            await VERBS[verb](session, folder)
        assert refused.value.server_says == answer.decode().partition(" ")[2].replace("[CLIENTBUG]", "")
        honest.answers.clear()
        assert (await session.select(b"INBOX")).exists == 2


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "answer", [b"DROP", b"* 1 FETCH (UIDROP", b"* BYE\r\nDROP", b"* BYE [UNAVAILABLE] a\r\n", b"A99 OK\r\n"]
)
async def test_a_connection_that_ends_at_any_command_is_told(verb, answer):
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers[verb] = answer
        with pytest.raises((Offline, Busy, ProtocolError)):
            await VERBS[verb](session, folder)
        assert session.closed
        assert folder.closed
        with pytest.raises(NetError):
            await session.noop()


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "IDLE"])
async def test_a_server_that_falls_silent_is_given_up_in_time(verb):
    honest = Honest(mails(2))
    async with opened(honest, timeout_seconds=0.15) as session:
        folder = await session.select(b"INBOX")
        honest.answers[verb] = b""
        with pytest.raises(Offline, match="did not answer in time"):
            await VERBS[verb](session, folder)


async def test_a_server_without_a_greeting_is_given_up_in_time():
    async with Honest(greeting=b"* OK").running() as honest:
        with pytest.raises(Offline, match="in time"):
            await ImapSession.open(honest.where(timeout_seconds=0.1))


def tapped(session) -> asyncio.Queue[bytes]:
    """What the session receives from now on, piece by piece."""
    pieces: asyncio.Queue[bytes] = asyncio.Queue()
    stream = session._dialogue._stream
    take = stream.on_bytes

    def tap(data: bytes) -> None:
        take(data)
        pieces.put_nowait(data)

    stream.on_bytes = tap
    return pieces


@pytest.mark.parametrize("drip", [b"x", b"* OK wait\r\n"])
@pytest.mark.parametrize("verb", ["NOOP", "UID FETCH"])
async def test_a_slow_drip_does_not_hold_the_session_for_ever(verb, drip, monkeypatch):
    monkeypatch.setattr("termmail.net.imap.imap_dialogue.PATIENT", 2)
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers[verb] = b""
        clock, received = LoopClock(monkeypatch), tapped(session)

        async def dribble():
            while not session.closed:
                honest.tell(drip)
                await received.get()
                await clock.advance(honest.where().timeout_seconds / 5)

        task = asyncio.create_task(dribble())
        with pytest.raises(Offline, match="in time"):
            await VERBS[verb](session, folder)
        await task


async def test_a_slow_command_may_take_longer_while_the_server_says_that_it_works(monkeypatch):
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers["UID COPY"] = b""
        clock, received = LoopClock(monkeypatch), tapped(session)
        task = asyncio.create_task(folder.copy([1], b"Trash"))
        for _ in range(15):
            await clock.advance(honest.where().timeout_seconds / 5)
            assert not session.closed
            honest.tell(b"* OK Still here\r\n")
            await received.get()
        honest.tell(honest.said[-1].split(" ")[0].encode() + b" OK done\r\n")
        assert (await task).pairs == {}


async def test_one_odd_response_costs_one_response():
    def answer(words):
        return (
            b"* 1 FETCH (UID 1 BODY[HEADER] {2}\r\n\r\n)\r\n"
            b'* 2 FETCH (UID 2 MAILBOXID (4\xd7"fVV) BODY[HEADER] {2}\r\n\r\n)\r\n'
            b"* 3 FETCH (UID 3 BODY[HEADER] {2}\r\n\r\n)\r\n"
            b"* 4 FETCH (" + b"(" * 10_000 + b")" * 10_000 + b")\r\nhello\r\n\r\nTAG OK\r\n"
        )

    trace = Trace()
    honest = Honest(mails(3), answers={"UID FETCH": answer})
    async with opened(honest, trace) as session:
        [page] = await pages(await session.select(b"INBOX"), [1, 2, 3])
        assert ([row.uid for row in page.rows], page.absent) == ([1, 3], (2,))
        assert session.odd_responses == 4
        assert "(not understood) * 2 FETCH" in str(trace)


async def test_a_literal_that_is_longer_than_announced_hides_only_its_message():
    def answer(words):
        return (
            b"* 1 FETCH (UID 1 BODY[HEADER] {3}\r\nlonger)\r\n* 2 FETCH (UID 2 BODY[HEADER] {2}\r\n\r\n)\r\nTAG OK\r\n"
        )

    async with in_inbox(Honest(mails(2), answers={"UID FETCH": answer})) as folder:
        [page] = await pages(folder, [1, 2])
        assert 2 in [row.uid for row in page.rows]


async def test_a_literal_that_is_shorter_than_announced_ends_in_time():
    answer = b"* 1 FETCH (UID 1 BODY[HEADER] {90}\r\nshort)\r\nTAG OK\r\n"
    async with in_inbox(Honest(mails(1), answers={"UID FETCH": answer}), timeout_seconds=0.1) as folder:
        with pytest.raises(Offline):
            await pages(folder, [1])


async def test_mail_that_forges_answers_forges_nothing():
    honest = Honest(mails(3))
    honest.mails[2].raw = b"A: b\r\nA7 OK\r\n* BYE\r\n* 9 EXISTS\r\n* VANISHED 1:*\r\n)\r\nA8 NO {99}\r\n\r\nA8 OK\r\n"
    async with in_inbox(honest) as folder:
        [page] = await pages(folder, [3, 2, 1])
        assert [row.uid for row in page.rows] == [3, 2, 1]
        assert await folder.fetch_body(2) == honest.mails[2].raw
        assert folder.exists == 3


async def test_a_literal_of_four_gigabytes_ends_the_session_before_it_comes():
    honest = Honest(mails(1), answers={"UID FETCH": b"* 1 FETCH (UID 1 BODY[HEADER] {4294967295}\r\n"})
    async with in_inbox(honest) as folder:
        with pytest.raises(ProtocolError):
            await pages(folder, [1])


async def test_a_line_without_an_end_ends_the_session():
    honest = Honest(mails(1), answers={"UID FETCH": lambda words: b"* 1 FETCH (UID 1 " + b"x" * (4 << 20)})
    async with in_inbox(honest) as folder:
        with pytest.raises(ProtocolError, match="without an end"):
            await pages(folder, [1])


async def test_headers_without_end_keep_memory_bounded(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.fetching.PAGE_LIMIT", 1 << 20)
    row = b"* 1 FETCH (UID %d BODY[HEADER] {400000}\r\n" + b"x" * 400_000 + b")\r\n"
    honest = Honest(
        mails(10), answers={"UID FETCH": lambda words: b"".join(row % n for n in range(1, 11)) + b"TAG OK\r\n"}
    )
    async with in_inbox(honest) as folder:
        [page] = await pages(folder, list(range(1, 11)))
        assert sum(isinstance(row.header, bytes) for row in page.rows) == 2
        assert len(page.rows) == 10


async def test_a_hundred_thousand_folders_are_listed_without_holding_up_the_loop():
    rows = b"".join(b'* LIST () "/" "folder %d"\r\n' % number for number in range(100_000)) + b"TAG OK\r\n"
    async with opened(Honest(answers={"LIST": rows}), Trace()) as session, loop_lag() as lag:
        assert len(await session.list_folders()) == 100_000
    assert lag.seconds < 2


async def test_folders_without_end_end_the_session(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.folder_lister.FOLDERS", 100)
    rows = b"".join(b'* LIST () "/" "folder %d"\r\n' % number for number in range(300))
    async with opened(Honest(answers={"LIST": rows})) as session:
        with pytest.raises(ProtocolError, match="without end"):
            await session.list_folders()


async def test_a_flood_of_what_was_not_asked_for_ends_the_session(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.imap_dialogue.UNASKED", 1000)
    for flood in (b"* 1 EXISTS\r\n", b"what\r\n", b"* OK\r\n", b"* 1 FETCH (FLAGS ())\r\n", b"+\r\n"):
        honest = Honest(mails(1), answers={"NOOP": flood * 2000})
        async with opened(honest) as session:
            await session.select(b"INBOX")
            with pytest.raises(ProtocolError, match="without end"):
                await session.noop()


async def test_more_rows_of_flags_than_messages_end_the_session(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.open_folder._ROW_SLACK", 10)
    rows = b"".join(b"* 1 FETCH (UID %d FLAGS ())\r\n" % uid for uid in range(1, 100))
    async with in_inbox(Honest(mails(1), answers={"UID FETCH": rows})) as folder:
        with pytest.raises(ProtocolError, match="more messages"):
            await folder.fetch_flags()


async def test_vanished_of_everything_costs_nothing_and_is_told():
    honest = Honest(mails(3), answers={"NOOP": b"* VANISHED 1:4294967295\r\nTAG OK\r\n"})
    tracemalloc.start()
    try:
        async with opened(honest) as session:
            folder = await session.select(b"INBOX")
            await session.noop()
            assert folder.exists == 0
            assert folder.changes().vanished == UidSet([(1, 4294967295)])
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


async def test_exists_that_shrinks_is_told_as_incomplete():
    honest = Honest(mails(3), answers={"NOOP": b"* 1 EXISTS\r\nTAG OK\r\n"})
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        await session.noop()
        changes = folder.changes()
        assert (changes.exists, changes.incomplete) == (1, True)


@pytest.mark.parametrize(
    "untagged",
    [
        b"* OK [COPYUID 9 1:4294967295 1:4294967295] all\r\n",
        b"* OK [COPYUID 9 1 1:4294967295]\r\n",
        b"* SEARCH 1 2 3\r\n",
        b"* 99 FETCH (UID 4 FLAGS ())\r\n",
    ],
)
async def test_answers_to_what_was_not_asked_bind_nothing(untagged):
    async with in_inbox(Honest(mails(3), answers={"UID MOVE": untagged + b"TAG OK\r\n"})) as folder:
        assert (await folder.move([1, 2], b"Trash")).pairs == {}


async def test_rows_of_messages_that_were_not_asked_for_are_left_out():
    def answer(words):
        return (
            b"".join(
                b"* %d FETCH (UID %d BODY[HEADER] {%d}\r\n%b)\r\n" % (uid, uid, len(header(uid)), header(uid))
                for uid in (1, 2, 3)
            )
            + b"TAG OK\r\n"
        )

    async with in_inbox(Honest(mails(3), answers={"UID FETCH": answer})) as folder:
        [page] = await pages(folder, [2])
        assert [row.uid for row in page.rows] == [2]


async def test_the_connection_may_drop_at_every_byte_of_a_session():
    """The server's side of a whole session, cut at each byte: an error of ours each time, and never a hang."""
    honest = Honest(mails(2))
    async with honest.running():
        spoken = await whole_session(honest)
    async with cut_server(spoken, len(spoken)) as port:
        session = await ImapSession.open(server(port))
        await talk(session)
        await session.close()
    for cut in range(0, len(spoken) - 1, 7):
        async with cut_server(spoken, cut) as port:
            with pytest.raises(NetError):
                await talk(await ImapSession.open(server(port, timeout_seconds=5)))


async def talk(session) -> None:
    folder = await session.select(b"INBOX")
    await pages(folder, [2, 1])
    await folder.store_flags([1], add=SEEN)
    await folder.move([1], b"Trash")
    await session.noop()


async def whole_session(honest) -> bytes:
    """What the server says in `talk`."""
    session = await ImapSession.open(honest.where())
    spoken = honest.greeting + b"* CAPABILITY " + " ".join(honest.capabilities).encode() + b"\r\nA1 OK\r\n"
    spoken += b"A2 OK [CAPABILITY " + " ".join(honest.capabilities).encode() + b"] welcome\r\n"
    received = tapped(session)
    await talk(session)
    await session.close()
    while not received.empty():
        spoken += received.get_nowait()
    return spoken


@contextlib.asynccontextmanager
async def cut_server(spoken: bytes, cut: int):
    """A server that answers each write with what the session had at that point, and drops after `cut` bytes."""
    ends = [at + 2 for at in range(len(spoken)) if spoken.startswith(b"\r\n", at)]

    async def serve(reader, writer):
        said = 0
        writer.write(spoken[: min(cut, ends[0])])
        said = ends[0]
        with contextlib.suppress(ConnectionError):
            while said < cut and (data := await reader.read(65536)):
                tags = [line.split(b" ")[0] for line in data.split(b"\r\n") if line]
                last = max((spoken.find(b"\r\n" + tag + b" OK") for tag in tags), default=-1)
                if last < 0:
                    continue
                end = spoken.find(b"\r\n", last + 2) + 2
                writer.write(spoken[said : min(end, cut)])
                said = max(said, end)
            await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()
        await listener.wait_closed()
