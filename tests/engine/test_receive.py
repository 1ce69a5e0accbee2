"""Maildrop -> store: what comes, once, and what a server that behaves badly cannot do to it."""

from __future__ import annotations

import asyncio
import calendar
from typing import TYPE_CHECKING

import pytest

from termmail.accounts.config import Config
from termmail.demo.faults import Manners
from termmail.engine.clock import now
from termmail.engine.events import MailArrived, MessageChanged, SyncProgress
from termmail.engine.sync import pop3_session
from termmail.mail.model import Coverage
from termmail.net.net_errors import Busy, LoginRefused, NetError, Refused, TooLarge
from termmail.store import delete_queue
from termmail.store.account_lock import AccountLock
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.views import INBOX, delete, search

if TYPE_CHECKING:
    from array import array

    from termmail.engine.engine import Engine
    from termmail.mail.views import View


async def subjects(engine: Engine, view: View = INBOX) -> list[str]:
    ids: array[int] = await engine.lists.ids(view)
    return [row.subject for row in await engine.lists.rows(view, ids)]


def verbs(server) -> list[str]:
    return [heard.line.split()[0].upper() for heard in server.log if heard.line.strip()]


async def test_headers_come_by_top_newest_first_and_bodies_only_when_opened(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 121)])
    async with engine_at(server.port) as engine:
        result = await engine.accounts.sync("ada")
        assert result.new == 120
        assert "RETR" not in verbs(server)
        assert (await subjects(engine))[:2] == ["Engine part 120", "Engine part 119"]
        first = engine.heard.of(MailArrived)[0]
        assert len(first.ids) == 50
        newest = (await engine.lists.ids(INBOX))[0]
        assert await engine.reader.peek(newest) is None
        message = await engine.reader.read(newest)
        assert message.text.strip() == "This is message 120."
        assert verbs(server).count("RETR") == 1
        assert await engine.reader.raw(newest) == mail(120)
        await engine.reader.read(newest)
        assert verbs(server).count("RETR") == 1


async def test_a_second_look_with_nothing_new_asks_nothing_else(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 11)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        before = len(server.log)
        assert (await engine.accounts.sync("ada")).new == 0
        asked = verbs(server)[before:]
        assert not {"LIST", "TOP", "RETR"} & set(asked)
        assert [h.line for h in server.log[before:] if h.line.upper().startswith("UIDL")] == ["UIDL 10"]


async def test_new_mail_is_added_and_nothing_comes_twice(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        drop.add(mail(3))
        assert (await engine.accounts.sync("ada")).new == 1
        assert await subjects(engine) == ["Engine part 3", "Engine part 2", "Engine part 1"]


async def test_gone_from_the_server_keeps_the_local_copy(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        drop.remove(drop.messages[0])
        await engine.accounts.sync("ada", full=True)
        assert len(await subjects(engine)) == 2
        old = (await engine.lists.ids(INBOX))[1]
        with pytest.raises(Refused, match="no longer on the server"):
            await engine.reader.read(old)


async def test_a_message_that_left_the_server_since_the_last_look_is_refused_and_the_others_can_be_read(
    pop3_server, engine_at
):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        drop.remove(drop.messages[0])
        new, old = await engine.lists.ids(INBOX)
        with pytest.raises(Refused, match="The server no longer has this message"):
            await engine.reader.read(old)
        assert "RETR" not in verbs(server)
        assert "message 2." in (await engine.reader.read(new)).text


async def test_for_a_message_that_is_known_to_be_gone_the_server_is_not_asked(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        deleted, absent = await engine.lists.ids(INBOX)
        await delete(engine, [deleted])
        await engine.context.db(delete_queue.make_due, "ada", now())
        drop.remove(drop.messages[0])
        await engine.accounts.sync("ada", full=True)
        assert [(await engine.lists.row(one)).state for one in (deleted, absent)] == ["gone", "absent"]
        said = len(server.heard())
        for one in (deleted, absent, deleted + absent):
            with pytest.raises(Refused, match="no longer on the server"):
                await engine.servers.source("ada").fetch(one)
        assert len(server.heard()) == said


@pytest.mark.parametrize(
    "without", [{"PIPELINING"}, {"TOP"}, {"UIDL"}, {"CAPA"}, {"CAPA", "TOP", "UIDL", "PIPELINING"}]
)
async def test_servers_that_lack_something_work_and_nothing_comes_twice(pop3_server, engine_at, without):
    server = await pop3_server([mail(n) for n in range(1, 8)], manners=Manners(without=frozenset(without)))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.accounts.sync("ada", full=True)
        assert sorted(await subjects(engine)) == sorted(f"Engine part {n}" for n in range(1, 8))
        newest = (await engine.lists.ids(INBOX))[0]
        assert "message 7" in (await engine.reader.read(newest)).text


async def test_that_the_server_has_no_top_is_said_once(pop3_server, engine_at):
    server = await pop3_server([mail(1)], manners=Manners(without=frozenset({"TOP"})))
    async with engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).words == (
            "1 new message; this server sends whole messages where headers would do (it has no TOP)"
        )
        server.users["ada@example.org"].add(mail(2))
        assert (await engine.accounts.sync("ada")).words == "1 new message"


@pytest.mark.parametrize(
    "uidl",
    [
        lambda _number, _true: b"same",
        lambda number, true: b"" if number % 2 else true,
        lambda number, true: true if number > 2 else b"doubled",
        lambda number, _true: b"\x1b]52;c;x\x07" + b"u" * 5000 + b"%d" % number,
        lambda number, _true: b"../../etc/passwd%d" % number,
    ],
    ids=["all the same", "every second blank", "one doubled", "5 KB with ESC", "a path"],
)
async def test_odd_uidls_lose_nothing_and_double_nothing(pop3_server, engine_at, uidl):
    server = await pop3_server([mail(n) for n in range(1, 6)], manners=Manners(uidl=uidl))
    async with engine_at(server.port) as engine:
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
        assert sorted(await subjects(engine)) == sorted(f"Engine part {n}" for n in range(1, 6))
        for id_ in await engine.lists.ids(INBOX):
            row = await engine.lists.row(id_)
            number = row.subject.split()[-1]
            assert f"message {number}." in (await engine.reader.read(id_)).text


async def test_when_all_uidls_change_nothing_is_downloaded_again(pop3_server, engine_at):
    """They are bound to their new UIDLs."""
    server = await pop3_server([mail(n) for n in range(1, 9)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        ids = list(await engine.lists.ids(INBOX))
        await engine.reader.read(ids[0])
        server.manners = Manners(uidl=lambda number, _true: b"moved-%d" % number)
        result = await engine.accounts.sync("ada", full=True)
        assert result.new == 0
        assert result.words == "No new messages; the server renamed 8 that are here already"
        assert list(await engine.lists.ids(INBOX)) == ids
        retrieved = verbs(server).count("RETR")
        assert "message 7" in (await engine.reader.read(ids[1])).text
        assert verbs(server).count("RETR") == retrieved + 1


async def test_a_uidl_used_again_for_another_message_brings_that_message(pop3_server, engine_at):
    """A message is identified by its UIDL and its header."""
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        uidl = drop.messages[0].uidl
        drop.remove(drop.messages[0])
        drop.add(mail(2), uidl=uidl)
        await engine.accounts.sync("ada", full=True)
        (old,) = await engine.lists.ids(INBOX)
        # The list cannot tell; opening does, and shows no other message's text under this subject.
        with pytest.raises(NetError):
            await engine.reader.read(old)


async def test_messages_the_server_will_not_give_are_passed_over(pop3_server, engine_at):
    manners = Manners(answers={"TOP 3 0": b"-ERR no such message\r\n", "RETR 3": b"-ERR no such message\r\n"})
    server = await pop3_server([mail(n) for n in range(1, 6)], manners=manners)
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert len(await subjects(engine)) == 4
        server.manners = Manners()
        assert (await engine.accounts.sync("ada", full=True)).new == 1
        assert len(await subjects(engine)) == 5


async def test_stat_and_list_and_uidl_that_disagree_lose_nothing(pop3_server, engine_at):
    """Only what both lists name is taken, and an honest session brings the rest."""

    def rows(verb, true):
        return (
            [*true[:3], b"0 12", b"-1 x", b"99999999999999999999 5", b"1e3 7", "٣ 9".encode()]
            if verb == "UIDL"
            else true
        )

    server = await pop3_server(
        [mail(n) for n in range(1, 6)], manners=Manners(rows=rows, stat=lambda c, s: (c + 7, s * 3))
    )
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert len(await subjects(engine)) == 3
        server.manners = Manners()
        await engine.accounts.sync("ada", full=True)
        assert len(await subjects(engine)) == 5


async def test_download_all_brings_every_body(pop3_server, engine_at):
    server = await pop3_server([mail(n, size=3000) for n in range(1, 30)])
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        await engine.lists.index()
        rows = await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))
        assert all(row.downloaded for row in rows)
        assert len(rows) == 29
        for row in rows:
            number = int(row.subject.split()[-1])
            assert await engine.reader.raw(row.message_id) == mail(number, size=3000)
            assert row.snippet.startswith("This is message")


async def test_download_all_keeps_bodies_before_the_last_has_come(pop3_server, engine_at):
    server = await pop3_server([mail(n, size=2_200_000) for n in range(1, 6)])
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        newest_first = list(await engine.lists.ids(INBOX))
        pages = [event.ids for event in engine.heard.of(MessageChanged)]
        assert [list(page) for page in pages] == [newest_first[:2], newest_first[2:4], newest_first[4:]]
        told = [event for event in engine.heard.of(SyncProgress) if event.what == "messages"]
        assert [(event.done, event.total) for event in told if event.done] == [(2, 5), (4, 5)]


async def test_download_all_fetches_bodies_of_mail_that_came_with_headers_alone(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 6)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada", full=True)
        assert all(row.downloaded for row in await engine.lists.rows(INBOX, await engine.lists.ids(INBOX)))
        assert len(await engine.lists.ids(INBOX)) == 5


def dated(number, date):
    """A message with this date."""
    return mail(number).replace(b"Date: Mon, 2 Mar 2026", f"Date: {date}".encode())


YEAR = [
    dated(1, "Sat, 1 Mar 2025"),
    dated(2, "Mon, 3 Mar 2025"),
    dated(3, "Sun, 1 Mar 2026"),
    dated(4, "Wed, 1 Jan 2014"),
]
"""Messages around 3 March 2025, a year before NOW."""
NOW = calendar.timegm((2026, 3, 3, 0, 0, 0))


async def downloaded(engine):
    """The subjects of the messages whose bodies are here."""
    rows = await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))
    return {row.subject for row in rows if row.downloaded}


async def test_the_mail_of_the_last_days_is_fetched_whole_and_of_the_rest_the_header(pop3_server, engine_at):
    server = await pop3_server(YEAR)
    async with engine_at(server.port, download="365 days") as engine:
        engine.context.clock = lambda: NOW
        result = await engine.accounts.sync("ada")
        assert await downloaded(engine) == {"Engine part 2", "Engine part 3"}
        assert verbs(server).count("RETR") == 2
        assert len(await subjects(engine)) == 4
        assert result.words == "4 new messages"
        told = [event.total for event in engine.heard.of(SyncProgress) if event.what == "messages"]
        assert set(told) <= {2}
        listings = verbs(server).count("LIST")
        await engine.accounts.sync("ada")
        assert verbs(server).count("LIST") == listings  # the bodies that stay there are no reason to look again
        engine.context.clock = lambda: NOW - 3 * 86_400  # three days earlier a year goes back farther
        await engine.accounts.sync("ada")
        assert await downloaded(engine) == {"Engine part 1", "Engine part 2", "Engine part 3"}


async def test_a_refused_login_says_so_and_polling_does_not_go_on(pop3_server, engine_at):
    """No lock-out loop."""
    server = await pop3_server([mail(1)], manners=Manners(login=b"-ERR [AUTH] no\r\n"))
    async with engine_at(server.port, poll_minutes=1) as engine:
        with pytest.raises(LoginRefused) as caught:
            await engine.accounts.sync("ada")
        assert caught.value.advice.endswith("termmail account password ada")
        assert len([v for v in verbs(server) if v in {"PASS", "APOP", "AUTH"}]) <= 3


async def test_after_a_refused_login_that_was_mended_the_clock_goes_on(pop3_server, engine_at):
    async def typed(_words: str) -> str:
        return PASSWORD

    server = await pop3_server([mail(1)], manners=Manners(login=b"-ERR [AUTH] no\r\n"))
    async with engine_at(server.port, poll_minutes=0.001) as engine, asyncio.timeout(10):
        with pytest.raises(LoginRefused):
            await engine.accounts.sync("ada")
        engine.servers.start()
        server.manners = Manners()
        engine.context.passwords.ask = typed
        looked = told(engine, SyncProgress, running=False)
        engine.accounts.sync_soon("ada")
        await looked
        await told(engine, SyncProgress, running=False)
        assert engine.accounts.status("ada").online


async def test_a_message_that_was_just_read_is_not_parsed_again_unless_it_is_large(pop3_server, engine_at):
    server = await pop3_server([mail(1, size=3 << 20), *(mail(n) for n in range(2, 19))])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        *small, large = await engine.lists.ids(INBOX)
        assert await engine.reader.read(large) is not await engine.reader.read(large)
        read = [await engine.reader.read(one) for one in small]
        assert [await engine.reader.read(one) is message for one, message in zip(small[1:], read[1:], strict=True)] == (
            [True] * 16
        )
        assert await engine.reader.read(small[0]) is not read[0]


async def test_a_session_is_given_back_also_when_the_message_could_not_be_had(pop3_server, engine_at, monkeypatch):
    monkeypatch.setattr(pop3_session, "NOOP_EVERY", 0.01)
    monkeypatch.setattr(pop3_session, "IDLE", 0.02)
    server = await pop3_server([mail(1)], manners=Manners(answers={"RETR": b"-ERR no\r\n"}))
    async with engine_at(server.port) as engine, asyncio.timeout(10):
        await engine.accounts.sync("ada")
        newest = (await engine.lists.ids(INBOX))[0]
        with pytest.raises(Refused):
            await engine.reader.read(newest)
        while verbs(server).count("QUIT") < 2:
            await asyncio.sleep(0)


async def test_another_termmail_on_the_account_is_not_called_offline(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        with AccountLock(engine.context.paths.data, "ada", "sync"), pytest.raises(Busy):
            await engine.accounts.sync("ada")
        assert engine.accounts.status("ada").online


async def test_a_header_of_an_account_that_was_removed_says_why_there_is_no_text(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        engine.context.config = Config()
        with pytest.raises(Refused, match="account is no longer set up"):
            await engine.reader.read((await engine.lists.ids(INBOX))[0])


def told(engine: Engine, kind: type, **fields: object) -> asyncio.Future[None]:
    """Done when the next event of this kind, with these fields, is told."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hear(event: object) -> None:
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            stop()
            future.set_result(None)

    stop = engine.context.subscribe(hear)
    return future


async def test_a_maildrop_in_use_is_busy(pop3_server, engine_at):
    server = await pop3_server([mail(1)], manners=Manners(login=b"-ERR [IN-USE] locked\r\n"))
    async with engine_at(server.port) as engine:
        with pytest.raises(Busy):
            await engine.accounts.sync("ada")


async def test_the_line_may_drop_at_every_byte_of_a_session(pop3_server, engine_at):
    """State after a drop is that of before, or further; then all comes, once."""
    messages = [mail(n) for n in range(1, 4)]
    server = await pop3_server(messages)
    async with engine_at(server.port) as engine:
        total = 0
        for after in range(0, 4000, 7):
            server.manners = Manners(drop_after_bytes=after)
            try:
                await engine.accounts.sync("ada", full=True)
            except NetError:
                total += 1
                continue
            break
        else:
            pytest.fail("no session was long enough")
        assert total > 50
        server.manners = Manners()
        await engine.accounts.sync("ada", full=True)
        assert sorted(await subjects(engine)) == [f"Engine part {n}" for n in range(1, 4)]


async def test_opening_a_message_during_a_long_sync_does_not_wait_for_its_end(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 3001)])
    async with engine_at(server.port) as engine:
        first = engine.context.tasks.run(_first_arrival(engine))
        engine.accounts.sync_soon("ada")
        ids = await first
        message = await engine.reader.read(ids[0])
        assert "message 3000." in message.text
        await engine.accounts.sync("ada")
        assert len(await engine.lists.ids(INBOX)) == 3000


async def _first_arrival(engine):
    import asyncio

    arrived = asyncio.get_running_loop().create_future()

    def listen(event):
        if isinstance(event, MailArrived) and not arrived.done():
            arrived.set_result(event.ids)

    stop = engine.context.subscribe(listen)
    try:
        return await arrived
    finally:
        stop()


@pytest.mark.parametrize("verb", ["RETR 2", "TOP 2 0"])
async def test_a_message_that_never_ends_is_shown_as_not_fetched_and_the_others_arrive(pop3_server, engine_at, verb):

    def endless():
        yield b"+OK\r\n"
        while True:
            yield b"x" * 65536 + b"\r\n"

    server = await pop3_server([mail(n) for n in range(1, 4)])
    async with engine_at(server.port, download="all") as engine:
        server.manners = Manners(answers={verb: lambda _line: endless()})
        with pytest.raises(TooLarge):
            await engine.accounts.sync("ada")
        await engine.accounts.sync("ada", full=True)
        rows = await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))
        assert len(rows) == 3
        assert sorted((row.downloaded, row.state) for row in rows) == [
            (False, "skipped"),
            (True, "kept"),
            (True, "kept"),
        ]
        assert [bool(row.note) for row in rows if row.state == "skipped"] == [True]


async def test_when_mail_was_received_last_is_known_after_a_restart(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        assert await engine.accounts.last_sync("ada") is None
        await engine.accounts.sync("ada")
        last = engine.accounts.status("ada").last_sync
        assert last is not None
        assert await engine.accounts.last_sync("ada") == last
    async with engine_at(server.port) as engine:
        assert engine.accounts.status("ada").last_sync is None
        assert await engine.accounts.last_sync("ada") == last
        assert (await engine.servers.source("ada")._last_sync()) == last


async def test_a_list_of_so_many_holds_so_many(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 6)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.lists.index()
        for view in (INBOX, search("engine")):
            ids = await engine.lists.ids(view)
            assert len(ids) == 5
            assert await engine.lists.ids(view, limit=2) == ids[:2]
        assert await engine.lists.coverage(search("engine")) == Coverage(0, 5)


async def test_a_message_that_another_has_replaced_is_told_as_new_mail(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)], manners=Manners(answers={"TOP 1 0": b"+OK\r\n" + HEADER_9}))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        wrong = next(row for row in await rows(engine) if row.subject == "Engine part 9")
        server.manners = Manners()
        engine.heard.clear()
        with pytest.raises(NetError, match="another message than the one it announced") as told:
            await engine.reader.read(wrong.message_id)
        assert told.value.advice == "That message is in the list now, under its own name."
        (arrived,) = engine.heard.of(MailArrived)
        assert (await engine.lists.row(arrived.ids[0])).subject == "Engine part 1"


HEADER_9 = mail(9).partition(b"\r\n\r\n")[0] + b"\r\n\r\n.\r\n"


async def rows(engine: Engine):
    return await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))


async def test_progress_of_headers_is_told_up_to_their_number(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 121)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        told = [(one.done, one.total) for one in engine.heard.of(SyncProgress) if one.what == "headers"]
        assert told[-1] == (120, 120)
        assert told == sorted(told)
