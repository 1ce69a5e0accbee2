"""DELE: only what the user meant, only after the body is safe, only counted after QUIT."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from termmail.demo.faults import Manners
from termmail.engine.clock import now
from termmail.engine.events import Failed, MessageChanged
from termmail.engine.sync import pop3_source
from termmail.net.net_errors import NetError
from termmail.store import delete_queue
from tests.engine.conftest import mail
from tests.engine.test_receive import INBOX, subjects, verbs
from tests.views import TRASH, delete, erase, move

if TYPE_CHECKING:
    from termmail.engine.engine import Engine


async def delete_now(engine: Engine, ids) -> None:
    await delete(engine, ids)
    await engine.context.db(delete_queue.make_due, "ada", now())


async def state(engine: Engine, id_: int) -> str:
    return (await engine.lists.row(id_)).state


async def test_delete_moves_to_trash_at_once_and_asks_the_server_a_minute_later(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        newest = (await engine.lists.ids(INBOX))[0]
        await delete(engine, [newest])
        assert await subjects(engine) == ["Engine part 1"]
        assert list(await engine.lists.ids(TRASH)) == [newest]
        await engine.accounts.sync("ada", full=True)
        assert "DELE" not in verbs(server)
        await engine.context.db(delete_queue.make_due, "ada", now())
        result = await engine.accounts.sync("ada")
        assert result.deleted == 1
        assert len(server.users["ada@example.org"].messages) == 1
        assert await state(engine, newest) == "gone"


async def test_the_body_is_safe_before_dele(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await delete_now(engine, [only])
        await engine.accounts.sync("ada")
        said = verbs(server)
        assert said.index("RETR") < said.index("DELE")
        assert await engine.reader.raw(only) == mail(1)


async def test_undo_calls_the_delete_off(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await delete(engine, [only])
        assert (await engine.journal.undo()).message_ids == (only,)
        assert list(await engine.lists.ids(INBOX)) == [only]
        assert await engine.journal.undo() is None
        await engine.context.db(delete_queue.make_due, "ada", now())
        await engine.accounts.sync("ada", full=True)
        assert "DELE" not in verbs(server)


async def test_trash_still_gives_back_what_the_server_no_longer_has(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await delete_now(engine, [only])
        await engine.accounts.sync("ada")
        await move(engine, [only], "Inbox")
        await engine.accounts.sync("ada", full=True)
        assert list(await engine.lists.ids(INBOX)) == [only]
        assert (await engine.reader.read(only)).text.strip() == "This is message 1."
        assert await state(engine, only) in {"gone", "absent"}


async def test_dele_is_not_sent_when_the_server_shows_another_message(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    drop = server.users["ada@example.org"]
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await engine.reader.read(only)
        await engine.servers.source("ada").session.give_back()
        await delete_now(engine, [only])
        uidl = drop.messages[0].uidl
        drop.remove(drop.messages[0])
        drop.add(mail(2), uidl=uidl)
        await engine.accounts.sync("ada", full=True)
        assert "DELE" not in verbs(server)
        assert len(drop.messages) == 1


@pytest.mark.parametrize("how", ["lose_answer_to", "drop_at", "stall_at"])
async def test_a_delete_counts_only_after_quit_was_answered(pop3_server, engine_at, how):
    """Whatever became of it, the next session finds out, and nothing is shown as new."""
    server = await pop3_server([mail(1), mail(2)])
    async with engine_at(server.port, timeout_seconds=1) as engine:
        await engine.accounts.sync("ada")
        newest = (await engine.lists.ids(INBOX))[0]
        await delete_now(engine, [newest])
        server.manners = Manners(**{how: frozenset({"QUIT"})})
        with pytest.raises(NetError):
            await engine.accounts.sync("ada")
        assert await state(engine, newest) == "sent"
        server.manners = Manners()
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert await state(engine, newest) == "gone"
        assert len(server.users["ada@example.org"].messages) == 1
        assert await subjects(engine) == ["Engine part 1"]


async def test_a_deleted_message_that_comes_back_is_deleted_again_and_never_new(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    drop = server.users["ada@example.org"]
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        uidl = drop.messages[0].uidl
        await delete_now(engine, [only])
        await engine.accounts.sync("ada")
        drop.add(mail(1), uidl=uidl)
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert await subjects(engine) == []
        assert drop.messages == []


async def test_a_refused_dele_is_reset_and_put_off(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)], manners=Manners(answers={"DELE 1": b"-ERR permission denied\r\n"}))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        await engine.accounts.sync("ada")
        assert "RSET" in verbs(server)
        await engine.accounts.sync("ada", full=True)
        assert [m.raw for m in server.users["ada@example.org"].messages] == [mail(1)]


async def test_deletes_go_in_sessions_of_at_most_fifty(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 121)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        assert (await engine.accounts.sync("ada")).deleted == 120
        longest = run = 0
        for verb in verbs(server):
            run = run + 1 if verb == "DELE" else 0 if verb == "QUIT" else run
            longest = max(longest, run)
        assert longest == 50
        assert server.users["ada@example.org"].messages == []


@pytest.mark.parametrize(("rule", "left"), [("never", 1), ("after-download", 0), ("with-me", 0)])
async def test_the_delete_rule_of_the_config_is_kept(pop3_server, engine_at, rule, left):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port, delete=rule) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await engine.reader.read(only)
        await engine.servers.source("ada").session.give_back()
        if rule != "after-download":
            await delete_now(engine, [only])
        await engine.accounts.sync("ada", full=True)
        assert len(server.users["ada@example.org"].messages) == left
        assert (await engine.reader.raw(only)) == mail(1)


async def test_leaving_commits_what_is_due_and_waits_two_seconds_at_most(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    async with engine_at(server.port, commit=True) as engine:
        await engine.accounts.sync("ada")
        await delete(engine, [(await engine.lists.ids(INBOX))[0]])
    assert len(server.users["ada@example.org"].messages) == 1
    server.manners = Manners(stall_at=frozenset({"CONNECT"}))
    begin = asyncio.get_running_loop().time()
    async with engine_at(server.port, commit=True) as engine:
        await delete(engine, [(await engine.lists.ids(INBOX))[0]])
    assert asyncio.get_running_loop().time() - begin < 4
    server.manners = Manners()
    async with engine_at(server.port) as engine:
        (left,) = [i for i in await engine.lists.ids(TRASH) if await state(engine, i) != "gone"]
        assert await state(engine, left) in {"trashed", "due"}


async def test_leaving_without_committing_deletes_nothing_from_the_server(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port, commit=False) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
    assert "DELE" not in verbs(server)
    assert len(server.users["ada@example.org"].messages) == 1


async def test_a_due_delete_that_cannot_be_sent_is_tried_again_a_minute_later(pop3_server, engine_at, monkeypatch):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        server.manners = Manners(greeting=b"-ERR [SYS/TEMP] later\r\n")
        waits: list[float | None] = []
        real = asyncio.wait_for

        async def quick(awaitable, seconds):
            waits.append(seconds)
            return await real(awaitable, 0)

        monkeypatch.setattr(pop3_source.asyncio, "wait_for", quick)
        await engine.servers.source("ada").run()
        assert waits == [60]
        assert engine.heard.of(Failed)
        assert len(server.users["ada@example.org"].messages) == 1


async def test_delete_for_good_removes_it_here_and_there(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await delete(engine, [only])
        await erase(engine, [only])
        assert await engine.lists.row(only) is None
        await engine.accounts.sync("ada", full=True)
        assert server.users["ada@example.org"].messages == []
        await engine.accounts.sync("ada", full=True)
        assert await subjects(engine) == []


async def test_what_came_shorter_than_announced_is_not_deleted_from_the_server(pop3_server, engine_at):
    """A server that sends the header alone for a whole message, with +OK: deleting it there would lose the rest."""
    whole = mail(1, size=20_000)
    header = whole[: whole.index(b"\r\n\r\n") + 4]
    server = await pop3_server([whole, mail(2)], manners=Manners(answers={"RETR 1": b"+OK\r\n" + header + b".\r\n"}))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        await engine.accounts.sync("ada")
        assert [stored.raw for stored in server.users["ada@example.org"].messages] == [whole]
        assert any("Not deleted" in failed.words for failed in engine.heard.of(Failed))
        await engine.accounts.sync("ada", full=True)
        assert len(server.users["ada@example.org"].messages) == 1


async def test_a_message_too_large_to_keep_stays_on_the_server_and_holds_up_no_other_delete(pop3_server, engine_at):
    lie = Manners(size=lambda number, true: 200_000_000 if number == 1 else true)
    server = await pop3_server([mail(1), mail(2)], manners=lie)
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        assert (await engine.accounts.sync("ada")).deleted == 1
        assert [message.raw for message in server.users["ada@example.org"].messages] == [mail(1)]
        assert (await engine.accounts.sync("ada", full=True)).deleted == 0


async def test_deletes_on_a_server_without_uidl_look_at_each_header_a_fixed_number_of_times(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 21)], manners=Manners(without=frozenset({"UIDL"})))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        chosen = list(await engine.lists.ids(INBOX))[3:13]
        subjects_gone = [(await engine.lists.row(id_)).subject for id_ in chosen]
        await delete_now(engine, chosen)
        before = len(verbs(server))
        result = await engine.accounts.sync("ada", full=True)
        assert result.deleted == 10
        said = verbs(server)[before:]
        # New or not; whose body; whose DELE; and those ten once more.
        assert said.count("TOP") == 3 * 20 + 10
        assert said.count("LIST") == 3
        left = [message.raw for message in server.users["ada@example.org"].messages]
        assert len(left) == 10
        assert not any(subject.encode() + b"\r\n" in raw for subject in subjects_gone for raw in left)


async def test_equal_messages_without_a_name_are_each_deleted_once(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(1), mail(2)], manners=Manners(without=frozenset({"UIDL"})))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        twins = [
            id_ for id_ in await engine.lists.ids(INBOX) if (await engine.lists.row(id_)).subject == "Engine part 1"
        ]
        assert len(twins) == 2
        await delete_now(engine, twins)
        assert (await engine.accounts.sync("ada", full=True)).deleted == 2
        assert [message.raw for message in server.users["ada@example.org"].messages] == [mail(2)]


async def test_a_message_with_a_header_too_large_for_top_is_deleted_too(pop3_server, engine_at):
    large = mail(1).replace(b"\r\n\r\n", b"\r\n" + b"X-Filler: y\r\n" * 100_000 + b"\r\n", 1)
    server = await pop3_server([large, mail(2)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (one,) = [
            id_ for id_ in await engine.lists.ids(INBOX) if (await engine.lists.row(id_)).subject == "Engine part 1"
        ]
        await delete_now(engine, [one])
        assert (await engine.accounts.sync("ada", full=True)).deleted == 1
        assert [message.raw for message in server.users["ada@example.org"].messages] == [mail(2)]


async def test_of_two_with_one_header_the_one_that_was_not_read_stays(pop3_server, engine_at):
    """Only their headers identify them, and those are equal."""
    longer = mail(1) + b"And one line more.\r\n"
    for order in ([mail(1), longer], [longer, mail(1)]):
        server = await pop3_server(order, manners=Manners(without=frozenset({"UIDL"})))
        async with engine_at(server.port) as engine:
            await engine.accounts.sync("ada")
            for id_ in await engine.lists.ids(INBOX):
                if (await engine.lists.row(id_)).size == len(mail(1)):
                    await engine.reader.read(id_)
                    await delete(engine, [id_])
            await engine.servers.source("ada").leave(5, commit=True)
        left = [message.raw for message in server.users["ada@example.org"].messages]
        assert longer in left


async def test_of_two_that_nothing_tells_apart_none_is_deleted_for_the_other(pop3_server, engine_at):
    other = mail(1).replace(b"This", b"That")
    server = await pop3_server([mail(1), other], manners=Manners(without=frozenset({"UIDL"})))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        first = (await engine.lists.ids(INBOX))[0]
        await delete_now(engine, [first])
        await engine.accounts.sync("ada", full=True)
        assert len(server.users["ada@example.org"].messages) == 2


async def test_of_two_with_one_header_the_server_may_not_swap_the_names(pop3_server, engine_at):
    other = mail(1).replace(b"This", b"That")
    server = await pop3_server([mail(1), other, mail(2), mail(2)])
    drop = server.users["ada@example.org"]
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        bodies = {id_: (await engine.reader.read(id_)).text for id_ in await engine.lists.ids(INBOX)}
        read = next(id_ for id_, text in bodies.items() if "This is message 1" in text)
        equal = [
            id_ for id_ in await engine.lists.ids(INBOX) if (await engine.lists.row(id_)).subject == "Engine part 2"
        ]
        await engine.servers.source("ada").session.give_back()
        first, second = drop.messages[:2]
        first.uidl, second.uidl = second.uidl, first.uidl
        await delete_now(engine, [read, *equal])
        assert (await engine.accounts.sync("ada", full=True)).deleted == 2, "those that are equal to the last letter"
        assert [message.raw for message in drop.messages] == [mail(1), other]


async def test_a_message_like_one_that_was_deleted_is_new(pop3_server, engine_at):
    server = await pop3_server([mail(1)], manners=Manners(without=frozenset({"UIDL"})))
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        assert (await engine.accounts.sync("ada", full=True)).deleted == 1
        server.users["ada@example.org"].add(mail(1) + b"And one line more.\r\n")
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert len(server.users["ada@example.org"].messages) == 1
        assert await subjects(engine) == ["Engine part 1"]


async def test_a_body_that_cannot_be_fetched_holds_up_no_other_delete(pop3_server, engine_at):
    server = await pop3_server(
        [mail(1), mail(2), mail(3)], manners=Manners(answers={"RETR 1": b"-ERR no\r\n", "RETR 3": b"-ERR no\r\n"})
    )
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        assert (await engine.accounts.sync("ada")).deleted == 1
        assert [message.raw for message in server.users["ada@example.org"].messages] == [mail(1), mail(3)]


async def test_what_is_due_but_gone_from_the_server_holds_up_no_other_delete(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await delete_now(engine, list(await engine.lists.ids(INBOX)))
        drop = server.users["ada@example.org"]
        drop.remove(drop.messages[0])
        assert (await engine.accounts.sync("ada")).deleted == 1
        assert drop.messages == []


async def test_a_delete_is_sent_when_it_is_due_although_mail_is_checked_for_later(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port, poll_minutes=5) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        await delete(engine, [only])
        await engine.context.db(lambda store: store.db.execute("UPDATE remote SET due_at = ?", (now() + 1,)))
        drop, gone = server.users["ada@example.org"], asyncio.Event()
        engine.context.subscribe(
            lambda event: gone.set() if isinstance(event, MessageChanged) and not drop.messages else None
        )
        engine.servers.source("ada")._next_poll = asyncio.get_running_loop().time() + 300
        engine.servers.start()
        async with asyncio.timeout(10):
            await gone.wait()
