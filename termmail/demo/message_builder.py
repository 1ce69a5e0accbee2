"""Build the messages of the demo mailbox: letters with the standard library, oddities byte by byte."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

ADA_ADDRESS = "ada@example.org"
ADA = f"Ada Lovelace <{ADA_ADDRESS}>"


def days(count: float, hours: float = 0) -> timedelta:
    """Return the age of a message."""
    return timedelta(days=count, hours=hours)


@dataclass(frozen=True, slots=True)
class File:
    """An attachment: name, type and bytes; `inline` if the text refers to it."""

    name: str
    content_type: str
    data: bytes
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Letter:
    """A well-formed message.

    `ago` is its age; `key` names it, and `answers` is the chain of keys that it replies to, oldest first. `text` may be
    indented; a line "--" is the signature mark, and `flowed` sends its paragraphs as format=flowed. `html` is the
    alternative to the text, or the only body if the text is empty. Message-IDs are made from the keys. `delivered_to` is
    the address in the trace headers; "" leaves them out, as in what the owner of the mailbox wrote.
    """

    ago: timedelta
    sender: str
    subject: str
    text: str
    key: str
    answers: tuple[str, ...] = ()
    to: str = ADA
    cc: str = ""
    html: str = ""
    files: tuple[File, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    flowed: bool = False
    delivered_to: str = ADA_ADDRESS

    def raw(self, now: datetime) -> bytes:
        """Return the message as bytes with CRLF line ends."""
        message = EmailMessage(policy=SMTP)
        stamp = format_datetime(now - self.ago)
        message["From"] = _people(self.sender)
        message["To"] = _people(self.to)
        if self.cc:
            message["Cc"] = _people(self.cc)
        message["Subject"] = self.subject
        message["Date"] = stamp
        message["Message-ID"] = message_id(self.key)
        if self.answers:
            message["In-Reply-To"] = message_id(self.answers[-1])
            message["References"] = " ".join(message_id(key) for key in self.answers)
        for name, value in self.headers:
            message[name] = value
        text = _text(self.text, flowed=self.flowed)
        html = textwrap.dedent(self.html).strip("\n") + "\n"
        if self.text:
            message.set_content(text, cte="8bit" if not text.isascii() else None)
        if self.flowed:
            message.set_param("format", "flowed")
        if self.text and self.html:
            message.add_alternative(html, subtype="html", cte="quoted-printable")
        elif self.html:
            message.set_content(html, subtype="html", cte="quoted-printable")
        for file in self.files:
            self._attach(message, file)
        for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
            if part.get_content_maintype() == "multipart":
                part.set_boundary(f"=_{self.key}_{number}")
        trace = _trace(self.sender, stamp, self.delivered_to) if self.delivered_to else b""
        return trace + message.as_bytes()

    def _attach(self, message: EmailMessage, file: File) -> None:
        main, _, sub = file.content_type.partition("/")
        disposition = "inline" if file.inline else "attachment"
        if main == "text":
            text = file.data.decode()
            method = re.search(r"METHOD:(\w+)", text) if sub == "calendar" else None
            params = {"method": method[1]} if method else {}
            message.add_attachment(
                text, subtype=sub, cte="base64", filename=file.name, disposition=disposition, params=params
            )
        else:
            message.add_attachment(
                file.data, maintype=main, subtype=sub, filename=file.name, disposition=disposition, cid=f"<{file.name}>"
            )


@dataclass(frozen=True, slots=True)
class Oddity:
    """A malformed message, given byte by byte. In `template`, `%DATE%` becomes the date."""

    ago: timedelta
    template: bytes

    def raw(self, now: datetime) -> bytes:
        """Return the message as bytes; LF in the template becomes CRLF."""
        stamp = format_datetime(now - self.ago)
        raw = self.template.replace(b"\n", b"\r\n").replace(b"%DATE%", stamp.encode())
        return _trace("someone <someone@example.net>", stamp, ADA_ADDRESS) + raw


def message_id(key: str) -> str:
    """Return the Message-ID of the letter with this key, in angle brackets."""
    return f"<{key}@mail.example.org>"


def _text(written: str, *, flowed: bool) -> str:
    """Return the text as sent: with the signature mark "-- ", and if flowed with soft line breaks (RFC 3676)."""
    lines = textwrap.dedent(written).strip("\n").split("\n")
    sent = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        goes_on = flowed and line and following and not line.startswith(">") and not following.startswith(">")
        sent.append(f"{line} " if goes_on or line == "--" else line)
    return "\n".join(sent) + "\n"


def _people(text: str) -> tuple[Address, ...]:
    pairs = [parseaddr(one) for one in text.split(", ")]
    return tuple(Address(display_name=name, addr_spec=address) for name, address in pairs)


def _trace(sender: str, stamp: str, recipient: str) -> bytes:
    address = parseaddr(sender)[1]
    return (
        f"Return-Path: <{address}>\r\n"
        f"Received: from mx.example.net (mx.example.net [192.0.2.7])\r\n"
        f"\tby demo.example.org (termmail demo) with ESMTPS\r\n\tfor <{recipient}>; {stamp}\r\n"
    ).encode()
