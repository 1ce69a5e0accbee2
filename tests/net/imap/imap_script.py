"""IMAP servers for the tests: `Honest`, which can be told to lie in single answers, and `scripted`, which only lies."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from termmail.credential import Password
from termmail.net.imap.imap_session import ImapSession
from termmail.net.imap.uid_set import UidSet
from termmail.net.stream import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

USER, PASSWORD = "ada", "analytical-engine"
PLAIN = ("IMAP4rev1", "SASL-IR", "AUTH=PLAIN")
"""What an old server announces."""
FULL = (
    *PLAIN,
    *("LITERAL+", "ID", "ENABLE", "CONDSTORE", "QRESYNC", "ESEARCH", "LIST-STATUS", "LIST-EXTENDED", "SPECIAL-USE"),
    *("UIDPLUS", "MOVE", "IDLE", "UNSELECT", "NAMESPACE"),
)


def server(port: int, **options: Any) -> Server:
    """Where it listens: in the clear unless told otherwise."""
    given = {"security": "none", "allow_cleartext": True, "timeout_seconds": 10.0, "host": "127.0.0.1", **options}
    return Server(kind="imap", port=port, username=USER, credential=Password(PASSWORD), **given)


def header(uid: int) -> bytes:
    return f"From: Bob <bob@example.org>\r\nSubject: Number {uid}\r\nMessage-ID: <{uid}@example.org>\r\n\r\n".encode()


@dataclass
class Mail:
    raw: bytes
    flags: set[str] = field(default_factory=set)
    modseq: int = 1


def mails(count: int, first: int = 1) -> dict[int, Mail]:
    return {uid: Mail(header(uid) + b"hello\r\n", modseq=uid) for uid in range(first, first + count)}


@dataclass
class Honest:
    """A well-behaved server for one folder, INBOX, that also knows Trash. `answers` replaces the answer to a verb
    ("UID FETCH") or to a whole command: bytes, in which TAG stands for the tag, or a function of the arguments that
    returns bytes or None for the true answer. `b"DROP"` at an answer's end drops the connection behind it."""

    mails: dict[int, Mail] = field(default_factory=dict)
    capabilities: tuple[str, ...] = FULL
    greeting: bytes = b"* OK ready\r\n"
    answers: dict[str, Any] = field(default_factory=dict)
    uidvalidity: int = 77
    before_idling: bytes = b""
    said: list[str] = field(default_factory=list)
    writes: list[list[str]] = field(default_factory=list)
    port: int = 0
    appended: list[bytes] = field(default_factory=list)
    trash: dict[int, Mail] = field(default_factory=dict)
    sessions: list[_Session] = field(default_factory=list)

    def where(self, **options: Any) -> Server:
        return server(self.port, **options)

    @property
    def commands(self) -> list[str]:
        """What was said, without tags."""
        return [line.split(" ", 1)[1] for line in self.said if " " in line]

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator[Honest]:
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(lambda: _Session(self), "127.0.0.1", 0, ssl=tls)
        self.port = listener.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            listener.close()
            for session in self.sessions:
                session.transport.abort()
            await listener.wait_closed()

    def tell(self, data: bytes) -> None:
        """Say something unasked, to the last client."""
        self.sessions[-1].transport.write(data)

    def highest(self) -> int:
        return max((mail.modseq for mail in self.mails.values()), default=1)


class _Session(asyncio.Protocol):
    def __init__(self, honest: Honest) -> None:
        self.honest, self.buffer, self.idle_tag = honest, b"", b""
        self.line = b""
        self.literals: list[bytes] = []
        self.waits_for = ""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.honest.sessions.append(self)
        transport.write(self.honest.greeting)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self.honest.writes.append([])
        while (out := self._next()) is not None:
            self.transport.write(out.removesuffix(b"DROP"))
            if out.endswith(b"DROP"):
                self.transport.close()
                return

    def _next(self) -> bytes | None:
        """The answer to the next command, or to the next part of one."""
        line, found, rest = self.buffer.partition(b"\r\n")
        if not found:
            return None
        literal = re.search(rb"\{(\d+)(\+?)\}$", line)
        if literal is None:
            self.buffer = rest
            whole, self.line = self.line + line, b""
            literals, self.literals = self.literals, []
            return self._answer(whole, literals)
        size = int(literal[1])
        if literal[2]:
            if len(rest) < size:
                return None
            self.literals.append(rest[:size])
            self.line += line[: literal.start()] + b"{}"
            self.buffer = rest[size:]
            return b""
        if not self.waits_for:
            self.waits_for = "literal"
            return b"+ go on\r\n"
        if len(rest) < size:
            return None
        self.waits_for = ""
        self.literals.append(rest[:size])
        self.line += line[: literal.start()] + b"{}"
        self.buffer = rest[size:]
        return b""

    def _answer(self, line: bytes, literals: list[bytes]) -> bytes:
        honest, text = self.honest, line.decode("utf-8", "replace")
        honest.said.append(text)
        honest.writes[-1].append(text)
        if self.idle_tag:
            tag, self.idle_tag = self.idle_tag, b""
            if text.isascii() and text == "DONE":
                return tag + b" OK idled\r\n"
            return tag + b" OK\r\n"
        tag, _, rest = text.partition(" ")
        verb, _, words = rest.partition(" ")
        if verb == "UID":
            second, _, words = words.partition(" ")
            verb += " " + second
        told = honest.answers.get(rest, honest.answers.get(verb))
        if callable(told):
            told = told(words)
        if told is None:
            told = self._honest(verb, words, literals, tag.encode())
        return re.sub(rb"(?<!\()TAG\b", tag.encode(), told)

    def _honest(self, verb: str, words: str, literals: list[bytes], tag: bytes) -> bytes:
        honest = self.honest
        box, names = honest.mails, " ".join(honest.capabilities).encode()
        if verb == "CAPABILITY":
            return b"* CAPABILITY " + names + b"\r\nTAG OK\r\n"
        if verb in {"AUTHENTICATE", "LOGIN"}:
            return b"TAG OK [CAPABILITY " + names + b"] welcome\r\n"
        if verb == "ENABLE":
            return b"* ENABLED " + words.encode() + b"\r\nTAG OK\r\n"
        if verb == "ID":
            return b'* ID ("name" "Honest")\r\nTAG OK\r\n'
        if verb == "LOGOUT":
            return b"* BYE\r\nTAG OK\r\nDROP"
        if verb == "IDLE":
            self.idle_tag = tag
            return honest.before_idling + b"+ idling\r\n"
        if verb == "LIST":
            rows = (
                b'* LIST (\\HasNoChildren) "/" INBOX\r\n* LIST (\\Trash) "/" Trash\r\n* LIST (\\Noselect) "/" "a b"\r\n'
            )
            if "STATUS" in words:
                rows += self._status("INBOX") + self._status("Trash")
            return rows + b"TAG OK\r\n"
        if verb == "STATUS":
            return self._status(words.split(" ", maxsplit=1)[0]) + b"TAG OK\r\n"
        if verb in {"SELECT", "EXAMINE"}:
            return self._select(words)
        if verb == "APPEND":
            honest.appended += literals
            return b"TAG OK [APPENDUID 5 %d] done\r\n" % len(honest.appended)
        if verb == "UID SEARCH":
            found = [uid for uid, mail in box.items() if "DELETED" not in words or "\\Deleted" in mail.flags]
            if words.startswith("RETURN"):
                told = b" ALL " + UidSet.of(found).encode() if found else b""
                return b'* ESEARCH (TAG "TAG") UID' + told + b"\r\nTAG OK\r\n"
            return b"* SEARCH" + b"".join(b" %d" % uid for uid in found) + b"\r\nTAG OK\r\n"
        if verb == "UID FETCH":
            return b"".join(self._rows(words)) + b"TAG OK fetched\r\n"
        if verb == "UID STORE":
            chosen, item, flags = words.split(" ", 2)
            for uid in UidSet.parse(chosen.encode()).among(list(box)):
                change = set(flags.strip("()").split())
                box[uid].flags = box[uid].flags | change if item[0] == "+" else box[uid].flags - change
            return b"TAG OK\r\n"
        if verb in {"UID COPY", "UID MOVE"}:
            chosen = UidSet.parse(words.split(" ", maxsplit=1)[0].encode()).among(list(box))
            if not chosen:
                return b"TAG OK nothing\r\n"
            first = 100 + len(honest.trash)
            honest.trash |= {first + at: box[uid] for at, uid in enumerate(chosen)}
            code = b"[COPYUID 9 %b %d:%d]" % (UidSet.of(chosen).encode(), first, first + len(chosen) - 1)
            if verb == "UID COPY":
                return b"TAG OK " + code + b" done\r\n"
            return b"* OK " + code + b" moved\r\n" + self._remove(chosen) + b"TAG OK\r\n"
        if verb in {"UID EXPUNGE", "EXPUNGE"}:
            chosen = UidSet.parse(words.encode()).among(list(box)) if words else list(box)
            return self._remove([uid for uid in chosen if "\\Deleted" in box[uid].flags]) + b"TAG OK\r\n"
        return b"TAG OK\r\n"

    def _remove(self, uids: list[int]) -> bytes:
        for uid in uids:
            del self.honest.mails[uid]
        return b"* VANISHED " + UidSet.of(uids).encode() + b"\r\n" if uids else b""

    def _status(self, name: str) -> bytes:
        box = self.honest.mails if name == "INBOX" else self.honest.trash
        return b"* STATUS %b (MESSAGES %d UIDNEXT %d UIDVALIDITY %d UNSEEN 0)\r\n" % (
            name.encode(),
            len(box),
            max(box, default=0) + 1,
            self.honest.uidvalidity,
        )

    def _select(self, words: str) -> bytes:
        honest = self.honest
        known = re.search(r"QRESYNC \((\d+) (\d+)\)", words)
        rows = b""
        if known and int(known[1]) == honest.uidvalidity:
            rows = b"".join(self._rows(f"1:4294967295 (UID FLAGS) (CHANGEDSINCE {known[2]})"))
        return (
            b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
            b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)] yes\r\n"
            + b"* %d EXISTS\r\n* OK [UIDVALIDITY %d] ok\r\n" % (len(honest.mails), honest.uidvalidity)
            + b"* OK [UIDNEXT %d]\r\n* OK [HIGHESTMODSEQ %d]\r\n" % (max(honest.mails, default=0) + 1, honest.highest())
            + rows
            + b"TAG OK [READ-WRITE] open\r\n"
        )

    def _rows(self, words: str):
        chosen, items = words.replace("1:*", "1:4294967295").split(" ", 1)
        since = re.search(r"CHANGEDSINCE (\d+)", items)
        piece = re.search(r"BODY.PEEK\[\]<(\d+)\.(\d+)>", items)
        for number, (uid, mail) in enumerate(sorted(self.honest.mails.items()), 1):
            if uid not in UidSet.parse(chosen.encode()) or (since and mail.modseq <= int(since[1])):
                continue
            flags = " ".join(sorted(mail.flags)).encode()
            row = b"* %d FETCH (UID %d FLAGS (%b) MODSEQ (%d)" % (number, uid, flags, mail.modseq)
            if "SIZE" in items:
                row += b' RFC822.SIZE %d INTERNALDATE "01-Jan-2024 00:00:00 +0000"' % len(mail.raw)
            if "HEADER" in items:
                head = mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
                row += b" BODY[HEADER] {%d}\r\n" % len(head) + head
            if piece:
                begin, length = int(piece[1]), int(piece[2])
                part = mail.raw[begin : begin + length]
                row += b" BODY[]<%d> {%d}\r\n" % (begin, len(part)) + part
            yield row + b")\r\n"


@asynccontextmanager
async def opened(honest: Honest, trace=None, **options) -> AsyncIterator[ImapSession]:
    async with honest.running():
        session = await ImapSession.open(honest.where(**options), trace)
        try:
            yield session
        finally:
            await session.close()


@asynccontextmanager
async def in_inbox(honest: Honest, **options):
    async with opened(honest, **options) as session:
        yield await session.select(b"INBOX")
