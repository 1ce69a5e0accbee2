"""Drafts as messages: what is stored in the Drafts folder of a server, so that another program can go on with it."""

from __future__ import annotations

from email.message import MIMEPart
from email.policy import SMTP
from typing import TYPE_CHECKING

from termmail.mail import header, parse
from termmail.mail.address import addresses
from termmail.mail.flowed import plain
from termmail.mail.message import Address, Draft, SectionKind
from termmail.mail.outgoing import (
    address_field,
    crlf,
    date_text,
    mixed,
    normal_lines,
    reference_fields,
    text_field,
)
from termmail.mail.recipients import ComposeError, format_addresses, parse_addresses
from termmail.mail.sanitize import clean_words

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from termmail.mail.message import Identity, Message

_PEOPLE = ("To", "Cc", "Bcc")
_HELD = {"", "text/plain", "multipart/mixed"}
"""Content types that are one text and files."""


def build(
    draft: Draft,
    identity: Identity,
    files: Sequence[tuple[str, str, bytes]],
    *,
    message_id: str,
    now: datetime,
) -> bytes:
    """Return a draft as a message, with Bcc, whatever is missing or half typed in it.

    `files` are (name, content type, bytes); `message_id` has no angle brackets. A field that is no list of addresses yet
    is kept as a text. The body is not flowed: it comes back as it is.
    """
    fields = [
        _people("From", format_addresses([Address(identity.name, identity.address)])),
        *(
            _people(name, text)
            for name, text in zip(_PEOPLE, (draft.to, draft.cc, draft.bcc), strict=True)
            if text.strip()
        ),
        text_field("Subject", clean_words(draft.subject)),
        f"Date: {date_text(now)}\r\n",
        f"Message-ID: <{message_id}>\r\n",
        *reference_fields(draft),
        "MIME-Version: 1.0\r\n",
    ]
    body = MIMEPart(policy=SMTP)
    text = "\n".join(normal_lines(draft.body))
    body.set_content(text, charset="utf-8", cte="quoted-printable" if text.isascii() else "base64")
    return "".join(fields).encode("utf-8") + crlf(mixed(body, files).as_bytes())


def _people(name: str, text: str) -> str:
    try:
        return address_field(name, parse_addresses(text))
    except ComposeError:
        return text_field(name, clean_words(text))


def read(raw: bytes) -> tuple[Draft, list[tuple[str, str, bytes]], bool]:
    """Return a message as a draft, its files, and whether there is more in it than a draft here can hold.

    That is HTML, pictures, what is encrypted or signed, and what is too long. The files are (name, content type, bytes).
    """
    message = parse.parse(raw)
    fields = header.fields(parse.split_header(raw))
    to, cc, bcc = (_typed(fields, name) for name in _PEOPLE)
    own = plain(message, {SectionKind.BODY}) if message.flowed or not message.text else message.text
    draft = Draft(
        to=to,
        cc=cc,
        bcc=bcc,
        subject=message.envelope.subject,
        body=own.removesuffix("\n"),
        in_reply_to=message.envelope.in_reply_to,
        references=message.envelope.references,
        cursor="body-end",
    )
    parts = [one for one in message.parts if not one.inline]
    data = parse.parts_bytes(raw, [one.path for one in parts])
    files = [(one.name, one.content_type, data[one.path]) for one in parts]
    return draft, files, _is_lossy(message, fields)


def _typed(fields: Sequence[tuple[str, str]], name: str) -> str:
    """Return an address field as text for the writer: the addresses, or what was half typed."""
    values = [value for field, value in fields if field.lower() == name.lower()]
    people = [one for value in values for one in addresses(value)]
    typed = format_addresses(people)
    try:
        parse_addresses(typed)
    except ComposeError:
        return header.one_line(", ".join(value.strip() for value in values))
    return typed


def _is_lossy(message: Message, fields: Sequence[tuple[str, str]]) -> bool:
    named = {name.lower(): value for name, value in fields}
    kind = named.get("content-type", "").partition(";")[0].strip().lower()
    is_cut = bool(message.warnings) or len(message.envelope.subject) >= parse.SUBJECT_LIMIT
    is_cut = is_cut or any(len(named.get(name.lower(), "")) > header.FIELD_LIMIT for name in _PEOPLE)
    has_html = bool(message.html) or any(one.html for one in message.sections)
    return is_cut or has_html or kind not in _HELD or "reply-to" in named or any(one.inline for one in message.parts)
