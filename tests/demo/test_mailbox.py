"""The mailbox of the demo is the same each time, looks like a real one, and names nobody who exists."""

import base64
import re
import struct
import zlib
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime

import pytest

from termmail.demo.sample_mailbox import messages

NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def mailbox():
    return messages(NOW)


def find(mailbox, subject):
    [found] = [message_from_bytes(raw) for raw in mailbox if f"Subject: {subject}\r\n".encode() in raw]
    return found


def test_the_same_moment_gives_the_same_bytes_and_dates_follow_the_moment(mailbox):
    assert messages(NOW) == mailbox
    later = messages(NOW + timedelta(days=400))
    assert len(later) == len(mailbox)
    newest = parsedate_to_datetime(message_from_bytes(later[-1])["Date"])
    assert NOW + timedelta(days=399) < newest <= NOW + timedelta(days=400)


def test_about_sixty_messages_oldest_first_with_the_welcome_last(mailbox):
    assert 55 <= len(mailbox) <= 65
    dates = [parsedate_to_datetime(message_from_bytes(raw)["Date"]) for raw in mailbox]
    assert dates == sorted(dates)
    assert NOW - timedelta(days=60) < dates[0] < dates[-1] <= NOW
    assert message_from_bytes(mailbox[-1])["Subject"] == "Welcome to termmail"


def test_the_welcome_teaches_ten_keys(mailbox):
    text = find(mailbox, "Welcome to termmail").get_payload()
    taught = re.findall(r"(?m)^ {4}(\S+)(?:  \S+)? +", text)
    assert "\r\n-- \r\ntermmail\r\n" in text
    assert taught == ["j", "Enter", "Esc", "c", "r", "d", "z", "e", "g", "?"]


def test_every_line_ends_with_crlf(mailbox):
    for raw in mailbox:
        assert raw.endswith(b"\r\n")
        assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")


def test_only_names_reserved_for_examples(mailbox):
    for raw in mailbox:
        domains = re.findall(rb"[\w.-]+@([\w.-]+\.\w+)|https?://([\w.-]+\.\w+)", raw[:100_000].replace(b"=\r\n", b""))
        for one in {(a or b).lower() for a, b in domains}:
            assert re.search(rb"(^|\.)example\.(org|net)$", one) or one == b"www.w3.org", one


def test_threads_hold_together(mailbox):
    read = [message_from_bytes(raw) for raw in mailbox]
    known = {message["Message-ID"] for message in read}
    answers = [message["In-Reply-To"] for message in read if message["In-Reply-To"]]
    assert len(answers) > 15
    assert sum(answer in known for answer in answers) > 15


def test_files_are_real(mailbox):
    costs = find(mailbox, "Costs of the workshop, the whole year").get_payload()[1]
    rows = costs.get_payload(decode=True).decode().split("\r\n" if b"\r\n" in costs.get_payload(decode=True) else "\n")
    assert rows[0] == "month,item,pieces,pounds"
    assert len(rows) > 80
    invoice = find(mailbox, "Invoice 2291 for screws, one standard thread").get_payload()[1].get_payload(decode=True)
    assert invoice.startswith(b"%PDF-1.4")
    table = int(re.search(rb"startxref\n(\d+)", invoice)[1])
    assert invoice[table : table + 4] == b"xref"
    first = int(re.search(rb"(?m)^(\d{10}) 00000 n", invoice)[1])
    assert invoice[first:].startswith(b"1 0 obj")
    for subject in ("Re: The anticipating carriage (now with one lever)", "Scan of the big drawing (5 MB)"):
        picture = find(mailbox, subject).get_payload()[1].get_payload(decode=True)
        check_png(picture)


def check_png(picture):
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    at, data, size = 8, b"", None
    while at < len(picture):
        length, kind = struct.unpack(">I4s", picture[at : at + 8])
        chunk = picture[at + 8 : at + 8 + length]
        assert struct.unpack(">I", picture[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + chunk)
        if kind == b"IHDR":
            size = struct.unpack(">II", chunk[:8])
        data += chunk if kind == b"IDAT" else b""
        at += 12 + length
    assert len(zlib.decompress(data)) == size[1] * (1 + 3 * size[0])


def test_one_message_is_5_mb(mailbox):
    assert [len(raw) // 1_000_000 for raw in mailbox if len(raw) > 100_000] == [5]


def test_the_traps_are_set(mailbox):
    everything = b"".join(mailbox)
    for trap in (b"\x1b]0;owned\x07", b"&#27;[42m", b"[@click=app.quit]", b"photo%E2%80%AEgpj.exe", b"../../.bashrc"):
        assert trap in everything
    assert base64.b64decode("G1syShtdNTI7YztZM1Z5YkE9PQdjbGVhciBtZQ==").startswith(b"\x1b[2J")
    phishing = find(mailbox, "Urgent: your account will be closed TODAY")
    page = phishing.get_payload()[0].get_payload(decode=True)
    assert b'href="http://bank.example.org.verify.example.net/login' in page
    assert b">https://bank.example.org/login</a>" in page


def test_newsletters_count_who_opens_them(mailbox):
    page = find(mailbox, "Patterns of the week: roses, sines and a very long scarf")
    html = page.get_payload(decode=True)
    assert b'width="1" height="1"' in html
    assert b"display:none" in html
    assert html.count(b"<table") >= 4


def test_flowed_paragraphs_end_their_lines_with_a_space(mailbox):
    note = find(mailbox, "Note G")
    assert note.get_param("format") == "flowed"
    lines = note.get_payload().split("\r\n")
    assert lines[2].endswith("25 ")
    assert not lines[5].endswith(" ")


def test_charsets_of_old_programs_read_back(mailbox):
    for charset, word in (("iso-2022-jp", "歯車"), ("gb18030", "函数"), ("koi8-r", "Дорогая")):
        [found] = [message_from_bytes(raw) for raw in mailbox if f"charset={charset}".encode() in raw]
        assert word in found.get_payload(decode=True).decode(charset)
