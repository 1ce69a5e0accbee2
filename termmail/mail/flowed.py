"""Plain text made readable: paragraphs (RFC 3676), quote depth, signature, wrapped lines, links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from termmail.mail import reflow
from termmail.mail.check import no_check
from termmail.mail.html.links import list_lines
from termmail.mail.message import CARD_LABEL, Line, Link, Rendered, SectionKind, shown_sections
from termmail.mail.sanitize import clean, clean_lines
from termmail.mail.wrap import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from termmail.mail.check import Check
    from termmail.mail.message import Message, Section

LIMIT = 1_000_000  # characters of a body that are shown
LINK_LIMIT = 1_000
_MARKS_DRAWN = 8  # quote depths that are drawn; a deeper one looks like this one
_URL_LIMIT = 4_000
_MIN_TEXT = 10  # cells of text that stay beside quote marks on a very narrow screen
_PLAIN_WIDTH = 76
_SIGNATURE = "-- "
# One greedy class behind a fixed start: nothing here can backtrack.
_URL = re.compile(
    r"(?<![A-Za-z0-9_])(?:https?://|www\.|mailto:)[^\s<>\"`\u3000-\u303f\uff00-\uff0f\uff1a-\uff20]+", re.IGNORECASE
)
_URL_STARTS = ("://", "www.", "mailto:")  # one of these is in every URL that the expression finds
_CLOSERS = {")": "(", "]": "[", "}": "{"}


class Paragraph(Struct, frozen=True):
    """One logical line of a body: flowed lines joined again, quote marks taken off. `kind` is "" or "signature"."""

    text: str
    quote: int = 0
    kind: str = ""


def quote_prefix(depth: int) -> str:
    """Return the marks drawn before a quoted line ("> > " at depth 2), at most eight of them."""
    return "> " * min(depth, _MARKS_DRAWN)


def _unquote(line: str, *, flowed: bool) -> tuple[int, str]:
    """Return the quote depth of a line and the text behind its marks.

    RFC 3676 section 4.5: flowed text has its marks without spaces, then perhaps one stuffed space. Other text is
    read as people write it: `> > >`.
    """
    depth = place = 0
    while line.startswith(">", place):
        depth += 1
        place += 1
        if not flowed and line.startswith(" >", place):
            place += 1
    if line.startswith(" ", place) and (flowed or depth):
        place += 1
    return depth, line[place:]


def _joined(lines: Iterable[str], *, delsp: bool) -> Iterator[Paragraph]:
    """Join flowed lines to paragraphs (RFC 3676 sections 4.1 to 4.4)."""
    held: list[str] = []
    held_depth = 0
    for line in lines:
        depth, text = _unquote(line, flowed=True)
        if held and (depth != held_depth or text == _SIGNATURE):
            yield Paragraph("".join(held).rstrip(" "), held_depth)
            held = []
        soft = text.endswith(" ") and text != _SIGNATURE
        held.append(text[:-1] if soft and delsp else text)
        held_depth = depth
        if not soft:
            yield Paragraph("".join(held), held_depth)
            held = []
    if held:
        yield Paragraph("".join(held).rstrip(" "), held_depth)


def _signed(found: list[Paragraph]) -> list[Paragraph]:
    """Mark the signature: from the last `-- ` of the writer up to the next quoted line or the end."""
    starts = [place for place, one in enumerate(found) if one.text == _SIGNATURE and not one.quote]
    if not starts:
        return found
    end = starts[-1]
    while end < len(found) and not found[end].quote:
        found[end] = replace(found[end], kind="signature")
        end += 1
    return found


def paragraphs(text: str, *, flowed: bool = False, delsp: bool = False) -> list[Paragraph]:
    """Return the logical lines of a plain text body, cleaned. Linear in the length of the text."""
    lines = clean_lines(text).removesuffix("\n").split("\n")
    if flowed:
        return _signed(list(_joined(lines, delsp=delsp)))
    return _signed([Paragraph(rest, depth) for depth, rest in (_unquote(line, flowed=False) for line in lines)])


def _lines(found: Iterable[Paragraph], width: int, check: Check) -> Iterator[Line]:
    for one in found:
        check()
        prefix = quote_prefix(one.quote)[: max(width - _MIN_TEXT, 0)]
        room = width - len(prefix)
        text = one.text.rstrip(" ")
        indent = len(text) - len(text.lstrip(" ")) if len(text) > room else 0
        if indent > room // 2:
            indent = 0
        for part in fold(text[indent:], room - indent):
            yield Line((prefix + " " * indent + part).rstrip(" "), one.quote, one.kind)


def wrap(text: str, width: int = 88, *, flowed: bool = False, delsp: bool = False) -> tuple[Line, ...]:
    """Return a plain text body as lines of at most `width` cells (RFC 3676 where it is flowed).

    Quote marks are part of the lines' text, and `Line.quote` has the depth; the lines of the signature have the kind
    "signature". What is beyond a million characters is left out: `body` says so.
    """
    return tuple(_lines(paragraphs(text[:LIMIT], flowed=flowed, delsp=delsp), width, no_check))


def _url_end(url: str) -> str:
    """Return the end of the URL without the punctuation of the sentence around it."""
    spare = {closer: url.count(closer) - url.count(opener) for closer, opener in _CLOSERS.items()}
    end = len(url)
    while end:
        last = url[end - 1]
        if last in _CLOSERS and spare[last] > 0:
            spare[last] -= 1
        elif last not in ".,;:!?'*_~|’”»":
            break
        end -= 1
    return url[:end]


def addresses(text: str) -> Iterator[tuple[int, str]]:
    """Yield the addresses written out in a text (http, https, mailto, www.), each with the place where it begins."""
    lowered = text.lower()
    if not any(start in lowered for start in _URL_STARTS):
        return
    for match in _URL.finditer(text):
        if len(match.group()) <= _URL_LIMIT:
            yield match.start(), _url_end(match.group())


def links(texts: Iterable[str]) -> tuple[Link, ...]:
    """Return the links written out in texts, each once, in order, at most a thousand.

    Linear in the length of the texts.
    """
    found: dict[str, Link] = {}
    for text in texts:
        for _place, address in addresses(text):
            shown = clean(address)
            scheme, colon, rest = shown.partition(":")
            url = f"{scheme.lower()}:{rest}" if colon and shown[:4].lower() != "www." else f"https://{shown}"
            if len(url.rstrip("/.:")) > len("mailto") + 1 and url not in found:
                found[url] = Link(shown, url)
            if len(found) == LINK_LIMIT:
                return tuple(found.values())
    return tuple(found.values())


def body(
    message: Message, width: int = 88, *, html: bool | None = None, reflowed: bool = False, check: Check = no_check
) -> Rendered:
    """Return the body of a message made readable: its text where it has one, else its HTML; `html` chooses.

    A choice the message does not have falls back to the other one. Text wraps at `width` cells; with `reflowed`, so do
    paragraphs that their writer broke by hand and that are wider. `check` is called regularly and may raise to stop.
    """
    lines: list[Line] = []
    linked: list[Link] = []
    numbers: dict[str, int] = {}
    warnings: list[str] = []
    notes: list[str] = []
    for section in shown_sections(message, html=html):
        if lines:
            lines.append(Line(""))
        if section.kind is SectionKind.INVITATION and section.title:
            asks = message.invitation is not None and not any(line.kind == "card-answer" for line in lines)
            lines += _card(section, width, asks=asks)
            linked += links([section.text])
            continue
        lines += (Line(text, kind="heading") for text in fold(section.title, width) if text)
        shown = _rendered(section, width, numbers, check, reflowed=reflowed)
        lines += shown.lines
        linked += shown.links
        warnings += shown.notes[: shown.warned]
        notes += shown.notes[shown.warned :]
    lines += list_lines(linked, width, check)
    if not any(line.text for line in lines):
        words = "There is no text in this message"
        lines = [Line(part) for part in fold(f"{words}, only attachments." if message.parts else f"{words}.", width)]
    said = tuple(dict.fromkeys(warnings))
    return Rendered(tuple(lines), tuple(linked), tuple(dict.fromkeys((*said, *notes))), len(said))


def _card(section: Section, width: int, *, asks: bool) -> Iterator[Line]:
    """Yield a calendar event: what it is, a line for the answer where it `asks` for one, and its facts beside labels."""
    yield from (Line(text, kind="card-title") for text in fold(section.title, width))
    if asks:
        yield Line("", kind="card-answer")
    for fact in section.text.split("\n"):
        label, _colon, value = fact.partition(": ")
        for text in fold(value, max(width - CARD_LABEL, _MIN_TEXT)):
            yield Line(f"{label:{CARD_LABEL}}{text}", kind="card")
            label = ""


def _rendered(
    section: Section, width: int, numbers: dict[str, int], check: Check, *, reflowed: bool = False
) -> Rendered:
    """Return the text or the HTML of one section made readable; `numbers` are those of the links before it."""
    if section.html:
        from termmail.mail.html.render import render  # noqa: PLC0415 - loads the HTML parser, which most mail never needs

        return render(section.html, width, numbers=numbers, check=check)
    if not section.text:
        return Rendered(())
    found = paragraphs(section.text[:LIMIT], flowed=section.flowed, delsp=section.delsp)
    notes = ("This message is very long. Only its start is shown.",) if len(section.text) > LIMIT else ()
    if reflowed and not section.flowed:
        found = reflow.joined(found, width, check)
    return Rendered(tuple(_lines(found, width, check)), links(one.text for one in found), notes)


def plain(message: Message, kinds: Collection[SectionKind] = frozenset(SectionKind)) -> str:
    """Return the whole body as one readable text, its paragraphs not wrapped, its HTML rendered.

    A line feed divides the lines. Only the sections of the given `kinds` are in it.
    """
    texts = []
    linked: list[Link] = []
    numbers: dict[str, int] = {}
    for section in shown_sections(message):
        if section.kind in kinds:
            text = _plain(section, numbers, linked)
            texts.append(f"{section.title}\n{text}".rstrip("\n") if section.title else text)
    return "\n".join(["\n\n".join(texts), *(line.text for line in list_lines(linked, _PLAIN_WIDTH, no_check))])


def _plain(section: Section, numbers: dict[str, int], linked: list[Link]) -> str:
    """Return the text of one section, and add its numbered links to `linked`."""
    if section.html:
        shown = _rendered(section, _PLAIN_WIDTH, numbers, no_check)
        linked += shown.links
        return "\n".join(line.text for line in shown.lines)
    found = paragraphs(section.text, flowed=section.flowed, delsp=section.delsp)
    return "\n".join((">" * one.quote + " " if one.quote else "") + one.text for one in found)
