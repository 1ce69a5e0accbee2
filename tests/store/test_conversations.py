"""Grouping messages into conversations, and lists of them."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from email.utils import formatdate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from termmail.mail.model import ME, Order, StepKind
from termmail.mail.views import Unfolded
from termmail.store import conversation_changes, conversations, derived, messages, migrate, outlines, rebuild
from termmail.store.store import Store
from tests.store.parts import NOW, counted, erase, folder, index_all, mark, move, trash, undo

FOLDED, EVERY = Unfolded(), Unfolded(every=True)


def post(
    store: Store,
    number: int,
    *references: int,
    place: str = "Inbox",
    account: str = "work",
    sender: str = "Ada <ada@example.org>",
    to: str = "Bob <bob@example.org>",
    subject: str = "Lunch",
    minutes: int | None = None,
) -> int:
    """Store a message whose Message-ID is its number; the date follows the number, or is in `minutes`."""
    lines = [f"From: {sender}", f"To: {to}", f"Subject: {subject}", f"Message-ID: <{number}@x>"]
    if references:
        lines.append("References: " + " ".join(f"<{one}@x>" for one in references))
    date = NOW - 10_000_000 + 60 * (number if minutes is None else minutes)
    lines.append(f"Date: {formatdate(date)}")
    raw = "\r\n".join([*lines, "", "Text.", ""]).encode()
    found = derived.from_raw(raw, complete=True)
    where = folder(store, place, account).folder_id
    return messages.add_local(store, account, where, raw, found, unread=True, received=NOW)


def grouped(store: Store) -> set[frozenset[int]]:
    """The conversations: sets of the numbers of their messages."""
    found: dict[int, set[int]] = {}
    for thread, rfc in store.read("SELECT thread, message_id FROM message"):
        found.setdefault(thread, set()).add(int(rfc.split("@")[0]))
    copies = store.read("SELECT 1 FROM placement p JOIN message m ON m.id = p.message WHERE p.thread <> m.thread")
    assert copies == []
    return {frozenset(one) for one in found.values()}


def sets(*groups: set[int]) -> set[frozenset[int]]:
    return {frozenset(one) for one in groups}


def listed(store: Store, unfolded: Unfolded = FOLDED, *, place: str = "Inbox", order: Order = Order.NEWEST):
    """The rows of a folder, as its subjects' numbers: `number` for a folded row, `depth:number` for an unfolded one."""
    found = outlines.outline(store, [folder(store, place).folder_id], unfolded, order=order)
    numbers = dict(store.read("SELECT id, message_id FROM message"))
    return [(f"{found.depths[one]}:" if one in found.depths else "") + numbers[one].split("@")[0] for one in found.ids]


def test_answers_belong_to_what_they_answer_across_folders_and_accounts(store):
    post(store, 1)
    post(store, 2, 1, place="Archive")
    post(store, 3, 1, 2, account="home")
    post(store, 9)
    assert grouped(store) == sets({1, 2, 3}, {9})


def test_two_answers_to_what_is_not_here_belong_together(store):
    post(store, 2, 1)
    post(store, 3, 1)
    assert grouped(store) == sets({2, 3})


def test_a_message_that_refers_to_two_conversations_makes_them_one(store):
    post(store, 1)
    post(store, 2)
    post(store, 4, 2)
    post(store, 3, 1, 2)
    post(store, 5, 4)
    assert grouped(store) == sets({1, 2, 3, 4, 5})


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_groups_are_those_of_the_references_in_whatever_order_messages_come(tmp_path_factory, references, chance):
    order = list(range(len(references)))
    chance.shuffle(order)
    with Store.open(tmp_path_factory.mktemp("any") / "mail.db") as store:
        for number in order:
            post(store, number, *references[number], subject=f"s{number}")
        assert grouped(store) == _components(references)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conversations, "_PER_TRANSACTION", chance.randrange(1, 4))
            conversations.group_anew(store)
        assert grouped(store) == _components(references)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_grouping_anew_leaves_nothing_of_links_that_were_wrong(tmp_path_factory, references, chance):
    with Store.open(tmp_path_factory.mktemp("any") / "mail.db") as store, pytest.MonkeyPatch.context() as patch:
        for number, line in enumerate(references):
            post(store, number, *line, subject=f"s{number}")
        with store.transaction() as db:
            count = len(references)
            for table, column in (("message", "id"), ("thread_of_id", "id_key")):
                for (one,) in db.execute(f"SELECT {column} FROM {table}").fetchall():
                    wrong = (chance.randrange(1, count + 1), one)
                    db.execute(f"UPDATE {table} SET thread = ? WHERE {column} = ?", wrong)
            threads = [thread for (thread,) in db.execute("SELECT thread FROM message")]
            for (one,) in db.execute("SELECT id_key FROM thread_of_id").fetchall():
                db.execute("UPDATE thread_of_id SET thread = ? WHERE id_key = ?", (chance.choice(threads), one))
        patch.setattr(conversations, "_PER_TRANSACTION", chance.randrange(1, 4))
        conversations.group_anew(store)
        assert grouped(store) == _components(references)


def test_others_write_between_the_steps_of_grouping_anew_and_a_kill_half_way_loses_nothing(path, monkeypatch):
    monkeypatch.setattr(conversations, "_PER_TRANSACTION", 4)
    chance = random.Random(3)

    class KilledError(Exception):
        """Stands for the end of the program."""

    with Store.open(path) as store:
        for number in range(40):
            post(store, number, *chance.sample(range(number + 1), min(number, 1)), subject=f"s{number % 9}")
        before = grouped(store)
        came: list[int] = []

        def another(done: int, total: int) -> None:
            with Store.open(path) as other:
                came.append(post(other, 100 + len(came), 39))
            if done > total // 2:
                raise KilledError

        with pytest.raises(KilledError):
            conversations.group_anew(store, another)
    with Store.open(path) as store:
        assert len(came) > 1
        last = next(one for one in before if 39 in one)
        wanted = before - {last} | {last | frozenset(range(100, 100 + len(came)))}
        assert grouped(store) == wanted
        assert store.read("SELECT id FROM message WHERE thread = 0") == []
        conversations.group_anew(store)
        assert grouped(store) == wanted


def _components(references: list[list[int]]) -> set[frozenset[int]]:
    """What is connected by references: found by going on until nothing changes."""
    group = {number: number for number in range(10)}
    for _ in group:
        for number, line in enumerate(references):
            least = min(group[one] for one in (number, *line))
            for one in (number, *line):
                group[one] = least
    found: dict[int, set[int]] = {}
    for number in range(len(references)):
        found.setdefault(group[number], set()).add(number)
    return {frozenset(one) for one in found.values()}


ADA, BOB, EVE = "Ada <ada@example.org>", "Bob <bob@example.org>", "Eve <eve@example.org>"


@pytest.mark.parametrize("answer_first", [True, False])
def test_an_answer_without_references_belongs_to_its_subject_where_the_people_agree(store, answer_first):
    posts = [
        lambda: post(store, 1, sender=ADA, to=BOB),
        lambda: post(store, 2, sender=BOB, to=ADA, subject="Re: lunch"),
    ]
    for one in posts[::-1] if answer_first else posts:
        one()
    assert grouped(store) == sets({1, 2})


def test_a_subject_alone_joins_nothing_else(store):
    post(store, 1, sender=ADA, to=BOB)
    post(store, 2, sender=ADA, to=BOB)  # no answer
    post(store, 3, sender=EVE, to=BOB, subject="Re: Lunch")  # of somebody else
    post(store, 4, sender=BOB, to=ADA, subject="Re: Lunch", minutes=60 * 24 * 40)  # much later
    post(store, 5, sender=BOB, to=ADA, subject="Re: Lunch", account="home")  # in another account
    post(store, 6, 99, sender=BOB, to=ADA, subject="Re: Lunch")  # an answer to something else
    assert grouped(store) == sets({1}, {2}, {3}, {4}, {5}, {6})


def test_ten_thousand_messages_of_one_subject_are_grouped_soon(store):
    with store.transaction() as db:
        db.executemany(
            "INSERT INTO message (account, received, size, sort_date, sender, recipients, subject, message_id, in_reply_to,"
            " refs, attachments) VALUES ('work', 1, 1, ?, 'Cron', 'root', 'Re: Cron', ?, '', '', 0)",
            [(n * 3600, f"{n}@x") for n in range(10_000)],
        )
        with counted(db) as found:
            conversations.group_all(db)
    assert found["steps"] < 30_000_000  # some 1 500 a message


def test_what_is_grouped_is_grouped_the_same_by_a_migration_and_a_rebuild(path):
    chance = random.Random(7)
    with Store.open(path) as store:
        for number in range(60):
            post(store, number, *chance.sample(range(60), chance.randrange(3)), subject=f"s{number}")
        before = grouped(store)
        rebuild.rebuild(store)
        assert grouped(store) == before
    old = path.with_name("old.db")
    with closing(sqlite3.connect(old, isolation_level=None)) as db:
        migrate.migrate(db, old, migrate.scripts()[:5])
        db.execute("ATTACH ? AS new", (str(path),))
        for table in ("folder", "message", "placement"):
            columns = ", ".join(name for _, name, *_ in db.execute(f"PRAGMA main.table_info({table})"))
            db.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")
    with Store.open(old) as store:
        assert grouped(store) == before


# -- lists


def test_a_conversation_is_one_row_where_its_newest_message_of_the_folder_stands(store):
    post(store, 1)
    post(store, 2)
    post(store, 3, 1)
    post(store, 4, 3, place="Archive")
    post(store, 5)
    assert listed(store) == ["5", "3", "2"]
    assert listed(store, place="Archive") == ["4"]
    assert listed(store, order=Order.OLDEST) == ["2", "3", "5"]


def test_an_unfolded_conversation_shows_all_its_messages_but_discarded_ones(store):
    post(store, 1)
    second = post(store, 2, 1)
    post(store, 3, 1, 2, place="Archive")
    post(store, 4, 1, place="Spam")
    post(store, 5)
    trash(store, [post(store, 6, 1)], None)
    (thread,) = store.read_one("SELECT thread FROM message WHERE id = ?", (second,))
    assert listed(store, Unfolded(frozenset({thread}))) == ["5", "0:1", "1:2", "2:3"]
    assert listed(store, EVERY) == ["5", "0:1", "1:2", "2:3"]
    assert listed(store, EVERY, place="Trash") == ["0:1", "1:2", "2:3", "1:6"]


def test_the_first_page_of_conversations_is_as_long_as_asked_whatever_their_size(store):
    for number in range(60):
        post(store, number, *([number // 20 * 20] if number % 20 else []))
    where = [folder(store).folder_id]
    whole = outlines.outline(store, where, Unfolded())
    assert len(whole.ids) == 3
    for limit in (1, 2, 3, 4):
        assert outlines.outline(store, where, Unfolded(), limit=limit).ids == whole.ids[:limit]
        oldest = outlines.outline(store, where, Unfolded(), limit=limit, order=Order.OLDEST)
        assert oldest.ids == whole.ids[::-1][:limit]
    for order in (Order.SENDER, Order.SUBJECT, Order.SIZE):
        assert len(outlines.outline(store, where, Unfolded(), order=order).ids) == 3


def folded(store: Store, place: str = "Inbox"):
    """The row that stands for the newest conversation of a folder."""
    where = [folder(store, place).folder_id]
    ids = outlines.outline(store, where, Unfolded()).ids
    (row,) = outlines.fold(store, messages.rows(store, ids[:1], where), where)
    return row


def test_a_folded_row_says_who_how_many_and_what_verbs_act_on(store):
    first = post(store, 1, sender=ADA)
    mark(store, [first], StepKind.READ)
    mark(store, [first], StepKind.STAR)
    post(store, 2, 1, sender=BOB, place="Sent")
    third = post(store, 3, 1, 2, sender=EVE)
    row = folded(store)
    assert row.message_id == third
    assert row.unread
    assert row.starred
    assert row.conversation is not None
    assert row.conversation.people == ("Ada", ME, "Eve")
    assert (row.conversation.count, row.conversation.unread) == (3, 1)
    assert [one.message_id for one in row.placements] == [third, first]
    move(store, [third], "Archive")
    row = folded(store)
    assert row.message_id == first
    assert not row.unread
    assert [one.message_id for one in row.placements] == [first]


def test_a_copy_of_ones_own_message_that_comes_back_is_no_other_person(store):
    post(store, 1, sender=BOB)
    post(store, 2, 1, sender=ADA, place="Sent")
    post(store, 2, 1, sender=ADA)
    row = folded(store)
    assert row.conversation is not None
    assert row.conversation.people == ("Bob", ME)
    post(store, 2, 1, sender=EVE)
    row = folded(store)
    assert row.conversation is not None
    assert row.conversation.people == ("Bob", ME, "Eve")


def test_a_message_alone_is_no_conversation(store):
    one = post(store, 1)
    row = folded(store)
    assert row.conversation is None
    assert [placement.message_id for placement in row.placements] == [one]
    trash(store, [post(store, 2, 1)], None)
    assert folded(store).conversation is None


def test_a_row_names_the_first_people_and_the_last(store):
    for number in range(1, 9):
        post(store, number, *([1] if number > 1 else []), sender=f"P{number} <p{number}@example.org>")
    conversation = folded(store).conversation
    assert conversation is not None
    assert conversation.people == ("P1", "P2", "P3", "P4", "P8")


def test_a_conversation_of_one_message_that_was_erased_goes_on(store):
    first = post(store, 1)
    erase(store, [first])
    post(store, 2, 1)
    post(store, 3, 1)
    assert grouped(store) == sets({2, 3})


def test_nothing_of_the_subject_of_an_erased_message_is_left(store):
    first, answer = post(store, 1), post(store, 2, subject="Re: Lunch", sender=BOB, to=ADA)
    erase(store, [first, answer])
    assert store.read("SELECT * FROM thread_subject") == []


def test_answers_to_an_erased_message_follow_its_conversation_into_another_one(store):
    post(store, 1, 9)
    erase(store, [post(store, 2, 8)])
    post(store, 3, 9, 8)
    post(store, 4, 2)
    assert grouped(store) == sets({1, 3, 4})


def test_the_members_of_conversations_are_found_without_their_rows(store):
    first, second = post(store, 1), post(store, 2, 1)
    post(store, 3, 1, place="Archive")
    alone = post(store, 4)
    where = [folder(store).folder_id]
    assert [one.message_id for one in outlines.members(store, [second, alone], where)] == [alone, second, first]


# -- by hand


def test_a_message_broken_off_takes_its_answers_with_it_also_those_still_to_come(store):
    post(store, 1)
    second = post(store, 2, 1)
    post(store, 3, 1, 2)
    done = conversation_changes.break_off(store, [second], NOW)
    assert done.step is not None
    assert grouped(store) == sets({1}, {2, 3})
    post(store, 4, 1, 2, 3)
    post(store, 5, 1)
    assert grouped(store) == sets({1, 5}, {2, 3, 4})
    rebuild.rebuild(store)
    assert grouped(store) == sets({1, 5}, {2, 3, 4})
    undo(store)
    assert grouped(store) == sets({1, 2, 3, 4, 5})


def test_answers_to_what_is_not_here_are_broken_off_one_from_the_other(store):
    first = post(store, 1, 9)
    post(store, 2, 9)
    conversation_changes.break_off(store, [first], NOW)
    assert grouped(store) == sets({1}, {2})
    post(store, 3, 9)
    post(store, 4, 1)
    assert grouped(store) == sets({1, 4}, {2, 3})


def test_what_answers_nothing_cannot_be_broken_off(store):
    first = post(store, 1)
    post(store, 2, 1)
    done = conversation_changes.break_off(store, [first], NOW)
    assert done.step is None
    assert grouped(store) == sets({1, 2})
    assert store.read("SELECT * FROM thread_cut") == []


def test_conversations_joined_by_hand_stay_so(store):
    first, second = post(store, 1), post(store, 2)
    done = conversation_changes.join(store, [first, second], NOW)
    assert done.step is not None
    post(store, 3, 2)
    assert grouped(store) == sets({1, 2, 3})
    rebuild.rebuild(store)
    assert grouped(store) == sets({1, 2, 3})
    undo(store)
    assert grouped(store) == sets({1}, {2, 3})


def test_what_was_joined_by_hand_is_broken_off_by_hand(store):
    first, second = post(store, 1), post(store, 2)
    post(store, 3, 2)
    conversation_changes.join(store, [first, second], NOW)
    assert conversation_changes.break_off(store, [second], NOW).step is not None
    assert grouped(store) == sets({1}, {2, 3})
    undo(store)
    assert grouped(store) == sets({1, 2, 3})
    undo(store)
    assert grouped(store) == sets({1}, {2, 3})


def test_trying_to_break_off_what_stands_alone_changes_nothing_for_mail_to_come(store):
    first = post(store, 1, 9)
    assert conversation_changes.break_off(store, [first], NOW).step is None
    post(store, 2, 9)
    assert grouped(store) == sets({1, 2})


def test_undo_of_breaking_off_gives_back_what_is_not_here_too(store):
    first, second, third = post(store, 1, 7), post(store, 2, 6), post(store, 3, 6)
    conversation_changes.break_off(store, [first, second, third], NOW)
    undo(store)
    post(store, 4, 7)
    assert grouped(store) == sets({1, 4}, {2, 3})


def test_a_muted_conversation_stays_muted_when_it_is_joined_and_broken_off(store):
    first, second = post(store, 1), post(store, 2)
    third = post(store, 3, 2)
    with store.transaction() as db:
        db.execute("INSERT INTO muted_thread SELECT thread FROM message WHERE id = ?", (second,))
    muted = "SELECT m.id FROM message m JOIN muted_thread USING (thread) ORDER BY 1"
    conversation_changes.break_off(store, [third], NOW)
    assert store.read(muted) == [(second,), (third,)]
    post(store, 4, 1, 2)
    assert store.read(muted) == [(first,), (second,), (third,), (third + 1,)]


def test_what_an_older_termmail_adds_while_the_store_is_made_new_is_grouped_when_it_is_indexed(tmp_path):
    with Store.open(tmp_path / "mail.db") as store:
        post(store, 1)
        late = post(store, 2, 1)
        with store.transaction() as db:  # it knows no conversations
            db.execute("UPDATE message SET thread = 0, indexed = 0 WHERE id = ?", (late,))
        index_all(store)
        assert grouped(store) == sets({1, 2})
