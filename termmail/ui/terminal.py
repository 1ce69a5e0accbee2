"""The terminal's input as bytes: whatever comes in, it becomes keys and mouse events, and never ends the program."""

from __future__ import annotations

import os
import re
import selectors
import string
import termios
import tty
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING, Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.keys import _character_to_key
from textual.message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable

_X10_MOUSE = re.compile(rb"\x1b\[M(.)(.)(.)", re.DOTALL)
_X10_BEGUN = re.compile(rb"\x1b\[M.{0,2}\Z", re.DOTALL)
"""A mouse report whose end is not here yet."""

ALTERNATE_SCREEN = "\x1b[?1049h"

PAUSE = 0.1
"""Seconds without a byte after which an escape is a key."""

_BIAS = 32
"""What the X10 encoding adds to buttons and coordinates."""

_AFTER_ESCAPE = {*string.ascii_letters, *string.digits, *string.punctuation, " ", "\r"} - {*"[]OPX^_\\", *"bf"}
"""Characters that begin no control sequence, and are not how a terminal writes Alt+Left and Alt+Right (ESC b, ESC f)."""

_RELEASED, _MOVED = 3, 32
"""Button bits: no button any more; the pointer has moved."""


class TerminalGone(Message):
    """Nothing can be read from the terminal any more: its window or its connection is closed."""


class InputDecoder:
    """Bytes of a terminal to text. Bytes that are not UTF-8 become U+FFFD.

    Mouse reports in the X10 encoding (a terminal that does not know SGR mode sends them, and beyond column 95 they
    are not UTF-8) are rewritten to SGR mode, which Textual understands.
    """

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("replace").decode
        self._begun = b""
        """The start of a mouse report, kept until its end is here."""
        self._passed = b""
        """An escape that was passed on at once, for it may be a key, and may begin a mouse report all the same."""

    def feed(self, data: bytes) -> str:
        """Decode the next bytes."""
        passed = len(self._passed)
        whole = _X10_MOUSE.sub(_as_sgr, self._passed + self._begun + data)
        begun = _X10_BEGUN.search(whole)
        end = max(passed, begun.start()) if begun else len(whole)
        given, self._begun = whole[passed:end], whole[end:]
        self._passed = next((start for start in (b"\x1b[", b"\x1b") if whole[:end].endswith(start)), b"")
        return self._decode(given)

    @property
    def keeps(self) -> bool:
        """Whether a mouse report has begun, and its end is not here yet."""
        return bool(self._begun)

    def pause(self) -> str:
        """Decode what is kept behind an escape that was passed on, after a pause: the escape is a key by now."""
        kept = self._begun if self._passed else b""
        self._begun = self._begun[len(kept) :]
        self._passed = b""
        return self._decode(kept)


def _as_sgr(report: re.Match[bytes]) -> bytes:
    button, column, row = (group[0] - _BIAS for group in report.groups())
    released = button & _RELEASED == _RELEASED and not button & _MOVED
    return b"\x1b[<%d;%d;%d%c" % (0 if released else button, max(1, column), max(1, row), b"m" if released else b"M")


class KeyParser(XTermParser):
    """Textual's parser, which knows an escape and a character as soon as both are there.

    Textual waits for more, and then forgets the escape unless the character is a letter. The key is `alt+` and its
    name, with the character; an Alt key that a terminal sends as a control sequence has none.
    """

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        escape, character = sequence[:1], sequence[1:]
        if escape == "\x1b" and character in _AFTER_ESCAPE:
            name = "enter" if character == "\r" else _character_to_key(character)
            return [events.Key(f"alt+{name}", character)]
        return super()._sequence_to_key_events(sequence, alt)


def parsed(decoder: InputDecoder, parser: KeyParser, data: bytes) -> Iterable[Message]:
    """Return the events that are complete with the next bytes, or with the pause that b"" stands for."""
    if text := decoder.feed(data) if data else decoder.pause():  # an empty text would be the parser's end
        yield from parser.feed(text)
    if not decoder.keeps:  # what follows belongs to the escape that the parser has
        yield from parser.tick()


class TolerantDriver(LinuxDriver):
    """Textual's driver for Linux and macOS.

    It reads through InputDecoder, notices that the terminal is gone, and never waits for a terminal that takes nothing.
    It takes over a screen that was drawn before.
    """

    _drawn_before = False
    _started = False

    def start_application_mode(self) -> None:
        """Start; what is drawn from then on waits in a queue without a limit.

        Textual's holds 30 pieces, and the loop stops at the next one: no mail is sent, no draft saved and no key heard
        while ctrl+s or a dead connection stops the output.
        """
        early = getattr(self._app, "early_screen", None)
        self._drawn_before = early is not None and not early.taken
        before = self._hear_every_key() if early is None and not self._started else None
        self._started = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's has no annotation
        if before is not None:
            self.attrs_before = before
        if early is not None and self._drawn_before:
            self._drawn_before = False
            self.attrs_before, early.taken = early.before, True
        if self._writer_thread is not None:
            self._writer_thread._queue.maxsize = 0  # noqa: SLF001 - Textual has no setting for it

    def _hear_every_key(self) -> list[Any] | None:
        """Let the terminal keep no key for itself, and return its settings as they were; None where it has none.

        Textual does so after its first output: a ctrl+q that is typed at the sight of that would be lost.
        """
        try:
            before, changed = termios.tcgetattr(self.fileno), termios.tcgetattr(self.fileno)
            changed[tty.LFLAG] = self._patch_lflag(changed[tty.LFLAG])
            changed[tty.IFLAG] = self._patch_iflag(changed[tty.IFLAG])
            termios.tcsetattr(self.fileno, termios.TCSANOW, changed)
        except termios.error:
            return None
        return before

    def write(self, data: str) -> None:
        """Write to the terminal; not what would clear the screen that is drawn already."""
        if not (self._drawn_before and data == ALTERNATE_SCREEN):
            super().write(data)

    def run_input_thread(self) -> None:
        """Read until the app ends or the terminal is gone; runs in the driver's input thread."""
        decoder, parser = InputDecoder(), KeyParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(PAUSE):
                    try:
                        data = os.read(self.fileno, 4096)
                    except OSError:  # EIO: the other end of the pty is closed
                        data = b""
                    if not data:
                        self.send_message(TerminalGone())
                        return
                else:
                    data = b""
                for event in parsed(decoder, parser, data):
                    self.process_message(event)
