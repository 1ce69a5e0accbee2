"""$EDITOR gets the text in a private file; nothing of it stays, unless termmail is killed: then it is found again."""

from __future__ import annotations

import asyncio
import sys

import pytest

from termmail.ui import editor


@pytest.fixture
def program(tmp_path, monkeypatch):
    """`program(shell words)` becomes $EDITOR; $1 is the file, $OUT a folder that outlives it."""

    def write(words, arguments=""):
        path = tmp_path / "my editor"
        path.write_text(f"#!/bin/sh\nOUT={tmp_path}\n{words}\n")
        path.chmod(0o700)
        monkeypatch.setenv("EDITOR", f'"{path}" {arguments}')
        monkeypatch.delenv("VISUAL", raising=False)

    return write


async def test_what_the_editor_leaves_is_the_text(program, tmp_path):
    program('cat "$1" > $OUT/given; printf "new\\r\\ntext\\n" > "$1"')
    assert await editor.edit("old\ntext", tmp_path / "editing") == "new\ntext"
    assert (tmp_path / "given").read_text() == "old\ntext"


async def test_the_file_is_private_and_gone_with_the_backups_beside_it(program, tmp_path):
    program('stat -c %a "$1" "$(dirname "$1")" "$(dirname "$(dirname "$1")")" > $OUT/modes; echo backup > "$1~"')
    await editor.edit("old", tmp_path / "editing")
    assert (tmp_path / "modes").read_text().split() == ["600", "700", "700"]
    assert list((tmp_path / "editing").iterdir()) == []


async def test_mail_goes_on_while_the_editor_runs(program, tmp_path):
    program('until [ -e $OUT/mail ]; do sleep 0.01; done; echo done > "$1"')
    edited = asyncio.create_task(editor.edit("old", tmp_path / "editing"))
    while not list(tmp_path.glob("editing/*/*.eml")):
        await asyncio.sleep(0)
    (tmp_path / "mail").touch()
    assert await edited == "done"


async def test_an_editor_that_fails_leaves_the_text_and_says_so(program, tmp_path):
    program('echo lost > "$1"; exit 1')
    with pytest.raises(editor.EditorError, match="as it was"):
        await editor.edit("old", tmp_path / "editing")
    assert list((tmp_path / "editing").iterdir()) == []


async def test_an_editor_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("VISUAL", "/nowhere/ed --wait")
    with pytest.raises(editor.EditorError, match="There is no program /nowhere/ed; set"):
        await editor.edit("old", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("environment", "argv"),
    [
        ({"VISUAL": "code --wait", "EDITOR": "vi"}, ["code", "--wait"]),
        ({"VISUAL": " ", "EDITOR": "vi"}, ["vi"]),
        ({"EDITOR": "'my editor' -a 'b c'"}, ["my editor", "-a", "b c"]),
        ({"EDITOR": "vi; touch /tmp/x $(id) `id`"}, ["vi;", "touch", "/tmp/x", "$(id)", "`id`"]),
    ],
)
def test_the_editor_is_split_into_words_and_never_given_to_a_shell(environment, argv):
    assert editor.command(environment) == argv


@pytest.mark.parametrize(("environment", "words"), [({"EDITOR": "vi 'x"}, "quote"), ({"PATH": "/nowhere"}, "EDITOR=")])
def test_an_editor_that_cannot_be_meant_is_said_in_words(environment, words):
    with pytest.raises(editor.EditorError, match=words):
        editor.command(environment)


async def test_nothing_stays_behind_when_editing_is_called_off(program, tmp_path):
    program("touch $OUT/begun; exec sleep 60")
    edited = asyncio.create_task(editor.edit("old", tmp_path / "editing"))
    while not (tmp_path / "begun").exists():
        await asyncio.sleep(0)
    edited.cancel()
    with pytest.raises(asyncio.CancelledError):
        await edited
    assert list((tmp_path / "editing").iterdir()) == []


KILLED = """
import asyncio, sys
from pathlib import Path
from termmail.ui import editor
asyncio.run(editor.edit("old text", Path(sys.argv[1]), 7))
"""


async def run_and_kill(folder):
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, str(folder))
    assert await process.wait() == -9


async def test_what_was_written_when_termmail_was_killed_is_found(program, tmp_path):
    program('printf "old text, and more\\n" > "$1"; kill -9 $PPID')
    await run_and_kill(tmp_path / "editing")
    (left,) = editor.left_texts(tmp_path / "editing")
    assert (left.draft_id, left.given, left.text) == (7, "old text", "old text, and more")


async def test_what_was_not_changed_when_termmail_was_killed_is_removed(program, tmp_path):
    program("kill -9 $PPID")
    await run_and_kill(tmp_path / "editing")
    assert editor.left_texts(tmp_path / "editing") == []
    assert list((tmp_path / "editing").iterdir()) == []


async def test_what_another_termmail_is_editing_is_left_alone(program, tmp_path):
    program('echo new > "$1"; touch $OUT/begun; until [ -e $OUT/go ]; do sleep 0.01; done')
    edited = asyncio.create_task(editor.edit("old", tmp_path / "editing"))
    while not (tmp_path / "begun").exists():
        await asyncio.sleep(0)
    assert editor.left_texts(tmp_path / "editing") == []
    (tmp_path / "go").touch()
    assert await edited == "new"


async def test_what_was_written_when_editing_is_called_off_is_found(program, tmp_path):
    program('echo new > "$1"; touch $OUT/begun; exec sleep 60')
    edited = asyncio.create_task(editor.edit("old", tmp_path / "editing", 3))
    while not (tmp_path / "begun").exists():
        await asyncio.sleep(0)
    edited.cancel()
    with pytest.raises(asyncio.CancelledError):
        await edited
    (left,) = editor.left_texts(tmp_path / "editing")
    assert (left.draft_id, left.text) == (3, "new")
