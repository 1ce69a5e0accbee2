"""Views that tests name often, and verbs on messages by their ids."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from termmail.mail.model import Placement, Role
from termmail.mail.query_parser import parse
from termmail.mail.views import DraftsView, OutboxView, RoleView, SearchView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from termmail.engine.engine import Engine
    from termmail.mail.model import Done

INBOX = RoleView(Role.INBOX)
ARCHIVE = RoleView(Role.ARCHIVE)
SENT = RoleView(Role.SENT)
JUNK = RoleView(Role.JUNK)
TRASH = RoleView(Role.TRASH)
DRAFTS = DraftsView()
OUTBOX = OutboxView()


def search(text: str, account: str = "") -> SearchView:
    """The view of a search in all folders."""
    return SearchView(parse(text, int(time.time())).query, account, discarded=True)


async def seen(engine: Engine, message_ids: Iterable[int]) -> list[Placement]:
    """Where these messages lie now; those that are gone lie nowhere."""
    rows = {one: await engine.lists.row(one) for one in message_ids}
    return [Placement(one, 0) if row is None else row.placement for one, row in rows.items()]


async def delete(engine: Engine, message_ids: Iterable[int]) -> Done:
    """Move messages to Trash."""
    return await engine.messages.delete(await seen(engine, message_ids))


async def erase(engine: Engine, message_ids: Iterable[int]) -> Done:
    """Delete messages for good."""
    return await engine.messages.erase(await seen(engine, message_ids))


async def move(engine: Engine, message_ids: Iterable[int], name: str, account: str = "ada") -> Done:
    """Move messages to a folder, which is created where it is missing."""
    folder = await engine.folders.by_name(account, name) or await engine.folders.make(account, name)
    return await engine.messages.move(await seen(engine, message_ids), folder.folder_id)
