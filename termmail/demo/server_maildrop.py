"""The maildrop of the embedded POP3 server: messages with their UIDLs, and the bytes of TOP and RETR."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Stored:
    """One message in a maildrop.

    `raw` is as given, with a CRLF added if the last line has none. `gone` is set when it is removed, also for sessions
    that still count it.
    """

    __slots__ = ("_header", "gone", "raw", "uidl")

    def __init__(self, raw: bytes, uidl: bytes) -> None:
        self.raw = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
        self.uidl = uidl
        self.gone = False
        self._header = b""

    def header(self) -> bytes:
        """Return the header block and the empty line behind it, stuffed; computed once."""
        if not self._header:
            end = self.raw.find(b"\r\n\r\n")
            self._header = stuffed(self.raw if end < 0 else self.raw[: end + 4])
        return self._header

    def top(self, lines: int) -> bytes:
        """Return the header block, the empty line, and the first `lines` lines of the body, stuffed."""
        header = self.header()
        start = end = self.raw.find(b"\r\n\r\n") + 4
        if lines == 0 or start < 4:
            return header
        for _ in range(lines):
            found = self.raw.find(b"\r\n", end)
            if found < 0:
                break
            end = found + 2
        return header + stuffed(self.raw[start:end])


def stuffed(raw: bytes) -> bytes:
    """Double each dot at the start of a line (RFC 1939 section 3)."""
    if raw.startswith(b"."):
        raw = b"." + raw
    return raw.replace(b"\r\n.", b"\r\n..") if b"\r\n." in raw else raw


class Maildrop:
    """The messages of one user, oldest first. `locked` is True while a session has it open."""

    def __init__(self, password: str, messages: Iterable[bytes] = ()) -> None:
        self.password = password
        self.messages: list[Stored] = []
        self.locked = False
        self._count = 0
        for raw in messages:
            self.add(raw)

    def add(self, raw: bytes, uidl: bytes | None = None) -> Stored:
        """Add a message at the end. Without a UIDL it gets a new one, never one given before."""
        self._count += 1
        stored = Stored(raw, b"%08x-%04x" % (0x65F00000 + self._count, self._count % 7919) if uidl is None else uidl)
        self.messages.append(stored)
        return stored

    def remove(self, *stored: Stored) -> None:
        """Remove messages, as another client of the same maildrop would."""
        for one in stored:
            one.gone = True
        self.messages = [one for one in self.messages if not one.gone]

    def uidls(self) -> list[bytes]:
        """Return the UIDLs of the messages."""
        return [stored.uidl for stored in self.messages]
