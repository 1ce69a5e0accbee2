"""Offer what was open in $EDITOR when termmail ended."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from termmail.errors import Gone
from termmail.mail import sanitize
from termmail.ui import editor
from termmail.ui.screens.composer import EDITING, ComposeScreen
from termmail.ui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from textual.app import App

    from termmail.engine.engine import Engine
    from termmail.mail.message import Draft

QUESTION = "A text was open in your editor when termmail ended. Open it as a draft?"


async def offer(app: App[Any], engine: Engine) -> None:
    """Ask for each text whether to open it, until one is opened; call this in a worker.

    The others are offered at the next start. Raises StoreError where the text cannot be stored; it is then kept.
    """
    for left in await asyncio.to_thread(editor.left_texts, engine.context.paths.data / EDITING):
        first = sanitize.cut(sanitize.clean(left.text.strip().partition("\n")[0]), 60)
        question = ConfirmScreen(QUESTION, "Open it", "Later", [f"It begins: {first}"])
        if await app.push_screen_wait(question):
            draft = await engine.drafts.save(replace(await _draft_of(engine, left), body=left.text))
            await asyncio.to_thread(shutil.rmtree, left.folder, ignore_errors=True)
            await app.push_screen(ComposeScreen(engine, draft, fresh=False))
            return


async def _draft_of(engine: Engine, left: editor.LeftText) -> Draft:
    """Return the draft that the text belongs to, or a new one where that is gone or has changed since."""
    try:
        draft = await engine.drafts.load(left.draft_id)
    except Gone:
        return engine.drafts.new(engine.accounts.default)
    return draft if draft.body == left.given else replace(draft, id=0, attachments=())
