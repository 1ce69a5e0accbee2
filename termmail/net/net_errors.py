"""What can go wrong with a server, each with the words a reader needs: what happened, and what to do next."""

from __future__ import annotations

from termmail.errors import ErrorCode, UserError


class NetError(UserError):
    """A server could not do what was asked. `str(error)` is one plain sentence, cleaned, ready for a reader.

    `advice` says what to do next, in a sentence. `server_says` is the server's own text, cleaned and cut, or "".
    """

    code = ErrorCode.REFUSED
    advice = "termmail tries again by itself."

    def __init__(self, message: str, *, server_says: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.server_says = server_says


class Offline(NetError):
    """The server could not be reached, or the line dropped: name, route, refused, reset, end of file, timeout."""

    code = ErrorCode.OFFLINE
    advice = "Look at the network; termmail tries again by itself."


class TlsFailed(NetError):
    """No trusted TLS: certificate, name, date, version, or a server that would not start it. Nothing secret was sent."""

    code = ErrorCode.TLS
    advice = "Do not go on without TLS. Ask your provider, or name its certificate file as tls_ca_file."


class LoginRefused(NetError):
    """The server refused the name or password (RFC 3206 [AUTH], SMTP 535)."""

    code = ErrorCode.LOGIN
    advice = "Check the user name and the password."


class Busy(NetError):
    """The server says: not now (POP3 [IN-USE], [LOGIN-DELAY], [SYS/TEMP]; SMTP 4xx)."""

    code = ErrorCode.BUSY


class Refused(NetError):
    """The server says no for good (-ERR, SMTP 5xx)."""

    advice = "The server's words say why."


class ProtocolError(NetError):
    """The server broke the protocol or a bound; the connection is closed, for its answers can no longer be trusted."""

    code = ErrorCode.PROTOCOL
    advice = "termmail doctor shows the conversation."


class TooLarge(ProtocolError):
    """One message (or its header) is larger than what we take; the others are not touched by it."""

    advice = "The message stays on the server; another program can fetch it there."


def plaintext_before_tls(place: str = "The server") -> ProtocolError:
    """The error for bytes that came in the clear behind the answer to STLS or STARTTLS (CVE-2021-33515 and its kin)."""
    return ProtocolError(
        f"{place} sent something in the clear where TLS had to begin. Nothing secret was sent.",
        advice="Someone may be tampering with the connection. Try another network, or ask your provider.",
    )
