"""How long the screen's loop is kept busy by nasty mail: processor time of its thread between two ticks."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from PIL import Image

from termmail.mail.message import Draft
from termmail.store import conversations, messages
from termmail.store.derived import Columns
from termmail.ui.list_model import Stale
from termmail.ui.screens.attachments import AttachmentsScreen
from termmail.ui.screens.composer import ComposeScreen
from termmail.ui.screens.picture import PictureScreen
from termmail.ui.widgets.picture_view import PictureView
from tests.engine.test_picture_pixels import saved
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until, words_of
from tests.ui.test_picture import mail_with
from tests.views import DRAFTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from termmail.store.store import Store

BOUND = 0.05
"""Seconds that the loop may be busy without a break."""

OPENING = 0.12
"""The same for opening the composer, most of which Textual needs to lay out and paint a whole screen."""


ROUNDS = 50_000

YARDSTICK = 0.010
"""Seconds of an idle machine for the rounds of `pace`."""


def pace() -> float:
    """How many times slower than an idle machine this thread runs now: a busy neighbour takes half of a core."""
    before = time.thread_time()
    sum(len(str(number)) for number in range(ROUNDS))
    return max(1.0, (time.thread_time() - before) / YARDSTICK)


@asynccontextmanager
async def busy() -> AsyncIterator[list[float]]:
    """The stretches of processor time between two ticks of the loop, in seconds of an idle machine.

    As in the program, a collection does not look at what existed before: here that is all of the test run.
    """
    stretches: list[float] = []
    gc.collect()
    gc.freeze()
    slower = pace()

    async def tick() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            stretches.append(time.thread_time() - before)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    try:
        yield stretches
    finally:
        ticking.cancel()
        gc.unfreeze()
        slower = max(slower, pace())
        stretches[:] = [stretch / slower for stretch in stretches]


async def test_all_headers_of_a_megabyte_keep_nothing_waiting(tmp_path: Path):
    big = letter(1, **{f"X_{number}": "word " * 190 for number in range(1000)})
    async with mailbox(tmp_path, [big], size=(100, 30)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        async with busy() as stretches:
            await pilot.press("h")
            await until(pilot, lambda: "X-0: word" in shown(app))
        assert max(stretches) < BOUND, sorted(stretches)[-5:]


async def test_finding_in_a_megabyte_keeps_nothing_waiting(tmp_path: Path):
    big = letter(
        1, body="\r\n".join(["Déjà vu: a line of words with an é in it, long enough to be one of many"] * 12_000)
    )
    async with mailbox(tmp_path, [big], size=(100, 30)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        async with busy() as stretches:
            await pilot.press("ctrl+f", *"line of")
            await until(pilot, lambda: "1 of 10 000+" in shown(app))
            await pilot.press("enter", "up", "up")
            await until(pilot, lambda: "10 000 of 10 000+" in shown(app))
        assert max(stretches) < BOUND, sorted(stretches)[-5:]


async def test_five_thousand_attachments_are_listed_as_far_as_they_are_looked_at(tmp_path: Path):
    parts = "".join(
        f"--x\r\nContent-Disposition: attachment; filename=f{number}.txt\r\n\r\nfile\r\n" for number in range(4000)
    )
    many = letter(1, Content_Type="multipart/mixed; boundary=x", body=f"--x\r\n\r\ntext\r\n{parts}--x--")
    async with mailbox(tmp_path, [many], size=(100, 30)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        async with busy() as stretches:
            await pilot.press("A")
            await until(pilot, lambda: isinstance(app.screen, AttachmentsScreen) and "f0.txt" in shown(app))
        assert max(stretches) < 2 * BOUND, sorted(stretches)[-5:]
        count = len(app.main_screen.reader.message.parts)
        assert f"{count:,}".replace(",", " ") in shown(app)
        await pilot.press("end", "end", "end")
        await until(pilot, lambda: "f100.txt" in shown(app) or "f119.txt" in shown(app))


async def test_a_picture_of_many_colours_is_painted_without_keeping_anything_waiting(tmp_path: Path):
    photo = ("image/png", "noise.png", saved(Image.effect_noise((1600, 1200), 90).convert("RGB"), "PNG"))
    async with mailbox(tmp_path, [mail_with(photo)], size=(200, 60)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, AttachmentsScreen) and "noise.png" in shown(app))
        async with busy() as stretches:
            await pilot.press("i")
            await until(pilot, lambda: isinstance(app.screen, PictureScreen))
            view = app.screen.query_one(PictureView)
            await until(pilot, lambda: view.complete)
        assert max(stretches) < BOUND, sorted(stretches)[-5:]
        assert shown(app).count("▀") > 8000


async def test_the_preview_of_a_draft_of_a_million_letters_keeps_nothing_waiting(tmp_path: Path):
    async with mailbox(tmp_path, [letter(1)], size=(100, 30)) as (app, pilot):
        await app.engine.drafts.save(Draft(account="ada", to="bob@example.org", subject="Long", body="word " * 200_000))
        await pilot.press("g")
        async with busy() as stretches:
            await pilot.press("d")
            await until(pilot, lambda: "word word word" in shown(app))
        assert max(stretches) < 2 * BOUND, sorted(stretches)[-5:]


async def opening(app, pilot, key: str) -> float:
    """Seconds that the loop is busy at most while the composer opens."""
    async with busy() as stretches:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ComposeScreen) and "Subject" in shown(app))
    return max(stretches)


async def best_opening(app, pilot) -> float:
    """The best of three openings of an empty composer: how long Textual needs when nothing else disturbs it."""
    times = []
    for _ in range(3):
        times.append(await opening(app, pilot, "c"))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)
    return min(times)


async def test_a_forward_of_four_megabytes_in_one_line_opens_and_leaves_at_once(tmp_path: Path):
    long = letter(1, body="漢字" * 700_000, Content_Type="text/plain; charset=utf-8")
    async with mailbox(tmp_path, [long], size=(100, 30)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message is not None)
        usual = await best_opening(app, pilot)
        assert await opening(app, pilot, "f") < 2 * usual + BOUND, usual
        assert "more characters follow and are sent" in words_of(app)
        async with busy() as stretches:
            app.screen.query_one("#to").value = "bob@example.org"
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.main_screen)
        assert max(stretches) < usual + 2 * BOUND, sorted(stretches)[-5:]
        (draft_id,) = await app.engine.lists.ids(DRAFTS)
        assert (await app.engine.drafts.load(draft_id)).body.count("漢字") >= 174_000


async def test_the_composer_opens_at_once(tmp_path: Path):
    async with mailbox(tmp_path, [letter(1)], size=(100, 30)) as (app, pilot):
        assert await best_opening(app, pilot) < OPENING


def answer_often(store: Store, count: int) -> None:
    """Store so many answers to the only message, in its folder."""
    folder = store.read_one("SELECT folder FROM placement")[0]
    with store.transaction() as db:
        for number in range(count):
            raw = letter(number + 2, References="<letter1@example.net>")
            one = Columns(1_772_000_000 + number, "Bob", "Ada", "Re", f"{number}@x", "", "letter1@example.net", 0)
            message_id = messages.insert(db, "ada", one.sort_date, len(raw), one, flags=0, whole=True, snippet="Words.")
            db.execute("INSERT INTO raw (id, complete, bytes) VALUES (?, 1, ?)", (message_id, raw))
            placement = (folder, one.sort_date, message_id)
            db.execute("INSERT INTO placement (folder, sort_date, message, unread) VALUES (?, ?, ?, 0)", placement)
        conversations.group_all(db)


async def test_a_conversation_of_thousands_opens_and_unfolds_without_keeping_anything_waiting(tmp_path: Path):
    async with mailbox(tmp_path, [letter(1)], size=(100, 30)) as (app, pilot):
        await app.engine.context.db(answer_often, 20_000)
        app.main_screen.mail.list.stale(Stale.IDS | Stale.ROWS)
        await until(pilot, lambda: "20001" in shown(app) or "20 001" in shown(app))
        async with busy() as stretches:
            await pilot.press("enter")
            await until(pilot, lambda: "of them folded" in words_of(app))
            await pilot.press("Q")
            await until(pilot, lambda: not app.workers._workers)
        assert max(stretches) < BOUND, sorted(stretches)[-5:]
