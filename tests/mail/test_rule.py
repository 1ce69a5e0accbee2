"""What a rule does, in words, and with another name of a folder or label."""

from __future__ import annotations

import pytest

from termmail.mail.rule import Verb, acts, effects, renamed, written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("star", "Stars it"),
        ("label:work, archive", "Labels it work, archives it"),
        ("label:new one, read", "Labels it new one (a new label), marks it as read"),
        ("move:Lists, mute", "Mutes its conversation, moves it to Lists"),
        ("delete", "Deletes it"),
    ],
)
def test_what_a_rule_does_is_said_in_words(text: str, words: str) -> None:
    assert effects(acts(text), ["new one"]) == words


def test_hostile_names_are_cleaned_in_the_words() -> None:
    assert "\x1b" not in effects(acts("label:\x1b[31mred"))


def test_only_the_verb_that_names_it_follows_a_new_name() -> None:
    found = renamed(acts("label:Work, move:work"), Verb.LABEL, "work", "job")
    assert written(found) == "label:job, move:work"
