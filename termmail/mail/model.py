"""The mailbox as data: folders, list rows, views, and the steps that undo takes back.

Every layer shares these types: the store fills them, the engine hands them on, screens and commands show them. Times
are UTC seconds since 1970, sizes are bytes. Text that strangers wrote has been sanitized.
"""

from __future__ import annotations

from enum import IntFlag, StrEnum
from typing import NamedTuple

from msgspec import Struct


class Role(StrEnum):
    """What a folder is for (RFC 6154). Code asks for roles, never for names; NONE is a folder of the user's own."""

    INBOX = "inbox"
    ARCHIVE = "archive"
    DRAFTS = "drafts"
    SENT = "sent"
    JUNK = "junk"
    TRASH = "trash"
    ALL = "all"
    NONE = "none"


ROLE_NAMES = {
    Role.INBOX: "Inbox",
    Role.SENT: "Sent",
    Role.ARCHIVE: "Archive",
    Role.JUNK: "Spam",
    Role.TRASH: "Trash",
}
"""The folders that every account has, as they are called, in the order in which they are shown."""

DRAFTS_NAME, OUTBOX_NAME = "Drafts", "Outbox"
"""How the lists of what is not sent yet are called. Their rows are no messages."""

DISCARDED = frozenset({Role.JUNK, Role.TRASH})
"""Roles of folders whose messages the user has put away: a search on the screen leaves them out."""


class Folder(Struct, frozen=True):
    """A folder of an account. `name` is what people see, with "/" between levels."""

    folder_id: int
    account: str
    name: str
    role: Role


class SavedSearch(Struct, frozen=True):
    """A search that is kept as a folder. `words` are as typed: dates in them are relative to the day of the look."""

    search_id: int
    name: str
    words: str


class Count(Struct, frozen=True):
    """How many messages a folder holds, and how many of them are unread."""

    total: int
    unread: int = 0


class Coverage(Struct, frozen=True):
    """How much search covers: of `total` messages it knows the words of `bodies`; `waiting` are not indexed yet."""

    bodies: int
    total: int
    waiting: int = 0


class Placement(NamedTuple):
    """A message in a folder: what a verb acts on, as the user saw it."""

    message_id: int
    folder_id: int


class Flag(IntFlag):
    """The flags of a message, as a bit mask."""

    UNREAD = 1
    STARRED = 2
    ANSWERED = 4
    FORWARDED = 8


class Order(StrEnum):
    """How the messages of a folder are sorted."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SENDER = "sender"
    SUBJECT = "subject"
    SIZE = "size"
    BEST = "best"
    """Of a search: with the words in subject or people first."""


class RemoteState(StrEnum):
    """Where a POP3 server stands with a message (store/remote_state.py has the transitions)."""

    KEPT = "kept"
    """It is there, and stays."""
    TRASHED = "trashed"
    """It is in Trash here; it becomes due later, or never."""
    DUE = "due"
    """DELE is to be sent."""
    SENT = "sent"
    """DELE was sent, and its QUIT not answered yet."""
    GONE = "gone"
    """The server has deleted it."""
    ABSENT = "absent"
    """The server no longer lists it; nobody here deleted it."""
    SKIPPED = "skipped"
    """It could not be fetched."""


class Label(Struct, frozen=True):
    """A label that the user puts on messages. `color` is a number below LABEL_COLORS."""

    label_id: int
    name: str
    color: int = 0


LABEL_COLORS = 6
"""How many colours labels have."""


class Returned(StrEnum):
    """Why a message came back to the top of a folder."""

    SNOOZE = "snooze"
    """Its time has come."""
    REMINDER = "reminder"
    """Nobody has answered it."""


# -- list rows


class Conversation(Struct, frozen=True):
    """What the row of a folded conversation stands for.

    `people` are the senders in the order of their first messages, ME for the user, at most PEOPLE of them. `count` counts
    all messages of the conversation outside of Junk and Trash. `members` are those in the view that the list shows,
    newest first: verbs act on them. `unread` counts the unread ones of these.
    """

    people: tuple[str, ...]
    count: int
    unread: int
    members: tuple[Placement, ...]


ME = ""
"""The user, among the people of a conversation."""

PEOPLE = 5
"""People of a conversation that its row names: the first ones and the last one."""


class MessageRow(Struct, frozen=True):
    """One line of a list of messages.

    `folder_id`, `folder` and `role` name the folder in which the row is shown. `state` is where a POP3 server stands
    with the message (None where it is only here), and `note` why it was not fetched. `thread` is its conversation. A row
    with a `conversation` stands for several messages; it has the subject of the newest one in the view, and a flag where
    any of them has it. `snoozed_until` and `remind_at` are 0 where there is no such time; `returned` tells why the message
    came back to the top of its folder.
    """

    message_id: int
    account: str
    folder_id: int
    folder: str
    role: Role
    sender: str
    recipients: str
    subject: str
    snippet: str
    date: int
    size: int
    unread: bool
    starred: bool
    answered: bool
    forwarded: bool
    attachments: int
    downloaded: bool
    state: RemoteState | None
    uidl: bytes
    rfc_message_id: str
    note: str = ""
    thread: int = 0
    conversation: Conversation | None = None
    labels: tuple[Label, ...] = ()
    snoozed_until: int = 0
    remind_at: int = 0
    returned: Returned | None = None
    muted: bool = False

    @property
    def key(self) -> int:
        """The id that lists of messages are made of."""
        return self.message_id

    @property
    def placement(self) -> Placement:
        """The message in the folder in which the user sees it."""
        return Placement(self.message_id, self.folder_id)

    @property
    def placements(self) -> tuple[Placement, ...]:
        """The messages that the row stands for, in the folders in which the user sees them."""
        return (self.placement,) if self.conversation is None else self.conversation.members


class DraftRow(Struct, frozen=True):
    """One line of the list of drafts. `date` is when the draft was last saved."""

    draft_id: int
    account: str
    recipients: str
    subject: str
    snippet: str
    date: int
    size: int
    attachments: int

    @property
    def key(self) -> int:
        """The id that lists of drafts are made of."""
        return self.draft_id


class SendState(StrEnum):
    """How an outgoing message stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNSURE = "unsure"
    CANCELLED = "cancelled"


class OutgoingRow(Struct, frozen=True):
    """One line of the Outbox. `words` say what happened last, `date` is when the message was queued.

    `refused` maps addresses to the server's words.
    """

    outbox_id: int
    account: str
    state: SendState
    words: str
    recipients: tuple[str, ...]
    refused: dict[str, str]
    attempts: int
    not_before: int
    subject: str
    rfc_message_id: str
    draft_id: int
    accepted: tuple[str, ...] = ()
    date: int = 0
    size: int = 0

    @property
    def key(self) -> int:
        """The id that the Outbox is made of."""
        return self.outbox_id


Row = MessageRow | DraftRow | OutgoingRow


# -- the journal


class StepKind(StrEnum):
    """What the user did in one step."""

    READ = "read"
    UNREAD = "unread"
    STAR = "star"
    UNSTAR = "unstar"
    MOVE = "move"
    COPY = "copy"
    ARCHIVE = "archive"
    JUNK = "junk"
    NOT_JUNK = "not-junk"
    DELETE = "delete"
    SEND = "send"
    MAKE_FOLDER = "make-folder"
    RENAME_FOLDER = "rename-folder"
    REMOVE_FOLDER = "remove-folder"
    SNOOZE = "snooze"
    UNSNOOZE = "unsnooze"
    LABEL = "label"
    UNLABEL = "unlabel"
    REMIND = "remind"
    NO_REMINDER = "no-reminder"
    MUTE = "mute"
    UNMUTE = "unmute"
    RULE = "rule"
    REMOVE_SEARCH = "remove-search"
    RENAME_LABEL = "rename-label"
    MAKE_RULE = "make-rule"
    EDIT_RULE = "edit-rule"
    REMOVE_RULE = "remove-rule"
    BREAK_OFF = "break-off"
    JOIN = "join"


class Step(Struct, frozen=True):
    """One thing that the user did and can take back.

    `count` is the number of messages it changed, `name` the folder it is about or the subject of the message sent.
    """

    step_id: int
    kind: StepKind
    count: int
    name: str
    created: int
    outbox_id: int = 0


class Done(Struct, frozen=True):
    """What a verb did.

    `message_ids` are the messages it changed, `skipped` those it left alone because they are no longer where the user
    saw them, `already` those that were as asked, `kept` those that a delete for good only took out of one folder, for
    they are in another one too. `step` is None where nothing can be taken back.
    """

    step: Step | None
    message_ids: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    already: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()


class Undone(Struct, frozen=True):
    """What an undo did.

    `step` was taken back, which changed the messages `message_ids` and left those in `skipped` alone. `draft_id` is the
    draft that a send taken back became; 0 where there is none.
    """

    step: Step
    message_ids: tuple[int, ...] = ()
    skipped: tuple[int, ...] = ()
    draft_id: int = 0
