"""POP3 without I/O: commands out as bytes, bytes in, events out (RFC 1939, 2449, 2595, 5034, 6856).

Invariant: each answer belongs to the oldest unanswered command. Unsolicited bytes, a line that is not a status line, or
an exceeded limit mean that client and server are out of step: `next_event` raises, and from then on raises the same
error. Only CRLF ends a line and only CRLF.CRLF ends a multi-line answer, whatever else the mail in it holds. How the
bytes are split into reads makes no difference to the events.

    protocol = Pop3Protocol()
    socket.sendall(protocol.send(command("TOP", 7, 0)))
    protocol.receive(socket.recv(65536))          # b"" at the end of the connection
    while (event := protocol.next_event()) is not None: ...
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from termmail.net.net_errors import NetError, Offline, ProtocolError, plaintext_before_tls
from termmail.net.pop3.dot_stuffing import ROW_LIMIT, Body
from termmail.net.pop3.responses import parse_stat, response_code

STATUS_LIMIT = 8192
"""Bytes of a status line."""
CAPA_ROWS = 100
LIST_ROWS = 1_000_000
ROW_SLACK = 1000
"""Rows of LIST and UIDL that are accepted beyond the count of STAT."""
LISTING_LIMIT = 80 << 20
"""Bytes of a LIST or UIDL answer, whatever its rows."""
HEADER_LIMIT = 1 << 20
"""Bytes of an answer to TOP n 0."""
MESSAGE_LIMIT = 128 << 20
"""Bytes of a message, on the wire."""


class State(Enum):
    """The state of a session (RFC 1939 section 3)."""

    GREETING = "greeting"
    AUTHORIZATION = "authorization"
    TLS = "tls begins"
    TRANSACTION = "transaction"
    CLOSED = "closed"


class Verb(NamedTuple):
    """The entry of a command in the table VERBS."""

    states: frozenset[State]
    becomes: State | None = None
    """The state after +OK."""
    body: str = ""
    """Whether the answer is multi-line: "" never, "always", or "bare" when the command has no argument."""
    alone: bool = False
    """Whether it is sent only after all earlier commands are answered."""


_BEFORE, _WITHIN = frozenset({State.AUTHORIZATION}), frozenset({State.TRANSACTION})

VERBS = {
    "CAPA": Verb(_BEFORE | _WITHIN, body="always"),
    "STLS": Verb(_BEFORE, becomes=State.TLS, alone=True),
    "UTF8": Verb(_BEFORE),
    "USER": Verb(_BEFORE, alone=True),
    "PASS": Verb(_BEFORE, becomes=State.TRANSACTION, alone=True),
    "APOP": Verb(_BEFORE, becomes=State.TRANSACTION),
    "AUTH": Verb(_BEFORE, becomes=State.TRANSACTION),
    "STAT": Verb(_WITHIN),
    "LIST": Verb(_WITHIN, body="bare"),
    "UIDL": Verb(_WITHIN, body="bare"),
    "TOP": Verb(_WITHIN, body="always"),
    "RETR": Verb(_WITHIN, body="always"),
    "DELE": Verb(_WITHIN),
    "RSET": Verb(_WITHIN),
    "NOOP": Verb(_BEFORE | _WITHIN),
    "QUIT": Verb(_BEFORE | _WITHIN, becomes=State.CLOSED),
}

_SHOWN = {"PASS": 0, "APOP": 1, "AUTH": 1}
"""How many arguments a log may show; all of them for verbs that are not listed."""


class Command(Struct, frozen=True):
    """One command, ready to send; create it with `command`. Its repr shows no secret.

    `body` tells whether the answer is multi-line; of its body `limit` bytes are kept.
    """

    verb: str
    line: bytes
    body: bool
    limit: int

    def __repr__(self) -> str:
        return f"Command({self.shown!r})"

    @property
    def shown(self) -> str:
        """The line without secrets, for a log."""
        words = self.line.removesuffix(b"\r\n").split(b" ")
        shown = words[: 1 + _SHOWN.get(self.verb, len(words))]
        hidden = [b"[hidden]"] if len(shown) < len(words) else []
        return b" ".join([*shown, *hidden]).decode("utf-8", "replace")


def command(verb: str, *arguments: str | bytes | int) -> Command:
    """Return a command.

    Raises ValueError if an argument holds a control character, which could end the line and start another command.
    """
    known = VERBS[verb]
    line = b" ".join([verb.encode(), *[word if isinstance(word, bytes) else str(word).encode() for word in arguments]])
    if _CONTROL.search(line):
        raise ValueError(f"a control character in an argument of {verb}")
    body = known.body == "always" or (known.body == "bare" and not arguments)
    return Command(verb, line + b"\r\n", body, _LIMITS.get(verb, MESSAGE_LIMIT))


_LIMITS = {"TOP": HEADER_LIMIT, "CAPA": CAPA_ROWS * ROW_LIMIT}


class Greeting(NamedTuple):
    """The server's first line. `stamp` is the APOP stamp if it is a valid msg-id (RFC 1939 section 7), else b""."""

    ok: bool
    text: bytes
    stamp: bytes


class Challenge(NamedTuple):
    """The server asks for the next step of AUTH (RFC 5034): base64 as received. Answer it with `Pop3Protocol.respond`."""

    text: bytes


class Answer(NamedTuple):
    """The answer to the oldest command.

    `text` is what follows +OK or -ERR. `body` is unstuffed and byte-exact; None where there is none or where it was
    larger than the command's limit (`too_large`).
    """

    verb: str
    ok: bool
    text: bytes
    body: bytes | None = None
    too_large: bool = False

    @property
    def code(self) -> str:
        """The response code in capitals, "IN-USE" (RFC 2449 section 8), or ""."""
        return response_code(self.text)


Event = Greeting | Challenge | Answer

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_STAMP = re.compile(rb"<[!-;=?A-~]+@[!-;=?A-~]+>")


class Pop3Protocol:
    """The client side of one POP3 connection.

    `state` is the confirmed state. When the next command is checked against the table, unanswered commands count as
    successful, so that AUTH, STAT and LIST can be sent together.
    """

    def __init__(self) -> None:
        self.state = State.GREETING
        self.count: int | None = None
        """The number of messages, as STAT said."""
        self.offending = b""
        """The line that broke the protocol, cut, as received: not cleaned, not redacted."""
        self._outstanding: deque[Command] = deque()
        self._expected = State.GREETING
        self._challenged = False
        self._buffer = bytearray()
        self._at = 0
        self._searched = 0
        self._status = b""
        self._body: Body | None = None
        self._end = False
        self._error: NetError | None = None

    @property
    def pending_bytes(self) -> int:
        """The bytes received of an incomplete answer."""
        return len(self._buffer) - self._at + (self._body.received if self._body else 0)

    def pending_start(self, limit: int) -> bytes:
        """Return the first bytes of the body of an incomplete answer, at most `limit`."""
        return self._body.start(limit) if self._body else b""

    def send(self, command: Command) -> bytes:
        """Return the bytes to write. Raises ValueError if the command is not allowed in this state."""
        if self._error is not None:
            raise self._error
        verb = VERBS[command.verb]
        if self._expected not in verb.states or (verb.alone and self._outstanding):
            raise ValueError(f"{command.verb} in state {self._expected.value}")
        self._outstanding.append(command)
        self._expected = verb.becomes or self._expected
        return command.line

    def respond(self, text: bytes) -> bytes:
        """Return the bytes that answer a Challenge. `text` is base64, or b"*" to cancel."""
        if not self._challenged or _CONTROL.search(text):
            raise ValueError("nothing was asked, or the answer is no line")
        self._challenged = False
        return text + b"\r\n"

    def tls_started(self) -> None:
        """Continue after the TLS handshake: there is no second greeting (RFC 2595 section 4)."""
        if self.state is not State.TLS or len(self._buffer) > self._at:
            raise ValueError("STLS was not granted")
        self.state = self._expected = State.AUTHORIZATION

    def receive(self, data: bytes) -> None:
        """Take received bytes; b"" is the end of the connection."""
        if self._at:
            del self._buffer[: self._at]
            self._searched = max(0, self._searched - self._at)
            self._at = 0
        self._buffer += data
        self._end = self._end or not data

    def next_event(self) -> Event | None:
        """Return the next event, or None until more is received.

        Raises ProtocolError, or Offline at the end of the connection.
        """
        if self._error is not None:
            raise self._error
        start = self._at
        try:
            event = self._next()
            if event is None and self._end and self.state is not State.CLOSED:
                raise Offline(self._end_words())
        except NetError as error:
            self._error = error
            self.offending = bytes(self._buffer[start : start + STATUS_LIMIT])
            self._buffer.clear()
            self._at = 0
            raise
        return event

    def _end_words(self) -> str:
        if self._body is not None or len(self._buffer) > self._at:
            return "The server dropped the connection in the middle of an answer."
        if self.state is State.GREETING:
            return "The server dropped the connection before its greeting."
        return "The server dropped the connection."

    def _next(self) -> Event | None:
        if self.state is State.CLOSED:
            self._at = len(self._buffer)  # anything behind the answer to QUIT is ignored
            return None
        if self._body is None:
            line = self._line()
            if line is None:
                return None
            if self.state is State.GREETING:
                return self._greeting(line)
            if self._is_challenge(line):
                return self._challenge(line)
            ok, text = _status(line)
            command = self._outstanding[0]
            if not (ok and command.body):
                return self._answer(Answer(command.verb, ok, text))
            self._status = text
            self._body = self._new_body(command)
            self._at -= 2  # the CRLF before the body may be the first half of its end
        return self._take_body(self._body)

    def _line(self) -> bytes | None:
        """Return the next status line, or None until it is complete."""
        if len(self._buffer) == self._at:
            return None
        if self.state is State.TLS:
            raise plaintext_before_tls()
        if self.state is not State.GREETING and (not self._outstanding or self._challenged):
            raise ProtocolError("The server sent something that was not asked for.")
        end = self._buffer.find(b"\r\n", max(self._at, self._searched - 1))
        length = (len(self._buffer) - 1 if end < 0 else end) - self._at
        if length > STATUS_LIMIT:
            raise ProtocolError("The server sent a line without an end.")
        if end < 0:
            self._searched = len(self._buffer)
            return None
        line = bytes(self._buffer[self._at : end])
        self._at = self._searched = end + 2
        return line

    def _greeting(self, line: bytes) -> Greeting:
        ok, text = _status(line)
        self.state = self._expected = State.AUTHORIZATION if ok else State.CLOSED
        stamp = _STAMP.search(text)
        return Greeting(ok, text, stamp.group() if ok and stamp else b"")

    def _is_challenge(self, line: bytes) -> bool:
        return self._outstanding[0].verb == "AUTH" and (line == b"+" or line.startswith(b"+ "))

    def _challenge(self, line: bytes) -> Challenge:
        if len(self._outstanding) > 1:
            raise ProtocolError("The server sent a challenge instead of an answer.")
        self._challenged = True
        return Challenge(line[2:])

    def _take_body(self, body: Body) -> Event | None:
        """Take what arrived of a multi-line answer; return the answer once it is complete."""
        self._at = body.take(self._buffer, self._at)
        if not body.complete:
            del self._buffer[: self._at]
            self._at = 0
            return None
        self._searched, self._body = self._at, None
        verb, too_large = self._outstanding[0].verb, body.too_large
        return self._answer(Answer(verb, ok=True, text=self._status, body=body.value(), too_large=too_large))

    def _new_body(self, command: Command) -> Body:
        if command.verb not in {"LIST", "UIDL", "CAPA"}:
            return Body(command.limit)
        rows = self._row_limit(command)
        return Body(min(LISTING_LIMIT, rows * ROW_LIMIT), rows)

    def _row_limit(self, command: Command) -> int:
        if command.verb == "CAPA":
            return CAPA_ROWS
        return LIST_ROWS if self.count is None else min(LIST_ROWS, self.count + ROW_SLACK)

    def _answer(self, answer: Answer) -> Answer:
        command = self._outstanding.popleft()
        becomes = VERBS[command.verb].becomes
        if answer.ok:
            self.state = becomes or self.state
            if command.verb == "STAT" and (stat := parse_stat(answer.text)):
                self.count = stat[0]
        elif becomes is not None:
            if becomes is State.CLOSED:
                self.state = State.CLOSED  # a server that cannot commit closes all the same (RFC 1939 section 6)
            self._expected = self.state
            for later in self._outstanding:
                self._expected = VERBS[later.verb].becomes or self._expected
        return answer


def _status(line: bytes) -> tuple[bool, bytes]:
    ok = line.startswith(b"+OK")
    rest = line[3:] if ok else line[4:]
    if not (ok or line.startswith(b"-ERR")) or (rest and rest[:1] not in b" \t"):
        raise ProtocolError("The server sent something that is not a POP3 answer.")
    return ok, rest[1:]
