"""Keep a password out of logs and error texts, in whatever encoding a server echoes it."""

from __future__ import annotations

import base64
import contextlib
import html
import quopri
import re
import string
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes, unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = b"[hidden]"

_SHORT = 4
"""A secret of fewer bytes occurs in many lines by chance: hide the whole line, so that it does not mark the place."""
_GRAM = 6
"""Characters of base64 or hex that are enough to recognize a part of a secret."""
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{%d,}={0,2}" % _GRAM)
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_ESCAPE = re.compile(rb"((?:\\u[0-9A-Fa-f]{4})+)|\\(?:x([0-9A-Fa-f]{2})|([0-7]{3})|(.))")
_HEX_RUN = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :-]?){4,}")
_ENCODED_TWICE = re.compile(rb"[A-Za-z0-9+/_-]{12,}|[%&=\\]")
_BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{6,}")
_BASE32_RUN = re.compile(rb"[A-Za-z2-7]{6,}")
_ROT13 = str.maketrans(
    string.ascii_lowercase, "".join(string.ascii_lowercase[(at + 13) % 26] for at in range(len(string.ascii_lowercase)))
)
_LONGEST_LINE = 4096
"""A longer line is hidden whole where it follows a login: no server says so much in one error."""
_HEX_SEPARATOR = re.compile(rb"(?<=[0-9a-f]{2})[ :-](?=[0-9a-f]{2})")


class Secrets:
    """The secrets of one connection."""

    def __init__(self) -> None:
        self._secrets: set[bytes] = set()
        self._plain: list[bytes] = []
        self._short_cores: list[bytes] = []
        self._grams: set[bytes] = set()
        self._hex: set[bytes] = set()
        self._parts: dict[int, set[str]] = {}

    def hide_login(self, username: str, password: str) -> None:
        """Hide a password from now on, and the responses of the SASL mechanisms that carry it.

        These are PLAIN (RFC 4616) and the second response of LOGIN; an echo may be cut or begin anywhere.
        """
        name, secret = _bytes(username), _bytes(password)
        if not secret:
            return
        self._add(secret)
        self._add_parts(password)
        with contextlib.suppress(UnicodeEncodeError):
            self._add(password.encode("latin-1"))
        for payload in (b"\0%b\0%b" % (name, secret), b"%b\0%b\0%b" % (name, name, secret)):
            self._plain.append(payload)
            self._grams |= _grams(base64.b64encode(payload))
        self._sort()

    def hide_digest(self, digest: str) -> None:
        """Hide a hex digest that was made from the password (APOP, RFC 1939 section 7), in capitals too."""
        self._plain += [digest.lower().encode(), digest.upper().encode()]
        self._grams |= _grams(digest.lower().encode())
        self._add_parts(digest)
        self._sort()

    def redact(self, data: bytes) -> bytes:
        """Return `data` with every secret replaced by "[hidden]", and all of it where only decoding shows a secret."""
        if self._grams:
            data = _RUN.sub(self._redact_run, data)
        for form in self._plain:
            if form in data:
                if len(form) < _SHORT:
                    return HIDDEN
                data = data.replace(form, HIDDEN)
        if any(secret in decoded for decoded in _decodings(data) for secret in self._secrets):
            return HIDDEN
        digits = _HEX_SEPARATOR.sub(b"", data.lower())
        if any(form in digits for form in self._hex):
            return HIDDEN
        if self._parts and (len(data) > _LONGEST_LINE or self._shows_a_part(data)):
            return HIDDEN
        return data

    def _shows_a_part(self, data: bytes) -> bool:
        """Return whether the data shows a long enough part of a secret, in any reading of it."""
        texts = {folded for reading in _readings(data) for text in _texts(reading) for folded in _folded(text)}
        return any(
            not parts.isdisjoint(text[at : at + size] for at in range(len(text) - size + 1))
            for size, parts in self._parts.items()
            for text in texts
        )

    def _add_parts(self, text: str) -> None:
        """Know the parts of a secret that are hidden wherever they occur, in the case and order a server may use."""
        whole, letters = _folded(text)
        for form in {whole, letters} if len(letters) >= _GRAM else {whole}:
            size = _part_size(len(form))
            if size:
                for shown in (form, form[::-1], form.translate(_ROT13)):
                    parts = self._parts.setdefault(size, set())
                    parts |= {shown[at : at + size] for at in range(len(form) - size + 1)}

    def _add(self, secret: bytes) -> None:
        self._secrets.add(secret)
        self._hex.add(secret.hex().encode())
        self._plain += [secret, quote_from_bytes(secret, safe="").encode()]
        for before in range(3):
            # The first and the last character also hold bits of the neighbours; what lies between is the secret's alone.
            coded = base64.b64encode(bytes(before) + secret)
            core = coded[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6]
            if _SHORT <= len(core) < _GRAM:
                self._short_cores.append(core)
            self._grams |= _grams(core)
        self._plain.append(base64.b64encode(secret))
        self._grams |= _grams(secret.hex().encode())

    def _sort(self) -> None:
        self._plain = sorted(set(self._plain), key=len, reverse=True)

    def _redact_run(self, run: re.Match[bytes]) -> bytes:
        """Hide a run of base64 or hex that shares _GRAM characters with a secret's."""
        text = run[0]
        coded = text.translate(_URL_SAFE)
        known = not self._grams.isdisjoint(_grams(coded) | _grams(text.lower()))
        return HIDDEN if known or any(core in coded for core in self._short_cores) else text


def _grams(text: bytes) -> set[bytes]:
    return {text[at : at + _GRAM] for at in range(len(text) - _GRAM + 1)}


def _part_size(length: int) -> int:
    """Return how many characters in a row count as an echo of a secret of this length; 0 where none do.

    At least half of it, from six up to twelve; of a short one all but one, and never fewer than four.
    """
    return 0 if length < _SHORT else max(_SHORT, min(length - 1, 12, max(6, (length + 1) // 2)))


def _folded(text: str) -> tuple[str, str]:
    """Return the text without case and blanks, and its letters and digits alone."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in folded if c.isprintable() and c != " "), "".join(filter(str.isalnum, folded))


def _texts(data: bytes) -> Iterator[str]:
    """Yield the data as text in UTF-8, Latin-1 and UTF-16 of both byte orders."""
    for encoding in ("utf-8", "latin-1", "utf-16-le", "utf-16-be"):
        yield data.decode(encoding, "replace")
    if b"\0" in data or not data.isascii():
        yield data[1:].decode("utf-16-le", "replace")
        yield data[1:].decode("utf-16-be", "replace")


def _readings(data: bytes) -> set[bytes]:
    """Return the data and what it says when it is decoded once or twice."""
    once = {data, *_decodings(data), *_binary(data)}
    if not _ENCODED_TWICE.search(data):
        return once  # most lines: the second step takes up to 50 ms
    return once | {twice for one in once for twice in (*_decodings(one), *_binary(one))}


def _binary(data: bytes) -> Iterator[bytes]:
    """Yield the data with its runs of hex, base64 and base32 decoded; a cut run may begin at any character."""
    for at in range(2):
        yield _HEX_RUN.sub(lambda run, at=at: _from_hex(run[0][at:]), data)  # type: ignore[misc]
    for at in range(4):
        yield _BASE64_RUN.sub(lambda run, at=at: _from_base64(b"A" * at + run[0]), data)  # type: ignore[misc]
    for at in range(8):
        yield _BASE32_RUN.sub(lambda run, at=at: _from_base32(b"A" * at + run[0]), data)  # type: ignore[misc]


def _from_hex(run: bytes) -> bytes:
    digits = re.sub(rb"[ :-]", b"", run)
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode())


def _from_base64(run: bytes) -> bytes:
    return base64.b64decode(run.translate(_URL_SAFE) + b"A" * (-len(run) % 4))


def _from_base32(run: bytes) -> bytes:
    return base64.b32decode(run.upper() + b"A" * (-len(run) % 8))


def _decodings(data: bytes) -> Iterator[bytes]:
    """Yield what the data says if it is percent-encoded, quoted-printable, quoted with backslashes, or HTML."""
    if b"%" in data or b"+" in data:
        yield unquote_to_bytes(data)
        yield unquote_to_bytes(data.replace(b"+", b" "))
    if b"=" in data:
        yield quopri.decodestring(data)
    if b"\\" in data:
        yield _ESCAPE.sub(_unescaped, data)
    if b"&" in data:
        yield html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
        yield html.unescape(data.decode("utf-8", "replace")).encode("utf-8", "replace")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    utf16, hexadecimal, octal, other = escape.groups()
    if utf16:
        return bytes.fromhex(utf16.replace(b"\\u", b"").decode()).decode("utf-16-be", "replace").encode()
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    return bytes([int(octal, 8) & 255]) if octal else bytes(other)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
