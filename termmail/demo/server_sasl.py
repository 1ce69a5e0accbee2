"""The server side of SASL PLAIN, LOGIN and SCRAM-SHA-256, as generators of challenges."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Generator, Mapping

Exchange = Generator[bytes, bytes, str | None]
"""Yields challenges, receives responses, and returns the user name, or None if the login is refused."""

ITERATIONS = 4096


def plain(passwords: Mapping[str, str]) -> Exchange:
    """Check the one response of PLAIN, `authzid NUL user NUL password` (RFC 4616)."""
    response = yield b""
    _, _, rest = response.partition(b"\0")
    name, _, password = rest.partition(b"\0")
    return _known(passwords, name, password)


def login(passwords: Mapping[str, str]) -> Exchange:
    """Ask for user and password, one after the other (the obsolete LOGIN mechanism)."""
    name = yield b"Username:"
    password = yield b"Password:"
    return _known(passwords, name, password)


def _known(passwords: Mapping[str, str], name: bytes, password: bytes) -> str | None:
    try:
        user = name.decode()
    except UnicodeDecodeError:
        return None
    known = passwords.get(user)
    if known is None or not hmac.compare_digest(known.encode(), password):
        return None
    return user


def scram_sha_256(passwords: Mapping[str, str]) -> Exchange:
    """Check a SCRAM-SHA-256 login without channel binding (RFC 5802, RFC 7677)."""
    first = yield b""
    gs2, _, bare = first.partition(b",,")
    fields = _fields(bare)
    name = fields.get("n", "").replace("=2C", ",").replace("=3D", "=")
    password = passwords.get(name)
    if gs2 not in (b"n", b"y") or password is None or not fields.get("r"):
        return None
    nonce = fields["r"] + secrets.token_urlsafe(18)
    salt = hashlib.sha256(b"salt of " + name.encode()).digest()[:16]
    server_first = f"r={nonce},s={base64.b64encode(salt).decode()},i={ITERATIONS}".encode()
    final = yield server_first
    without_proof, _, proof = final.rpartition(b",p=")
    fields = _fields(without_proof)
    if fields.get("r") != nonce or fields.get("c") != base64.b64encode(gs2 + b",,").decode():
        return None
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    said = b",".join((bare, server_first, without_proof))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    signature = hmac.digest(hashlib.sha256(client_key).digest(), said, "sha256")
    right = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
    try:
        given = base64.b64decode(proof, validate=True)
    except binascii.Error:
        return None
    if not hmac.compare_digest(right, given):
        return None
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    yield b"v=" + base64.b64encode(hmac.digest(server_key, said, "sha256"))
    return name


def _fields(text: bytes) -> dict[str, str]:
    pairs = (item.partition("=") for item in text.decode("utf-8", "replace").split(","))
    return {key: value for key, equals, value in pairs if equals}


MECHANISMS: Mapping[str, Callable[[Mapping[str, str]], Exchange]] = {
    "PLAIN": plain,
    "LOGIN": login,
    "SCRAM-SHA-256": scram_sha_256,
}


def decode(line: bytes) -> bytes | None:
    """Decode a response line: `=` is empty; None if the client cancelled (`*`) or the line is not base64."""
    if line == b"=":
        return b""
    try:
        return base64.b64decode(line, validate=True)
    except binascii.Error:
        return None
