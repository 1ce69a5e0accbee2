"""Which parts of a message are read as its body, and as what: text, HTML, invitations, reports, attached messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby

import msgspec

from termmail.mail import charset, cms, delivery_report, enriched, icalendar, invitation, mime
from termmail.mail.header import fields, one_line
from termmail.mail.message import Invitation, Section, SectionKind, View
from termmail.mail.sanitize import clean, clean_lines, clean_words

TEXT_LIMIT = 1 << 20  # bytes of text, and of HTML, that are read
NESTING_LIMIT = 10  # attached messages inside one another that are read in place
MESSAGES_LIMIT = 100  # attached messages that are read in place

# text/* that is a file, not something to read as it is; all other text/* is plain text (RFC 2046 section 4.1.4).
_TEXT_FILES = frozenset(
    f"text/{kind}" for kind in ("calendar", "vcard", "x-vcard", "directory", "rtf", "csv", "xml", "css", "javascript")
)
OTHER_SCREENS = frozenset({"text/x-amp-html", "text/watch-html"})
MESSAGES = frozenset({"message/rfc822", "message/global"})
_CALENDARS = frozenset({"text/calendar", "application/ics"})
_ENRICHED = frozenset({"text/enriched", "text/richtext"})
_SMIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
_RECEIPTS = frozenset({"message/disposition-notification", "message/global-disposition-notification"})
_HEADERS_ALONE = frozenset({"text/rfc822-headers", "message/global-headers"})
_SHOWN_FIELDS = ("From", "To", "Cc", "Date", "Subject")
_ABOVE = frozenset({SectionKind.NOTICE, SectionKind.INVITATION})
"""What stands above everything else, and is no alternative of anything."""
_PGP = re.compile(r"^-----BEGIN PGP MESSAGE-----", re.MULTILINE)
_HTML_START = ("<!doctype html", "<html")

VERY_LONG = "This message is very long: only its beginning is shown."
_NO_PARTS = "The parts of this message cannot be told apart. What follows is its source:"
_PGP_MIME = "This message is encrypted with PGP. termmail cannot decrypt it."
_PGP_INLINE = "This message holds text that is encrypted with PGP. termmail cannot decrypt it."
_ENCRYPTED = "This message is encrypted with S/MIME. termmail cannot decrypt it."
_SIGNED = "This message is signed with S/MIME. The signature was not checked."
_UNREADABLE = "This message is wrapped in an S/MIME format that termmail cannot read."
_TOO_MANY = "More messages are attached than are shown here: they are among the attachments."


def notice(words: str) -> Section:
    """Return a section that says something about the message."""
    return Section(title=words, kind=SectionKind.NOTICE)


@dataclass(slots=True)
class Unwrapped:
    """The content of an opaque-signed part: `path` is that of the part, `raw` an entity of its own, `root` its tree."""

    path: str
    raw: bytes
    root: mime.Node


@dataclass(slots=True)
class Body:
    """What was read: the sections in order, the paths of the parts they came from, and notes to the reader.

    `descriptions` are what the organizers of events wrote, shown where there is no other text; `invitations` are those
    that can be answered, without those of attached messages. `inner_files` are the names of the files in attached
    messages. `text_room` and `html_room` are the bytes that may still be read; `messages` counts attached messages.
    `charset` is the one that all texts are read in, "" for what they name.
    """

    sections: list[Section] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    unwrapped: list[Unwrapped] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    inner_files: list[str] = field(default_factory=list)
    invitations: list[Invitation] = field(default_factory=list)
    text_room: int = TEXT_LIMIT
    html_room: int = TEXT_LIMIT
    messages: int = 0
    charset: str = ""


def read(raw: bytes, root: mime.Node, charset_label: str = "") -> Body:
    """Read the body of a message. Never raises; linear in its bytes. `charset_label` overrides what its texts name.

    HTML sources are never joined to one another or to text (EFAIL, CVE-2017-17688): each is a section of its own.
    """
    body = Body(charset=charset_label)
    sections = _Reader(raw, body).read(root)
    above = dict.fromkeys(each for each in sections if each.kind in _ABOVE)
    rest = [each for each in sections if each.kind not in _ABOVE]
    if not any(each.kind is SectionKind.BODY for each in rest):
        rest += [Section(each, kind=SectionKind.INVITATION) for each in body.descriptions]
    body.sections = _joined([*above, *rest])
    return body


def _joined(sections: list[Section]) -> list[Section]:
    """Join texts that follow one another and are of one sort."""

    def sort(section: Section) -> object:
        if section.title or section.html or section.kind is not SectionKind.BODY:
            return id(section)
        return section.view, section.flowed, section.delsp

    joined = []
    for _sort, group in groupby(sections, sort):
        first, *rest = group
        if rest:
            texts = [each.text.strip("\n") for each in (first, *rest)]
            first = msgspec.structs.replace(first, text="\n\n".join(texts))
        joined.append(first)
    return joined


class _Reader:
    """Reads the tree of one entity.

    `depth` counts the attached messages and wrappings around it. `listed`: its attachments are those of the message,
    and `prefix` stands before their paths.
    """

    def __init__(self, raw: bytes, body: Body, *, prefix: str = "", depth: int = 0, listed: bool = True) -> None:
        self.raw = raw
        self.body = body
        self.prefix = prefix
        self.depth = depth
        self.listed = listed

    def read(self, node: mime.Node, *, started: bool = False, parent: str = "") -> list[Section]:
        """Return the sections of a node. `started`: text came before it. `parent` is the type of the node around it."""
        if not node.children:
            return self.leaf(node, started=started, parent=parent)
        if node.kind == "multipart/alternative":
            return self.alternative(node, started=started)
        if node.kind == "multipart/encrypted":
            return [notice(_PGP_MIME)]
        sections: list[Section] = []
        for child in node.children:
            sections += self.read(child, started=started or bool(sections), parent=node.kind)
        return sections

    def leaf(self, leaf: mime.Node, *, started: bool, parent: str) -> list[Section]:
        kind = leaf.kind
        if kind in _CALENDARS:
            return self.calendar(leaf)
        if kind in MESSAGES:
            return self.message(leaf, "Returned message" if parent == "multipart/report" else "Attached message")
        if not started and (kind in _SMIME or leaf.file_name.lower() == "smime.p7m"):
            return self.smime(leaf)
        if leaf.disposition == "attachment" or (leaf.file_name and leaf.disposition != "inline" and started):
            return []
        if kind in _STATUS or kind in _RECEIPTS or kind in _HEADERS_ALONE:
            return self.report(leaf)
        if kind == "text/html":
            return self.html(leaf)
        if leaf.multipart or (kind.startswith("text/") and kind not in _TEXT_FILES and kind not in OTHER_SCREENS):
            return self.text(leaf)
        return []

    def text(self, leaf: mime.Node) -> list[Section]:
        if self.body.text_room <= 0:
            self.body.notes.append(VERY_LONG)
            return []
        data = mime.content(self.raw, leaf)[: self.body.text_room + 1]
        text = self.decoded(data, leaf.parameters.get("charset", ""), self.body.text_room)
        self.body.text_room -= len(data)
        self.read_here(leaf)
        if leaf.kind == "text/enriched":
            text = clean_lines(enriched.from_enriched(text))
        elif leaf.kind == "text/richtext":
            text = clean_lines(enriched.from_richtext(text))
        if not text.strip():
            return []
        if leaf.multipart:
            return [Section(text, title=_NO_PARTS)]
        if text[:200].lstrip().lower().startswith(_HTML_START):
            return [Section(html=text)]
        flowed = leaf.parameters.get("format", "").lower() == "flowed"
        section = Section(text, flowed=flowed, delsp=flowed and leaf.parameters.get("delsp", "").lower() == "yes")
        return [notice(_PGP_INLINE), section] if _PGP.search(text) else [section]

    def html(self, leaf: mime.Node) -> list[Section]:
        if self.body.html_room <= 0:
            self.body.notes.append(VERY_LONG)
            return []
        data = mime.content(self.raw, leaf)[: self.body.html_room + 1]
        html = self.decoded(data, leaf.parameters.get("charset", "") or _meta_charset(data), self.body.html_room)
        self.body.html_room -= len(data)
        self.read_here(leaf)
        return [Section(html=html)] if html.strip() else []

    def read_here(self, leaf: mime.Node) -> None:
        """Note that the leaf is shown as body, so that it is not listed as an attachment too."""
        if self.listed:
            self.body.paths.add(f"{self.prefix}{leaf.path}")

    def decoded(self, data: bytes, label: str, room: int) -> str:
        """Return clean lines of at most `room` bytes, and note what the reader should know of them."""
        if self.body.charset:
            label = ""
        if not charset.known(label):
            self.body.notes.append(f"The character set “{clean(label[:40])}” is unknown: some letters may be wrong.")
        if len(data) > room:
            self.body.notes.append(VERY_LONG)
            data = data[:room]
        if self.body.charset:
            return clean_lines(charset.decode_as(data, self.body.charset))
        return clean_lines(charset.decode(data, label))

    def alternative(self, node: mime.Node, *, started: bool) -> list[Section]:
        """Return the best text, the best HTML and the invitations of the alternatives (the last is the best)."""
        above: list[Section] = []
        texts: list[Section] = []
        html: list[Section] = []
        is_plain = False
        for child in node.children:
            sections = self.read(child, started=started, parent=node.kind)
            above += [each for each in sections if each.kind in _ABOVE]
            rest = [each for each in sections if each.kind not in _ABOVE]
            if any(each.html for each in rest):
                html = rest
            elif rest and not (is_plain and child.kind in _ENRICHED):
                texts = rest
                is_plain = child.kind == "text/plain"
        if texts and html:
            texts = [msgspec.structs.replace(each, view=View.TEXT) for each in texts]
            html = [msgspec.structs.replace(each, view=View.HTML) for each in html if each.view is not View.TEXT]
        return [*above, *texts, *html]

    def calendar(self, leaf: mime.Node) -> list[Section]:
        data = mime.content(self.raw, leaf)[: icalendar.SOURCE_LIMIT]
        event = invitation.read(charset.decode(data, leaf.parameters.get("charset", "")))
        if event is None or self.body.text_room <= 0:
            return []
        self.body.text_room -= len(event.facts) + len(event.description)
        if event.description and event.description not in self.body.descriptions:
            self.body.descriptions.append(event.description)
        if event.invitation is not None and self.listed:
            self.body.invitations.append(event.invitation)
        return [Section(event.facts, title=event.title, kind=SectionKind.INVITATION)]

    def report(self, leaf: mime.Node) -> list[Section]:
        data = mime.content(self.raw, leaf)[: max(self.body.text_room, 0)]
        self.body.text_room -= len(data)
        if leaf.kind in _HEADERS_ALONE:
            text = header_lines(fields(data + b"\n"))
            return [Section(text, title="Headers of the returned message", kind=SectionKind.MESSAGE)] if text else []
        status = leaf.kind in _STATUS
        text = delivery_report.delivery_status(data) if status else delivery_report.read_receipt(data)
        title = "Delivery report" if status else "Read receipt"
        return [Section(text, title=title, kind=SectionKind.REPORT)] if text else []

    def message(self, leaf: mime.Node, title: str) -> list[Section]:
        """Return an attached message as its main header fields and its body."""
        self.body.messages += 1
        if self.depth >= NESTING_LIMIT or self.body.messages > MESSAGES_LIMIT:
            return [notice(_TOO_MANY)]
        raw = mime.content(self.raw, leaf)
        header_end, body_start = mime.split(raw)
        found = fields(raw[:header_end])
        if not found:
            return []
        names = ""
        try:
            root = mime.tree(raw, found, body_start)
            inner = _Reader(raw, self.body, depth=self.depth + 1, listed=False).read(root)
            files = [clean_words(each.file_name) for each in root.leaves() if each.file_name]
            names = ", ".join(files[:20])
            self.body.inner_files += files
        except mime.TooMuchError:
            inner = []
        subject = next((one_line(value) for name, value in found if name.lower() == "subject"), "")[:200]
        text = header_lines(found) + (f"\nAttachments: {names}" if names else "")
        head = Section(text.strip(), title=f"{title}: {subject}" if subject else title, kind=SectionKind.MESSAGE)
        return [head, *(msgspec.structs.replace(each, kind=SectionKind.MESSAGE) for each in inner)]

    def smime(self, leaf: mime.Node) -> list[Section]:
        """Return the content of what is only signed, and a notice (RFC 8551 section 3)."""
        data = mime.content(self.raw, leaf)
        kind = cms.identify(data)
        if kind is cms.Cms.ENCRYPTED:
            return [notice(_ENCRYPTED)]
        raw = cms.signed_content(data) if kind is cms.Cms.SIGNED and self.depth < NESTING_LIMIT else None
        if raw is None:
            return [notice(_UNREADABLE)]
        header_end, body_start = mime.split(raw)
        found = fields(raw[:header_end])
        if all(name.lower() != "content-type" for name, _value in found):
            return []  # a signed file, not a signed message
        try:
            root = mime.tree(raw, found, body_start)
        except mime.TooMuchError:
            return [notice(_UNREADABLE)]
        path = f"{self.prefix}{leaf.path}"
        reader = _Reader(raw, self.body, prefix=f"{path}:", depth=self.depth + 1, listed=self.listed)
        if self.listed:
            self.body.unwrapped.append(Unwrapped(path, raw, root))
        return [notice(_SIGNED), *reader.read(root)]


def header_lines(found: list[tuple[str, str]]) -> str:
    """Return the main header fields of a message as lines."""
    values: dict[str, str] = {}
    for name, value in found:
        values.setdefault(name.lower(), value)
    lines = [(name, one_line(values.get(name.lower(), ""))) for name in _SHOWN_FIELDS]
    return "\n".join(f"{name}: {value}" for name, value in lines if value)


_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"' ]{0,3}([\w.:-]{1,40})", re.IGNORECASE)


def _meta_charset(data: bytes) -> str:
    match = _META_CHARSET.search(data[:4096])
    return match[1].decode("ascii", "replace") if match else ""
