"""Keep a password out of logs and error texts, in whatever encoding a server echoes it."""

from __future__ import annotations

import base64
import contextlib
import html
import quopri
import re
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
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([0-7]{3})|(.))")
_HEX_SEPARATOR = re.compile(rb"(?<=[0-9a-f]{2})[ :-](?=[0-9a-f]{2})")


class Secrets:
    """The secrets of one connection."""

    def __init__(self) -> None:
        self._secrets: set[bytes] = set()
        self._plain: list[bytes] = []
        self._short_cores: list[bytes] = []
        self._grams: set[bytes] = set()
        self._hex: set[bytes] = set()

    def hide_login(self, username: str, password: str) -> None:
        """Hide a password from now on, and the responses of the SASL mechanisms that carry it.

        These are PLAIN (RFC 4616) and the second response of LOGIN; an echo may be cut or begin anywhere.
        """
        name, secret = _bytes(username), _bytes(password)
        if not secret:
            return
        self._add(secret)
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
        return data

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


def _unescaped(escape: re.Match[bytes]) -> bytes:
    hexadecimal, octal, other = escape.groups()
    if hexadecimal:
        return bytes([int(hexadecimal, 16)])
    return bytes([int(octal, 8) & 255]) if octal else bytes(other)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
