"""Turn a NO, BAD or BYE into an error with words for the user (RFC 3501 section 7.1, RFC 5530)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from termmail.errors import ErrorCode
from termmail.net.imap.untagged import Condition
from termmail.net.net_errors import Busy, LoginRefused, NetError, Offline, Refused, TlsFailed

if TYPE_CHECKING:
    from termmail.net.imap.untagged import Status


class NoSuchFolder(Refused):
    """The folder does not exist on the server ([NONEXISTENT], [TRYCREATE])."""

    code = ErrorCode.GONE
    advice = "Another program may have renamed or deleted it; fetch the list of folders again."


class FolderExists(Refused):
    """A folder of that name is there already ([ALREADYEXISTS])."""

    advice = "Choose another name."


class OverQuota(Refused):
    """The mailbox is full ([OVERQUOTA])."""

    advice = "Delete messages and empty the trash, or ask your provider for more space."


class MessageGone(Refused):
    """The message is no longer in the folder."""

    code = ErrorCode.GONE
    advice = "Another program may have moved or deleted it."


class FolderChanged(NetError):
    """The folder that was open is no longer open, or its unique ids have changed; nothing was sent."""

    code = ErrorCode.CHANGED
    advice = "Open the folder again."


_LOGIN = {
    "AUTHENTICATIONFAILED": "The server did not accept the user name or the password.",
    "AUTHORIZATIONFAILED": "The server does not let this user log in.",
    "EXPIRED": "The password has expired.",
}
_LOGIN_ADVICE = {
    "AUTHORIZATIONFAILED": "Check the user name, or ask your provider.",
    "EXPIRED": "Set a new password at your provider.",
}
_BUSY = {
    "UNAVAILABLE": "The server has a temporary problem.",
    "INUSE": "Another program uses this mailbox.",
    "LIMIT": "The server has reached a limit.",
    "THROTTLED": "The server asks to be used less often.",
    "SERVERBUG": "The server has a problem.",
}
_REFUSED: dict[str, tuple[type[Refused], str]] = {
    "NONEXISTENT": (NoSuchFolder, "The server has no such folder."),
    "TRYCREATE": (NoSuchFolder, "The server has no such folder."),
    "ALREADYEXISTS": (FolderExists, "The server has a folder of that name already."),
    "OVERQUOTA": (OverQuota, "The mailbox on the server is full."),
    "NOPERM": (Refused, "The server does not permit this."),
    "CANNOT": (Refused, "The server cannot do this."),
    "TOOBIG": (Refused, "The message is larger than the server takes."),
    "CONTACTADMIN": (Refused, "The server has a problem that its operator must solve."),
    "CORRUPTION": (Refused, "The mailbox on the server is damaged."),
    "EXPUNGEISSUED": (Refused, "Another program has just deleted messages of this folder."),
    "HASCHILDREN": (Refused, "The folder has folders below it."),
}
_BUSY_HINTS = re.compile(
    rb"in use|busy|try again|temporar|too many|later|throttl|backoff|rate limit|unavailable", re.IGNORECASE
)


def refusal(status: Status, verb: str, says: str) -> NetError:
    """Return the error for a NO or BAD to `verb`; `says` is the server's text, cleaned and redacted."""
    login, code = verb in {"LOGIN", "AUTHENTICATE"}, status.code
    if code in _BUSY:
        return Busy(_BUSY[code], server_says=says)
    if code in _LOGIN:
        return LoginRefused(_LOGIN[code], server_says=says, advice=_LOGIN_ADVICE.get(code, ""))
    if code == "PRIVACYREQUIRED":
        return TlsFailed(
            "The server takes logins over TLS only.", server_says=says, advice='Set security to "tls" or "starttls".'
        )
    if code in _REFUSED:
        kind, words = _REFUSED[code]
        return kind(words, server_says=says)
    silent = code in {"", "ALERT"}  # Gmail: NO [ALERT] Too many simultaneous connections
    if silent and status.condition is Condition.NO and _BUSY_HINTS.search(status.text):
        return Busy(
            "The server accepts no logins right now." if login else "The server has no time for this right now.",
            server_says=says,
        )
    if login:
        return LoginRefused(_LOGIN["AUTHENTICATIONFAILED"], server_says=says)
    if status.condition is Condition.BAD:
        return Refused(f"The server does not understand {verb}.", server_says=says)
    return Refused(f"The server refused {verb}.", server_says=says)


def farewell(status: Status, says: str, *, greeting: bool = False) -> NetError:
    """Return the error for a BYE that was not asked for (RFC 3501 section 7.1.5)."""
    if greeting:
        return Busy("The server accepts no connections right now.", server_says=says)
    if status.code in _BUSY or _BUSY_HINTS.search(status.text):
        return Busy("The server closed the connection for now.", server_says=says)
    return Offline("The server closed the connection.", server_says=says)
