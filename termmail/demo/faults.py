"""How the embedded servers behave: well by default, and badly in every way a test asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Answer = bytes | Iterable[bytes]
"""What is sent instead of the true answer: bytes, or chunks one after the other (an endless iterator never ends)."""


@dataclass(frozen=True, slots=True)
class Manners:
    """Everything a server may do wrong. The defaults do nothing wrong.

    Keys name commands: `"RETR"` for the verb, or the whole line in capitals up to its arguments, as in `"RETR 3"`.
    For SMTP a recipient is named as `"RCPT bob@example.org"`, and `"."` is the end of the message. `"CONNECT"` is
    the moment before the greeting. Several servers of one test may share one `Manners`.
    """

    without: frozenset[str] = frozenset()
    """Capabilities and extensions that are neither announced nor known: `{"PIPELINING", "TOP", "UIDL", "CAPA"}`."""
    greeting: bytes | None = None
    """The greeting line with its CRLF, instead of the server's own."""
    answers: Mapping[str, Answer | Callable[[str], Answer | None]] = field(default_factory=dict)
    """Sent instead of doing the command. A callable gets the line; where it returns None the command is done."""
    stall_at: frozenset[str] = frozenset()
    """Not done and never answered; the line stays open."""
    drop_at: frozenset[str] = frozenset()
    """Not done and not answered; the line drops."""
    lose_answer_to: frozenset[str] = frozenset()
    """Done, but the line drops before the answer."""
    drop_after: frozenset[str] = frozenset()
    """Done and answered, then the line drops."""
    drop_after_bytes: int | None = None
    """The line drops after so many bytes of answers in one session."""
    delay_seconds: float | Mapping[str, float] = 0.0
    """Wait before each answer, or before the answers to these verbs."""
    bytes_per_second: int | None = None
    """The speed of all answers."""
    tls_injection: bytes = b""
    """Sent in clear behind the answer to STLS or STARTTLS, in the same write."""
    login: bytes | None = None
    """The answer to every login, right or wrong (`b"-ERR [IN-USE] ...\\r\\n"`)."""
    stat: Callable[[int, int], tuple[int, int]] | None = None
    """Lies about STAT: from the true count and size to what is said."""
    size: Callable[[int, int], int | bytes] | None = None
    """Lies about LIST: from number and true size to what is said."""
    uidl: Callable[[int, bytes], bytes] | None = None
    """Lies about UIDL: from number and true UIDL to what is said."""
    rows: Callable[[str, list[bytes]], Iterable[bytes]] | None = None
    """Adds, drops or changes rows: from the verb (LIST, UIDL, CAPA) and its rows to the rows sent."""
    stuffing: Literal["right", "none", "twice"] = "right"
    """Dots at line starts: doubled as RFC 1939 asks, left alone, or doubled twice."""
    terminator: bytes = b".\r\n"
    """The end of a multi-line answer."""


GOOD = Manners()
