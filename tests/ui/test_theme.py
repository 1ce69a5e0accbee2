"""The themes: text that can be read, on every screen and at every depth of colour, and meaning without colour."""

from __future__ import annotations

import itertools

import pytest
from rich.color import ColorSystem

from termmail.accounts.config import Ui
from termmail.ui.colours import NAMES
from termmail.ui.screens.dialog import Dialog, Frame
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until, words_of

QUOTE = "I agree, see https://example.net/engine\r\n\r\n> The engine weaves\r\n> patterns\r\n\r\n-- \r\nCharles"
MAILS = [
    letter(1, Subject="The card reader"),
    letter(2, From='"billing@bank.example" <thief@example.net>', Reply_To="other@example.com", Subject="Your account"),
    letter(3, Subject="Re: Note G", body=QUOTE),
]
FRAMES = set("─│╭╮╰╯━┃▁▂▃▄▅▆▇█▔▕▏ ")
TERMINALS = {"truecolor": ("xterm-256color", "truecolor"), "256": ("xterm-256color", "")}


def depth(monkeypatch, name):
    term, colours = TERMINALS[name]
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", colours)


def drawn(app):
    """Every run of text with its colour and its ground, as the eye gets them; of a dialog, what is not behind it."""
    strips = app.screen._compositor.render_strips()
    if isinstance(app.screen, Dialog):
        x, y, width, height = app.screen.query_one(Frame).region
        strips = [strip.crop(x, x + width) for strip in strips[y : y + height]]
    for strip in strips:
        for text, style, _ in strip:
            if style is None or not set(text) - FRAMES:
                continue
            ink, ground = style.color, style.bgcolor
            if style.reverse:
                ink, ground = ground, ink
            yield text, ink, ground


def unreadable(app):
    """The runs whose contrast is below 4.5:1 (WCAG 2, level AA)."""
    found = []
    for text, ink, ground in drawn(app):
        assert ink is not None, text
        assert ground is not None, text
        ratio = contrast(ink.get_truecolor(), ground.get_truecolor())
        if ratio < 4.5:
            found.append((round(ratio, 2), text.strip(), ink.get_truecolor().hex, ground.get_truecolor().hex))
    return found


def contrast(one, other):
    def luminance(colour):
        parts = [value / 255 for value in colour]
        parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "colours"), [*itertools.product(NAMES, TERMINALS)])
async def test_all_text_has_a_contrast_of_at_least_four_and_a_half(tmp_path, monkeypatch, theme, colours):
    depth(monkeypatch, colours)
    async with mailbox(tmp_path, MAILS, size=(120, 36), ui=Ui(theme=theme)) as (app, pilot):
        assert app.current_theme.name == theme
        await until(pilot, lambda: "The engine weaves" in words_of(app))
        assert not unreadable(app), "the inbox with a preview"
        await pilot.press("x", "j", "s", "j", "x", "k")
        await until(pilot, lambda: "2 conversations selected" in words_of(app))
        assert not unreadable(app), "a selection and a star"
        app.main_screen.set_focus(app.main_screen.folders)
        await pilot.pause()
        assert not unreadable(app), "the focus in the folder column"
        await pilot.press("escape", "escape")
        for key, words in (
            ("question_mark", "All keys"),
            ("colon", "Find an action"),
            ("g", "A letter at the left goes"),
            ("comma", "Reading pane"),
            ("slash", "Search"),
            ("c", "New message"),
        ):
            await pilot.press(key)
            await until(pilot, lambda words=words: words in words_of(app))
            if key == "colon":
                await pilot.press(*"reply")
                await pilot.pause()
            assert not unreadable(app), words
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main_screen and not app.main_screen.asking)
        await pilot.press("enter", "enter")
        await until(pilot, lambda: app.main_screen.whole)
        await pilot.pause()
        assert not unreadable(app), "the reader"


@pytest.mark.parametrize("theme", NAMES)
async def test_grounds_keep_their_colours_where_there_are_256(tmp_path, monkeypatch, theme):
    depth(monkeypatch, "256")
    async with mailbox(tmp_path, MAILS, size=(120, 30), ui=Ui(theme=theme)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        await pilot.pause()
        grounds = {ground for _, _, ground in drawn(app)}
        assert len(grounds) >= 4, "background, bars, cursor, block of the message"
        for ground in grounds:
            real, seen = ground.get_truecolor(), ground.downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
            assert max(abs(one - other) for one, other in zip(real, seen, strict=True)) < 12, (real, seen)


@pytest.mark.parametrize("term", ["xterm", "linux", "ansi", ""])
async def test_sixteen_colours_are_the_terminals_own_and_the_cursor_is_reversed(tmp_path, monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", "")
    async with mailbox(tmp_path, MAILS, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        await pilot.pause()
        strips = app.screen._compositor.render_strips()
        styles = [style for strip in strips for text, style, _ in strip if style is not None and text.strip()]
        assert all(one.color is None or one.color.is_default or one.color.number < 16 for one in styles)
        assert all(one.bgcolor is None or one.bgcolor.is_default or one.bgcolor.number < 16 for one in styles)
        reversed_rows = [strip.text.strip()[:20] for strip in strips if any(s and s.reverse for _, s, _ in strip)]
        assert len(reversed_rows) == 3, "the title, the cursor and the keys"
        assert reversed_rows[1].startswith("▌●")


@pytest.mark.parametrize("term", ["xterm", "xterm-256color"])
async def test_without_colour_there_is_none_and_everything_can_be_told_apart(tmp_path, monkeypatch, term):
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("COLORTERM", "")
    monkeypatch.setenv("NO_COLOR", "1")
    async with mailbox(tmp_path, MAILS, size=(80, 24)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        await pilot.pause()
        for strip in app.screen._compositor.render_strips():
            for text, style, _ in strip:
                for colour in filter(None, (style.color, style.bgcolor) if style is not None else ()):
                    assert colour.is_default or len(set(colour.get_truecolor())) == 1, (text, colour)
                if style is not None and text.strip() and not style.color.is_default:
                    assert style.color != style.bgcolor, text
        assert "▌●" in shown(app)


async def test_a_theme_of_textual_has_every_variable_of_termmails(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(120, 36)) as (app, pilot):
        for name in app.appearance.themes():
            app.theme = name
            await pilot.pause()
        assert not app.main_screen.problems.all


async def test_new_users_get_termmails_own_theme(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, _):
        assert app.theme == NAMES[0]
