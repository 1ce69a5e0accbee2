"""Labels: several at once, one step each time, names that strangers cannot spoil."""

from __future__ import annotations

import pytest

from termmail.mail import query_parser
from termmail.mail.model import LABEL_COLORS, StepKind
from termmail.store import label_names, labels, messages, row_marks, search
from termmail.store.labels import LabelError
from tests.store.parts import NOW, ids_in, index_all, new, session, trash, undo


@pytest.fixture
def ids(store):
    """Three messages, newest first."""
    session(store, [new(1), new(2), new(3)])
    return list(ids_in(store))


def change(store, message_ids, add=(), take=()):
    return labels.change(store, message_ids, add, take, NOW)


def names(store, message_id):
    return [one.name for one in messages.row(store, message_id).labels]


def test_labels_are_put_on_several_messages_and_taken_back_in_one_step(store, ids):
    change(store, ids[:1], ["work"])
    done = change(store, ids, ["work", "Home"])
    assert (done.step.kind, done.step.name, set(done.message_ids)) == (StepKind.LABEL, "work, Home", set(ids))
    assert [names(store, one) for one in ids] == [["Home", "work"]] * 3
    undo(store)
    assert [names(store, one) for one in ids] == [["work"], [], []]


def test_labels_are_added_and_removed_at_once(store, ids):
    change(store, ids[:2], ["work"])
    work = label_names.find(store, "WORK").label_id
    change(store, ids, ["home"], [work])
    assert [names(store, one) for one in ids] == [["home"]] * 3
    undo(store)
    assert [names(store, one) for one in ids] == [["work"], ["work"], []]
    done = change(store, ids, take=[work])
    assert (done.step.kind, len(done.message_ids)) == (StepKind.UNLABEL, 2)


def test_what_has_the_label_already_is_no_step(store, ids):
    change(store, ids[:1], ["work"])
    assert change(store, ids[:1], ["Work"]).step is None
    assert len(label_names.listing(store)) == 1


@pytest.mark.parametrize("name", ["", "  ", "x" * 41, "a\x1b[31mb", "a\0b", "\u202egpj", "\u200b", "\ud800"])
def test_a_name_that_would_not_be_shown_as_it_is_is_refused(store, ids, name):
    with pytest.raises(LabelError):
        change(store, ids, [name])
    assert label_names.listing(store) == []
    assert undo(store) is None


def test_names_of_markup_and_quotes_are_names(store, ids):
    hostile = ["[/x]", "[@click=app.bell]x[/]", "'; DROP TABLE label;--", 'a"b', "日本語", "$who"]
    change(store, ids[:1], hostile)
    assert sorted(names(store, ids[0])) == sorted(hostile)


def test_colours_are_spread_and_chosen(store, ids):
    change(store, ids, [f"label {number}" for number in range(LABEL_COLORS)])
    assert {one.color for one in label_names.listing(store)} == set(range(LABEL_COLORS))
    first = label_names.listing(store)[0]
    labels.recolor(store, first.label_id, LABEL_COLORS + 2)
    assert label_names.find(store, first.name).color == 2


def test_a_label_that_no_message_has_is_not_listed_and_keeps_its_colour(store, ids):
    change(store, ids[:1], ["work", "home"])
    home = label_names.find(store, "home")
    change(store, ids[:1], take=[home.label_id])
    assert [one.name for one in label_names.listing(store)] == ["work"]
    change(store, ids[:1], ["HOME"])
    assert label_names.find(store, "home") == home


def test_the_list_of_a_label_leaves_out_what_is_in_trash(store, ids):
    change(store, ids, ["work"])
    trash(store, ids[:1], None)
    work = label_names.find(store, "work").label_id
    assert list(row_marks.labelled_ids(store, work)) == ids[1:]
    assert list(row_marks.labelled_ids(store, work, 1)) == ids[1:2]


def test_a_search_finds_messages_by_their_label(store, ids):
    change(store, ids[:2], ["Tax 2026"])
    index_all(store)
    for text, found in (('label:"tax 2026"', ids[:2]), ("-label:none engine", ids), ("label:none", [])):
        assert list(search.search(store, query_parser.parse(text, NOW).query)) == found
    assert list(search.search(store, query_parser.parse('label:"tax 2026" "part 2"', NOW).query)) == ids[1:2]
