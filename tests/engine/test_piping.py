"""A message goes to a program as its input and nothing else; what cannot work is said in words, and nothing waits."""

from __future__ import annotations

import sys
import time

import pytest

from termmail.engine import piping
from termmail.engine.piping import OUTPUT_LIMIT, ProgramError, Ran, parse_command, print_command, run
from termmail.mail import parse


@pytest.mark.parametrize(
    ("words", "argv"),
    [
        ("git am --signoff", ["git", "am", "--signoff"]),
        ("grep 'two words' -c", ["grep", "two words", "-c"]),
        ("echo $(id); rm -rf / | cat > x", ["echo", "$(id);", "rm", "-rf", "/", "|", "cat", ">", "x"]),
    ],
)
def test_a_typed_command_is_a_list_and_no_shell(words, argv):
    assert parse_command(words) == argv


@pytest.mark.parametrize("words", ["", "   ", "echo 'open", 'echo "open', "echo \\"])
def test_what_is_no_command_is_said(words):
    with pytest.raises(ProgramError):
        parse_command(words)


async def test_the_program_gets_the_bytes_and_its_output_comes_back():
    assert await run(["cat"], b"as it came\r\n") == Ran(0, "as it came\r\n")
    assert await run(["sh", "-c", "echo out; echo err >&2; exit 3"], b"x" * 1_000_000) == Ran(3, "out\nerr\n")


async def test_a_program_without_an_end_to_its_output_keeps_only_its_start():
    ran = await run([sys.executable, "-c", f"print('x' * {OUTPUT_LIMIT * 3})"], b"")
    assert len(ran.output) == OUTPUT_LIMIT


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["/nowhere/at/all"], "There is no program /nowhere/at/all."),
        (["/etc/passwd"], "cannot be run"),
        (["cat", "a\0b"], "cannot be run with these arguments"),
        (["\x1b]0;x\x07"], "There is no program"),
    ],
)
async def test_a_program_that_cannot_be_run_is_said(argv, words):
    with pytest.raises(ProgramError) as error:
        await run(argv, b"")
    assert words in str(error.value)
    assert "\x1b" not in str(error.value)


async def test_a_program_that_takes_too_long_is_stopped_with_its_children():
    with pytest.raises(ProgramError, match="took longer than"):
        await run(["sh", "-c", "sleep 60 & sleep 60"], b"", seconds=0.2)


async def test_a_process_that_is_left_behind_keeps_nobody_waiting():
    begin = time.monotonic()
    ran = await run(["sh", "-c", "echo done; sleep 60 &"], b"")
    assert ran == Ran(0, "done\n")
    assert time.monotonic() - begin < 20


def test_what_prints_is_the_choice_of_the_config_or_a_program_that_is_here(tmp_path, monkeypatch):
    assert print_command(["enscript", "-p"]) == ["enscript", "-p"]
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramError, match="no program here that prints"):
        print_command(None)
    (tmp_path / "lpr").write_text("#!/bin/sh\n")
    (tmp_path / "lpr").chmod(0o700)
    assert print_command(None) == ["lpr"]


def test_a_page_has_the_main_fields_and_the_text_in_lines():
    raw = (
        b"From: Ada <ada@example.org>\r\nTo: bob@example.org\r\nSubject: Tea\x1b[2J\r\nX-Other: no\r\n\r\n"
        + b"word " * 60
    )
    lines = piping.printable(parse.parse(raw)).decode().split("\n")
    assert lines[:4] == ["From: Ada <ada@example.org>", "To: bob@example.org", "Subject: Tea\ufffd[2J", ""]
    assert max(map(len, lines)) <= 76
    assert "X-Other" not in "\n".join(lines)
