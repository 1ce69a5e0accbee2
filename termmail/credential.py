"""The two servers of an account, and what proves to them who the user is."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

MailProtocol = Literal["pop3", "imap"]
"""What mail is received by."""

ServerKind = Literal["pop3", "imap", "smtp"]
"""The server that mail is received from, by one of two protocols, or the one that it is sent through."""


class Password(Struct, frozen=True):
    """A password. It is not shown in a repr, and so in no traceback that prints local variables."""

    secret: str

    def __repr__(self) -> str:
        return "Password(...)"


Credential = Password
"""What logs in. An OAuth token will be the other kind."""

NO_CREDENTIAL = Password("")
"""For a server without login."""
