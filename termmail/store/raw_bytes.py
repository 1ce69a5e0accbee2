"""How the bytes of a message lie in the table `raw`: compressed where that is worth it, given back byte for byte."""

from __future__ import annotations

import zlib

from termmail.store.store_errors import StoreDamaged

LARGEST = 64 << 10
"""Bytes of a message that is compressed, at most: larger ones are mostly attachments, which gain little and take long."""

WORTH = 0.9
"""Part of its bytes, at most, that a compressed message takes."""


def pack(raw: bytes) -> tuple[bytes, int]:
    """Return the columns `bytes` and `packed` of a message."""
    if len(raw) <= LARGEST and len(packed := zlib.compress(raw, 1)) < WORTH * len(raw):
        return packed, 1
    return raw, 0


def unpack(data: bytes, packed: int) -> bytes:
    """Return the bytes of a message from its columns. Raises StoreDamaged."""
    try:
        return zlib.decompress(data) if packed else data
    except zlib.error as error:
        raise StoreDamaged("The mail store is damaged: a message in it cannot be read.") from error
