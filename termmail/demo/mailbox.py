"""The mailbox of the demo: about 60 messages to Ada Lovelace, with dates relative to a given day."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime

NAME = "Ada Lovelace"
USER = "ada@example.org"


def messages(now: datetime) -> list[bytes]:
    """The mailbox, oldest first, CRLF and byte for byte the same for the same `now`."""
    return [
        f"From: Charles Babbage <charles@example.net>\r\nTo: {NAME} <{USER}>\r\nSubject: Letter {number}\r\n"
        f"Date: {format_datetime(now - timedelta(hours=60 - number))}\r\nMessage-ID: <letter-{number}@example.net>\r\n\r\n"
        f"Dear Ada,\r\n\r\nthis is letter {number}.\r\n\r\nCharles\r\n".encode()
        for number in range(1, 60)
    ] + [
        f"From: termmail <hello@example.org>\r\nTo: {NAME} <{USER}>\r\nSubject: Welcome to termmail\r\n"
        f"Date: {format_datetime(now)}\r\nMessage-ID: <welcome@example.org>\r\n\r\n"
        "Press Enter to open a message.\r\n".encode()
    ]
