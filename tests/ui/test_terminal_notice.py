"""The control sequences that make a terminal notify, and what no subject can do in them."""

from __future__ import annotations

import pytest

from termmail.accounts.config import Notifications
from termmail.engine.announcer import announcement
from termmail.store.messages import Arrival
from termmail.ui.terminal_notice import announce, sequence
from tests.mail.nasty import EVIL_TEXTS


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({"TERM": "xterm-256color"}, "\x1b]9;termmail: "),
        ({"TERM": "xterm-kitty"}, "\x1b]99;i=termmail:d=1;termmail: "),
        ({"TERM": "foot"}, "\x1b]777;notify;termmail;"),
        ({"TERM": "xterm-256color", "VTE_VERSION": "7600"}, "\x1b]777;notify;termmail;"),
    ],
)
def test_the_terminal_gets_the_sequence_that_it_knows(environment, begins):
    made = sequence("New mail from Ada: Note G", environment=environment)
    assert made.startswith(begins)
    assert made.endswith("New mail from Ada: Note G\x1b\\")


def test_tmux_hands_it_on_to_the_terminal_around_it():
    made = sequence("New mail", "osc9", {"TMUX": "/tmp/tmux-0/default,1,0"})
    assert made == "\x1bPtmux;\x1b\x1b]9;termmail: New mail\x1b\x1b\\\x1b\\"


@pytest.mark.parametrize("kind", ["osc9", "osc777", "osc99"])
@pytest.mark.parametrize("tmux", ["", "yes"])
def test_no_text_of_a_stranger_ends_the_sequence_or_begins_another(kind, tmux):
    frame = sequence("X", kind, {"TMUX": tmux})
    for evil in [*EVIL_TEXTS, "a\x07b", "a\x9cb", "a\x1b\\b", "\x9d0;x", "a;b;c\u2028d", "4;1;50"]:
        for words in (evil, announcement([Arrival("a", evil, evil)]).words):
            before, _, after = frame.partition("X")
            made = sequence(words, kind, {"TMUX": tmux})
            assert made.startswith(before)
            assert made.endswith(after)
            inside = made[len(before) : len(made) - len(after)]
            assert inside.isprintable()
            assert kind != "osc777" or ";" not in inside


@pytest.mark.parametrize(("how", "written"), [("terminal", "]9;termmail: New mail from Ada: Note G"), ("off", "")])
def test_only_the_terminal_is_written_to_where_the_config_says_so(how, written):
    class Driver:
        def __init__(self):
            self.out = ""

        def write(self, text):
            self.out += text

    class Preferences:
        notifications = Notifications(new_mail=how, sequence="osc9")

    class Engine:
        preferences = Preferences()

    class App:
        engine = Engine()
        _driver = Driver()

    announce(App(), announcement([Arrival("a", "Ada", "Note G")]))
    assert written in App._driver.out
    assert bool(App._driver.out) == bool(written)
