"""Every write the store offers, each as what must be there before and the one call, for the tests that break them off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from termmail.mail.message import Address, Draft, Invitation
from termmail.mail.model import StepKind
from termmail.mail.rule import Ran, Rule
from termmail.store import (
    changes,
    conversation_changes,
    delete_queue,
    drafts,
    folder_changes,
    invitation_answers,
    journal,
    labels,
    messages,
    muting,
    outbox,
    pop3_identity,
    rule_runs,
    rules,
    saved_searches,
    server_space,
    snoozing,
)
from termmail.store.comparison import Comparison
from termmail.store.rows import New, State
from termmail.store.rule_runs import Moment
from tests.store.parts import (
    NOW,
    ListedUidls,
    add_local,
    claim,
    download,
    erase,
    folder,
    header,
    ids_in,
    index_all,
    mark,
    move,
    new,
    outgoing,
    seen,
    sent,
    session,
    trash,
    undo,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.store.store import Store

LONG = "It weaves. " * 30_000
"""A body of 330 kB: it cannot be written where there is no room."""


@dataclass(frozen=True)
class Scenario:
    """`before` arranges, `act` is one promise: all of it or nothing. `large` needs room for LONG."""

    before: Callable[[Store], object]
    act: Callable[[Store], object]
    large: bool = False


def _mail(store: Store) -> None:
    session(store, [new(n) for n in range(1, 6)])
    ids = ids_in(store)
    download(store, ids[0], whole(5))
    download(store, ids[1], whole(4))
    index_all(store)


def _draft(store: Store) -> None:
    _mail(store)
    draft = drafts.save(store, Draft(account="work", to="bob@example.com", body="Dear Bob", answers=1), NOW)
    drafts.attach(store, draft, "a.txt", "text/plain", b"words" * 2000)


def _queued(store: Store) -> None:
    _draft(store)
    with store.transaction(durable=True) as db:
        outbox_id = outbox.queue(store, "work", outgoing(9), draft_id=1, not_before=NOW, now=NOW)
        journal.record_send(db, outbox_id, "Engine part 9", NOW)


def _sending(store: Store) -> None:
    _queued(store)
    claim(store, "work", NOW)


def _failed(store: Store) -> None:
    _sending(store)
    outbox.failed(store, 1, "No.", {"bob@example.com": "550"})


def _trashed(store: Store) -> None:
    _mail(store)
    trash(store, [1, 2], NOW)


def _marked(store: Store) -> None:
    _mail(store)
    mark(store, [1, 2, 3])


def _own_folder(store: Store) -> None:
    _mail(store)
    move(store, [1, 2], "Trips")


def _removed_folder(store: Store) -> None:
    _own_folder(store)
    folder_changes.remove(store, folder(store, "Trips").folder_id, NOW)


def _many(store: Store) -> list[New]:
    """New, known, renamed, reused, doubled and whole ones in one listing."""
    return [
        new(1),
        new(2, b"renamed"),
        New(b"u3", 3, 1000, header(33)),
        new(7),
        new(8, b"same"),
        new(9, b"same", nth=1),
        New(b"u10", 10, 1000, header(10), raw=whole(10)),
    ]


def _arrive(store: Store) -> None:
    news = _many(store)
    pop3_identity.arrive(store, "work", news, received=NOW, listed={one.uidl for one in news})


def _listing(_: Store) -> list[tuple[int, int, bytes]]:
    return [(1, 1000, b"u1"), (2, 2000, b"u2"), (3, 1000, b""), (4, 1000, b"u9")]


def _comparison(store: Store) -> Comparison:
    return Comparison("work", ListedUidls(_listing(store)))


def _snoozed(store: Store) -> None:
    _mail(store)
    snoozing.snooze(store, seen(store, [1, 2, 3]), NOW, "now", NOW)
    snoozing.remind(store, [4], NOW, "now", NOW)


def _ruled(store: Store) -> None:
    _mail(store)
    rules.add(store, "", "subject:engine", "label:work, star, archive", NOW)
    with store.transaction() as db:
        db.execute("INSERT INTO rule_arrival (message) SELECT id FROM message")


def _logged(store: Store) -> None:
    _ruled(store)
    rule_runs.run_arrived(store, Moment(NOW, {}))


def _joined(store: Store) -> None:
    _mail(store)
    conversation_changes.join(store, [1, 2, 3], NOW)


def _kept_searches(store: Store) -> None:
    _mail(store)
    for name in ("Engines", "Looms"):
        saved_searches.save(store, name, f"subject:{name}")


def _removed_search(store: Store) -> None:
    _kept_searches(store)
    saved_searches.remove(store, 1, NOW)


INVITATION = Invitation(uid="tea@example.net", organizer=Address("Olga", "olga@example.net"))


def _labelled(store: Store) -> None:
    _mail(store)
    labels.change(store, [1, 2, 3], ["work", "home"], (), NOW)
    rules.add(store, "", "label:work", "label:work, star", NOW)


def _renamed(store: Store) -> None:
    _labelled(store)
    labels.rename(store, 1, "job", NOW)


def _half_run(store: Store) -> Ran:
    """A rule that has changed the first of two pages of messages."""
    _mail(store)
    rule = rules.add(store, "", "subject:engine", "label:work, star", NOW)
    return rule_runs.run(store, rule, seen(store, [1]), Ran(), Moment(NOW, {}))


def _run_rest(store: Store) -> None:
    (entry,) = rule_runs.log(store)
    step = journal.next_step(store)
    rule = rules.get(store, entry.rule_id)
    rule_runs.run(store, rule, seen(store, [2, 3]), Ran(step), Moment(NOW, {}))


SCENARIOS = {
    "rename label": Scenario(_labelled, lambda store: labels.rename(store, 1, "job", NOW)),
    "undo rename of label": Scenario(_renamed, undo),
    "remove label": Scenario(_labelled, lambda store: labels.remove(store, 1, NOW)),
    "change rule": Scenario(_labelled, lambda store: rules.change(store, Rule(1, "", "engine", "read"), NOW)),
    "shift rule": Scenario(_labelled, lambda store: rules.shift(store, 1, 1)),
    "remove rule": Scenario(_labelled, lambda store: rules.remove(store, 1, NOW)),
    "second page of a rule": Scenario(_half_run, _run_rest),
    "snooze": Scenario(_mail, lambda store: snoozing.snooze(store, seen(store, [1, 2, 3]), NOW, "now", NOW)),
    "bring back": Scenario(_snoozed, lambda store: snoozing.bring_back(store, NOW)),
    "undo reminder": Scenario(_snoozed, undo),
    "label": Scenario(_mail, lambda store: labels.change(store, [1, 2, 3], ["work", "home"], (), NOW)),
    "join": Scenario(_mail, lambda store: conversation_changes.join(store, [1, 2, 3], NOW)),
    "break off": Scenario(_joined, lambda store: conversation_changes.break_off(store, [2], NOW)),
    "undo join": Scenario(_joined, undo),
    "save search": Scenario(_mail, lambda store: saved_searches.save(store, "Looms", "subject:loom")),
    "move search": Scenario(_kept_searches, lambda store: saved_searches.move(store, 1, 1)),
    "remove search": Scenario(_kept_searches, lambda store: saved_searches.remove(store, 1, NOW)),
    "undo remove search": Scenario(_removed_search, undo),
    "rule": Scenario(_mail, lambda store: rules.add(store, "", "subject:engine", "star", NOW)),
    "undo what a rule did": Scenario(_logged, lambda store: rule_runs.undo(store, 1, {})),
    "free on the server": Scenario(_mail, lambda store: server_space.free(store, [1, 2, 3], NOW)),
    "answer an invitation": Scenario(
        _mail,
        lambda store: invitation_answers.queue(
            store, "work", INVITATION, "accepted", outgoing(9), "Accepted: Tea", not_before=NOW, now=NOW
        ),
    ),
    "mute": Scenario(_mail, lambda store: muting.mute(store, seen(store, [1, 2]), NOW, {})),
    "rules on arrivals": Scenario(_ruled, lambda store: rule_runs.run_arrived(store, Moment(NOW, {}))),
    "arrive": Scenario(_mail, _arrive),
    "arrive whole": Scenario(
        _mail,
        lambda store: pop3_identity.arrive(
            store, "work", [New(b"u6", 6, 9, header(6), raw=whole(6, LONG))], received=NOW, listed=[b"u6"]
        ),
        large=True,
    ),
    "compare": Scenario(_trashed, lambda store: _comparison(store).add(store, 0, _listing(store))),
    "mark missing": Scenario(_trashed, lambda store: _comparison(store).mark_missing(store, 10)),
    "settle": Scenario(_trashed, lambda store: pop3_identity.settle(store, "work")),
    "skip": Scenario(_mail, lambda store: pop3_identity.skip(store, "work", b"u9", 9, 10, None, "It is too large.")),
    "add_raw": Scenario(_mail, lambda store: download(store, 1, whole(1, LONG)), large=True),
    "add_raws": Scenario(
        _mail, lambda store: messages.add_raws(store, [(1, whole(1)), (2, whole(2, LONG)), (3, whole(3))]), large=True
    ),
    "add_local": Scenario(_mail, lambda store: add_local(store, "Sent", whole(9, LONG), received=NOW), large=True),
    "mark": Scenario(_mail, lambda store: mark(store, [1, 2, 3], StepKind.STAR)),
    "set_seen": Scenario(_mail, lambda store: changes.set_seen(store, [1])),
    "copy": Scenario(
        _trashed, lambda store: changes.copy(store, seen(store, [1, 2]), folder(store, "Archive").folder_id, NOW)
    ),
    "empty_trash": Scenario(_trashed, lambda store: changes.empty_trash(store, "work")),
    "make folder": Scenario(_mail, lambda store: folder_changes.make(store, "work", "Trips/2026", NOW)),
    "rename folder": Scenario(
        _own_folder, lambda store: folder_changes.rename(store, folder(store, "Trips").folder_id, "Journeys", NOW)
    ),
    "remove folder": Scenario(
        _own_folder, lambda store: folder_changes.remove(store, folder(store, "Trips").folder_id, NOW)
    ),
    "undo mark": Scenario(_marked, undo),
    "undo move": Scenario(_own_folder, undo),
    "undo remove folder": Scenario(_removed_folder, undo),
    "undo send": Scenario(_queued, undo),
    "move": Scenario(_trashed, lambda store: move(store, [1, 2, 3], "Archive")),
    "erase": Scenario(_trashed, lambda store: erase(store, [1, 2, 3])),
    "trash": Scenario(_mail, lambda store: trash(store, [1, 2, 3], NOW)),
    "undo delete": Scenario(_trashed, undo),
    "due": Scenario(_trashed, lambda store: pop3_identity.due(store, "work", NOW)),
    "make_due": Scenario(_trashed, lambda store: delete_queue.make_due(store, "work", NOW)),
    "set_state": Scenario(_trashed, lambda store: pop3_identity.set_state(store, [1, 2], "sent")),
    "expire": Scenario(_mail, lambda store: pop3_identity.expire(store, "work", "after-download", NOW)),
    "set_account_state": Scenario(
        _mail, lambda store: pop3_identity.set_account_state(store, "work", State(1, 2, b"u", NOW))
    ),
    "index_pending": Scenario(
        lambda store: session(store, [new(n) for n in range(1, 6)]),
        index_all,
    ),
    "save draft": Scenario(
        _draft, lambda store: drafts.save(store, Draft(id=1, version=1, account="work", body=LONG), NOW), large=True
    ),
    "attach": Scenario(
        _draft,
        lambda store: drafts.attach(store, drafts.load(store, 1), "b", "text/plain", LONG.encode(), now=NOW),
        large=True,
    ),
    "detach": Scenario(_draft, lambda store: drafts.detach(store, drafts.load(store, 1), 1, now=NOW)),
    "discard": Scenario(_draft, lambda store: drafts.discard(store, 1)),
    "queue": Scenario(
        _draft, lambda store: outbox.queue(store, "work", outgoing(9), draft_id=1, not_before=NOW, now=NOW)
    ),
    "queue again": Scenario(
        _failed, lambda store: outbox.queue(store, "work", outgoing(9), draft_id=1, not_before=NOW, now=NOW)
    ),
    "claim": Scenario(_queued, lambda store: claim(store, "work", NOW)),
    "sent": Scenario(_sending, lambda store: sent(store, 1, NOW)),
    "later": Scenario(_sending, lambda store: outbox.later(store, 1, "Not now.", NOW)),
    "failed": Scenario(_sending, lambda store: outbox.failed(store, 1, "No.", {"bob@example.com": "550"})),
    "unsure": Scenario(_sending, lambda store: outbox.unsure(store, 1, "The line died.")),
    "partial": Scenario(_sending, lambda store: outbox.partial(store, 1, ["bob@example.com"], {"x@y": "550"})),
    "recover": Scenario(_sending, lambda store: outbox.recover(store, "work")),
    "cancel": Scenario(_queued, lambda store: outbox.cancel(store, 1)),
    "retry all": Scenario(_queued, lambda store: outbox.retry_all(store, "work", NOW)),
    "retry": Scenario(_failed, lambda store: outbox.retry(store, 1, NOW)),
}
