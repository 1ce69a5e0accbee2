"""One action per key and place in every preset; a config that cannot work is reported in words."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from termmail.ui import keymap
from termmail.ui.actions import ACTIONS, BY_ID, Group, Place, split
from termmail.ui.actions.registry import declare


@pytest.mark.parametrize("preset", keymap.PRESETS)
def test_no_preset_gives_one_key_to_two_actions(preset):
    built = keymap.build(preset)
    clashes = [
        (one, other, key)
        for one, other in itertools.combinations(built.keys, 2)
        for key in set(built.keys[one]) & set(built.keys[other])
        if keymap._meet(one, other)
    ]
    assert clashes == []
    assert built.problems == ()


@pytest.mark.parametrize("preset", keymap.PRESETS)
def test_presets_name_only_actions_and_keys_that_exist(preset):
    own = keymap.PRESETS[preset]
    assert keymap.build("termmail", {id_: text for id_, text in own.items() if text}).keys.keys() == BY_ID.keys()
    assert set(own) <= set(BY_ID)
    assert all(keymap._is_key(part) for text in own.values() for key in split(text) for part in key.split())


def test_ids_and_methods_are_unique():
    assert len(BY_ID) == len(ACTIONS)
    assert len({action.method for action in ACTIONS}) == len(ACTIONS)


def test_a_key_the_user_takes_leaves_its_old_action():
    built = keymap.build("termmail", {"message.archive": "e,d"})
    assert built.keys["message.archive"] == ("e", "d")
    assert built.keys["message.delete"] == ("delete", "#")
    assert built.problems == ()


def test_an_action_left_without_a_key_is_told():
    built = keymap.build("termmail", {"message.archive": "z"})
    assert built.problems == ("z is now “Archive”, and “Undo” (message.undo) has no key left.",)
    assert built.changed()["message.undo"] == "unbound"


def test_the_same_key_in_list_and_reader_is_no_clash():
    assert keymap.build("termmail", {"list.next": "j,J", "reader.down": "J"}).problems == ()


@pytest.mark.parametrize(
    ("own", "words"),
    [
        (
            {"message.archve": "y"},
            "[ui.keys]: “message.archve” is not an action. Did you mean message.archive?",
        ),
        ({"message.star": "y", "message.archive": "y"}, "y is given to both message.star and message.archive"),
        ({"message.star": "ctr+y"}, "“ctr+y” is not a key"),
        ({"message.star": "g y"}, "only places of the go menu can have two keys"),
    ],
)
def test_a_config_that_cannot_work_is_told_in_words(own, words):
    assert words in " ".join(keymap.build("termmail", own).problems)


def test_places_of_the_go_menu_follow_the_config():
    assert keymap.build().places()["i"] == "go.inbox"
    assert keymap.build("termmail", {"go.inbox": "g 1"}).places()["1"] == "go.inbox"


def test_keys_are_shown_as_people_write_them():
    built = keymap.build()
    assert built.shown("app.help-too") == "?"
    assert built.all_shown("message.delete") == "d  Del  #"
    assert built.shown("go.top") == "g g"
    assert built.shown("mail.check") == "F5"


def test_places_are_shown_with_the_key_that_opens_the_menu_in_this_keymap():
    assert keymap.build("mutt").shown("go.inbox") == "c i"
    assert keymap.build("termmail", {"mail.go": ""}).shown("go.inbox") == ""


def test_the_table_of_the_readme_is_that_of_the_registry():
    rows = [
        f"| `{one.id}` | {', '.join(f'`{key}`' for key in one.keys).replace('|', chr(92) + '|')} | {one.words} |"
        for one in ACTIONS
    ]
    assert "\n".join(rows) in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_an_action_is_registered_once():
    with pytest.raises(ValueError, match="registered twice"):
        declare("message.star", "y", "Star", Place.MAIL, Group.READING)
