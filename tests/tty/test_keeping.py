"""What a person would miss most, in a real terminal: a first set-up by keyboard, $EDITOR, and a draft after kill -9."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

pytestmark = [pytest.mark.tty, pytest.mark.timeout(400)]


def fill(shown, label, text):
    """Go on to the field with this label, clear it, and fill it in."""
    shown.press("Tab", "C-e", "C-u")
    shown.type(text)
    shown.until(lambda _: shown.at_cursor().endswith(f"{label} {text}"), f"{text} in {label}")


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (40, 12)], ids="{0[0]}x{0[1]}".format)
def test_an_account_is_set_up_with_the_keyboard_alone(terminal, demo, tmp_path, size):
    servers = demo()
    config = tmp_path / "new" / "config.toml"
    options = ("--config", str(config), "--data", str(tmp_path / "new" / "data"))
    with terminal(*options, size=size) as shown:
        shown.wait("Welcome to termmail", "Address")
        shown.type(servers.user)
        shown.press("Tab")
        shown.type("Ada Lovelace")
        shown.press("Tab")
        shown.type(servers.password)
        shown.wait("Your name Ada Lovelace Password " + "•" * len(servers.password))
        shown.press("Tab", "Tab", "Right")  # over the button that asks the domain
        shown.wait("( ) IMAP (x) POP3")
        for port, to_the_last_line in ((servers.pop3_port, ("Tab", "Tab")), (servers.smtp_port, ("Tab",))):
            fill(shown, "Server", servers.host)
            fill(shown, "Port", str(port))
            shown.press("Tab", "Enter")
            shown.wait("STARTTLS", "readable by anyone")
            shown.press("End", "Enter")
            shown.wait("[ ] Send my password", gone=["STARTTLS"])
            shown.press("Tab", "Space")
            shown.wait("[x] Send my password")
            shown.press(*to_the_last_line)
        shown.press("F9")
        shown.wait("Open your inbox")
        assert servers.password not in shown.screen()
        shown.press("Enter")
        shown.wait("Inbox 62 unread 62 messages", "Welcome to")
        shown.press("q")
        shown.ended(0)
    assert config.stat().st_mode & 0o777 == 0o600
    assert servers.password not in config.read_text()


def test_the_editor_gets_the_terminal_and_gives_it_back(terminal, tmp_path):
    editor = tmp_path / "editor.sh"
    editor.write_text("""printf 'the editor has it\\n'; read word; printf '%s\\n' "$word" >>"$1" """)
    with terminal("demo", EDITOR=f"sh {editor}") as shown:
        shown.wait("All inboxes 65 unread 70 messages", "c write")
        shown.press("c")
        shown.wait("New message", "F4 $EDITOR")
        shown.press("F4")
        shown.wait("the editor has it", gone=["New message"])
        assert (shown.told("alternate_on"), shown.told("cursor_flag"), shown.told("mouse_any_flag")) == ("0", "1", "0")
        shown.type("written elsewhere")
        shown.press("Enter")
        shown.wait("New message", "written elsewhere", "F4 $EDITOR", gone=["the editor has it"])
        assert (shown.told("alternate_on"), shown.told("mouse_any_flag")) == ("1", "1")
        shown.press("Escape")
        shown.wait("The draft is in Drafts", "c write")
        shown.press("q")
        shown.ended(0)


@pytest.mark.parametrize(
    ("script", "words"),
    [("", "There is no program no-such-editor; set $EDITOR"), ("#!/no/such/interpreter\n", "was not found")],
    ids=["missing", "without its interpreter"],
)
def test_an_editor_that_cannot_start_is_named_and_gives_the_screen_back(terminal, tmp_path, script, words):
    editor = "no-such-editor"
    if script:
        path = tmp_path / "editor.sh"
        path.write_text(script)
        path.chmod(0o700)
        editor = str(path)
    with terminal("demo", EDITOR=editor) as shown:
        shown.wait("All inboxes 65 unread 70 messages", "c write")
        shown.press("c")
        shown.wait("New message", "F4 $EDITOR")
        shown.press("F4")
        shown.wait("New message", words, "F4 $EDITOR")
        assert (shown.told("alternate_on"), shown.told("mouse_any_flag")) == ("1", "1")
        shown.press("C-c")  # ends nothing
        shown.press("Escape")
        shown.wait("c write")
        shown.press("q")
        shown.ended(0)


def stored(folder: Path) -> str:
    """The texts of the drafts in the store."""
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'mail.db'}?mode=ro", uri=True)) as db:
        return "".join(body for (body,) in db.execute("SELECT body FROM draft"))


def test_kill_9_in_the_composer_keeps_the_draft(terminal, demo, profile, tmp_path):
    options = profile(demo(filled=False))
    with terminal(*options) as shown:
        shown.wait("Inbox is empty", "c write")
        shown.press("c")
        shown.wait("New message")
        shown.type("bob@example.org")
        shown.wait("To bob@example.org")
        fill(shown, "Subject", "Not lost")
        shown.press("Tab")
        shown.until(lambda _: "Subject" not in shown.at_cursor(), "the cursor in the text")
        shown.type("A sentence that nobody saved.")
        shown.wait("A sentence that nobody saved.", "Saved ")
        shown.until(lambda _: "nobody saved" in stored(tmp_path), "the pause after which a draft is kept")
        os.kill(shown.pid, signal.SIGKILL)
        shown.wait("exit code 137")
    with terminal(*options) as shown:
        shown.wait("Inbox is empty", "c write")
        shown.press("g")
        shown.wait("Go to", "Drafts")
        shown.press("d")
        shown.wait("Drafts 1 draft", "Not lost")
        shown.press("Enter")
        shown.wait("To bob@example.org", "Subject Not lost", "A sentence that nobody saved.", "F9 send")
        shown.press("Escape")
        shown.wait("c write", gone=["F9 send"])
        shown.press("q")
        shown.ended(0)


def test_a_missing_config_key_is_told_before_the_screen_opens(terminal, tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[accounts.work]\naddress = "ada@example.org"\n')
    with terminal("--config", str(config), "--data", str(tmp_path / "data")) as shown:
        shown.wait("accounts.work", "config.toml")
        shown.ended(78)
    assert not Path(tmp_path / "data" / "mail.db").exists()
