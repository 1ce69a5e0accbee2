"""The machine alone: bytes in, events out. Every transcript is also fed one byte at a time and cut at random."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from termmail.net.net_errors import NetError, Offline, ProtocolError, TooLarge
from termmail.net.pop3 import dot_stuffing as body_module
from termmail.net.pop3 import protocol
from termmail.net.pop3.protocol import Answer, Challenge, Greeting, Pop3Protocol, State, command
from termmail.net.pop3.responses import parse_capabilities, parse_size_row, parse_stat, parse_uidl_row, response_code

LOGIN = (["USER ada"], b"+OK\r\n"), (["PASS secret"], b"+OK\r\n")
GREETING = ([], b"+OK ready\r\n")


def make(text: str | protocol.Command) -> protocol.Command:
    if not isinstance(text, str):
        return text
    verb, *arguments = text.split(" ")
    return command(verb, *arguments)


def retrieve(limit: int) -> protocol.Command:
    return replace(command("RETR", 1), limit=limit)


def play(steps, cut=lambda data: [data]):
    """The events of a conversation, and the error that ended it: steps of (commands, bytes); b"" is the end of line."""
    connection, events = Pop3Protocol(), []
    try:
        for commands, data in steps:
            for one in commands:
                if isinstance(one, str) and one.startswith("="):
                    connection.respond(one[1:].encode())
                else:
                    connection.send(make(one))
            for piece in cut(data) if data else [b""]:
                connection.receive(piece)
                while (event := connection.next_event()) is not None:
                    events.append(event)
    except NetError as error:
        events.append((type(error), str(error)))
        with pytest.raises(type(error)):
            connection.next_event()
        with pytest.raises(type(error)):
            connection.send(command("QUIT"))
    return events


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def every_cut(steps):
    """Plays it whole, by single bytes and in random pieces, and expects the same every time."""
    whole = play(steps)
    assert play(steps, single_bytes) == whole
    dice = random.Random(7)
    for _ in range(5):

        def pieces(data: bytes) -> list[bytes]:
            out = []
            while data:
                size = dice.randint(1, max(1, len(data) // 2))
                out.append(data[:size])
                data = data[size:]
            return out

        assert play(steps, pieces) == whole
    return whole


def last(steps):
    return every_cut([GREETING, *LOGIN, *steps])[-1]


def body(data: bytes) -> bytes:
    """What RETR 1 gives for this answer."""
    answer = last([(["RETR 1"], b"+OK\r\n" + data)])
    assert isinstance(answer, Answer), answer
    return answer.body


# -- a session


def test_a_whole_session_gives_its_events_in_order():
    events = every_cut(
        [
            GREETING,
            (["CAPA"], b"+OK list\r\nTOP\r\nSASL PLAIN\r\n.\r\n"),
            (["AUTH PLAIN x", "STAT", "LIST"], b"+OK in\r\n+OK 2 30\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n"),
            (["TOP 2 0", "TOP 1 0"], b"+OK\r\nA: b\r\n\r\n.\r\n-ERR gone\r\n"),
            (["DELE 2"], b"+OK\r\n"),
            (["QUIT"], b"+OK bye\r\n"),
            ([], b""),
        ]
    )
    assert events == [
        Greeting(True, b"ready", b""),
        Answer("CAPA", True, b"list", b"TOP\r\nSASL PLAIN\r\n"),
        Answer("AUTH", True, b"in"),
        Answer("STAT", True, b"2 30"),
        Answer("LIST", True, b"", b"1 10\r\n2 20\r\n"),
        Answer("TOP", True, b"", b"A: b\r\n\r\n"),
        Answer("TOP", False, b"gone"),
        Answer("DELE", True, b""),
        Answer("QUIT", True, b"bye"),
    ]


def test_an_empty_body_is_empty_and_not_missing():
    assert body(b".\r\n") == b""
    assert body(b"\r\n.\r\n") == b"\r\n"


def test_a_refused_command_that_has_a_body_when_granted_has_none():
    assert last([(["LIST"], b"-ERR no\r\n")]) == Answer("LIST", False, b"no")


def test_uidl_of_one_message_is_one_line_and_of_all_is_many():
    assert last([(["UIDL 7"], b"+OK 7 abc\r\n")]) == Answer("UIDL", True, b"7 abc")
    assert last([(["UIDL"], b"+OK\r\n7 abc\r\n.\r\n")]) == Answer("UIDL", True, b"", b"7 abc\r\n")


def test_a_challenge_is_answered_and_only_then_something_may_come():
    steps = [GREETING, (["AUTH SCRAM-SHA-256 x"], b"+ cj0x\r\n"), (["=YQ=="], b"+OK in\r\n")]
    assert every_cut(steps)[1:] == [Challenge(b"cj0x"), Answer("AUTH", True, b"in")]
    with pytest.raises(ValueError):
        Pop3Protocol().respond(b"YQ==")


def test_a_question_with_other_commands_behind_it_is_an_error():
    assert every_cut([GREETING, (["AUTH PLAIN x", "STAT"], b"+ \r\n+OK\r\n")])[-1][0] is ProtocolError


def test_bytes_that_come_while_the_server_waits_for_us_are_an_error():
    assert every_cut([GREETING, (["AUTH SCRAM-SHA-256 x"], b"+ cj0x\r\n+OK in\r\n")])[-1][0] is ProtocolError


def test_a_plus_is_a_question_only_to_auth():
    assert last([(["STAT"], b"+ huh\r\n")])[0] is ProtocolError


# -- the table of states

_ALLOWED = {
    State.GREETING: set(),
    State.AUTHORIZATION: {"CAPA", "STLS", "UTF8", "USER", "PASS", "APOP", "AUTH", "NOOP", "QUIT"},
    State.TLS: set(),
    State.TRANSACTION: {"CAPA", "STAT", "LIST", "UIDL", "TOP", "RETR", "DELE", "RSET", "NOOP", "QUIT"},
    State.CLOSED: set(),
}
_WAY = {
    State.GREETING: [],
    State.AUTHORIZATION: [GREETING],
    State.TLS: [GREETING, (["STLS"], b"+OK\r\n")],
    State.TRANSACTION: [GREETING, *LOGIN],
    State.CLOSED: [GREETING, (["QUIT"], b"+OK\r\n")],
}


@pytest.mark.parametrize("verb", sorted(protocol.VERBS))
@pytest.mark.parametrize("state", list(State))
def test_each_command_is_sent_only_where_the_table_allows_it(state, verb):
    connection = Pop3Protocol()
    for commands, data in _WAY[state]:
        for one in commands:
            connection.send(make(one))
        connection.receive(data)
        connection.next_event()
    assert connection.state is state
    if verb in _ALLOWED[state]:
        assert connection.send(command(verb)).startswith(verb.encode())
    else:
        with pytest.raises(ValueError):
            connection.send(command(verb))


def test_commands_of_the_next_state_may_leave_with_the_login_and_not_after_its_refusal():
    connection = Pop3Protocol()
    connection.receive(b"+OK\r\n")
    connection.next_event()
    connection.send(command("AUTH", "PLAIN", "x"))
    connection.send(command("STAT"))
    connection.receive(b"-ERR [AUTH] no\r\n-ERR log in first\r\n")
    assert [connection.next_event().ok, connection.next_event().ok] == [False, False]
    assert connection.state is State.AUTHORIZATION
    with pytest.raises(ValueError):
        connection.send(command("STAT"))


def test_user_and_pass_never_leave_together():
    """DESIGN, USER and PASS: in one write they stall 40 ms, and PASS would go to a server that refused USER."""
    connection = Pop3Protocol()
    connection.receive(b"+OK\r\n")
    connection.next_event()
    connection.send(command("USER", "ada"))
    with pytest.raises(ValueError):
        connection.send(command("PASS", "secret"))


def test_nothing_is_sent_behind_stls_or_quit():
    for verb in ("STLS", "QUIT"):
        connection = Pop3Protocol()
        connection.receive(b"+OK\r\n")
        connection.next_event()
        connection.send(command(verb))
        with pytest.raises(ValueError):
            connection.send(command("CAPA"))


# -- what a command is


@pytest.mark.parametrize("bad", ["a\r\nDELE 1", "a\nb", "a\rb", "a\0b", "a\x7fb", "\x1b[2J"])
@pytest.mark.parametrize("verb", ["USER", "PASS", "APOP", "AUTH"])
def test_a_control_character_never_leaves_as_part_of_a_command(verb, bad):
    with pytest.raises(ValueError):
        command(verb, bad)


@pytest.mark.parametrize(
    "one", [command("PASS", "s3cret"), command("AUTH", "PLAIN", "s3cret"), command("APOP", "ada", "s3cret")]
)
def test_no_repr_of_a_command_or_connection_shows_a_secret(one):
    connection = Pop3Protocol()
    connection.receive(b"+OK\r\n")
    connection.next_event()
    connection.send(one)
    assert "s3cret" not in repr(one) + str(one) + one.shown + repr(vars(connection))
    assert "[hidden]" in one.shown


# -- the end of an answer


@pytest.mark.parametrize(
    "false_end",
    [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n. \r\n", b"\r.\r\n", b".\r\nx", b"\0.\r\n"],
)
def test_only_crlf_dot_crlf_ends_a_mail(false_end):
    """Else the writer of a mail writes the answers of the server."""
    forged = b"a" + false_end + b"+OK forged\r\nb"
    assert body(forged + b"\r\n.\r\n") == forged + b"\r\n"


def test_exactly_one_dot_is_taken_from_a_stuffed_line_and_none_from_others():
    assert body(b"..\r\n...\r\n.x\r\nx..y\r\n.. \r\n\n..\r\n.\r\n") == b".\r\n..\r\n.x\r\nx..y\r\n. \r\n\n..\r\n"


def test_a_mail_keeps_nul_8_bit_bare_cr_and_bare_lf():
    raw = bytes(range(256)) + b"\rx\ny\0\xff\r\n"
    assert body(raw + b".\r\n") == raw


def test_a_mail_may_have_lines_of_any_length():
    raw = b"x" * 3_000_000 + b"\r\n"
    events = play([GREETING, *LOGIN, (["RETR 1"], b"+OK\r\n" + raw + b".\r\n")])
    assert events[-1].body == raw


@settings(max_examples=200)
@given(st.lists(st.sampled_from([b"\r\n", b".", b"\r", b"\n", b"a", b"\0", b"\xff", b"+OK", b"\r\n."]), max_size=40))
def test_whatever_a_mail_holds_comes_back_byte_for_byte_however_it_was_cut(pieces):
    raw = b"".join(pieces)
    raw = raw if raw.endswith(b"\r\n") or not raw else raw + b"\r\n"
    sent = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in raw.split(b"\r\n"))
    steps = [GREETING, *LOGIN, (["RETR 1", "NOOP"], b"+OK\r\n" + sent + b".\r\n+OK\r\n")]
    assert every_cut(steps)[3:] == [Answer("RETR", True, b"", raw), Answer("NOOP", True, b"")]


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from([b"+OK\r\n", b"-ERR no\r\n", b"\r\n.\r\n", b"+ \r\n", b"+OK 3 9\r\n", b"1 2\r\n"]),
        ),
        max_size=12,
    )
)
def test_no_bytes_make_the_machine_do_anything_but_answer_or_end(pieces):
    """Hostile bytes give events or a NetError, the same ones however they are cut."""
    steps = [
        GREETING,
        *LOGIN,
        (["STAT", "LIST", "UIDL", "TOP 1 0", "RETR 1", "NOOP"], b"".join(pieces) or b"-"),
        ([], b""),
    ]
    assert every_cut(steps)[-1][0] in {ProtocolError, Offline}


# -- bounds


def test_a_status_line_may_have_8_kib_and_no_more():
    assert last([(["NOOP"], b"+OK " + b"x" * (8192 - 4) + b"\r\n")]).ok
    assert last([(["NOOP"], b"+OK " + b"x" * (8192 - 3) + b"\r\n")])[0] is ProtocolError
    assert play([([], b"+OK " + b"x" * 9000)])[-1][0] is ProtocolError


def test_capa_may_have_100_rows_and_no_more():
    assert every_cut([GREETING, (["CAPA"], b"+OK\r\n" + b"X\r\n" * 100 + b".\r\n")])[-1].ok
    assert every_cut([GREETING, (["CAPA"], b"+OK\r\n" + b"X\r\n" * 101 + b".\r\n")])[-1][0] is ProtocolError


@pytest.mark.parametrize("verb", ["LIST", "UIDL"])
def test_a_listing_may_have_what_stat_counted_and_some_more(verb):
    """STAT and LIST may disagree, but not without end."""
    stat = (["STAT"], b"+OK 2 10\r\n")
    some = b"+OK\r\n" + b"1 1\r\n" * 1002 + b".\r\n"
    more = b"+OK\r\n" + b"1 1\r\n" * 1003 + b".\r\n"
    assert play([GREETING, *LOGIN, stat, ([verb], some)])[-1].ok
    assert play([GREETING, *LOGIN, stat, ([verb], more)])[-1][0] is ProtocolError


def test_an_endless_listing_ends_the_session_without_filling_the_memory():
    connection = Pop3Protocol()
    for data in (b"+OK\r\n", b"+OK\r\n", b"+OK 2 10\r\n"):
        if connection.state is State.AUTHORIZATION:
            connection.send(command("AUTH", "PLAIN", "x"))
        elif connection.state is State.TRANSACTION:
            connection.send(command("STAT"))
        connection.receive(data)
        connection.next_event()
    connection.send(command("LIST"))
    connection.receive(b"+OK\r\n")
    with pytest.raises(ProtocolError):
        for _ in range(40):
            connection.receive(b"1 1\r\n" * 50_000)
            assert connection.next_event() is None


def test_a_row_may_have_8_kib_and_no_more():
    """A UIDL of 5 KB is odd, and still a name."""
    row = b"1 " + b"u" * 5000 + b"\r\n"
    assert last([(["UIDL"], b"+OK\r\n" + row + b".\r\n")]).body == row
    assert last([(["UIDL"], b"+OK\r\n1 " + b"u" * 8200 + b"\r\n.\r\n")])[0] is ProtocolError


def test_a_mail_above_the_limit_is_passed_over_and_the_session_goes_on():
    steps = [
        GREETING,
        *LOGIN,
        ([retrieve(100), "RETR 2"], b"+OK\r\n" + b"x" * 300 + b"\r\n.\r\n+OK\r\nhi\r\n.\r\n"),
    ]
    assert every_cut(steps)[3:] == [Answer("RETR", True, b"", None, True), Answer("RETR", True, b"", b"hi\r\n")]


def test_the_limit_counts_to_the_byte():
    for size, fits in ((98, True), (99, False)):
        answer = last([([retrieve(100)], b"+OK\r\n" + b"x" * size + b"\r\n.\r\n")])
        assert (answer.body is not None) is fits
        assert answer.too_large is not fits


def test_a_mail_without_an_end_ends_the_session_and_is_not_kept(monkeypatch):
    monkeypatch.setattr(body_module, "DRAIN_LIMIT", 5000)
    answer = last([([retrieve(1000)], b"+OK\r\n" + b"x" * 7000)])
    assert answer[0] is TooLarge
    connection = Pop3Protocol()
    for data, one in ((b"+OK\r\n", None), (b"+OK\r\n", command("AUTH", "PLAIN", "x"))):
        if one:
            connection.send(one)
        connection.receive(data)
        connection.next_event()
    connection.send(retrieve(1000))
    connection.receive(b"+OK\r\n" + b"x" * 5000)
    connection.next_event()
    assert len(connection._buffer) < 100


# -- the two sides disagree


@pytest.mark.parametrize("surplus", [b"+OK\r\n", b"-ERR\r\n", b"+OK", b"\r\n", b"x", b"\0"])
def test_a_byte_that_nobody_asked_for_ends_the_session(surplus):
    assert every_cut([([], b"+OK ready\r\n" + surplus)])[-1][0] is ProtocolError
    assert last([(["NOOP"], b"+OK\r\n" + surplus)])[0] is ProtocolError
    assert last([(["RETR 1"], b"+OK\r\nhi\r\n.\r\n" + surplus)])[0] is ProtocolError


@pytest.mark.parametrize("surplus", [b"+OK\r\n", b"+", b"\r", b"\x16"])
def test_a_byte_behind_the_answer_to_stls_ends_the_session(surplus):
    events = every_cut([GREETING, (["STLS"], b"+OK begin\r\n" + surplus)])
    assert events[1] == Answer("STLS", True, b"begin")
    assert events[2][0] is ProtocolError
    assert "in the clear" in events[2][1]


def test_after_tls_there_is_no_second_greeting():
    connection = Pop3Protocol()
    connection.receive(b"+OK\r\n")
    connection.next_event()
    with pytest.raises(ValueError):
        connection.tls_started()
    connection.send(command("STLS"))
    connection.receive(b"+OK\r\n")
    connection.next_event()
    connection.tls_started()
    assert connection.state is State.AUTHORIZATION
    connection.receive(b"+OK hello again\r\n")
    with pytest.raises(ProtocolError):
        connection.next_event()


@pytest.mark.parametrize(
    "line", [b"", b"OK", b"+ok", b"+OKAY", b"-ERRATIC", b"* OK", b"220 hi", b"\xff+OK", b"-", b"+"]
)
def test_a_line_that_is_no_status_ends_the_session(line):
    assert every_cut([([], line + b"\r\n")])[-1][0] is ProtocolError
    assert last([(["STAT"], line + b"\r\n")])[0] is ProtocolError


def test_after_quit_was_answered_nothing_is_of_interest():
    assert last([(["QUIT"], b"+OK bye\r\n+OK and more\r\n"), ([], b"")]) == Answer("QUIT", True, b"bye")
    assert last([(["QUIT"], b"-ERR some deleted messages not removed\r\n"), ([], b"")]).ok is False


def test_the_end_of_the_line_at_every_byte_gives_offline_and_never_half_an_answer():
    full = b"+OK\r\nSubject: x\r\n\r\nhello\r\n.\r\n"
    for length in range(len(full)):
        events = every_cut([GREETING, *LOGIN, (["RETR 1"], full[:length] or b""), ([], b"")][: 5 if length else 4])
        assert events[-1][0] is Offline
        assert len(events) == 4
    assert play([GREETING, *LOGIN, (["RETR 1"], full)])[-1].body == b"Subject: x\r\n\r\nhello\r\n"


def test_the_end_of_the_line_before_a_greeting_is_offline():
    assert every_cut([([], b"")])[-1][0] is Offline


def test_a_greeting_that_refuses_is_told_and_ends_it():
    assert every_cut([([], b"-ERR [SYS/TEMP] later\r\n"), ([], b"")]) == [Greeting(False, b"[SYS/TEMP] later", b"")]


# -- what answers mean


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        (b"ready <1896.697170952@dbc.mtview.ca.us>", b"<1896.697170952@dbc.mtview.ca.us>"),
        (b"<a@b> ready", b"<a@b>"),
        (b"ready <1896.697170952>", b""),
        (b"ready <a@b@c>", b""),
        (b"ready <a b@c>", b""),
        (b"ready <a\xff@c>", b""),
        (b"ready <a\0@c>", b""),
        (b"ready <@c> <a@>", b""),
        (b"ready <a@b", b""),
        (b"ready", b""),
    ],
)
def test_only_a_true_msg_id_is_a_stamp(text, stamp):
    assert every_cut([([], b"+OK " + text + b"\r\n")]) == [Greeting(True, text, stamp)]


@pytest.mark.parametrize(
    "row",
    [b"-1 5", b"0 5", b"1e3 5", b"18446744073709551616 5", b"+1 5", b"01 5", b"1_0 5", "٣ 5".encode(), b"", b" ", b"x 5",
     b"\0001 5", b"1.0 5"],
)  # fmt: skip
def test_rows_with_odd_numbers_are_no_rows(row):
    assert parse_size_row(row) is None


@pytest.mark.parametrize(
    "size",
    [b"", b" ", b"-5", b"x", b"1e3", b"9223372036854775808", "٣".encode(), b"007", b"+5", b"1_0", b"5.0", b"\x005"],
)
def test_a_row_whose_size_is_no_number_still_names_a_message(size):
    assert parse_size_row(b"1 " + size) == (1, None)
    assert parse_size_row(b"1") == (1, None)


@given(st.integers(1, 9_999_999_999), st.integers(0, 9_999_999_999))
def test_rows_with_plain_numbers_are_read(number, size):
    assert parse_size_row(b"%d %d" % (number, size)) == (number, size)
    assert parse_size_row(b"%d %d and more" % (number, size)) == (number, size)


@pytest.mark.parametrize("uidl", [b"", b"../../etc/passwd", b"a b", b"\0", b"\x1b[31m", b"\xff\xfe", b"u" * 5000])
def test_a_uidl_is_opaque_bytes(uidl):
    assert parse_uidl_row(b"12 " + uidl) == (12, uidl)


@pytest.mark.parametrize(
    "row", [b"-1 a", b"0 a", b"1e3 a", b"18446744073709551616 a", "٣ a".encode(), b"", b" 1 a", b"a"]
)
def test_a_uidl_with_an_odd_number_is_no_row(row):
    assert parse_uidl_row(row) is None


def test_a_uidl_row_without_an_id_names_a_message_without_one():
    assert parse_uidl_row(b"12") == (12, b"")


def test_stat_is_two_numbers_and_may_be_large():
    assert parse_stat(b"3 123456789012 hello") == (3, 123456789012)
    assert parse_stat(b"0 0") == (0, 0)
    for odd in (b"", b"3", b"-1 5", b"1e3 5", b"x 5", "٣ 5".encode()):
        assert parse_stat(odd) is None


def test_capabilities_are_names_with_arguments():
    found = parse_capabilities(b"TOP\r\nsasl PLAIN SCRAM-SHA-256\r\n\r\n\xff\r\nSASL XOAUTH2\r\n")
    assert found["TOP"] == ()
    assert found["SASL"] == ("PLAIN", "SCRAM-SHA-256", "XOAUTH2")


def test_response_codes_are_read_from_the_beginning_only():
    assert response_code(b"[in-use] locked") == "IN-USE"
    assert response_code(b"[SYS/TEMP] later") == "SYS/TEMP"
    assert response_code(b"hello [IN-USE]") == ""
    assert response_code(b"[IN-USE locked") == ""


def test_the_end_of_the_connection_says_when_it_came():
    assert play([([], b"")])[-1] == (Offline, "The server dropped the connection before its greeting.")
    assert play([GREETING, ([], b"")])[-1] == (Offline, "The server dropped the connection.")
    middle = "The server dropped the connection in the middle of an answer."
    assert play([GREETING, (["CAPA"], b"+OK li"), ([], b"")])[-1] == (Offline, middle)
    assert play([GREETING, (["CAPA"], b"+OK list\r\nTOP\r\n"), ([], b"")])[-1] == (Offline, middle)
