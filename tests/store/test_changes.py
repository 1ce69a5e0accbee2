"""The verbs on messages: one transaction each, on what the user saw, with the step that takes it back."""

from __future__ import annotations

import pytest

from termmail.errors import ErrorCode
from termmail.mail.message import Draft
from termmail.mail.model import ROLE_NAMES, Count, Done, Placement, Role, StepKind
from termmail.store import (
    changes,
    drafts,
    folder_changes,
    folders,
    journal,
    messages,
    outbox,
    placements,
    pop3_identity,
)
from termmail.store.store import Store
from tests.store.parts import (
    NOW,
    add_local,
    claim,
    download,
    erase,
    folder,
    ids_in,
    mark,
    move,
    new,
    outgoing,
    seen,
    session,
    states,
    trash,
    undo,
    whole,
)


@pytest.fixture
def ids(store):
    """Three messages, bodies here, newest first."""
    session(store, [new(1), new(2), new(3)])
    found = list(ids_in(store))
    for message_id, n in zip(found, (3, 2, 1), strict=True):
        download(store, message_id, whole(n))
    return found


def _flags(store, message_id):
    row = messages.row(store, message_id)
    return row.unread, row.starred


# -- flags


@pytest.mark.parametrize(
    ("kind", "flags", "other"),
    [
        (StepKind.READ, (False, False), (True, False)),
        (StepKind.STAR, (True, True), (True, False)),
    ],
)
def test_a_mark_is_set_and_taken_back(store, ids, kind, flags, other):
    done = mark(store, ids[:2], kind)
    assert (done.step.kind, done.step.count, set(done.message_ids)) == (kind, 2, set(ids[:2]))
    assert [_flags(store, one) for one in ids] == [flags, flags, other]
    undone = undo(store)
    assert (undone.step, set(undone.message_ids)) == (done.step, set(ids[:2]))
    assert [_flags(store, one) for one in ids] == [other] * 3


def test_undo_of_a_mark_touches_only_what_the_mark_changed(store, ids):
    mark(store, ids[:1], StepKind.STAR)
    done = mark(store, ids, StepKind.STAR)
    assert (done.step.count, set(done.message_ids)) == (2, set(ids[1:]))
    undo(store)
    assert [_flags(store, one)[1] for one in ids] == [True, False, False]


def test_a_mark_that_changes_nothing_is_no_step(store, ids):
    assert mark(store, ids, StepKind.UNREAD).step is None
    assert journal.next_step(store) is None


def test_undo_leaves_alone_what_was_marked_otherwise_since(store, ids):
    mark(store, ids[:2], StepKind.STAR)
    with store.transaction() as db:
        db.execute("UPDATE message SET starred = 0 WHERE id = ?", (ids[0],))
    undone = undo(store)
    assert (undone.message_ids, undone.skipped) == ((ids[1],), (ids[0],))


def test_opening_a_message_marks_it_read_and_is_no_step(store, ids):
    assert changes.set_seen(store, ids[:1])
    assert not changes.set_seen(store, ids[:1])
    assert _flags(store, ids[0])[0] is False
    assert journal.next_step(store) is None
    assert folders.counts(store)[folder(store).folder_id] == Count(3, 2)


# -- moving


def test_a_move_goes_there_and_back_and_keeps_the_order(store, ids):
    done = move(store, ids[:2], "Archive")
    assert (done.step.kind, done.step.count, done.step.name) == (StepKind.ARCHIVE, 2, "Archive")
    assert list(ids_in(store, "Archive")) == ids[:2]
    assert list(ids_in(store)) == ids[2:]
    undo(store)
    assert list(ids_in(store)) == ids
    assert list(ids_in(store, "Archive")) == []


def test_steps_are_taken_back_newest_first_also_after_a_restart(store, path, ids):
    move(store, ids[:1], "Archive")
    mark(store, ids[1:2], StepKind.STAR)
    trash(store, ids[2:], NOW + 60)
    with Store.open(path) as again:
        kinds = []
        while (step := journal.next_step(again)) is not None:
            assert undo(again).step == step
            kinds.append(step.kind)
        assert kinds == [StepKind.DELETE, StepKind.STAR, StepKind.ARCHIVE]
        assert list(ids_in(again)) == ids
        assert [_flags(again, one)[1] for one in ids] == [False] * 3
        assert undo(again) is None


def test_a_verb_acts_on_what_was_seen_and_refuses_what_has_moved_since(store, ids):
    stale = seen(store, ids[:2])
    trash(store, ids[:1], NOW + 60)
    done = changes.move_to_role(store, stale, StepKind.DELETE, NOW, {})
    assert (done.message_ids, done.skipped) == ((ids[1],), (ids[0],))
    assert messages.row(store, ids[0]).folder == "Trash", "it is not deleted for good"
    erased = changes.erase(store, stale, {})
    assert (erased.message_ids, erased.skipped) == ((), tuple(ids[:2]))
    assert messages.row(store, ids[0]) is not None


def test_a_message_restored_in_between_is_not_erased(store, ids):
    trash(store, ids[:1], NOW + 60)
    in_trash = seen(store, ids[:1])
    undo(store)
    assert changes.erase(store, in_trash, {}).skipped == (ids[0],)
    assert messages.row(store, ids[0]).folder == "Inbox"


def test_what_goes_nowhere_is_no_step(store, ids):
    done = move(store, ids, "Inbox")
    assert (done.step, set(done.already), done.skipped) == (None, set(ids), ())
    assert changes.move(store, [Placement(10**9, 1)], folder(store, "Archive").folder_id, NOW, {}).step is None
    assert journal.next_step(store) is None


def test_a_move_to_another_accounts_folder_is_left_out(store, ids):
    other = folder(store, account="home")
    done = changes.move(store, seen(store, ids), other.folder_id, NOW, {})
    assert (done.step, set(done.skipped)) == (None, set(ids))


def test_those_of_other_accounts_are_left_out_of_a_move(store, ids):
    others = []
    for account in "abcde":
        folders.ensure(store, account)
        others += pop3_identity.arrive(store, account, [new(9)], received=NOW, listed=[]).ids
    done = changes.move(store, seen(store, [*others, *ids]), folder(store, "Archive").folder_id, NOW, {})
    assert (set(done.message_ids), set(done.skipped)) == (set(ids), set(others))
    assert list(ids_in(store, "Archive")) == ids


def test_copies_go_to_folders_of_their_own_account_and_only_once(store, ids):
    folders.ensure(store, "home")
    (other,) = pop3_identity.arrive(store, "home", [new(9)], received=NOW, listed=[]).ids
    target = folder(store, "Trips").folder_id
    done = changes.copy(store, seen(store, [other, ids[0]]), target, NOW)
    assert (done.message_ids, done.skipped, done.step.count) == ((ids[0],), (other,), 1)
    assert changes.copy(store, seen(store, [other]), target, NOW) == Done(None, (), (other,))


def test_each_message_goes_to_the_folder_of_its_own_account(store, ids):
    folders.ensure(store, "home")
    arrived = pop3_identity.arrive(store, "home", [new(9)], received=NOW, listed=[])
    done = changes.move_to_role(store, seen(store, [*ids[:1], *arrived.ids]), StepKind.ARCHIVE, NOW, {})
    assert done.step.count == 2
    assert list(ids_in(store, "Archive")) == ids[:1]
    assert list(ids_in(store, "Archive", account="home")) == arrived.ids
    undo(store)
    assert list(ids_in(store, account="home")) == arrived.ids


def test_junk_and_back(store, ids):
    changes.move_to_role(store, seen(store, ids[:1]), StepKind.JUNK, NOW, {})
    assert list(ids_in(store, "Spam")) == ids[:1]
    done = changes.move_to_role(store, seen(store, ids[:1]), StepKind.NOT_JUNK, NOW, {})
    assert (done.step.kind, list(ids_in(store))) == (StepKind.NOT_JUNK, ids)


def test_undo_of_a_move_out_of_trash_makes_the_delete_due_again(store, ids):
    trash(store, ids[:1], NOW + 60)
    move(store, ids[:1], "Archive")
    assert states(store) == ["kept"] * 3
    undo(store, due_at=NOW + 90)
    assert messages.row(store, ids[0]).folder == "Trash"
    assert pop3_identity.due(store, "work", NOW + 89) == []
    assert len(pop3_identity.due(store, "work", NOW + 90)) == 1


def test_a_message_whose_rule_made_it_due_stays_due_after_undo(store, ids):
    assert pop3_identity.expire(store, "work", "after-download", NOW) == 3
    trash(store, ids[:1], NOW + 60)
    undo(store)
    assert states(store) == ["due"] * 3


def test_undo_passes_over_a_step_of_which_nothing_is_left(store, ids):
    mark(store, ids[1:2], StepKind.STAR)
    trash(store, ids[:1], NOW)
    erase(store, ids[:1])
    assert undo(store).step.kind is StepKind.STAR
    assert undo(store) is None


def test_ten_thousand_go_and_come_back_as_one_step(store):
    pop3_identity.arrive(store, "work", [new(n) for n in range(1, 10_001)], received=NOW, listed=[])
    ids = ids_in(store)
    inbox = folder(store).folder_id
    done = changes.move_to_role(store, [Placement(one, inbox) for one in ids], StepKind.DELETE, NOW, {"work": NOW})
    assert done.step.count == 10_000
    assert len(undo(store).message_ids) == 10_000
    assert ids_in(store) == ids
    assert folders.counts(store)[inbox] == Count(10_000, 10_000)


# -- several folders


def test_a_message_can_lie_in_several_folders(store, ids):
    trips = folder(store, "Trips")
    done = changes.copy(store, seen(store, ids[:1]), trips.folder_id, NOW)
    assert (done.step.kind, done.message_ids) == (StepKind.COPY, (ids[0],))
    assert list(ids_in(store, "Trips")) == ids[:1]
    assert list(ids_in(store)) == ids
    (row,) = messages.rows(store, ids[:1], [trips.folder_id])
    assert (row.folder, row.placement) == ("Trips", Placement(ids[0], trips.folder_id))
    undo(store)
    assert list(ids_in(store, "Trips")) == []
    assert list(ids_in(store)) == ids


def test_the_server_keeps_a_message_that_lies_in_another_folder_too(store, ids):
    trips = folder(store, "Trips")
    changes.copy(store, seen(store, ids[:1]), trips.folder_id, NOW)
    changes.move_to_role(store, [Placement(ids[0], folder(store).folder_id)], StepKind.DELETE, NOW, {"work": NOW})
    assert pop3_identity.due(store, "work", NOW) == []
    in_trash = Placement(ids[0], folder(store, "Trash").folder_id)
    done = changes.erase(store, [in_trash], {})
    assert (done.message_ids, done.kept) == ((), (ids[0],))
    assert messages.row(store, ids[0]).folder == "Trips"
    changes.move_to_role(store, [Placement(ids[0], trips.folder_id)], StepKind.DELETE, NOW, {"work": NOW})
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == [ids[0]]


def test_a_copy_out_of_trash_calls_the_delete_off(store, ids):
    trash(store, ids[:1], NOW)
    changes.copy(store, seen(store, ids[:1]), folder(store, "Trips").folder_id, NOW)
    assert pop3_identity.due(store, "work", NOW) == []
    undo(store, due_at=NOW)
    assert [known.message for known in pop3_identity.due(store, "work", NOW)] == [ids[0]]


def test_a_move_onto_a_copy_leaves_one_and_undo_brings_both_back(store, ids):
    trips = folder(store, "Trips")
    changes.copy(store, seen(store, ids[:1]), trips.folder_id, NOW)
    inbox = folder(store).folder_id
    changes.move(store, [Placement(ids[0], inbox)], trips.folder_id, NOW, {})
    assert list(ids_in(store)) == ids[1:]
    undo(store)
    assert list(ids_in(store)) == ids
    assert list(ids_in(store, "Trips")) == ids[:1]


def test_the_unified_inbox_is_sorted_over_all_accounts(store, ids):
    arrived = pop3_identity.arrive(store, "home", [new(9), new(0)], received=NOW, listed=[])
    inboxes = [folder(store).folder_id, folder(store, account="home").folder_id]
    assert list(messages.ids(store, inboxes)) == [arrived.ids[0], *ids, arrived.ids[1]]
    assert list(messages.ids(store, inboxes, 2)) == [arrived.ids[0], ids[0]]
    assert list(messages.ids(store, [])) == []


def test_emptying_trash_erases_what_lies_there_and_nothing_else(store, ids):
    trash(store, ids[:2], NOW + 60)
    assert changes.empty_trash(store, "work") == 2
    assert list(messages.all_ids(store)) == ids[2:]
    assert states(store) == ["kept", "due", "due"]
    assert changes.empty_trash(store, "work") == 0


# -- folders


def test_a_folder_is_made_renamed_and_removed_and_each_is_taken_back(store, ids):
    made = folder_changes.make(store, "work", " Trips / 2026 ", NOW)
    assert (made.name, made.role) == ("Trips/2026", "none")
    move(store, ids[:2], "Trips/2026")
    renamed = folder_changes.rename(store, made.folder_id, "Journeys", NOW)
    assert folders.get(store, made.folder_id) == renamed
    done = folder_changes.remove(store, made.folder_id, NOW)
    assert set(done.message_ids) == set(ids[:2])
    assert list(ids_in(store, "Archive")) == ids[:2]
    with pytest.raises(folders.FolderGone):
        folders.get(store, made.folder_id)
    undo(store)
    assert list(ids_in(store, "Journeys")) == ids[:2]
    assert list(ids_in(store, "Archive")) == []
    undo(store)
    assert folders.get(store, made.folder_id).name == "Trips/2026"
    undo(store)
    assert list(ids_in(store)) == ids
    undo(store)
    assert "Trips/2026" not in [one.name for one in folders.listing(store)]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "a//b",
        "/",
        "a/",
        "x" * 201,
        "a\x1b[2J",
        "a\nb",
        "a\u202eb",
        "\ud800",
        "\u200b",
        "\xad",
        "\u3164",
        "\u200c",
        "\u2800",
        "Trips\u200b",
        "Drafts",
        "outbox",
    ],
)
def test_names_that_cannot_be_are_refused_in_words(store, name):
    with pytest.raises(folders.FolderError):
        folder_changes.make(store, "work", name, NOW)
    assert folders.listing(store) == []


@pytest.mark.parametrize("name", ["search:x", "a / b", "日本", "-rf", "*", "👩‍👩‍👧", "می‌خواهم"])
def test_any_other_name_is_a_name(store, ids, name):
    made = folder_changes.make(store, "work", name, NOW)
    changes.move(store, seen(store, ids[:1]), made.folder_id, NOW, {})
    assert list(messages.ids(store, [made.folder_id])) == ids[:1]


def test_a_name_is_taken_once(store, ids):
    one = folder_changes.make(store, "work", "Trips", NOW)
    for act in (lambda: folder_changes.make(store, "work", "Trips", NOW),):
        with pytest.raises(folders.FolderError, match="already"):
            act()
    other = folder_changes.make(store, "work", "Other", NOW)
    with pytest.raises(folders.FolderError, match="already"):
        folder_changes.rename(store, other.folder_id, "Trips", NOW)
    folder_changes.remove(store, one.folder_id, NOW)
    folder_changes.make(store, "work", "Trips", NOW)
    undo(store)
    folder_changes.make(store, "work", "Trips", NOW)
    undo(store)
    undo(store)
    assert folders.get(store, one.folder_id).name == "Trips"


def test_undo_tells_what_came_back_and_what_was_moved_since(store, ids):
    move(store, ids, "Archive")
    with store.transaction() as db:
        db.execute("DELETE FROM placement WHERE message = ?", (ids[0],))
    undone = undo(store)
    assert (set(undone.message_ids), undone.skipped) == (set(ids[1:]), (ids[0],))
    move(store, ids[1:2], "Archive")
    undone = undo(store)
    assert (undone.message_ids, undone.skipped) == ((ids[1],), ())


def test_a_folder_renamed_since_is_not_renamed_back(store):
    one = folder_changes.make(store, "work", "Trips", NOW)
    folder_changes.rename(store, one.folder_id, "Journeys", NOW)
    with store.transaction() as db:
        db.execute("UPDATE folder SET name = 'Voyages' WHERE id = ?", (one.folder_id,))
    assert undo(store).step.kind is StepKind.MAKE_FOLDER
    assert folders.by_name(store, "work", "Voyages") is None


def test_a_folder_that_holds_messages_is_not_unmade(store, ids):
    one = folder_changes.make(store, "work", "Trips", NOW)
    with store.transaction() as db:
        placements.place(db, ids[:1], one.folder_id)
    assert undo(store) is None
    assert folders.get(store, one.folder_id) == one


def test_a_removed_folder_comes_back_with_a_number_beside_another_of_its_name(store, ids):
    one = folder_changes.make(store, "work", "Trips", NOW)
    move(store, ids[:1], "Trips")
    removed = folder_changes.remove(store, one.folder_id, NOW)
    assert (removed.message_ids, removed.step.count, removed.step.name) == ((ids[0],), 1, "Trips")
    with store.transaction() as db:
        db.execute("INSERT INTO folder (account, name, role) VALUES ('work', 'Trips', 'none')")
    undo(store)
    assert folders.get(store, one.folder_id).name == "Trips (2)"
    assert list(ids_in(store, "Trips (2)")) == [ids[0]]


def test_folders_are_listed_the_standard_ones_first_then_by_name(store):
    for name in ("beta", "Alpha", "Gamma"):
        folder(store, name)
    assert [one.name for one in folders.listing(store)][-3:] == ["Alpha", "beta", "Gamma"]
    assert [one.role for one in folders.listing(store)][: len(ROLE_NAMES)] == list(ROLE_NAMES)


def test_a_folder_is_found_by_role_and_made_where_it_is_missing(store):
    made = folders.by_role(store, "work", Role.JUNK)
    assert made == folders.by_role(store, "work", Role.JUNK)
    assert (made.name, made.role, made.account) == (ROLE_NAMES[Role.JUNK], Role.JUNK, "work")
    assert [one.folder_id for one in folders.listing(store)] == [made.folder_id]
    other = folders.by_role(store, "home", Role.JUNK)
    assert folders.with_role(store, Role.JUNK) == [made, other]
    assert messages.role_folder_ids(store, Role.JUNK) == [made.folder_id, other.folder_id]


def test_a_name_in_another_case_is_found_where_none_is_exactly_that(store):
    small = folder_changes.make(store, "work", "trips", NOW)
    large = folder_changes.make(store, "work", "Other", NOW)
    with store.transaction() as db:  # a store of before names that differ in case were refused
        db.execute("UPDATE folder SET name = 'TRIPS' WHERE id = ?", (large.folder_id,))
    large = folders.get(store, large.folder_id)
    folder_changes.make(store, "home", "trips", NOW)
    assert folders.by_name(store, "work", "TRIPS") == large
    assert folders.by_name(store, "work", "trips") == small
    assert folders.by_name(store, "work", "Trips") in {small, large}
    assert folders.by_name(store, "work", "trip") is None


def test_a_name_may_be_as_long_as_said_and_is_stripped_between_slashes(store):
    longest = "x" * folders.LONGEST_NAME
    assert folder_changes.make(store, "work", f" {longest} ", NOW).name == longest
    assert folder_changes.make(store, "work", " a / b ", NOW).name == "a/b"
    with pytest.raises(folders.FolderError, match="200 characters") as told:
        folders.checked_name(longest + "x")
    assert told.value.advice == "Choose another name."


def test_counts_are_of_all_and_of_the_unread(store, ids):
    mark(store, ids[:1])
    assert folders.counts(store) == {folder(store).folder_id: Count(3, 2)}


def test_a_renamed_folder_gets_its_old_name_back_with_a_number_where_it_is_taken(store):
    one = folder_changes.make(store, "work", "Trips", NOW)
    folder_changes.rename(store, one.folder_id, "Journeys", NOW)
    with store.transaction() as db:
        db.execute("INSERT INTO folder (account, name, role) VALUES ('work', 'Trips', 'none')")
    undo(store)
    assert folders.get(store, one.folder_id).name == "Trips (2)"


def test_a_removed_folder_comes_back_with_a_number_where_its_name_is_taken(store, ids):
    old = folder_changes.make(store, "work", "Trips", NOW)
    changes.move(store, seen(store, ids[:1]), old.folder_id, NOW, {})
    folder_changes.remove(store, old.folder_id, NOW)
    new = folder_changes.make(store, "work", "Trips", NOW)
    changes.move(store, seen(store, ids[1:2]), new.folder_id, NOW, {})
    add_local(store, "Trips", whole(9), received=NOW)  # so that its making cannot be undone
    assert [undo(store).step.kind for _ in range(2)] == [StepKind.MOVE, StepKind.REMOVE_FOLDER]
    assert folders.get(store, old.folder_id).name == "Trips (2)"
    assert list(messages.ids(store, [old.folder_id])) == ids[:1]
    undo(store)
    assert list(messages.ids(store, [folder(store).folder_id])) == ids


@pytest.mark.parametrize("name", ["trips", "TRIPS", "Trips"])
def test_two_folders_never_look_the_same(store, name):
    folder_changes.make(store, "work", "Trips", NOW)
    other = folder_changes.make(store, "work", "Other", NOW)
    for act in (
        lambda: folder_changes.make(store, "work", name, NOW),
        lambda: folder_changes.rename(store, other.folder_id, name, NOW),
    ):
        with pytest.raises(folders.FolderError, match=r"Trips”? already"):
            act()
    assert folder_changes.rename(store, other.folder_id, "other", NOW).name == "other"


def test_undo_of_a_delete_calls_off_the_dele_though_the_message_was_in_trash_before(store, ids):
    trash, inbox = folder(store, "Trash").folder_id, folder(store).folder_id
    changes.copy(store, [Placement(ids[0], inbox)], trash, NOW)
    changes.move_to_role(store, [Placement(ids[0], inbox)], StepKind.DELETE, NOW, {"work": NOW + 60})
    assert [known.message for known in pop3_identity.due(store, "work", NOW + 100)] == ids[:1]
    undo(store, NOW + 60)
    assert pop3_identity.due(store, "work", NOW + 1000) == []
    assert Placement(ids[0], inbox) in seen(store, [ids[0]])


def test_erasing_from_one_folder_deletes_what_is_left_in_trash_alone(store, ids):
    trash, inbox = folder(store, "Trash").folder_id, folder(store).folder_id
    changes.copy(store, [Placement(ids[0], inbox)], trash, NOW)
    done = changes.erase(store, [Placement(ids[0], inbox)], {"work": NOW + 60})
    assert (done.message_ids, done.kept) == ((), (ids[0],))
    assert [known.message for known in pop3_identity.due(store, "work", NOW + 100)] == [ids[0]]


def test_erasing_everywhere_leaves_nothing(store, ids):
    changes.copy(store, seen(store, ids[:1]), folder(store, "Archive").folder_id, NOW)
    done = changes.erase_everywhere(store, ids[:1])
    assert (done.message_ids, done.kept) == ((ids[0],), ())
    assert messages.row(store, ids[0]) is None


def test_nothing_is_placed_in_a_folder_that_was_removed(store, ids):
    one = folder_changes.make(store, "work", "Trips", NOW)
    folder_changes.remove(store, one.folder_id, NOW)
    with pytest.raises(folders.FolderGone), store.transaction() as db:
        placements.place(db, ids, one.folder_id)


def test_the_standard_folders_cannot_be_changed(store):
    trash_folder = folder(store, "Trash")
    for act in (
        lambda: folder_changes.rename(store, trash_folder.folder_id, "Bin", NOW),
        lambda: folder_changes.remove(store, trash_folder.folder_id, NOW),
    ):
        with pytest.raises(folders.FolderError, match="needed"):
            act()


def test_a_folder_that_is_gone_is_said_so(store, ids):
    one = folder_changes.make(store, "work", "Trips", NOW)
    folder_changes.remove(store, one.folder_id, NOW)
    with pytest.raises(folders.FolderGone) as gone:
        changes.move(store, seen(store, ids), one.folder_id, NOW, {})
    assert gone.value.code is ErrorCode.GONE


def test_a_standard_folder_takes_its_name_from_one_of_the_users_own(store):
    with store.transaction() as db:
        db.execute("INSERT INTO folder (account, name, role) VALUES ('work', 'Archive', 'none')")
    folders.ensure(store, "work")
    assert {one.name for one in folders.listing(store)} >= {"Archive", "Archive (2)"}


# -- sends


def test_a_send_is_a_step_until_it_leaves(store, ids):
    draft = drafts.save(store, Draft(account="work", subject="Hello"), NOW)
    with store.transaction(durable=True) as db:
        outbox_id = outbox.queue(store, "work", outgoing(9), draft_id=draft.id, not_before=NOW + 10, now=NOW)
        journal.record_send(db, outbox_id, "Hello", NOW)
    step = journal.next_step(store)
    assert (step.kind, step.name, step.outbox_id, step.count) == (StepKind.SEND, "Hello", outbox_id, 1)
    mark(store, ids[:1], StepKind.STAR)
    assert undo(store).step.kind is StepKind.STAR
    undone = undo(store)
    assert (undone.step, undone.draft_id) == (step, draft.id)
    assert outbox.get(store, outbox_id).state == "cancelled"
    assert list(drafts.ids(store, "work")) == [draft.id]


def test_a_send_on_its_way_is_not_offered(store, ids):
    mark(store, ids[:1], StepKind.STAR)
    with store.transaction(durable=True) as db:
        outbox_id = outbox.queue(store, "work", outgoing(9), not_before=NOW, now=NOW)
        journal.record_send(db, outbox_id, "Hello", NOW)
    claim(store, "work", NOW)
    assert journal.next_step(store).kind is StepKind.STAR
    assert undo(store).step.kind is StepKind.STAR


# -- the journal


def test_only_the_newest_steps_are_kept(store):
    message_id = add_local(store, "Inbox", whole(1), unread=True)
    for n in range(journal.KEPT_STEPS + 10):
        mark(store, [message_id], StepKind.READ if n % 2 == 0 else StepKind.UNREAD)
    assert store.read("SELECT count(*) FROM step") == [(journal.KEPT_STEPS,)]
    assert store.read("SELECT count(*) FROM change") == [(journal.KEPT_STEPS,)]
