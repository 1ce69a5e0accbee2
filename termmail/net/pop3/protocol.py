"""POP3 without I/O: commands out as bytes, bytes in, events out (RFC 1939, 2449, 2595, 5034, 6856).

The law it keeps: an answer belongs to the oldest command without one, and there is no other kind of input. What does
not fit (bytes that nobody asked for, a line that is no status, a bound passed) means that the two sides no longer agree
what is being talked about: the connection raises, is poisoned, and raises the same for ever. Only CRLF ends a line and
only CRLF.CRLF an answer of several lines, whatever else the mail in it holds. How the bytes were cut on their way makes
no difference to the events.

    connection = Connection()
    socket.sendall(connection.send(command("TOP", 7, 0)))
    connection.receive(socket.recv(65536))          # b"" at the end of the line
    while (event := connection.next_event()) is not None: ...
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum
from typing import NamedTuple

from msgspec import Struct

from termmail.net.net_errors import NetError, Offline, ProtocolError, plaintext_before_tls
from termmail.net.pop3.body import ROW_LIMIT, Body
from termmail.net.pop3.responses import parse_stat, response_code

STATUS_LIMIT = 8192
"""Bytes of a status line."""
CAPA_ROWS = 100
LIST_ROWS = 1_000_000
ROW_SLACK = 1000
"""Rows of LIST and UIDL beyond what STAT counted that are still believed."""
LISTING_LIMIT = 80 << 20
"""Bytes of a LIST or UIDL answer, whatever its rows."""
HEADER_LIMIT = 1 << 20
"""Bytes of an answer to TOP n 0."""
MESSAGE_LIMIT = 128 << 20
"""Bytes of a message, on the wire."""


class State(Enum):
    """Where a session stands (RFC 1939 section 3)."""

    GREETING = "greeting"
    AUTHORIZATION = "authorization"
    TLS = "tls begins"
    TRANSACTION = "transaction"
    CLOSED = "closed"


class Verb(NamedTuple):
    """What the table knows of a command."""

    states: frozenset[State]
    becomes: State | None = None
    """The state after +OK."""
    body: str = ""
    """"": one line; "always": several; "bare": several when it has no argument."""
    alone: bool = False
    """Sent only when everything before it was answered."""


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
"""How many arguments of these a log may show; of all others, every one."""


class Command(Struct, frozen=True):
    """One command, ready to send. Made by `command`. Its repr shows no secret."""

    verb: str
    line: bytes
    body: bool
    limit: int

    def __repr__(self) -> str:
        return f"Command({self.shown!r})"

    @property
    def shown(self) -> str:
        """The line as a log may have it."""
        words = self.line.removesuffix(b"\r\n").split(b" ")
        shown = words[: 1 + _SHOWN.get(self.verb, len(words))]
        hidden = [b"[hidden]"] if len(shown) < len(words) else []
        return b" ".join([*shown, *hidden]).decode("utf-8", "replace")


def command(verb: str, *arguments: str | bytes | int, limit: int | None = None) -> Command:
    """A command from the table. `limit`: bytes of the answer's body that are kept (TOP and RETR).

    Raises ValueError where an argument holds a control character, which would end the line and begin another command.
    """
    known = VERBS[verb]
    line = b" ".join([verb.encode(), *[word if isinstance(word, bytes) else str(word).encode() for word in arguments]])
    if _CONTROL.search(line):
        raise ValueError(f"a control character in an argument of {verb}")
    body = known.body == "always" or (known.body == "bare" and not arguments)
    if limit is None:
        limit = _LIMITS.get(verb, MESSAGE_LIMIT)
    return Command(verb, line + b"\r\n", body, limit)


_LIMITS = {"TOP": HEADER_LIMIT, "CAPA": CAPA_ROWS * ROW_LIMIT}


class Greeting(NamedTuple):
    """The server's first line. `stamp` is the APOP stamp where it is a true msg-id (RFC 1939 section 7), else b""."""

    ok: bool
    text: bytes
    stamp: bytes


class Challenge(NamedTuple):
    """The server asks for the next step of AUTH (RFC 5034): base64 as received. Answer with `Connection.respond`."""

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


class Connection:
    """The client's side of one POP3 connection.

    `state` is what the server confirmed; what is still unanswered counts as granted when the next command is checked
    against the table, so that AUTH, STAT and LIST may leave together.
    """

    def __init__(self) -> None:
        self.state = State.GREETING
        self.count: int | None = None
        """What STAT said."""
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
    def outstanding(self) -> int:
        """Commands without an answer."""
        return len(self._outstanding)

    @property
    def pending_bytes(self) -> int:
        """Bytes received of an answer that is not complete."""
        return len(self._buffer) - self._at + (self._body.received if self._body else 0)

    def send(self, command: Command) -> bytes:
        """The bytes to write for it. Raises ValueError where the table does not allow it now."""
        if self._error is not None:
            raise self._error
        verb = VERBS[command.verb]
        if self._expected not in verb.states or (verb.alone and self._outstanding):
            raise ValueError(f"{command.verb} in state {self._expected.value}")
        self._outstanding.append(command)
        self._expected = verb.becomes or self._expected
        return command.line

    def respond(self, text: bytes) -> bytes:
        """The bytes that answer a Challenge: base64, or b"*" to give up."""
        if not self._challenged or _CONTROL.search(text):
            raise ValueError("nothing was asked, or the answer is no line")
        self._challenged = False
        return text + b"\r\n"

    def tls_started(self) -> None:
        """TLS stands: there is no second greeting, and what was known before is forgotten (RFC 2595 section 4)."""
        if self.state is not State.TLS or len(self._buffer) > self._at:
            raise ValueError("STLS was not granted")
        self.state = self._expected = State.AUTHORIZATION

    def receive(self, data: bytes) -> None:
        """Take what came; b"" is the end of the line."""
        if self._at:
            del self._buffer[: self._at]
            self._searched = max(0, self._searched - self._at)
            self._at = 0
        self._buffer += data
        self._end = self._end or not data

    def next_event(self) -> Event | None:
        """What happened next, or None until more is received. Raises ProtocolError, or Offline at the end of the line."""
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
            return "The server dropped the connection without a word."
        return "The server dropped the connection."

    def _next(self) -> Event | None:
        if self.state is State.CLOSED:
            self._at = len(self._buffer)  # after the answer to QUIT nothing is of interest
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
        """The next status line, once it is whole."""
        if len(self._buffer) == self._at:
            return None
        if self.state is State.TLS:
            raise plaintext_before_tls()
        if self.state is not State.GREETING and (not self._outstanding or self._challenged):
            raise ProtocolError("The server said something that nobody had asked for.")
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
            raise ProtocolError("The server asked a question where it had to answer.")
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
        raise ProtocolError("The server said something that is no POP3 answer.")
    return ok, rest[1:]
