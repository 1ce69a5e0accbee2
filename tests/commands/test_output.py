"""What commands print and how they end, without a process around it."""

from __future__ import annotations

import json
import time
from argparse import Namespace

import pytest
from msgspec.structs import replace

from termmail.commands import exit_codes, output, send
from termmail.commands.exit_codes import CommandError, code_for
from termmail.errors import ErrorCode, UserError
from termmail.mail import parse
from termmail.mail.message import Address, Envelope
from termmail.mail.model import Count, DraftRow, MessageRow, OutgoingRow, Role, SendState

DATE = 1_772_442_000
MESSAGE = MessageRow(
    message_id=7,
    account="work",
    folder_id=1,
    folder="Inbox",
    role=Role.INBOX,
    sender="Ada",
    recipients="Bob",
    subject="Tea",
    snippet="Shall we?",
    thread=3,
    date=DATE,
    size=2000,
    unread=True,
    starred=False,
    answered=True,
    forwarded=False,
    attachments=1,
    downloaded=True,
    state="kept",
    uidl=b"u\x1b7",
    rfc_message_id="m7@x",
)
DRAFT = DraftRow(8, "work", "Carol", "Plan", "First,", DATE, 30, 2)
OUTGOING = OutgoingRow(
    9, "work", SendState.QUEUED, "Busy.", ("b@x", "c\x1b@x"), {}, 2, DATE, "Go", "m9@x", 8, date=DATE
)


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_each_kind_of_row_has_the_same_keys_in_json():
    envelope = Envelope(sender=(Address("Ada", "ada@x"),), to=(Address("", "bob@x"),))
    message = output.message_row_data(MESSAGE, envelope)
    assert message == {
        "id": 7, "account": "work", "folder": "Inbox", "uidl": message["uidl"], "message_id": "m7@x",
        "from": "Ada <ada@x>", "to": "bob@x", "subject": "Tea", "date": "2026-03-02T09:00:00Z", "size": 2000,
        "flags": ["unread", "answered"], "attachments": 1, "downloaded": True, "snippet": "Shall we?",
        "thread": 3,
    }  # fmt: skip
    assert "\x1b" not in message["uidl"]
    draft, outgoing = output.draft_row_data(DRAFT), output.outgoing_row_data(OUTGOING)
    assert list(draft) == list(outgoing) == list(message)
    nothing = {"uidl": "", "message_id": "", "from": "", "attachments": 0, "downloaded": True, "flags": [], "thread": 0}
    assert draft == nothing | {
        "id": 8, "account": "work", "folder": "Drafts", "to": "Carol", "subject": "Plan", "size": 30,
        "date": "2026-03-02T09:00:00Z", "flags": ["draft"], "attachments": 2, "snippet": "First,",
    }  # fmt: skip
    assert outgoing == nothing | {
        "id": 9, "account": "work", "folder": "Outbox", "to": output.recipients(OUTGOING), "subject": "Go", "size": 0,
        "date": "2026-03-02T09:00:00Z", "message_id": "m9@x", "snippet": "Busy.",
    }  # fmt: skip
    assert output.recipients(OUTGOING).startswith("b@x, c")
    assert "\x1b" not in output.recipients(OUTGOING)


def test_rows_are_lines_with_marks_date_person_and_subject(capsys):
    plain = replace(MESSAGE, unread=False, attachments=0, starred=True)
    sent = replace(MESSAGE, role=Role.SENT, subject="")
    output.print_row(MESSAGE, with_account=False)
    output.print_row(plain, with_account=True)
    output.print_row(sent, with_account=False)
    output.print_row(OUTGOING, with_account=False)
    output.print_row(DRAFT, with_account=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"     7 ● @ 2026-03-02 09:00  {'Ada':24}  Tea"
    assert lines[1] == f"     7 {'work':12}  ★  2026-03-02 09:00  {'Ada':24}  Tea"
    assert lines[2] == f"     7 ● @ 2026-03-02 09:00  {'To: Bob':24}  (no subject)"
    assert lines[3].startswith("     9     2026-03-02 09:00  To: b@x, c")
    assert lines[4] == f"     8     2026-03-02 09:00  {'To: Carol':24}  Plan"
    output.print_folder("", "Inbox", Count(12, 3))
    output.print_folder("work", "In\x1bbox", Count(12, 3))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "     12       3  Inbox"
    assert second.startswith(f"{'work':12}      12       3  In")
    assert "\x1b" not in second


def test_a_long_sender_is_cut_to_its_column(capsys):
    output.print_row(replace(MESSAGE, sender="x" * 60), with_account=False)
    assert capsys.readouterr().out.index("Tea") == 55


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (999_999, "1000.0 KB"), (1_000_000, "1.0 MB")],
)
def test_sizes_have_units(count, words):
    assert output.size(count) == words


def test_a_date_that_is_missing_is_empty():
    assert (output.local(None), output.iso(None)) == ("", None)
    assert output.local(DATE) == "2026-03-02 09:00"


def test_a_message_is_its_headers_notes_body_and_attachments(capsys):
    raw = (
        b"From: Ada <ada@x.org>\r\nTo: Bob <bob@x.org>\r\nCc: c@x.org\r\nReply-To: list@x.org\r\nSubject: Tea\r\n"
        b"Date: Mon, 2 Mar 2026 09:00:00 +0000\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nSee https://x.org\r\n"
        b"--b\r\nContent-Disposition: attachment; filename=a.exe\r\nContent-Type: application/x-msdownload\r\n\r\nMZ\r\n--b--"
    )
    message = parse.parse(raw)
    output.print_message(message)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:6] == [
        "From:     Ada <ada@x.org>",
        "To:       Bob <bob@x.org>",
        "Cc:       c@x.org",
        "Reply-To: list@x.org",
        "Date:     2026-03-02 09:00",
        "Subject:  Tea",
    ]
    assert "See https://x.org" in lines
    assert lines[-2] == ""
    assert lines[-1].startswith("Attachment: a.exe  application/x-msdownload, 2 bytes  ")
    data = output.message_data(5, message)
    assert (data["id"], data["from"], data["cc"], data["date"]) == (
        5,
        "Ada <ada@x.org>",
        "c@x.org",
        "2026-03-02T09:00:00Z",
    )
    assert data["attachments"] == [{"name": "a.exe", "type": "application/x-msdownload", "size": 2}]
    assert data["links"] == [{"text": "https://x.org", "url": "https://x.org"}]
    assert any(warning.startswith("a.exe: ") for warning in data["warnings"])
    assert ["Subject", "Tea"] in data["headers"]
    output.print_message(parse.parse(b"From: a@x.org\r\nReply-To: a@x.org\r\n\r\nHi"))
    assert capsys.readouterr().out.splitlines() == ["From:     a@x.org", "", "Hi"]


def test_json_is_one_line_and_words_go_to_stderr_clean(capsys):
    output.line({"a": "ü"})
    output.say("hi\x1b[2J")
    said = capsys.readouterr()
    assert said.out == '{"a": "ü"}\n'
    assert "\x1b" not in said.err
    assert said.err.startswith("hi")


def report(row: OutgoingRow, capsys, *, as_json: bool = False) -> tuple[int, str, str]:
    code = send._report(row, Namespace(json=as_json))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_how_a_message_stands_is_said_with_its_exit_code(capsys):
    waits = "It waits in the outbox. Busy. termmail sync sends it, and so does termmail while it is open.\n"
    assert report(OUTGOING, capsys) == (exit_codes.TRY_AGAIN, "9\n", waits)
    sent = replace(OUTGOING, state=SendState.SENT)
    assert report(sent, capsys) == (
        exit_codes.OK,
        "9\n",
        "Sent: the server has accepted it. Its number in the outbox: 9\n",
    )
    code, _, err = report(replace(sent, refused={"c@x": "550 no"}), capsys)
    assert (code, err) == (
        exit_codes.REFUSED,
        "Refused for c@x: 550 no\nEveryone else has it. Its number in the outbox: 9\n",
    )
    code, _, err = report(replace(OUTGOING, state=SendState.FAILED, words="No."), capsys)
    assert (code, err) == (exit_codes.REFUSED, "Not sent. No.\n")
    _, _, err = report(replace(OUTGOING, state=SendState.UNSURE), capsys)
    assert err == "It may have arrived. Busy. To send it again: termmail outbox retry --sure 9\n"
    _, out, _ = report(OUTGOING, capsys, as_json=True)
    assert json.loads(out) == {"id": 9, "state": "queued", "message_id": "m9@x", "words": "Busy.", "refused": {}}
    send._print_row(OUTGOING, as_json=True)
    send._print_row(replace(OUTGOING, recipients=("b@x",)), as_json=False)
    listed, line = capsys.readouterr().out.splitlines()
    assert list(json.loads(listed)) == ["id", "account", "state", "to", "subject", "attempts", "words", "message_id"]
    assert json.loads(listed)["attempts"] == 2
    assert line == "     9  queued    b@x  Go  Busy."


@pytest.mark.parametrize(
    ("raw", "dot_ends", "kept"),
    [
        (b"a\n.\nb\n", True, b"a\n"),
        (b"a\r\n.\r\nb", True, b"a\r\n"),
        (b"a\n.\nb\n", False, b"a\n.\nb\n"),
        (b"a\n..\n.b\n", True, b"a\n..\n.b\n"),
        (b"a\n.", True, b"a\n"),
    ],
)
def test_a_lone_dot_ends_what_sendmail_reads_unless_it_is_ignored(raw, dot_ends, kept):
    assert send._until_dot(raw, dot_ends=dot_ends) == kept


def test_every_kind_of_failure_has_an_exit_code():
    expected = {
        ErrorCode.OFFLINE: 75, ErrorCode.BUSY: 75, ErrorCode.TLS: 69, ErrorCode.LOGIN: 77, ErrorCode.REFUSED: 69,
        ErrorCode.PROTOCOL: 69, ErrorCode.GONE: 65, ErrorCode.CHANGED: 65, ErrorCode.STORE: 74,
        ErrorCode.DISK_FULL: 74, ErrorCode.READ_ONLY: 74, ErrorCode.CONFIG: 78, ErrorCode.CANNOT_CREATE: 73,
        ErrorCode.DATA: 65, ErrorCode.PROGRAM: 73,
    }  # fmt: skip
    assert {code: code_for(UserError("x", code=code)) for code in ErrorCode} == expected
    assert code_for(CommandError("x", 64)) == 64
    assert CommandError("x").exit_code == 65
    assert code_for(ValueError("a bug")) is None
