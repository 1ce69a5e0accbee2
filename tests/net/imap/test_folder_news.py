"""The open folder as time goes by: what is told unasked, idling, and when it is open no longer."""

from __future__ import annotations

import asyncio

import pytest

from termmail.net.imap.refusals import FolderChanged
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import Offline, Refused
from tests.net.imap.imap_script import FULL, Honest, in_inbox, mails, opened

SEEN = frozenset({"\\Seen"})


def without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in FULL if name not in names)


async def pages(folder, uids) -> list:
    return [page async for page in folder.fetch_headers(uids)]


async def test_no_verb_of_a_folder_that_was_left_is_sent():
    honest = Honest(mails(2))
    async with opened(honest) as session:
        first = await session.select(b"INBOX")
        await session.select(b"Trash")
        said = len(honest.said)
        for verb in (
            first.store_flags([1], add=SEEN),
            first.move([1], b"Trash"),
            first.copy([1], b"Trash"),
            first.expunge([1]),
            first.fetch_body(1),
            first.fetch_flags(),
            first.search_uids(b"ALL"),
            pages(first, [1]),
        ):
            with pytest.raises(FolderChanged):
                await verb
        assert len(honest.said) == said


async def test_a_move_of_several_steps_does_not_go_on_in_another_folder():
    honest = Honest(mails(3), capabilities=without("MOVE"))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.answers["UID COPY"] = b""
        moving = asyncio.create_task(folder.move([1, 2], b"Trash"))
        while not honest.commands[-1].startswith("UID COPY"):
            await asyncio.sleep(0)
        opening = asyncio.create_task(session.select(b"Trash"))
        await asyncio.sleep(0)
        honest.tell(honest.said[-1].split(" ")[0].encode() + b" OK [COPYUID 9 1:2 100:101] done\r\n")
        with pytest.raises(FolderChanged):
            await moving
        await opening
        await session.noop()
        assert not any(line.startswith(("UID STORE", "UID EXPUNGE")) for line in honest.commands)


async def test_headers_of_a_folder_that_was_left_are_not_asked_of_the_next_one():
    honest = Honest(mails(6000))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        rows = folder.fetch_headers(range(6000, 0, -1))
        await anext(rows)
        await session.select(b"Trash")
        with pytest.raises(FolderChanged):
            async for _ in rows:
                pass
        await session.noop()
        selected = honest.commands.index("SELECT Trash (CONDSTORE)")
        assert not any("FETCH" in line for line in honest.commands[selected:])


@pytest.mark.parametrize("told", [b"* OK [UIDVALIDITY 78] new\r\n", b"* OK [CLOSED] gone\r\n"])
async def test_a_folder_whose_numbers_changed_is_changed_no_more(told):
    honest = Honest(mails(2))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.tell(told)
        await session.noop()
        assert folder.closed
        with pytest.raises(FolderChanged):
            await folder.store_flags([1], add=SEEN)


async def test_what_is_told_unasked_is_kept_until_it_is_read():
    honest = Honest(mails(3))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        honest.tell(b"* 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (9))\r\n* 1 EXPUNGE\r\n* VANISHED 3\r\n* 4 EXISTS\r\n")
        await session.noop()
        changes = folder.changes()
        assert [row.uid for row in changes.rows] == [2]
        assert (changes.expunged, changes.vanished, changes.exists) == (1, UidSet.of([3]), 4)
        assert changes.incomplete
        assert not folder.changes()


async def test_a_mod_sequence_counts_at_the_tagged_answer_only():
    honest = Honest(mails(3))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        assert folder.highestmodseq == 3
        honest.answers["NOOP"] = b"* 1 FETCH (UID 1 FLAGS () MODSEQ (50))\r\nTAG OK\r\n"
        await session.noop()
        assert folder.highestmodseq == 3
        honest.answers["NOOP"] = b"TAG OK [HIGHESTMODSEQ 60] done\r\n"
        await session.noop()
        assert folder.highestmodseq == 60
        honest.answers["NOOP"] = b"* OK [NOMODSEQ]\r\nTAG OK\r\n"
        await session.noop()
        assert folder.highestmodseq is None


@pytest.mark.parametrize(("told", "known"), [(b"9223372036854775807", 9223372036854775807), (b"1" * 20, None)])
async def test_a_mod_sequence_of_more_than_19_digits_is_none(told, known):
    select = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 77]\r\n* OK [HIGHESTMODSEQ %b]\r\nTAG OK\r\n" % told
    async with opened(Honest(answers={"SELECT": select})) as session:
        folder = await session.select(b"INBOX")
        assert folder.highestmodseq == known


async def test_news_that_come_with_the_answer_to_select_are_news():
    select = b"* 2 EXISTS\r\n* OK [UIDVALIDITY 77]\r\nTAG OK\r\n* 3 EXISTS\r\n"
    async with opened(Honest(answers={"SELECT": select})) as session:
        folder = await session.select(b"INBOX")
        assert (folder.state.exists, folder.exists) == (2, 3)
        assert folder.changes().incomplete


async def test_rows_of_the_folder_before_are_not_taken_for_those_of_the_new_one():
    select = (
        b"* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Deleted))\r\n* OK [CLOSED]\r\n"
        b"* 1 EXISTS\r\n* OK [UIDVALIDITY 77]\r\n* 1 FETCH (UID 5 FLAGS ())\r\nTAG OK\r\n"
    )
    async with opened(Honest(answers={"SELECT": select})) as session:
        folder = await session.select(b"INBOX", qresync=(77, 1))
        assert [row.uid for row in folder.state.changed] == [5]
        assert folder.exists == 1


async def test_a_folder_without_lasting_numbers_is_refused():
    async with opened(Honest(answers={"SELECT": b"* 1 EXISTS\r\nTAG OK\r\n"})) as session:
        with pytest.raises(Refused, match="lasting"):
            await session.select(b"INBOX")
        assert session.folder is None


async def test_idle_says_look_and_the_session_goes_on_behind_it():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            assert not await watch.wait(0.01)
            honest.tell(b"* 2 EXISTS\r\n")
            assert await watch.wait(5)
            assert folder.exists == 2
            assert not await watch.wait(0.01)
        await session.noop()
        assert honest.commands[-1] == "NOOP"


async def test_what_is_told_before_the_server_idles_is_news():
    honest = Honest(mails(1))
    honest.before_idling = b"* 2 EXISTS\r\n"
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            assert await watch.wait(5)


async def test_an_idle_that_is_cancelled_ends_with_done():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        begun = asyncio.Event()

        async def watch():
            async with folder.idle() as idle:
                begun.set()
                await idle.wait(60)

        task = asyncio.create_task(watch())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await session.noop()
        assert honest.said[-2] == "DONE"


async def test_an_idle_that_the_server_ends_is_told():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle() as watch:
            honest.tell(honest.sessions[-1].idle_tag + b" OK enough\r\n")
            assert await watch.wait(5)
        honest.sessions[-1].idle_tag = b""
        await session.noop()
        assert "DONE" not in honest.said


async def test_a_server_that_no_longer_answers_done_is_taken_for_dead(monkeypatch):
    monkeypatch.setattr("termmail.net.imap.idling.DONE_SECONDS", 0.05)
    honest = Honest(mails(1), answers={"IDLE": b"+ idling\r\n", "": b"", "STATUS": b""})
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle():
            pass
        with pytest.raises(Offline, match="no longer answers"):
            await session.status(b"Trash")
        assert folder.closed


async def test_the_next_folder_is_opened_without_waiting_for_the_end_of_idle():
    """What the server says until IDLE has ended is about the folder that was open."""
    honest = Honest(mails(3), answers={"IDLE": b"+ idling\r\n", "": b""})

    def opens(words: str) -> bytes:
        idle = next(line.split(" ", 1)[0] for line in reversed(honest.said) if line.endswith(" IDLE"))
        assert honest.said[-2] == "DONE"
        late = b"* 9 EXISTS\r\n* 2 EXPUNGE\r\n* VANISHED 2\r\n* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"
        return late + idle.encode() + b" OK\r\n* 1 EXISTS\r\n* OK [UIDVALIDITY 5]\r\nTAG OK [READ-WRITE]\r\n"

    honest.answers |= {f"SELECT Trash{end}": opens for end in ("", " (CONDSTORE)", " (QRESYNC (5 1))")}
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        async with folder.idle():
            pass
        for known in (None, (5, 1)):
            trash = await session.select(b"Trash", qresync=known)
            assert (trash.exists, trash.state.exists) == (1, 1)
            assert not trash.state.changed
            assert not trash.state.vanished
            assert not trash.changes()
            async with trash.idle():
                pass


async def test_an_idle_is_not_timed_out():
    honest = Honest(mails(1))
    async with in_inbox(honest, timeout_seconds=0.05) as folder, folder.idle() as watch:
        assert not await watch.wait(0.3)
