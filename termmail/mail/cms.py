"""The outer layers of S/MIME data (CMS, RFC 5652): what it is, and the content of what is only signed.

Reads DER and BER, with definite and indefinite lengths. Bounded: no recursion, and every step moves forward.
"""

from __future__ import annotations

from enum import Enum, auto

_PREFIX = b"\x2a\x86\x48\x86\xf7\x0d\x01"  # 1.2.840.113549.1
_SEQUENCE, _OID, _OCTETS, _CONTEXT_0 = 0x30, 0x06, 0x04, 0xA0
_CONSTRUCTED = 0x20
_ELEMENTS_LIMIT = 1_000_000


class Cms(Enum):
    """What CMS data holds."""

    SIGNED = auto()
    ENCRYPTED = auto()
    COMPRESSED = auto()
    UNKNOWN = auto()


_KINDS = {
    _PREFIX + b"\x07\x02": Cms.SIGNED,
    _PREFIX + b"\x07\x03": Cms.ENCRYPTED,
    _PREFIX + b"\x09\x10\x01\x17": Cms.ENCRYPTED,  # authenticated
    _PREFIX + b"\x09\x10\x01\x09": Cms.COMPRESSED,
}


class _Malformed(Exception):
    """The data is not what ASN.1 says."""


class _Reader:
    """A position in BER data."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.elements = 0

    def head(self) -> tuple[int, int | None]:
        """Read a tag and a length; the length is None where it is indefinite. Raises _Malformed."""
        self.elements += 1
        data, place = self.data, self.place
        if self.elements > _ELEMENTS_LIMIT or place + 2 > len(data) or data[place] & 0x1F == 0x1F:
            raise _Malformed
        tag, length = data[place], data[place + 1]
        place += 2
        if length == 0x80:
            self.place = place
            return tag, None
        if length > 0x80:
            count = length & 0x7F
            if count > 8 or place + count > len(data):
                raise _Malformed
            length = int.from_bytes(data[place : place + count])
            place += count
        if length > len(data) - place:
            raise _Malformed
        self.place = place
        return tag, length

    def enter(self, expected: int) -> None:
        """Go into an element with the expected tag. Raises _Malformed."""
        tag, _length = self.head()
        if tag != expected:
            raise _Malformed

    def value(self, expected: int) -> bytes:
        """Read an element of definite length with the expected tag. Raises _Malformed."""
        tag, length = self.head()
        if tag != expected or length is None:
            raise _Malformed
        self.place += length
        return self.data[self.place - length : self.place]

    def skip(self) -> None:
        """Go behind an element of definite length. Raises _Malformed."""
        _tag, length = self.head()
        if length is None:
            raise _Malformed
        self.place += length

    def octets(self) -> bytes:
        """Read an octet string, which may be cut into pieces and these into pieces. Raises _Malformed."""
        pieces: list[bytes] = []
        ends: list[int | None] = []
        while True:
            while ends and ends[-1] is not None and self.place >= ends[-1]:
                ends.pop()
            if ends and ends[-1] is None and self.data[self.place : self.place + 2] == b"\0\0":
                self.place += 2
                ends.pop()
            else:
                if pieces and not ends:
                    break
                tag, length = self.head()
                if tag == _OCTETS and length is not None:
                    pieces.append(self.data[self.place : self.place + length])
                    self.place += length
                elif tag == _OCTETS | _CONSTRUCTED:
                    ends.append(None if length is None else self.place + length)
                else:
                    raise _Malformed
            if not ends:
                break
        return b"".join(pieces)


def _outer(data: bytes) -> tuple[Cms, _Reader]:
    reader = _Reader(data)
    reader.enter(_SEQUENCE)
    kind = _KINDS.get(reader.value(_OID), Cms.UNKNOWN)
    return kind, reader


def identify(data: bytes) -> Cms:
    """Return what the data is; UNKNOWN for anything that is no CMS."""
    try:
        return _outer(data)[0]
    except _Malformed:
        return Cms.UNKNOWN


def signed_content(data: bytes) -> bytes | None:
    """Return the content of signed data (RFC 5652 section 5.1), or None where there is none or it cannot be read.

    The signature is not checked.
    """
    try:
        kind, reader = _outer(data)
        if kind is not Cms.SIGNED:
            return None
        reader.enter(_CONTEXT_0)
        reader.enter(_SEQUENCE)
        reader.skip()  # the version
        reader.skip()  # the digest algorithms
        reader.enter(_SEQUENCE)
        reader.skip()  # the type of the content
        reader.enter(_CONTEXT_0)
        return reader.octets()
    except _Malformed:
        return None
