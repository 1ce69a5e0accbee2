"""What is drawn before Textual is loaded is what Textual's first frame has in the same cells."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import termios
from pathlib import Path

import pytest
from rich.cells import cell_len

from termmail.accounts import config
from termmail.accounts.config import Ui
from termmail.engine import early_page
from termmail.ui import early_paint
from termmail.ui.app import TermmailApp
from termmail.ui.colours import Depth, palette
from termmail.ui.early_paint import Page, can_paint, encoded, frame
from termmail.ui.kinds import home
from tests.mail.nasty import EVIL_TEXTS
from tests.tty.stream import foreign
from tests.ui.mailbox_stage import NOW, letter, mailbox
from tests.ui.stage import account, engine_with

SIZES = [
    (80, 24),
    (80, 19),
    (100, 30),
    (120, 36),
    (159, 60),
    (120, 8),
    (40, 12),
    (66, 30),
    (160, 40),
    (173, 21),
    (200, 60),
    (300, 50),
]
MAILS = [
    letter(1, Subject="=?utf-8?B?5Lya6K2w44Gu6LOH5paZ?=", From="=?utf-8?B?5bGx55Sw5aSq6YOO?= <yamada@example.net>"),
    letter(2, From='"billing@bank.example" <thief@example.net>', Subject="Your account " * 20),
    letter(3, Subject="=?utf-8?B?16nXnNeV150=?="),
    *(letter(number) for number in range(4, 40)),
]


def cells(strips):
    """One (text, colour, ground, bold) for each cell of each line; blanks have no colour."""
    found = []
    for strip in strips:
        row = []
        for text, style, *_ in strip:
            for char in text:
                ink = style.color.get_truecolor() if style.color is not None and char.strip() else None
                ground = style.bgcolor.get_truecolor()
                row += [(char, ink, ground, bool(style.bold) and bool(char.strip()))]
                row += [("", ink, ground, False)] * (cell_len(char) - 1)
        found.append([cell for cell in row if cell[0] != "\u200e"])
    return found


class Shown(TermmailApp):
    """The app, with every frame that it draws."""

    def __init__(self, engine):
        super().__init__(lambda: asyncio.sleep(0, engine), theme=engine.preferences.ui.theme)
        self.main_screen.clock = lambda: NOW
        self.frames = []

    def _display(self, screen, renderable):
        if screen is self.main_screen and renderable is not None:
            self.frames.append([list(strip) for strip in screen._compositor.render_strips()])
        super()._display(screen, renderable)


def drawn_early(engine, size, ui):
    accounts = engine.context.config.accounts
    found = early_page.read(
        engine.context.paths, lambda folders: home(folders, accounts, threaded=ui.conversations), size[1]
    )
    longest = max(map(len, accounts)) if len(accounts) > 1 else 0
    name = "All inboxes" if longest else "Inbox"
    return frame(Page(name, found.rows, longest), os.terminal_size(size), ui, palette(ui.theme, Depth.TRUE), NOW)


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    monkeypatch.setattr("termmail.ui.app.PATIENCE", 60)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("ui", [Ui(), Ui(theme="termmail-light", pane="off")], ids=["dark", "light"])
async def test_each_text_that_is_drawn_early_is_in_the_same_cell_of_the_first_frame(tmp_path, size, ui):
    async with mailbox(tmp_path, MAILS, size=size, ui=ui) as (app, _):
        ids = list(app.main_screen.messages.ids)
        await app.engine.marks.change_labels([ids[0], ids[2]], ["Work"], [])
        await app.engine.marks.change_labels([ids[1], ids[2]], ["Home"], [])
        early = cells(drawn_early(app.engine, size, ui))
        shown = Shown(app.engine)
        async with shown.run_test(size=size, notifications=True):
            while not shown.frames:
                await asyncio.sleep(0)
        assert early, "it is drawn"
        assert not 80 <= size[0] < 160 or "Work" in "".join(cell[0] for cell in early[1] + early[2]), "with labels"
        for frame_number, drawn in enumerate(shown.frames[:2]):
            first = cells(drawn)
            assert [len(row) for row in early] == [size[0]] * size[1]
            for y, (mine, theirs) in enumerate(zip(early, first, strict=True)):
                for x, (one, other) in enumerate(zip(mine, theirs, strict=True)):
                    if one[0].strip():
                        assert one == other, (frame_number, x, y)
                    else:
                        assert one[2] == other[2] or other[0].strip() or x == size[0] - 1, (
                            frame_number,
                            x,
                            y,
                            "ground",
                        )


async def test_the_account_has_its_column_where_there_are_several(tmp_path):
    size = (120, 36)
    async with mailbox(tmp_path, MAILS) as (app, _):
        settings = app.engine.context.config.accounts["ada"]
    async with engine_with(tmp_path, ada=settings, work=account(1, 1, "work@example.org")) as engine:
        early = cells(drawn_early(engine, size, Ui()))
        shown = Shown(engine)
        async with shown.run_test(size=size, notifications=True):
            while not shown.frames:
                await asyncio.sleep(0)
        first = cells(shown.frames[0])
        assert "".join(cell[0] for cell in early[0]).strip() == "All inboxes"
        assert [
            one
            for row in zip(early, first, strict=True)
            for one, other in zip(*row, strict=True)
            if one[0].strip() and one != other
        ] == []


@pytest.mark.parametrize("evil", EVIL_TEXTS)
async def test_no_byte_of_a_subject_is_a_command_to_the_terminal(tmp_path, evil):
    mails = [
        letter(
            1, Subject=evil.replace("\n", " ").replace("\r", " ")[:900] or "x", From=f"{evil[:50]!r} <a@example.net>"
        )
    ]
    async with mailbox(tmp_path, mails) as (app, _):
        for colours in (Depth.TRUE, Depth.INDEXED):
            assert not foreign(encoded(drawn_early(app.engine, (80, 24), Ui()), colours))


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        ({"theme": "nord"}, {}),
        ({"pane": "right"}, {}),
        ({"density": "comfortable"}, {}),
        ({"ascii": True}, {}),
        ({}, {"NO_COLOR": "1"}),
        ({}, {"COLORTERM": "", "TERM": "xterm"}),
        ({}, {"COLUMNS": "80"}),
    ],
)
def test_nothing_is_drawn_early_where_the_first_frame_is_not_known(settings, environment):
    usual = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    assert can_paint(Ui(), usual)
    assert can_paint(Ui(), usual | {"COLORTERM": ""})
    assert not can_paint(Ui(**settings), usual | environment)


def test_a_store_that_cannot_be_read_is_left_to_the_engine(tmp_path, monkeypatch):
    paths = early_paint_paths(tmp_path)
    loaded = config.Config(accounts={"ada": account()})
    monkeypatch.setattr(early_paint, "_size", lambda: os.terminal_size((80, 24)))
    assert early_paint.show(paths, loaded) is None, "no store"
    paths.data.mkdir()
    paths.store.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    assert early_paint.show(paths, loaded) is None, "damaged"
    paths.store.write_bytes(b"no store at all")
    assert early_paint.show(paths, loaded) is None


def test_a_terminal_that_takes_nothing_gets_its_settings_back(monkeypatch):
    leader, follower = pty.openpty()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with Path("/dev/full").open("wb") as full:
            monkeypatch.setattr(early_paint, "INPUT", follower)
            monkeypatch.setattr(early_paint, "OUTPUT", full.fileno())
            before = termios.tcgetattr(follower)
            screen = early_paint.EarlyScreen()
            assert termios.tcgetattr(follower) != before
            with pytest.raises(OSError, match="No space"):
                screen.draw(b"x")
            screen.restore()
            assert termios.tcgetattr(follower) == before
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(leader)
        os.close(follower)


def early_paint_paths(folder):
    from termmail.accounts.paths import Paths

    return Paths(config=folder / "config.toml", data=folder / "data")
