"""Read what the first paint needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from termmail.mail.views import Unfolded
from termmail.ui.kinds import home
from termmail.ui.list_model import FIRST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from termmail.engine.engine import Engine
    from termmail.mail.model import Folder, Row
    from termmail.mail.views import Outline, View

PAGE = 60
"""Rows read with the first ids: what a window shows."""


class First(NamedTuple):
    """The open engine and the top of its inbox."""

    engine: Engine
    folders: list[Folder]
    view: View
    outline: Outline
    rows: list[Row]


async def read_first(open_engine: Callable[[], Awaitable[Engine]]) -> First:
    """Open the engine and read the first page of its inbox, or of all inboxes where there are several accounts."""
    engine = await open_engine()
    folders = await engine.folders.listing()
    view = home(folders, engine.accounts.names, threaded=engine.preferences.ui.conversations)
    outline = await engine.lists.outline(view, Unfolded(), FIRST)
    return First(engine, folders, view, outline, await engine.lists.rows(view, outline.ids[:PAGE]))
