"""ctrl+z: to the shell and back, in a real terminal."""

from __future__ import annotations

import sys

import pytest

from tests.tty.terminal import Terminal

pytestmark = [pytest.mark.tty, pytest.mark.timeout(400)]


def test_ctrl_z_leads_to_the_shell_and_fg_back(home):
    with Terminal(["bash", "--norc", "--noprofile"], (80, 24), home | {"PS1": "shell> "}) as shown:
        shown.wait("shell>")
        shown.type(f"{sys.executable} -m termmail demo")
        shown.press("Enter")
        shown.wait("All inboxes 65 unread 70 messages", "c write")
        shown.press("C-z")
        shown.wait("Stopped", "shell>", gone=["c write"])
        assert (shown.told("alternate_on"), shown.told("mouse_any_flag")) == ("0", "0")
        shown.type("echo the shell hears")
        shown.press("Enter")
        shown.wait("the shell hears shell>")
        shown.resize(100, 30)
        shown.type("fg")
        shown.press("Enter")
        shown.wait("All inboxes 65 unread 70 messages", "q quit", "e archive")
        assert (shown.told("alternate_on"), shown.told("mouse_any_flag")) == ("1", "1")
        shown.press("j", "Enter")
        shown.wait("All inboxes 64 unread")
        shown.press("C-z")
        shown.wait("Stopped", "shell>", gone=["All inboxes"])
        shown.type("fg")
        shown.press("Enter")
        shown.wait("All inboxes 64 unread", "Esc back")
        shown.press("C-q")
        shown.until(lambda seen: seen.endswith("shell>"), "the prompt, which comes after the program has ended")
        shown.type("exit")
        shown.press("Enter")
        shown.ended(0)


def test_ctrl_z_does_nothing_where_no_shell_waits(terminal):
    with terminal("demo") as shown:
        shown.wait("All inboxes 65 unread 70 messages", "c write")
        shown.press("C-z")
        shown.wait("There is no shell to return to.", "c write")
        shown.press("C-c")
        shown.wait("q quits")
        shown.press("q")
        shown.ended(0)
