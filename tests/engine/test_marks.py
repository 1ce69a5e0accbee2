"""Snooze, reminders, mute, labels and rules over real servers: what each does here, there, and over a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from termmail.demo.faults import Manners, tagged
from termmail.demo.imap_personalities import PERSONALITIES
from termmail.engine.events import Failed, FolderChanged, MailArrived
from termmail.mail.model import Placement, Returned
from termmail.mail.step_words import ran_words
from termmail.mail.views import Ready, ReadyView
from termmail.store import rule_runs
from tests.conftest import USER
from tests.engine.conftest import mail
from tests.engine.test_imap import assert_same, by_subject, filled, on_server, rows
from tests.views import INBOX, SENT

if TYPE_CHECKING:
    from termmail.engine.engine import Engine

ALL = pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)


def answer(number: int, to: int) -> bytes:
    """A reply to message `to`."""
    return mail(number, subject=f"Re: Engine part {to}").replace(
        b"Message-ID:", f"In-Reply-To: <m{to}@example.net>\r\nMessage-ID:".encode()
    )


async def snoozed(engine: Engine) -> list[int]:
    return list(await engine.lists.ids(ReadyView(Ready.SNOOZED)))


# -- snooze


async def test_what_falls_due_while_no_program_runs_is_back_when_one_opens(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 4)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[-1]
        await engine.marks.snooze([row.placement], engine.context.clock() - 5)
        assert await snoozed(engine) == [row.message_id]
    async with engine_at(server.port) as engine:
        first = (await rows(engine))[0]
        assert (first.message_id, first.returned, first.unread) == (row.message_id, Returned.SNOOZE, True)
        assert await snoozed(engine) == []


async def test_a_snoozed_message_comes_back_while_the_program_runs(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 4)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[-1]
        await engine.marks.snooze([row.placement], engine.context.clock() + 3600)
        assert await engine.marks.bring_back() == []
        now = engine.context.clock()
        engine.context.clock = lambda: now + 3600
        engine.heard.clear()
        assert await engine.marks.bring_back() == [row.message_id]
        assert engine.heard.of(FolderChanged)
        assert (await rows(engine))[0].message_id == row.message_id


async def test_the_list_of_what_is_snoozed_shows_a_message_in_the_folder_to_which_it_comes_back_next(
    pop3_server, engine_at
):
    server = await pop3_server([mail(n) for n in range(1, 4)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await rows(engine))[-1]
        aside = await engine.folders.make("ada", "Aside")
        await engine.messages.copy([row.placement], aside.folder_id)
        both = [row.placement, Placement(row.message_id, aside.folder_id)]
        now = engine.context.clock()
        for later, place in enumerate(reversed(both), 1):
            await engine.marks.snooze([place], now + 3600 * later)
        view = ReadyView(Ready.SNOOZED)
        for later, place in enumerate(reversed(both), 1):
            (shown,) = await engine.lists.rows(view, await engine.lists.ids(view))
            assert (shown.placement, shown.snoozed_until) == (place, now + 3600 * later)
            assert await engine.lists.members(view, [row.message_id]) == [place]
            await engine.marks.snooze([place], None)
        assert await snoozed(engine) == []


@ALL
async def test_a_snooze_is_nothing_to_the_server(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        before = on_server(mailbox)
        row = (await rows(engine))[-1]
        await engine.marks.snooze([row.placement], engine.context.clock() - 5)
        await engine.accounts.sync("ada", full=True)
        assert on_server(mailbox) == before
        assert row.message_id not in {one.message_id for one in await rows(engine)}
        await engine.marks.bring_back()
        await engine.accounts.sync("ada", full=True)
        assert on_server(mailbox) == before
        assert (await rows(engine))[0].message_id == row.message_id


async def test_what_another_client_moves_while_it_is_snoozed_does_not_come_back(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 3"]
        await engine.marks.snooze([row.placement], engine.context.clock() - 5)
        mailbox.folder("INBOX").move([3], mailbox.folder("Archive"))
        await engine.accounts.sync("ada", full=True)
        assert await engine.marks.bring_back() == []
        assert row.message_id not in {one.message_id for one in await rows(engine)}
        await assert_same(engine, mailbox)


# -- reminders and mute


async def test_an_answer_that_arrives_calls_a_reminder_off(pop3_server, engine_at):
    server = await pop3_server([mail(n) for n in range(1, 4)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        found = await by_subject(engine)
        past = engine.context.clock() - 5
        await engine.marks.remind([found["Engine part 1"].message_id, found["Engine part 2"].message_id], past)
        server.users[USER].add(answer(10, 1))
        await engine.accounts.sync("ada")
        assert await engine.marks.bring_back() == [found["Engine part 2"].message_id]
        assert (await rows(engine))[0].returned is Returned.REMINDER


@ALL
async def test_a_reminder_puts_what_was_sent_into_the_inbox_here_and_there(kind, imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("Sent").add(mail(700), ["\\Seen"])
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        sent = (await by_subject(engine, "Sent"))["Engine part 700"]
        await engine.marks.remind([sent.message_id], engine.context.clock() - 5)
        await engine.marks.bring_back()
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert (await rows(engine))[0].message_id == sent.message_id
        await assert_same(engine, mailbox)


@ALL
async def test_what_comes_to_a_muted_conversation_is_archived_here_and_there(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.marks.mute([(await by_subject(engine))["Engine part 3"].placement])
        mailbox.folder("INBOX").add(answer(800, 3))
        engine.heard.clear()
        await engine.accounts.sync("ada", full=True)
        assert "Re: Engine part 3" not in await by_subject(engine)
        assert "Re: Engine part 3" in await by_subject(engine, "Archive")
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        arrived = [one for event in engine.heard.of(MailArrived) for one in event.ids]
        assert not set(arrived) & {row.message_id for row in await rows(engine)}


# -- labels


def keywords(mailbox, number: int, folder: str = "INBOX") -> set[str]:
    """The keywords of a message of the server, by the number of its subject."""
    wanted = f"Subject: Engine part {number}\r\n".encode()
    (found,) = [one for one in mailbox.folder(folder).messages.values() if wanted in one.raw]
    return {flag for flag in found.flags if not flag.startswith(("\\", "$"))}


async def labels_of(engine: Engine, subject: str, folder: str = "Inbox") -> list[str]:
    return [one.name for one in (await by_subject(engine, folder))[subject].labels]


async def test_labels_go_both_ways_as_keywords(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("INBOX").store([2], add=["Project", "tax_2026", "NonJunk"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        assert await labels_of(engine, "Engine part 2") == ["Project", "tax 2026"]
        assert await labels_of(engine, "Engine part 600", "Archive") == ["Project"]
        found = await by_subject(engine)
        await engine.marks.change_labels([found["Engine part 3"].message_id], ["Grüße", "project"], ())
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 3) == {"Gr&APwA3w-e", "Project"}
        assert await engine.context.db(lambda store: store.read("SELECT * FROM imap_pending")) == []
        mailbox.folder("INBOX").store([3], remove=["Project"])
        mailbox.folder("INBOX").store([2], remove=["tax_2026"])
        await engine.accounts.sync("ada", full=True)
        assert await labels_of(engine, "Engine part 3") == ["Grüße"]
        assert await labels_of(engine, "Engine part 2") == ["Project"]
        assert keywords(mailbox, 2) == {"Project", "NonJunk"}


async def test_a_label_of_forty_letters_of_any_script_stays(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        names = ["ж" * 40, "😀" * 40, "ж-" * 20]
        await engine.marks.change_labels([row.message_id], names, ())
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
            assert sorted(await labels_of(engine, "Engine part 4")) == sorted(names)


@ALL
async def test_labels_stay_where_a_server_keeps_none_and_go_along_where_a_message_moves(
    kind, imap_server, imap_engine_at
):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["work"], ())
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
            assert await labels_of(engine, "Engine part 4") == ["work"]
        await engine.messages.archive([row.placement])
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
            assert await labels_of(engine, "Engine part 4", "Archive") == ["work"]
        await assert_same(engine, mailbox)
        assert await engine.context.db(lambda store: store.read("SELECT * FROM imap_pending")) == []


@pytest.mark.parametrize("words", [b"NO Too many user flags in mailbox", b"NO [CANNOT] Too many user flags in mailbox"])
async def test_a_label_that_the_server_refuses_stays_here_and_is_offered_again(words, imap_server, imap_engine_at):
    mailbox = filled()
    refusing = Manners(answers={"UID STORE": tagged(words)})
    server = await imap_server(mailbox, manners=refusing)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["work"], ())
        for _ in range(3):
            await engine.accounts.sync("ada", full=True)
            assert await labels_of(engine, "Engine part 4") == ["work"]
        server.manners = Manners()
        later = engine.context.clock() + 3601
        engine.context.clock = lambda: later
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 4) == {"work"}


@pytest.mark.parametrize("closed", [{"read_only": True}, {"read_only": False, "takes_keywords": False}])
async def test_a_label_in_a_folder_that_takes_none_stays_here_and_is_pushed_when_it_does(
    closed, imap_server, imap_engine_at
):
    mailbox = filled()
    server = await imap_server(mailbox)
    inbox = mailbox.folder("INBOX")
    for name, value in closed.items():
        setattr(inbox, name, value)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["work"], ())
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
            assert await labels_of(engine, "Engine part 4") == ["work"]
        assert [one.words for one in engine.heard.of(Failed)] == ["The folder Inbox takes no labels on the server."]
        assert await engine.context.db(lambda store: store.read("SELECT * FROM imap_pending")) == []
        assert keywords(mailbox, 4) == set()
        inbox.read_only, inbox.takes_keywords = False, True
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
            assert await labels_of(engine, "Engine part 4") == ["work"]
        assert keywords(mailbox, 4) == {"work"}


async def test_a_label_that_only_this_program_has_is_taken_away_without_the_server(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    mailbox.folder("INBOX").read_only = True
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["work"], ())
        await engine.accounts.sync("ada", full=True)
        await engine.journal.undo()
        await engine.accounts.sync("ada", full=True)
        mailbox.folder("INBOX").read_only = False
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        assert await labels_of(engine, "Engine part 4") == []
        assert keywords(mailbox, 4) == set()
        assert await engine.context.db(lambda store: store.read("SELECT * FROM imap_pending")) == []


async def test_a_renamed_label_keeps_its_keyword_and_one_that_is_removed_is_removed_there(imap_server, imap_engine_at):
    mailbox = filled()
    mailbox.folder("INBOX").store([2, 3], add=["Project"])
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        label = await engine.marks.label("project")
        done, keyword = await engine.marks.rename_label(label.label_id, "Tax")
        assert (done.step.name, keyword) == ("Tax", "Project")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["tax"], ())
        for _ in range(2):
            await engine.accounts.sync("ada", full=True)
        assert await labels_of(engine, "Engine part 2") == ["Tax"]
        assert keywords(mailbox, 4) == {"Project"}
        assert await engine.marks.label_sizes() == {label.label_id: 4}  # one in the Archive
        await engine.marks.remove_label(label.label_id)
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 2) | keywords(mailbox, 3) | keywords(mailbox, 4) == set()
        await engine.journal.undo()
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 2) == {"Project"}


async def test_undo_of_a_label_that_was_pushed_is_pushed_too(imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        row = (await by_subject(engine))["Engine part 4"]
        await engine.marks.change_labels([row.message_id], ["work"], ())
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 4) == {"work"}
        await engine.journal.undo()
        await engine.accounts.sync("ada", full=True)
        assert keywords(mailbox, 4) == set()


async def test_a_server_with_a_thousand_keywords_makes_no_thousand_labels(imap_server, imap_engine_at):
    mailbox = filled(3)
    hostile = [f"k{number}" for number in range(1000)] + ["[/x]", "&AAo-", "&broken", "_", "x" * 99]
    mailbox.folder("INBOX").store([1], add=hostile)
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        labels = await engine.marks.labels()
        assert 0 < len(labels) <= 200
        assert all(one.name.isprintable() and one.name.strip() for one in labels)


# -- rules


@ALL
async def test_a_rule_acts_on_what_arrives_here_and_there(kind, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.rules.add("subject:engine", "star, move:Lists/Python")
        mailbox.folder("INBOX").add(mail(900))
        await engine.servers.sync_quietly("ada")
        assert "Engine part 900" not in await by_subject(engine)
        assert (await by_subject(engine, "Lists/Python"))["Engine part 900"].starred
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        await assert_same(engine, mailbox)
        assert len(await rows(engine)) == 10
        (entry,) = await engine.rules.log()
        await engine.rules.undo(entry.entry_id)
        await engine.accounts.sync("ada", full=True)
        await engine.accounts.sync("ada", full=True)
        assert "Engine part 900" in await by_subject(engine)
        await assert_same(engine, mailbox)


async def test_a_rule_over_many_messages_goes_page_by_page_and_is_stopped_by_undo(pop3_server, engine_at, monkeypatch):
    server = await pop3_server([mail(n) for n in range(1, 10)])
    monkeypatch.setattr(rule_runs, "PAGE", 4)
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        rule = await engine.rules.add("subject:engine", "archive")
        told: list[tuple[int, int]] = []
        ran = await engine.rules.run(rule.rule_id, lambda done, total: told.append((done, total)))
        assert told == [(4, 9), (8, 9), (9, 9)]
        assert ran.step.count == 9
        assert len((await engine.journal.undo()).message_ids) == 9

        undone = []

        def stop(done: int, total: int) -> None:
            if not undone:
                undone.append(asyncio.ensure_future(engine.journal.undo()))

        ran = await engine.rules.run(rule.rule_id, stop)
        assert (ran.step, ran_words(ran)) == (None, "Stopped, and taken back")
        assert len((await undone[0]).message_ids) < 9
        assert len(await rows(engine)) == 9


async def test_rules_look_at_more_mail_than_fits_one_page(pop3_server, engine_at, monkeypatch):
    server = await pop3_server([mail(1)])
    monkeypatch.setattr(rule_runs, "PAGE", 2)
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.rules.add("subject:engine", "star")
        for number in range(10, 17):
            server.users[USER].add(mail(number))
        await engine.servers.sync_quietly("ada")
        assert sum(row.starred for row in await rows(engine)) == 7


@pytest.mark.parametrize("above", ["Lists/Python", "Lists"])
async def test_a_rule_follows_a_folder_that_another_client_renames(above, imap_server, imap_engine_at):
    mailbox = filled()
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        await engine.rules.add("subject:engine", "move:Lists/Python")
        mailbox.rename(above, above.replace("Lists", "Papers"))
        await engine.accounts.sync("ada", full=True)
        (rule,) = await engine.rules.listing()
        assert rule.verbs == "move:Papers/Python"


async def test_a_rule_is_suggested_from_a_message(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        (message_id,) = await engine.lists.ids(INBOX)
        query = await engine.rules.suggest(message_id)
        assert query == "from:charles@example.net"
        trial = await engine.rules.attempt(query)
        assert (trial.count, [row.message_id for row in trial.newest]) == (1, [message_id])


async def test_a_reminder_of_a_draft_becomes_that_of_the_message_that_was_sent(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        at = engine.context.clock() + 3600
        draft = await engine.drafts.save(
            replace(
                engine.drafts.new("ada", to="bob@example.org"), subject="Breakfast", body="At nine?\n", remind_at=at
            )
        )
        assert (await engine.drafts.load(draft.id)).remind_at == at
        await engine.outbox.send(draft, delay=60)
        undone = await engine.journal.undo()
        draft = await engine.drafts.load(undone.draft_id)
        assert draft.remind_at == at
        await engine.outbox.send(draft, delay=0)
        await engine.outbox.flush("ada")
        (sent,) = await engine.lists.rows(SENT, await engine.lists.ids(SENT))
        assert sent.remind_at == at
        engine.context.clock = lambda: at
        assert await engine.marks.bring_back() == [sent.message_id]
        assert (await rows(engine))[0].returned is Returned.REMINDER
