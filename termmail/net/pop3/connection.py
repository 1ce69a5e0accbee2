"""One open POP3 connection on which every answer finds the one who asked, or everyone hears that it is over.

The law it keeps: after a timeout, a broken rule or a waiter that was cancelled, the connection is closed, for a late
answer must never be taken for the next one. Commands asked for in one turn of the loop leave in one write, and reading
never waits for writing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from termmail.mail.sanitize import clean_bytes
from termmail.net.net_errors import NetError, Offline, ProtocolError
from termmail.net.pop3.protocol import Answer, Challenge, Command, Connection, Greeting, State, command
from termmail.net.redaction import Secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.stream import Stream
    from termmail.net.trace import Direction, Trace

SLOWEST = 256
"""Bytes per second below which a long answer counts as none."""

_LONG = frozenset({"RETR", "LIST", "UIDL"})
"""Answers whose deadline moves on while at least SLOWEST bytes a second arrive; all others have one deadline in all."""


class Asker(Protocol):
    """Who asked something."""

    def answered(self, answer: Answer) -> None:
        """The answer is here."""

    def failed(self, error: NetError) -> None:
        """There will be no answer."""

    def progressed(self, received: int) -> None:
        """So many bytes of the answer are here."""


class Feeder(Protocol):
    """Who has more to ask when there is room: called after every piece of input."""

    def feed(self) -> None:
        """Ask, or not."""

    def failed(self, error: NetError) -> None:
        """There is nobody left to ask."""


class Waiter:
    """An Asker that a coroutine waits for."""

    def __init__(self, progress: Callable[[int], None] | None = None) -> None:
        self.future: asyncio.Future[Answer | Challenge | Greeting] = asyncio.get_running_loop().create_future()
        self._progress = progress

    def answered(self, answer: Answer | Challenge | Greeting) -> None:
        """The future is done."""
        if not self.future.done():
            self.future.set_result(answer)

    def failed(self, error: NetError) -> None:
        """The future raises."""
        if not self.future.done():
            self.future.set_exception(error)
            self.future.exception()  # counts as looked at, for not every waiter lives to look

    def progressed(self, received: int) -> None:
        """Told on."""
        if self._progress is not None:
            self._progress(received)


class Dialogue:
    """Commands in, answers out, over one Stream. `pipelining` is set by the owner once CAPA has said so."""

    def __init__(self, stream: Stream, trace: Trace | None = None) -> None:
        self.pipelining = False
        self.round_trip = 0.0
        """Seconds from a lone command to its answer: the shortest seen."""
        self.error: NetError | None = None
        """Why it is over, once it is."""
        self.urgent = 0
        """How many wait for a single answer: feeders hold back meanwhile."""
        self.feeders: list[Feeder] = []
        self.secrets = trace.secrets if trace else Secrets()
        self._stream = stream
        self._trace = trace
        self._machine = Connection()
        self._greeting = Waiter()
        self._challenge: Waiter | None = None
        self._queue: deque[tuple[Command, Asker]] = deque()
        self._sent: deque[tuple[Command, Asker]] = deque()
        self._flushing = False
        self._holds = 0
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._since_bytes = 0
        self._lone_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._watch()
        stream.on_bytes = self._received

    # -- asking

    async def greeting(self) -> Greeting:
        """The server's first line."""
        greeting = await self._wait(self._greeting)
        if not isinstance(greeting, Greeting):  # pragma: no cover - only the machine's Greeting resolves this waiter
            raise TypeError
        return greeting

    async def say(self, verb: str, *arguments: str | bytes | int) -> Answer:
        """Send one command and wait for its answer. A -ERR is an answer. Raises NetError; a cancel closes."""
        return await self.wait(self.post(command(verb, *arguments)))

    def post(self, command: Command, progress: Callable[[int], None] | None = None) -> Waiter:
        """Send one command; `wait` for it later."""
        waiter = Waiter(progress)
        self.ask(command, waiter)
        return waiter

    async def wait(self, waiter: Waiter) -> Answer:
        """The answer to what was posted."""
        answer = await self._wait(waiter)
        if not isinstance(answer, Answer):
            raise self.fail(ProtocolError("The server asked a question where it had to answer."))
        return answer

    async def converse(self, waiter: Waiter) -> Answer | Challenge:
        """As `wait`, for AUTH: the server may ask back, and is answered by `respond`."""
        answer = await self._wait(waiter)
        return answer if isinstance(answer, Challenge) else await self.wait(waiter)

    def respond(self, text: bytes) -> Waiter:
        """Answer the server's Challenge."""
        sent, _ = self._sent[0]
        waiter = Waiter()
        self._sent[0] = (sent, waiter)
        self._note(">", b"[hidden]")
        self._since = self._loop.time()
        self._stream.write(self._machine.respond(text))
        return waiter

    def ask(self, command: Command, asker: Asker) -> None:
        """Queue one command: it leaves at the end of this turn of the loop, or when its time comes."""
        if self.error is not None:
            asker.failed(self.error)
            return
        self._queue.append((command, asker))
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    async def _wait(self, waiter: Waiter) -> Answer | Challenge | Greeting:
        try:
            return await waiter.future
        except asyncio.CancelledError:
            self.fail(Offline("The connection was given up in the middle of an answer."))
            raise

    async def start_tls(self) -> None:
        """TLS from here on; STLS was answered +OK. Raises TlsFailed, or ProtocolError where plaintext waits behind it."""
        if self.error is not None:
            raise self.error
        try:
            await self._stream.start_tls()
        except BaseException as error:
            self.fail(error if isinstance(error, NetError) else Offline("The connection was given up."))
            raise
        if self.error is not None:
            raise self.error
        self._machine.tls_started()
        self._note("*", b"TLS stands")

    def _flush(self) -> None:
        self._flushing = False
        if self.error is not None:
            return
        lines = []
        while self._queue and (self.pipelining or not self._sent):
            command, asker = self._queue.popleft()
            if not self._sent:
                self._since, self._since_bytes = self._loop.time(), 0
                self._lone_since = self._since
            try:
                lines.append(self._machine.send(command))
            except ValueError:  # the session moved on (QUIT, a refused login) while this waited for its turn
                asker.failed(Offline("The session with the server is over."))
                continue
            self._sent.append((command, asker))
            if self._trace is not None:
                self._note(">", command.shown.encode())
        if lines:
            self._lone_since = self._lone_since if len(self._sent) == 1 else 0.0
            self._watch()
            self._stream.write(b"".join(lines))

    # -- hearing

    def _received(self, data: bytes) -> None:
        machine = self._machine
        machine.receive(data)
        self._since_bytes += len(data)
        try:
            while (event := machine.next_event()) is not None:
                self._since, self._since_bytes = self._loop.time(), 0
                self._dispatch(event)
        except NetError as error:
            self._note("<", machine.offending)
            error.server_says = error.server_says or self.clean(machine.offending)
            self.fail(error)
            return
        if self._sent:
            self._sent[0][1].progressed(machine.pending_bytes)
        for feeder in self.feeders:
            feeder.feed()
        if self._queue:
            self._flush()

    def _dispatch(self, event: Greeting | Challenge | Answer) -> None:
        if self._trace is not None:
            self._note_event(event)
        if isinstance(event, Answer):
            _, asker = self._sent.popleft()
            if self._lone_since:
                seconds = self._since - self._lone_since
                self.round_trip = min(self.round_trip or seconds, seconds)
                self._lone_since = 0.0
            asker.answered(event)
        elif isinstance(event, Greeting):
            self._greeting.answered(event)
        else:
            asker = self._sent[0][1]
            if not isinstance(asker, Waiter):
                raise ProtocolError("The server asked a question where it had to answer.")
            asker.answered(event)

    # -- back-pressure

    def hold(self, change: int) -> None:
        """+1: who receives is full, take no more from the server; -1: no longer. Urgent answers come all the same."""
        self._holds += change
        self._press()

    def hurry(self, change: int) -> None:
        """+1: someone waits for a single answer; -1: no longer."""
        self.urgent += change
        self._press()
        if not self.urgent and self.error is None:
            for feeder in self.feeders:
                feeder.feed()

    def _press(self) -> None:
        if self.error is not None:
            return
        if self._holds and not self.urgent:
            self._stream.pause()
        else:
            self._since, self._since_bytes = self._loop.time(), 0
            self._stream.resume()

    # -- the end

    def _watch(self) -> None:
        if self._timer is None and self.error is None:
            self._timer = self._loop.call_at(self._since + self._stream.server.timeout_seconds, self._look)

    def _look(self) -> None:
        self._timer = None
        waiting = bool(self._sent) or self._machine.state is State.GREETING
        if self.error is not None or not waiting:
            return
        now, patience = self._loop.time(), self._stream.server.timeout_seconds
        if self._holds and not self.urgent:
            self._since, self._since_bytes = now, 0
        elif now >= self._since + patience:
            long = bool(self._sent) and self._sent[0][0].verb in _LONG
            if not long or self._since_bytes < SLOWEST * patience:
                self.fail(Offline(f"{self._stream.server.place} did not answer in time."))
                return
            self._since, self._since_bytes = now, 0
        self._watch()

    def fail(self, error: NetError) -> NetError:
        """It is over, for this reason: everyone who waits hears of it. Returns the first reason."""
        if self.error is None:
            self.error = error
            self._note("*", str(error).encode())
            self._stream.close()
            if self._timer is not None:
                self._timer.cancel()
            askers = [asker for _, asker in (*self._sent, *self._queue)]
            self._sent.clear()
            self._queue.clear()
            self._greeting.failed(error)
            for asker in askers:
                asker.failed(error)
            for feeder in self.feeders:  # one may wait while none of its commands is on the way
                feeder.failed(error)
        return self.error

    async def close(self) -> None:
        """Drop the connection, without a QUIT. Never raises."""
        self.fail(Offline("The connection is closed."))
        await self._stream.closed()

    # -- words

    def clean(self, text: bytes) -> str:
        """What the server said, without secrets, ready for a reader."""
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
