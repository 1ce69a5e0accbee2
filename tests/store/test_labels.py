"""Labels: several at once, one step each time, names that strangers cannot spoil."""

from __future__ import annotations

import pytest

from termmail.mail import query_parser
from termmail.mail.model import LABEL_COLORS, StepKind
from termmail.store import label_names, labels, marked_ids, messages, rules, saved_searches, search
from termmail.store.label_names import LabelError
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
    assert list(marked_ids.labelled_ids(store, work)) == ids[1:]
    assert list(marked_ids.labelled_ids(store, work, 1)) == ids[1:2]


def test_a_search_finds_messages_by_their_label(store, ids):
    change(store, ids[:2], ["Tax 2026"])
    index_all(store)
    for text, found in (('label:"tax 2026"', ids[:2]), ("-label:none engine", ids), ("label:none", [])):
        assert list(search.search(store, query_parser.parse(text, NOW).query)) == found
    assert list(search.search(store, query_parser.parse('label:"tax 2026" "part 2"', NOW).query)) == ids[1:2]


# -- the label itself


def keyword_of(store, name):
    return label_names.keyword(store, label_names.find(store, name).label_id)


def test_a_label_is_renamed_everywhere_and_keeps_its_keyword_and_undo_takes_it_back(store, ids):
    change(store, ids[:2], ["work"])
    rules.add(store, "", "label:work from:ada", "label:Work, star", NOW)
    kept = saved_searches.save(store, "Mine", "is:unread -label:WORK")
    work = label_names.find(store, "work").label_id
    done = labels.rename(store, work, " Tax  2026 ", NOW)
    assert (done.step.kind, done.step.name) == (StepKind.RENAME_LABEL, "Tax 2026")
    assert [names(store, one) for one in ids] == [["Tax 2026"], ["Tax 2026"], []]
    assert keyword_of(store, "tax 2026") == "work"
    (rule,) = rules.listing(store)
    assert (rule.query, rule.verbs) == ('label:"Tax 2026" from:ada', "label:Tax 2026, star")
    assert saved_searches.words(store, kept.search_id) == 'is:unread -label:"Tax 2026"'
    assert undo(store).step.kind is StepKind.RENAME_LABEL
    assert names(store, ids[0]) == ["work"]
    assert rules.listing(store)[0].verbs == "label:work, star"
    assert saved_searches.words(store, kept.search_id) == "is:unread -label:work"


def test_a_label_cannot_have_the_name_of_another_one_but_that_of_one_that_no_message_has(store, ids):
    change(store, ids[:1], ["work", "home"])
    work, home = (label_names.find(store, name).label_id for name in ("work", "home"))
    with pytest.raises(LabelError):
        labels.rename(store, work, "HOME", NOW)
    with pytest.raises(LabelError):
        labels.rename(store, 99, "x", NOW)
    assert labels.rename(store, work, "Work", NOW).step is not None
    assert labels.rename(store, work, "Work", NOW).step is None
    change(store, ids[:1], take=[home])
    labels.rename(store, work, "home", NOW)
    assert [one.name for one in label_names.listing(store)] == ["home"]
    assert label_names.get(store, home).name == "home (2)"


def test_undo_of_a_rename_gives_a_number_where_the_old_name_is_taken_by_now(store, ids):
    change(store, ids[:1], ["work"])
    labels.rename(store, label_names.find(store, "work").label_id, "job", NOW)
    with store.transaction() as db:
        made = label_names.of_keywords(db, ["WORK", "work_"])
    assert label_names.get(store, made["work"]).name == "job"
    change(store, ids[1:2], ["work"])
    undo(store)
    undo(store)
    assert names(store, ids[0]) == ["work (2)"]


def test_a_label_is_removed_from_all_messages_and_undo_puts_it_back_on_those(store, ids):
    change(store, ids, ["work"])
    trash(store, ids[:1], None)
    change(store, ids[1:2], ["home"])
    work = label_names.find(store, "work").label_id
    assert labels.held(store)[work] == 3
    done = labels.remove(store, work, NOW)
    assert (done.step.kind, done.step.name, len(done.message_ids)) == (StepKind.UNLABEL, "work", 3)
    assert [one.name for one in label_names.listing(store)] == ["home"]
    assert len(undo(store).message_ids) == 3
    assert [names(store, one) for one in ids] == [["work"], ["home", "work"], ["work"]]
    with pytest.raises(LabelError):
        labels.remove(store, 99, NOW)


def test_labels_of_keywords_with_one_name_are_told_apart(store):
    with store.transaction() as db:
        made = label_names.of_keywords(db, ["tax_2026", "tax&ACA-2026", "TAX_2026"])
    assert sorted(label_names.get(store, one).name for one in set(made.values())) == ["TAX 2026", "tax 2026 (2)"]
