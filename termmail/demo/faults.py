"""The faults that the embedded servers can be told to have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Answer = bytes | Iterable[bytes]
"""What is sent instead of the true answer: bytes, or an iterable of chunks, which may be endless."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The behaviour of a server. The defaults have no faults.

    Keys name commands: `"RETR"` for the verb, or the verb in capitals with its arguments, as in `"RETR 3"`. For SMTP a
    recipient is named as `"RCPT bob@example.org"`, and `"."` is the end of the message. `"CONNECT"` is the moment before
    the greeting. Several servers may share one `Manners`.
    """

    without: frozenset[str] = frozenset()
    """Capabilities and extensions that are missing: `{"PIPELINING", "TOP", "UIDL", "CAPA"}`."""
    greeting: bytes | None = None
    """The greeting line with its CRLF, instead of the server's own."""
    answers: Mapping[str, Answer | Callable[[str], Answer | None]] = field(default_factory=dict)
    """Sent instead of executing the command. A callable gets the line; if it returns None, the command is executed."""
    stall_at: frozenset[str] = frozenset()
    """Commands that are not executed and never answered; the connection stays open."""
    drop_at: frozenset[str] = frozenset()
    """Commands that are neither executed nor answered; the connection is dropped."""
    lose_answer_to: frozenset[str] = frozenset()
    """Commands that are executed, but the connection is dropped before the answer."""
    lose_end_of: frozenset[str] = frozenset()
    """IMAP commands that are executed, but the connection is dropped between the untagged responses and the tagged."""
    drop_after: frozenset[str] = frozenset()
    """Commands that are executed (unless `answers` has them) and answered; then the connection is dropped."""
    drop_after_bytes: int | None = None
    """The connection is dropped after this many bytes of answers in one session."""
    delay_seconds: float | Mapping[str, float] = 0.0
    """Seconds to wait before each answer, or before the answers to these verbs."""
    bytes_per_second: int | None = None
    """The rate of all answers."""
    tls_injection: bytes = b""
    """Sent in the clear behind the answer to STLS or STARTTLS, in the same write."""
    login: bytes | None = None
    """The answer to every login, right or wrong (`b"-ERR [IN-USE] ...\\r\\n"`); for IMAP without the tag."""
    stat: Callable[[int, int], tuple[int, int]] | None = None
    """A wrong answer to STAT: maps the true count and size to those that are sent."""
    size: Callable[[int, int], int | bytes] | None = None
    """A wrong answer to LIST: maps number and true size to the size that is sent."""
    uidl: Callable[[int, bytes], bytes] | None = None
    """A wrong answer to UIDL: maps number and true UIDL to the UIDL that is sent."""
    rows: Callable[[str, list[bytes]], Iterable[bytes]] | None = None
    """Changes rows: maps the verb (LIST, UIDL, CAPA, EHLO) and its rows to the rows that are sent.

    For IMAP the rows are the untagged responses, with CRLF.
    """
    stuffing: Literal["right", "none", "twice"] = "right"
    """Dots at line starts: doubled as RFC 1939 requires, not doubled, or doubled twice."""
    terminator: bytes = b".\r\n"
    """The end of a multi-line answer."""


GOOD = Manners()


def tagged(answer: bytes, untagged: bytes = b"") -> Callable[[str], bytes]:
    """Return an answer for `Manners.answers` of IMAP: `answer`, as in `b"NO [OVERQUOTA] full"`, behind the tag."""
    return lambda line: b"%b%b %b\r\n" % (untagged, line.split(" ", 1)[0].encode(), answer)
