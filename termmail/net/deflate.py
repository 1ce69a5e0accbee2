"""Compression of a connection in both directions: raw DEFLATE without a header (RFC 4978, RFC 1951)."""

from __future__ import annotations

import zlib

PIECE = 64 << 10
"""Bytes that are decompressed at once: a few bytes may become millions."""

_RAW = -zlib.MAX_WBITS


class Deflate:
    """What is sent and received from the moment on that both sides compress."""

    def __init__(self) -> None:
        self._out = zlib.compressobj(wbits=_RAW)
        self._in = zlib.decompressobj(wbits=_RAW)
        self._waiting = b""

    def compress(self, data: bytes) -> bytes:
        """Return what is to be sent; the other side can read all of it at once."""
        return self._out.compress(data) + self._out.flush(zlib.Z_SYNC_FLUSH)

    def receive(self, data: bytes) -> None:
        """Take bytes as they were received."""
        self._waiting += data

    def piece(self) -> bytes:
        """Return at most PIECE bytes of what was received; fewer mean that there are no more. Raises ValueError."""
        try:
            data = self._in.decompress(self._waiting, PIECE)
        except zlib.error as error:
            raise ValueError(str(error)) from error
        if self._in.eof:
            raise ValueError("the compressed data has an end")
        self._waiting = self._in.unconsumed_tail
        return data
