"""Read the first page of the inbox with SQLite alone, before anything else of the engine is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from termmail.errors import UserError
from termmail.mail.views import FolderView, Unfolded
from termmail.store import folders, messages, migrate, outlines
from termmail.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.accounts.paths import Paths
    from termmail.mail.model import Folder, MessageRow
    from termmail.mail.views import RoleView


class EarlyPage(NamedTuple):
    """The folders, the view of the inbox and its first rows."""

    folders: list[Folder]
    view: FolderView | RoleView
    rows: list[MessageRow]


def read(paths: Paths, home: Callable[[list[Folder]], FolderView | RoleView], count: int) -> EarlyPage | None:
    """Return the view that `home` chooses of the folders, and its first `count` rows.

    Nothing is written. None where there is no store yet, or it must be brought up to date or cannot be read: the engine
    tells that.
    """
    if not paths.store.is_file() or migrate.is_outdated(paths.store):
        return None
    try:
        with Store.open(paths.store, read_only=True) as store:
            known = folders.listing(store)
            view = home(known)
            shown = [view.folder_id] if isinstance(view, FolderView) else messages.role_folder_ids(store, view.role)
            if not view.threaded:
                return EarlyPage(known, view, messages.rows(store, messages.ids(store, shown, count), shown))
            ids = outlines.outline(store, shown, Unfolded(), limit=count).ids
            return EarlyPage(known, view, outlines.fold(store, messages.rows(store, ids, shown), shown))
    except UserError:
        return None
