"""The errors of a conversation with a server, each with a sentence for the user and advice on what to do."""

from __future__ import annotations

from termmail.errors import ErrorCode, UserError


class NetError(UserError):
    """A server could not do what was asked.

    `server_says` is the server's own text, cleaned and cut, or "". The advice never promises that termmail tries again:
    only the caller knows whether it does.
    """

    code = ErrorCode.REFUSED

    def __init__(self, message: str, *, server_says: str = "", advice: str = "") -> None:
        super().__init__(message, advice=advice)
        self.server_says = server_says


class Offline(NetError):
    """The server could not be reached, or the connection dropped: name, route, refused, reset, end of file, timeout."""

    code = ErrorCode.OFFLINE
    advice = "Check the network."


class TlsFailed(NetError):
    """No trusted TLS: certificate, name, date, version, or a server that would not start it. Nothing secret was sent."""

    code = ErrorCode.TLS
    advice = "Do not go on without TLS; ask your provider."


class LoginRefused(NetError):
    """The server refused the name or password (RFC 3206 [AUTH], SMTP 535)."""

    code = ErrorCode.LOGIN
    advice = "Check the user name and the password."


class Busy(NetError):
    """The server asks to try again later (POP3 [IN-USE], [LOGIN-DELAY], [SYS/TEMP]; SMTP 4xx)."""

    code = ErrorCode.BUSY
    advice = "Try again later."


class Refused(NetError):
    """The server refused for good (-ERR, SMTP 5xx)."""

    advice = "The server's words say why."


class ProtocolError(NetError):
    """The server broke the protocol or a limit; the connection is closed, because its answers can no longer be trusted."""

    code = ErrorCode.PROTOCOL
    advice = "termmail doctor shows the conversation."


class TooLarge(ProtocolError):
    """One message (or its header) is larger than termmail takes; the others are not affected."""

    advice = "The message stays on the server; another program can fetch it there."


def plaintext_before_tls(place: str = "The server") -> ProtocolError:
    """Return the error for bytes in the clear behind the answer to STLS or STARTTLS (CVE-2021-33515 and its kin)."""
    return ProtocolError(
        f"{place} sent something in the clear where TLS had to begin. Nothing secret was sent.",
        advice="Someone may be tampering with the connection. Try another network, or ask your provider.",
    )
