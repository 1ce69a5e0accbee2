"""The redacted wire log: what was said, without what must stay secret. For `termmail doctor` and the tests."""

from __future__ import annotations

import base64
import time
from collections import deque
from typing import Literal, NamedTuple

from termmail.mail.sanitize import clean_bytes

Direction = Literal["<", ">", "*"]

HIDDEN = b"[hidden]"
_SHORT = 4
"""A secret below this length is in every second line by chance: then the whole line is hidden, not the letters."""


class Secrets:
    """What must be in no log and no error text: the password and every base64 form in which it can come back."""

    def __init__(self) -> None:
        self._forms: list[bytes] = []

    def hide(self, secret: str | bytes) -> None:
        """From now on `redact` hides this, whole or inside a base64 text (wherever in its groups of three it begins)."""
        data = secret.encode("utf-8", "surrogateescape") if isinstance(secret, str) else secret
        forms = {data}
        for before in range(3):
            coded = base64.b64encode(bytes(before) + data)
            # The first and the last group also hold bits of the neighbours; what lies between is the secret's alone.
            first = (before * 8 + 5) // 6
            core = coded[first : (before + len(data)) * 8 // 6]
            forms |= {core} if len(core) >= _SHORT else set()
        forms |= {base64.b64encode(data)} if data else set()
        self._forms = sorted({*self._forms, *forms} - {b""}, key=len, reverse=True)

    def redact(self, data: bytes) -> bytes:
        """`data` with every secret replaced by "[hidden]"."""
        for form in self._forms:
            if form in data:
                if len(form) < _SHORT:
                    return HIDDEN
                data = data.replace(form, HIDDEN)
        return data


class Line(NamedTuple):
    """One line of the log: "<" from the server, ">" to it, "*" about it; seconds of the monotonic clock; its text."""

    direction: Direction
    time: float
    text: str


class Trace:
    """The last `limit` lines that went over a connection, cut at 500 bytes, cleaned and redacted before they are kept."""

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
        """The log for a reader: direction, milliseconds since the first line, text."""
        start = self.lines[0].time if self.lines else 0.0
        return "\n".join(f"{line.direction} {(line.time - start) * 1000:7.0f} ms  {line.text}" for line in self.lines)
