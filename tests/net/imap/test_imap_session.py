"""A session on real sockets: turns, folders, and its end."""

from __future__ import annotations

import asyncio

import pytest

from termmail.net.imap.refusals import FolderExists, NoSuchFolder, OverQuota
from termmail.net.imap.uid_set import UidSet
from termmail.net.net_errors import Busy, NetError, Refused
from termmail.net.trace import Trace
from tests.net.imap.imap_script import FULL, PLAIN, Honest, header, in_inbox, mails, opened


async def pages(folder, uids) -> list:
    return [page async for page in folder.fetch_headers(uids)]


# -- turns


async def test_all_that_a_look_needs_leaves_in_one_write_behind_the_login():
    honest = Honest(mails(3), greeting=b"* OK [CAPABILITY " + " ".join(FULL).encode() + b"] hi\r\n")
    async with opened(honest) as session:
        folder, folders = await asyncio.gather(
            session.select(b"INBOX", qresync=(77, 2), arrived_from=3), session.list_folders()
        )
        assert [len(write) for write in honest.writes] == [1, 5]
        assert honest.commands == [
            "AUTHENTICATE PLAIN AGFkYQBhbmFseXRpY2FsLWVuZ2luZQ==",
            'ID ("name" "termmail")',
            "ENABLE QRESYNC",
            "SELECT INBOX (QRESYNC (77 2))",
            "UID FETCH 3:1002 (UID FLAGS INTERNALDATE RFC822.SIZE MODSEQ BODY.PEEK[HEADER])",
            'LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ))',
        ]
        state = folder.state
        assert (state.uidvalidity, state.exists, state.uidnext, state.highestmodseq) == (77, 3, 4, 3)
        assert [row.uid for row in state.changed] == [3]
        assert [row.header for row in state.arrived] == [header(3)]
        assert [one.title for one in folders] == ["INBOX", "Trash", "a b"]
        assert [one.status.messages if one.status else None for one in folders] == [3, 0, None]
        assert [one.selectable for one in folders] == [True, True, False]
        assert session.identity == {"name": "Honest"}
        assert session.enabled == {"QRESYNC"}


async def test_an_old_server_is_asked_what_it_understands():
    honest = Honest(mails(3), capabilities=PLAIN)
    async with opened(honest) as session:
        folder = await session.select(b"INBOX", qresync=(77, 2))
        assert not folder.state.resynced
        folders = await session.list_folders()
        assert await folder.search_uids(b"ALL") == UidSet.of([1, 2, 3])
        assert honest.commands[2:] == [
            "SELECT INBOX",
            'LIST "" "*"',
            "STATUS Trash (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)",
            "UID SEARCH ALL",
        ]
        assert [one.status.messages if one.status else None for one in folders] == [None, 0, None]


async def test_a_server_that_does_not_understand_qresync_is_asked_without():
    honest = Honest(mails(1), answers={"SELECT INBOX (QRESYNC (77 1))": b"TAG BAD what?\r\n"})
    async with opened(honest) as session:
        assert (await session.select(b"INBOX", qresync=(77, 1))).state.exists == 1
        assert (await session.select(b"INBOX", qresync=(77, 1))).state.exists == 1
        assert [line for line in honest.commands if line.startswith("SELECT")] == [
            "SELECT INBOX (QRESYNC (77 1))",
            "SELECT INBOX (CONDSTORE)",
            "SELECT INBOX (CONDSTORE)",
        ]


async def test_icloud_is_not_asked_for_qresync():
    async with opened(Honest(capabilities=(*FULL, "XAPPLEPUSHSERVICE"))) as session:
        await session.select(b"INBOX", qresync=(77, 1))
        assert session._dialogue.error is None
        assert not session.folder.state.resynced


# -- folders


async def test_folders_are_made_renamed_and_deleted():
    honest = Honest()
    async with opened(honest) as session:
        await session.create_folder(b"Entw&APw-rfe")
        await session.rename_folder(b"a b", b'c"d')
        await session.delete_folder(b"\xff")
        await session.subscribe(b"x")
        await session.unsubscribe(b"x")
        assert await session.status(b"INBOX")
        assert honest.commands[-6:] == [
            "CREATE Entw&APw-rfe",
            'RENAME "a b" "c\\"d"',
            "DELETE {}",
            "SUBSCRIBE x",
            "UNSUBSCRIBE x",
            "STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)",
        ]
        for verb, code, kind in (
            ("CREATE", b"ALREADYEXISTS", FolderExists),
            ("DELETE", b"NONEXISTENT", NoSuchFolder),
            ("RENAME", b"NOPERM", Refused),
            ("SUBSCRIBE", b"UNAVAILABLE", Busy),
            ("APPEND", b"OVERQUOTA", OverQuota),
        ):
            honest.answers[verb] = b"TAG NO [" + code + b"] no\r\n"
            with pytest.raises(kind):
                await {
                    "CREATE": lambda: session.create_folder(b"x"),
                    "DELETE": lambda: session.delete_folder(b"x"),
                    "RENAME": lambda: session.rename_folder(b"x", b"y"),
                    "SUBSCRIBE": lambda: session.subscribe(b"x"),
                    "APPEND": lambda: session.append(b"x", b"y"),
                }[verb]()
        assert not session.closed


@pytest.mark.parametrize("name", [b"../../etc/passwd", b"a\x1b[2Jb", b"a\0b", b"x" * 5000, b"\xff\xfe", b'a"b\\c'])
async def test_strange_names_of_folders_stay_the_bytes_they_are(name):
    row = b'* LIST () "/" {%d}\r\n%b\r\n* STATUS {%d}\r\n%b (MESSAGES 4)\r\nTAG OK\r\n' % (
        len(name),
        name,
        len(name),
        name,
    )
    honest = Honest(answers={"LIST": row})
    async with opened(honest) as session:
        [folder] = await session.list_folders()
        assert folder.name == name
        assert folder.status.messages == 4
        honest.answers["SELECT"] = b"* OK [UIDVALIDITY 1]\r\nTAG OK\r\n"
        assert (await session.select(name)).name == name


async def test_the_inbox_has_no_case():
    rows = b'* LIST () "/" Inbox\r\n* LIST () "/" "INBOX"\r\n* STATUS inBOX (MESSAGES 4)\r\nTAG OK\r\n'
    async with opened(Honest(answers={"LIST": rows})) as session:
        [folder] = await session.list_folders()
        assert (folder.title, folder.status.messages) == ("INBOX", 4)


async def test_the_prefix_of_the_users_folders_is_told():
    answer = b'* NAMESPACE (("INBOX." ".")) NIL NIL\r\nTAG OK\r\n'
    async with opened(Honest(answers={"NAMESPACE": answer})) as session:
        assert (await session.namespace()).personal == ((b"INBOX.", "."),)


async def test_closing_a_folder_expunges_nothing():
    honest = Honest(mails(1))
    async with opened(honest) as session:
        folder = await session.select(b"INBOX")
        await session.close_folder()
        assert folder.closed
        assert honest.commands[-1] == "UNSELECT"


async def test_without_unselect_the_inbox_is_opened_instead_and_not_to_be_changed():
    honest = Honest(mails(1), capabilities=PLAIN)
    async with opened(honest) as session:
        folder = await session.select(b"Trash")
        await session.close_folder()
        assert folder.closed
        assert honest.commands[-1] == "EXAMINE INBOX"
        await session.close_folder()
        assert honest.commands.count("EXAMINE INBOX") == 1


async def test_logout_says_goodbye_and_a_silent_server_does_not_hold_it_up(monkeypatch):
    honest = Honest()
    async with opened(honest) as session:
        await session.logout()
        assert session.closed
        assert honest.commands[-1] == "LOGOUT"
    monkeypatch.setattr("termmail.net.imap.imap_session.LOGOUT_SECONDS", 0.05)
    async with opened(Honest(answers={"LOGOUT": b""})) as session:
        await session.logout()
        assert session.closed


async def test_an_alert_is_kept_for_the_user():
    async with opened(Honest()) as session:
        session._dialogue._received(b"* OK [ALERT] Your \x1b[1mmailbox\x1b[0m is 90% full\r\n")
        assert session.alerts == ["Your �[1mmailbox�[0m is 90% full"]


async def test_a_trace_holds_no_mail_and_few_rows():
    trace = Trace()
    honest = Honest(mails(200))
    async with opened(honest, trace) as session:
        folder = await session.select(b"INBOX")
        await pages(folder, list(range(1, 201)))
        text = str(trace)
        assert "Number 1" not in text
        assert "BODY[HEADER] {" in text
        assert "more untagged responses" in text
        assert len(trace.lines) < 150


async def test_a_cancel_closes_the_connection():
    honest = Honest(mails(1), answers={"UID SEARCH": b""})
    async with in_inbox(honest) as folder:
        task = asyncio.create_task(folder.search_uids(b"ALL"))
        while honest.commands[-1] != "UID SEARCH RETURN (ALL) ALL":
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert folder.closed
        with pytest.raises(NetError):
            await folder.search_uids(b"ALL")
