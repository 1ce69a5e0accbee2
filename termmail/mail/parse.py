"""Parse the bytes of a message. Takes any bytes, never raises, runs in linear time; all text it returns is clean.

The store keeps the bytes, so that everything here can be derived from them again.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from termmail.mail import body, cms, mime
from termmail.mail import charset as charsets
from termmail.mail.address import addresses
from termmail.mail.header import (
    BLOCK_LIMIT,
    FIELD_LIMIT,
    envelope_fields,
    fields,
    message_id,
    message_ids,
    one_line,
    parse_date,
)
from termmail.mail.message import Envelope, Message, Part, Section, SectionKind, View
from termmail.mail.sanitize import (
    address_text,
    clean,
    clean_address,
    clean_lines,
    clean_words,
    domain_warning,
    holds_address,
    name_warning,
    safe_name,
)
from termmail.mail.snippet import snippet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["envelope", "fingerprint", "parse", "part_bytes", "snippet", "split_header"]

TEXT_LIMIT = 1 << 20  # bytes of a body that are read
FIELDS_LIMIT = 2_000  # header fields that are shown
SUBJECT_LIMIT = 1_000  # characters of a subject that an envelope keeps
LIST_ID_LIMIT = 500  # characters of a List-Id that an envelope keeps

_VOLATILE = re.compile(
    rb"\n(?=[SsXxCcLl])(?i:status|x-status|x-uidl|x-keywords|x-imap[^:\s]*+|content-length|lines|x-mozilla-[^:\s]*+)"
    rb"[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+"
)


def split_header(raw: bytes) -> bytes:
    """Return the header block: up to the empty line, without it, with the line end before it."""
    return raw[: mime.split(raw)[0]]


def fingerprint(header_block: bytes) -> bytes:
    """Return the SHA-256 (32 bytes) of a header block, equal for TOP and RETR and after a server marked it read.

    Left out: lines that mailbox software adds and changes (Status, X-UIDL, Content-Length and their kin), the kind
    of line ends, and empty lines at the end.
    """
    lines = b"\n".join(header_block.split(b"\r\n"))  # equal to replace, and faster
    lines = b"\n" + lines.rstrip(b"\r\n")
    return hashlib.sha256(_VOLATILE.sub(b"", lines)).digest()


# --- envelope -------------------------------------------------------------------------------------------------------

_ADDRESS_FIELDS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "reply-to", "resent-from", "resent-to", "resent-cc", "resent-sender"}
)
_JOINED = frozenset({"from", "sender", "to", "cc", "reply-to", "references"})
"""Fields that count all together where a message has several of them."""
_FILE_KINDS = ("multipart/mixed", "application/", "image/", "audio/", "video/")
_LIST_POST = re.compile(r"<mailto:([^<>?\s]{1,320})", re.IGNORECASE)


def envelope(header_block: bytes) -> Envelope:
    """Return what a list shows of a message, from its header block alone."""
    return _envelope(envelope_fields(header_block))


def _envelope(found: list[tuple[str, str]]) -> Envelope:
    values: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for field, value in found:
        name = field.lower()
        if name not in values:
            values[name] = value
        elif name in _JOINED:
            several.setdefault(name, [values[name]]).append(value)
    for name, all_of_it in several.items():
        values[name] = ",".join(all_of_it)
    first = values.get
    subject = one_line(first("subject", ""))
    list_post = _LIST_POST.search(values["list-post"][:FIELD_LIMIT]) if "list-post" in values else None
    return Envelope(
        sender=addresses(first("from", "")) or addresses(first("sender", "")),
        to=addresses(first("to", "")),
        cc=addresses(first("cc", "")),
        reply_to=addresses(first("reply-to", "")),
        subject=subject if len(subject) <= SUBJECT_LIMIT else subject[: SUBJECT_LIMIT - 1] + "…",
        date=parse_date(first("date", "")),
        message_id=message_id(first("message-id", "")),
        in_reply_to=message_id(first("in-reply-to", "")),
        references=message_ids(first("references", "")),
        list_post=clean_address(list_post[1]) if list_post else "",
        list_id=one_line(values["list-id"])[:LIST_ID_LIMIT] if "list-id" in values else "",
        attachments=first("content-type", "")[:40].lstrip().lower().startswith(_FILE_KINDS),
    )


# --- the whole message ----------------------------------------------------------------------------------------------


def parse(raw: bytes, *, charset: str = "") -> Message:
    """Read a message, or a header block alone. With a `charset` its texts are read in that one, whatever they name.

    Beyond the limits (100 levels, 10 000 parts) the message has its headers, a warning and its raw text as body.
    """
    return _read(raw, _shown, _sender_warnings, charset)


def parse_unshown(raw: bytes) -> Message:
    """Read a message that is indexed, not shown: without its header fields and without warnings of its sender."""
    return _read(raw, lambda _found: (), lambda _found, _seen: [])


def _read(
    raw: bytes,
    headers: Callable[[list[tuple[str, str]]], tuple[tuple[str, str], ...]],
    sender_warnings: Callable[[list[tuple[str, str]], Envelope], list[str]],
    charset: str = "",
) -> Message:
    header_end, body_start = mime.split(raw)
    found = fields(raw[: min(header_end, BLOCK_LIMIT)])
    if not found:
        body_start = 0
    seen = _envelope(found)
    warnings = sender_warnings(found, seen)
    if header_end > BLOCK_LIMIT or len(found) > FIELDS_LIMIT:
        warnings.append("The headers of this message are too long: not all are shown.")
    try:
        root = mime.tree(raw, found, body_start)
    except mime.TooMuchError as too_much:
        warnings.append(f"{too_much} What follows is its source.")
        source = raw[body_start : body_start + body.TEXT_LIMIT + 1]
        if len(source) > body.TEXT_LIMIT:
            warnings.append(body.VERY_LONG)
        text = clean_lines(charsets.decode(source[: body.TEXT_LIMIT], ""))
        return Message(seen, headers(found), text=text, warnings=tuple(warnings))
    read = body.read(raw, root, charset)
    parts = _parts(raw, root, "", read.paths)
    for inner in read.unwrapped:
        parts += _parts(inner.raw, inner.root, f"{inner.path}:", read.paths)
    return _message(seen, headers(found), parts, read, warnings)


def _message(
    seen: Envelope, headers: tuple[tuple[str, str], ...], parts: list[Part], read: body.Body, warnings: list[str]
) -> Message:
    """Return the message; its sections are kept only where text and HTML alone do not say the same."""
    own = [each for each in read.sections if each.kind is SectionKind.BODY]
    texts = [each for each in own if each.view is not View.HTML]
    text = "" if any(each.html for each in texts) else "\n\n".join(each.text for each in texts)
    return Message(
        envelope=seen,
        headers=headers,
        text=text,
        html=next((each.html for each in own if each.html), ""),
        flowed=bool(text) and all(each.flowed for each in texts),
        delsp=bool(text) and texts[0].delsp,
        parts=tuple(parts),
        warnings=tuple(dict.fromkeys((*warnings, *read.notes))),
        sections=() if _is_simple(read.sections) else tuple(read.sections),
        inner_files=tuple(read.inner_files),
        invitation=next(iter(read.invitations), None),
    )


def _is_simple(sections: list[Section]) -> bool:
    """Return whether the body is nothing but one text, or one HTML source, or both as alternatives."""
    if any(each.title or each.kind is not SectionKind.BODY for each in sections):
        return False
    shape = [(each.view, bool(each.html)) for each in sections]
    return len(shape) < 2 or shape == [(View.TEXT, False), (View.HTML, True)]


def _shown(found: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((clean(name), _value(name.lower(), value)) for name, value in found[:FIELDS_LIMIT])


def _value(name: str, value: str) -> str:
    if name not in _ADDRESS_FIELDS:
        return one_line(value)
    people = addresses(value)
    return ", ".join(map(address_text, people)) if people else clean_words(value[:FIELD_LIMIT])


def _sender_warnings(found: list[tuple[str, str]], seen: Envelope) -> list[str]:
    warnings = []
    from_fields = sum(name.lower() == "from" for name, _value in found)
    if from_fields > 1 or len(seen.sender) > 1:
        warnings.append("This message names more than one sender.")
    if from_fields == 0 and found:
        warnings.append("This message does not say who it is from.")
    warnings += [
        f"The sender's name looks like an address, but the address is {person.email}."
        for person in seen.sender[:10]
        if holds_address(person.name.lower().replace(person.email.lower(), ""))
    ]
    warnings += filter(None, (domain_warning(person.email) for person in (*seen.sender[:10], *seen.reply_to[:10])))
    return warnings


# --- parts ----------------------------------------------------------------------------------------------------------

_EXTENSIONS = {
    "text/html": ".html",
    "text/calendar": ".ics",
    "text/vcard": ".vcf",
    "text/x-vcard": ".vcf",
    "text/csv": ".csv",
    "text/rfc822-headers": ".txt",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/svg+xml": ".svg",
    "application/pdf": ".pdf",
    "application/zip": ".zip",
    "application/pgp-signature": ".asc",
    "application/pgp-encrypted": ".asc",
    "application/pkcs7-signature": ".p7s",
    "application/x-pkcs7-signature": ".p7s",
    "application/pkcs7-mime": ".p7m",
    "application/ms-tnef": ".dat",
    "message/rfc822": ".eml",
    "message/global": ".eml",
    "message/delivery-status": ".txt",
    "message/disposition-notification": ".txt",
}
_PATH_SEPARATORS = re.compile(r"[/\\]")
_WARNINGS = {
    "message/external-body": "Its content is somewhere else, and is not fetched.",
    "message/partial": "It is one piece of a larger message that was cut up.",
    "application/ms-tnef": "It is a wrapping that only Outlook makes: other files may be inside.",
}


def _parts(raw: bytes, root: mime.Node, prefix: str, read: set[str]) -> list[Part]:
    """Return the leaves that a person may save; `read` are the paths of those that are shown as the body."""
    return [
        _part(raw, leaf, prefix)
        for leaf in root.leaves()
        if leaf.file_name or (f"{prefix}{leaf.path}" not in read and _is_worth_saving(leaf))
    ]


def _is_worth_saving(leaf: mime.Node) -> bool:
    empty = leaf.start == leaf.end and leaf.kind == "text/plain"
    return leaf.kind not in body.OTHER_SCREENS and not empty


def _part(raw: bytes, leaf: mime.Node, prefix: str) -> Part:
    name = safe_name(leaf.file_name, _default_name(raw, leaf))
    return Part(
        path=f"{prefix}{leaf.path}",
        content_type=clean(leaf.kind),
        name=name,
        size=mime.size(raw, leaf),
        inline=leaf.disposition == "inline" or (leaf.content_id and leaf.disposition != "attachment"),
        warning=_WARNINGS.get(leaf.kind) or name_warning(name, leaf.kind),
    )


def _default_name(raw: bytes, leaf: mime.Node) -> str:
    extension = _EXTENSIONS.get(leaf.kind, ".txt" if leaf.kind.startswith("text/") else "")
    if leaf.kind in body.MESSAGES:
        inner = mime.content(raw, leaf)[:BLOCK_LIMIT]
        subject = _PATH_SEPARATORS.sub("_", envelope(split_header(inner)).subject)
        return safe_name(f"{subject}.eml" if subject else "", "message.eml")
    return "invite.ics" if leaf.kind == "text/calendar" else f"part-{leaf.path}{extension}"


def part_bytes(raw: bytes, path: str) -> bytes:
    """Return the decoded bytes of the part with this path. Raises KeyError where there is none.

    `1:2` is part 2 of the content of part 1, which is opaque-signed.
    """
    return parts_bytes(raw, [path])[path]


def parts_bytes(raw: bytes, paths: Iterable[str]) -> dict[str, bytes]:
    """Return the decoded bytes of these parts, as `part_bytes` does; the message is read once. Raises KeyError."""
    wanted = list(paths)
    if not wanted:
        return {}
    header_end, body_start = mime.split(raw)
    found = fields(raw[: min(header_end, BLOCK_LIMIT)])
    try:
        leaves = {leaf.path: leaf for leaf in mime.tree(raw, found, body_start if found else 0).leaves()}
    except mime.TooMuchError:
        raise KeyError(*wanted) from None
    read: dict[str, bytes] = {}
    for path in wanted:
        outer, _colon, inner = path.partition(":")
        data = mime.content(raw, leaves[outer])
        if inner:
            wrapped = cms.signed_content(data)
            if wrapped is None:
                raise KeyError(path)
            data = part_bytes(wrapped, inner)
        read[path] = data
    return read
