"""IMAP without I/O: commands out as bytes, bytes in, events out (RFC 3501, 4959, 7888).

Invariants. Only tagged lines are paired with commands; untagged data is passed on as it comes. A command that opens a
folder is sent only when nothing about the folder before it is outstanding, and no command that changes messages leaves
before the folder is open. A response that does not parse is dropped and told; an unknown tag, broken framing or an
exceeded limit end the session: `next_event` raises, and from then on raises the same error. How the bytes are split
into reads makes no difference to the events.

    machine = Machine()
    tag = machine.send(command("NOOP"))
    socket.sendall(machine.output())
    machine.receive(socket.recv(65536))             # b"" at the end of the connection
    while (event := machine.next_event()) is not None: ...
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from termmail.net.imap.command_writer import LiteralMode
from termmail.net.imap.framing import LITERAL_LIMIT, LONG_LINE_LIMIT, Framing
from termmail.net.imap.response_parser import parse
from termmail.net.imap.tokens import Unparsable
from termmail.net.imap.untagged import Condition, Continuation, Exists, Status, Untagged
from termmail.net.net_errors import NetError, Offline, ProtocolError, plaintext_before_tls

if TYPE_CHECKING:
    from termmail.net.imap.command_writer import Command
    from termmail.net.imap.framing import Frame
    from termmail.net.imap.untagged import Response

NUMBER_OCTETS = 11
"""Bytes of a unique id and the blank behind it."""
MOST_MESSAGES = 2_000_000
"""Messages of a folder that a list of numbers may name."""


class State(Enum):
    """The state of a session (RFC 3501 section 3)."""

    GREETING = "greeting"
    NOT_AUTHENTICATED = "not authenticated"
    TLS = "tls begins"
    AUTHENTICATED = "authenticated"
    OPENING = "a folder is being opened"
    SELECTED = "selected"
    CLOSED = "closed"


_S = State
_ANY = frozenset({_S.NOT_AUTHENTICATED, _S.AUTHENTICATED, _S.OPENING, _S.SELECTED})
_BEFORE = frozenset({_S.NOT_AUTHENTICATED})
_BEHIND = frozenset({_S.AUTHENTICATED, _S.OPENING, _S.SELECTED})
_OPEN = frozenset({_S.OPENING, _S.SELECTED})
_CHANGES = frozenset({_S.SELECTED})


class Verb(NamedTuple):
    """The entry of a command in the table VERBS."""

    states: frozenset[State]
    becomes: State | None = None
    """The state after OK."""
    alone: bool = False
    """Whether it is sent only after all earlier commands are answered, and later ones only after its answer."""
    folder: bool = False
    """Whether its answer may hold data of the open folder: another folder is opened only after it."""
    opens: bool = False
    """Whether it opens or closes a folder."""
    slow: bool = False
    """Whether its answer may be long, or long in coming."""


VERBS = {
    "CAPABILITY": Verb(_ANY),
    "NOOP": Verb(_ANY, folder=True),
    "LOGOUT": Verb(_ANY, becomes=_S.CLOSED, alone=True),
    "ID": Verb(_ANY),
    "STARTTLS": Verb(_BEFORE, becomes=_S.TLS, alone=True),
    "AUTHENTICATE": Verb(_BEFORE, becomes=_S.AUTHENTICATED, alone=True),
    "LOGIN": Verb(_BEFORE, becomes=_S.AUTHENTICATED, alone=True),
    "COMPRESS": Verb(_BEHIND, alone=True),
    "ENABLE": Verb(_BEHIND),
    "NAMESPACE": Verb(_BEHIND),
    "NOTIFY": Verb(_BEHIND),
    "LIST": Verb(_BEHIND, slow=True),
    "STATUS": Verb(_BEHIND, slow=True),
    "CREATE": Verb(_BEHIND),
    "RENAME": Verb(_BEHIND, folder=True, slow=True),
    "DELETE": Verb(_BEHIND, folder=True, slow=True),
    "SUBSCRIBE": Verb(_BEHIND),
    "UNSUBSCRIBE": Verb(_BEHIND),
    "APPEND": Verb(_BEHIND, folder=True, slow=True),
    "SELECT": Verb(_BEHIND, becomes=_S.SELECTED, opens=True, slow=True),
    "EXAMINE": Verb(_BEHIND, becomes=_S.SELECTED, opens=True, slow=True),
    "UNSELECT": Verb(_OPEN, becomes=_S.AUTHENTICATED, opens=True),
    "UID FETCH": Verb(_OPEN, folder=True, slow=True),
    "UID SEARCH": Verb(_OPEN, folder=True, slow=True),
    "UID STORE": Verb(_CHANGES, folder=True, slow=True),
    "UID COPY": Verb(_CHANGES, folder=True, slow=True),
    "UID MOVE": Verb(_CHANGES, folder=True, slow=True),
    "UID EXPUNGE": Verb(_CHANGES, folder=True, slow=True),
    "EXPUNGE": Verb(_CHANGES, folder=True, slow=True),
    "IDLE": Verb(_OPEN, alone=True, folder=True),
}


class Greeting(NamedTuple):
    """The server's first line: OK, PREAUTH or BYE."""

    status: Status


class Challenge(NamedTuple):
    """The server waits: for the next step of AUTHENTICATE, or it idles. Answer with `Machine.respond`."""

    tag: bytes
    text: bytes


class Answer(NamedTuple):
    """The tagged answer to a command."""

    tag: bytes
    status: Status


class Dropped(NamedTuple):
    """A response that did not parse, or that nothing was waiting for: its first bytes, as received."""

    text: bytes


Event = Greeting | Challenge | Answer | Dropped | Untagged

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")


class Machine:
    """The client side of one IMAP connection. `state` is the confirmed state."""

    def __init__(self) -> None:
        self.state = State.GREETING
        self.literal_mode = LiteralMode.WAIT
        self.offending = b""
        """The bytes that broke the protocol, cut, as received: not cleaned, not redacted."""
        self._framing = Framing()
        self._outstanding: dict[bytes, Command] = {}
        self._sent = 0
        self._out: deque[bytes] = deque()
        self._parts: deque[bytes] = deque()
        self._responding = False
        self._idle_ends = False
        """DONE was sent, and IDLE is not answered yet: what is sent now is carried out behind it."""
        self._parts_tag = b""
        self._frame: Frame = []
        self._end = False
        self._error: NetError | None = None

    @property
    def outstanding(self) -> int:
        """The number of unanswered commands."""
        return len(self._outstanding)

    @property
    def slow(self) -> bool:
        """Whether an outstanding command may take long."""
        return any(VERBS[one.verb].slow for one in self._outstanding.values())

    @property
    def idling(self) -> bool:
        """Whether the server has nothing to answer until the client says DONE."""
        return self._responding and any(one.verb == "IDLE" for one in self._outstanding.values())

    @property
    def leaving(self) -> bool:
        """Whether another folder is being opened behind an IDLE that has not ended: untagged data is about the old one."""
        return self._idle_ends and any(VERBS[one.verb].opens for one in self._outstanding.values())

    @property
    def pending_bytes(self) -> int:
        """The bytes received of an incomplete response."""
        return self._framing.pending_bytes

    @property
    def heard(self) -> bytes:
        """The beginning of the response that the last event came from, as received, for a log."""
        return _head(self._frame)

    @property
    def heard_bytes(self) -> int:
        """The size of that response."""
        return sum(len(part) for part in self._frame if isinstance(part, bytes)) + 2

    # -- commands

    def ready(self, command: Command) -> bool:
        """Return whether the command may be sent now; otherwise it has to wait for answers.

        Raises ValueError if it is not allowed in the state that the answers will lead to.
        """
        waiting = [one.verb for one in self._outstanding.values() if one.verb != "IDLE" or not self._idle_ends]
        verb, before = VERBS[command.verb], [VERBS[one] for one in waiting]
        if self._parts or any(one.alone for one in before) or (verb.alone and self._outstanding):
            return False
        if verb.opens and any(one.folder or one.opens for one in before):
            return False
        opening = any(one.opens for one in before)
        if opening and verb.states == _CHANGES:
            return False
        state = State.OPENING if opening else self.state
        if state not in verb.states:
            raise ValueError(f"{command.verb} in state {state.value}")
        return True

    def send(self, command: Command) -> bytes:
        """Take a command to be sent and return its tag; `output` has the bytes. Raises ValueError if it is not ready."""
        if self._error is not None:
            raise self._error
        if not self.ready(command):
            raise ValueError(f"{command.verb} has to wait")
        self._sent += 1
        tag = b"A%d" % self._sent
        self._outstanding[tag] = command
        first, *rest = command.pieces(tag, self.literal_mode)
        self._out.append(first)
        self._parts.extend(rest)
        self._parts_tag = tag
        self._framing.literal_limit = max(one.literal_limit for one in self._outstanding.values())
        return tag

    def respond(self, text: bytes) -> None:
        """Answer a Challenge: base64, b"*" to cancel, or b"DONE" to end IDLE."""
        if not self._responding or _CONTROL.search(text):
            raise ValueError("nothing was asked, or the answer is no line")
        self._idle_ends = self.idling
        self._responding = False
        self._out.append(text + b"\r\n")

    def output(self) -> bytes:
        """Return what is to be written now, and forget it."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    def tls_started(self) -> None:
        """Continue after the TLS handshake: there is no second greeting (RFC 3501 section 6.2.1)."""
        if self.state is not State.TLS or self._framing.pending_bytes:
            raise ValueError("STARTTLS was not granted")
        self.state = State.NOT_AUTHENTICATED

    def take_unread(self) -> bytes:
        """Return what was received and not read yet, and forget it: what is behind the OK of COMPRESS is compressed."""
        return self._framing.take_unread()

    # -- responses

    def receive(self, data: bytes) -> None:
        """Take received bytes; b"" is the end of the connection."""
        self._framing.receive(data)
        self._end = self._end or not data

    def next_event(self) -> Event | None:
        """Return the next event, or None until more is received.

        Raises ProtocolError, or Offline at the end of the connection.
        """
        if self._error is not None:
            raise self._error
        try:
            event = self._next()
            if event is None and self._end and self.state is not State.CLOSED:
                raise Offline(self._end_words())
        except NetError as error:
            self._error = error
            self.offending = self.offending or self._framing.unread[:500]
            raise
        return event

    def _end_words(self) -> str:
        if self._framing.pending_bytes:
            return "The server dropped the connection in the middle of an answer."
        if self.state is State.GREETING:
            return "The server dropped the connection before its greeting."
        return "The server dropped the connection."

    def _next(self) -> Event | None:
        if self.state is State.TLS and self._framing.pending_bytes:
            raise plaintext_before_tls()
        if self.state is State.CLOSED:
            return None  # anything behind the answer to LOGOUT is ignored
        while (frame := self._framing.next_frame()) is not None:
            event = self._event(frame)
            if event is not None:
                return event
        return None

    def _event(self, frame: Frame) -> Event | None:
        self._frame = frame
        try:
            response = parse(frame)
        except Unparsable:
            return self._unparsable()
        if self.state is State.GREETING:
            return self._greeting(response)
        if isinstance(response, Continuation):
            return self._continuation(response)
        if isinstance(response, Status) and response.tag:
            return self._answer(response)
        if isinstance(response, Exists):
            numbers = NUMBER_OCTETS * min(response.count, MOST_MESSAGES)
            self._framing.long_line_limit = max(LONG_LINE_LIMIT, numbers)
        return response

    def _unparsable(self) -> Dropped:
        text = self.heard
        if self.state is State.GREETING or text.split(b" ", 1)[0] in self._outstanding:
            raise self._broken("The server sent something that is not an IMAP answer.")
        return Dropped(text)

    def _broken(self, words: str) -> ProtocolError:
        self.offending = self.heard
        return ProtocolError(words)

    def _greeting(self, response: Response) -> Greeting:
        greets = {Condition.OK, Condition.PREAUTH, Condition.BYE}
        if not isinstance(response, Status) or response.tag or response.condition not in greets:
            raise self._broken("The server sent something that is not an IMAP greeting.")
        self.state = State.CLOSED if response.condition is Condition.BYE else State.NOT_AUTHENTICATED
        return Greeting(response)

    def _continuation(self, response: Continuation) -> Challenge | Dropped | None:
        if self._parts:
            self._out.append(self._parts.popleft())
            return None
        for tag, command in self._outstanding.items():
            if command.verb in {"AUTHENTICATE", "IDLE"} and not self._responding:
                self._responding = True
                return Challenge(tag, response.text)
        return Dropped(self.heard)

    def _answer(self, status: Status) -> Answer:
        command = self._outstanding.pop(status.tag, None)
        if command is None:
            raise self._broken("The server answered a command that was not sent.")
        verb = VERBS[command.verb]
        if status.tag == self._parts_tag:
            self._parts.clear()  # it may be refused before all of its literals were sent
        if verb.alone:
            self._responding = self._idle_ends = False
        if status.ok:
            self.state = verb.becomes or self.state
        elif command.verb == "LOGOUT":
            self.state = State.CLOSED
        elif verb.opens:
            self.state = State.AUTHENTICATED  # a failed SELECT leaves no folder open (RFC 3501 section 6.3.1)
        self._framing.literal_limit = max(
            (one.literal_limit for one in self._outstanding.values()), default=LITERAL_LIMIT
        )
        return Answer(status.tag, status)


def _head(frame: Frame) -> bytes:
    """Return the beginning of a response for a log: of its literals the size, for they hold mail."""
    parts = enumerate(frame[:7])
    return b"".join(b"{%d}" % len(part) if at % 2 else part for at, part in parts if isinstance(part, bytes))[:500]
