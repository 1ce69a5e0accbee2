"""What an IMAP server says, as types (RFC 3501 section 7 and its extensions)."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from termmail.net.imap.framing import Missing
    from termmail.net.imap.uid_set import Range, UidSet


class Condition(Enum):
    """The kind of a status response (RFC 3501 section 7.1)."""

    OK = "OK"
    NO = "NO"
    BAD = "BAD"
    BYE = "BYE"
    PREAUTH = "PREAUTH"


class Status(Struct, frozen=True):
    """A status response.

    `tag` is b"" where it is untagged. `code` is its response code in capitals, or ""; `argument` what follows in the
    brackets; `text` the words behind them. The words are as received: not cleaned, not redacted.
    """

    condition: Condition
    tag: bytes = b""
    code: str = ""
    argument: bytes = b""
    text: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the command did what it was asked."""
        return self.condition is Condition.OK


class Continuation(Struct, frozen=True):
    """The server waits for the next part of a command (RFC 3501 section 7.5)."""

    text: bytes


class Capabilities(Struct, frozen=True):
    """What the server offers, in capitals: "IMAP4REV1", "AUTH=PLAIN" (RFC 3501 section 7.2.1)."""

    names: frozenset[str]


class Enabled(Struct, frozen=True):
    """The extensions that ENABLE turned on, in capitals (RFC 5161)."""

    names: frozenset[str]


class ListRow(Struct, frozen=True):
    r"""One folder (RFC 3501 section 7.2.2). `attributes` are in lower case: \noselect, \sent.

    `name` is as on the wire: bytes of modified UTF-7 from a well-behaved server, and anything from another.
    """

    name: bytes
    delimiter: str
    attributes: frozenset[str]


class FolderStatus(Struct, frozen=True):
    """The answer to STATUS for one folder; None for what was not told (RFC 3501 section 7.2.4, RFC 7162, RFC 8474)."""

    name: bytes
    messages: int | None = None
    uidnext: int | None = None
    uidvalidity: int | None = None
    unseen: int | None = None
    highestmodseq: int | None = None
    mailbox_id: bytes | None = None


class Search(Struct, frozen=True):
    """The answer to SEARCH (RFC 3501 section 7.2.5), or to SEARCH with RETURN, which names its command (RFC 4731)."""

    uids: UidSet
    tag: bytes = b""
    count: int | None = None
    extended: bool = False


class Fetch(Struct, frozen=True):
    """What FETCH told about one message; None for what was not told.

    `number` is the message number, `internal_date` in seconds UTC, `sections` are the
    parts by name in capitals: b"BODY[HEADER]", b"BODY[]<0>".
    """

    number: int
    uid: int | None = None
    flags: frozenset[str] | None = None
    internal_date: int | None = None
    size: int | None = None
    modseq: int | None = None
    email_id: bytes | None = None
    gmail_id: int | None = None
    sections: dict[bytes, bytes | Missing] | None = None

    @property
    def header(self) -> bytes | Missing | None:
        """The header block, with the empty line that ends it."""
        return self.sections.get(b"BODY[HEADER]") if self.sections else None


class Exists(Struct, frozen=True):
    """How many messages the open folder has."""

    count: int


class Expunge(Struct, frozen=True):
    """The message with this number is gone."""

    number: int


class Vanished(Struct, frozen=True):
    """The messages with these unique ids are gone (RFC 7162); `earlier`: since before this session."""

    uids: UidSet
    earlier: bool


class FolderFlags(Struct, frozen=True):
    """The flags that are in use in the open folder."""

    flags: frozenset[str]


class Namespace(Struct, frozen=True):
    """The prefixes and delimiters of the user's own folders (RFC 2342)."""

    personal: tuple[tuple[bytes, str], ...]


class Identity(Struct, frozen=True):
    """What the server says it is: fields in lower case (RFC 2971)."""

    fields: dict[str, str]


class Other(Struct, frozen=True):
    """A response that termmail has no use for."""

    keyword: bytes


class CopyUid(Struct, frozen=True):
    """Where messages were copied or moved to (RFC 4315 section 3): ranges in the order the server gave them."""

    uidvalidity: int
    source: tuple[Range, ...]
    target: tuple[Range, ...]


class AppendUid(Struct, frozen=True):
    """Where a message was appended (RFC 4315 section 3)."""

    uidvalidity: int
    uid: int


Untagged = (
    Status
    | Capabilities
    | Enabled
    | ListRow
    | FolderStatus
    | Search
    | Fetch
    | Exists
    | Expunge
    | Vanished
    | FolderFlags
    | Namespace
    | Identity
    | Other
)
Response = Untagged | Continuation
