"""Drafts, and messages on their way out: none lost, none sent twice in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from termmail.errors import ErrorCode, UserError
from termmail.mail.message import Draft
from termmail.store import contacts, drafts, messages, outbox
from termmail.store.rows import Wait
from tests.store.parts import NOW, claim, ids_in, new, outgoing, sent, session, whole

if TYPE_CHECKING:
    from termmail.store.store import Store

WRITTEN = Draft(
    account="work",
    to="Bob <bob@example.com>",
    cc="carol@example.com",
    bcc="eve@example.org",
    subject="The engine",
    body="Dear Bob,\n\n\ud83d\ude00 it weaves.\n".encode("utf-16", "surrogatepass").decode("utf-16"),
    in_reply_to="m1@example.org",
    references=("m0@example.org", "m1@example.org"),
    cursor="body",
)


def _queued(store: Store, **changes: object) -> tuple[int, int]:
    """A draft with a file, queued: (draft id, outbox id)."""
    draft = drafts.attach(store, WRITTEN, "a.txt", "text/plain", b"\x00words", now=NOW)
    return draft.id, outbox.queue(store, "work", outgoing(1), draft_id=draft.id, not_before=NOW + 10, now=NOW)


def _claimed(store: Store) -> tuple[int, int]:
    draft_id, id_ = _queued(store)
    assert claim(store, "work", NOW + 10).id == id_
    return draft_id, id_


# -- drafts


def test_a_draft_comes_back_as_it_was_saved(store):
    saved = drafts.save(store, WRITTEN, NOW)
    assert saved.id
    assert drafts.load(store, saved.id) == saved
    again = drafts.save(store, saved, NOW + 5)
    assert (again.id, again.updated, again.body) == (saved.id, NOW + 5, WRITTEN.body)
    with pytest.raises(KeyError):
        drafts.load(store, 10**9)


def test_files_are_copied_into_a_draft_and_taken_out_again(store):
    draft = drafts.save(store, WRITTEN, NOW)
    draft = drafts.attach(store, draft, "a.txt", "text/plain", b"\x00words")
    draft = drafts.attach(store, draft, "b.bin", "application/octet-stream", b"")
    assert [(one.name, one.size) for one in draft.attachments] == [("a.txt", 6), ("b.bin", 0)]
    before, draft = draft, drafts.save(store, draft, NOW)
    assert draft.attachments == before.attachments
    assert drafts.files(store, draft.id)[0] == ("a.txt", "text/plain", b"\x00words")
    draft = drafts.detach(store, draft, draft.attachments[0].id)
    assert [one.name for one in draft.attachments] == ["b.bin"]
    drafts.discard(store, draft.id)
    assert store.read("SELECT * FROM draft_file") == []
    again = drafts.attach(store, draft, "c", "text/plain", b"")
    assert (again.id != draft.id, again.body, [one.name for one in again.attachments]) == (True, WRITTEN.body, ["c"])


def test_drafts_are_listed_the_last_written_first(store):
    one = drafts.save(store, WRITTEN, NOW)
    other = drafts.save(store, Draft(account="work", subject="Other\x1b[2J", body="a\nb"), NOW + 1)
    drafts.save(store, Draft(account="home"), NOW)
    assert list(drafts.ids(store, "work")) == [other.id, one.id]
    rows = drafts.rows(store, [one.id, other.id, 10**9])
    assert [row.subject for row in rows] == ["The engine", "Other\ufffd[2J"]
    assert (rows[0].recipients, rows[1].snippet) == ("Bob <bob@example.com>", "a b")
    assert drafts.counts(store) == {"work": 2, "home": 1}
    assert len(drafts.ids(store)) == 3


def test_words_typed_into_a_draft_that_was_discarded_elsewhere_are_not_lost(store):
    draft = drafts.save(store, WRITTEN, NOW)
    drafts.discard(store, draft.id)
    again = drafts.save(store, draft, NOW)
    assert again.id != draft.id
    assert again.body == WRITTEN.body


def test_a_draft_that_was_changed_elsewhere_is_kept_beside_that(store):
    first = drafts.attach(store, WRITTEN, "a.txt", "text/plain", b"words")
    theirs = drafts.save(store, replace(first, body="theirs"), NOW)
    ours = drafts.save(store, replace(first, body="ours"), NOW)
    assert ours.id != theirs.id
    assert drafts.load(store, theirs.id).body == "theirs"
    assert drafts.files(store, ours.id) == drafts.files(store, theirs.id) == [("a.txt", "text/plain", b"words")]
    assert drafts.save(store, ours, NOW).id == ours.id


def test_a_lone_surrogate_from_a_terminal_does_not_stop_a_draft_from_being_saved(store):
    saved = drafts.save(store, Draft(account="work", body="x\udcffy\x00z"), NOW)
    assert saved.body == "x?y\x00z"


# -- the way out


def test_who_was_put_off_goes_out_when_somebody_asks_and_nobody_goes_out_before_its_time(store):
    waits = outbox.queue(store, "work", outgoing(1), draft_id=0, not_before=NOW + 10, now=NOW)
    put_off = outbox.queue(store, "work", outgoing(2), draft_id=0, not_before=NOW, now=NOW)
    claim(store, "work", NOW)
    outbox.later(store, put_off, "Busy.", NOW)
    assert claim(store, "work", NOW + 1) is None
    outbox.hurry(store, "work", NOW + 1)
    assert claim(store, "work", NOW + 1).id == put_off
    assert claim(store, "work", NOW + 1) is None
    assert outbox.get(store, waits).state == "queued"


def test_a_queued_draft_leaves_the_drafts_and_waits_in_the_outbox(store):
    draft_id, id_ = _queued(store)
    assert list(drafts.ids(store, "work")) == []
    drafts.discard(store, draft_id)
    assert drafts.load(store, draft_id).subject == "The engine", "it stays in the store until it is sent"
    assert list(outbox.ids(store, "work")) == [id_]
    row = outbox.get(store, id_)
    assert (row.state, row.recipients, row.draft_id, row.not_before) == (
        "queued",
        ("bob@example.com",),
        draft_id,
        NOW + 10,
    )
    (line,) = outbox.rows(store, [id_])
    assert (line.subject, line.state, line.words) == ("Engine part 1", "queued", "")
    assert outbox.counts(store) == {"work": 1}
    assert outbox.counts(store) == {"work": 1}
    with pytest.raises(KeyError):
        outbox.get(store, 10**9)


def test_a_wait_is_never_longer_than_it_was_asked_for_whatever_the_clock_says(store):
    id_ = outbox.queue(store, "work", outgoing(1), not_before=NOW + 10, now=NOW)
    for now, seconds in ((NOW, 10), (NOW + 4, 6), (NOW + 10, 0), (NOW + 99, 0), (NOW - 5000, 10)):
        assert outbox.waits(store, "work", now) == [Wait(id_, NOW + 10, seconds)]
    assert outbox.waits(store, "home", NOW) == []
    for attempt, asked in ((1, 60), (2, 120), (8, 3600), (80, 3600)):
        with store.transaction() as db:
            db.execute("UPDATE outbox SET attempts = ?, not_before = 0", (attempt - 1,))
        claim(store, "work", NOW)
        assert outbox.waits(store, "work", NOW) == [], "it is being sent"
        then = outbox.later(store, id_, "Busy.", NOW)
        assert outbox.waits(store, "work", NOW - 5000) == [Wait(id_, then, asked)]
        assert outbox.waits(store, "work", then - 1) == [Wait(id_, then, 1)]


def test_waits_are_told_in_the_order_in_which_they_end(store):
    ids = [outbox.queue(store, "work", outgoing(n), not_before=NOW + wait, now=NOW) for n, wait in ((1, 9), (2, 3))]
    assert [wait.outbox_id for wait in outbox.waits(store, "work", NOW)] == ids[::-1]
    assert list(outbox.ids(store)) == ids[::-1]
    assert list(outbox.ids(store, "home")) == []
    assert [row.outbox_id for row in outbox.rows(store, [ids[0], 10**9, ids[1]])] == ids


def test_every_message_that_waits_can_be_sent_now(store):
    ids = [outbox.queue(store, "work", outgoing(n), not_before=NOW + wait, now=NOW) for n, wait in ((1, 9), (2, 3))]
    assert outbox.retry_all(store, "home", NOW - 60) == []
    assert outbox.retry_all(store, "work", NOW - 60) == ids
    assert [wait.seconds for wait in outbox.waits(store, "work", NOW - 60)] == [0, 0]


def test_a_later_attempt_is_no_business_of_a_message_that_is_not_being_sent(store):
    _, id_ = _queued(store)
    assert outbox.later(store, id_, "Busy.", NOW) == NOW
    assert outbox.get(store, id_).not_before == NOW + 10


def test_what_was_taken_back_cannot_be_taken_back_again(store):
    _, id_ = _queued(store)
    outbox.cancel(store, id_)
    with pytest.raises(UserError, match="was taken back already") as told:
        outbox.cancel(store, id_)
    assert told.value.code is ErrorCode.CHANGED


def test_everyone_a_message_went_to_is_learned_once(store):
    everyone = ("bob@example.com", "Carol@example.com", "hidden@example.org")
    id_ = outbox.queue(store, "work", outgoing(1, *everyone), not_before=NOW, now=NOW)
    claim(store, "work", NOW)
    sent(store, id_, NOW + 3)
    assert store.read("SELECT email, written, last FROM contact ORDER BY email") == [
        ("bob@example.com", 1, 1_772_442_001),
        ("carol@example.com", 1, 1_772_442_001),
        ("hidden@example.org", 1, NOW + 3),
    ]
    assert outbox.get(store, id_).accepted == everyone


def test_the_line_of_a_draft_is_short_and_clean(store):
    body = "one\r\n  two \x1b[2J" + "x" * 300
    draft = drafts.save(store, Draft(account="work", to="a@b\x07", subject="s" * 2000, body=body), NOW)
    (line,) = drafts.rows(store, [draft.id, 10**9])
    assert line.snippet.startswith("one two ")
    assert (len(line.snippet), len(line.subject), line.size) == (160, 1000, len(body))
    assert (line.recipients.strip("\x07"), line.date, line.account, line.attachments) == (
        line.recipients,
        NOW,
        "work",
        0,
    )
    assert drafts.counts(store) == {"work": 1}


def test_nothing_is_claimed_before_its_time_or_twice(store):
    _, id_ = _queued(store)
    assert claim(store, "work", NOW + 9) is None
    assert claim(store, "home", NOW + 10) is None
    claimed = claim(store, "work", NOW + 10)
    assert (claimed.id, claimed.outgoing, claimed.attempts) == (id_, outgoing(1), 1)
    assert claim(store, "work", NOW + 10) is None
    assert outbox.get(store, id_).state == "sending"


def test_the_one_that_waited_longest_goes_first_unless_one_is_named(store):
    ids = [outbox.queue(store, "work", outgoing(n), not_before=NOW - n, now=NOW) for n in (1, 2, 3)]
    assert outbox.claim(store, "work", [ids[0]], "me").id == ids[0]
    assert outbox.claim(store, "work", [ids[0]], "me") is None
    assert claim(store, "work", NOW).id == ids[2]


def test_sent_does_all_of_it_at_once_and_only_once(store):
    session(store, [new(5), new(6)])
    other, answered = ids_in(store)
    draft = drafts.save(store, Draft(account="work", answers=answered, forwards=other), NOW)
    out = outgoing(1, "bob@example.com", "carol@example.com", "hidden@example.org")
    id_ = outbox.queue(store, "work", out, draft_id=draft.id, not_before=NOW, now=NOW)
    claim(store, "work", NOW)
    copy = sent(store, id_, NOW + 3)
    row = messages.row(store, copy)
    assert (row.folder, row.unread, row.downloaded, row.subject) == ("Sent", False, True, "Engine part 1")
    assert messages.raw(store, copy) == (whole(1), True)
    assert messages.row(store, answered).answered
    assert messages.row(store, other).forwarded
    assert store.read("SELECT * FROM draft") == []
    assert list(outbox.ids(store, "work")) == []
    assert outbox.get(store, id_).state == "sent"
    assert store.read("SELECT raw FROM outbox") == [(None,)]
    assert [one.email for one in contacts.complete(store, "hidden")] == ["hidden@example.org"]
    assert sent(store, id_, NOW + 3) == copy
    assert len(ids_in(store, "Sent")) == 1
    with pytest.raises(KeyError):
        sent(store, 10**9, NOW)


def test_not_now_waits_a_minute_then_twice_as_long_and_at_most_an_hour(store):
    _, id_ = _queued(store)
    waits, now = [], NOW + 10
    for _ in range(9):
        claim(store, "work", now)
        then = outbox.later(store, id_, "The server is busy.", now)
        assert claim(store, "work", then - 1) is None
        waits.append(then - now)
        now = then
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]
    (line,) = outbox.rows(store, [id_])
    assert (line.state, line.words) == ("queued", "The server is busy.")


def test_refused_gives_the_draft_back(store):
    draft_id, id_ = _claimed(store)
    outbox.failed(store, id_, "No such user.", {"bob@example.com": "550 no such user"})
    assert list(drafts.ids(store, "work")) == [draft_id]
    row = outbox.get(store, id_)
    assert (row.state, row.words, row.refused) == ("failed", "No such user.", {"bob@example.com": "550 no such user"})
    # Sent anew, the refused attempt is out of the way.
    again = outbox.queue(store, "work", outgoing(2), draft_id=draft_id, not_before=NOW, now=NOW)
    assert list(outbox.ids(store, "work")) == [again]


def test_a_refused_message_tried_again_takes_its_draft_along(store):
    draft_id, id_ = _claimed(store)
    outbox.failed(store, id_, "No.", {"bob@example.com": "550"})
    outbox.retry(store, id_, NOW)
    assert list(drafts.ids(store, "work")) == []
    assert outbox.get(store, id_).refused == {}
    claim(store, "work", NOW)
    sent(store, id_, NOW)
    with pytest.raises(KeyError):
        drafts.load(store, draft_id)


def test_words_written_since_a_refusal_survive_that_the_old_message_is_tried_again(store):
    draft_id, id_ = _claimed(store)
    outbox.failed(store, id_, "No.", {})
    drafts.save(store, drafts.load(store, draft_id), NOW)
    outbox.retry(store, id_, NOW)
    claim(store, "work", NOW)
    sent(store, id_, NOW)
    assert list(drafts.ids(store, "work")) == [draft_id]


def test_unsure_is_never_sent_again_in_silence(store):
    _, id_ = _claimed(store)
    outbox.unsure(store, id_, "The line died.")
    assert claim(store, "work", NOW + 10**6) is None
    with pytest.raises(UserError, match="may have arrived already"):
        outbox.retry(store, id_, NOW)
    assert claim(store, "work", NOW + 10**6) is None
    outbox.retry(store, id_, NOW, sure=True)
    assert claim(store, "work", NOW).attempts == 2


def test_unsure_may_be_taken_for_sent(store):
    draft_id, id_ = _claimed(store)
    outbox.unsure(store, id_, "The line died.")
    sent(store, id_, NOW)
    assert len(ids_in(store, "Sent")) == 1
    with pytest.raises(KeyError):
        drafts.load(store, draft_id)


def test_what_was_being_sent_when_the_program_died_is_unsure(store):
    _, id_ = _claimed(store)
    assert outbox.recover(store, "home") == []
    assert outbox.recover(store, "work") == [id_]
    assert outbox.recover(store, "work") == []
    assert outbox.get(store, id_).state == "unsure"
    assert outbox.get(store, id_).words


@pytest.mark.parametrize("state", ["queued", "failed", "unsure"])
def test_taking_back_brings_the_draft_back(store, state):
    draft_id, id_ = _queued(store)
    if state != "queued":
        claim(store, "work", NOW + 10)
        (outbox.unsure if state == "unsure" else lambda *a: outbox.failed(*a, {}))(store, id_, "No.")
    draft = outbox.cancel(store, id_)
    assert (draft.id, draft.attachments[0].name) == (draft_id, "a.txt")
    assert list(drafts.ids(store, "work")) == [draft_id]
    assert outbox.get(store, id_).state == "cancelled"
    assert list(outbox.ids(store, "work")) == []
    assert claim(store, "work", NOW + 10**6) is None
    with pytest.raises(UserError, match="was taken back already"):
        outbox.retry(store, id_, NOW, sure=True)


def test_what_is_on_the_wire_or_gone_cannot_be_taken_back(store):
    _, id_ = _claimed(store)
    for state, code in (("sending", ErrorCode.BUSY), ("sent", ErrorCode.CHANGED)):
        for verb in (outbox.cancel, lambda store, id_: outbox.retry(store, id_, NOW, sure=True)):
            with pytest.raises(UserError) as caught:
                verb(store, id_)
            assert caught.value.code is code
        assert outbox.get(store, id_).state == state
        sent(store, id_, NOW)
    with pytest.raises(KeyError):
        outbox.cancel(store, 10**9)


def test_a_message_without_a_draft_goes_and_is_taken_back_too(store):
    id_ = outbox.queue(store, "work", outgoing(1), not_before=NOW, now=NOW)
    assert outbox.cancel(store, id_) is None
    assert outbox.get(store, id_).state == "cancelled"


def test_another_attempt_leaves_out_who_has_it_and_who_was_refused_for_good(store):
    everyone = [f"{name}@x.org" for name in "abcd"]
    id_ = outbox.queue(store, "work", outgoing(1, *everyone), not_before=NOW, now=NOW)
    claim(store, "work", NOW)
    outbox.partial(store, id_, ["a@x.org"], {"c@x.org": "550 never"})
    outbox.later(store, id_, "Later.", NOW)
    assert claim(store, "work", NOW + 60).outgoing.recipients == ("b@x.org", "d@x.org")
    outbox.partial(store, id_, ["b@x.org", "d@x.org"], {})
    sent(store, id_, NOW)
    row = outbox.get(store, id_)
    assert (row.accepted, row.refused) == (("a@x.org", "b@x.org", "d@x.org"), {"c@x.org": "550 never"})


def test_a_person_may_have_the_refused_tried_again_but_not_those_who_have_it(store):
    id_ = outbox.queue(store, "work", outgoing(1, "a@x.org", "b@x.org"), not_before=NOW, now=NOW)
    claim(store, "work", NOW)
    outbox.partial(store, id_, ["a@x.org"], {"b@x.org": "550 never"})
    outbox.failed(store, id_, "No.", {})
    outbox.retry(store, id_, NOW)
    assert claim(store, "work", NOW).outgoing.recipients == ("b@x.org",)


@pytest.mark.parametrize("state", ["queued", "failed", "unsure", "sent", "cancelled"])
def test_an_answer_that_comes_too_late_changes_nothing(store, state):
    _, id_ = _claimed(store)
    with store.transaction() as db:
        db.execute("UPDATE outbox SET state = ?", (state,))
    outbox.later(store, id_, "late", NOW)
    outbox.unsure(store, id_, "late")
    assert (outbox.get(store, id_).state, outbox.get(store, id_).words) == (state, "")
