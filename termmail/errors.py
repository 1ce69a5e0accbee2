"""The one root of every failure that a person is told about."""

from __future__ import annotations

from enum import Enum, auto


class ErrorCode(Enum):
    """What kind of failure a UserError is. Exit codes, retries and the screen decide by it, never by the message."""

    OFFLINE = auto()
    """The server could not be reached, or the connection dropped."""
    BUSY = auto()
    """The server or another process asks to try again later."""
    TLS = auto()
    """TLS is missing or not trusted."""
    LOGIN = auto()
    """The server refused the user name or the credential, or there is no credential."""
    REFUSED = auto()
    """The server refused for good."""
    PROTOCOL = auto()
    """The server broke the protocol or one of our limits."""
    GONE = auto()
    """The message, draft or folder does not exist any more."""
    CHANGED = auto()
    """What a verb acts on is no longer as the user saw it."""
    STORE = auto()
    """The store cannot be read or written."""
    DISK_FULL = auto()
    """There is no room on the disk."""
    READ_ONLY = auto()
    """The store may be read but not written."""
    CONFIG = auto()
    """config.toml cannot be used."""
    CANNOT_CREATE = auto()
    """A file or folder cannot be created or read."""
    DATA = auto()
    """The input cannot be used as it is."""
    PROGRAM = auto()
    """Another program (editor, browser, password command) failed."""


class UserError(Exception):
    """A failure with words for the user.

    `message` (also `str(error)`) is one plain sentence: cleaned, without secrets. `advice` says what to do next, or
    is "". `code` is its kind. A subclass sets defaults for `advice` and `code`.
    """

    code: ErrorCode = ErrorCode.DATA
    advice: str = ""

    def __init__(self, message: str, advice: str = "", *, code: ErrorCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        if advice:
            self.advice = advice
        if code is not None:
            self.code = code

    @property
    def has_own_advice(self) -> bool:
        """Whether the advice is for this failure, and not only what its class says of all."""
        return "advice" in vars(self)

    @property
    def advice_by_hand(self) -> str:
        """What to do where nothing tries again by itself: after a command, or when a server is only tried."""
        return self.advice if self.has_own_advice else _BY_HAND.get(self.code, self.advice)


_BY_HAND = {
    ErrorCode.OFFLINE: "Check the name of the server and the port, and the network.",
    ErrorCode.BUSY: "Try again in a moment.",
}


class Gone(UserError):
    """The message, draft or folder that was asked for does not exist any more."""

    code = ErrorCode.GONE
