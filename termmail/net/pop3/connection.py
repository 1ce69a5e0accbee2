"""One open POP3 connection: sends commands and delivers each answer to the receiver of its command.

After a timeout, a protocol error or a cancelled waiter the connection is closed, so that a late answer is never taken
for the next one. Commands queued in one iteration of the event loop are sent in one write, and reading never waits for
writing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from termmail.mail.sanitize import clean_bytes
from termmail.net.net_errors import NetError, Offline, ProtocolError
from termmail.net.opening import start_tls
from termmail.net.pop3.protocol import Answer, Challenge, Command, Greeting, Pop3Protocol, State, command
from termmail.net.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from termmail.net.stream import Stream
    from termmail.net.trace import Direction, Trace

SLOWEST = 256
"""Bytes per second below which a long answer times out."""

_LONG = frozenset({"RETR", "LIST", "UIDL"})
"""Commands whose deadline is extended while at least SLOWEST bytes a second arrive; all others have a fixed one."""


class Receiver(Protocol):
    """What takes the answer to a command."""

    def answered(self, answer: Answer) -> None:
        """Take the answer."""

    def failed(self, error: NetError) -> None:
        """Learn that there will be no answer."""

    def progressed(self, received: int) -> None:
        """Learn how many bytes of the answer were received so far."""


class Feeder(Protocol):
    """A source of further commands, called after every piece of input."""

    def feed(self) -> None:
        """Queue further commands, if any should be sent now."""

    def failed(self, error: NetError) -> None:
        """Learn that the connection is closed."""


class Waiter:
    """A Receiver that a coroutine can wait for."""

    def __init__(self, progress: Callable[[int], None] | None = None) -> None:
        self.future: asyncio.Future[Answer | Challenge | Greeting] = asyncio.get_running_loop().create_future()
        self._progress = progress

    def answered(self, answer: Answer | Challenge | Greeting) -> None:
        """Resolve the future."""
        if not self.future.done():
            self.future.set_result(answer)

    def failed(self, error: NetError) -> None:
        """Make the future raise."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # mark it as retrieved: a cancelled waiter never looks

    def progressed(self, received: int) -> None:
        """Forward progress to the callback."""
        if self._progress is not None:
            self._progress(received)


class Pop3Connection:
    """Sends commands and delivers answers over one Stream. The owner sets `pipelining` when CAPA announces it."""

    def __init__(self, stream: Stream, trace: Trace | None = None) -> None:
        self.pipelining = False
        self.round_trip = 0.0
        """The shortest time from a single command to its answer, in seconds."""
        self.error: NetError | None = None
        """Why the connection was closed, or None."""
        self.urgent = 0
        """How many callers of `urgently` wait for an answer: feeders queue nothing meanwhile."""
        self.feeders: list[Feeder] = []
        self.secrets = trace.secrets if trace else Secrets()
        self._stream = stream
        self._trace = trace
        self._protocol = Pop3Protocol()
        self._greeting = Waiter()
        self._queue: deque[tuple[Command, Receiver]] = deque()
        self._sent: deque[tuple[Command, Receiver]] = deque()
        self._flushing = False
        self._paused_by: set[Feeder] = set()
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._since_bytes = 0
        self._lone_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._watch()
        stream.on_bytes = self._received

    # -- commands

    async def greeting(self) -> Greeting:
        """Wait for the server's first line. Raises NetError."""
        greeting = await self._wait(self._greeting)
        if not isinstance(greeting, Greeting):  # pragma: no cover - only the protocol's Greeting resolves this waiter
            raise TypeError
        return greeting

    async def request(self, verb: str, *arguments: str | bytes | int) -> Answer:
        """Send one command and return its answer, which may be -ERR. Raises NetError; a cancel closes the connection."""
        return await self.wait(self.send(command(verb, *arguments)))

    def send(self, command: Command, progress: Callable[[int], None] | None = None) -> Waiter:
        """Send one command; `wait` returns its answer."""
        waiter = Waiter(progress)
        self.queue(command, waiter)
        return waiter

    def pending_start(self, limit: int) -> bytes:
        """Return the first bytes of the body of the answer that is arriving, at most `limit`."""
        return self._protocol.pending_start(limit)

    async def wait(self, waiter: Waiter) -> Answer:
        """Return the answer to a command that was sent. Raises NetError."""
        answer = await self._wait(waiter)
        if not isinstance(answer, Answer):
            raise self.fail(ProtocolError("The server sent a challenge instead of an answer."))
        return answer

    async def converse(self, waiter: Waiter) -> Answer | Challenge:
        """Return the answer to AUTH, or the server's Challenge, which `respond` answers. Raises NetError."""
        answer = await self._wait(waiter)
        return answer if isinstance(answer, Challenge) else await self.wait(waiter)

    def respond(self, text: bytes) -> Waiter:
        """Answer the server's Challenge."""
        sent, _ = self._sent[0]
        waiter = Waiter()
        self._sent[0] = (sent, waiter)
        self._note(">", b"[hidden]")
        self._since = self._loop.time()
        self._stream.write(self._protocol.respond(text))
        return waiter

    def queue(self, command: Command, receiver: Receiver) -> None:
        """Queue one command: it is sent at the end of this loop iteration, or after the answers before it."""
        if self.error is not None:
            receiver.failed(self.error)
            return
        self._queue.append((command, receiver))
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    async def _wait(self, waiter: Waiter) -> Answer | Challenge | Greeting:
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self.fail(Offline("The connection was closed in the middle of an answer."))
            raise

    async def start_tls(self) -> None:
        """Start TLS after +OK to STLS. Raises TlsFailed, or ProtocolError if plaintext follows the +OK."""
        await start_tls(self, self._stream)
        self._protocol.tls_started()
        self._note("*", b"TLS started")

    def _flush(self) -> None:
        self._flushing = False
        if self.error is not None:
            return
        lines = []
        while self._queue and (self.pipelining or not self._sent):
            command, receiver = self._queue.popleft()
            if not self._sent:
                self._since, self._since_bytes = self._loop.time(), 0
                self._lone_since = self._since
            try:
                lines.append(self._protocol.send(command))
            except ValueError:  # the state changed (QUIT, a refused login) while this command waited
                receiver.failed(Offline("The session with the server is over."))
                continue
            self._sent.append((command, receiver))
            if self._trace is not None:
                self._note(">", command.shown.encode())
        if lines:
            self._lone_since = self._lone_since if len(self._sent) == 1 else 0.0
            self._watch()
            self._stream.write(b"".join(lines))

    # -- answers

    def _received(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive(data)
        self._since_bytes += len(data)
        try:
            while (event := protocol.next_event()) is not None:
                self._since, self._since_bytes = self._loop.time(), 0
                self._dispatch(event)
        except NetError as error:
            self._note("<", protocol.offending)
            error.server_says = error.server_says or self.clean(protocol.offending)
            self.fail(error)
            return
        if self._sent:
            self._sent[0][1].progressed(protocol.pending_bytes)
        for feeder in self.feeders:
            feeder.feed()
        if self._queue:
            self._flush()

    def _dispatch(self, event: Greeting | Challenge | Answer) -> None:
        if self._trace is not None:
            self._note_event(event)
        if isinstance(event, Answer):
            _, receiver = self._sent.popleft()
            if self._lone_since:
                seconds = self._since - self._lone_since
                self.round_trip = min(self.round_trip or seconds, seconds)
                self._lone_since = 0.0
            receiver.answered(event)
        elif isinstance(event, Greeting):
            self._greeting.answered(event)
        else:
            receiver = self._sent[0][1]
            if not isinstance(receiver, Waiter):
                raise ProtocolError("The server sent a challenge instead of an answer.")
            receiver.answered(event)

    # -- back-pressure

    def pause(self, feeder: Feeder) -> None:
        """Stop reading from the server until this feeder, too, has called `resume`. Urgent answers are still read."""
        self._paused_by.add(feeder)
        self._pause_or_resume()

    def resume(self, feeder: Feeder) -> None:
        """Read on, unless another feeder has paused."""
        self._paused_by.discard(feeder)
        self._pause_or_resume()

    @contextmanager
    def urgently(self) -> Iterator[None]:
        """Let the request in this block go ahead of the feeders, which queue nothing meanwhile."""
        self.urgent += 1
        self._pause_or_resume()
        try:
            yield
        finally:
            self.urgent -= 1
            self._pause_or_resume()
            if not self.urgent and self.error is None:
                for feeder in self.feeders:
                    feeder.feed()

    def _pause_or_resume(self) -> None:
        if self.error is not None:
            return
        if self._paused_by and not self.urgent:
            self._stream.pause()
        else:
            self._since, self._since_bytes = self._loop.time(), 0
            self._stream.resume()

    # -- timeout and close

    def _watch(self) -> None:
        if self._timer is None and self.error is None:
            self._timer = self._loop.call_at(self._since + self._stream.server.timeout_seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        waiting = bool(self._sent) or self._protocol.state is State.GREETING
        if self.error is not None or not waiting:
            return
        now, patience = self._loop.time(), self._stream.server.timeout_seconds
        if self._paused_by and not self.urgent:
            self._since, self._since_bytes = now, 0
        elif now >= self._since + patience:
            long = bool(self._sent) and self._sent[0][0].verb in _LONG
            if not long or self._since_bytes < SLOWEST * patience:
                self.fail(Offline(f"{self._stream.server.place} did not answer in time."))
                return
            self._since, self._since_bytes = now, 0
        self._watch()

    def fail(self, error: NetError) -> NetError:
        """Close the connection and fail everything that waits. Return the first reason."""
        if self.error is None:
            self.error = error
            self._note("*", str(error).encode())
            self._stream.close()
            if self._timer is not None:
                self._timer.cancel()
            receivers = [receiver for _, receiver in (*self._sent, *self._queue)]
            self._sent.clear()
            self._queue.clear()
            self._greeting.failed(error)
            for receiver in receivers:
                receiver.failed(error)
            for feeder in self.feeders:  # a feeder may wait without a command in flight
                feeder.failed(error)
        return self.error

    async def close(self) -> None:
        """Drop the connection without QUIT. Never raises."""
        self.fail(Offline("The connection is closed."))
        await self._stream.closed()

    # -- texts

    def clean(self, text: bytes) -> str:
        """Return the server's text, sanitized and without secrets."""
        return clean_bytes(self.secrets.redact(text))

    def _note(self, direction: Direction, text: bytes) -> None:
        if self._trace is not None:
            self._trace.add(direction, text)

    def _note_event(self, event: Greeting | Challenge | Answer) -> None:
        if isinstance(event, Challenge):
            self._note("<", b"+ " + event.text)
            return
        text = (b"+OK " if event.ok else b"-ERR ") + event.text
        if isinstance(event, Answer) and event.body is not None:
            text += b" (and %d bytes)" % len(event.body)
        self._note("<", text)
