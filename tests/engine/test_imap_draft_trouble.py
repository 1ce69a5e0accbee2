"""Drafts on a server that is mistaken, and on one that others write to at the same moment: no words are lost.

`there` is what the server's Drafts folder holds, `here` what the Drafts list shows; both as subject and body.
"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from termmail.demo.faults import GOOD, Manners, tagged
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import DOVECOT, O365, PLAIN
from termmail.engine.sync import imap_draft_sync
from termmail.errors import UserError
from tests.conftest import PASSWORD
from tests.engine.test_imap_drafts import HTML, drafts, filled, here, sync, there, write

MESSAGE_IDS = [
    b"<a\x00b@example.org>",
    b"<a\x1b[31mb@example.org>",
    b"<" + b"x" * 100_000 + b"@example.org>",
    b"<a\r\n b@example.org>",
    b"<a>b>@example.org>",
    b"no brackets",
    b"<>",
]


def letter(subject: str, message_id: bytes) -> bytes:
    return b"To: bob@example.org\r\nSubject: %b\r\nMessage-ID: %b\r\n\r\nDear Bob\r\n" % (subject.encode(), message_id)


@pytest.mark.parametrize("mine", ["words from here", "words from here!"], ids=["same size", "another size"])
async def test_a_draft_that_was_not_stored_is_not_taken_for_the_one_that_was(mine, imap_server, imap_engine_at):
    """The connection drops before APPEND is executed, and another program stores its own words meanwhile."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        await write(engine, "One", "base")
        await sync(engine)
        await sync(other)
        await write(engine, "One", mine, draft=(await drafts(engine))[0])
        a_second_later = other.context.clock() + 1
        other.context.clock = lambda: a_second_later
        await write(other, "One", "words from afar", draft=(await drafts(other))[0])
        server.manners = Manners(drop_at=frozenset({"APPEND"}))
        with pytest.raises(UserError):
            await sync(engine)
        server.manners = GOOD
        for each in (other, engine, other):
            await sync(each)
        both = sorted([("One", mine), ("One", "words from afar")])
        assert await here(engine) == await here(other) == there(mailbox) == both
        for draft in await drafts(engine):
            await write(engine, "One", f"{draft.body}, and more", draft=draft)
        for each in (engine, other):
            await sync(each)
        both = [(subject, f"{body}, and more") for subject, body in both]
        assert await here(engine) == await here(other) == there(mailbox) == both


async def test_a_folder_that_holds_the_drafts_again_doubles_none(imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, [("Drafts", "\\Drafts"), ("Other", ""), ("Archive", "\\Archive")])
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G", "\ttabs\x0b and\u2028more \n\n")
        await sync(engine)
        ids = sorted(one.id for one in await drafts(engine))
        for _ in range(4):
            first, second = mailbox.folder("Drafts"), mailbox.folder("Other")
            first.role, second.role = second.role, first.role
            for _ in range(2):
                await sync(engine)
            assert sorted(one.id for one in await drafts(engine)) == ids
            assert [len(one.messages) for one in (first, second)] == [2, 2]
        assert await sync(engine) == "No new messages"


async def test_two_forms_of_a_draft_stay_two_when_the_folder_was_removed(imap_server, imap_engine_at):
    """Which of them has the first Message-ID, each of the two stores sees otherwise."""
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        await write(engine, "One", "base")
        for each in (engine, other):
            await sync(each)
        for each, body in ((engine, "here"), (other, "from afar")):
            await write(each, "One", body, draft=(await drafts(each))[0])
        for each in (other, engine, other):
            await sync(each)
        mailbox.delete("Drafts")
        for each in (engine, other, engine):
            await sync(each)
        assert await here(engine) == await here(other) == there(mailbox) == [("One", "from afar"), ("One", "here")]


@pytest.mark.parametrize("kind", [DOVECOT, O365, PLAIN], ids=["dovecot", "o365", "plain"])
async def test_a_drafts_folder_that_was_not_listed_once_doubles_none(kind, imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        await sync(engine)
        ids = {one.id for one in await drafts(engine)}
        changed = next(one for one in await drafts(engine) if one.subject == "Note G")
        await write(engine, "Note H", draft=changed)
        server.manners = Manners(answers={"LIST": tagged(b"OK", b'* LIST () "/" INBOX\r\n')})
        await sync(engine)
        server.manners = GOOD
        for _ in range(2):
            await sync(engine)
        assert {one.id for one in await drafts(engine)} == ids
        assert await here(engine) == there(mailbox)


async def test_a_draft_that_the_server_announces_and_does_not_give_yet_is_kept(imap_server, imap_engine_at):
    """Office 365 counts messages before SEARCH finds them."""
    mailbox = filled()
    server = await imap_server(mailbox, personality=O365)
    async with imap_engine_at(server.port) as engine:
        await write(engine, "Note G")
        await sync(engine)
        ids = {one.id for one in await drafts(engine)}
        mailbox.folder("Drafts").add(HTML, ["\\Draft"])
        server.manners = Manners(answers={"UID SEARCH": tagged(b"OK", b"* SEARCH\r\n")})
        await sync(engine)
        assert {one.id for one in await drafts(engine)} == ids
        server.manners = GOOD
        await sync(engine)
        assert ids < {one.id for one in await drafts(engine)}
        assert await here(engine) == there(mailbox)


@pytest.mark.parametrize("uid", [1, 2, 3, 900, 2**32 - 1], ids=["ours", "theirs", "right", "missing", "highest"])
async def test_a_wrong_uid_for_a_stored_draft_loses_none(uid, imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine, imap_engine_at(server.port, folder="other") as other:
        await write(engine, "One")
        await sync(engine)
        await write(engine, "Two")

        folder = mailbox.folder("Drafts")
        truth = folder.add

        def wrong(*what: Any) -> int:
            truth(*what)
            return uid

        folder.add = wrong
        await sync(engine)
        folder.add = truth
        for each in (engine, other, engine):
            await sync(each)
        expected = [("On the phone", "Dear Bob"), ("One", "Dear Bob"), ("Two", "Dear Bob")]
        assert await here(engine) == await here(other) == expected
        assert [subject for subject, _ in there(mailbox)] == [subject for subject, _ in expected]
        assert await sync(engine) == "No new messages"


async def test_more_drafts_than_are_shown_stay_on_the_server(imap_server, imap_engine_at, monkeypatch):
    monkeypatch.setattr(imap_draft_sync, "MOST", 10)
    mailbox = filled()
    for number in range(30):
        mailbox.folder("Drafts").add(letter(f"{number:02}", b"<%d@example.org>" % number), ["\\Draft"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        for _ in range(3):
            await sync(engine)
        assert [subject for subject, _ in await here(engine)] == [f"{number:02}" for number in range(20, 30)]
        await write(engine, "Mine")
        mailbox.folder("Drafts").add(letter("30", b"<30@example.org>"), ["\\Draft"])
        await sync(engine)
        mailbox.change_uidvalidity("Drafts", first=100)
        for _ in range(2):
            await sync(engine)
        expected = [*(f"{number:02}" for number in range(20, 31)), "Mine"]
        assert [subject for subject, _ in await here(engine)] == expected
        assert len(there(mailbox)) == 32
        begin = server.commands
        await sync(engine)
        assert server.commands - begin < 8


@pytest.mark.parametrize("kind", [DOVECOT, PLAIN], ids=["dovecot", "plain"])
@pytest.mark.parametrize("message_id", MESSAGE_IDS, ids=range(len(MESSAGE_IDS)))
async def test_a_draft_with_an_odd_message_id_is_continued(message_id, kind, imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(letter("One", message_id), ["\\Draft"])
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await sync(engine)
        for body in ("more", "and more"):
            await write(engine, "One", body, draft=(await drafts(engine))[0])
            for _ in range(2):
                await sync(engine)
            assert await here(engine) == there(mailbox) == [("One", body)]


@pytest.mark.parametrize("refused", [False, True])
async def test_without_a_trash_the_first_form_of_a_draft_is_not_erased(refused, imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, [("Drafts", "\\Drafts")])
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox)
    if refused:
        server.manners = Manners(answers={"CREATE": tagged(b"NO [NOPERM] not you")})
    async with imap_engine_at(server.port) as engine:
        await sync(engine)
        await write(engine, "Here", draft=(await drafts(engine))[0])
        for _ in range(3):
            await sync(engine)
        assert await here(engine) == [("Here", "Dear Bob")]
        held = {name: [one.raw for one in folder.messages.values()] for name, folder in mailbox.folders.items()}
        assert HTML in held[b"Drafts" if refused else b"Trash"]


async def test_a_search_that_finds_four_billion_drafts_costs_little(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Drafts").add(HTML, ["\\Draft"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        server.manners = Manners(
            answers={
                "UID SEARCH": lambda line: (
                    b'* ESEARCH (TAG "%b") UID ALL 1:4294967295\r\n%b OK\r\n' % ((line.split(" ", 1)[0].encode(),) * 2)
                )
            }
        )
        with contextlib.suppress(UserError):
            await sync(engine)
        server.manners = GOOD
        await sync(engine)
        assert await here(engine) == there(mailbox)
