"""One response after the other: what servers really send, and what nobody should."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.fetch_parser import parse_flag_row
from termmail.net.imap.framing import Framing, Missing
from termmail.net.imap.response_parser import parse, read_append_uid, read_copy_uid, read_number
from termmail.net.imap.tokens import Unparsable
from termmail.net.imap.uid_set import UidSet
from termmail.net.imap.untagged import (
    AppendUid,
    Capabilities,
    Condition,
    Continuation,
    CopyUid,
    Enabled,
    Exists,
    Expunge,
    Fetch,
    FolderFlags,
    FolderStatus,
    Identity,
    ListRow,
    Namespace,
    Other,
    Search,
    Status,
    Vanished,
)


def parsed(data: bytes):
    framing = Framing()
    framing.receive(data + b"\r\n")
    frame = framing.next_frame()
    assert frame is not None
    assert framing.next_frame() is None
    return parse(frame)


@pytest.mark.parametrize(
    ("line", "response"),
    [
        (b"* OK ready", Status(Condition.OK, text=b"ready")),
        (b"* ok [UIDNEXT 5]", Status(Condition.OK, code="UIDNEXT", argument=b"5")),
        (b"* OK", Status(Condition.OK)),
        (b"* NO [ALERT] [sic] full", Status(Condition.NO, code="ALERT", text=b"[sic] full")),
        (b"* BYE [UNAVAILABLE] later", Status(Condition.BYE, code="UNAVAILABLE", text=b"later")),
        (b"* PREAUTH hello", Status(Condition.PREAUTH, text=b"hello")),
        (
            rb"* OK [PERMANENTFLAGS (\Seen a]b \*)] Flags",
            Status(Condition.OK, code="PERMANENTFLAGS", argument=rb"(\Seen a]b \*)", text=b"Flags"),
        ),
        (b"A12 OK done", Status(Condition.OK, b"A12", text=b"done")),
        (b"A12 NO [TRYCREATE]", Status(Condition.NO, b"A12", "TRYCREATE")),
        (b"A12 BAD", Status(Condition.BAD, b"A12")),
        (b"+ go", Continuation(b"go")),
        (b"+", Continuation(b"")),
        (b"* CAPABILITY IMAP4rev1 auth=plain", Capabilities(frozenset({"IMAP4REV1", "AUTH=PLAIN"}))),
        (b"* CAPABILITY IMAP4rev1 ", Capabilities(frozenset({"IMAP4REV1"}))),
        (b"* CAPABILITY IMAP4rev1 X-\xff", Capabilities(frozenset({"IMAP4REV1", "X-\ufffd"}))),
        (b"* ENABLED QRESYNC", Enabled(frozenset({"QRESYNC"}))),
        (b"* ENABLED", Enabled(frozenset())),
        (b"* 12 EXISTS", Exists(12)),
        (b"* 12 expunge", Expunge(12)),
        (b"* 0 RECENT", Other(b"RECENT")),
        (b"* 0 EXISTS", Exists(0)),
        (rb"* FLAGS (\seen $Junk)", FolderFlags(frozenset({"\\Seen", "$Junk"}))),
        (
            rb'* LIST (\HasNoChildren \Sent) "/" "Sent Items"',
            ListRow(b"Sent Items", "/", frozenset({r"\hasnochildren", r"\sent"})),
        ),
        (rb"* LIST (\Noselect) NIL INBOX", ListRow(b"INBOX", "", frozenset({r"\noselect"}))),
        (rb'* LIST () "\\" {4}' + b'\r\na"b\n', ListRow(b'a"b\n', "\\", frozenset())),
        (rb'* XLIST (\AllMail \Spam) "/" all', ListRow(b"all", "/", frozenset({r"\all", r"\junk"}))),
        (rb'* LIST () "." "a\"b\\c" ("CHILDINFO" ("SUBSCRIBED"))', ListRow(b'a"b\\c', ".", frozenset())),
        (b'* LIST () "/" nil', None),
        (
            b"* STATUS INBOX (MESSAGES 3 UIDNEXT 9 UIDVALIDITY 7 UNSEEN 1 HIGHESTMODSEQ 9223372036854775807 X 5)",
            FolderStatus(b"INBOX", 3, 9, 7, 1, 9223372036854775807),
        ),
        (b'* STATUS "a b" (MESSAGES -1 MAILBOXID (F3x))', FolderStatus(b"a b", mailbox_id=b"F3x")),
        (b'* STATUS Rr (MESSAGES 1 MAILBOXID (4\xd7"fVV))', None),
        (b"* SEARCH", Search(UidSet())),
        (b"* SEARCH 4 2 3 (MODSEQ 917162500)", Search(UidSet([(2, 4)]))),
        (b"* SEARCH 1 +2", None),
        (b"* SEARCH 1_0", None),
        (b"* SEARCH 0", None),
        (
            b'* ESEARCH (TAG "A5") UID ALL 1:3,7 COUNT 4 MODSEQ 9',
            Search(UidSet([(1, 3), (7, 7)]), b"A5", 4, extended=True),
        ),
        (b'* ESEARCH (TAG "A5") UID', Search(UidSet(), b"A5", None, extended=True)),
        (b"* VANISHED (EARLIER) 1:4294967295", Vanished(UidSet([(1, 4294967295)]), earlier=True)),
        (b"* VANISHED 41", Vanished(UidSet([(41, 41)]), earlier=False)),
        (b"* VANISHED 1:*", None),
        (b'* NAMESPACE (("INBOX." ".")("#x/" NIL)) NIL (("s" "/"))', Namespace(((b"INBOX.", "."), (b"#x/", "")))),
        (b"* NAMESPACE NIL NIL NIL", Namespace(())),
        (b'* ID ("Name" "Dovecot" "version" NIL)', Identity({"name": "Dovecot", "version": ""})),
        (b"* ID NIL", Identity({})),
        (b"* X-UNKNOWN a (b", Other(b"X-UNKNOWN")),
        (b"", None),
        (b"hello", None),
        (b" lo)", None),
        (b"* ", None),
        (b"* 99999999999 EXISTS", None),
        (b"* 4294967296 EXISTS", None),
        (b'A12 "OK" x', None),
        (b"A12 BYE x", None),
    ],
)
def test_a_response_is_read_as_it_was_meant(line, response):
    if response is None:
        with pytest.raises(Unparsable):
            parsed(line)
    else:
        assert parsed(line) == response


def test_everything_a_header_fetch_brings():
    row = parsed(
        rb'* 12 FETCH (UID 5 FLAGS (\SEEN Todo $forwarded) INTERNALDATE " 7-Jul-2024 02:44:25 -0700" RFC822.SIZE 4096 '
        b'MODSEQ (55) EMAILID (M6d99) X-GM-MSGID 18446744073709551615 X-GM-LABELS ("\\\\Inbox" foo) PREVIEW (a NIL) '
        b"BODY[HEADER] {7}\r\nA: b\r\n\r)"
    )
    assert row == Fetch(
        12,
        5,
        frozenset({"\\Seen", "Todo", "$Forwarded"}),
        1720345465,
        4096,
        55,
        b"M6d99",
        18446744073709551615,
        {b"BODY[HEADER]": b"A: b\r\n\r"},
    )
    assert row.header == b"A: b\r\n\r"


def test_sections_keep_their_names_and_nil_is_none():
    row = parsed(b'* 1 FETCH (body[header.fields (message-id)] "x" BODY[]<0> {2}\r\nab BODY[1] NIL UID 9)')
    assert row.sections == {b"BODY[HEADER.FIELDS (MESSAGE-ID)]": b"x", b"BODY[]<0>": b"ab"}
    assert row.uid == 9


def test_what_was_too_large_is_told_apart():
    framing = Framing()
    framing.literal_limit = 2
    framing.receive(b"* 1 FETCH (UID 7 BODY[HEADER] {3}\r\nabc)\r\n")
    assert parse(framing.next_frame()).header is Missing.TOO_LARGE


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (rb"UID 7 FLAGS (\Seen a) MODSEQ (9)", Fetch(1, 7, frozenset({"\\Seen", "a"}), modseq=9)),
        (rb"MODSEQ (9) UID 7 FLAGS ()", Fetch(1, 7, frozenset(), modseq=9)),
        (rb"FLAGS (\Seen) UID 7", Fetch(1, 7, frozenset({"\\Seen"}))),
        (rb"FLAGS (\Seen)", Fetch(1, None, frozenset({"\\Seen"}))),
        (b"UID 7", Fetch(1, 7)),
    ],
)
def test_rows_of_flags_take_the_fast_path_and_mean_the_same(items, expected):
    line = b"* 1 FETCH (" + items + b")"
    assert parse_flag_row(line) == expected
    assert parsed(b"* 1 FETCH  (" + items + b")") == expected


@pytest.mark.parametrize("items", [b"UID 7 FLAGS ( (a))", b'FLAGS ("a")', b"UID 7 FLAGS ()) ()", b""])
def test_other_rows_do_not(items):
    assert parse_flag_row(b"* 1 FETCH (" + items + b")") is None


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (b"RFC822.SIZE -5", "size"),
        (b"RFC822.SIZE 99999999999", "size"),
        (b'INTERNALDATE "99-Foo-2024 99:00:00 +0000"', "internal_date"),
        (b'INTERNALDATE "31-Dec-0000 00:00:00 +0000"', "internal_date"),
        (b"INTERNALDATE NIL", "internal_date"),
        (b"MODSEQ 5", "modseq"),
        (b"MODSEQ (18446744073709551616)", "modseq"),
        (b"FLAGS NIL", "flags"),
        (b"EMAILID NIL", "email_id"),
    ],
)
def test_a_senseless_item_does_not_hide_the_message(item, name):
    row = parsed(b"* 1 FETCH (UID 7 " + item + b' BODY[HEADER] "x")')
    assert (row.uid, row.header, getattr(row, name)) == (7, b"x", None)


@pytest.mark.parametrize(
    "line",
    [
        b"* 1 FETCH (" + b"(" * 10_000 + b")" * 10_000 + b")",
        b"* 1 FETCH " + b"(" * 10_000,
        b"* 1 FETCH )" + b")" * 10_000,
        b'* 1 FETCH (A "' + b"x" * 10_000,
        b"* 1 FETCH (" + b'"" ' * 10_001 + b")",
        b"* 1 FETCH (UID)",
        b"* 1 FETCH (UID 5) (x)",
        b"* 1 FETCH",
        b"* 1 FETCH NIL",
        b"* LIST",
        b"* LIST () /",
        b"* LIST () {3}\r\na/b",
        b"* ESEARCH (TAG (x))",
        b"* ESEARCH ALL",
        b"* ID (a",
        b"* NAMESPACE",
        b"* NAMESPACE (a)",
        b"* VANISHED",
        b"* STATUS INBOX",
    ],
)
def test_what_no_server_should_send_is_refused(line):
    with pytest.raises(Unparsable):
        parsed(line)


@given(st.binary(max_size=200) | st.text('* AFETCHLISTATUS()[]{}"\\0123456789 NIL.', max_size=80).map(str.encode))
def test_no_bytes_make_the_parser_fail_in_another_way(data):
    for begin in (b"", b"* 1 FETCH (", b"* LIST ", b"* STATUS a (", b"* ESEARCH ", b"* OK [", b"A1 NO "):
        frame = [begin + data]
        with contextlib.suppress(Unparsable):
            parse(frame)


def test_codes_say_where_messages_went():
    assert read_copy_uid(Status(Condition.OK, b"", "COPYUID", b"38505 304,319:320 3956:3958")) == CopyUid(
        38505, ((304, 304), (319, 320)), ((3956, 3958),)
    )
    assert read_append_uid(Status(Condition.OK, b"", "APPENDUID", b"38505 3955")) == AppendUid(38505, 3955)


@pytest.mark.parametrize("argument", [b"", b"1", b"1 2", b"x 1 2", b"1 * 2", b"1 2 3 4"])
def test_codes_that_do_not_add_up_say_nothing(argument):
    assert read_copy_uid(Status(Condition.OK, b"", "COPYUID", argument)) is None
    assert read_append_uid(Status(Condition.OK, b"", "APPENDUID", argument + b" x")) is None
    assert read_number(argument + b"-") is None
