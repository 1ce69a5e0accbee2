"""The embedded IMAP server logs in as each server would, and fails as it is told to."""

from __future__ import annotations

import asyncio
import base64
import contextlib

import pytest

from termmail.demo.faults import Manners, tagged
from termmail.demo.imap_personalities import COURIER, DOVECOT, PERSONALITIES, PLAIN
from termmail.net.imap.imap_session import ImapSession
from termmail.net.imap.refusals import OverQuota
from termmail.net.net_errors import Busy, LoginRefused, Offline, ProtocolError, Refused
from tests.conftest import PASSWORD, USER
from tests.demo.imap_client import connected
from tests.demo.test_imapd import SEEN, filled, logged_in, raw, where

INITIAL = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())

# -- login


@pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)
async def test_our_session_logs_in_with_starttls(imap_server, certificates, kind):
    server = await imap_server(filled(), personality=kind, tls=certificates.server, cleartext=False)
    secure = {"host": "localhost", "security": "starttls", "tls_ca_file": certificates.ca_file}
    async with logged_in(server, **secure) as session:
        assert (await session.select(b"INBOX")).exists == 3
        assert session.features.names == {name.upper() for name in kind.capabilities if name != "AUTH=PLAIN"}
    assert [one.tls for one in server.log if one.line.startswith(("LOGIN", "AUTHENTICATE"))] == [True]
    assert bool(server.heard("AUTHENTICATE")) is (kind is not PLAIN)


async def test_our_session_logs_in_with_tls_from_the_start(imap_server, certificates):
    server = await imap_server(filled(), tls=certificates.server, implicit=True)
    async with logged_in(server, host="localhost", security="tls", tls_ca_file=certificates.ca_file) as session:
        assert (await session.select(b"INBOX")).exists == 3


async def test_without_tls_no_login_is_taken_where_it_would_be_in_the_clear(imap_server, certificates):
    server = await imap_server(filled(), tls=certificates.server, cleartext=False)
    async with connected(server, login=False) as client:
        assert b"STARTTLS LOGINDISABLED]" in client.greeting
        login = f"LOGIN {USER} {PASSWORD}".encode()
        assert (await client.status(login)).startswith(b"NO [PRIVACYREQUIRED]")
        assert (await client.status(b"AUTHENTICATE PLAIN " + INITIAL)).startswith(b"NO")


async def test_plain_with_and_without_an_initial_response(imap_server):
    server = await imap_server(filled())
    async with connected(server, login=False) as client:
        assert (await client.status(b"AUTHENTICATE PLAIN " + INITIAL)).startswith(b"OK [CAPABILITY IMAP4rev1 ")
        assert (await client.status(b"AUTHENTICATE PLAIN " + INITIAL)).startswith(b"BAD")
    async with connected(server, login=False) as client:
        tag = client.command(b"AUTHENTICATE PLAIN")
        assert await client.line() == b"+ \r\n"
        client.send(INITIAL + b"\r\n")
        assert (await client.answer(tag))[-1].startswith(b"OK")
    async with connected(server, login=False) as client:
        tag = client.command(b"AUTHENTICATE PLAIN\r\n*")
        assert (await client.answer(tag))[-1].startswith(b"BAD")
        assert (await client.status(b"AUTHENTICATE PLAIN AGEAYg==")).startswith(b"NO [AUTHENTICATIONFAILED]")
        assert (await client.status(b"AUTHENTICATE X-NONE")).startswith(b"NO")


async def test_an_initial_response_is_bad_where_it_is_not_offered(imap_server):
    async with connected(await imap_server(filled(), personality=COURIER), login=False) as client:
        assert (await client.status(b"AUTHENTICATE PLAIN " + INITIAL)).startswith(b"BAD")


async def test_a_wrong_password_is_refused(imap_server):
    server = await imap_server(filled(), personality=PLAIN)
    async with connected(server, login=False) as client:
        assert (await client.status(f"LOGIN {USER} wrong".encode())).startswith(b"NO [AUTHENTICATIONFAILED]")
        assert (await client.status(b"LOGIN nobody wrong")).startswith(b"NO [AUTHENTICATIONFAILED]")
        await client.log_in()


async def test_capabilities_can_be_taken_away(imap_server):
    server = await imap_server(filled(), manners=Manners(without=frozenset({"MOVE", "QRESYNC", "LITERAL+"})))
    async with logged_in(server) as session:
        assert not session.features.offers("MOVE", "QRESYNC", "LITERAL+")
        assert session.features.offers("CONDSTORE")
    async with connected(server, select=True) as client:
        assert (await client.status(b"UID MOVE 1 Trash")).startswith(b"BAD")


# -- faults


async def test_a_server_can_say_bye_at_the_greeting(imap_server):
    server = await imap_server(filled(), manners=Manners(greeting=b"* BYE too many connections\r\n"))
    with pytest.raises(Busy):
        await ImapSession.open(where(server))


async def test_a_server_can_refuse_every_login(imap_server):
    manners = Manners(login=b"NO [UNAVAILABLE] try again later\r\n")
    server = await imap_server(filled(), manners=manners)
    with pytest.raises(Busy):
        await ImapSession.open(where(server))
    server.manners = Manners(login=b"NO no\r\n")
    with pytest.raises(LoginRefused):
        await ImapSession.open(where(server))
    server.manners = Manners()
    async with logged_in(server):
        pass


@pytest.mark.parametrize("key", ["UID MOVE", "UID MOVE 1 Trash", "next"])
@pytest.mark.parametrize(
    ("fault", "moved"), [("drop_at", False), ("lose_answer_to", True), ("lose_end_of", True), ("drop_after", True)]
)
async def test_the_connection_can_be_dropped_around_a_command(imap_server, key, fault, moved):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        command = f"#{server.commands + 1}" if key == "next" else key
        server.manners = Manners(**{fault: frozenset({command})})
        moving = folder.move([1], b"Trash")
        if fault == "drop_after":
            assert (await moving).pairs == {1: 1}
        else:
            with pytest.raises(Offline):
                await moving
        if fault == "lose_end_of":
            assert folder.exists == 2
        with pytest.raises(Offline):
            await session.noop()
    assert mailbox.folder("INBOX").uids == ([2, 3] if moved else [1, 2, 3])
    assert mailbox.folder("Trash").uids == ([1] if moved else [])


async def test_an_append_can_be_stored_without_an_answer(imap_server):
    mailbox = filled()
    server = await imap_server(mailbox, manners=Manners(lose_answer_to=frozenset({"APPEND"})))
    async with logged_in(server) as session:
        with pytest.raises(Offline):
            await session.append(b"Sent", raw(9))
    assert [one.raw for one in mailbox.folder("Sent").messages.values()] == [raw(9)]


async def test_a_command_can_be_refused_with_given_words(imap_server):
    mailbox = filled()
    answers = {
        "UID COPY": tagged(b"NO [OVERQUOTA] full"),
        "UID STORE": tagged(b"BAD what?"),
        "UID SEARCH": tagged(b"OK done", b"* SEARCH 2\r\n"),
    }
    server = await imap_server(mailbox, personality=PLAIN, manners=Manners(answers=answers))
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        with pytest.raises(OverQuota):
            await folder.copy([1], b"Trash")
        with pytest.raises(Refused):
            await folder.store_flags([1], add=SEEN)
        assert list(await folder.search_uids(b"ALL")) == [2]
    assert mailbox.folder("INBOX").messages[1].flags == frozenset()


async def test_untagged_responses_can_be_changed(imap_server):
    def rows(verb, told):
        return [row for row in told if b"UID 2 " not in row] if verb == "UID FETCH" else told

    server = await imap_server(filled(), manners=Manners(rows=rows))
    async with logged_in(server) as session:
        folder = await session.select(b"INBOX")
        assert [row.uid for row in (await folder.fetch_flags())[0]] == [1, 3]


async def test_a_command_can_stay_without_answer(imap_server):
    server = await imap_server(filled(), manners=Manners(stall_at=frozenset({"NOOP"})))
    async with connected(server, select=True) as client:
        client.command(b"NOOP")
        await server.until(lambda: bool(server.heard("NOOP")))
        assert server.open_sessions == 1
        client.writer.write_eof()
        assert await client.line() == b""
    await server.until(lambda: server.open_sessions == 0)


async def test_an_answer_can_end_in_the_middle(imap_server):
    server = await imap_server(filled())
    async with connected(server, select=True) as client:
        server.manners = Manners(drop_after_bytes=server.sent_bytes + 20)
        client.command(b"UID FETCH 1 BODY.PEEK[]")
        assert await client.reader.read() == b"* 1 FETCH (UID 1 BOD"


async def test_bytes_behind_starttls_are_seen(imap_server, certificates):
    server = await imap_server(
        filled(), tls=certificates.server, manners=Manners(tls_injection=b"* CAPABILITY IMAP4rev1 X-EVIL\r\n")
    )
    with pytest.raises(ProtocolError):
        await ImapSession.open(where(server, host="localhost", security="starttls", tls_ca_file=certificates.ca_file))


# -- what tests may ask


async def test_what_was_heard_is_kept_without_tags_and_literals(imap_server):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with logged_in(server) as session:
        await session.append(b"Sent", raw(9))
        folder = await session.select(b"INBOX")
        server.manners = Manners(delay_seconds={"UID STORE": 0.01})
        storing = asyncio.create_task(folder.store_flags([1], add=SEEN))
        await server.until(lambda: mailbox.folder("INBOX").messages[1].flags == SEEN)
        await storing
        assert server.heard("APPEND") == ["APPEND Sent () {}"]
        assert server.heard("UID STORE") == ["UID STORE 1 +FLAGS.SILENT (\\Seen)"]
        assert server.heard("UID") == server.heard("UID STORE")
        assert (server.commands, server.sessions, server.open_sessions) == (6, 1, 1)
        with contextlib.suppress(Offline):
            await session.logout()
    await server.until(lambda: server.open_sessions == 0)


async def test_a_server_that_stops_disconnects_idling_clients(imap_server):
    server = await imap_server(filled(), personality=DOVECOT)
    async with connected(server, select=True) as client:
        client.command(b"IDLE")
        assert await client.line() == b"+ idling\r\n"
        await server.stop()
        with contextlib.suppress(ConnectionResetError):
            assert await client.line() == b""
