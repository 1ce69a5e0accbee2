"""Build the bytes of a draft for SMTP: header fields, a flowed text body (RFC 3676), files.

The fields are folded here and not by `email.policy.SMTP`: that one turns a long Message-ID into an encoded-word and,
before Python 3.11.11 and 3.12.8, a comma between addresses into part of a name (CVE-2025-1795). The MIME body is the
standard library's.
"""

from __future__ import annotations

import base64
import re
import secrets
from datetime import UTC
from email.message import MIMEPart
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING

from termmail.mail.message import Address, Outgoing
from termmail.mail.recipients import (
    ComposeError,
    ascii_domain,
    parse_addresses,
    quoted_name,
    refuse_controls,
    wire_address,
)
from termmail.mail.sanitize import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from termmail.mail.message import Draft, Identity

_LINE = 76  # characters of a header or flowed line; RFC 5322 asks for 78, RFC 3676 for 78 with its space
_LONGEST = 998  # RFC 5322 section 2.1.1
_REFERENCES = 40
_WORD_BYTES = 42  # UTF-8 bytes of one encoded-word: 56 letters of base64, 68 with its frame (RFC 2047 allows 75)
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,64}/[A-Za-z0-9!#$&^_.+-]{1,64}")
_MESSAGE_ID = re.compile(r"[!-;=?-~]+")  # printable ASCII without < and >
_NOT_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_QUOTED = re.compile(r"(?:> ?)+")


def _encoded_words(text: str) -> list[str]:
    """Return text as RFC 2047 encoded-words, each of whole characters."""
    words: list[str] = []
    held = bytearray()
    for character in text:
        data = character.encode("utf-8", "replace")
        if len(held) + len(data) > _WORD_BYTES:
            words.append(_encoded_word(held))
            held.clear()
        held += data
    return [*words, _encoded_word(held)] if held else words


def _encoded_word(data: bytes | bytearray) -> str:
    return f"=?utf-8?b?{base64.b64encode(data).decode('ascii')}?="


def _folded(name: str, tokens: Iterable[str]) -> str:
    """Return one header field, its tokens divided by a space or, where the line is full, by a folded one."""
    lines: list[str] = []
    line = f"{name}:"
    for token in tokens:
        if len(line) + 1 + len(token) > _LINE and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {token}"
    return "\r\n".join([*lines, line]) + "\r\n"


def text_field(name: str, value: str) -> str:
    """Return a field of free text. Anything but plain words becomes encoded-words, which decode to the same text."""
    words = value.split(" ")
    plain = value.isascii() and "=?" not in value and all(words) and max(map(len, words)) < _LINE and "\t" not in value
    return _folded(name, words if plain else _encoded_words(value))


def _mailbox_tokens(one: Address, *, smtputf8: bool) -> list[str]:
    """Return one mailbox as tokens for folding, the address last. Encoded-words hold the name and nothing else."""
    email = wire_address(one.email, smtputf8=smtputf8)
    name = refuse_controls(one.name, "A name")
    if not name:
        return [email]
    if not name.isascii() or "=?" in name or len(name) > _LINE - 4:
        return [*_encoded_words(name), f"<{email}>"]
    return [quoted_name(name), f"<{email}>"]


def address_field(name: str, addresses: Sequence[Address], *, smtputf8: bool = False) -> str:
    """Return an address field, built so that each comma follows the `>` of the address it ends."""
    tokens: list[str] = []
    for place, one in enumerate(addresses):
        parts = _mailbox_tokens(one, smtputf8=smtputf8)
        tokens += [*parts[:-1], parts[-1] + ("," if place < len(addresses) - 1 else "")]
    return _folded(name, tokens) if tokens else ""


def new_message_id(domain: str) -> str:
    """Return a random Message-ID at the sender's domain, which reveals neither the name of this machine nor a count."""
    return f"{secrets.token_hex(16)}@{domain}"


def date_text(now: datetime, *, local: bool = False) -> str:
    """Return the text of a Date field, in UTC unless `local`, so that it does not reveal where the writer is."""
    return format_datetime(now if local else now.astimezone(UTC))


def _message_ids(ids: Iterable[str], what: str) -> list[str]:
    """Return Message-IDs in angle brackets, without those that are malformed."""
    kept = [refuse_controls(one, what).strip("<> ") for one in ids]
    kept = [one for one in kept if _MESSAGE_ID.fullmatch(one) and len(one) <= _LONGEST - 10]
    if len(kept) > _REFERENCES:  # RFC 5537 section 3.4.4: the first and the last ones
        kept = [kept[0], *kept[1 - _REFERENCES :]]
    return [f"<{one}>" for one in kept]


def normal_lines(text: str) -> list[str]:
    """Return the lines of a text, whatever ends them; NUL and lone surrogates become U+FFFD."""
    text = _NOT_TEXT.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _flowed(text: str) -> str:
    """Return a text as format=flowed (RFC 3676): each line of it is a paragraph and is read back as one line.

    Leading `>` are quote marks. `-- ` stays as it is; other spaces at line ends are dropped, for they would join lines.
    """
    out: list[str] = []
    for line in normal_lines(text):
        marks = _QUOTED.match(line)
        depth = marks.group().count(">") if marks else 0
        content = line[marks.end() :] if marks else line
        if content != "-- ":
            content = content.rstrip(" ")
        out += _flowed_lines(content, ">" * depth)
    while out and not out[-1]:
        out.pop()
    return "".join(line + "\n" for line in out)


def _flowed_lines(content: str, marks: str) -> Iterator[str]:
    """Yield a paragraph as soft-broken lines behind its quote marks, space-stuffed as RFC 3676 section 4.4 asks."""
    line: list[str] = []
    used = len(marks)
    words = re.findall(r"[^ ]* *", content)[:-1] if len(marks) + len(content) > _LINE and content != "-- " else []
    for word in words:
        if line and used + len(word) > _LINE:
            yield _stuffed("".join(line), marks)
            line, used = [], len(marks)
        line.append(word)
        used += len(word)
    yield _stuffed("".join(line) if words else content, marks)


def _stuffed(line: str, marks: str) -> str:
    return f"{marks} {line}" if marks or line.startswith((" ", ">", "From ")) else line


def _text_part(text: str) -> MIMEPart:
    """Return the body: 7bit where it is ASCII in short lines, else quoted-printable or base64, whichever is shorter."""
    part = MIMEPart(policy=SMTP)
    flowed = _flowed(text)
    short = all(len(line) <= _LONGEST for line in flowed.split("\n"))
    foreign = sum(not character.isascii() for character in flowed)
    cte = "7bit" if short and not foreign else "base64" if foreign * 6 > len(flowed) else "quoted-printable"
    part.set_content(flowed, charset="utf-8", cte=cte, params={"format": "flowed"})
    return part


def _file_part(name: str, content_type: str, data: bytes) -> MIMEPart:
    """Return a file in base64, or as message/rfc822 where a message stays byte for byte (RFC 2046 section 5.2.1)."""
    part = MIMEPart(policy=SMTP)
    name = safe_name(name)
    content_type = content_type.lower() if _TYPE.fullmatch(content_type) else "application/octet-stream"
    if content_type == "message/rfc822" and goes_as_it_is(data):
        part["Content-Type"] = content_type
        part["Content-Transfer-Encoding"] = "7bit"
        part.set_payload(crlf(data).decode("ascii"))
        part.add_header("Content-Disposition", "attachment", filename=name)
    else:
        maintype, _, subtype = content_type.partition("/")
        if maintype in ("multipart", "message"):
            maintype, subtype = "application", "octet-stream"
        part.set_content(data, maintype, subtype, disposition="attachment", filename=name)
    return part


def reference_fields(draft: Draft) -> list[str]:
    """Return In-Reply-To and References of a draft, those that it has."""
    answered = _message_ids([draft.in_reply_to] if draft.in_reply_to else [], "The message this answers")
    references = _message_ids(draft.references, "A message this refers to")
    named = (("In-Reply-To", answered), ("References", references))
    return [_folded(name, ids) for name, ids in named if ids]


def mixed(body: MIMEPart, files: Sequence[tuple[str, str, bytes]]) -> MIMEPart:
    """Return a body with files, (name, content type, bytes) each; without files it is the body alone."""
    if not files:
        return body
    whole = MIMEPart(policy=SMTP)
    whole["Content-Type"] = "multipart/mixed"
    whole.set_boundary(f"=_{secrets.token_hex(16)}")
    for one in (body, *(_file_part(*file) for file in files)):
        whole.attach(one)
    return whole


def goes_as_it_is(data: bytes) -> bool:
    """Return whether 7-bit SMTP carries the bytes unchanged (RFC 5321 section 4.5.3.1.6)."""
    return data.isascii() and b"\0" not in data and all(len(line) <= _LONGEST for line in data.splitlines())


def crlf(data: bytes) -> bytes:
    """Return the data with every line end as CRLF: a bare CR or LF can be read as an end of its own (VU#302671)."""
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")


def unique(emails: Iterable[str]) -> tuple[str, ...]:
    """Return the addresses without repeats, in order; upper and lower case count as the same."""
    found: dict[str, str] = {}
    for email in emails:
        found.setdefault(email.casefold(), email)
    return tuple(found.values())


def build(
    draft: Draft,
    identity: Identity,
    files: Sequence[tuple[str, str, bytes]] = (),
    *,
    now: datetime,
    local_date: bool = False,
    smtputf8: bool = False,
) -> Outgoing:
    """Make the message of a draft: CRLF bytes in 7 bits, its envelope, its Message-ID.

    `files` are (name, content type, bytes). `now` is aware; its zone is written only with `local_date`. Bcc people
    are in the envelope alone. Raises ComposeError in words for the writer: no or bad addresses, a line break in a
    field, a local part that is not ASCII without `smtputf8`.
    """
    people = {what: parse_addresses(text) for what, text in (("To", draft.to), ("Cc", draft.cc), ("Bcc", draft.bcc))}
    recipients = unique(wire_address(one.email, smtputf8=smtputf8) for group in people.values() for one in group)
    if not recipients:
        raise ComposeError("There is no one to send this to. Write an address in To, Cc or Bcc.")
    sender = wire_address(identity.address, smtputf8=smtputf8)
    message_id = new_message_id(ascii_domain(identity.address.rpartition("@")[2]))
    header = [
        address_field("From", [Address(identity.name, identity.address)], smtputf8=smtputf8),
        address_field("To", people["To"], smtputf8=smtputf8),
        address_field("Cc", people["Cc"], smtputf8=smtputf8),
        text_field("Subject", " ".join(refuse_controls(draft.subject, "The subject").split("\t")).strip()),
        f"Date: {date_text(now, local=local_date)}\r\n",
        f"Message-ID: <{message_id}>\r\n",
    ]
    if not people["To"] and not people["Cc"]:
        header[1] = "To: undisclosed-recipients:;\r\n"
    header += reference_fields(draft)
    header.append("MIME-Version: 1.0\r\n")

    part = mixed(_text_part(draft.body), files)
    raw = "".join(header).encode("utf-8") + crlf(part.as_bytes())
    return Outgoing(raw, sender, recipients, message_id)
