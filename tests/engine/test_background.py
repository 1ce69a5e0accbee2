"""The background: nothing that fails ends it, and what is queued or arrives later is still handled."""

from __future__ import annotations

import asyncio
import logging
import shutil
import sqlite3
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from termmail.accounts.config import Config
from termmail.demo.faults import Manners
from termmail.engine import sender, tasks
from termmail.engine.clock import now
from termmail.engine.events import Failed, FolderChanged, MailArrived, OutboxChanged, SendOf, SyncOf
from termmail.engine.sync.pop3_session import SLICE
from termmail.engine.tasks import Tasks
from termmail.errors import ErrorCode, UserError
from termmail.net.pop3.protocol import HEADER_LIMIT
from termmail.store import delete_queue, outbox
from termmail.store.account_lock import AccountLock
from termmail.store.store_errors import StoreBusy, StoreFull, StoreReplaced
from tests.conftest import PASSWORD
from tests.engine.conftest import account, mail
from tests.engine.test_outbox import DRAFTS, SENT, written
from tests.engine.test_receive import INBOX, subjects, verbs
from tests.views import delete, move

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from termmail.engine.engine import Engine


async def heard(engine: Engine, wanted) -> None:
    """Wait for an event, among those to come, for which `wanted` is true."""
    found = asyncio.Event()
    stop = engine.context.subscribe(lambda event: found.set() if wanted(event) else None)
    try:
        async with asyncio.timeout(10):
            await found.wait()
    finally:
        stop()


@asynccontextmanager
async def hearing(engine: Engine, wanted) -> AsyncIterator[None]:
    """Leave the block only when such an event came since it was entered."""
    waiting = asyncio.ensure_future(heard(engine, wanted))
    await asyncio.sleep(0)
    yield
    await waiting


def outbox_is(state: str):
    return lambda event: isinstance(event, OutboxChanged) and event.state == state


@contextmanager
def another_writes(engine: Engine) -> Iterator[None]:
    """Another process keeps the store locked."""
    other = sqlite3.connect(engine.context.paths.data / "mail.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


async def impatient(engine: Engine) -> None:
    """Do not wait ten seconds for a store that is locked."""
    await engine.context.db(lambda store: store.db.execute("PRAGMA busy_timeout = 20"))


def fill_disk(store) -> None:
    (pages,) = store.db.execute("PRAGMA page_count").fetchone()
    store.db.execute(f"PRAGMA max_page_count = {pages}")


def make_room(store) -> None:
    store.db.execute("PRAGMA max_page_count = 1000000")


async def test_a_sender_that_found_the_store_busy_sends_what_waits_and_what_is_queued_later(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await impatient(engine)
        await engine.outbox.send(await written(engine), delay=0)
        with another_writes(engine):
            async with hearing(engine, lambda event: isinstance(event, Failed)):
                engine.servers.start()
        assert "Another program is writing" in engine.heard.of(Failed)[-1].words
        async with hearing(engine, outbox_is("sent")):
            engine.accounts.sync_soon("ada")
        async with hearing(engine, outbox_is("sent")):
            await engine.outbox.send(await written(engine), delay=0)
        assert len(server.received) == 2


async def test_a_sender_that_failed_goes_on_by_itself(smtp_server, engine_at, monkeypatch):
    monkeypatch.setattr(tasks, "FIRST_WAIT", 0.01)
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await impatient(engine)
        await engine.outbox.send(await written(engine), delay=0)
        with another_writes(engine):
            async with hearing(engine, lambda event: isinstance(event, Failed)):
                engine.servers.start()
        await heard(engine, outbox_is("sent"))


async def test_a_receiver_that_found_the_store_busy_receives_later(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port, poll_minutes=5) as engine:
        await impatient(engine)
        with another_writes(engine):
            async with hearing(engine, lambda event: isinstance(event, Failed)):
                engine.servers.start()
        failed = engine.heard.of(Failed)[-1]
        assert failed.about == SyncOf("ada")
        async with hearing(engine, lambda event: isinstance(event, MailArrived)):
            engine.servers.source("ada").look_again()
        assert await subjects(engine) == ["Engine part 1"]


async def test_checking_by_hand_while_the_store_is_busy_is_told_and_is_no_bug(pop3_server, engine_at, caplog):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await impatient(engine)
        with another_writes(engine):
            async with hearing(engine, lambda event: isinstance(event, Failed)):
                engine.accounts.sync_soon("ada")
        assert all("Something in termmail" not in failed.words for failed in engine.heard.of(Failed))
        assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_exception_of_a_listener_does_not_end_a_sync_or_a_send(pop3_server, smtp_server, engine_at, caplog):
    pop3, smtp = await pop3_server([mail(1)]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        engine.context.subscribe(lambda _event: 1 / 0)
        late = []
        engine.context.subscribe(late.append)
        assert (await engine.accounts.sync("ada")).new == 1
        await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert late[-1] == engine.heard[-1]
        assert "a listener failed" in caplog.text


async def test_a_loop_with_a_bug_is_told_once_waits_longer_each_time_and_goes_on(monkeypatch):
    waits: list[float] = []
    real = asyncio.wait_for

    async def quick(awaitable, seconds):
        waits.append(seconds)
        return await real(awaitable, 0.001)

    monkeypatch.setattr(tasks.asyncio, "wait_for", quick)
    bugs, failures, turns, done = [], [], 0, asyncio.Event()
    wake = asyncio.Event()

    async def step() -> None:
        nonlocal turns
        turns += 1
        if turns <= 9:
            raise ZeroDivisionError
        if turns == 10:
            await asyncio.sleep(0)
            return
        if turns <= 12:
            raise UserError("The disk is full.")
        if turns == 13:
            raise UserError("The store is busy.")
        done.set()
        await asyncio.Event().wait()

    background = Tasks(bugs.append)
    background.keep_running(step, wake=wake, on_failure=failures.append)
    async with asyncio.timeout(5):
        await done.wait()
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    assert [str(failure) for failure in failures] == ["The disk is full.", "The store is busy."]
    assert waits == [2, 4, 8, 16, 32, 64, 128, 240, 240, 2, 4, 8]
    await background.close()


async def test_waking_a_loop_that_failed_ends_its_wait():
    wake, turns, told = asyncio.Event(), 0, asyncio.Event()

    async def step() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise UserError("Not now.")
        told.set()
        await asyncio.Event().wait()

    background = Tasks(lambda _error: None)
    background.keep_running(step, wake=wake, on_failure=lambda _error: asyncio.get_running_loop().call_soon(wake.set))
    async with asyncio.timeout(1):  # less than the first wait
        await told.wait()
    await background.close()


async def test_what_the_server_took_while_the_disk_was_full_is_unsure_and_sent_once_there_is_room(
    smtp_server, engine_at
):
    server = await smtp_server(manners=Manners(delay_seconds={".": 0.2}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(replace(await written(engine), body="x" * 210_000), delay=0)
        sending = asyncio.ensure_future(engine.outbox.flush("ada"))
        await heard(engine, outbox_is("sending"))
        await engine.context.db(fill_disk)
        with pytest.raises(StoreFull):
            await sending
        assert len(server.received) == 1
        assert [event.state for event in engine.heard.of(OutboxChanged)][-1] == "unsure"
        row = await engine.outbox.row(outbox_id)
        assert (row.state, row.words) == ("unsure", sender.NOT_STORED)
        await engine.context.db(make_room)
        assert await engine.outbox.flush("ada") == []
        assert (await engine.outbox.row(outbox_id)).state == "sent"
        assert [event.state for event in engine.heard.of(OutboxChanged)][-1] == "sent"
        assert len(server.received) == len(await engine.lists.ids(SENT)) == 1


async def test_while_another_process_sends_the_lock_is_asked_for_less_and_less_often(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await engine.outbox.send(await written(engine), delay=0)
        mine = engine.servers.sender("ada")
        with AccountLock(engine.context.paths.data, "ada", "send"):
            waits = []
            for _ in range(8):
                assert await mine.flush() == []
                waits.append(await mine._seconds_to_wait())
            assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
        (row,) = await mine.flush()
        assert row.state == "sent"
        assert await mine._seconds_to_wait() is None
        with AccountLock(engine.context.paths.data, "ada", "send"):
            await mine.flush()
            assert await mine._seconds_to_wait() == 1


async def test_what_another_process_sent_is_told_here(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine, engine_at(1, server.port) as other:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        assert await engine.outbox.seconds_left(outbox_id) == 0
        await other.outbox.flush("ada")
        assert not [event for event in engine.heard.of(OutboxChanged) if event.state == "sent"]
        assert await engine.outbox.flush("ada") == []
        assert engine.heard.of(OutboxChanged)[-1] == OutboxChanged(outbox_id, "ada", "sent")


# -- sync


async def test_a_full_sync_that_is_asked_for_during_a_plain_one_still_lists_everything(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        before = len(verbs(server))
        plain = asyncio.ensure_future(engine.accounts.sync("ada"))
        await asyncio.sleep(0)
        full = asyncio.ensure_future(engine.accounts.sync("ada", full=True))
        again = asyncio.ensure_future(engine.accounts.sync("ada", full=True))
        joined = asyncio.ensure_future(engine.accounts.sync("ada"))
        await asyncio.gather(plain, full, again, joined)
        assert verbs(server)[before:].count("LIST") == 1
        assert verbs(server)[before:].count("QUIT") == 2


@pytest.mark.parametrize(
    "manners",
    [
        Manners(uidl=lambda _number, _true: b"same"),
        Manners(uidl=lambda number, true: true if number > 2 else b"doubled"),
        Manners(uidl=lambda number, true: b"" if number % 2 else true),
        Manners(without=frozenset({"UIDL"})),
    ],
    ids=["all the same", "one doubled", "every second blank", "no UIDL"],
)
async def test_every_body_comes_whatever_the_uidls_are_like(pop3_server, engine_at, manners):
    server = await pop3_server([mail(n) for n in range(1, 6)], manners=manners)
    async with engine_at(server.port, download="all") as engine:
        assert (await engine.accounts.sync("ada")).words == "5 new messages"
        ids = await engine.lists.ids(INBOX)
        assert all(row.downloaded for row in await engine.lists.rows(INBOX, ids))
        assert sorted([await engine.reader.raw(id_) for id_ in ids]) == sorted(mail(n) for n in range(1, 6))


async def test_bodies_that_did_not_come_are_counted_and_come_with_the_next_sync(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 4)])
    server.manners = Manners(answers={"RETR 2": b"-ERR not just now\r\n"})
    async with engine_at(server.port, download="all") as engine:
        assert (await engine.accounts.sync("ada")).words == "3 new messages, 1 message could not be fetched"
        assert (await engine.accounts.sync("ada")).words == "1 message could not be fetched"
        server.manners = Manners()
        await engine.accounts.sync("ada")
        ids = await engine.lists.ids(INBOX)
        assert all(row.downloaded for row in await engine.lists.rows(INBOX, ids))
        assert (await engine.accounts.sync("ada")).words == "No new messages"


async def test_a_header_that_was_passed_over_is_counted_and_never_called_nothing_new(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2), mail(3)])
    server.manners = Manners(answers={"TOP 2 0": b"-ERR not just now\r\n", "RETR 2": b"-ERR not just now\r\n"})
    async with engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).words == "2 new messages, 1 message could not be fetched"
        engine.heard.clear()
        assert (await engine.accounts.sync("ada")).words == "1 message could not be fetched"
        assert not engine.heard.of(FolderChanged)
        server.manners = Manners()
        assert (await engine.accounts.sync("ada")).words == "1 new message"


async def test_a_list_that_leaves_out_a_message_is_not_trusted_with_the_same_stat(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2), mail(3)])
    server.manners = Manners(
        rows=lambda verb, rows: (
            [row for row in rows if verb != "LIST" or not row.startswith(b"2 ")] + [b"x y"] * (verb == "LIST")
        )
    )
    async with engine_at(server.port) as engine:
        result = await engine.accounts.sync("ada")
        assert result.words == "2 new messages; 2 lines of the server's list made no sense"
        assert (await engine.accounts.sync("ada")).words == "2 lines of the server's list made no sense"
        server.manners = Manners()
        assert (await engine.accounts.sync("ada")).words == "1 new message"


# -- clocks


@pytest.fixture
def at():
    """`at(engine, seconds)` sets the wall clock of an engine."""

    def set_clock(engine: Engine, seconds: int) -> None:
        engine.context.clock = lambda: seconds

    return set_clock


NOW, YEAR = 1_800_000_000, 365 * 86_400


async def test_what_was_queued_under_a_clock_a_year_ahead_waits_only_its_delay(smtp_server, engine_at, at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        at(engine, NOW + YEAR)
        outbox_id = await engine.outbox.send(await written(engine), delay=10)
        at(engine, NOW)
        assert 9 < await engine.outbox.seconds_left(outbox_id) <= 10
        assert await engine.outbox.flush("ada") == [], "it can still be taken back"
        await engine.outbox.hurry("ada")
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"


async def test_a_retry_by_hand_sends_what_a_wrong_clock_put_off(smtp_server, engine_at, at):
    server = await smtp_server(manners=Manners(answers={"MAIL": b"451 later\r\n"}))
    async with engine_at(1, server.port) as engine:
        at(engine, NOW + YEAR)
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        at(engine, NOW)
        assert 59 < await engine.outbox.seconds_left(outbox_id) <= 60
        server.manners = Manners()
        await engine.outbox.retry(outbox_id)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"


async def test_the_countdown_does_not_follow_a_clock_that_is_set_while_it_runs(smtp_server, engine_at, at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        at(engine, NOW)
        outbox_id = await engine.outbox.send(await written(engine), delay=10)
        first = await engine.outbox.seconds_left(outbox_id)
        at(engine, NOW - 3600)
        assert first - 1 < await engine.outbox.seconds_left(outbox_id) <= first
        at(engine, NOW + YEAR)
        assert first - 1 < await engine.outbox.seconds_left(outbox_id) <= first
        assert await engine.outbox.flush("ada") == []


async def test_a_message_goes_out_when_its_delay_is_over_although_the_clock_went_back(smtp_server, engine_at, at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        engine.servers.start()
        at(engine, NOW)
        async with hearing(engine, outbox_is("sent")):
            await engine.outbox.send(await written(engine), delay=1)
            await engine.outbox.seconds_left(1)
            at(engine, NOW - YEAR)
        assert len(server.received) == 1


async def test_a_delete_asked_for_under_a_clock_a_year_ahead_is_due_a_minute_after_it_was_set(
    pop3_server, engine_at, at
):
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete(engine, list(await engine.lists.ids(INBOX)))
        ahead = await engine.context.db(delete_queue.next_due, "ada", now())
        at(engine, ahead - YEAR)
        assert await engine.servers.source("ada")._deletes_due_in() == 60
        await engine.accounts.sync("ada")
        assert len(drop.messages) == 1
        at(engine, ahead - YEAR + 61)
        await engine.accounts.sync("ada")
        assert len(drop.messages) == 0


# -- the store file


async def test_nothing_is_deleted_from_the_server_when_the_store_file_was_replaced(pop3_server, engine_at, tmp_path):
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        await delete(engine, list(await engine.lists.ids(INBOX)))
        await engine.context.db(delete_queue.make_due, "ada", NOW)
        path = engine.context.paths.data / "mail.db"
        shutil.copy(path, tmp_path / "backup.db")
        (tmp_path / "backup.db").rename(path)
        with pytest.raises(StoreReplaced, match="deleted or replaced"):
            await engine.accounts.sync("ada", full=True)
        assert len(drop.messages) == 1
        assert "DELE" not in verbs(server)
        with pytest.raises(StoreReplaced):
            await engine.drafts.save(await written(engine))


async def test_sent_is_not_said_when_the_store_file_was_deleted_meanwhile(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(delay_seconds={".": 0.2}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        sending = asyncio.ensure_future(engine.outbox.flush("ada"))
        await heard(engine, outbox_is("sending"))
        (engine.context.paths.data / "mail.db").unlink()
        with pytest.raises(StoreReplaced):
            await sending
        assert (await engine.outbox.row(outbox_id)).state == "unsure"
        assert [event.state for event in engine.heard.of(OutboxChanged)][-1] == "unsure"


# -- the outbox by hand


async def test_taking_a_message_back_twice_says_so(engine_at):
    async with engine_at() as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=60)
        assert (await engine.outbox.cancel(outbox_id)).subject == "Breakfast"
        with pytest.raises(UserError, match="taken back already") as caught:
            await engine.outbox.cancel(outbox_id)
        assert caught.value.code is ErrorCode.CHANGED
        assert len(await engine.lists.ids(DRAFTS)) == 1


async def test_trying_all_again_sends_everything_that_waits_and_nothing_else(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(answers={"MAIL": b"451 later\r\n"}))
    async with engine_at(1, server.port) as engine:
        deferred = await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        server.manners = Manners(answers={"MAIL": b"550 never\r\n"})
        refused = await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        counting = await engine.outbox.send(await written(engine), delay=600)
        taken_back = await engine.outbox.send(await written(engine), delay=600)
        await engine.outbox.cancel(taken_back)
        server.manners = Manners()
        assert await engine.outbox.retry_all("ada") == [deferred, counting]
        rows = await engine.outbox.flush("ada")
        assert {(row.outbox_id, row.state) for row in rows} == {(deferred, "sent"), (counting, "sent")}
        assert (await engine.outbox.row(refused)).state == "failed"


async def test_who_was_refused_stays_known_after_the_message_was_sent_to_the_others(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(answers={"RCPT bob@example.org": b"550 no such user\r\n"}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine, "bob@example.org, eve@example.org"), delay=0)
        await engine.outbox.flush("ada")
        row = await engine.outbox.row(outbox_id)
        assert (row.state, row.accepted) == ("sent", ("eve@example.org",))
        assert "no such user" in row.refused["bob@example.org"]


async def test_a_failure_names_its_subject(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(answers={"MAIL": b"451 later\r\n"}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        assert engine.heard.of(Failed)[-1].about == SendOf(outbox_id)
        await engine.context.tasks.run(engine.servers.sync_quietly("ada"))
        assert engine.heard.of(Failed)[-1].about == SyncOf("ada")


async def test_a_store_that_stays_busy_makes_a_send_fail_with_words(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await impatient(engine)
        await engine.outbox.send(await written(engine), delay=0)
        with another_writes(engine), pytest.raises(StoreBusy):
            await engine.outbox.flush("ada")
        assert server.received == []
        assert len(await engine.context.db(outbox.ids, "ada")) == 1


async def test_other_store_work_gets_in_between_while_a_long_listing_is_compared(pop3_server, engine_at):
    many = 20_000

    def rows(verb: str, true: list[bytes]) -> list[bytes]:
        made = {"LIST": b"%d 1000", "UIDL": b"%d u%d"}.get(verb)
        return true if made is None else [made % ((n,) if verb == "LIST" else (n, n)) for n in range(1, many + 1)]

    def know_all(store) -> None:
        with store.transaction() as db:
            db.executemany(
                "INSERT INTO remote (account, uidl, number, size, fingerprint, state) VALUES ('ada', ?, 0, 1000, x'01', 'kept')",
                [(b"u%d" % n,) for n in range(1, many + 1)],
            )

    server = await pop3_server([mail(1)], manners=Manners(rows=rows, stat=lambda _count, _size: (many, many * 1000)))
    async with engine_at(server.port) as engine:
        await engine.context.db(know_all)
        between = 0

        async def other_work() -> None:
            nonlocal between
            while True:
                await engine.context.db(lambda store: store.read_one("SELECT 1"))
                between += 1

        working = engine.context.tasks.run(other_work())
        assert (await engine.accounts.sync("ada")).words == "No new messages"
        working.cancel()
        numbers = await engine.context.db(lambda store: store.read("SELECT count(*) FROM remote WHERE number > 0"))
        assert numbers == [(many,)]
        assert between > 2 * many / SLICE


async def test_that_termmail_tries_again_is_said_only_where_it_does(pop3_server, engine_at):
    server = await pop3_server([mail(1)], manners=Manners(login=b"-ERR [IN-USE] locked\r\n"))
    for minutes, again in ((5, True), (0, False)):
        async with engine_at(server.port, poll_minutes=minutes) as engine:
            await engine.servers.sync_quietly("ada")
            assert ("tries again by itself" in engine.heard.of(Failed)[-1].advice) == again


async def test_a_deferred_message_says_that_it_is_tried_again(engine_at):
    async with engine_at(1, 1) as engine:
        await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        assert "tries again by itself" in engine.heard.of(Failed)[-1].advice


@pytest.mark.parametrize("size", [b"", b"-5", b"1e3", b"9223372036854775808", b"0"])
async def test_a_message_whose_listed_size_is_senseless_comes_and_can_be_deleted(pop3_server, engine_at, size):
    server = await pop3_server([mail(1), mail(2)])
    server.manners = Manners(size=lambda number, true: size if number == 2 else true)
    drop = next(iter(server.users.values()))
    async with engine_at(server.port, download="all") as engine:
        told = "" if size == b"0" else "; the server gives no valid size for 1 message"
        assert (await engine.accounts.sync("ada")).words == "2 new messages" + told
        ids = list(await engine.lists.ids(INBOX))
        assert [row.downloaded for row in await engine.lists.rows(INBOX, ids)] == [True, True]
        await delete(engine, ids[:1])
        await engine.context.db(delete_queue.make_due, "ada", now())
        assert (await engine.accounts.sync("ada")).deleted == 1
        assert len(drop.messages) == 1


async def test_a_password_that_works_is_not_forgotten_because_of_an_old_failure(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        for kind in ("pop3", "smtp"):
            engine.context.passwords.forget(kind, engine.accounts.settings("ada"))
        await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "queued"
        asked = []

        async def ask(words: str) -> str:
            asked.append(words)
            return PASSWORD

        engine.context.passwords.ask = ask
        for _ in range(2):
            await engine.outbox.hurry("ada")
            await engine.outbox.flush("ada")
        await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert len(asked) == 1


async def test_an_account_that_is_added_while_the_program_runs_is_received_and_no_account_runs_twice(
    pop3_server, engine_at
):
    server = await pop3_server([mail(1)])
    async with engine_at() as engine:
        engine.servers.start()
        new = account(server.port, 1, poll_minutes=5)
        engine.context.passwords.remember("home", "pop3", new, PASSWORD)
        engine.context.config = Config(accounts={**engine.context.config.accounts, "home": new})
        async with hearing(engine, lambda event: isinstance(event, MailArrived) and event.account == "home"):
            engine.servers.saved("home")
        running = set(engine.context.tasks._tasks)  # two of each account, and maybe what looks at the mail that came
        engine.servers.saved("home")
        assert set(engine.context.tasks._tasks) <= running
        assert len(running) >= 4


async def test_after_a_refused_login_nothing_is_polled_until_the_user_asks(pop3_server, engine_at):
    server = await pop3_server([mail(1)], manners=Manners(login=b"-ERR [AUTH] no\r\n"))
    async with engine_at(server.port, poll_minutes=5) as engine:
        source = engine.servers.source("ada")

        async def run_once() -> None:
            turn = asyncio.ensure_future(source.run())
            source._next_poll = 0  # the interval is over
            for _ in range(20):
                await engine.context.db(lambda store: store.read_one("SELECT 1"))
            while source.status.syncing:
                await asyncio.sleep(0)
            source.look_again()
            await turn

        await run_once()
        await run_once()
        await run_once()
        assert len(engine.heard.of(Failed)) == 1
        server.manners = Manners()

        async def ask(_words: str) -> str:
            return PASSWORD

        engine.context.passwords.ask = ask
        async with hearing(engine, lambda event: isinstance(event, MailArrived)):
            engine.accounts.sync_soon("ada")


async def test_a_body_that_is_another_messages_is_not_stored_and_counted_as_not_fetched(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)], manners=Manners(answers={"RETR 2": b"+OK\r\n" + mail(9) + b".\r\n"}))
    async with engine_at(server.port, download="all") as engine:
        assert (await engine.accounts.sync("ada")).words == "2 new messages, 1 message could not be fetched"
        assert [row.downloaded for row in await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))] == [
            False,
            True,
        ]
        server.manners = Manners()
        await engine.accounts.sync("ada")
        assert await engine.reader.raw((await engine.lists.ids(INBOX))[0]) == mail(2)


async def test_a_message_with_too_large_a_header_that_cannot_be_fetched_is_shown_and_counted(pop3_server, engine_at):
    header = b"+OK\r\n" + b"X-Filler: x\r\n" * (HEADER_LIMIT // 10) + b"\r\n.\r\n"
    server = await pop3_server([mail(1), mail(2)])
    server.manners = Manners(answers={"TOP 2 0": header, "RETR 2": b"-ERR no\r\n"})
    async with engine_at(server.port) as engine:
        assert (await engine.accounts.sync("ada")).words == "1 new message, 1 message could not be fetched"
        rows = await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))
        assert sorted(row.state for row in rows) == ["kept", "skipped"]
        for full in (False, True):
            assert (await engine.accounts.sync("ada", full=full)).words == "1 message could not be fetched"


async def test_messages_of_an_impossible_size_are_counted_in_every_sync(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)], manners=Manners(size=lambda _number, _true: 4 << 30))
    async with engine_at(server.port, download="all") as engine:
        assert (await engine.accounts.sync("ada")).words == "2 new messages, 2 messages could not be fetched"
        for full in (False, True):
            assert (await engine.accounts.sync("ada", full=full)).words == "2 messages could not be fetched"


async def test_what_is_restored_while_the_server_is_asked_is_not_deleted_there(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        for message_id in list(await engine.lists.ids(INBOX)):
            await delete(engine, [message_id])
        await engine.context.db(delete_queue.make_due, "ada", now())
        await engine.context.db(lambda store: store.db.execute("UPDATE remote SET state = 'trashed'"))
        server.manners = Manners(delay_seconds={"TOP": 0.2})
        before = len(server.log)
        syncing = asyncio.ensure_future(engine.accounts.sync("ada"))
        while "TOP" not in verbs(server)[before:]:
            await asyncio.sleep(0)
        (last,) = await engine.context.db(lambda store: store.read("SELECT message FROM remote ORDER BY id LIMIT 1"))
        await move(engine, [last[0]], "Inbox")
        assert (await syncing).deleted == 1
        assert len(drop.messages) == 1
        assert len(await subjects(engine)) == 1


async def test_a_delete_of_which_the_server_shows_another_header_waits_an_hour(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port, download="all") as engine:
        await engine.accounts.sync("ada")
        await delete(engine, list(await engine.lists.ids(INBOX)))
        await engine.context.db(delete_queue.make_due, "ada", now())
        server.manners = Manners(answers={"TOP": lambda _line: b"+OK\r\nSubject: another\r\n\r\n.\r\n"})
        assert (await engine.accounts.sync("ada")).deleted == 0
        assert await engine.context.db(delete_queue.next_due, "ada", now()) > now() + 3500
