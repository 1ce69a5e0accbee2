"""Apply rules: to mail that arrives, and to old mail where the user asks for it; and the log of what they did."""

from __future__ import annotations

import json
import logging
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from termmail.errors import UserError
from termmail.mail import rule as language
from termmail.mail.model import Placement, Role, StepKind
from termmail.mail.query import And, Dated, needs_bodies
from termmail.mail.rule import Act, Entry, Ran, Rule, RuleError, Verb
from termmail.mail.step_words import step_words
from termmail.store import changes, folders, journal, labels, messages, muting, rules, search
from termmail.store.store import IN_IDS, StoreError, id_list

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from termmail.mail.model import Done, Undone
    from termmail.mail.query import Query
    from termmail.store.store import Store

log_of_program = logging.getLogger("termmail")

KEPT_LOG = 1000
"""Entries of the log."""

NAMED = 100
"""Messages that an entry names, at most."""

PAGE = 2000
"""Messages that rules look at, or change, in one transaction."""


class Moment(NamedTuple):
    """When a rule acts (UTC seconds), when the DELE of what it deletes falls due, by account, and for whom it acts.

    `me` are the user's own addresses.
    """

    now: int
    due: Mapping[str, int | None]
    me: Sequence[str] = ()


def matches(store: Store, query: Query) -> list[Placement]:
    """Return the messages in the inboxes that a query matches, newest first. Only what is indexed is found."""
    inboxes = [folder.folder_id for folder in folders.with_role(store, Role.INBOX)]
    ids = messages.ids(store, inboxes)
    found = search.matching(store, query, ids)
    placed = dict(store.read(f"SELECT message, folder FROM placement WHERE folder {IN_IDS}", (id_list(inboxes),)))  # noqa: S608
    return [Placement(message_id, placed[message_id]) for message_id in ids if message_id in found]


# -- applying


_NOTHING = Ran()


def run(store: Store, rule: Rule, seen: Sequence[Placement], earlier: Ran, moment: Moment) -> Ran:
    """Do with these messages what a rule says, because the user asks for it.

    Many are done in pages of PAGE, so that other work of the store gets in between: `earlier` is what this returned for
    the page before. All pages are one step; where that was taken back meanwhile, nothing more is done.
    """
    with store.transaction() as db:
        if earlier.step is not None and not journal.is_done(db, earlier.step):
            return Ran(trouble=earlier.trouble, is_stopped=True)
        return _apply(store, db, rule, seen, moment, earlier=earlier, rule_id=0)


def arrivals_wait(store: Store) -> bool:
    """Return whether mail has arrived that is indexed and that no rule has looked at yet."""
    return store.read_one(f"{_ARRIVED} LIMIT 1") is not None


# CROSS JOIN: from the few arrivals to their messages; SQLite would go through all messages.
_ARRIVED = "SELECT a.message FROM rule_arrival a CROSS JOIN message m ON m.id = a.message WHERE m.indexed >= 1"


def run_arrived(store: Store, moment: Moment) -> list[int]:
    """Apply the rules to mail that has arrived, to PAGE messages at most; return those that changed.

    Each rule looks at a message once. One that can be judged only by a body which is not here waits for it. What a rule
    moves is moved once, whichever folder other rules are about.
    """
    if store.read_one("SELECT 1 FROM rule_arrival UNION ALL SELECT 1 FROM rule_waiting LIMIT 1") is None:
        return []
    changed: dict[int, None] = {}
    with store.transaction() as db:
        rows = db.execute(
            f"{_ARRIVED} ORDER BY a.message LIMIT ?",
            (PAGE,),
        ).fetchall()
        arrived = [message_id for (message_id,) in rows]
        for rule in rules.listing(store):
            if not rule.active:
                continue
            try:
                with store.transaction():  # what stops one rule stops no other
                    changed |= dict.fromkeys(_run_on_arrived(store, db, rule, arrived, moment))
            except StoreError:  # a full disk is nothing of the rule's: what arrived is looked at again
                raise
            except (UserError, sqlite3.Error) as error:
                if not db.in_transaction:
                    raise
                log_of_program.warning("rule %d failed: %s", rule.rule_id, error)
        db.execute(f"DELETE FROM rule_arrival WHERE message {IN_IDS}", (id_list(arrived),))  # noqa: S608
    return list(changed)


def _run_on_arrived(
    store: Store, db: sqlite3.Connection, rule: Rule, arrived: Sequence[int], moment: Moment
) -> list[int]:
    """Apply one rule to messages that have arrived, and to those whose body it waited for; return what changed."""
    condition = _condition(rule, moment)
    if condition is None:
        return []
    needs_body = needs_bodies(condition)
    waited = _waited(db, rule) if needs_body else []
    hits = _hits(store, db, condition, [*arrived, *waited])
    if needs_body:
        hits -= _put_off(db, rule, arrived, hits, late=language.decides_late(condition))
    seen = _in_inbox(db, [one for one in (*arrived, *waited) if one in hits])
    if not seen or _apply(store, db, rule, seen, moment, rule_id=rule.rule_id).step is None:
        return []
    return [one.message_id for one in seen]


def _condition(rule: Rule, moment: Moment) -> Query | None:
    """Return what a rule asks for, None where that is no query any more."""
    try:
        return language.checked_query(rule.query, moment.now, moment.me)
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


def _apply(
    store: Store,
    db: sqlite3.Connection,
    rule: Rule,
    seen: Sequence[Placement],
    moment: Moment,
    *,
    earlier: Ran = _NOTHING,
    rule_id: int,
) -> Ran:
    """Do what a rule says in one batch of steps, and log it. `rule_id` is the rule that acts by itself, 0: the user."""
    done: list[Done] = []
    trouble = dict.fromkeys(earlier.trouble)
    for act in language.acts(rule.verbs):
        if act.verb is Verb.MOVE:
            targets = dict(rules.folders_named(store, act.target))
            lacking = dict.fromkeys(one for one in _accounts(store, seen).values() if one not in targets)
            trouble |= dict.fromkeys(f"{account} has no folder “{act.target}”." for account in lacking)
        done += _acted(store, act, seen, moment)
    steps = [one.step for one in done if one.step is not None]
    changed = {message_id for one in done if one.step is not None for message_id in one.message_ids}
    ids = [one.message_id for one in seen if one.message_id in changed]
    newest = earlier.step
    if steps:
        newest = journal.begin(db, StepKind.RULE, len(ids), moment.now, name=rule.name)
        journal.bind(db, [*steps, newest])
        journal.attribute(db, newest, rule_id)
        if earlier.step is not None:
            newest = journal.merge(db, earlier.step, newest)
    ran = Ran(newest, tuple(trouble))
    if ran.step != earlier.step or ran.trouble != earlier.trouble:
        _note(db, rule, ran, ids, moment.now, earlier=earlier)
    return ran


def _note(db: sqlite3.Connection, rule: Rule, ran: Ran, ids: Sequence[int], now: int, *, earlier: Ran) -> None:
    """Write what a rule did into the log; what it did in several pages is one entry."""
    steps = [] if ran.step is None else journal.batch(db, ran.step)
    words = " · ".join([*(step_words(one) for one in steps if one.kind is not StepKind.RULE), *ran.trouble])
    step_id, count = (0, 0) if ran.step is None else (ran.step.step_id, ran.step.count)
    before = 0 if earlier.step is None else earlier.step.step_id
    row = db.execute("SELECT id, messages FROM rule_log WHERE step = ? AND step <> 0", (before,)).fetchone()
    if row is None:
        db.execute(
            "INSERT INTO rule_log (rule, name, at, step, messages, count, words) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (rule.rule_id, rule.name, now, step_id, json.dumps(ids[-NAMED:]), count, words),
        )
        db.execute("DELETE FROM rule_log WHERE id <= (SELECT max(id) FROM rule_log) - ?", (KEPT_LOG,))
    else:
        named = json.dumps([*json.loads(row[1]), *ids][-NAMED:])
        db.execute(
            "UPDATE rule_log SET step = ?, messages = ?, count = ?, words = ? WHERE id = ?",
            (step_id, named, count, words, row[0]),
        )


def _acted(store: Store, act: Act, seen: Sequence[Placement], moment: Moment) -> list[Done]:
    ids, now, due = [one.message_id for one in seen], moment.now, moment.due
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
    return _moved(store, act, seen, moment)


def _moved(store: Store, act: Act, seen: Sequence[Placement], moment: Moment) -> list[Done]:
    """Move messages to the folder of this name in the account of each; those of an account without one stay."""
    accounts = _accounts(store, seen)
    done = []
    for account, folder_id in dict(rules.folders_named(store, act.target)).items():
        if group := [one for one in seen if accounts.get(one.message_id) == account]:
            done.append(changes.move(store, group, folder_id, moment.now, moment.due))
    return done


def _accounts(store: Store, seen: Sequence[Placement]) -> dict[int, str]:
    ids = id_list(one.message_id for one in seen)
    return dict(store.read(f"SELECT id, account FROM message WHERE id {IN_IDS}", (ids,)))  # noqa: S608 - a text of ours


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


def undo(store: Store, entry_id: int, due: Mapping[str, int | None]) -> Undone:
    """Take back what a rule did, by its entry in the log. Raises RuleError where nothing is left to take back."""
    row = store.read_one(
        "SELECT s.id FROM rule_log l JOIN step s ON s.id = l.step AND s.state = 'done' WHERE l.id = ?", (entry_id,)
    )
    undone = None if row is None else journal.undo_step(store, row[0], due)
    if undone is None:
        raise RuleError("That cannot be taken back any more.", advice="Nothing of it is as the rule left it.")
    return undone
