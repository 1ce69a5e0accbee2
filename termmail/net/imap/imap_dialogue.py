"""One open IMAP connection: sends commands and delivers what the server says to whoever asked for it.

Untagged data goes to the first outstanding command that takes it, else to `on_untagged`. After a timeout, a protocol
error or a cancelled waiter the connection is closed. Commands queued in one iteration of the event loop are sent in one
write, and reading never waits for writing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from termmail.mail.sanitize import clean_bytes
from termmail.net.imap.command_writer import command
from termmail.net.imap.imap_machine import Answer, Challenge, Dropped, Greeting, Machine, State
from termmail.net.imap.refusals import farewell, refusal
from termmail.net.imap.untagged import Condition, Search, Status
from termmail.net.imap.waiter import Waiter
from termmail.net.net_errors import NetError, Offline, ProtocolError, Refused
from termmail.net.opening import start_tls
from termmail.net.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.command_writer import Command, LiteralMode
    from termmail.net.imap.imap_machine import Event
    from termmail.net.imap.untagged import Untagged
    from termmail.net.imap.waiter import Take
    from termmail.net.stream import Stream
    from termmail.net.trace import Direction, Trace

SLOWEST = 256
"""Bytes per second below which a long answer times out. Responses that nobody asked for do not count."""
UPLOAD = 16 << 10
"""Bytes per second that an upload is given time for."""
PATIENT = 10
"""How many timeouts a slow command may take while the server says that it still works ("* OK Still here")."""
UNASKED = 100_000
"""Untagged responses that nobody asked for, between two answers."""
TRACED = 20
"""Untagged responses that the trace keeps, between two answers."""


class ImapDialogue:
    """Sends commands and delivers answers over one Stream."""

    def __init__(self, stream: Stream, trace: Trace | None = None) -> None:
        self.round_trip = 0.0
        """The shortest time from a single command to its answer, in seconds."""
        self.error: NetError | None = None
        """Why the connection was closed, or None."""
        self.dropped = 0
        """How many responses did not parse, or answered nothing."""
        self.urgent = 0
        """How many callers wait for a single answer: feeders queue nothing meanwhile."""
        self.feeders: list[Callable[[], None]] = []
        """Called after every piece of input, and when the last urgent caller is done."""
        self.on_untagged: Callable[[Untagged], None] = lambda _: None
        self.on_answer: Callable[[Status], None] = lambda _: None
        self.secrets = trace.secrets if trace else Secrets()
        self._stream = stream
        self._trace = trace
        self._machine = Machine()
        self._greeting: asyncio.Future[Status] = asyncio.get_running_loop().create_future()
        self._queue: deque[Waiter] = deque()
        self._sent: dict[bytes, Waiter] = {}
        self._flushing = False
        self._calm = asyncio.Event()
        self._calm.set()
        self._unasked = 0
        self._traced = 0
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._since_bytes = 0
        self._wasted = 0
        self._extended = 0
        self._lone_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._watch()
        stream.on_bytes = self._received

    @property
    def state(self) -> State:
        """The confirmed state of the session."""
        return self._machine.state

    def literals(self, mode: LiteralMode) -> None:
        """Say when literals may be sent without waiting."""
        self._machine.literal_mode = mode

    # -- commands

    async def greeting(self) -> Status:
        """Wait for the server's first line. Raises NetError."""
        try:
            return await self._greeting
        except asyncio.CancelledError:
            self.fail(_cut())
            raise

    async def say(self, command: Command, take: Take | None = None) -> Status:
        """Send one command and return its answer, which may be NO or BAD. Raises NetError; a cancel closes the connection."""
        return await self.wait(self.post(command, take))

    async def require(self, command: Command, take: Take | None = None) -> Status:
        """Send one command and return its OK. Raises NetError, a refusal included."""
        return self.checked(command, await self.say(command, take))

    def checked(self, command: Command, status: Status) -> Status:
        """Return an OK; raise the error for a NO or BAD."""
        if not status.ok:
            raise refusal(status, command.verb, self.clean(status.text))
        return status

    def post(
        self,
        command: Command,
        take: Take | None = None,
        done: Callable[[Status], None] | None = None,
    ) -> Waiter:
        """Queue one command: it is sent at the end of this loop iteration, or when it may be. `wait` has its answer."""
        waiter = Waiter(command, take, done)
        if self.error is not None:
            waiter.failed(self.error)
            return waiter
        self._queue.append(waiter)
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        return waiter

    async def wait(self, waiter: Waiter) -> Status:
        """Return the answer to a posted command. Raises NetError."""
        answer = await self.converse(waiter)
        if isinstance(answer, Challenge):
            raise self.fail(ProtocolError("The server asked for more instead of answering."))
        return answer

    async def converse(self, waiter: Waiter) -> Status | Challenge:
        """Return the answer to AUTHENTICATE or IDLE, or the server's Challenge, which `respond` answers."""
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self.fail(_cut())
            raise

    def respond(self, waiter: Waiter, text: bytes, shown: bytes = b"[hidden]") -> Waiter:
        """Answer the server's Challenge; the result takes the place of `waiter`."""
        following = self.expect(waiter)
        if self.error is None:
            self._note(">", shown)
            self._restart()
            self._machine.respond(text)
            self._stream.write(self._machine.output())
            self._watch()
        return following

    def expect(self, waiter: Waiter) -> Waiter:
        """Return the Waiter for what comes behind a Challenge."""
        following = Waiter(waiter.command, waiter.take, waiter.done)
        following.tag = waiter.tag
        if self.error is not None:
            following.failed(self.error)
        else:
            self._sent[waiter.tag] = following
        return following

    async def start_tls(self) -> None:
        """Start TLS after OK to STARTTLS. Raises TlsFailed, or ProtocolError if plaintext follows the OK."""
        await start_tls(self, self._stream)
        self._machine.tls_started()
        self._note("*", b"TLS started")

    async def compress(self) -> None:
        """Compress the connection from now on (RFC 4978); nothing happens where the server refuses. Raises NetError."""

        def answered(status: Status) -> None:
            if status.ok:  # before another byte is read: those behind the OK are compressed
                self._stream.start_compression(self._machine.take_unread())
                self._note("*", b"compressed from here on")

        await self.wait(self.post(command("COMPRESS", b"DEFLATE"), done=answered))

    def _flush(self) -> None:
        self._flushing = False
        if self.error is not None:
            return
        while self._queue:
            waiter = self._queue[0]
            try:
                if not self._machine.ready(waiter.command):
                    break
            except ValueError:  # no folder is open, or LOGOUT was sent
                self._queue.popleft().failed(Refused("No folder is open on the server."))
                continue
            self._queue.popleft()
            alone = not self._sent
            if alone:
                self._restart()
            waiter.tag = self._machine.send(waiter.command)
            self._sent[waiter.tag] = waiter
            self._lone_since = self._since if alone else 0.0
            if self._trace is not None:
                self._note(">", waiter.tag + b" " + waiter.command.shown.encode())
        data = self._machine.output()
        if data:
            self._watch()
            self._stream.write(data)

    # -- answers

    def _received(self, data: bytes) -> None:
        machine = self._machine
        self._since_bytes += len(data)
        try:
            machine.receive(data)
            while (event := machine.next_event()) is not None:
                self._dispatch(event)
        except NetError as error:
            self._note("<", machine.offending)
            error.server_says = error.server_says or self.clean(machine.offending)
            self.fail(error)
            return
        if self.error is not None:
            return
        if data := machine.output():  # the next part of a command, behind the server's "+"
            self._stream.write(data)
        self._feed()
        if self._queue:
            self._flush()

    def _dispatch(self, event: Event) -> None:
        if self._trace is not None:
            self._note_event(event)
        if isinstance(event, Answer):
            self._answered(event)
        elif isinstance(event, Greeting):
            self._restart()
            if not self._greeting.done():
                self._greeting.set_result(event.status)
        elif isinstance(event, Challenge):
            self._sent[event.tag].answered(event)
        elif isinstance(event, Dropped):
            self.dropped += 1
            self._count_unasked()
        else:
            self._untagged(event)

    def _answered(self, answer: Answer) -> None:
        waiter = self._sent.pop(answer.tag)
        if self._lone_since:
            seconds = self._loop.time() - self._lone_since
            self.round_trip = min(self.round_trip or seconds, seconds)
            self._lone_since = 0.0
        self._restart()
        self._unasked = self._traced = 0
        self.on_answer(answer.status)
        if waiter.done is not None:
            waiter.done(answer.status)
        waiter.answered(answer.status)

    def _untagged(self, response: Untagged) -> None:
        for waiter in () if self._machine.leaving else self._sent.values():
            if waiter.take is not None and waiter.take(response):
                return
        if isinstance(response, Status) and response.condition is Condition.BYE:
            if any(waiter.command.verb == "LOGOUT" for waiter in self._sent.values()):
                return
            raise farewell(response, self.clean(response.text))
        self._count_unasked()
        self.on_untagged(response)

    def _count_unasked(self) -> None:
        self._unasked += 1
        self._wasted += self._machine.heard_bytes
        if self._unasked > UNASKED:
            raise ProtocolError("The server sends without end what was not asked for.")

    def hurry(self, change: int) -> None:
        """Count a caller that waits for a single answer (+1), or one that is done (-1)."""
        self.urgent += change
        if self.urgent:
            self._calm.clear()
        else:
            self._calm.set()
            self._feed()

    async def calm(self) -> None:
        """Wait until no caller waits for a single answer, or the connection is closed."""
        await self._calm.wait()

    def _feed(self) -> None:
        for feeder in tuple(self.feeders):
            feeder()

    # -- timeout and close

    def _restart(self) -> None:
        self._since, self._since_bytes, self._wasted, self._extended = self._loop.time(), 0, 0, 0

    def _watch(self) -> None:
        if self._timer is None and self.error is None:
            self._timer = self._loop.call_at(self._since + self._patience(), self._look)

    def _patience(self) -> float:
        upload = sum(waiter.command.octets for waiter in self._sent.values())
        return self._stream.server.timeout_seconds + upload / UPLOAD

    def _look(self) -> None:
        self._timer = None
        waiting = bool(self._sent) or self._machine.state is State.GREETING
        if self.error is not None or not waiting or self._machine.idling:
            return
        if self._loop.time() >= self._since + self._patience():
            heard, extended = self._since_bytes, self._extended
            fast = heard - self._wasted >= SLOWEST * self._stream.server.timeout_seconds
            if not (self._machine.slow and (fast or (heard and extended < PATIENT))):
                self.fail(Offline(f"{self._stream.server.place} did not answer in time."))
                return
            self._restart()
            self._extended = extended if fast else extended + 1
        self._watch()

    def fail(self, error: NetError) -> NetError:
        """Close the connection and fail everything that waits. Return the first reason."""
        if self.error is None:
            self.error = error
            self._note("*", str(error).encode())
            self._stream.close()
            if self._timer is not None:
                self._timer.cancel()
            waiters = [*self._sent.values(), *self._queue]
            self._sent.clear()
            self._queue.clear()
            if not self._greeting.done():
                self._greeting.set_exception(error)
                self._greeting.exception()
            for waiter in waiters:
                waiter.failed(error)
            self._calm.set()
        return self.error

    async def close(self) -> None:
        """Drop the connection without LOGOUT. Never raises."""
        self.fail(Offline("The connection is closed."))
        await self._stream.closed()

    # -- texts

    def clean(self, text: bytes) -> str:
        """Return the server's text, sanitized and without secrets."""
        return clean_bytes(self.secrets.redact(text[:2000]))

    def _note(self, direction: Direction, text: bytes) -> None:
        if self._trace is not None:
            self._trace.add(direction, text[:2000])

    def _note_event(self, event: Event) -> None:
        """Trace one response; of many untagged ones the first, for redacting each of a hundred thousand takes seconds."""
        if not isinstance(event, (Answer, Greeting, Challenge)):
            self._traced += 1
            if self._traced > TRACED:
                return
        text = b"* SEARCH ..." if isinstance(event, Search) else self._machine.heard
        self._note("<", b"(not understood) " + text if isinstance(event, Dropped) else text)
        if isinstance(event, Answer) and self._traced > TRACED:
            self._note("*", b"and %d more untagged responses" % (self._traced - TRACED))


def _cut() -> Offline:
    return Offline("The connection was closed in the middle of an answer.")
