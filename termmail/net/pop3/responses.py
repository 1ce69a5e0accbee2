"""What the answers of a POP3 server mean: numbers, sizes, unique ids, capabilities. Pure, and strict about numbers."""

from __future__ import annotations

import re

_CODE = re.compile(rb"\[([!-Z^-~\\]+)\]")
_NUMBER = re.compile(rb"[1-9][0-9]{0,9}")
_SIZE = re.compile(rb"0|[1-9][0-9]{0,9}")
_TOTAL = re.compile(rb"0|[1-9][0-9]{0,14}")


def response_code(text: bytes) -> str:
    """The response code that a status text begins with, in capitals, or ""."""
    found = _CODE.match(text)
    return found.group(1).decode("ascii").upper() if found else ""


def parse_stat(text: bytes) -> tuple[int, int] | None:
    """Messages and bytes of an answer to STAT, or None where they are no numbers (RFC 1939 section 5)."""
    words = text.split()
    if len(words) < 2 or not _SIZE.fullmatch(words[0]) or not _TOTAL.fullmatch(words[1]):
        return None
    return int(words[0]), int(words[1])


def parse_size_row(row: bytes) -> tuple[int, int | None] | None:
    """Return number and bytes of a row of LIST, or None for a row without a number.

    A number is [1-9][0-9]{0,9} in ASCII and nothing else. The size is None where it is missing or no such number.
    """
    words = row.split(maxsplit=2)
    if not words or not _NUMBER.fullmatch(words[0]):
        return None
    return int(words[0]), int(words[1]) if len(words) > 1 and _SIZE.fullmatch(words[1]) else None


def parse_uidl_row(row: bytes) -> tuple[int, bytes] | None:
    """Number and unique id of a row of UIDL (or of the answer to UIDL n), or None. The id is opaque, and may be b""."""
    number, _, uidl = row.partition(b" ")
    return (int(number), uidl) if _NUMBER.fullmatch(number) else None


def parse_capabilities(body: bytes) -> dict[str, tuple[str, ...]]:
    """Names in capitals, with their arguments (RFC 2449 section 5)."""
    found: dict[str, tuple[str, ...]] = {}
    for row in body.decode("ascii", "replace").split("\r\n"):
        name, *arguments = row.split() or [""]
        if name:
            found[name.upper()] = (*found.get(name.upper(), ()), *arguments)
    return found
