"""The protocol without sockets: what may be sent when, and what an answer does to the state."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.command_writer import Literal, LiteralMode, command
from termmail.net.imap.imap_machine import Answer, Challenge, Dropped, Greeting, Machine, State
from termmail.net.imap.untagged import Condition, Exists, Status
from termmail.net.net_errors import NetError, Offline, ProtocolError


def events(machine: Machine, data: bytes) -> list:
    if data:
        machine.receive(data)
    found = []
    while (event := machine.next_event()) is not None:
        found.append(event)
    return found


def logged_in() -> Machine:
    machine = Machine()
    events(machine, b"* OK hi\r\n")
    say(machine, "LOGIN", b"a", b"b")
    return machine


def say(machine: Machine, verb: str, *arguments, answer: bytes | None = b"OK") -> bytes:
    tag = machine.send(command(verb, *arguments))
    machine.output()
    if answer is not None:
        events(machine, tag + b" " + answer + b"\r\n")
    return tag


@pytest.mark.parametrize("condition", ["OK", "PREAUTH", "BYE"])
def test_the_first_line_is_the_greeting(condition):
    machine = Machine()
    assert events(machine, f"* {condition} hi\r\n".encode()) == [Greeting(Status(Condition(condition), text=b"hi"))]


@pytest.mark.parametrize(
    "line", [b"+OK POP3 ready", b"220 smtp", b"* NO", b"* 1 EXISTS", b"A1 OK", b"+ go", b"", b"\0\0", b"* CAPABILITY a"]
)
def test_a_greeting_of_another_kind_ends_the_session_for_good(line):
    machine = Machine()
    for _ in range(2):
        with pytest.raises(ProtocolError):
            events(machine, line + b"\r\n")
    assert machine.offending == line


def test_answers_are_paired_by_tag_in_any_order_and_untagged_data_passes():
    machine = logged_in()
    first, second = (machine.send(command("NOOP")) for _ in range(2))
    assert machine.output() == b"A2 NOOP\r\nA3 NOOP\r\n"
    assert events(machine, b"* 4 EXISTS\r\nA3 OK\r\nA2 NO no\r\n") == [
        Exists(4),
        Answer(second, Status(Condition.OK, second)),
        Answer(first, Status(Condition.NO, first, text=b"no")),
    ]


def test_a_tag_that_was_not_given_ends_the_session():
    machine = logged_in()
    with pytest.raises(ProtocolError):
        events(machine, b"A9 OK\r\n")


def test_an_answer_comes_once():
    machine = logged_in()
    with pytest.raises(ProtocolError):
        events(machine, b"A1 OK\r\n")


def test_a_known_tag_with_nonsense_ends_the_session_and_other_nonsense_does_not():
    machine = logged_in()
    say(machine, "NOOP", answer=None)
    assert events(machine, b"lo)\r\n* 1 FETCH ((\r\n+ what\r\n") == [
        Dropped(b"lo)"),
        Dropped(b"* 1 FETCH (("),
        Dropped(b"+ what"),
    ]
    with pytest.raises(ProtocolError):
        events(machine, b"A2 WELL\r\n")


CHANGES = [
    ("UID STORE", b"1", b"+FLAGS.SILENT", b"(a)"),
    ("UID COPY", b"1", b"x"),
    ("UID MOVE", b"1", b"x"),
    ("UID EXPUNGE", b"1"),
    ("EXPUNGE",),
]


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_that_changes_the_server_leaves_before_the_folder_is_open(change):
    machine = logged_in()
    with pytest.raises(ValueError):
        machine.ready(command(*change))
    tag = say(machine, "SELECT", b"INBOX", answer=None)
    assert machine.ready(command("UID FETCH", b"1", b"(UID)"))
    assert machine.ready(command("LIST", b'""', b'"*"'))
    assert not machine.ready(command(*change))
    with pytest.raises(ValueError):
        machine.send(command(*change))
    events(machine, tag + b" OK\r\n")
    assert machine.ready(command(*change))


@pytest.mark.parametrize("verb", ["SELECT", "EXAMINE"])
@pytest.mark.parametrize("before", [("UID FETCH", b"1", b"(UID)"), ("NOOP",), ("UID SEARCH", b"ALL"), *CHANGES])
def test_another_folder_is_opened_only_when_nothing_of_the_first_is_outstanding(verb, before):
    machine = logged_in()
    say(machine, "SELECT", b"INBOX")
    tag = say(machine, *before, answer=None)
    assert not machine.ready(command(verb, b"Trash"))
    events(machine, tag + b" NO\r\n")
    assert machine.ready(command(verb, b"Trash"))


def test_a_failed_select_leaves_no_folder_open():
    machine = logged_in()
    say(machine, "SELECT", b"INBOX")
    say(machine, "SELECT", b"Nowhere", answer=b"NO")
    assert machine.state is State.AUTHENTICATED
    with pytest.raises(ValueError):
        machine.ready(command("UID FETCH", b"1", b"(UID)"))


@pytest.mark.parametrize("verb", ["SELECT", "LIST", "UID FETCH", "APPEND", "ENABLE", "IDLE"])
def test_nothing_but_a_login_comes_before_the_login(verb):
    machine = Machine()
    events(machine, b"* OK\r\n")
    with pytest.raises(ValueError):
        machine.ready(command(verb, b"x"))


def test_login_starttls_and_idle_go_alone():
    machine = logged_in()
    say(machine, "SELECT", b"INBOX")
    tag = say(machine, "NOOP", answer=None)
    assert not machine.ready(command("IDLE"))
    events(machine, tag + b" OK\r\n")
    idle = say(machine, "IDLE", answer=None)
    assert not machine.ready(command("NOOP"))
    assert not machine.idling
    assert events(machine, b"+ idling\r\n") == [Challenge(idle, b"idling")]
    assert machine.idling
    machine.respond(b"DONE")
    assert machine.output() == b"DONE\r\n"
    assert not machine.idling
    assert machine.ready(command("NOOP"))  # it is carried out behind IDLE
    assert not machine.ready(command("IDLE"))
    assert machine.ready(command("SELECT", b"Trash"))
    events(machine, idle + b" OK\r\n")
    assert machine.ready(command("IDLE"))


def test_a_literal_waits_for_the_server_and_so_does_everything_behind_it():
    machine = logged_in()
    machine.send(command("APPEND", b"Sent", Literal(b"A9 DELETE INBOX\r\n"), Literal(b"two")))
    assert machine.output() == b"A2 APPEND Sent {17}\r\n"
    assert not machine.ready(command("NOOP"))
    assert events(machine, b"+ go\r\n") == []
    assert machine.output() == b"A9 DELETE INBOX\r\n {3}\r\n"
    events(machine, b"+\r\n")
    assert machine.output() == b"two\r\n"
    assert machine.ready(command("LIST", b"x"))


def test_a_literal_that_is_refused_is_never_sent():
    machine = logged_in()
    say(machine, "APPEND", b"Sent", Literal(b"A9 DELETE INBOX\r\n"), answer=b"NO [TOOBIG]")
    assert events(machine, b"+ go\r\n") == [Dropped(b"+ go")]
    assert machine.output() == b""
    assert machine.ready(command("NOOP"))


def test_with_literal_plus_a_literal_goes_at_once():
    machine = logged_in()
    machine.literal_mode = LiteralMode.PLUS
    machine.send(command("APPEND", b"Sent", Literal(b"abc")))
    assert machine.output() == b"A2 APPEND Sent {3+}\r\nabc\r\n"


def test_a_byte_behind_the_ok_of_starttls_ends_the_session():
    machine = Machine()
    events(machine, b"* OK\r\n")
    tag = say(machine, "STARTTLS", answer=None)
    with pytest.raises(ProtocolError, match="in the clear"):
        events(machine, tag + b" OK go\r\n*")


def test_bytes_in_the_clear_while_tls_begins_end_it_too():
    machine = Machine()
    events(machine, b"* OK\r\n")
    say(machine, "STARTTLS")
    assert machine.state is State.TLS
    with pytest.raises(ProtocolError, match="in the clear"):
        events(machine, b"A")


def test_after_tls_there_is_no_second_greeting():
    machine = Machine()
    events(machine, b"* OK\r\n")
    with pytest.raises(ValueError):
        machine.tls_started()
    say(machine, "STARTTLS")
    machine.tls_started()
    assert machine.state is State.NOT_AUTHENTICATED


@pytest.mark.parametrize(
    ("before", "words"),
    [(b"", "before its greeting"), (b"* OK\r\n", "dropped the connection."), (b"* OK\r\n* 1 FE", "in the middle")],
)
def test_the_end_of_the_connection_is_told(before, words):
    machine = Machine()
    events(machine, before)
    machine.receive(b"")
    with pytest.raises(Offline, match=words):
        machine.next_event()


def test_after_logout_nothing_is_read():
    machine = logged_in()
    say(machine, "LOGOUT")
    assert events(machine, b"* BYE\r\nrubbish\r\n") == []
    machine.receive(b"")
    assert machine.next_event() is None


@pytest.mark.parametrize("text", [b"a\r\nA1 NOOP", b"\0"])
def test_an_answer_to_a_challenge_is_one_line(text):
    machine = Machine()
    events(machine, b"* OK\r\n")
    with pytest.raises(ValueError):
        machine.respond(b"x")
    say(machine, "AUTHENTICATE", b"PLAIN", answer=None)
    events(machine, b"+\r\n")
    with pytest.raises(ValueError):
        machine.respond(text)


TALK = (
    b"* OK hi\r\n* CAPABILITY a\r\nA1 OK in\r\n* 3 EXISTS\r\nnonsense\r\n* 1 FETCH (UID 5 BODY[HEADER] {4}\r\nA2 O)\r\n"
    b'* LIST () "/" {6}\r\nA2 NO\r\n\r\nA2 BAD what\r\n* BYE\r\n'
)


def conversation(pieces) -> list:
    machine, found = Machine(), []
    for piece in filter(None, pieces):
        machine.receive(piece)
        try:
            while (event := machine.next_event()) is not None:
                found.append(event)
                if isinstance(event, Greeting):
                    machine.send(command("LOGIN", b"a", b"b"))
                elif isinstance(event, Answer) and event.tag == b"A1":
                    machine.send(command("SELECT", b"INBOX"))
        except NetError as error:
            found.append(str(error))
            break
    return found


@given(st.lists(st.integers(0, len(TALK)), max_size=20))
def test_any_split_of_the_bytes_gives_the_same_events(cuts):
    edges = [0, *sorted(cuts), len(TALK)]
    whole = conversation([TALK])
    assert len(whole) == 9
    assert conversation([TALK[a:b] for a, b in itertools.pairwise(edges)]) == whole
