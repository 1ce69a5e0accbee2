"""Commands as bytes: nothing in an argument ends a line, and literals wait where they must."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.imap.command_writer import Literal, LiteralMode, astring, command, parenthesized


@pytest.mark.parametrize(
    ("data", "written"),
    [
        (b"INBOX", b"INBOX"),
        (b"[Gmail]/All Mail", b'"[Gmail]/All Mail"'),
        (b'a"b\\c', b'"a\\"b\\\\c"'),
        (b"", b'""'),
        (b"nil", b'"nil"'),
        (b"a*", b'"a*"'),
        (b"a%", b'"a%"'),
        (b"(a)", b'"(a)"'),
        (b"a]", b'"a]"'),
        (b"a\r\nb", Literal(b"a\r\nb")),
        (b"a\0b", Literal(b"a\0b")),
        (b"a\x1bb", Literal(b"a\x1bb")),
        ("ü".encode(), Literal("ü".encode())),
        (b"x" * 5000, Literal(b"x" * 5000)),
    ],
)
def test_a_string_is_written_in_the_simplest_safe_way(data, written):
    assert astring(data) == written


@given(st.binary(max_size=80))
def test_no_string_ends_a_line(data):
    pieces = command("SELECT", astring(data)).pieces(b"A1", LiteralMode.WAIT)
    assert b"".join(pieces).endswith(b"\r\n")
    if len(pieces) == 1:
        assert pieces[0].count(b"\r\n") == 1
        assert b"\r" not in pieces[0][:-2]
    else:
        assert pieces == [b"A1 SELECT {%d}\r\n" % len(data), data + b"\r\n"]


def test_literals_wait_unless_the_server_said_it_needs_no_waiting():
    append = command("APPEND", b"Sent", Literal(b"a" * 4097), Literal(b"b"))
    assert append.pieces(b"A1", LiteralMode.PLUS) == [b"A1 APPEND Sent {4097+}\r\n" + b"a" * 4097 + b" {1+}\r\nb\r\n"]
    assert append.pieces(b"A1", LiteralMode.WAIT) == [
        b"A1 APPEND Sent {4097}\r\n",
        b"a" * 4097 + b" {1}\r\n",
        b"b\r\n",
    ]
    assert append.pieces(b"A1", LiteralMode.MINUS) == [
        b"A1 APPEND Sent {4097}\r\n",
        b"a" * 4097 + b" {1+}\r\nb\r\n",
    ]


@pytest.mark.parametrize("argument", [b"a\r\nb", b"\0", b"a\x1b", b"x" * 8501])
def test_text_that_is_no_part_of_a_line_is_refused(argument):
    with pytest.raises(ValueError):
        command("FETCH", argument)


def test_a_log_shows_no_secret_and_no_literal():
    login = command("LOGIN", b"ada", Literal(b"analytical"), shown_arguments=1)
    assert login.shown == "LOGIN ada [hidden]"
    assert "analytical" not in repr(login) + repr(login.arguments)
    assert command("APPEND", b"Sent", Literal(b"abc")).shown == "APPEND Sent {3}"
    assert command("UID FETCH", 7, parenthesized("UID", b"FLAGS")).shown == "UID FETCH 7 (UID FLAGS)"
