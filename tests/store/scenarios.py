"""Every write the store offers, each as what must be there before and the one call, for the tests that break them off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from termmail.mail import parse
from termmail.mail.message import Draft
from termmail.store import delete_queue, drafts, messages, outbox, pop3_identity, search
from termmail.store.rows import New, State
from tests.store.parts import NOW, download, header, new, outgoing, reconcile, session, whole

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
    ids = messages.ids(store, "work", "Inbox")
    download(store, ids[0], whole(5))
    download(store, ids[1], whole(4))
    search.index_pending(store, seconds=60)


def _draft(store: Store) -> None:
    _mail(store)
    draft = drafts.save(store, Draft(account="work", to="bob@example.com", body="Dear Bob", answers=1), NOW)
    drafts.attach(store, draft, "a.txt", "text/plain", b"words" * 2000)


def _queued(store: Store) -> None:
    _draft(store)
    outbox.queue(store, "work", outgoing(9), draft_id=1, not_before=NOW, now=NOW)


def _sending(store: Store) -> None:
    _queued(store)
    outbox.claim(store, "work", NOW, "me")


def _failed(store: Store) -> None:
    _sending(store)
    outbox.failed(store, 1, "No.", {"bob@example.com": "550"})


def _trashed(store: Store) -> None:
    _mail(store)
    pop3_identity.trash(store, [1, 2], NOW)


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


SCENARIOS = {
    "arrive": Scenario(_mail, _arrive),
    "arrive whole": Scenario(
        _mail,
        lambda store: pop3_identity.arrive(
            store, "work", [New(b"u6", 6, 9, header(6), raw=whole(6, LONG))], received=NOW, listed=[b"u6"]
        ),
        large=True,
    ),
    "reconcile": Scenario(_trashed, lambda store: reconcile(store, _listing(store))),
    "settle": Scenario(_trashed, lambda store: pop3_identity.settle(store, "work")),
    "skip": Scenario(_mail, lambda store: pop3_identity.skip(store, "work", b"u9", 9, 10, None, "It is too large.")),
    "add_raw": Scenario(
        _mail, lambda store: messages.add_raw(store, 1, whole(1, LONG), parse.parse(whole(1, LONG))), large=True
    ),
    "add_raws": Scenario(
        _mail, lambda store: messages.add_raws(store, [(1, whole(1)), (2, whole(2, LONG)), (3, whole(3))]), large=True
    ),
    "add_local": Scenario(
        _mail, lambda store: messages.add_local(store, "work", "Sent", whole(9, LONG), received=NOW), large=True
    ),
    "set_flags": Scenario(_mail, lambda store: messages.set_flags(store, [1, 2, 3], unread=False, starred=True)),
    "move": Scenario(_trashed, lambda store: messages.move(store, [1, 2, 3], "Archive")),
    "erase": Scenario(_trashed, lambda store: messages.erase(store, [1, 2, 3])),
    "trash": Scenario(_mail, lambda store: pop3_identity.trash(store, [1, 2, 3], NOW)),
    "restore": Scenario(
        _trashed, lambda store: pop3_identity.restore(store, {1: ("Inbox", "kept"), 2: ("Inbox", "kept")})
    ),
    "due": Scenario(_trashed, lambda store: pop3_identity.due(store, "work", NOW)),
    "make_due": Scenario(_trashed, lambda store: delete_queue.make_due(store, "work", NOW)),
    "set_state": Scenario(_trashed, lambda store: pop3_identity.set_state(store, [1, 2], "sent")),
    "expire": Scenario(_mail, lambda store: pop3_identity.expire(store, "work", "after-download", NOW)),
    "set_account_state": Scenario(
        _mail, lambda store: pop3_identity.set_account_state(store, "work", State(1, 2, b"u", NOW))
    ),
    "index_pending": Scenario(
        lambda store: session(store, [new(n) for n in range(1, 6)]),
        lambda store: search.index_pending(store, seconds=60),
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
    "claim": Scenario(_queued, lambda store: outbox.claim(store, "work", NOW, "me")),
    "sent": Scenario(_sending, lambda store: outbox.sent(store, 1, NOW)),
    "later": Scenario(_sending, lambda store: outbox.later(store, 1, "Not now.", NOW)),
    "failed": Scenario(_sending, lambda store: outbox.failed(store, 1, "No.", {"bob@example.com": "550"})),
    "unsure": Scenario(_sending, lambda store: outbox.unsure(store, 1, "The line died.")),
    "partial": Scenario(_sending, lambda store: outbox.partial(store, 1, ["bob@example.com"], {"x@y": "550"})),
    "recover": Scenario(_sending, lambda store: outbox.recover(store, "work")),
    "cancel": Scenario(_queued, lambda store: outbox.cancel(store, 1)),
    "retry": Scenario(_failed, lambda store: outbox.retry(store, 1, NOW)),
}
