"""An IMAP server that is broken or means harm: it ends in time, nothing is lost, and nothing is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest

from termmail.demo.faults import GOOD, Manners, tagged
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import DOVECOT, GMAIL, PLAIN
from termmail.engine.events import Failed
from termmail.errors import UserError
from tests.conftest import PASSWORD, USER
from tests.engine.conftest import mail
from tests.engine.test_imap import assert_same, by_subject, filled, rows, work

VERBS = [
    *("CAPABILITY", "AUTHENTICATE", "ID", "ENABLE", "NAMESPACE", "LIST", "SELECT", "UID FETCH", "UID SEARCH", "STATUS"),
    *("UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE", "CREATE", "SUBSCRIBE", "EXPUNGE"),
]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("kind", "answer"),
    [(DOVECOT, b"BAD what"), (DOVECOT, b"NO [UNAVAILABLE] later"), (DOVECOT, b"OK"), (PLAIN, b"NO no"), (PLAIN, b"OK")],
    ids=["dovecot-bad", "dovecot-busy", "dovecot-lie", "plain-no", "plain-lie"],
)
async def test_a_command_that_is_always_refused_costs_nothing(verb, answer, kind, imap_server, imap_engine_at):
    """Also where the server says OK and does nothing."""
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await work(engine)
        server.manners = Manners(answers={verb: tagged(answer)})
        held = sum(len(one.messages) for one in mailbox.folders.values())
        for _ in range(2):
            with contextlib.suppress(UserError):
                await engine.accounts.sync("ada", full=True)
        assert sum(len(one.messages) for one in mailbox.folders.values()) >= held - 1  # one was deleted for good
        server.manners = GOOD
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        if (kind, verb, answer) == (PLAIN, "EXPUNGE", b"OK"):
            # What the server only pretended to remove is marked as deleted there: EXPUNGE would remove it with ours.
            assert "Other messages of the folder are marked as deleted" in engine.heard.of(Failed)[-1].advice
        else:
            await assert_same(engine, mailbox)


NAMES = [
    *(
        b"../../etc/passwd",
        b"a\x1b[31mred",
        b"Outbox",
        b"Drafts2",
        b"DRAFTS2",
        b"x" * 5000,
        b"a//b",
        b"/",
        b"&AAA-",
        b"&",
        b"~",
    ),
    *(b"Inbox2", b"sent items2", b"\xff\xfe", b'a\\b"c', b"&2D3cBQ-", "ü".encode(), b"...", b" ", b"a " + b"/" + b" b"),
]


async def test_any_name_of_a_folder_is_shown_and_nothing_else(imap_server, imap_engine_at):
    mailbox = filled()
    for name in NAMES:
        with contextlib.suppress(ValueError):
            mailbox.create(name)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        with contextlib.suppress(UserError):
            await engine.accounts.sync("ada")
        await engine.accounts.sync("ada")
        names = [one.name for one in await engine.folders.listing()]
        assert len(set(names)) == len(names)
        assert not [
            name for name in names if re.search(r"[\x00-\x1f\x7f]", name) or len(name) > 220 or not name.strip()
        ]
        assert "Outbox" not in names
        assert len(await rows(engine)) == 10


async def test_a_server_that_says_that_everything_vanished_is_asked_again(imap_server, imap_engine_at):
    mailbox = filled(60)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        before = {row.message_id for row in await rows(engine)}

        def lie(verb: str, told: list[bytes]) -> list[bytes]:
            return [b"* VANISHED (EARLIER) 1:4294967295\r\n", *told] if verb == "SELECT" else told

        server.manners = Manners(rows=lie)
        mailbox.folder("INBOX").add(mail(77))
        with contextlib.suppress(UserError):
            await engine.accounts.sync("ada")
        server.manners = GOOD
        await engine.accounts.sync("ada", full=True)
        assert before < {row.message_id for row in await rows(engine)}
        await assert_same(engine, mailbox)


async def test_a_search_that_finds_four_billion_messages_ends_the_session(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, manners=Manners(answers={"UID SEARCH": _search(b"1:4294967295")}))
    async with imap_engine_at(server.port) as engine, asyncio.timeout(10):
        with pytest.raises(UserError, match="more messages than the folder has"):
            await engine.accounts.sync("ada")


def _search(uids: bytes):
    def answer(line: str) -> bytes:
        tag = line.split(" ", 1)[0].encode()
        return b'* ESEARCH (TAG "%b") UID ALL %b\r\n%b OK\r\n' % (tag, uids, tag)

    return answer


async def test_an_echoed_password_is_shown_nowhere(imap_server, imap_engine_at, caplog):
    mailbox = filled()
    server = await imap_server(mailbox, manners=Manners(login=b"NO wrong password " + PASSWORD.encode() + b"\r\n"))
    async with imap_engine_at(server.port) as engine:
        with pytest.raises(UserError) as caught:
            await engine.accounts.sync("ada")
        assert PASSWORD not in f"{caught.value} {caught.value.advice} {caught.value.server_says}"  # type: ignore[attr-defined]
        assert PASSWORD not in caplog.text
        assert PASSWORD not in str(engine.heard.of(Failed))


async def test_equal_messages_and_messages_without_an_id_stay_apart(imap_server, imap_engine_at):
    """Three that are equal byte for byte, one moved: each keeps a row of its own."""
    mailbox = filled(0)
    inbox = mailbox.folder("INBOX")
    same = b"Subject: Same\r\n\r\nbody\r\n"
    for _ in range(3):
        inbox.add(same)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert len(await rows(engine)) == 3
        await engine.messages.archive([(await rows(engine))[0].placement])
        inbox.move([2], mailbox.folder("Lists/Python"))
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert sum(len(one.messages) for one in mailbox.folders.values()) == 5  # with those of `filled`
        assert len(await rows(engine)) == 1


async def test_mail_that_came_by_pop3_is_known_again(imap_server, imap_engine_at, pop3_server, engine_at):
    """An account changes its protocol: what is here stays, with its flags, and nothing is there twice."""
    messages = [mail(number) for number in range(1, 8)]
    pop3 = await pop3_server(messages)
    async with engine_at(pop3.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        await engine.reader.read(found["Engine part 2"].message_id)
        await engine.messages.archive([found["Engine part 3"].placement])
    mailbox = ImapMailbox(PASSWORD, [("Archive", "\\Archive"), ("Sent", "\\Sent")])
    for raw in messages[1:]:
        mailbox.folder("INBOX").add(raw)
    server = await imap_server(mailbox, personality=GMAIL)
    async with imap_engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).new == 0
        now = await by_subject(engine)
        assert now["Engine part 2"].downloaded
        assert now["Engine part 1"].message_id == found["Engine part 1"].message_id  # only here
        assert "Engine part 3" in await by_subject(engine, "Archive")
        await engine.accounts.sync("ada", full=True)
        assert [one for one in mailbox.folder("Archive").messages.values() if b"Engine part 3" in one.raw]
        assert len(mailbox.folder("INBOX").messages) == 5
    messages.append(mail(9))
    pop3.users[USER].add(messages[-1])
    async with engine_at(pop3.port) as engine:  # and back
        assert (await engine.accounts.sync("ada")).new == 1
        now = await by_subject(engine)
        assert now["Engine part 2"].message_id == found["Engine part 2"].message_id
        assert "Engine part 3" in await by_subject(engine, "Archive")
        assert len(now) == 7
        await engine.messages.delete([now["Engine part 2"].placement])
        await engine.accounts.sync("ada", full=True)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada", full=True)
        assert "Engine part 9" in await by_subject(engine)
        assert "Engine part 2" in await by_subject(engine, "Trash")


async def test_what_takes_the_place_of_a_deleted_message_is_not_expunged(imap_server, imap_engine_at):
    """A UID that names another message than the one that was deleted for good: nothing is removed."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.messages.erase([row.placement])
        mailbox.folder("INBOX").messages[4].raw = mail(404)
        await engine.accounts.sync("ada", full=True)
        assert 4 in mailbox.folder("INBOX").messages


async def test_a_message_that_is_in_no_folder_here_is_not_removed_from_the_server(imap_server, imap_engine_at):
    """Whatever led to it: only what somebody deleted for good is expunged."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]

        def lose(store):
            with store.transaction() as db:
                db.execute("DELETE FROM placement WHERE message = ?", (row.message_id,))

        await engine.context.db(lose)
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        assert 4 in mailbox.folder("INBOX").messages


@pytest.mark.parametrize("number", [2**63 - 1, 2**63, 10**19 - 1])
async def test_a_mod_sequence_at_the_end_of_its_range_ends_no_sync(number, imap_server, imap_engine_at):
    mailbox = filled()

    def told(verb: str, said: list[bytes]) -> list[bytes]:
        return [re.sub(rb"(HIGHESTMODSEQ|MODSEQ \()(\s?)\d+", rb"\g<1>\g<2>%d" % number, line) for line in said]

    server = await imap_server(mailbox, manners=Manners(rows=told))
    async with imap_engine_at(server.port) as engine:
        for _ in range(2):
            await engine.accounts.sync("ada")
        await assert_same(engine, mailbox)


async def test_a_folder_whose_new_name_is_taken_stays_and_so_does_the_one_that_wants_its_name(
    imap_server, imap_engine_at
):
    mailbox = ImapMailbox(PASSWORD, [("Q", ""), ("P", "")])
    for name in ("Q", "P"):
        mailbox.folder(name).add(mail(1))
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        for old, new in (("P", "New"), ("Q", "P")):
            await engine.folders.rename((await engine.folders.by_name("ada", old)).folder_id, new)
        mailbox.create("New")
        for _ in range(2):
            await engine.accounts.sync("ada")
        assert sorted(mailbox.folders) == [b"INBOX", b"New", b"P", b"Q"]
        assert server.heard("RENAME") == []
