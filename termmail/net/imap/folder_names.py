"""Folder names in modified UTF-7, both ways (RFC 3501 section 5.1.3)."""

from __future__ import annotations

import base64
import binascii
import re

_SHIFTED = re.compile(rb"&([A-Za-z0-9+,]*)-")
_FOREIGN = re.compile(r"[^\x20-\x7e]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def encode_name(name: str) -> bytes:
    """Return the name as it goes over the wire. Raises ValueError if it holds a control character or lone surrogate."""
    if _CONTROL.search(name):
        raise ValueError("a control character in the name of a folder")
    return _FOREIGN.sub(lambda run: _shifted(run[0]), name.replace("&", "&-")).encode("ascii")


def decode_name(wire: bytes) -> str:
    """Return the name for people: not cleaned. A name that is no modified UTF-7 is read as UTF-8.

    Only well-formed names are read: two different wire names never become equal because one of them is malformed.
    """
    try:
        name = _SHIFTED.sub(lambda run: _plain(run[1]).encode("utf-8"), wire).decode("utf-8")
        if encode_name(name) == wire:
            return name
    except ValueError:
        pass
    return wire.decode("utf-8", "replace")


def _shifted(run: str) -> str:
    coded = base64.b64encode(run.encode("utf-16-be")).rstrip(b"=").replace(b"/", b",")
    return f"&{coded.decode()}-"


def _plain(coded: bytes) -> str:
    if not coded:
        return "&"
    try:
        data = base64.b64decode(coded.replace(b",", b"/") + b"=" * (-len(coded) % 4), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    return data.decode("utf-16-be")
