"""Read header fields: encoded-words (RFC 2047), parameters (RFC 2231), dates and message ids.

Everything here takes any input, runs in linear time and never raises. What it returns is not cleaned yet unless
it says so.
"""

from __future__ import annotations

import binascii
import codecs
import re
from datetime import date

from termmail.mail import charset
from termmail.mail.sanitize import clean_address, clean_words

BLOCK_LIMIT = 1 << 20  # bytes of a header block that are read
FIELD_LIMIT = 64 << 10  # characters of one field that are read

_FIELD = re.compile(r"\n([^\s:]++)[ \t]*+:(.*+(?:\n[ \t].*+)*+)")
_ENVELOPE_FIELD = re.compile(
    r"\n(?=[CcDdFfIiLlMmRrSsTt])((?i:from|sender|to|cc|reply-to|subject|date|message-id|in-reply-to|references|list-post|list-id|content-type))"
    r"[ \t]*+:(.*+(?:\n[ \t].*+)*+)"
)
_CHARSET_HINT = re.compile(rb"(?i)\ncontent-type[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*?charset=\"?([\w.:-]{1,40})")


def block_text(block: bytes) -> str:
    """Return a header block as text, its line ends unchanged; raw 8-bit bytes are read line by line."""
    block = block[:BLOCK_LIMIT].removeprefix(codecs.BOM_UTF8)
    try:
        return block.decode()
    except UnicodeDecodeError:
        hint = _CHARSET_HINT.search(b"\n" + block[:FIELD_LIMIT])
        label = hint[1].decode("ascii", "replace") if hint else ""
        return charset.decode_lines(block, label)


def fields(block: bytes) -> list[tuple[str, str]]:
    """Return all fields in order as (name, value), the values still folded. Lines that are no field are skipped."""
    return _FIELD.findall("\n" + block_text(block))


def envelope_fields(block: bytes) -> list[tuple[str, str]]:
    """Return only the fields that an Envelope is made of, like `fields`."""
    return _ENVELOPE_FIELD.findall("\n" + block_text(block))


def one_line(value: str) -> str:
    """Return an unstructured field decoded and cleaned, runs of white space as one space."""
    value = value[:FIELD_LIMIT]
    if "=?" in value:
        value = decode_words(value)
    return clean_words(value)


# Encoded-words as they are really sent: with spaces inside, and with a few bare question marks in the Q form.
_WORD = re.compile(r"=\?([\w.:+*'-]{1,60})\?([bBqQ])\?([^?]*+(?:(?<!=)\?(?!=)[^?]{0,80}+){0,5})\?=", re.ASCII)


def decode_words(text: str) -> str:
    """Decode RFC 2047 encoded-words, once, wherever they stand.

    Adjacent words of one charset are joined as bytes before they are decoded, so a character split between two
    words (forbidden, and common) survives. What cannot be decoded is U+FFFD.
    """
    pieces: list[str] = []
    label, pending, end = "", b"", 0
    for match in _WORD.finditer(text):
        gap = text[end : match.start()]
        this_label = match[1].partition("*")[0].lower()
        data = _word_bytes(match[2], match[3])
        if end and (not gap or gap.isspace()):
            if this_label == label:
                pending += data
            else:
                pieces.append(charset.decode(pending, label))
                label, pending = this_label, data
        else:
            pieces += (charset.decode(pending, label), gap)
            label, pending = this_label, data
        end = match.end()
    pieces += (charset.decode(pending, label), text[end:])
    return "".join(pieces)


def _word_bytes(kind: str, content: str) -> bytes:
    data = content.encode("utf-8", "replace")
    return decode_base64(data) if kind in "bB" else binascii.a2b_qp(data, header=True)


_BASE64_SAMPLE = 400  # bytes
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def decode_base64(data: bytes) -> bytes:
    """Decode base64, tolerating foreign bytes, padding in the middle and a missing end."""
    try:
        return binascii.a2b_base64(data)
    except binascii.Error:
        letters = data.translate(None, _NOT_BASE64)
        letters = letters[: len(letters) - (len(letters) % 4 == 1)]
        return binascii.a2b_base64(letters + b"=" * (-len(letters) % 4))


def is_base64(data: bytes) -> bool:
    """Return whether data can be base64: false for a text that is only labelled so, judged by its start."""
    sample = data[:_BASE64_SAMPLE].rstrip()
    foreign = len(sample) - base64_letters(sample) - sum(map(sample.count, (b"\r", b"\n", b"=")))
    return foreign * 10 <= len(sample)


def base64_letters(data: bytes) -> int:
    """Return how many bytes of `data` are letters of base64, without padding and line ends."""
    return len(data.translate(None, _NOT_BASE64))


# --- parameters -----------------------------------------------------------------------------------------------------

_PARAMETER = re.compile(r';\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?|([^;]*+))', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")
_CONTINUED = re.compile(r"([^*]+)\*([0-9]{1,3})(\*?)")
_PARAMETERS_MOST = 500


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """Return a Content-Type or Content-Disposition as (type in lower case, parameters by lower-case name).

    Reads the `name*0*=` continuations, charsets and percent marks of RFC 2231, and encoded-words in quotes, which
    are forbidden and common. The extended form of a parameter wins over the plain one.
    """
    value = value[:FIELD_LIMIT].replace("\r", "").replace("\n", "")
    kind = value.partition(";")[0].strip().lower()
    plain: dict[str, str] = {}
    extended: dict[str, str] = {}
    continued: dict[str, dict[int, tuple[str, bool]]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value)):
        if count >= _PARAMETERS_MOST:
            break
        name = match[1].lower()
        text = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3].strip()
        if part := _CONTINUED.fullmatch(name):
            continued.setdefault(part[1], {}).setdefault(int(part[2]), (text, part[3] == "*"))
        elif name.endswith("*"):
            extended.setdefault(name[:-1], _extended(text))
        else:
            plain.setdefault(name, decode_words(text) if "=?" in text else text)
    joined = {name: _joined(rows) for name, rows in continued.items()}
    return kind, {**plain, **joined, **extended}


def _extended(text: str) -> str:
    label, quote, rest = text.partition("'")
    if quote:
        _language, quote, rest = rest.partition("'")
    if not quote:
        label, rest = "", text
    return charset.decode(_unpercent(rest), label)


def _unpercent(text: str) -> bytes:
    return _PERCENT.sub(lambda match: bytes((int(match[1], 16),)), text.encode("utf-8", "replace"))


def _joined(rows: dict[int, tuple[str, bool]]) -> str:
    label, data = "", b""
    for number in range(len(rows)):
        if number not in rows:
            break
        text, encoded = rows[number]
        if number == 0 and encoded and text.count("'") >= 2:
            label, _language, text = text.split("'", 2)
        data += _unpercent(text) if encoded else text.encode("utf-8", "replace")
    return charset.decode(data, label)


# --- dates and ids --------------------------------------------------------------------------------------------------

_MONTH_WORDS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTHS = {name: number for number, name in enumerate(_MONTH_WORDS.split(), 1)}
_DATE = re.compile(
    r"([0-9]{1,2})[\s-]{1,3}([A-Za-z]{3})[A-Za-z]{0,6}\.?[\s-]{1,3}([0-9]{2,4})(?![0-9])[\s,]{1,3}"
    r"([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2}))?(?:\.[0-9]{1,9})?\s{0,3}(?:([+-])([0-9]{1,2}):?([0-9]{2})|([A-Za-z]{1,5}))?"
)
_CTIME = re.compile(
    r"([A-Za-z]{3})\s{1,3}([0-9]{1,2})\s{1,3}([0-9]{1,2}):([0-9]{2}):([0-9]{2})\s{1,3}([0-9]{4})(?![0-9])"
)
_ISO = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T\s]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]{1,9})?\s?(?:([+-])([0-9]{2}):?([0-9]{2}))?"
)
_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
_EPOCH = date(1970, 1, 1).toordinal()
_LATEST = (date(2100, 1, 1).toordinal() - _EPOCH) * 86400


def parse_date(value: str) -> int | None:
    """Return the seconds since 1970 in UTC of a date (RFC 5322 section 3.3, and common deviations), or None.

    None too for a zone beyond +-15 hours and for anything before 1970 or after 2100.
    """
    if not value:
        return None
    value = value[:200]
    if match := _DATE.search(value):
        day, month, year, hour, minute, second, sign, zone_hours, zone_minutes, zone = match.groups()
        number = _MONTHS.get(month.lower(), 0)
        full_year = int(year)
        if len(year) < 4:  # RFC 5322 section 4.3
            full_year += 2000 if full_year < 50 else 1900
        offset = _offset(sign, zone_hours, zone_minutes, zone)
        return _seconds((full_year, number, int(day)), (int(hour), int(minute), int(second or 0)), offset)
    if match := _CTIME.search(value):
        month, day, hour, minute, second, year = match.groups()
        return _seconds((int(year), _MONTHS.get(month.lower(), 0), int(day)), (int(hour), int(minute), int(second)), 0)
    if match := _ISO.search(value):
        year, month, day, hour, minute, second, sign, zone_hours, zone_minutes = match.groups()
        offset = _offset(sign, zone_hours, zone_minutes, None)
        return _seconds((int(year), int(month), int(day)), (int(hour), int(minute), int(second or 0)), offset)
    return None


def _offset(sign: str | None, hours: str | None, minutes: str | None, name: str | None) -> int:
    if sign and hours and minutes:
        seconds = int(hours) * 3600 + int(minutes) * 60
        return -seconds if sign == "-" else seconds
    return _ZONES.get(name.upper(), 0) * 3600 if name else 0


def _seconds(day: tuple[int, int, int], time: tuple[int, int, int], offset: int) -> int | None:
    hour, minute, second = time
    if hour > 24 or minute > 59 or second > 60 or abs(offset) > 15 * 3600:
        return None
    try:
        days = date(*day).toordinal() - _EPOCH
    except ValueError:
        return None
    total = days * 86400 + hour * 3600 + minute * 60 + second - offset
    return total if 0 <= total < _LATEST else None


_ID = re.compile(r"<([^<>\s]{1,998})>")
_REFERENCES_MOST = 100


def message_id(value: str) -> str:
    """Return the first message id of a field, cleaned, without its angle brackets, or ""."""
    if not value:
        return ""
    if match := _ID.search(value[:FIELD_LIMIT]):
        return clean_address(match[1])
    return next((clean_address(word) for word in value[:998].strip(" \t\r\n<>").split() if "@" in word), "")


def message_ids(value: str) -> tuple[str, ...]:
    """Return all message ids of a field, cleaned; of more than a hundred the first and the newest ones."""
    if not value:
        return ()
    found = [clean_address(each) for each in _ID.findall(value[:FIELD_LIMIT])]
    if len(found) > _REFERENCES_MOST:
        found = found[:1] + found[1 - _REFERENCES_MOST :]
    return tuple(found)
