"""Generate the attachments: a PNG, a PDF, a table and invitations, the same bytes each time."""

from __future__ import annotations

import math
import random
import struct
import zlib
from datetime import UTC, datetime


def png(width: int, height: int, pixels: bytes, *, level: int = 6) -> bytes:
    """Return a PNG of 8-bit RGB `pixels`, row by row, `width * height * 3` bytes."""
    stride = width * 3
    rows = b"".join(b"\0" + pixels[at : at + stride] for at in range(0, height * stride, stride))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, level)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def curve() -> bytes:
    """Return a small plot: two damped waves on squared paper."""
    width, height = 320, 160
    pixels = bytearray(b"\xff\xfc\xf2" * (width * height))

    def dot(x: int, y: int, colour: bytes) -> None:
        if 0 <= y < height:
            at = (y * width + x) * 3
            pixels[at : at + 3] = colour

    for x in range(width):
        for y in range(height):
            if x % 20 == 0 or y % 20 == 0:
                dot(x, y, b"\xe4\xdc\xc8")
    for x in range(width):
        for phase, colour in ((0.0, b"\x1f\x4e\x79"), (1.3, b"\xb0\x3a\x2e")):
            y = round(height / 2 - 70 * math.exp(-x / 160) * math.sin(x / 14 + phase))
            dot(x, y, colour)
            dot(x, y + 1, colour)
    return png(width, height, bytes(pixels))


def scan() -> bytes:
    """Return a large picture that does not compress, like a grainy scan: about 3.7 MB."""
    width, height = 1240, 1000
    return png(width, height, random.Random(1843).randbytes(width * height * 3), level=0)  # noqa: S311 - grain, not a key


def pdf(title: str, lines: list[str]) -> bytes:
    """Return a PDF of one page in Helvetica, ASCII only."""

    def quoted(text: str) -> str:
        return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")

    shown = "".join(f"({quoted(line)}) Tj T*\n" for line in lines)
    content = f"BT /F1 18 Tf 72 760 Td ({quoted(title)}) Tj 0 -30 Td /F1 11 Tf 15 TL\n{shown}ET"
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    return (
        f"{out}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    ).encode("ascii")


def invite(
    uid: str, summary: str, start: datetime, end: datetime, *, method: str = "REQUEST", sequence: int = 0
) -> str:
    """Return a calendar event (RFC 5545) sent to Ada (RFC 5546); `method` is REQUEST or CANCEL."""

    def stamp(moment: datetime) -> str:
        return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//example.org//Calendar//EN",
        "VERSION:2.0",
        f"METHOD:{method}",
        "BEGIN:VEVENT",
        f"UID:{uid}@example.org",
        f"SEQUENCE:{sequence}",
        f"DTSTAMP:{stamp(start)}",
        f"DTSTART:{stamp(start)}",
        f"DTEND:{stamp(end)}",
        f"SUMMARY:{summary}",
        "LOCATION:1 Dorset Street\\, the workshop",
        "ORGANIZER;CN=Charles Babbage:mailto:charles@example.net",
        "ATTENDEE;CN=Ada Lovelace;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@example.org",
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"


def series(uid: str, summary: str, start: datetime) -> str:
    """Return a weekly event of an hour in the time of Turin, as programs that name zones in their own way send it.

    `start` is a local time there.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//example.net//Exchange//EN",
        "VERSION:2.0",
        "METHOD:REQUEST",
        "BEGIN:VTIMEZONE",
        "TZID:W. Europe Standard Time",
        "BEGIN:STANDARD",
        "DTSTART:16010101T030000",
        "TZOFFSETFROM:+0200",
        "TZOFFSETTO:+0100",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
        "END:STANDARD",
        "BEGIN:DAYLIGHT",
        "DTSTART:16010101T020000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0200",
        "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
        "END:DAYLIGHT",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        f"UID:{uid}@example.net",
        "SEQUENCE:1",
        f"DTSTAMP:{start:%Y%m%dT%H%M%SZ}",
        f"DTSTART;TZID=W. Europe Standard Time:{start:%Y%m%dT%H%M%S}",
        "DURATION:PT1H",
        "RRULE:FREQ=WEEKLY;COUNT=8",
        f"SUMMARY:{summary}",
        "LOCATION:By telegraph",
        "ORGANIZER;CN=Luigi Menabrea:mailto:luigi@example.net",
        "ATTENDEE;CN=Luigi Menabrea;PARTSTAT=ACCEPTED:mailto:luigi@example.net",
        "ATTENDEE;CN=Ada Lovelace;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@example.org",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "\r\n".join(lines) + "\r\n"


def ledger() -> str:
    """Return the costs of a workshop in a year as CSV."""
    rng = random.Random(12)  # noqa: S311 - figures, not a key
    items = ("brass plate", "steel rod", "punched cards", "gear blanks", "oil", "carriage", "wages")
    rows = [
        f"{month:02},{item},{rng.randint(2, 90)},{rng.randint(40, 9000) / 100:.2f}"
        for month in range(1, 13)
        for item in items
    ]
    return "month,item,pieces,pounds\r\n" + "\r\n".join(rows) + "\r\n"
