"""Lists, flags, folders and bytes."""

from __future__ import annotations

from array import array

import pytest

from termmail.mail import parse
from termmail.mail.message import Address, Envelope
from termmail.mail.model import Order
from termmail.store import contacts, derived, messages, placements, pop3_identity
from termmail.store.rows import New, State
from tests.store.parts import (
    NOW,
    add_local,
    download,
    erase,
    folder,
    header,
    ids_in,
    known,
    mark,
    move,
    new,
    session,
    trash,
    whole,
)


def test_ids_are_newest_first_and_as_many_as_asked(store):
    session(store, [new(n) for n in (3, 1, 2)])
    ids = ids_in(store)
    assert isinstance(ids, array)
    assert [row.subject for row in messages.rows(store, ids)] == ["Engine part 3", "Engine part 2", "Engine part 1"]
    assert ids_in(store, limit=2) == ids[:2]
    assert list(ids_in(store, "Sent")) == []


def test_lists_are_sorted_as_asked(store):
    added = [
        add_local(store, name, header(n, subject, sender) + b"\r\n" + b"x" * size)
        for n, name, subject, sender, size in (
            (1, "Inbox", "beta", "Zoe <z@x.org>", 30),
            (2, "Archive", "Alpha", "adam <a@x.org>", 9000),
            (3, "Inbox", "beta", "Bea <b@x.org>", 600),
        )
    ]
    one, two, three = added
    folder_ids = [folder(store, name).folder_id for name in ("Inbox", "Archive")]
    for order, expected in (
        (Order.NEWEST, [three, two, one]),
        (Order.OLDEST, [one, two, three]),
        (Order.SENDER, [two, three, one]),
        (Order.SUBJECT, [two, three, one]),
        (Order.SIZE, [two, three, one]),
    ):
        assert list(messages.ids(store, folder_ids, order=order)) == expected
        assert list(messages.ids(store, folder_ids, 2, order=order)) == expected[:2]
        assert list(messages.ids(store, folder_ids[:1], order=order)) == [
            one_id for one_id in expected if one_id != two
        ]
        assert list(messages.ids(store, [], order=order)) == []
    assert list(messages.all_ids(store)) == added


def test_a_message_in_several_folders_is_shown_in_one_that_is_asked_for_or_not_thrown_away(store):
    message_id = add_local(store, "Inbox", whole(1))
    places = {name: folder(store, name).folder_id for name in ("Inbox", "Trash", "Spam", "Archive")}
    with store.transaction() as db:
        db.execute("DELETE FROM placement")
        for name in ("Spam", "Trash", "Archive"):
            placements.place(db, [message_id], places[name])
    assert messages.row(store, message_id).folder == "Archive"
    for name in ("Spam", "Trash"):
        assert [row.folder for row in messages.rows(store, [message_id], [places[name]])] == [name]


def test_messages_are_found_by_their_message_id_oldest_first(store):
    ids = [add_local(store, "Inbox", whole(n)) for n in (1, 2, 1)]
    assert messages.find(store, "work", ["m1@example.org", "none@x"]) == {"m1@example.org": [ids[0], ids[2]]}
    assert messages.find(store, "home", ["m1@example.org"]) == {}


def test_rows_keep_the_order_asked_for_and_leave_out_what_is_gone(store):
    session(store, [new(n) for n in range(1, 301)])
    ids = list(ids_in(store))
    asked = [*ids[::-1], 10**9]
    assert [row.message_id for row in messages.rows(store, asked)] == ids[::-1]
    assert messages.row(store, 10**9) is None


def test_a_row_tells_all_that_a_list_shows(store):
    session(store, [new(1)])
    (row,) = messages.rows(store, ids_in(store))
    assert (row.account, row.folder, row.sender, row.recipients) == (
        "work",
        "Inbox",
        "Ada Lovelace",
        "Bob, carol@example.com",
    )
    assert (row.subject, row.snippet, row.date, row.size) == ("Engine part 1", "", 1_772_442_001, 1000)
    assert (row.unread, row.starred, row.answered, row.forwarded, row.downloaded) == (True, False, False, False, False)
    assert (row.state, row.uidl, row.rfc_message_id, row.note) == ("kept", b"u1", "m1@example.org", "")


@pytest.mark.parametrize(
    "raw",
    [
        whole(1),
        whole(1, "bare\nlines\rand \x00 NUL\r\n.\r\n..\r\n"),
        header(1) + b"\r\n" + bytes(range(256)) * 50,
        header(1) + b"\r\nno line end",
        header(1),
    ],
)
def test_bytes_come_back_as_they_came(store, raw):
    session(store, [new(1)])
    (id_,) = ids_in(store)
    assert messages.raw(store, id_) == (header(1), False)
    download(store, id_, raw)
    assert messages.raw(store, id_) == (raw, True)
    row = messages.row(store, id_)
    assert (row.downloaded, row.size) == (True, len(raw))
    with pytest.raises(KeyError):
        messages.raw(store, 10**9)


def test_the_body_brings_the_first_words_and_the_number_of_attachments(store):
    raw = header(1) + (
        b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
        b"The engine weaves.\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\n\r\nx\r\n--b\r\nContent-Type: image/png\r\n"
        b"Content-Disposition: attachment; filename=b.png\r\n\r\nx\r\n--b--\r\n"
    )
    pop3_identity.arrive(store, "work", [New(b"u1", 1, 10, parse.split_header(raw))], received=NOW, listed=[])
    (id_,) = ids_in(store)
    assert messages.row(store, id_).attachments == 1, "a guess while only the header is here"
    download(store, id_, raw)
    row = messages.row(store, id_)
    assert (row.snippet, row.attachments) == ("The engine weaves.", 2)


def test_many_bodies_are_kept_in_one_go(store):
    session(store, [new(1), new(2)])
    ids = ids_in(store)
    messages.add_raws(store, [(ids[0], whole(2)), (ids[1], whole(1)), (10**9, b"nobody's")])
    assert [messages.raw(store, id_) for id_ in ids] == [(whole(2), True), (whole(1), True)]


def test_a_body_that_comes_after_its_message_was_erased_is_dropped(store):
    session(store, [new(1)])
    (id_,) = ids_in(store)
    erase(store, [id_])
    download(store, id_, whole(1))
    assert messages.row(store, id_) is None
    assert store.read("SELECT * FROM raw") == []


def test_a_message_that_came_whole_is_stored_whole(store):
    arrived = pop3_identity.arrive(
        store, "work", [New(b"u1", 1, 900, header(1), raw=whole(1))], received=NOW, listed=[b"u1"]
    )
    assert messages.raw(store, arrived.ids[0]) == (whole(1), True)
    assert messages.row(store, arrived.ids[0]).snippet == "The engine weaves."
    # And a header that is known already gets its body this way too.
    session(store, [new(1), new(2)])
    pop3_identity.arrive(
        store, "work", [New(b"u2", 2, 1000, header(2), raw=whole(2))], received=NOW, listed=[b"u1", b"u2"]
    )
    assert {row.downloaded for row in messages.rows(store, ids_in(store))} == {True}


def test_ten_thousand_at_once(store):
    pop3_identity.arrive(store, "work", [new(n) for n in range(1, 10_001)], received=NOW, listed=[])
    ids = ids_in(store)
    assert len(mark(store, ids).message_ids) == 10_000
    assert len(move(store, ids, "Archive").message_ids) == 10_000
    assert len(trash(store, ids, NOW).message_ids) == 10_000
    erase(store, ids)
    assert len(pop3_identity.due(store, "work", NOW)) == 10_000


def test_an_id_is_never_given_out_twice(store):
    session(store, [new(1)])
    (first,) = ids_in(store)
    erase(store, [first])
    session(store, [new(1), new(2)])
    assert ids_in(store)[0] > first


def test_a_message_of_no_server_is_only_here(store):
    id_ = add_local(store, "Archive", whole(1), received=NOW, unread=True)
    row = messages.row(store, id_)
    assert (row.folder, row.state, row.uidl, row.unread, row.downloaded) == ("Archive", None, b"", True, True)
    assert row.snippet == "The engine weaves."
    assert messages.find(store, "work", ["m1@example.org", "no@x"]) == {"m1@example.org": [id_]}
    assert messages.find(store, "home", ["m1@example.org"]) == {}
    erase(store, [id_])
    assert known(store, "work") == []


def test_a_header_that_names_thousands_stays_small_in_the_list(store):
    many = ", ".join(f"Person {n} <p{n}@example.org>" for n in range(5000)).encode()
    block = b"From: a@example.org\r\nTo: " + many + b"\r\nSubject: " + b"long " * 5000 + b"\r\n"
    pop3_identity.arrive(store, "work", [New(b"u", 1, 10, block)], received=NOW, listed=[])
    (row,) = messages.rows(store, ids_in(store))
    assert len(row.recipients) < 1000
    assert len(row.subject) <= 1000


def test_the_state_of_an_account_is_kept(store):
    assert pop3_identity.account_state(store, "work") == State()
    left = State(7, 12345, b"\x00\xff", NOW)
    pop3_identity.set_account_state(store, "work", left)
    pop3_identity.set_account_state(store, "home", State())
    assert pop3_identity.account_state(store, "work") == left


# -- contacts


def test_people_are_completed_by_address_and_by_each_word_of_their_name(store):
    session(store, [new(1)])
    add_local(store, "Sent", whole(2), received=NOW)
    for prefix in ("ada", "ADA@ex", "love", "Ada L"):
        assert [one.email for one in contacts.complete(store, prefix)] == ["ada@example.org"]
    assert [one.email for one in contacts.complete(store, "bo")] == ["bob@example.com"]
    assert contacts.complete(store, "velace") == contacts.complete(store, " ") == []


def test_whom_one_writes_to_most_comes_first(store):
    for _ in range(2):
        add_local(store, "Sent", whole(2), received=NOW)
    for name in ("Bobby <bobby@x.org>", "Bobo <bobo@x.org>", "Bobo <bobo@x.org>"):
        block = b"From: " + name.encode() + b"\r\n\r\n"
        add_local(store, "Inbox", block, received=NOW)
    assert [one.email for one in contacts.complete(store, "bob")] == ["bob@example.com", "bobo@x.org", "bobby@x.org"]
    assert len(contacts.complete(store, "bob", 1)) == 1


def test_who_was_seen_last_comes_first_among_equals(store):
    for n, sender in ((5, "Bo <bo1@x.org>"), (9, "Bo <bo2@x.org>"), (7, "Bo <bo3@x.org>")):
        add_local(store, "Inbox", header(n, sender=sender) + b"\r\n")
    assert [one.email for one in contacts.complete(store, "bo")][:3] == ["bo2@x.org", "bo3@x.org", "bo1@x.org"]


def test_one_message_counts_a_person_once_and_a_mass_mailing_only_its_first(store):
    people = [Address("", f"p{n}@x.org") for n in range(60)]
    tally = contacts.Tally()
    tally.message([people[0], *people, Address("", "nobody")], 5, written=True)
    tally.message(people[:1], 9, written=False)
    tally.message(people[:1], 7, written=False)
    with store.transaction() as db:
        tally.save(db)
        tally.save(db)  # what was saved is not counted again
    found = store.read("SELECT email, written, received, last FROM contact ORDER BY last DESC, email")
    assert found[0] == ("p0@x.org", 1, 2, 9)
    assert len(found) == 49, "the first fifty, of whom one came twice"
    assert len(contacts.complete(store, "p")) == 8


def test_among_very_many_who_begin_alike_the_one_written_to_most_is_found(store):
    people = contacts.Tally()
    for n in range(1000):
        people.message([Address("", f"p{n:04}@x.org")], 5, written=n == 999)
    with store.transaction() as db:
        people.save(db)
        assert [one.email for one in contacts.complete(store, "p", 1)] == ["p0999@x.org"]
        people.message([Address("", "pz@x.org")] * 2, 5, written=True)
        people.message([Address("", "pz@x.org")], 5, written=True)
        people.save(db)
    assert [one.email for one in contacts.complete(store, "p", 2)] == ["pz@x.org", "p0999@x.org"]


def test_a_date_may_be_a_day_ahead_of_its_arrival_and_no_more():
    for ahead, kept in ((86_399, True), (86_400, True), (86_401, False)):
        envelope = Envelope(date=NOW + ahead)
        assert derived.sort_date(envelope, NOW) == (NOW + ahead if kept else NOW)
    assert derived.sort_date(Envelope(), NOW) == NOW


def test_the_name_is_that_of_the_newest_message_whatever_comes_first(store):
    named = [(1, "Old <x@example.org>"), (3, "x@example.org"), (2, "New <x@example.org>")]
    for order in (named, named[::-1]):
        with store.transaction() as db:
            db.execute("DELETE FROM contact")
        for n, sender in order:
            add_local(store, "Inbox", header(n, sender=sender) + b"\r\n", received=NOW)
        assert [one.name for one in contacts.complete(store, "x@")] == ["New"]
