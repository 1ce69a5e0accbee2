"""Rules: what they match, what they do to mail that arrives and to old mail, once, and how that is taken back."""

from __future__ import annotations

import sqlite3

import pytest

from termmail.mail.model import StepKind
from termmail.mail.rule import Act, Ran, Rule, RuleError, Verb, acts, checked_query, written
from termmail.store import folder_changes, journal, messages, pop3_identity, rule_runs, rules
from termmail.store.rows import State
from termmail.store.rule_runs import Moment
from termmail.store.store import Store
from termmail.store.store_errors import StoreFull
from tests.store.parts import (
    NOW,
    counted,
    download,
    ids_in,
    index_all,
    mark,
    move,
    new,
    session,
    trash,
    undo,
    whole,
)

# -- the language


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("star", (Act(Verb.STAR),)),
        (" Archive , LABEL : work ", (Act(Verb.LABEL, "work"), Act(Verb.ARCHIVE))),
        ("move:Lists/Python,read", (Act(Verb.READ), Act(Verb.MOVE, "Lists/Python"))),
        ("star, star", (Act(Verb.STAR),)),
        ("label:a:b", (Act(Verb.LABEL, "a:b"),)),
    ],
)
def test_verbs_are_read_as_they_are_written(text, found):
    assert acts(text) == found
    assert acts(written(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", ",", "explode", "move", "label:", "star:x", "read:", "archive, delete", "move:a, move:b", "\x1b[31m", "x" * 600,
     ",".join(f"label:{n}" for n in range(11))],
)  # fmt: skip
def test_what_is_no_verb_is_said(text):
    with pytest.raises(RuleError) as raised:
        acts(text)
    assert "\x1b" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "   ", "-", '""', "()"])
def test_a_rule_for_every_message_is_refused(text):
    with pytest.raises(RuleError):
        checked_query(text, NOW)


# -- the store


def first_session(store, *numbers):
    """The first synchronization of the account: nothing in it is an arrival."""
    session(store, [new(number) for number in numbers])
    pop3_identity.set_account_state(store, "work", State(last_sync=NOW))
    index_all(store)


@pytest.fixture
def ids(store):
    """Three messages, newest first, that came with the first synchronization."""
    first_session(store, 1, 2, 3)
    return list(ids_in(store))


def add(store, query, verbs, name=""):
    return rules.add(store, name, query, verbs, NOW)


def arrive(store, *numbers):
    """Let more messages arrive, and the rules act; return the messages they changed."""
    session(store, [new(number) for number in range(1, 4)] + [new(number) for number in numbers])
    index_all(store)
    return rule_runs.run_arrived(store, Moment(NOW, {}))


def subjects(store, name="Inbox"):
    return [messages.row(store, one).subject.removeprefix("Engine part ") for one in ids_in(store, name)]


def test_a_rule_acts_on_what_arrives_and_not_on_what_was_there(store, ids):
    add(store, "subject:engine", "label:machines, star, archive")
    changed = arrive(store, 4)
    assert subjects(store) == ["3", "2", "1"]
    (found,) = ids_in(store, "Archive")
    row = messages.row(store, found)
    assert (changed, row.starred, [one.name for one in row.labels]) == ([found], True, ["machines"])
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []


def test_a_rule_may_ask_for_mail_to_me(store, ids):
    add(store, "to:me", "star")
    session(store, [new(number) for number in range(1, 5)])
    index_all(store)
    assert rule_runs.run_arrived(store, Moment(NOW, {}, ["nobody@example.org"])) == []
    session(store, [new(number) for number in range(1, 6)])
    index_all(store)
    (changed,) = rule_runs.run_arrived(store, Moment(NOW, {}, ["Bob@example.com"]))
    assert messages.row(store, changed).subject == "Engine part 5"


def test_a_rule_that_fails_stops_no_other_rule(store, ids):
    add(store, "subject:engine", "label:machines")
    add(store, "subject:engine", "star")
    store.db.execute("CREATE TEMP TRIGGER broken BEFORE INSERT ON message_label BEGIN SELECT RAISE(ABORT, 'no'); END")
    (changed,) = arrive(store, 4)
    row = messages.row(store, changed)
    assert (row.subject, row.starred, row.labels) == ("Engine part 4", True, ())
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []


@pytest.mark.parametrize("error", ["full", "undone"])
def test_a_store_that_cannot_be_written_costs_no_rule_its_arrivals(store, ids, error):
    add(store, "subject:engine", "label:machines")
    add(store, "subject:engine", "star")
    numbers = range(4, 304)
    session(store, [new(number) for number in (1, 2, 3, *numbers)])
    index_all(store)
    if error == "full":
        store.db.execute("VACUUM")
        store.db.execute(f"PRAGMA max_page_count = {store.read_one('PRAGMA page_count')[0]}")
    else:  # SQLite undoes all of a transaction after some errors
        store.db.execute(
            "CREATE TEMP TRIGGER broken BEFORE INSERT ON message_label BEGIN SELECT RAISE(ROLLBACK, 'no'); END"
        )
    with pytest.raises((StoreFull, sqlite3.Error)):
        rule_runs.run_arrived(store, Moment(NOW, {}))
    assert not any(messages.row(store, one).starred for one in ids_in(store))
    store.db.execute("PRAGMA max_page_count = 1000000")
    store.db.execute("DROP TRIGGER IF EXISTS broken")
    assert len(rule_runs.run_arrived(store, Moment(NOW, {}))) == len(numbers)
    rows = [messages.row(store, one) for one in ids_in(store) if one not in ids]
    assert all(row.starred and row.labels for row in rows)


def test_the_first_synchronization_is_no_arrival(store):
    add(store, "subject:engine", "delete")
    session(store, [new(1), new(2)])
    index_all(store)
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []
    assert len(ids_in(store)) == 2


def test_every_verb_does_what_it_says(store, ids):
    folder_changes.make(store, "work", "Lists/Python", NOW)
    for number, verbs in enumerate(("move:lists/python", "read", "mute", "delete", "archive"), 10):
        add(store, f'subject:"part {number}"', verbs)
    arrive(store, 10, 11, 12, 13, 14)
    assert subjects(store, "Lists/Python") == ["10"]
    assert subjects(store) == ["11", "3", "2", "1"]
    assert not messages.row(store, ids_in(store)[0]).unread
    assert subjects(store, "Trash") == ["13"]
    assert subjects(store, "Archive") == ["14", "12"]


def test_what_a_rule_did_is_passed_over_by_undo_and_taken_back_from_the_log(store, ids):
    rule = add(store, "subject:engine", "label:machines, archive", "Machines")
    mark(store, ids[:1])
    arrive(store, 4)
    assert journal.next_step(store).kind is StepKind.READ
    (entry,) = rule_runs.log(store)
    assert (entry.rule_id, entry.name, entry.count, entry.can_undo) == (rule.rule_id, "Machines", 1, True)
    assert "Labelled machines" in entry.words
    assert "Archived" in entry.words
    assert rule_runs.undo(store, entry.entry_id, {}).message_ids == entry.message_ids
    assert subjects(store) == ["4", "3", "2", "1"]
    assert messages.row(store, entry.message_ids[0]).labels == ()
    assert not rule_runs.log(store)[0].can_undo
    with pytest.raises(RuleError):
        rule_runs.undo(store, entry.entry_id, {})
    assert undo(store).step.kind is StepKind.READ


def test_what_the_user_lets_a_rule_do_is_one_step_of_the_undo_key(store, ids):
    rule = add(store, 'subject:"part 2"', "star, label:two, archive")
    seen = rule_runs.matches(store, checked_query(rule.query, NOW))
    assert rule_runs.run(store, rule, seen, Ran(), Moment(NOW, {})).step.kind is StepKind.RULE
    assert subjects(store, "Archive") == ["2"]
    undone = undo(store)
    assert (undone.step.kind, len(undone.message_ids)) == (StepKind.RULE, 1)
    assert subjects(store) == ["3", "2", "1"]
    row = messages.row(store, ids[1])
    assert (row.starred, row.labels) == (False, ())


def test_only_the_inbox_is_tried(store, ids):
    move(store, ids[:1], "Archive")
    trash(store, ids[1:2], None)
    assert [one.message_id for one in rule_runs.matches(store, checked_query("engine", NOW))] == ids[2:]


def test_a_rule_that_matches_nearly_everything_changes_each_message_once(store, ids):
    add(store, "example", "star")
    add(store, "-nothing", "read")
    arrive(store, *range(4, 60))
    entries = rule_runs.log(store)
    assert [one.count for one in entries] == [56]  # the other one is sure of nothing before the bodies are here
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []


def test_rules_that_move_into_the_folders_of_each_other_end(store, ids):
    folder_changes.make(store, "work", "A", NOW)
    folder_changes.make(store, "work", "B", NOW)
    add(store, "subject:engine", "move:A")
    add(store, "subject:engine", "move:B")
    add(store, "subject:engine", "move:Inbox")
    arrive(store, 4)
    assert subjects(store, "A") == ["4"]
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []
    assert len(rule_runs.log(store)) == 1


def test_a_rule_about_the_body_waits_for_it_and_acts_once(store, ids):
    add(store, "weaves", "star")
    arrive(store, 4, 5)
    assert rule_runs.log(store) == []
    four = ids_in(store)[1]
    download(store, four, whole(4))
    index_all(store)
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == [four]
    mark(store, [four], StepKind.UNSTAR)
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []
    assert not messages.row(store, four).starred


def test_a_rule_whose_words_are_in_the_header_need_not_wait(store, ids):
    add(store, "engine", "star")
    (four,) = arrive(store, 4)
    download(store, four, whole(4))
    index_all(store)
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == []


def test_a_rule_that_excludes_words_of_the_body_waits(store, ids):
    add(store, "engine -weaves", "delete")
    assert arrive(store, 4, 5) == []
    five, four = ids_in(store, limit=2)
    download(store, four, whole(4))
    download(store, five, whole(5, body="Something else.\r\n"))
    index_all(store)
    assert rule_runs.run_arrived(store, Moment(NOW, {})) == [five]
    assert four in ids_in(store)


def test_a_folder_that_is_gone_is_in_the_log_and_the_other_verbs_are_done(store, ids):
    made = folder_changes.make(store, "work", "Lists", NOW)
    add(store, "subject:engine", "star, move:Lists")
    folder_changes.remove(store, made.folder_id, NOW)
    arrive(store, 4)
    assert messages.row(store, ids_in(store)[0]).starred
    assert "has no folder “Lists”" in rule_runs.log(store)[0].words


def test_a_move_for_which_one_account_has_no_folder_is_taken_back_from_the_log_in_the_other(store, ids):
    folder_changes.make(store, "work", "Lists", NOW)
    add(store, "subject:engine", "move:Lists")
    session(store, [new(number) for number in range(1, 5)])
    pop3_identity.set_account_state(store, "home", State(last_sync=NOW))
    pop3_identity.arrive(store, "home", [new(5)], received=NOW, listed={b"u5"})
    index_all(store)
    (moved,) = rule_runs.run_arrived(store, Moment(NOW, {}))[:1]
    assert list(ids_in(store, "Lists")) == [moved]
    assert undo(store).step.kind is StepKind.MAKE_RULE
    assert undo(store) is None
    assert "home has no folder “Lists”" in rule_runs.log(store)[0].words
    rule_runs.undo(store, rule_runs.log(store)[0].entry_id, {})
    assert moved in ids_in(store)


def test_a_rule_is_refused_for_a_folder_that_nobody_has(store, ids):
    with pytest.raises(RuleError):
        add(store, "engine", "move:Nowhere")
    with pytest.raises(RuleError):
        add(store, "", "star")
    assert rules.listing(store) == []


def test_what_is_kept_of_a_rule_can_be_shown(store, ids):
    rule = add(store, "subject:\x1b]52;c;aa\x07x\u202ey\nfrom:a\udcff", "star")
    for text in (rule.name, rule.query, rule.verbs):
        assert text.isprintable()
        text.encode()


def test_rules_rest_are_removed_and_outlive_a_restart(path):
    with Store.open(path) as store:
        first_session(store, 1)
        one = add(store, "subject:engine", "star", "[/x] \x1b[31m name")
        two = add(store, "subject:engine", "label:x")
        rules.set_active(store, one.rule_id, active=False)
    with Store.open(path) as store:
        assert [rule.active for rule in rules.listing(store)] == [False, True]
        assert "\x1b" not in rules.get(store, one.rule_id).name
        assert rules.get(store, two.rule_id).name == "subject:engine → label:x"
        session(store, [new(1), new(2)])
        index_all(store)
        rule_runs.run_arrived(store, Moment(NOW, {}))
        assert [entry.rule_id for entry in rule_runs.log(store)] == [two.rule_id]
        rules.remove(store, two.rule_id, NOW)
        with pytest.raises(RuleError):
            rules.get(store, two.rule_id)
        assert len(rule_runs.log(store)) == 1


def test_mail_that_arrived_before_the_program_was_killed_is_looked_at_after_it(path):
    with Store.open(path) as store:
        first_session(store, 1)
        add(store, "subject:engine", "star")
        session(store, [new(1), new(2)])
    with Store.open(path) as store:
        index_all(store)
        assert len(rule_runs.run_arrived(store, Moment(NOW, {}))) == 1


def test_many_steps_of_rules_do_not_push_out_those_of_the_user(store, ids):
    rule = add(store, "subject:engine", "star")
    mark(store, ids[:1])
    with store.transaction() as db:
        for number in range(300):
            step = journal.begin(db, StepKind.RULE, 1, NOW + number)
            journal.attribute(db, step, rule.rule_id)
    assert journal.next_step(store).kind is StepKind.READ


def test_no_rule_costs_nothing_on_arrival(store, ids):
    arrive(store, 4)
    assert store.read("SELECT * FROM rule_arrival") == []


# -- changed, ordered, removed


def test_whether_mail_has_arrived_is_known_without_going_through_all_of_it(store):
    session(store, [new(n) for n in range(1, 1001)])
    index_all(store)
    with counted(store.db) as found:
        assert not rule_runs.arrivals_wait(store)
    assert found["steps"] < 1000


def test_undo_removes_a_rule_that_was_just_made_and_what_it_did_stays(store, ids):
    kept = add(store, "subject:other", "star")
    add(store, "subject:engine", "star")
    arrive(store, 4)
    assert undo(store).step.kind is StepKind.MAKE_RULE
    assert rules.listing(store) == [kept]
    assert messages.row(store, ids_in(store)[0]).starred
    rules.remove(store, kept.rule_id, NOW)
    undo(store)
    undo(store)
    assert rules.listing(store) == []


def test_a_rule_is_changed_and_undo_gives_back_what_it_was(store, ids):
    rule = add(store, "subject:engine", "star")
    changed, step = rules.change(store, Rule(rule.rule_id, "", "from:ada", "label:x"), NOW)
    assert (changed.name, step.kind) == ("from:ada → label:x", StepKind.EDIT_RULE)
    assert rules.listing(store) == [changed]
    assert rules.change(store, changed, NOW) == (changed, None)
    with pytest.raises(RuleError):
        rules.change(store, Rule(rule.rule_id, "", "from:ada", "move:Nowhere"), NOW)
    assert undo(store).step.kind is StepKind.EDIT_RULE
    assert rules.listing(store) == [rule]


def test_a_rule_with_a_name_keeps_it_when_it_is_changed(store):
    rule = add(store, "subject:engine", "star", "Machines")
    changed, _ = rules.change(store, Rule(rule.rule_id, "", "from:ada", "read"), NOW)
    assert changed.name == "Machines"
    changed, _ = rules.change(store, Rule(rule.rule_id, "Ada", "from:ada", "read"), NOW)
    assert rules.get(store, rule.rule_id).name == "Ada"


def test_a_removed_rule_comes_back_at_its_place_also_after_a_restart(path):
    with Store.open(path) as store:
        first, second, third = (add(store, f"subject:{word}", "star") for word in ("one", "two", "three"))
        rules.set_active(store, second.rule_id, active=False)
        rules.shift(store, third.rule_id, -1)
        second = rules.get(store, second.rule_id)
        rules.remove(store, second.rule_id, NOW)
        assert rules.listing(store) == [first, third]
    with Store.open(path) as store:
        undo(store)
        assert rules.listing(store) == [first, third, second]


def test_rules_act_in_the_order_that_the_user_gives_them(store, ids):
    folder_changes.make(store, "work", "A", NOW)
    folder_changes.make(store, "work", "B", NOW)
    add(store, "subject:engine", "move:A")
    later = add(store, "subject:engine", "move:B")
    rules.shift(store, later.rule_id, -5)
    arrive(store, 4)
    assert subjects(store, "B") == ["4"]


def test_rules_follow_a_folder_that_gets_another_name_and_name_one_that_is_gone(store, ids):
    made = folder_changes.make(store, "work", "Lists", NOW)
    rule = add(store, "subject:engine", "move:lists")
    folder_changes.rename(store, made.folder_id, "Papers", NOW)
    assert rules.get(store, rule.rule_id).verbs == "move:Papers"
    undo(store)
    assert rules.get(store, rule.rule_id).verbs == "move:Lists"
    assert rules.missing_folder(store, rules.get(store, rule.rule_id)) == ""
    folder_changes.remove(store, made.folder_id, NOW)
    assert rules.missing_folder(store, rules.get(store, rule.rule_id)) == "Lists"


# -- many messages


def run_in_pages(store, rule, size):
    seen = rule_runs.matches(store, checked_query(rule.query, NOW))
    ran = Ran()
    for start in range(0, len(seen), size):
        ran = rule_runs.run(store, rule, seen[start : start + size], ran, Moment(NOW, {}))
    return ran


def test_a_rule_over_many_pages_is_one_step_and_one_entry_of_the_log(store):
    first_session(store, *range(1, 8))
    ids = list(ids_in(store))
    mark(store, ids[:3], StepKind.STAR)  # the first page stars nothing
    rule = add(store, "subject:engine", "star, label:two, archive")
    ran = run_in_pages(store, rule, 3)
    assert ran.step.count == 7
    (entry,) = rule_runs.log(store)
    assert (entry.count, len(entry.message_ids)) == (7, 7)
    assert "Archived: 7 messages" in entry.words
    assert "Starred: 4 messages" in entry.words
    undone = undo(store)
    assert (undone.step.kind, len(undone.message_ids)) == (StepKind.RULE, 7)
    assert list(ids_in(store)) == ids
    assert [messages.row(store, one).starred for one in ids] == [True] * 3 + [False] * 4
    assert undo(store).step.kind is StepKind.MAKE_RULE
    assert undo(store).step.kind is StepKind.STAR


def test_undo_between_two_pages_stops_the_rule(store):
    first_session(store, *range(1, 8))
    rule = add(store, "subject:engine", "archive")
    seen = rule_runs.matches(store, checked_query(rule.query, NOW))
    ran = rule_runs.run(store, rule, seen[:3], Ran(), Moment(NOW, {}))
    undo(store)
    assert rule_runs.run(store, rule, seen[3:], ran, Moment(NOW, {})) == Ran(is_stopped=True)
    assert len(ids_in(store)) == 7


def test_what_could_not_be_done_is_told_though_nothing_changed(store, ids):
    made = folder_changes.make(store, "work", "Lists", NOW)
    rule = add(store, "subject:engine", "move:Lists")
    folder_changes.remove(store, made.folder_id, NOW)
    ran = run_in_pages(store, rule, 2)
    assert (ran.step, ran.trouble) == (None, ("work has no folder “Lists”.",))
    assert len(rule_runs.log(store)) == 1


def test_undo_of_a_rule_that_mutes_brings_what_it_archived_back(store, ids):
    add(store, "subject:engine", "mute, star", "Quiet")
    arrive(store, 4)
    assert len(ids_in(store)) == 3
    assert undo(store).step.kind is StepKind.MAKE_RULE
    assert undo(store) is None
    rule_runs.undo(store, rule_runs.log(store)[0].entry_id, {})
    assert subjects(store) == ["4", "3", "2", "1"]
    ran = run_in_pages(store, add(store, "subject:part", "mute"), 2)
    assert (ran.step.count, len(ids_in(store))) == (4, 0)
    assert len(undo(store).message_ids) == 4
    assert subjects(store) == ["4", "3", "2", "1"]


def test_the_log_keeps_the_newest_entries(store, ids, monkeypatch):
    monkeypatch.setattr(rule_runs, "KEPT_LOG", 2)
    for verbs in ("star", "read", "label:x"):
        run_in_pages(store, add(store, "subject:engine", verbs), 3)
    assert [entry.words for entry in rule_runs.log(store)] == ["Labelled x: 3 messages", "Marked as read: 3 messages"]
