"""The data types of mail: addresses, envelopes, messages, parts, drafts.

Every string in an Envelope or a Message came through `sanitize.clean`: it may be drawn, printed or logged as it is.
"""

from __future__ import annotations

from enum import Enum, auto

from msgspec import Struct

CARD_LABEL = 9
"""Cells of the label before each fact of a calendar event, where it is drawn."""


class Address(Struct, frozen=True):
    """One mailbox of an address header. `email` is the addr-spec (`ada@example.org`); `name` may be empty."""

    name: str
    email: str


class Envelope(Struct, frozen=True):
    """The fields of a message that a list shows, read from its header block alone (RFC 5322 section 3.6).

    `date` is UTC seconds since 1970, or None where the header is missing or out of range (before 1970, after 2100).
    `message_id`, `in_reply_to` and `references` come without angle brackets.
    `list_post` is the address a reply to the list goes to (RFC 2369), or ""; `list_id` names the list (RFC 2919).
    `attachments` is a guess from the top Content-Type (multipart/mixed) until the body is here.
    """

    sender: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    date: int | None = None
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    list_post: str = ""
    attachments: bool = False
    list_id: str = ""


class Part(Struct, frozen=True):
    """One leaf of the MIME tree that a person may save. `path` is dotted (`2.1`), `size` in decoded bytes.

    `name` is already a safe file name (`sanitize.safe_name`). `warning` says why to be careful with it, or is empty.
    """

    path: str
    content_type: str
    name: str
    size: int
    inline: bool = False
    warning: str = ""


class Link(Struct, frozen=True):
    """A link of the body: the text a reader sees, and where it really goes (cleaned, http, https or mailto only).

    `number` is that of its mark [1], [2], ... in an HTML part, or 0 where the URL is written out in a text.
    """

    text: str
    url: str
    number: int = 0


class Line(Struct, frozen=True):
    """One line of a body as it is drawn, at most the asked width in cells.

    `quote` is the depth of quoting (0: the writer's own words). `kind` is one of
    "" (text), "heading", "signature", "rule", "table", "link", "card-title", "card" and "card-answer" (a calendar event;
    the last is empty, and the screen says there what was answered). `struck` are the stretches (start, end) of the text
    that its writer struck out.
    """

    text: str
    quote: int = 0
    kind: str = ""
    struck: tuple[tuple[int, int], ...] = ()


class Rendered(Struct, frozen=True):
    """A body made readable.

    `links` are in the order of the text, the marks [1], [2], ... counted through all parts; `notes` are sentences for the reader ("2 remote pictures
    not loaded"), of which the first `warned` are warnings.
    """

    lines: tuple[Line, ...]
    links: tuple[Link, ...] = ()
    notes: tuple[str, ...] = ()
    warned: int = 0


class SectionKind(Enum):
    """What a section of a message is."""

    BODY = auto()
    """What the sender wrote."""
    NOTICE = auto()
    """What termmail says about the message: why something cannot be shown."""
    INVITATION = auto()
    """A calendar event (RFC 5545) as readable lines."""
    REPORT = auto()
    """A delivery report or a read receipt (RFC 3464, RFC 8098) as readable lines."""
    MESSAGE = auto()
    """An attached or returned message: its main header fields, or a piece of its body."""


class View(Enum):
    """The ways to show a message whose sender gave text and HTML (multipart/alternative, RFC 2046 section 5.1.4)."""

    ALWAYS = auto()
    """Shown in both views."""
    TEXT = auto()
    HTML = auto()


class Section(Struct, frozen=True):
    """A piece of a message that is shown apart from the others: clean text, or HTML source, or a title alone.

    `title` is one clean line above it, or "". `flowed` and `delsp` are the parameters of RFC 3676 for `text`.
    """

    text: str = ""
    html: str = ""
    title: str = ""
    kind: SectionKind = SectionKind.BODY
    view: View = View.ALWAYS
    flowed: bool = False
    delsp: bool = False


class Invitation(Struct, frozen=True):
    """An invitation that can be answered (iTIP, RFC 5546): what the answer repeats of it.

    `uid` is as it came, "" where it has none that can be repeated; `recurrence_id` names one of a series, else "".
    `organizer` has no address where none is named. `attendees` are addresses. `times` and `zones` are lines of the
    calendar, unfolded. `when` is in words.
    """

    uid: str
    recurrence_id: str = ""
    sequence: int = 0
    organizer: Address = Address("", "")
    attendees: tuple[str, ...] = ()
    summary: str = ""
    when: str = ""
    times: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


class Message(Struct, frozen=True):
    """A whole message, read.

    `headers` are all header fields in order, decoded. `text` is the text/plain body ("" where there is none),
    `html` the source of the text/html body ("" where there is none); `mail.html.render` makes it readable.
    `flowed` and `delsp` are the parameters of RFC 3676. `sections` is the body where it is more than one text, or one
    HTML source, or both as alternatives; empty otherwise: use `shown_sections`. `warnings` are sentences for the
    reader: several From, a look-alike domain, more parts than are read. `invitation` is the first one in it.
    `inner_files` are the names of the files in attached messages.
    """

    envelope: Envelope
    headers: tuple[tuple[str, str], ...] = ()
    text: str = ""
    html: str = ""
    flowed: bool = False
    delsp: bool = False
    parts: tuple[Part, ...] = ()
    warnings: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    invitation: Invitation | None = None
    inner_files: tuple[str, ...] = ()


def shown_sections(message: Message, *, html: bool | None = None) -> tuple[Section, ...]:
    """Return the sections of one view in order: of the HTML view with `html` where there is one, else of the text view."""
    sections = message.sections
    if not sections:
        both = bool(message.text and message.html)
        text = Section(
            message.text, view=View.TEXT if both else View.ALWAYS, flowed=message.flowed, delsp=message.delsp
        )
        source = Section(html=message.html, view=View.HTML if both else View.ALWAYS)
        sections = tuple(section for section in (text, source) if section.text or section.html)
    view = View.HTML if html and any(section.view is View.HTML for section in sections) else View.TEXT
    return tuple(section for section in sections if section.view in (View.ALWAYS, view))


class Identity(Struct, frozen=True):
    """Who writes: the name and address of From, the other addresses that are also this person, and the signature."""

    name: str
    address: str
    aliases: tuple[str, ...] = ()
    signature: str = ""


class Attachment(Struct, frozen=True):
    """A file copied into a draft. `id` names its bytes in the store; `size` in bytes."""

    id: int
    name: str
    content_type: str
    size: int


class Draft(Struct, frozen=True):
    """A message being written. The address fields are text as typed ("Ada <ada@example.org>, bob@example.org").

    `id` is 0 until the store has it. `answers` is the store id of the message it answers (0: none), `forwards`
    of the one it forwards: they get their mark when the draft was sent. `cursor` is where writing starts:
    "to", "body" (its top) or "body-end". `updated` is UTC seconds. `version` is that of the stored draft this was made
    from: it counts the saves. `remind_at` is when it comes back if nobody answers it (UTC seconds; 0: never).
    """

    id: int = 0
    account: str = ""
    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    body: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    answers: int = 0
    forwards: int = 0
    attachments: tuple[Attachment, ...] = ()
    cursor: str = "to"
    updated: int = 0
    version: int = 0
    remind_at: int = 0


class Outgoing(Struct, frozen=True):
    """A message ready for the wire: CRLF bytes without Bcc, its envelope (RFC 5321) and its Message-ID (no brackets)."""

    raw: bytes
    sender: str
    recipients: tuple[str, ...]
    message_id: str
