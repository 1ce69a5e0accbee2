"""A picture of a message on the screen: drawn in half blocks, in every size, and in words where that cannot be."""

from __future__ import annotations

import base64
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace
from PIL import Image

from termmail.accounts.config import Ui
from termmail.ui.screens.attachments import AttachmentsScreen
from termmail.ui.screens.picture import PictureScreen
from termmail.ui.widgets.picture_view import PictureView
from tests.engine.test_picture_pixels import BLUE, RED, a_png_that_says, saved, two_halves
from tests.ui.mailbox_stage import letter
from tests.ui.stage import SIZES, account, assert_harmless, engine_with, shown, staged, until, words_of
from tests.views import INBOX

if TYPE_CHECKING:
    from pathlib import Path


def mail_with(*files: tuple[str, str, bytes], disposition: str = "attachment") -> bytes:
    """A message with these files: type, name, bytes."""
    parts = "".join(
        f'--x\r\nContent-Type: {kind}\r\nContent-Disposition: {disposition}; filename="{name}"\r\n'
        f"Content-ID: <{number}@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{base64.encodebytes(data).decode().replace(chr(10), chr(13) + chr(10))}\r\n"
        for number, (kind, name, data) in enumerate(files)
    )
    body = f"--x\r\nContent-Type: text/html\r\n\r\n<p>Look: <img src='cid:0@x'></p>\r\n{parts}--x--"
    return letter(1, Content_Type="multipart/related; boundary=x", body=body)


@asynccontextmanager
async def attachments_of(folder: Path, pop3_server, raw: bytes, size: tuple[int, int] = (80, 24), **ui):
    """The attachments of this message on the screen."""
    server = await pop3_server([raw])
    async with engine_with(folder, ada=account(server.port)) as engine:
        engine.context.config = replace(engine.context.config, ui=Ui(**ui))
        await engine.accounts.sync("ada")
        (id_,) = await engine.lists.ids(INBOX)
        message = await engine.reader.read(id_)
        async with staged(lambda: AttachmentsScreen(engine, id_, message), size) as (stage, pilot):
            yield stage, pilot


def cells(stage) -> list[tuple]:
    """The half blocks on the screen, with the colours of their two pixels."""
    found = []
    for strip in stage.screen._compositor.render_strips():
        for segment in strip:
            if "▀" in segment.text:
                style = segment.style
                pair = (style.color.triplet, style.bgcolor.triplet)
                found += [tuple(map(tuple, pair))] * segment.text.count("▀")
    return found


PNG = ("image/png", "halves.png", saved(two_halves(), "PNG"))
JPEG = ("image/jpeg", "photo.jpg", saved(two_halves(1600, 1200), "JPEG"))


@pytest.mark.parametrize("size", SIZES)
async def test_a_picture_fills_the_screen_and_esc_goes_back(tmp_path, pop3_server, size):
    async with attachments_of(tmp_path, pop3_server, mail_with(PNG), size) as (stage, pilot):
        assert "i show picture" in words_of(stage)
        await pilot.press("i")
        width, height = size
        across = min(width, 4 * (height - 2))  # as wide as the screen, or as high
        await until(pilot, lambda: len(cells(stage)) == across * (across // 4))
        assert cells(stage)[0] == (RED, RED)
        assert cells(stage)[-1] == (BLUE, BLUE)
        rows = [line for line in shown(stage).splitlines() if "▀" in line]
        left = rows[0].index("▀")
        assert abs(left - (width - across) // 2) <= 1, "in the middle"
        assert "halves.png · 400 × 200" in shown(stage)
        assert "o open · Esc back" in shown(stage)
        await pilot.press("escape")
        assert isinstance(stage.screen, AttachmentsScreen)


async def test_a_picture_in_the_text_is_shown_too(tmp_path, pop3_server):
    async with attachments_of(tmp_path, pop3_server, mail_with(PNG, disposition="inline")) as (stage, pilot):
        assert "in the text" in shown(stage)
        await pilot.press("i")
        await until(pilot, lambda: cells(stage))


async def test_a_picture_is_scaled_anew_when_the_window_changes(tmp_path, pop3_server):
    async with attachments_of(tmp_path, pop3_server, mail_with(JPEG), (120, 36)) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: "photo.jpg · 1 600 × 1 200" in shown(stage))
        await until(pilot, lambda: len(cells(stage)) == 91 * 34)
        for width, height, count in ((40, 12, 27 * 10), (6, 3, 3), (2, 1, 0), (1, 1, 0), (120, 36, 91 * 34)):
            await pilot.resize_terminal(width, height)
            await until(pilot, lambda count=count: abs(len(cells(stage)) - count) <= 2)


async def test_the_next_picture_is_a_key_away_and_other_files_are_none(tmp_path, pop3_server):
    text = ("text/plain", "notes.txt", b"words")
    async with attachments_of(tmp_path, pop3_server, mail_with(text, PNG, JPEG), (120, 36)) as (stage, pilot):
        await pilot.press("i")
        assert isinstance(stage.screen, AttachmentsScreen)
        assert "notes.txt is no PNG, JPEG, GIF or WebP picture: o opens it" in words_of(stage)
        await pilot.press("j", "i")
        await until(pilot, lambda: "halves.png" in shown(stage) and "1 of 2" in shown(stage) and cells(stage))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "photo.jpg" in shown(stage) and "2 of 2" in shown(stage))
        await until(pilot, lambda: "1 600 × 1 200" in shown(stage))
        await pilot.press("right_square_bracket", "left_square_bracket")
        await until(pilot, lambda: "400 × 200" in shown(stage) and "1 of 2" in shown(stage))


async def test_the_desktop_opens_the_picture_that_is_shown(tmp_path, pop3_server, desktop):
    async with attachments_of(tmp_path, pop3_server, mail_with(PNG, JPEG)) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: cells(stage))
        await pilot.press("right_square_bracket", "o")
        count, path = await until(pilot, desktop)
        assert (count, path[-9:]) == ("1", "photo.jpg")
        assert isinstance(stage.screen, AttachmentsScreen)
        await until(pilot, lambda: "Opened a copy of photo.jpg" in words_of(stage))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (a_png_that_says(90_000, 90_000), "This picture is too large to be decoded here: it takes too much memory or"),
        (PNG[2][:300], "This picture is damaged or incomplete. o opens it with the desktop."),
        (b"MZ", "This file is no PNG, JPEG, GIF or WebP picture, whatever its name says."),
    ],
    ids=["bomb", "truncated", "no picture"],
)
async def test_what_cannot_be_drawn_is_told_in_words(tmp_path, pop3_server, data, words, size):
    async with attachments_of(tmp_path, pop3_server, mail_with(("image/png", "a.png", data)), size) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: words in words_of(stage))
        assert cells(stage) == []
        await pilot.press("escape")
        assert isinstance(stage.screen, AttachmentsScreen)


async def test_a_picture_that_cannot_be_drawn_takes_the_one_before_off_the_screen(tmp_path, pop3_server):
    broken = ("image/png", "broken.png", PNG[2][:300])
    async with attachments_of(tmp_path, pop3_server, mail_with(PNG, broken)) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: cells(stage))
        await pilot.press("j")
        await until(pilot, lambda: "damaged" in words_of(stage) and not cells(stage))
        await pilot.press("k")
        await until(pilot, lambda: "damaged" not in words_of(stage) and cells(stage))


@pytest.mark.parametrize("size", SIZES)
async def test_without_the_extra_the_screen_says_what_to_install(tmp_path, pop3_server, monkeypatch, size):
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL" / "__init__.py").write_text("raise ImportError('no such module')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with attachments_of(tmp_path, pop3_server, mail_with(PNG), size) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: "pip install 'termmail[images]' adds it. o opens" in words_of(stage))


async def test_in_ascii_a_cell_has_a_colour_and_no_sign(tmp_path, pop3_server):
    white = ("image/png", "white.png", saved(Image.new("RGB", (10, 10), (255, 255, 255)), "PNG"))
    async with attachments_of(tmp_path, pop3_server, mail_with(white), ascii=True) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: "10 × 10" in shown(stage))

        def white_cells() -> int:
            strips = stage.screen._compositor.render_strips()
            backgrounds = [(part.style.bgcolor, len(part.text)) for strip in strips for part in strip if part.style]
            return sum(count for colour, count in backgrounds if colour and colour.triplet == (255, 255, 255))

        await until(pilot, lambda: white_cells() == 50)
        assert cells(stage) == []


async def test_nothing_that_a_picture_says_of_itself_is_on_the_screen(tmp_path, pop3_server):
    """SECURITY.md, M26."""
    exif = Image.Exif()
    exif[0x010F], exif[0x010E] = "SecretCamera", "\x1b]0;evil\x07secret place"
    picture = saved(two_halves(), "JPEG", exif=exif, comment=b"secret comment")
    evil = mail_with(("image/jpeg", "[/x] \x1b[2J\x9d.jpg", picture))
    async with attachments_of(tmp_path, pop3_server, evil) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: cells(stage))
        assert "secret" not in shown(stage).lower()
        assert "evil" not in shown(stage)
        assert_harmless(stage)


async def test_leaving_while_a_picture_is_decoded_ends_the_work(tmp_path, pop3_server):
    huge = ("image/png", "huge.png", saved(Image.new("RGB", (7_900, 8_000)), "PNG", compress_level=1))
    async with attachments_of(tmp_path, pop3_server, mail_with(huge)) as (stage, pilot):
        await pilot.press("i")
        await until(pilot, lambda: isinstance(stage.screen, PictureScreen) and stage.screen.query_one(PictureView).size)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(stage.screen, AttachmentsScreen) and not stage.workers._workers)
