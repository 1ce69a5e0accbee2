"""The responses of PLAIN, SCRAM-SHA-256 and APOP, without I/O."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata

from termmail.net.net_errors import LoginRefused, ProtocolError

MAX_ROUNDS = 1_000_000
"""Rounds of PBKDF2 a server may ask for: more would only cost CPU time."""
MIN_ROUNDS = 4096
"""RFC 7677 section 4: with fewer, the password could be guessed from the proof."""


def plain(username: str, password: str) -> bytes:
    """Return the initial response of PLAIN, in base64 (RFC 4616)."""
    return base64.b64encode(b"\0" + username.encode() + b"\0" + password.encode())


def apop(stamp: bytes, password: str) -> str:
    """Return the digest of APOP, MD5 in hex (RFC 1939 section 7)."""
    return hashlib.md5(stamp + password.encode(), usedforsecurity=False).hexdigest()


class Scram:
    """One SCRAM-SHA-256 exchange without channel binding (RFC 5802, RFC 7677): call first, answer, verify in order."""

    def __init__(self, username: str, password: str, nonce: str = "") -> None:
        name = _prepared(username).replace("=", "=3D").replace(",", "=2C")
        self._password = _prepared(password).encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        self._bare = f"n={name},r={self._nonce}"
        self._proof_of_server = b""

    def first(self) -> bytes:
        """Return the client's first message, in base64."""
        return base64.b64encode(f"n,,{self._bare}".encode())

    def answer(self, challenge: bytes) -> bytes:
        """Return the client's proof for the server's first message, both in base64. Takes up to half a second of CPU.

        Raises ProtocolError if the message is malformed or would weaken the proof.
        """
        message = _decoded(challenge)
        fields = _fields(message)
        nonce, rounds = fields.get("r", ""), fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ProtocolError("The server's part of the login does not match.")
        if not (rounds.isascii() and rounds.isdigit() and len(rounds) < 9 and MIN_ROUNDS <= int(rounds) <= MAX_ROUNDS):
            raise ProtocolError("The server asks for an unsafe login.")
        salt = _decoded_bytes(fields.get("s", "").encode())
        salted = hashlib.pbkdf2_hmac("sha256", self._password, salt, int(rounds))
        client_key = _hmac(salted, b"Client Key")
        final = f"c=biws,r={nonce}"
        signed = f"{self._bare},{message},{final}".encode()
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._proof_of_server = _hmac(_hmac(salted, b"Server Key"), signed)
        return base64.b64encode(f"{final},p={base64.b64encode(proof).decode()}".encode())

    def verify(self, challenge: bytes) -> None:
        """Check the server's final message. Raises LoginRefused if the server does not know the password."""
        fields = _fields(_decoded(challenge))
        claimed = _decoded_bytes(fields.get("v", "").encode())
        if not self._proof_of_server or not hmac.compare_digest(claimed, self._proof_of_server):
            raise LoginRefused(
                "The server could not prove that it knows your password.",
                advice="It may not be the server it says it is. Ask your provider before you try again.",
            )


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")


def _prepared(text: str) -> str:
    """Return the text as SASLprep (RFC 4013) maps what people type."""
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text if c != "\u00ad")
    return unicodedata.normalize("NFKC", spaced)


def _decoded_bytes(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ProtocolError("The server's part of the login cannot be read.") from None


def _decoded(text: bytes) -> str:
    try:
        return _decoded_bytes(text).decode()
    except UnicodeDecodeError:
        raise ProtocolError("The server's part of the login cannot be read.") from None


def _fields(message: str) -> dict[str, str]:
    return {part[:1]: part[2:] for part in message.split(",") if part[1:2] == "="}
