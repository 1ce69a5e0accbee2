"""Drafts as messages in the Drafts folder of a server, and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from termmail.mail.draft_message import build, read
from termmail.mail.message import Draft, Identity
from termmail.mail.sanitize import clean_lines, clean_words
from tests.mail.nasty import NASTY
from tests.mail.test_outgoing import assert_fit_for_the_wire
from tests.timing import assert_grows_less

ADA = Identity("Ada Lovelace", "ada@example.org")
NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)
LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def stored(draft: Draft, *files: tuple[str, str, bytes]) -> bytes:
    raw = build(draft, ADA, files, message_id="d@example.org", now=NOW)
    assert_fit_for_the_wire(raw)
    return raw


@settings(deadline=None)
@given(LINES, LINES, LINES)
def test_a_draft_comes_back_as_the_screen_would_show_it(subject: str, body: str, to: str) -> None:
    back, files, is_lossy = read(stored(Draft(subject=subject, body=body, to=to)))
    shown = clean_lines(body.replace("\r\n", "\n").replace("\r", "\n"))
    assert back.body.rstrip("\n") == (shown.rstrip("\n") if shown.strip() else "")
    assert back.subject == " ".join(clean_words(subject).split())
    assert (files, is_lossy) == ([], False)


@pytest.mark.parametrize(
    ("typed", "back"),
    [
        ("ada@example.org", "ada@example.org"),
        ('"Last, First" <a@b.org>, Jürgen Ä <j@example.org>', '"Last, First" <a@b.org>, Jürgen Ä <j@example.org>'),
        ("bob, foo@", "bob, foo@"),
        ("Jürgen", "Jürgen"),
        ("a@b.org,", "a@b.org"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("x\r\nBcc: evil@example.org", "evil@example.org"),
        ("", ""),
    ],
)
def test_people_come_back_also_half_typed(typed: str, back: str) -> None:
    draft = Draft(to=typed, cc=typed, bcc=typed)
    read_back, _, _ = read(stored(draft))
    assert (read_back.to, read_back.cc, read_back.bcc) == (back, back, back)


def test_references_and_files_come_back() -> None:
    draft = Draft(body="x", in_reply_to="a@b", references=("c@d", "a@b"))
    files = [
        ("Zürich.pdf", "application/pdf", b"%PDF\x00\xff"),
        ("mail.eml", "message/rfc822", b"Subject: x\r\n\r\ny\r\n"),
    ]
    back, found, is_lossy = read(stored(draft, *files))
    assert (back.in_reply_to, back.references, back.body) == ("a@b", ("c@d", "a@b"), "x")
    assert (found, is_lossy) == (files, False)


def test_html_and_pictures_are_more_than_a_draft_holds() -> None:
    raw = b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<p>Dear <b>Bob</b></p>"
    back, files, is_lossy = read(raw)
    assert (back.body.strip(), files, is_lossy) == ("Dear Bob", [], True)


@pytest.mark.parametrize("raw", NASTY.values(), ids=NASTY)
def test_any_message_is_read_as_a_draft_that_can_be_stored_again(raw: bytes) -> None:
    draft, files, _ = read(raw)
    again, _, _ = read(stored(replace(draft, account="ada"), *files))
    assert again.subject == draft.subject


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: multipart/encrypted; protocol=x; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx\r\n",
        b"Content-Type: text/enriched\r\n\r\n<bold>x</bold>\r\n",
        b"Subject: " + b"x" * 3000 + b"\r\n\r\nx\r\n",
        b"To: " + b",\r\n ".join(b"u%d@example.org" % number for number in range(6000)) + b"\r\n\r\nx\r\n",
        b"Reply-To: eve@example.org\r\n\r\nx\r\n",
        b"Subject: x\r\n\r\n" + b"word " * 400_000,
    ],
    ids=["encrypted", "smime", "enriched", "subject", "people", "reply-to", "text"],
)
def test_what_a_draft_cannot_hold_is_told(raw: bytes) -> None:
    _, _, is_lossy = read(b"MIME-Version: 1.0\r\n" + raw)
    assert is_lossy


def test_several_address_fields_are_one_list() -> None:
    draft, _, _ = read(b"To: bob, foo@\r\nTo: Eve\r\n\r\nx")
    assert draft.to == "bob, foo@, Eve"


def test_a_draft_of_many_files_is_read_once() -> None:
    """Not the whole message again for each file."""
    part = b"--b\r\nContent-Type: text/csv\r\nContent-Disposition: attachment; filename=n.csv\r\n\r\n1\r\n"
    raw = b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 3000 + b"--b--\r\n"
    few = raw[: raw.index(part)] + part * 300 + b"--b--\r\n"
    assert [len(read(one)[1]) for one in (few, raw)] == [300, 3000]
    assert_grows_less(lambda: read(few), lambda: read(raw), 40)
