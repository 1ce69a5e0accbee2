"""Where rules and kept searches name a folder or a label: they follow when it gets another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail import query_words
from termmail.mail.rule import RuleError, Verb, acts, renamed, written

if TYPE_CHECKING:
    import sqlite3

_OPERATORS = {Verb.LABEL: "label", Verb.MOVE: "in"}


def follow_folder(db: sqlite3.Connection, before: str, after: str) -> None:
    """Do what `follow` does for a folder that was renamed, unless a folder of another account still has the old name."""
    names = {name.casefold() for (name,) in db.execute("SELECT name FROM folder WHERE removed = 0")}
    if before.casefold() not in names:
        follow(db, Verb.MOVE, before, after)


def follow(db: sqlite3.Connection, verb: Verb, before: str, after: str) -> None:
    """Write the new name of a folder or label into the rules and kept searches that name it."""
    for rule_id, query, verbs in db.execute("SELECT id, query, verbs FROM rule").fetchall():
        found = (_verbs(verbs, verb, before, after), query_words.renamed(query, _OPERATORS[verb], before, after))
        if found != (verbs, query):
            db.execute("UPDATE rule SET verbs = ?, query = ? WHERE id = ?", (*found, rule_id))
    for search_id, words in db.execute("SELECT id, words FROM saved_search").fetchall():
        if (again := query_words.renamed(words, _OPERATORS[verb], before, after)) != words:
            db.execute("UPDATE saved_search SET words = ? WHERE id = ?", (again, search_id))


def _verbs(verbs: str, verb: Verb, before: str, after: str) -> str:
    try:
        return written(renamed(acts(verbs), verb, before, after))
    except RuleError:  # of a version that knows other verbs
        return verbs
