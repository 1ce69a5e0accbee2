"""Rules: what is done with the messages that a query matches, as a person writes it: "label:work, archive"."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from termmail.errors import UserError
from termmail.mail import query, query_parser, sanitize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from termmail.mail.model import Step

LONGEST = 500
"""Characters of the verbs of a rule, at most."""

MOST_VERBS = 10
"""Verbs of a rule, at most."""

LONGEST_NAME = 60
"""Characters of a rule's name."""


class RuleError(UserError):
    """A rule cannot be made as it was written."""

    advice = "Write what is done as in: label:work, archive."


class Verb(StrEnum):
    """What a rule does with a message."""

    MOVE = "move"
    LABEL = "label"
    STAR = "star"
    READ = "read"
    MUTE = "mute"
    ARCHIVE = "archive"
    DELETE = "delete"


WITH_TARGET = frozenset({Verb.MOVE, Verb.LABEL})
"""The verbs that name a folder or a label."""

LEAVING = frozenset({Verb.MOVE, Verb.ARCHIVE, Verb.DELETE})
"""The verbs that take a message out of the Inbox: a rule has one of them, at most."""


class Act(Struct, frozen=True):
    """One thing that a rule does; `target` is the name of a folder or a label, else ""."""

    verb: Verb
    target: str = ""


class Rule(Struct, frozen=True):
    """A rule of the user. `query` is in the search language, `verbs` as `acts` reads them."""

    rule_id: int
    name: str
    query: str
    verbs: str
    active: bool = True


class Entry(Struct, frozen=True):
    """What a rule did at a time (UTC seconds). `can_undo` tells whether it can be taken back."""

    entry_id: int
    rule_id: int
    name: str
    at: int
    message_ids: tuple[int, ...]
    count: int
    words: str
    can_undo: bool


class Ran(Struct, frozen=True):
    """What a rule did because the user asked for it.

    `step` is what the undo key takes back, None where nothing changed or it was taken back meanwhile (`is_stopped`).
    `trouble` are sentences on what could not be done.
    """

    step: Step | None = None
    trouble: tuple[str, ...] = ()
    is_stopped: bool = False


def acts(text: str) -> tuple[Act, ...]:
    """Return what the verbs of a rule do, in the order in which they are done. Raises RuleError for what is no verb.

    What takes the message out of the Inbox is done last.
    """
    if len(text) > LONGEST:
        raise RuleError(f"What a rule does may have {LONGEST} characters at most.")
    found: dict[Act, None] = {}
    for part in filter(None, (" ".join(one.split()) for one in text.split(","))):
        found[_act(part)] = None
    if not found:
        raise RuleError("A rule needs something to do.", advice=f"Choose from {', '.join(Verb)}.")
    if len(found) > MOST_VERBS:
        raise RuleError(f"A rule may do {MOST_VERBS} things at most.")
    leaving = [one for one in found if one.verb in LEAVING]
    if len(leaving) > 1:
        raise RuleError(f"A rule can {leaving[0].verb} or {leaving[1].verb} a message, not both.")
    return tuple(sorted(found, key=lambda one: one.verb in LEAVING))


def _act(text: str) -> Act:
    word, colon, target = text.partition(":")
    target = target.strip()
    try:
        verb = Verb(word.strip().casefold())
    except ValueError:
        raise RuleError(
            f"“{sanitize.clean(word.strip()[:40])}” is nothing a rule can do.", advice=f"Choose from {', '.join(Verb)}."
        ) from None
    if verb in WITH_TARGET and not target:
        what = "folder" if verb is Verb.MOVE else "label"
        raise RuleError(f"“{verb}” needs the name of a {what}.", advice=f"Write it as in {verb}:Lists.")
    if verb not in WITH_TARGET and (target or colon):
        raise RuleError(f"“{verb}” takes no name.", advice=f"Write only {verb}.")
    return Act(verb, target)


def written(acts_: Iterable[Act]) -> str:
    """Return acts as a person writes them."""
    return ", ".join(f"{one.verb}:{one.target}" if one.target else one.verb.value for one in acts_)


def renamed(acts_: Sequence[Act], verb: Verb, before: str, after: str) -> tuple[Act, ...]:
    """Return acts with another name where they have this one, in any case of letters, as the target of a verb."""
    return tuple(
        Act(verb, after) if one.verb is verb and one.target.casefold() == before.casefold() else one for one in acts_
    )


def effects(acts_: Iterable[Act], new_labels: Collection[str] = ()) -> str:
    """Return in words what acts do; `new_labels` are labels that do not exist yet."""
    words = []
    for one in acts_:
        if one.verb is Verb.LABEL:
            words.append(f"labels it {one.target}{' (a new label)' if one.target in new_labels else ''}")
        else:
            words.append(_EFFECTS[one.verb].format(target=one.target))
    text = sanitize.clean(", ".join(words))
    return text[:1].upper() + text[1:]


_EFFECTS = {
    Verb.MOVE: "moves it to {target}",
    Verb.STAR: "stars it",
    Verb.READ: "marks it as read",
    Verb.MUTE: "mutes its conversation",
    Verb.ARCHIVE: "archives it",
    Verb.DELETE: "deletes it",
}


def checked_query(text: str, now: int, me: Sequence[str] = ()) -> query.Query:
    """Return the query of a rule at a time (UTC seconds), to which dates in it are relative.

    `me` are the user's own addresses.

    Raises RuleError for one that is not understood, and for one without a condition: it would match all mail.
    """
    found = query_parser.parse(text, now, me)
    if found.problems:
        raise RuleError(found.problems[0], advice="Write the query as for a search.")
    if found.query == query.EVERYTHING:
        raise RuleError("This matches every message.", advice="Write words, or from: with an address.")
    return found.query


def name_of(name: str, query_text: str, verbs: str) -> str:
    """Return the name of a rule: the one given, else one made of what it does."""
    text = " ".join(sanitize.clean(name).split()) or f"{query_text} → {verbs}"
    return sanitize.cut(" ".join(sanitize.clean(text).split()), LONGEST_NAME)


def decides_late(condition: query.Query) -> bool:
    """Return whether a message that matches may match no longer once its body is here: something of it is excluded."""
    match condition:
        case query.Not(query=inner):
            return query.needs_bodies(inner)
        case query.And(queries=queries) | query.Or(queries=queries):
            return any(map(decides_late, queries))
    return False
