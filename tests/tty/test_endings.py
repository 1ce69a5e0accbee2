"""How the screen ends, on a real pty: by a bug, a signal, a lost terminal, a store that cannot be opened."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.tty.stream import seen

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.tty, pytest.mark.timeout(300)]

WITH_A_BUG = """
import sys
from termmail import cli
from termmail.ui.app import TermmailApp

def broken(self):
    secret = "correct horse battery staple"
    raise RuntimeError("a bug")

TermmailApp.action_app_help = broken
sys.exit(cli.main(sys.argv[1:]))
"""

MODES_OFF = [b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?1006l", b"\x1b[?1049l", b"\x1b[?2004l", b"\x1b[?25h"]
"""Mouse tracking, the alternate screen and bracketed paste off, the cursor on."""


class Session:
    """termmail on a pty; `written` is every byte of it."""

    def __init__(self, argv: list[str], env: dict[str, str]) -> None:
        self.child = pexpect.spawn(sys.executable, argv, env=env, dimensions=(24, 80), timeout=30)
        self.child.delaybeforesend = None
        self.written = b""

    def wait(self, words: bytes) -> None:
        """Read until these words were written."""
        end = time.monotonic() + 30
        start = len(self.written)
        while words not in self.written[start:]:
            assert time.monotonic() < end, seen(self.written[-4000:])
            try:
                self.written += self.child.read_nonblocking(65536, timeout=0.2)
            except pexpect.TIMEOUT:
                continue

    def end(self) -> float:
        """Read to the end; the seconds that took."""
        begun = time.monotonic()
        while True:
            try:
                self.written += self.child.read_nonblocking(65536, timeout=30)
            except pexpect.EOF:
                break
        self.child.close()
        return time.monotonic() - begun


@pytest.fixture
def session(home: dict[str, str]) -> Callable[..., Session]:
    """`session(*argv)`: Python with these arguments on a pty."""
    return lambda *argv: Session([*argv], home)


def drafts(folder: Path) -> list[str]:
    """The texts of the drafts in the store."""
    with closing(sqlite3.connect(f"file:{folder / 'data' / 'mail.db'}?mode=ro", uri=True)) as db:
        return [body for (body,) in db.execute("SELECT body FROM draft")]


def test_a_bug_restores_the_terminal_and_prints_one_sentence(session, demo, profile, tmp_path):
    running = session("-c", WITH_A_BUG, *profile(demo(filled=False)))
    running.wait(b"is empty")
    before = len(running.written)
    running.child.send(b"?")
    running.end()
    assert running.child.exitstatus == 70
    assert all(mode in running.written for mode in MODES_OFF)
    after = running.written[before:].rpartition(b"\x1b[?1049l")[2]
    said = " ".join(seen(after).split())
    assert re.fullmatch(r"\W*termmail: Something in termmail went wrong.*termmail\.log", said), said
    assert "Traceback" not in seen(running.written)
    assert b"correct horse" not in running.written
    log = (tmp_path / "data" / "termmail.log").read_text()
    assert "RuntimeError: a bug" in log
    assert "correct horse" not in log


@pytest.mark.parametrize("damage", ["newer", "not a database", "truncated"])
def test_a_store_that_cannot_be_opened_is_one_sentence(session, demo, profile, tmp_path, damage):
    options = profile(demo(filled=False))
    first = session("-m", "termmail", *options)
    first.wait(b"is empty")
    first.child.send(b"\x11")
    first.end()
    store = tmp_path / "data" / "mail.db"
    if damage == "newer":
        with closing(sqlite3.connect(store)) as db:
            db.execute("PRAGMA user_version = 999")
    elif damage == "truncated":
        os.truncate(store, 6000)
    else:
        store.write_bytes(b"this is no database " * 1000)
    running = session("-m", "termmail", *options)
    running.end()
    said = " ".join(seen(running.written).split())
    assert running.child.exitstatus == 74, said
    assert "Traceback" not in said
    assert "locals" not in said
    assert said.count("termmail:") == 1
    assert len(seen(running.written).strip().splitlines()) <= 4, seen(running.written)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_saves_what_was_typed_and_restores_the_terminal(session, demo, profile, tmp_path, number):
    running = session("-m", "termmail", *profile(demo(filled=False)))
    running.wait(b"is empty")
    running.child.send(b"c")
    running.wait(b"Subject")
    running.child.send(b"bob@example.org\t")
    running.child.send(b"Hello\tTyped a moment ago")
    running.wait(b"moment")
    os.kill(running.child.pid, number)
    assert running.end() < 4
    assert running.child.exitstatus == 128 + number
    assert drafts(tmp_path) == ["Typed a moment ago"]
    assert all(mode in running.written for mode in MODES_OFF)


def test_the_terminal_that_goes_away_loses_nothing(session, demo, profile, tmp_path):
    running = session("-m", "termmail", *profile(demo(filled=False)))
    running.wait(b"is empty")
    running.child.send(b"c")
    running.wait(b"Subject")
    running.child.send(b"bob@example.org\tHello\tTyped a moment ago")
    running.wait(b"moment")
    os.close(running.child.child_fd)
    end = time.monotonic() + 10
    while os.waitpid(running.child.pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() < end, "the program goes on without a terminal"
        time.sleep(0.02)  # another process: there is nothing to wait on
    assert drafts(tmp_path) == ["Typed a moment ago"]


def test_typing_without_a_pause_is_saved_all_the_while(session, demo, profile, tmp_path):
    running = session("-m", "termmail", *profile(demo(filled=False)))
    running.wait(b"is empty")
    running.child.send(b"c")
    running.wait(b"Subject")
    running.child.send(b"bob@example.org\tHello\t")
    begun, number = time.monotonic(), 0
    while time.monotonic() - begun < 5:
        number += 1
        running.child.send(b"w%03d " % number)
        running.wait(b"%03d" % number)
    os.kill(running.child.pid, signal.SIGKILL)
    running.end()
    words = "".join(drafts(tmp_path)).split()
    assert len(words) > number * 0.5, (len(words), number)


@pytest.mark.parametrize("junk", [b"\xe9", b"\x1b[MC\xc0\xc1", b"\xff\xfe\x80", b"\x1b[M\xc3\x28\xa9", b"\xc3\x28"])
def test_bytes_that_are_not_utf8_end_nothing(session, demo, profile, tmp_path, junk):
    running = session("-m", "termmail", *profile(demo(filled=False)))
    running.wait(b"is empty")
    running.child.send(b"c")
    running.wait(b"Subject")
    running.child.send(b"bob@example.org\tHello\tBefore")
    running.wait(b"Before")
    running.child.send(junk)
    running.child.send(b"After")
    running.wait(b"After")
    running.child.send(b"\x11")
    running.end()
    assert running.child.exitstatus == 0
    (body,) = drafts(tmp_path)
    assert body.startswith("Before")
    assert body.endswith("After")
    assert set(body) - {*"BeforeAfter"} <= {"\ufffd", "("}
    if junk.startswith(b"\x1b[M"):
        assert body == "BeforeAfter", "a mouse report is no text"


def test_leaving_after_mails_that_take_long_to_lay_out_takes_three_seconds(session, demo, profile):
    servers = demo(filled=False)
    for number in range(8):
        rows = "".join(f"<tr><td>{row}</td><td>{number}</td></tr>" for row in range(40_000))
        head = (
            f"From: a@example.net\r\nSubject: Table {number}\r\nMessage-ID: <{number}@x>\r\nContent-Type: text/html\r\n"
        )
        servers.maildrop.add(f"{head}\r\n<table border=1>{rows}</table>\r\n".replace("</tr>", "</tr>\r\n").encode())
    running = session("-m", "termmail", *profile(servers))
    running.wait(b"8 unread")
    running.child.send(b"\r")
    running.wait(b"Esc")  # the message has the screen; its text may be here already
    for _ in range(7):
        running.child.send(b"]")
        running.wait(b"Table")
    running.child.send(b"\x11")
    assert running.end() < 3.5
    assert running.child.exitstatus == 0


def test_leaving_while_a_server_never_answers_takes_three_seconds(session, tmp_path):
    config = tmp_path / "config.toml"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        server = f'host = "127.0.0.1"\nport = {port}\nsecurity = "none"\nallow_cleartext = true\nusername = "ada"\n'
        server += 'password_command = ["echo", "secret"]\n'
        config.write_text(
            f'[accounts.a]\naddress = "ada@example.org"\n[accounts.a.pop3]\n{server}[accounts.a.smtp]\n{server}'
        )
        running = session("-m", "termmail", "--config", str(config), "--data", str(tmp_path / "data"))
        running.wait(b"Inbox")
        connection, _ = silent.accept()
        running.child.send(b"\x11")
        assert running.end() < 3.5
        connection.close()
    assert running.child.exitstatus == 0


@pytest.mark.parametrize("begun", [b"\x1b[?1049h", b"unread"], ids=["the screen has opened", "first mail is here"])
def test_leaving_the_demo_while_both_accounts_receive_is_quick_and_quiet(session, home, begun):
    running = session("-m", "termmail", "demo")
    running.wait(begun)
    running.child.send(b"\x11")
    assert running.end() < 3
    assert running.child.exitstatus == 0
    assert seen(running.written.rpartition(b"\x1b[?1049l")[2]).strip() == ""
    assert not re.search("[Ee]rror|Traceback|offline|could not", seen(running.written))
    assert list(Path(home["TMPDIR"]).iterdir()) == [], "the throw-away profile is gone"


def test_leaving_a_terminal_that_takes_nothing_any_more_takes_three_seconds(session):
    running = session("-m", "termmail", "demo")
    running.wait(b"unread")
    running.child.send(b"?" + b"\x1b[27u" + b"?\x1b[27u" * 40)  # more than the pty holds, and nobody reads it
    running.child.send(b"\x11")
    begun = time.monotonic()
    while os.waitpid(running.child.pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() - begun < 8, "it waits for the terminal"
        time.sleep(0.02)  # another process: there is nothing to wait on
