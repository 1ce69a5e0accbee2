"""What a search asks for: a tree of conditions on messages."""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

from msgspec import Struct


class Field(Enum):
    """The part of a message a term is looked for in."""

    ANY = "any"
    FROM = "from"
    TO = "to"
    """To and Cc."""
    CC = "cc"
    SUBJECT = "subject"
    BODY = "body"
    """The text, attached messages included."""
    LIST = "list"
    """The name and the addresses of the mailing list."""
    FILENAME = "filename"
    """The names of attachments."""


class Match(Enum):
    """How the words of a term must occur in a message."""

    PHRASE = "phrase"
    """As whole words, one after another."""
    PREFIX = "prefix"
    """Like PHRASE, but the last word may go on."""
    START = "start"
    """One or two letters that a word of the subject or of the sender begins with: a word that is just being typed."""


class Mark(Enum):
    """What a message can be."""

    UNREAD = "unread"
    READ = "read"
    STARRED = "starred"
    ANSWERED = "answered"
    FORWARDED = "forwarded"
    LABELLED = "labelled"
    """It has a label."""
    SNOOZED = "snoozed"
    MUTED = "muted"
    """Its conversation is muted."""


class Content(Enum):
    """What a message can hold."""

    ATTACHMENT = "attachment"
    INVITE = "invite"
    LINK = "link"


class Term(Struct, frozen=True):
    """One word or phrase. `text` has at least one letter or digit; it may hold punctuation and spaces."""

    text: str
    field: Field = Field.ANY
    match: Match = Match.PHRASE


class Mine(Struct, frozen=True):
    """Messages with one of the user's own `addresses` in a field: FROM, TO or CC."""

    field: Field
    addresses: tuple[str, ...]


class MessageId(Struct, frozen=True):
    """The message with this Message-ID, without brackets."""

    value: str


class InFolder(Struct, frozen=True):
    """Messages in a folder of this name or role, in any account; "anywhere" is every folder, Trash and Spam included."""

    name: str


class InAccount(Struct, frozen=True):
    """Messages of the account of this name."""

    name: str


class Labelled(Struct, frozen=True):
    """Messages with the label of this name."""

    name: str


class Is(Struct, frozen=True):
    """Messages with this mark."""

    mark: Mark


class Has(Struct, frozen=True):
    """Messages that hold this."""

    content: Content


class Dated(Struct, frozen=True):
    """Messages from `since` on and before `until`, in UTC seconds; None sets no bound."""

    since: int | None = None
    until: int | None = None


class Sized(Struct, frozen=True):
    """Messages larger than `larger` and smaller than `smaller` bytes; None sets no bound."""

    larger: int | None = None
    smaller: int | None = None


class Not(Struct, frozen=True):
    """Messages that `query` does not match."""

    query: Query


class And(Struct, frozen=True):
    """Messages that every one of `queries` matches; every message where there is none."""

    queries: tuple[Query, ...] = ()


class Or(Struct, frozen=True):
    """Messages that at least one of `queries` matches."""

    queries: tuple[Query, ...]


Query: TypeAlias = And | Or | Not | Term | Mine | MessageId | InFolder | InAccount | Labelled | Is | Has | Dated | Sized

EVERYTHING = And()
"""The query of an empty text: it sets no condition."""


def terms(query: Query) -> list[Term]:
    """Return the terms that a message which matches may hold: those that are not excluded."""
    match query:
        case Term():
            return [query]
        case Mine(field=field, addresses=addresses):
            return [Term(one, field) for one in addresses]
        case And(queries=queries) | Or(queries=queries):
            return [term for one in queries for term in terms(one)]
    return []


def folders(query: Query) -> list[str]:
    """Return the names of the folders that a query asks for, excluded ones left out."""
    match query:
        case InFolder(name=name):
            return [name]
        case And(queries=queries) | Or(queries=queries):
            return [name for one in queries for name in folders(one)]
    return []


def needs_bodies(query: Query) -> bool:
    """Return whether what matches depends on more of a message than its header, flags and folders."""
    match query:
        case Term(field=field):
            return field in {Field.ANY, Field.BODY, Field.FILENAME}
        case Not(query=inner):
            return needs_bodies(inner)
        case And(queries=queries) | Or(queries=queries):
            return any(map(needs_bodies, queries))
    return isinstance(query, Has)
