"""Changing messages on real sockets: flags, copy, move, expunge, append."""

from __future__ import annotations

import pytest

from termmail.net.imap.refusals import NoSuchFolder
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import AppendUid
from termmail.net.net_errors import Refused
from tests.net.imap.imap_script import FULL, PLAIN, Honest, in_inbox, mails, opened

SEEN = frozenset({"\\Seen"})


def without(*names: str) -> tuple[str, ...]:
    return tuple(name for name in FULL if name not in names)


async def test_flags_are_added_and_removed_and_never_replaced():
    honest = Honest(mails(3))
    honest.mails[1].flags = {"Todo", "\\Flagged"}
    async with in_inbox(honest) as folder:
        sent = await folder.store_flags([1, 2], add=SEEN | {"$Forwarded"}, remove=frozenset({"\\Flagged"}))
        assert sent == {"\\Seen", "$Forwarded", "\\Flagged"}
        assert honest.mails[1].flags == {"Todo", "\\Seen", "$Forwarded"}
        assert honest.writes[-1] == [
            "A6 UID STORE 1:2 +FLAGS.SILENT ($Forwarded \\Seen)",
            "A7 UID STORE 1:2 -FLAGS.SILENT (\\Flagged)",
        ]


async def test_flags_that_the_folder_does_not_keep_are_not_sent():
    select = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 77]\r\n* FLAGS (\\Seen a)\r\n* OK [PERMANENTFLAGS (\\seen)]\r\nTAG OK [%b]\r\n"
    honest = Honest(mails(1), answers={"SELECT": select % b"READ-WRITE"})
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        assert await folder.store_flags([1], add=SEEN | {"$Forwarded", "\\Flagged"}) == SEEN
        honest.answers["SELECT"] = select % b"READ-ONLY"
        folder = await session.select(b"INBOX")
        with pytest.raises(Refused):
            await folder.store_flags([1], add=SEEN)


async def test_move_tells_where_messages_went_and_not_of_those_that_had_vanished():
    honest = Honest(mails(5))
    async with in_inbox(honest) as folder:
        copied = await folder.move([1, 3, 99], b"Trash")
        assert (copied.uidvalidity, copied.pairs) == (9, {1: 100, 3: 101})
        assert sorted(honest.mails) == [2, 4, 5]
        assert folder.exists == 3
        assert folder.changes().vanished == UidSet.of([1, 3])
        gone = await folder.move([99], b"Trash")
        assert (gone.uidvalidity, gone.pairs) == (None, {})


async def test_without_move_messages_are_copied_first_and_only_those_are_expunged():
    honest = Honest(mails(3), capabilities=without("MOVE"))
    honest.mails[3].flags = {"\\Deleted"}
    async with in_inbox(honest) as folder:
        copied = await folder.move([1, 99], b"Trash")
        assert copied.pairs == {1: 100}
        assert sorted(honest.mails) == [2, 3]
        assert honest.commands[-3:] == [
            "UID COPY 1,99 Trash",
            "UID STORE 1 +FLAGS.SILENT (\\Deleted)",
            "UID EXPUNGE 1",
        ]


async def test_without_uidplus_nothing_is_expunged_that_another_program_marked():
    honest = Honest(mails(3), capabilities=PLAIN)
    async with in_inbox(honest) as folder:
        await folder.move([1], b"Trash")
        assert sorted(honest.mails) == [2, 3]
        honest.mails[3].flags = {"\\Deleted"}
        with pytest.raises(Refused):
            await folder.move([2], b"Trash")
        with pytest.raises(Refused):
            await folder.expunge([2])
        assert sorted(honest.mails) == [2, 3]
        assert len(honest.trash) == 1
        await folder.expunge([3])
        assert sorted(honest.mails) == [2]


@pytest.mark.parametrize(
    "code", [b"COPYUID 9 1:4 100:103", b"COPYUID 9 1 100:101", b"COPYUID x 1 1", b"COPYUID 9 2 100"]
)
async def test_a_copyuid_that_does_not_add_up_binds_nothing(code):
    async with in_inbox(Honest(mails(2), answers={"UID COPY": b"TAG OK [" + code + b"]\r\n"})) as folder:
        assert (await folder.copy([1], b"Trash")).pairs == {}


async def test_a_missing_target_is_an_error_of_its_own():
    async with in_inbox(Honest(mails(1), answers={"UID MOVE": b"TAG NO [TRYCREATE] no such\r\n"})) as folder:
        with pytest.raises(NoSuchFolder):
            await folder.move([1], b"Nowhere")
        assert not folder.closed


async def test_append_sends_the_message_as_it_is_and_tells_its_number():
    raw = b"Subject: x\r\n\r\nA9 DELETE INBOX\r\n\x00\xff"
    for capabilities in (FULL, PLAIN):
        honest = Honest(capabilities=capabilities)
        async with opened(honest) as session:
            assert await session.append(b"Sent", raw, SEEN, 1704067200) == AppendUid(5, 1)
            assert honest.appended == [raw]
            assert honest.commands[-1] == 'APPEND Sent (\\Seen) " 1-Jan-2024 00:00:00 +0000" {}'
            await session.noop()


async def test_lines_of_an_appended_message_end_in_crlf():
    honest = Honest()
    async with opened(honest) as session:
        await session.append(b"Sent", b"\nSubject: x\n\r\none\rtwo\n\nthree\r\n")
        assert honest.appended == [b"\r\nSubject: x\r\n\r\none\rtwo\r\n\r\nthree\r\n"]


async def test_a_message_that_is_larger_than_the_server_takes_is_not_sent():
    honest = Honest(capabilities=(*FULL, "APPENDLIMIT=10"))
    async with opened(honest) as session:
        with pytest.raises(Refused):
            await session.append(b"Sent", b"x" * 11)
        assert honest.appended == []
