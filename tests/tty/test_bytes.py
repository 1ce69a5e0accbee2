"""Every byte a session writes to its terminal, over a mailbox of attacks: none of them is a stranger's command."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.mail.nasty import ESCAPES, EVIL_TEXTS, NASTY
from tests.tty.stream import foreign, seen
from tests.tty.terminal import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.tty, pytest.mark.timeout(600)]

ESC, ENTER, QUIT = b"\x1b[27u", b"\r", b"\x11"
"""Esc is said as the kitty protocol says it: a bare escape would make one key of itself and what follows."""
ALL_READ = rb"single messages(\x1b\[[0-9;]*m)*(  \d+ messages?|   )"
"""The title of a list of single messages without unread ones; in 40 columns the number of messages is left out."""


class Pty:
    """termmail on a bare pty; what it writes is kept, byte for byte."""

    def __init__(self, words: list[str], env: dict[str, str], size: tuple[int, int]) -> None:
        self._written = BytesIO()
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "termmail", *words],
            env=env,
            dimensions=(size[1], size[0]),
            timeout=PATIENCE,
            maxread=1 << 16,
        )
        self.child.delaybeforesend = None
        self.child.logfile_read = self._written

    def wait(self, pattern: bytes) -> re.Match[bytes]:
        """Wait for bytes that come after those waited for before."""
        try:
            self.child.expect(pattern)
        except pexpect.TIMEOUT:
            tail = " ".join(seen(self._written.getvalue()[-20_000:]).split())[-4000:]
            raise AssertionError(f"waited {PATIENCE:.0f} s for {pattern!r}; last came:\n{tail}") from None
        return self.child.match

    def press(self, key: bytes, then: bytes) -> None:
        """A key, and what is painted after it."""
        self.child.send(key)
        self.wait(then)

    def quit(self) -> bytes:
        """Leave; every byte of the session."""
        self.child.send(QUIT)
        self.child.expect(pexpect.EOF)
        self.child.close()
        assert self.child.exitstatus == 0, self.child
        return self._written.getvalue()


@pytest.fixture
def pty(home):
    @contextmanager
    def start(*words: str, size: tuple[int, int] = (80, 24)) -> Iterator[Pty]:
        pty = Pty(list(words), home, size)
        try:
            yield pty
        finally:
            pty.child.close(force=True)

    return start


def read_everything(pty: Pty, unread: int) -> None:
    """From the top of the inbox, each message until its text is on the screen: it counts as read then."""
    pty.press(ENTER, b"%d unread" % (unread - 1))
    for left in range(unread - 2, 0, -1):
        pty.press(b"]", rb"\b%d unread" % left)
    pty.press(b"]", ALL_READ)


def look(pty: Pty, key: bytes, words: bytes, title: bytes) -> None:
    """Open a screen over the mailbox, and come back: to its title in full light, which dialogs over it have dimmed."""
    pty.press(key, words)
    pty.press(ESC, re.escape(title))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (40, 12)], ids="{0[0]}x{0[1]}".format)
def test_the_demo_mailbox_read_to_its_end_says_nothing_to_the_terminal(pty, size):
    with pty("demo", size=size) as session:
        session.wait(b"65 unread")  # of both accounts
        session.press(b"T", b"Single messages")
        session.press(b"X", b"70 messages selected")
        session.press(b"u", b"Mark as read")  # so many are changed after a look at them
        session.press(b"y", b"Marked as read")
        session.press(b"u", b"Mark as unread")
        session.press(b"y", b"70 unread")
        read_everything(session, 70)
        written = session.quit()
    assert foreign(written) == {}
    assert "[@click=app.quit" in seen(written), "markup is shown as it was written"


def test_nothing_of_four_hundred_nasty_mails_reaches_the_terminal_as_a_command(pty, demo, profile):
    servers = demo(filled=False)
    for raw in NASTY.values():
        servers.maildrop.add(raw)
    with pty(*profile(servers)) as session:
        session.wait(b"%d unread" % len(NASTY))
        session.press(b"T", b"Single messages")
        read_everything(session, len(NASTY))
        written = session.quit()
    assert foreign(written) == {}


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("where", ["raw everywhere", "base64 text and file name"])
def test_hostile_text_is_harmless_on_every_screen_it_gets_to(pty, demo, profile, size, where):
    """An attack in each subject, name, header, text or file name: read, source, attachments, reply, help, search."""
    servers = demo(filled=False)
    mails = [NASTY[name] for name in NASTY if name.endswith(where)]
    for raw in mails:
        servers.maildrop.add(raw)
    with pty(*profile(servers), size=size) as session:
        title = session.wait(rb"(\x1b\[[0-9;]+m Inbox)\x1b[^ ]+  %d unread" % len(mails)).group(1)
        session.press(b"T", b"Single messages")
        for left in range(len(mails) - 1, -1, -1):
            session.press(b"]" if left < len(mails) - 1 else ENTER, rb"\b%d unread" % left if left else ALL_READ)
            look(session, b"V", b"Source", title)
            look(session, b"r", b"Reply", title)
            if "file" in where:
                look(session, b"A", b"2 attachments", title)
        look(session, b"?", b"All keys", title)
        session.press(ESC + b"/", b"Search all mail")  # with the focus in the message, / looks in it
        session.press(b"innocent", b"%d found" % len(mails))
        session.press(ENTER, b"reply")
        session.press(b"d", b"Deleted")
        session.press(b"z", b"1 message back")
        written = session.quit()
    assert foreign(written) == {}


@pytest.mark.parametrize("name", ESCAPES)
def test_the_judge_of_bytes_finds_each_attack(name):
    """The test of the test: what the mails carry, put through raw, is found."""
    attack = EVIL_TEXTS[name]
    assert foreign(f"\x1b[1mInbox\x1b[0m\r\n{attack}".encode()) != {} or name == "csi colour"


def test_the_judge_of_bytes_finds_raw_c1():
    assert foreign(b"\x1b[1mInbox \x9b2J") != {}
    assert foreign(b"\x1b[1mInbox \xc2\x9b2J") != {}
    assert foreign("\u202eabc".encode()) != {}
    assert foreign("\x1b[2;3HInbox\r\n👩‍👩‍👧‍👦 ❤️ 漢字\x1b]22;default\x07".encode()) == {}
