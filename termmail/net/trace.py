"""The redacted log of a conversation with a server, for `termmail doctor` and the tests."""

from __future__ import annotations

import time
from collections import deque
from typing import Literal, NamedTuple

from termmail.mail.sanitize import clean_bytes
from termmail.net.redaction import Secrets

Direction = Literal["<", ">", "*"]


class Line(NamedTuple):
    """One line of the log.

    `direction` is "<" from the server, ">" to it, "*" about the connection; `time` is in seconds of the monotonic clock.
    """

    direction: Direction
    time: float
    text: str


class Trace:
    """The last `limit` lines of a conversation, redacted, cleaned and cut at 500 bytes before they are kept."""

    def __init__(self, limit: int = 1000) -> None:
        self.lines: deque[Line] = deque(maxlen=limit)
        self.secrets = Secrets()

    def add(self, direction: Direction, data: bytes | str) -> None:
        """Keep one line."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        text = clean_bytes(self.secrets.redact(data.rstrip(b"\r\n")))
        self.lines.append(Line(direction, time.monotonic(), text))

    def __str__(self) -> str:
        """Return the log as text: direction, milliseconds since the first line, line."""
        start = self.lines[0].time if self.lines else 0.0
        return "\n".join(f"{line.direction} {(line.time - start) * 1000:7.0f} ms  {line.text}" for line in self.lines)
