"""What the embedded IMAP server offers and how it differs: as well-known servers do."""

from __future__ import annotations

from dataclasses import dataclass

BEFORE_LOGIN = frozenset({"IMAP4rev1", "SASL-IR", "ID", "ENABLE", "IDLE", "LITERAL+", "LITERAL-"})
"""Capabilities that are told before the login too."""


@dataclass(frozen=True, slots=True)
class Personality:
    """A kind of server. A command of an extension that is not among `capabilities` gets BAD."""

    name: str
    capabilities: tuple[str, ...]
    """What is offered, IMAP4rev1 included."""
    tells_capabilities: bool = True
    """Whether greeting and login carry the capabilities (RFC 3501 section 7.1)."""
    lists_roles: bool = True
    r"""Whether LIST tells special uses such as \Sent, whether SPECIAL-USE is announced or not."""
    new_keywords: bool = True
    r"""Whether clients may invent keywords: \* in PERMANENTFLAGS."""
    keywords: tuple[str, ...] = ()
    """Keywords that are kept in any case."""
    prefix: bytes = b""
    """What the names of all folders but INBOX begin with."""
    inbox: bytes = b"INBOX"
    """How INBOX is written."""
    delimiter: bytes = b"/"
    vanished_on_select: bool = True
    """Whether SELECT with QRESYNC tells what has vanished."""
    idle_pushes: bool = True
    """Whether changes are told during IDLE."""

    def wire_name(self, name: bytes) -> bytes:
        """Return the name of a folder as clients see it."""
        return self.inbox if name == b"INBOX" else self.prefix + name.replace(b"/", self.delimiter)

    def stored_name(self, wire: bytes) -> bytes | None:
        """Return the name of a folder as the mailbox has it, or None if it is outside the prefix."""
        if wire.upper() == b"INBOX":
            return b"INBOX"
        if not wire.startswith(self.prefix):
            return None
        return wire[len(self.prefix) :].replace(self.delimiter, b"/")


DOVECOT = Personality(
    "Dovecot",
    (
        *("IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "LITERAL+", "ID", "ENABLE", "CHILDREN", "NAMESPACE", "UIDPLUS"),
        *("LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CONDSTORE", "QRESYNC", "ESEARCH", "MOVE", "IDLE", "UNSELECT"),
        "NOTIFY",
    ),
)
CYRUS = Personality(
    "Cyrus IMAP",
    (*(name for name in DOVECOT.capabilities if name != "NOTIFY"), "OBJECTID", "COMPRESS=DEFLATE"),
)
GMAIL = Personality(
    "GImap",
    (
        *("IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "LITERAL-", "ID", "ENABLE", "CHILDREN", "NAMESPACE", "UIDPLUS"),
        *("LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CONDSTORE", "ESEARCH", "MOVE", "IDLE", "UNSELECT"),
        *("APPENDLIMIT=35651584", "X-GM-EXT-1", "COMPRESS=DEFLATE"),
    ),
)
O365 = Personality(
    "Microsoft.Exchange.Imap4.Imap4Server",
    (
        *("IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "LITERAL+", "ID", "CHILDREN", "NAMESPACE", "UIDPLUS", "MOVE", "IDLE"),
        "UNSELECT",
    ),
    tells_capabilities=False,
    new_keywords=False,
    keywords=("$MDNSent",),
)
ICLOUD = Personality(
    "iCloud",
    (
        *("IMAP4rev1", "SASL-IR", "AUTH=PLAIN", "LITERAL+", "ID", "ENABLE", "CHILDREN", "NAMESPACE", "UIDPLUS"),
        *("LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CONDSTORE", "QRESYNC", "ESEARCH", "IDLE", "UNSELECT"),
        "XAPPLEPUSHSERVICE",
    ),
    vanished_on_select=False,
)
COURIER = Personality(
    "Courier-IMAP",
    ("IMAP4rev1", "AUTH=PLAIN", "ID", "CHILDREN", "NAMESPACE", "UIDPLUS", "IDLE"),
    lists_roles=False,
    prefix=b"INBOX.",
    delimiter=b".",
)
YAHOO = Personality(
    "Yahoo",
    (*(name for name in CYRUS.capabilities if name != "IDLE"), "MESSAGELIMIT=1000"),
    inbox=b"Inbox",
)
PLAIN = Personality("plain", ("IMAP4rev1",), tells_capabilities=False, lists_roles=False)

PERSONALITIES = {
    "dovecot": DOVECOT,
    "cyrus": CYRUS,
    "gmail": GMAIL,
    "o365": O365,
    "icloud": ICLOUD,
    "yahoo": YAHOO,
    "courier": COURIER,
    "plain": PLAIN,
}
