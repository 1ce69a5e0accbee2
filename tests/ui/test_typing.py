"""Keys that arrive in one burst, as over a slow line, act in the order they were pressed."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import pytest
from textual import events
from textual.widgets import Input

from termmail.ui.screens import pick_path
from termmail.ui.screens.ask_password import AskPasswordScreen
from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.help import HelpScreen
from termmail.ui.screens.pick_path import PickPathScreen
from termmail.ui.terminal import InputDecoder, KeyParser, parsed
from termmail.ui.widgets.body_input import BodyInput
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, staged, until

if TYPE_CHECKING:
    from pathlib import Path

    from textual.app import App

NAMED = {
    "⎋": "escape",
    "⌫": "backspace",
    "←": "left",
    "⇤": "home",
    "⇥": "tab",
    "↵": "enter",
    "␡": "delete",
    "⌦": "ctrl+u",
}


def burst(app: App[Any], text: str) -> None:
    """Post all keys at once, as the driver does. The signs of NAMED are keys without a letter."""
    for char in text:
        app.post_message(events.Key(NAMED[char], None) if char in NAMED else events.Key(char, char))


async def test_what_is_corrected_while_typing_a_search_is_corrected(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("slash")
        burst(app, "lteter⌫⌫⌫⌫⌫etter")
        await until(pilot, lambda: app.query_one("#prompt-input", Input).value == "letter")
        burst(app, "x⌦letter 11⇤my ")
        await until(pilot, lambda: app.query_one("#prompt-input", Input).value == "my letter 11")


async def test_what_is_corrected_while_writing_is_corrected(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        burst(app, "bbo⌫⌫ob⇥teh⌫⌫he tea⇤On ⇥teh⌫⌫he tea↵is cool←␡d")
        await until(pilot, lambda: app.screen.query_one(BodyInput).text == "the tea\nis cood")
        assert app.screen.query_one("#subject", Input).value == "On the tea"
        assert app.screen.query_one("#to", Input).value == "bob"


async def test_where_one_writes_stays_in_sight_when_the_window_shrinks(tmp_path: Path):
    long = letter(1, body="\r\n".join(f"Line {number}" for number in range(60)))
    async with mailbox(tmp_path, [long], size=(100, 30)) as (app, pilot):
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        burst(app, "Thank you")
        await until(pilot, lambda: "Thank you" in shown(app))
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.screen.size == (80, 24) and "Thank you" in shown(app))
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: app.screen.size == (40, 12) and "Thank you" in shown(app))


async def test_what_is_corrected_in_a_password_is_corrected():
    async with staged(lambda: AskPasswordScreen("Password of ada@example.org")) as (stage, pilot):
        burst(stage, "lmoo⌫⌫⌫oom↵")
        await until(pilot, lambda: stage.left)
        assert stage.result == "loom"


async def test_what_is_corrected_in_a_path_is_corrected(tmp_path: Path):
    async with staged(lambda: PickPathScreen("Attach a file", "/")) as (stage, pilot):
        burst(stage, "tpm⌫⌫mp/")
        await until(pilot, lambda: stage.screen.query_one(Input).value == "/tmp/")


async def test_tab_completes_what_is_typed_and_the_keys_behind_it_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "files"
    (folder / "LICENSES").mkdir(parents=True)
    (folder / "LICENSES" / "mit.txt").touch()
    usual, slow = pick_path.entries, threading.Event()

    def entries(typed: str, *, folders_only: bool) -> list[tuple[str, bool]]:
        slow.wait(0.05)  # a folder on a network
        return usual(typed, folders_only=folders_only)

    monkeypatch.setattr(pick_path, "entries", entries)
    async with mailbox(tmp_path / "mail") as (app, pilot):
        left: list[Path | None] = []
        app.push_screen(PickPathScreen("Attach a file", "/"), left.append)
        await until(pilot, lambda: isinstance(app.screen, PickPathScreen) and isinstance(app.focused, Input))
        burst(app, f"⌦{folder}/LIC⇥mi⇥↵")
        await until(pilot, lambda: left)
        assert left == [folder / "LICENSES" / "mit.txt"]


def keys(*reads: str) -> list[events.Key]:
    """What the terminal's input becomes, read by read."""
    parser = KeyParser()
    return [event for read in reads for event in parser.feed(read) if isinstance(event, events.Key)]


def test_an_escape_and_a_character_are_known_at_once_and_end_there():
    assert [key.key for key in keys("\x1bj\x1b/\x1b1\x1b[A\x1b\x1bJk")] == (
        ["alt+j", "alt+slash", "alt+1", "up", "escape", "alt+J", "k"]
    )
    assert [key.key for key in keys("\x1b", "q")] == ["alt+q"]
    assert [key.key for key in keys("\x1b\r\x1bb\x1b[1;3D")] == ["alt+enter", "ctrl+left", "alt+left"]


@pytest.mark.parametrize(
    ("report", "text"),
    [
        (b"\x1b[M !!", "\x1b[<0;1;1M"),
        (b'\x1b[M"*C', "\x1b[<2;10;35M"),
        (b"\x1b[M#C*", "\x1b[<0;35;10m"),
        (b"\x1b[MCC*", "\x1b[<35;35;10M"),
        (b"\x1b[M`\xff\x80", "\x1b[<64;223;96M"),
        (b"\x1b[M   ", "\x1b[<0;1;1M"),
    ],
    ids=["first cell", "right button", "released", "moved", "beyond UTF-8", "out of range"],
)
def test_an_old_mouse_report_is_rewritten_however_it_is_split(report: bytes, text: str):
    for first, second in itertools.combinations_with_replacement(range(len(report) + 1), 2):
        decoder = InputDecoder()
        pieces = (b"a" + report[:first], report[first:second], report[second:] + b"b")
        assert "".join(map(decoder.feed, pieces)) == f"a{text}b", pieces


def test_old_mouse_reports_are_joined_byte_by_byte():
    decoder = InputDecoder()
    sent = b"a\x1b[M !!\x1b[M#!!b"
    given = [decoder.feed(sent[at : at + 1]) for at in range(len(sent))]
    assert "".join(given) == "a\x1b[<0;1;1M\x1b[<0;1;1mb"
    assert [len(piece) for piece in given[:5]] == [1, 1, 1, 0, 0], "an escape may be a key: it is passed on at once"


@pytest.mark.parametrize("gap", [0.0, 0.04, 0.09])
def test_an_old_mouse_report_over_a_slow_line_is_a_click_and_no_key(monkeypatch: pytest.MonkeyPatch, gap: float):
    clock = 1000.0
    monkeypatch.setattr("textual._parser.get_time", lambda: clock)
    decoder, parser = InputDecoder(), KeyParser()
    found: list[Any] = []
    for byte in b"\x1b[M )+j":
        clock += gap
        found += parsed(decoder, parser, bytes([byte]))
    assert [type(event) for event in found] == [events.MouseDown, events.Key]
    assert (found[0].x, found[0].y, found[1].key) == (8, 10, "j")


def test_an_escape_and_keys_with_pauses_between_them_are_keys(monkeypatch: pytest.MonkeyPatch):
    clock = 1000.0
    monkeypatch.setattr("textual._parser.get_time", lambda: clock)
    decoder, parser = InputDecoder(), KeyParser()
    found: list[Any] = []
    for key in (b"\x1b", b"[", b"M", b"j"):
        found += parsed(decoder, parser, key)
        clock += 0.2
        found += parsed(decoder, parser, b"")
    assert [event.key for event in found] == ["escape", "left_square_bracket", "M", "j"]


def test_keys_that_are_typed_one_by_one_are_no_mouse_report():
    decoder = InputDecoder()
    typed = [decoder.feed(key) + decoder.pause() for key in (b"\x1b", b"[", b"M", b"a", b"b", b"c")]
    assert typed == ["\x1b", "[", "M", "a", "b", "c"]
    assert [decoder.feed(b"\x1b[M"), decoder.pause()] == ["", ""], "whole, it can be nothing but a mouse report"
    assert decoder.feed(b" !!") == "\x1b[<0;1;1M"
    assert [decoder.feed(key) for key in (b"\x1b", b"[", b"M")] == ["\x1b", "[", ""]
    assert decoder.pause() == "M"


async def test_an_escape_and_a_key_in_one_read_act_as_both(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("f1")
        await until(pilot, lambda: isinstance(app.screen, HelpScreen))
        for key in keys("\x1bj\x1b/bob"):
            app.post_message(key)
        await until(pilot, lambda: app.query_one("#prompt-input", Input).value == "bob")
        assert app.screen is app.main_screen
        await pilot.press("escape")  # back from what was found to where j went
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12 and app.main_screen.messages.cursor == 1)


async def test_an_alt_key_that_is_bound_is_no_escape(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        for key in keys("\x1b\r"):
            app.post_message(key)
        await until(pilot, lambda: "Who is it for?" in shown(app))
        assert isinstance(app.screen, ComposeScreen)


async def test_an_alt_key_with_a_sequence_of_its_own_is_no_escape(tmp_path: Path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("c")
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen))
        for key in keys("bob\x1b[1;3Ax"):
            app.post_message(key)
        await until(pilot, lambda: "x" in app.screen.query_one("#to", Input).value)
        assert isinstance(app.screen, ComposeScreen)
