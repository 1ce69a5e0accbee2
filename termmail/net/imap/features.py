"""What a server offers, as answers to the questions that termmail has."""

from __future__ import annotations

from msgspec import Struct

from termmail.net.imap.command_writer import LINE_OCTETS, SHORT_LINE_OCTETS

_BATCH = 100
"""Messages that one command asks headers of."""


class Features(Struct, frozen=True):
    """The capabilities behind the login, in capitals."""

    names: frozenset[str]

    def offers(self, *names: str) -> bool:
        """Return whether the server announces one of these capabilities."""
        return not self.names.isdisjoint(names)

    @property
    def condstore(self) -> bool:
        """Whether messages have mod-sequences (RFC 7162)."""
        return self.offers("CONDSTORE", "QRESYNC")

    @property
    def qresync(self) -> bool:
        """Whether a folder may be opened with the changes since a mod-sequence (RFC 7162).

        iCloud, which announces XAPPLEPUSHSERVICE, answers it wrongly.
        """
        return self.offers("QRESYNC") and self.offers("ENABLE") and not self.offers("XAPPLEPUSHSERVICE")

    @property
    def lasting_ids(self) -> bool:
        """Whether a message has one id in all folders (X-GM-MSGID of Gmail)."""
        return self.offers("X-GM-EXT-1")

    @property
    def message_limit(self) -> int | None:
        """How many messages one command may name, if the server limits it (RFC 9738)."""
        return self._number("MESSAGELIMIT")

    @property
    def append_limit(self) -> int | None:
        """Bytes of the largest message that the server takes, if it says so (RFC 7889)."""
        return self._number("APPENDLIMIT")

    @property
    def batch(self) -> int:
        """How many messages one command asks headers of."""
        return min(self.message_limit or _BATCH, _BATCH)

    @property
    def set_octets(self) -> int:
        """How long a set of numbers may be. Yahoo, which limits messages, takes short lines only."""
        return (SHORT_LINE_OCTETS if self.message_limit else LINE_OCTETS) - 250

    def _number(self, name: str) -> int | None:
        for capability in self.names:
            key, _, value = capability.partition("=")
            if key == name and value.isascii() and value.isdigit() and int(value[:18]) > 0:
                return int(value[:18])
        return None
