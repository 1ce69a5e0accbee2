"""Rules: which there are, what they are applied to, and the log of what they did."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail import rule as language
from termmail.mail.model import Placement, Role, StepKind
from termmail.mail.query import And, Dated
from termmail.mail.rule import Act, Entry, Rule, RuleError, Verb
from termmail.mail.sanitize import clean_words
from termmail.mail.step_words import step_words
from termmail.store import changes, folders, journal, labels, messages, muting, search
from termmail.store.store import IN_IDS, StoreError, id_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from termmail.mail.model import Done, Step, Undone
    from termmail.mail.query import Query
    from termmail.store.store import Store

    Due = Mapping[str, int | None]

log_of_program = logging.getLogger("termmail")

KEPT_LOG = 1000
"""Entries of the log."""

NAMED = 100
"""Messages that an entry names, at most."""

PAGE = 2000
"""Messages that have arrived and are looked at in one transaction."""

_COLUMNS = "id, name, query, verbs, active"


def listing(store: Store) -> list[Rule]:
    """Return all rules in the order in which they act."""
    return [_rule(row) for row in store.read(f"SELECT {_COLUMNS} FROM rule ORDER BY id")]  # noqa: S608 - ours


def _rule(row: tuple[int, str, str, str, int]) -> Rule:
    return Rule(*row[:4], row[4] == 1)


def get(store: Store, rule_id: int) -> Rule:
    """Return a rule. Raises RuleError where there is none."""
    row = store.read_one(f"SELECT {_COLUMNS} FROM rule WHERE id = ?", (rule_id,))  # noqa: S608
    if row is None:
        raise RuleError(f"There is no rule {rule_id}.", advice="termmail rules lists them.")
    return _rule(row)


def add(store: Store, name: str, query: str, verbs: str, now: int) -> Rule:
    """Save a rule. Raises RuleError for a query that matches everything, verbs that are none, or a missing folder."""
    query = clean_words(query)  # it is shown, and may come from a message
    language.checked_query(query, now)
    found = language.acts(verbs)
    with store.transaction() as db:
        for one in found:
            if one.verb is Verb.MOVE and not _folders_named(store, one.target):
                raise RuleError(f"No account has a folder “{one.target}”.", advice="Make it first, or choose another.")
            if one.verb is Verb.LABEL:
                labels.checked_name(one.target)
        verbs = language.written(found)
        name = language.name_of(name, query, verbs)
        cursor = db.execute(
            "INSERT INTO rule (name, query, verbs, created) VALUES (?, ?, ?, ?)", (name, query, verbs, now)
        )
    return Rule(cursor.lastrowid or 0, name, query, verbs)


def remove(store: Store, rule_id: int) -> Rule:
    """Remove a rule; what it did stays. Raises RuleError where there is none."""
    with store.transaction() as db:
        found = get(store, rule_id)
        db.execute("DELETE FROM rule WHERE id = ?", (rule_id,))
    return found


def set_active(store: Store, rule_id: int, *, active: bool) -> Rule:
    """Let a rule act, or rest. Raises RuleError where there is none."""
    with store.transaction() as db:
        db.execute("UPDATE rule SET active = ? WHERE id = ?", (active, rule_id))
        return get(store, rule_id)


# -- what a rule matches


def matches(store: Store, query: Query) -> list[Placement]:
    """Return the messages in the inboxes that a query matches, newest first. Only what is indexed is found."""
    inboxes = [folder.folder_id for folder in folders.with_role(store, Role.INBOX)]
    ids = messages.ids(store, inboxes)
    found = search.matching(store, query, ids)
    placed = dict(store.read(f"SELECT message, folder FROM placement WHERE folder {IN_IDS}", (id_list(inboxes),)))  # noqa: S608
    return [Placement(message_id, placed[message_id]) for message_id in ids if message_id in found]


# -- applying


def run(store: Store, rule: Rule, seen: Sequence[Placement], now: int, due: Due) -> Step | None:
    """Do with these messages what a rule says, because the user asks for it: one step, which the undo key takes back."""
    with store.transaction() as db:
        return _apply(store, db, rule, seen, now, due, rule_id=0)


def run_arrived(store: Store, now: int, due: Due) -> list[int]:
    """Apply the rules to mail that has arrived; return the messages that changed.

    Each rule looks at a message once. One that can be judged only by a body which is not here waits for it. What a rule
    moves is moved once, whichever folder other rules are about.
    """
    if store.read_one("SELECT 1 FROM rule_arrival UNION ALL SELECT 1 FROM rule_waiting LIMIT 1") is None:
        return []
    changed: dict[int, None] = {}
    with store.transaction() as db:
        rows = db.execute(
            "SELECT a.message FROM rule_arrival a JOIN message m ON m.id = a.message WHERE m.indexed >= 1"
            " ORDER BY a.message LIMIT ?",
            (PAGE,),
        ).fetchall()
        arrived = [message_id for (message_id,) in rows]
        for rule in listing(store):
            if not rule.active:
                continue
            try:
                with store.transaction():  # what stops one rule stops no other
                    changed |= dict.fromkeys(_run_on_arrived(store, db, rule, arrived, now, due))
            except StoreError:  # a full disk is nothing of the rule's: what arrived is looked at again
                raise
            except (UserError, sqlite3.Error) as error:
                if not db.in_transaction:
                    raise
                log_of_program.warning("rule %d failed: %s", rule.rule_id, error)
        db.execute(f"DELETE FROM rule_arrival WHERE message {IN_IDS}", (id_list(arrived),))  # noqa: S608
    return list(changed)


def _run_on_arrived(  # noqa: PLR0917 - one caller
    store: Store, db: sqlite3.Connection, rule: Rule, arrived: Sequence[int], now: int, due: Due
) -> list[int]:
    """Apply one rule to messages that have arrived, and to those whose body it waited for; return what changed."""
    condition = _condition(rule, now)
    if condition is None:
        return []
    needs_body = language.needs_body(condition)
    waited = _waited(db, rule) if needs_body else []
    hits = _hits(store, db, condition, [*arrived, *waited])
    if needs_body:
        hits -= _put_off(db, rule, arrived, hits, late=language.decides_late(condition))
    seen = _in_inbox(db, [one for one in (*arrived, *waited) if one in hits])
    if not seen or _apply(store, db, rule, seen, now, due, rule_id=rule.rule_id) is None:
        return []
    return [one.message_id for one in seen]


def _condition(rule: Rule, now: int) -> Query | None:
    """Return what a rule asks for, None where that is no query any more."""
    try:
        return language.checked_query(rule.query, now)
    except RuleError as error:
        log_of_program.warning("rule %d rests: %s", rule.rule_id, error)
        return None


def _hits(store: Store, db: sqlite3.Connection, condition: Query, ids: Sequence[int]) -> set[int]:
    """Return those of the messages that match. Only messages of their dates are looked through."""
    if not ids:
        return set()
    first, last = db.execute(
        f"SELECT min(sort_date), max(sort_date) FROM message WHERE id {IN_IDS}",  # noqa: S608 - a text of ours
        (id_list(ids),),
    ).fetchone()
    return search.matching(store, And((condition, Dated(first, last + 1))), ids)


def _waited(db: sqlite3.Connection, rule: Rule) -> list[int]:
    """Return the messages that waited for their body, which is here now; they wait no longer."""
    rows = db.execute(
        "DELETE FROM rule_waiting WHERE rule = ? AND message IN (SELECT w.message FROM rule_waiting w JOIN message m"
        " ON m.id = w.message WHERE w.rule = ? AND m.indexed = 2) RETURNING message",
        (rule.rule_id, rule.rule_id),
    ).fetchall()
    return [message_id for (message_id,) in rows]


def _put_off(db: sqlite3.Connection, rule: Rule, arrived: Sequence[int], hits: set[int], *, late: bool) -> set[int]:
    """Let messages wait for their body where it may change what the rule says of them; return those."""
    rows = db.execute(f"SELECT id FROM message WHERE id {IN_IDS} AND indexed < 2", (id_list(arrived),))  # noqa: S608
    waiting = {message_id for (message_id,) in rows if late or message_id not in hits}
    db.executemany(
        "INSERT OR IGNORE INTO rule_waiting (message, rule) VALUES (?, ?)", [(one, rule.rule_id) for one in waiting]
    )
    return waiting


def _in_inbox(db: sqlite3.Connection, message_ids: Sequence[int]) -> list[Placement]:
    rows = db.execute(
        "SELECT p.message, p.folder FROM placement p JOIN folder f ON f.id = p.folder"  # noqa: S608 - texts of ours
        f" WHERE p.message {IN_IDS} AND f.role = 'inbox' ORDER BY p.message",
        (id_list(message_ids),),
    )
    return [Placement(*row) for row in rows]


def _apply(  # noqa: PLR0917 - two callers
    store: Store, db: sqlite3.Connection, rule: Rule, seen: Sequence[Placement], now: int, due: Due, *, rule_id: int
) -> Step | None:
    """Do what a rule says in one batch of steps, and log it. `rule_id` is the rule that acts by itself, 0: the user."""
    done: list[Done] = []
    trouble = []
    for act in language.acts(rule.verbs):
        if act.verb is Verb.MOVE:
            targets = dict(_folders_named(store, act.target))
            lacking = dict.fromkeys(one for one in _accounts(store, seen).values() if one not in targets)
            trouble += [f"{account} has no folder “{act.target}”." for account in lacking]
        done += _acted(store, act, seen, now, due)
    steps = [one.step for one in done if one.step is not None]
    newest = None
    ids = list(dict.fromkeys(message_id for one in done if one.step is not None for message_id in one.message_ids))
    if steps:
        newest = journal.begin(db, StepKind.RULE, len(ids), now, name=rule.name)
        journal.bind(db, [*steps, newest])
        journal.attribute(db, newest, rule_id)
    if newest is not None or trouble:
        words = " · ".join([*map(step_words, steps), *trouble])
        db.execute(
            "INSERT INTO rule_log (rule, name, at, step, messages, count, words) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                *(rule.rule_id, rule.name, now, 0 if newest is None else newest.step_id),
                *(json.dumps(ids[-NAMED:]), len(ids), words),
            ),
        )
        db.execute("DELETE FROM rule_log WHERE id <= (SELECT max(id) FROM rule_log) - ?", (KEPT_LOG,))
    return newest


def _acted(store: Store, act: Act, seen: Sequence[Placement], now: int, due: Due) -> list[Done]:
    ids = [one.message_id for one in seen]
    match act.verb:
        case Verb.LABEL:
            return [labels.change(store, ids, [act.target], (), now)]
        case Verb.STAR:
            return [changes.mark(store, ids, StepKind.STAR, now)]
        case Verb.READ:
            return [changes.mark(store, ids, StepKind.READ, now)]
        case Verb.MUTE:
            return [muting.mute(store, seen, now, due)]
        case Verb.ARCHIVE:
            return [changes.move_to_role(store, seen, StepKind.ARCHIVE, now, due)]
        case Verb.DELETE:
            return [changes.move_to_role(store, seen, StepKind.DELETE, now, due)]
    return _moved(store, act, seen, now, due)


def _moved(store: Store, act: Act, seen: Sequence[Placement], now: int, due: Due) -> list[Done]:
    """Move messages to the folder of this name in the account of each; those of an account without one stay."""
    accounts = _accounts(store, seen)
    done = []
    for account, folder_id in dict(_folders_named(store, act.target)).items():
        if group := [one for one in seen if accounts.get(one.message_id) == account]:
            done.append(changes.move(store, group, folder_id, now, due))
    return done


def _accounts(store: Store, seen: Sequence[Placement]) -> dict[int, str]:
    ids = id_list(one.message_id for one in seen)
    return dict(store.read(f"SELECT id, account FROM message WHERE id {IN_IDS}", (ids,)))  # noqa: S608 - a text of ours


def _folders_named(store: Store, name: str) -> list[tuple[str, int]]:
    wanted = "/".join(part.strip() for part in name.split("/")).casefold()
    found = [one for one in folders.listing(store) if one.name.casefold() == wanted]
    return [(one.account, one.folder_id) for one in found]


# -- the log


def log(store: Store, limit: int = 50) -> list[Entry]:
    """Return what the rules did, newest first."""
    rows = store.read(
        "SELECT l.id, l.rule, l.name, l.at, l.messages, l.count, l.words, coalesce(s.state = 'done', 0) FROM rule_log l"
        " LEFT JOIN step s ON s.id = l.step ORDER BY l.id DESC LIMIT ?",
        (limit,),
    )
    return [
        Entry(entry_id, rule_id, name, at, tuple(json.loads(ids)), held, words, can_undo == 1)
        for entry_id, rule_id, name, at, ids, held, words, can_undo in rows
    ]


def undo(store: Store, entry_id: int, due: Due) -> Undone:
    """Take back what a rule did, by its entry in the log. Raises RuleError where nothing is left to take back."""
    row = store.read_one(
        "SELECT s.id FROM rule_log l JOIN step s ON s.id = l.step AND s.state = 'done' WHERE l.id = ?", (entry_id,)
    )
    undone = None if row is None else journal.undo_step(store, row[0], due)
    if undone is None:
        raise RuleError("That cannot be taken back any more.", advice="Nothing of it is as the rule left it.")
    return undone
