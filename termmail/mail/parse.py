"""Bytes of a message to meaning. Takes any bytes, never raises, runs in linear time; all it returns is clean text.

The bytes are the truth and are kept elsewhere; everything here can be made again from them.
"""

from __future__ import annotations

import hashlib
import re

from termmail.mail import charset, mime
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
from termmail.mail.message import Envelope, Message, Part
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
from termmail.mail.snippet import search_text, snippet

__all__ = ["envelope", "fingerprint", "parse", "part_bytes", "search_text", "snippet", "split_header"]

TEXT_LIMIT = 1 << 20  # bytes of a body that are read
FIELDS_LIMIT = 2_000  # header fields that are shown
SUBJECT_LIMIT = 1_000  # characters of a subject that an envelope keeps

_VOLATILE = re.compile(
    rb"\n(?=[SsXxCcLl])(?i:status|x-status|x-uidl|x-keywords|x-imap[^:\s]*+|content-length|lines|x-mozilla-[^:\s]*+)"
    rb"[ \t]*+:[^\n]*+(?:\n[ \t][^\n]*+)*+"
)


def split_header(raw: bytes) -> bytes:
    """The header block: up to the empty line, without it, with the line end before it."""
    return raw[: mime.split(raw)[0]]


def fingerprint(header_block: bytes) -> bytes:
    """SHA-256 (32 bytes) of a header block, the same for TOP and RETR of one message and after a server marked it read.

    Left out: lines that mailbox software adds and changes (Status, X-UIDL, Content-Length and their kin), the kind
    of line ends, and empty lines at the end.
    """
    lines = b"\n".join(header_block.split(b"\r\n"))  # what replace does, and faster
    lines = b"\n" + lines.rstrip(b"\r\n")
    return hashlib.sha256(_VOLATILE.sub(b"", lines)).digest()


# --- envelope -------------------------------------------------------------------------------------------------------

_ADDRESS_FIELDS = frozenset(
    {"from", "sender", "to", "cc", "bcc", "reply-to", "resent-from", "resent-to", "resent-cc", "resent-sender"}
)
_JOINED = frozenset({"from", "sender", "to", "cc", "reply-to", "references"})
"""Fields of which a message that has several means them all."""
_FILE_KINDS = ("multipart/mixed", "application/", "image/", "audio/", "video/")
_LIST_POST = re.compile(r"<mailto:([^<>?\s]{1,320})", re.IGNORECASE)


def envelope(header_block: bytes) -> Envelope:
    """What a list shows of a message, from its header block alone: no body behind it."""
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
        attachments=first("content-type", "")[:40].lstrip().lower().startswith(_FILE_KINDS),
    )


# --- the whole message ----------------------------------------------------------------------------------------------


def parse(raw: bytes) -> Message:
    """Read a message, or a header block alone.

    Beyond the limits (100 levels, 10 000 parts) the message has its headers, a warning and its raw text as body.
    """
    header_end, body_start = mime.split(raw)
    found = fields(raw[: min(header_end, BLOCK_LIMIT)])
    if not found:
        body_start = 0
    seen = _envelope(found)
    warnings = _sender_warnings(found, seen)
    if header_end > BLOCK_LIMIT or len(found) > FIELDS_LIMIT:
        warnings.append("The headers of this message are too long: not all are shown.")
    try:
        root = mime.tree(raw, found, body_start)
    except mime.TooMuchError as too_much:
        warnings.append(f"{too_much} What follows is its source.")
        text, cut = _body_text(raw[body_start : body_start + TEXT_LIMIT + 1], "")
        return Message(seen, _shown(found), text=text, warnings=(*warnings, *cut))
    body = _Body()
    _choose(root, body)
    read = body.paths()
    parts = [_part(raw, leaf) for leaf in root.leaves() if leaf.file_name or _is_listed(leaf, read)]
    text, html, notes = _read_body(raw, body)
    first_text = body.texts[0] if body.texts else root
    return Message(
        envelope=seen,
        headers=_shown(found),
        text=text,
        html=html,
        flowed=bool(text) and all(leaf.parameters.get("format", "").lower() == "flowed" for leaf in body.texts),
        delsp=bool(text) and first_text.parameters.get("delsp", "").lower() == "yes",
        parts=tuple(parts),
        warnings=tuple(dict.fromkeys((*warnings, *notes))),
    )


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


# --- which parts are the body ---------------------------------------------------------------------------------------

# text/* that is a file, not something to read as it is; all other text/* is plain text (RFC 2046 section 4.1.4).
_TEXT_FILES = frozenset(
    f"text/{kind}" for kind in ("calendar", "vcard", "x-vcard", "directory", "rtf", "csv", "xml", "css", "javascript")
)
_OTHER_SCREENS = frozenset({"text/x-amp-html", "text/watch-html"})


class _Body:
    """The leaves that are read as the body: plain texts in order, and at most one HTML part."""

    def __init__(self) -> None:
        self.texts: list[mime.Node] = []
        self.html: mime.Node | None = None

    def empty(self) -> bool:
        return not self.texts and self.html is None

    def paths(self) -> frozenset[str]:
        return frozenset(leaf.path for leaf in (*self.texts, *((self.html,) if self.html else ())))


def _choose(node: mime.Node, body: _Body) -> None:
    """Add to `body` what of `node` is read. HTML is never joined to anything (EFAIL, CVE-2017-17688).

    A body that began as HTML takes no more text, and one that began as text no HTML: what is left over is listed
    as a part, so nothing is hidden and nothing hides the rest.
    """
    if not node.children:
        _choose_leaf(node, body)
    elif node.kind == "multipart/alternative":
        best = _Body()
        for child in node.children:
            each = _Body()
            _choose(child, each)
            best.texts = each.texts or best.texts
            best.html = each.html or best.html
        if body.empty():
            body.texts, body.html = best.texts, best.html
        elif body.texts:
            body.texts += best.texts
    else:
        for child in node.children:
            _choose(child, body)


def _choose_leaf(leaf: mime.Node, body: _Body) -> None:
    if leaf.disposition == "attachment" or (leaf.file_name and leaf.disposition != "inline" and not body.empty()):
        return
    if leaf.kind == "text/html":
        if body.empty():
            body.html = leaf
    elif (leaf.multipart or _readable(leaf.kind)) and (body.texts or body.html is None):
        body.texts.append(leaf)


def _readable(kind: str) -> bool:
    return kind.startswith("text/") and kind not in _TEXT_FILES and kind not in _OTHER_SCREENS


def _read_body(raw: bytes, body: _Body) -> tuple[str, str, list[str]]:
    notes: list[str] = []
    texts: list[str] = []
    room = TEXT_LIMIT
    for leaf in body.texts:
        text, cut = _body_text(mime.content(raw, leaf)[: room + 1], leaf.parameters.get("charset", ""), room)
        notes += cut
        room -= len(text)
        texts.append(text)
        if leaf.multipart:
            notes.append("The parts of this message cannot be told apart: what follows is its source.")
        if room <= 0:
            break
    if len(texts) > 1:
        texts = ["\n\n".join(each.strip("\n") for each in texts)]
    text = texts[0] if texts and texts[0].strip() else ""
    html = ""
    if body.html is not None:
        data = mime.content(raw, body.html)[: TEXT_LIMIT + 1]
        html, cut = _body_text(data, body.html.parameters.get("charset", "") or _meta_charset(data))
        notes += cut
    elif text[:200].lstrip().lower().startswith(("<!doctype html", "<html")):
        text, html = "", text
    return text, html, notes


def _body_text(data: bytes, label: str, limit: int = TEXT_LIMIT) -> tuple[str, list[str]]:
    text = clean_lines(charset.decode(data[:limit], label))
    notes = (
        []
        if charset.known(label)
        else [f"The character set “{clean(label[:40])}” is unknown: some letters may be wrong."]
    )
    if len(data) > limit:
        notes.append("This message is very long: only its beginning is shown.")
    return text, notes


_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"' ]{0,3}([\w.:-]{1,40})", re.IGNORECASE)


def _meta_charset(data: bytes) -> str:
    match = _META_CHARSET.search(data[:4096])
    return match[1].decode("ascii", "replace") if match else ""


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
_WARNINGS = {
    "message/external-body": "Its content is somewhere else, and is not fetched.",
    "message/partial": "It is one piece of a larger message that was cut up.",
    "application/ms-tnef": "It is a wrapping that only Outlook makes: other files may be inside.",
}


def _is_listed(leaf: mime.Node, read: frozenset[str]) -> bool:
    empty = leaf.start == leaf.end and leaf.kind == "text/plain"
    return leaf.path not in read and leaf.kind not in _OTHER_SCREENS and not empty


def _part(raw: bytes, leaf: mime.Node) -> Part:
    name = safe_name(leaf.file_name, _default_name(raw, leaf))
    return Part(
        path=leaf.path,
        content_type=clean(leaf.kind),
        name=name,
        size=mime.size(raw, leaf),
        inline=leaf.disposition == "inline" or (leaf.content_id and leaf.disposition != "attachment"),
        warning=_WARNINGS.get(leaf.kind) or name_warning(name, leaf.kind),
    )


def _default_name(raw: bytes, leaf: mime.Node) -> str:
    extension = _EXTENSIONS.get(leaf.kind, ".txt" if leaf.kind.startswith("text/") else "")
    if leaf.kind in ("message/rfc822", "message/global"):
        inner = (
            mime.content(raw, leaf) if leaf.encoding.startswith(("base64", "quoted")) else raw[leaf.start : leaf.end]
        )
        subject = envelope(split_header(inner[:BLOCK_LIMIT])).subject
        return safe_name(f"{subject}.eml" if subject else "", "message.eml")
    return f"part-{leaf.path}{extension}"


def part_bytes(raw: bytes, path: str) -> bytes:
    """The decoded bytes of the part with this path. Raises KeyError where there is none."""
    header_end, body_start = mime.split(raw)
    found = fields(raw[: min(header_end, BLOCK_LIMIT)])
    try:
        root = mime.tree(raw, found, body_start if found else 0)
    except mime.TooMuchError:
        raise KeyError(path) from None
    for leaf in root.leaves():
        if leaf.path == path:
            return mime.content(raw, leaf)
    raise KeyError(path)
