"""Strangers' words in every field of every small screen: shown as text, never obeyed (SECURITY.md, M1, M5, M17)."""

from __future__ import annotations

import pytest

from termmail.demo.faults import Manners
from termmail.mail.message import Draft, Envelope, Link, Message, Part
from termmail.ui.screens.ask_password import AskPasswordScreen
from termmail.ui.screens.attachments import AttachmentsScreen
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.link_list import LinksScreen
from termmail.ui.screens.message_source import SourceScreen
from termmail.ui.screens.outbox_item import OutboxItemScreen, story
from termmail.ui.screens.pick_path import PickPathScreen
from termmail.ui.typed_text import line, lines
from tests.ui.stage import EVIL, SIZES, account, assert_harmless, engine_with, staged, until, words_of


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "make",
    [
        lambda: ConfirmScreen(EVIL[0], "Yes", "No", EVIL),
        lambda: AskPasswordScreen(" ".join(EVIL[:6])),
        lambda: LinksScreen([Link(evil, f"https://example.org/{evil}") for evil in EVIL]),
        lambda: AttachmentsScreen(
            None, 1, Message(Envelope(), parts=tuple(Part(str(n), e, e, n, warning=e) for n, e in enumerate(EVIL)))
        ),
        lambda: PickPathScreen(EVIL[0], EVIL[3]),
        lambda: SourceScreen(EVIL[3], "\n".join(EVIL)),
    ],
    ids=["confirm", "password", "links", "attachments", "pick", "source"],
)
async def test_a_dialog_of_evil_words_is_drawn_harmlessly(make, size):
    async with staged(make, size) as (stage, pilot):
        assert_harmless(stage)
        await pilot.press("down", "down", "pagedown")
        assert_harmless(stage)
        await pilot.press("end")
        assert_harmless(stage)


async def test_an_evil_link_is_asked_about_harmlessly():
    urls = [*(Link("x", f"https://example.org/{evil}") for evil in EVIL), Link("x", "http://[bad/\x1b[2J")]
    async with staged(lambda: LinksScreen(urls)) as (stage, pilot):
        for mark in "bdefn"[: len(urls)]:
            await pilot.press(mark)
            await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
            assert_harmless(stage)
            await pilot.press("n")
            await until(pilot, lambda: isinstance(stage.screen, LinksScreen))
        await pilot.press("y")
        assert all(char.isprintable() for char in stage.copied[0])


async def test_an_evil_subject_on_its_way_out_is_drawn_harmlessly(tmp_path):
    async with engine_with(tmp_path, ada=account()) as engine:
        for evil in EVIL[:6]:
            draft = Draft(account="ada", to="bob@example.org", subject=line(evil), body=lines(evil))
            outbox_id = await engine.outbox.send(draft)
            async with staged(lambda outbox_id=outbox_id: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
                await until(pilot, lambda: stage.screen.query(".dialog-title"))
                assert_harmless(stage)


async def test_what_a_server_said_is_cleaned_before_it_is_told(tmp_path, smtp_server):
    """SECURITY.md, T7."""
    said = b"550 \x1b]52;c;eA==\x07 \xc2\x9b2J \xe2\x80\xaegpj [/x] no\r\n"
    server = await smtp_server(manners=Manners(answers={"RCPT": said}))
    async with engine_with(tmp_path, ada=account(1, server.port)) as engine:
        outbox_id = await engine.outbox.send(Draft(account="ada", to="bob@example.org", subject="x", body="x"), delay=0)
        await engine.outbox.flush("ada")
        assert "[/x] no" in " ".join(story(await engine.outbox.row(outbox_id)))
        async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
            await until(pilot, lambda: "[/x] no" in words_of(stage))
            assert_harmless(stage)


@pytest.mark.parametrize("evil", EVIL)
def test_typed_text_keeps_its_length_and_loses_its_teeth(evil):
    """One character stays one character, so that the cursor keeps its place."""
    safe = line(evil)
    assert len(safe) == len(evil)
    assert line(safe) == safe
    assert lines(lines(evil)) == lines(evil)
    assert not {char for char in safe if ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or 0xD800 <= ord(char) < 0xE000}
