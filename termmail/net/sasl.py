"""Proofs of who we are, as text to send: PLAIN, SCRAM-SHA-256 and APOP. Pure: no connection, no choice between them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata

from termmail.net.net_errors import LoginRefused, ProtocolError

MAX_ROUNDS = 1_000_000
"""Rounds of PBKDF2 a server may ask for: more would only keep this machine busy."""
MIN_ROUNDS = 4096
"""RFC 7677 section 4: fewer would let whoever asks guess the password from our proof."""


def plain(username: str, password: str) -> bytes:
    """The initial response of PLAIN, in base64 (RFC 4616)."""
    return base64.b64encode(b"\0" + username.encode() + b"\0" + password.encode())


def apop(stamp: bytes, password: str) -> str:
    """The digest of APOP: MD5 because RFC 1939 section 7 says so, and used only where nothing better is there."""
    return hashlib.md5(stamp + password.encode(), usedforsecurity=False).hexdigest()


class Scram:
    """One SCRAM-SHA-256 exchange without channel binding (RFC 5802, 7677): first, answer, verify, in this order."""

    def __init__(self, username: str, password: str, nonce: str = "") -> None:
        name = _prepared(username).replace("=", "=3D").replace(",", "=2C")
        self._password = _prepared(password).encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        self._bare = f"n={name},r={self._nonce}"
        self._proof_of_server = b""

    def first(self) -> bytes:
        """The client's first message, in base64."""
        return base64.b64encode(f"n,,{self._bare}".encode())

    def answer(self, challenge: bytes) -> bytes:
        """The client's proof for the server's first message, both in base64. Takes up to half a second of computing.

        Raises ProtocolError where the message is not one, or would weaken the proof.
        """
        message = _decoded(challenge)
        fields = _fields(message)
        nonce, rounds = fields.get("r", ""), fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ProtocolError("The server's part of the login does not fit ours.")
        if not (rounds.isascii() and rounds.isdigit() and len(rounds) < 9 and MIN_ROUNDS <= int(rounds) <= MAX_ROUNDS):
            raise ProtocolError("The server asks for a login that is not safe.")
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
        """Check the server's last message: it knows the password too. Raises LoginRefused where it does not."""
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
    """What SASLprep (RFC 4013) does to text that people type."""
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
