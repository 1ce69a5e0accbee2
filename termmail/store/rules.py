"""The rules: which there are, in which order, and what changes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail import rule as language
from termmail.mail.model import StepKind
from termmail.mail.rule import Rule, RuleError, Verb
from termmail.mail.sanitize import clean_words
from termmail.store import folders, journal, label_names, list_order

if TYPE_CHECKING:
    import sqlite3

    from termmail.mail.model import Step
    from termmail.mail.rule import Act
    from termmail.store.store import Store

_COLUMNS = "id, name, query, verbs, active"


def listing(store: Store) -> list[Rule]:
    """Return all rules in the order in which they act."""
    return [_rule(row) for row in store.read(f"SELECT {_COLUMNS} FROM rule ORDER BY place, id")]  # noqa: S608 - ours


def _rule(row: tuple[int, str, str, str, int]) -> Rule:
    return Rule(*row[:4], row[4] == 1)


def get(store: Store, rule_id: int) -> Rule:
    """Return a rule. Raises RuleError where there is none."""
    row = store.read_one(f"SELECT {_COLUMNS} FROM rule WHERE id = ?", (rule_id,))  # noqa: S608
    if row is None:
        raise RuleError(f"There is no rule {rule_id}.", advice="termmail rules lists them.")
    return _rule(row)


def add(store: Store, name: str, query: str, verbs: str, now: int) -> Rule:
    """Save a rule, as the last one, as a step. Raises RuleError as `_checked` does."""
    with store.transaction() as db:
        name, query, verbs = _checked(store, name, query, verbs, now)
        cursor = db.execute(
            "INSERT INTO rule (name, query, verbs, created, place)"
            " VALUES (?, ?, ?, ?, (SELECT coalesce(max(place), 0) + 1 FROM rule))",
            (name, query, verbs, now),
        )
        rule_id = cursor.lastrowid or 0
        journal.record_rule(db, journal.begin(db, StepKind.MAKE_RULE, 0, now, name=name), {"id": rule_id})
    return Rule(rule_id, name, query, verbs)


def change(store: Store, wanted: Rule, now: int) -> tuple[Rule, Step | None]:
    """Let a rule match or do something else, as a step; None where it is so already. Raises RuleError as `add` does.

    A name that was made of what the rule did is made anew where `wanted` has none. Messages whose body the rule waited for
    are not looked at again.
    """
    with store.transaction() as db:
        before = get(store, wanted.rule_id)
        is_own = before.name != language.name_of("", before.query, before.verbs)
        name = wanted.name or (before.name if is_own else "")
        after = Rule(wanted.rule_id, *_checked(store, name, wanted.query, wanted.verbs, now), before.active)
        if after == before:
            return before, None
        step = _begin(db, StepKind.EDIT_RULE, before, now)
        values = (after.name, after.query, after.verbs, after.rule_id)
        db.execute("UPDATE rule SET name = ?, query = ?, verbs = ? WHERE id = ?", values)
        db.execute("DELETE FROM rule_waiting WHERE rule = ?", (after.rule_id,))
    return after, step


def _checked(store: Store, name: str, query: str, verbs: str, now: int) -> tuple[str, str, str]:
    """Return name, query and verbs as they are stored.

    Raises RuleError for a query that matches everything, else as `checked_acts` does.
    """
    query = clean_words(query)  # it is shown, and may come from a message
    language.checked_query(query, now)
    verbs = language.written(checked_acts(store, verbs))
    return language.name_of(name, query, verbs), query, verbs


def checked_acts(store: Store, verbs: str) -> tuple[Act, ...]:
    """Return what verbs do. Raises RuleError for a missing folder and what is no verb, LabelError for a label's name."""
    found = language.acts(verbs)
    for one in found:
        if one.verb is Verb.MOVE and not folders_named(store, one.target):
            raise RuleError(f"No account has a folder “{one.target}”.", advice="Make it first, or choose another.")
        if one.verb is Verb.LABEL:
            label_names.checked_name(one.target)
    return found


def effects(store: Store, verbs: str) -> str:
    """Return in words what verbs do. Raises as `checked_acts` does."""
    found = checked_acts(store, verbs)
    named = [one.target for one in found if one.verb is Verb.LABEL]
    return language.effects(found, [name for name in named if label_names.find(store, name) is None])


def remove(store: Store, rule_id: int, now: int) -> tuple[Rule, Step]:
    """Remove a rule, as a step; what it did stays. Raises RuleError where there is none."""
    with store.transaction() as db:
        found = get(store, rule_id)
        step = _begin(db, StepKind.REMOVE_RULE, found, now)
        db.execute("DELETE FROM rule WHERE id = ?", (rule_id,))
    return found, step


def _begin(db: sqlite3.Connection, kind: StepKind, rule: Rule, now: int) -> Step:
    """Write a step on a rule, with what the rule was before."""
    cursor = db.execute("SELECT id, name, query, verbs, active, created, place FROM rule WHERE id = ?", (rule.rule_id,))
    columns = [column[0] for column in cursor.description]
    step = journal.begin(db, kind, 0, now, name=rule.name)
    journal.record_rule(db, step, dict(zip(columns, cursor.fetchone(), strict=True)))
    return step


def shift(store: Store, rule_id: int, places: int) -> None:
    """Move a rule so many places down, or up where `places` is negative. Raises RuleError where there is none."""
    with store.transaction() as db:
        get(store, rule_id)
        list_order.shift(db, "rule", rule_id, places)


def missing_folder(store: Store, rule: Rule) -> str:
    """Return the name of the folder to which a rule moves messages and that no account has any more, or ""."""
    wanted = (one.target for one in language.acts(rule.verbs) if one.verb is Verb.MOVE)
    return next((name for name in wanted if not folders_named(store, name)), "")


def set_active(store: Store, rule_id: int, *, active: bool) -> Rule:
    """Let a rule act, or rest. Raises RuleError where there is none."""
    with store.transaction() as db:
        db.execute("UPDATE rule SET active = ? WHERE id = ?", (active, rule_id))
        return get(store, rule_id)


def folders_named(store: Store, name: str) -> list[tuple[str, int]]:
    """Return the folders of this name, in any case of letters: account and id of each."""
    wanted = "/".join(part.strip() for part in name.split("/")).casefold()
    found = [one for one in folders.listing(store) if one.name.casefold() == wanted]
    return [(one.account, one.folder_id) for one in found]
