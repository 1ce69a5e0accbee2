"""The operators of the search language, what each takes, and the words that people write instead."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from termmail.mail.query import Content, Field, Mark


class Value(Enum):
    """What an operator takes."""

    WORDS = "words"
    CHOICE = "choice"
    DATE = "date"
    SIZE = "size"
    NAME = "name"


class Operator(Struct, frozen=True):
    """One operator: what it takes, a value as an example, and what it finds as the object of "Find messages ..."."""

    name: str
    value: Value
    example: str
    finds: str
    choices: tuple[str, ...] = ()


_TEXT_OPERATORS = (
    Operator("from", Value.WORDS, "ada", "from this person: a name, an address, or me"),
    Operator("to", Value.WORDS, "me", "to this person or to me, in To or Cc"),
    Operator("cc", Value.WORDS, "bob", "with this person or me in Cc"),
    Operator("subject", Value.WORDS, "lunch", "with these words in the subject"),
    Operator("body", Value.WORDS, '"see you"', "with these words in the text"),
    Operator("list", Value.WORDS, "python-dev", "of this mailing list"),
    Operator("filename", Value.WORDS, "report.pdf", "with an attachment of this name"),
)
OPERATORS = {
    one.name: one
    for one in (
        *_TEXT_OPERATORS,
        Operator("id", Value.NAME, "1234@example.org", "with this Message-ID"),
        Operator("in", Value.NAME, "archive", "in this folder"),
        Operator("account", Value.NAME, "work", "of this account"),
        Operator("label", Value.NAME, "tax", "with this label"),
        Operator("is", Value.CHOICE, "unread", "with this mark", tuple(one.value for one in Mark)),
        Operator("has", Value.CHOICE, "attachment", "that hold this", tuple(one.value for one in Content)),
        Operator("before", Value.DATE, "3 dec", "from before this date"),
        Operator("after", Value.DATE, "2024-11-30", "from this date on"),
        Operator("on", Value.DATE, "yesterday", "of this day, week, month or year"),
        Operator("larger", Value.SIZE, "5 MB", "larger than this"),
        Operator("smaller", Value.SIZE, "10k", "smaller than this"),
    )
}
"""Every operator by its name, in the order in which they are taught."""

ME = "me"
"""What stands for the user's own addresses behind these operators."""
OF_PEOPLE = ("from", "to", "cc")
"""The operators that take a person."""
SNOOZED = "snoozed"
"""The place of `in:` that is no folder."""
ROLE_WORDS = ("inbox", "archive", "sent", "spam", "junk", "trash", SNOOZED, "anywhere")
"""What `in:` knows besides the names of folders."""
FIELDS = {one.name: Field(one.name) for one in _TEXT_OPERATORS}
OTHER_WORDS = {
    **dict.fromkeys(("sender", "author", "form"), "from"),
    **dict.fromkeys(("recipient", "bcc", "rcpt"), "to"),
    **dict.fromkeys(("since", "newer", "newer_than", "newer-than"), "after"),
    **dict.fromkeys(("until", "older", "older_than", "older-than"), "before"),
    **dict.fromkeys(("date", "day", "month", "year"), "on"),
    **dict.fromkeys(("folder", "mailbox", "path"), "in"),
    **dict.fromkeys(("file", "attachment", "name"), "filename"),
    **dict.fromkeys(("size", "bigger"), "larger"),
    **dict.fromkeys(("text", "content"), "body"),
    **dict.fromkeys(("messageid", "message-id", "mid"), "id"),
    **dict.fromkeys(("flag", "status"), "is"),
    **dict.fromkeys(("contains", "with"), "has"),
}
CHOICES = {
    "attachments": "attachment",
    "file": "attachment",
    "files": "attachment",
    "invitation": "invite",
    "links": "link",
    "url": "link",
    "star": "starred",
    "flagged": "starred",
    "replied": "answered",
    "seen": "read",
    "new": "unread",
    "unseen": "unread",
    "labeled": "labelled",
    "tagged": "labelled",
    "snooze": "snoozed",
    "mute": "muted",
}
NO_OPERATORS = frozenset(
    [
        "re",
        "fw",
        "fwd",
        "aw",
        "wg",
        "sv",
        "antw",
        "http",
        "https",
        "ftp",
        "mailto",
        "tel",
        "news",
        "file",
        "nntp",
        "urn",
        "data",
        "cid",
        "mid",
        "ps",
    ]
)
"""What stands before a colon in mail as it is, and is no mistyped operator."""
