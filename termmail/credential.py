"""What proves to a server who the user is."""

from __future__ import annotations

from msgspec import Struct


class Password(Struct, frozen=True):
    """A password. It is not shown in a repr, and so in no traceback that prints local variables."""

    secret: str

    def __repr__(self) -> str:
        return "Password(...)"


Credential = Password
"""What logs in. An OAuth token will be the other kind."""

NO_CREDENTIAL = Password("")
"""For a server without login."""
