"""Going to folders, and choosing one to move messages to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.engine.views import View
from termmail.ui.actions.registry import BY_ID, Group, Place, declare, verb
from termmail.ui.humanize import number
from termmail.ui.roles import NAMES, Listing, Role, listing_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.ui.actions.context import Mail

TOP = "go.top"
PLACES = {
    "go.inbox": ("i", Role.INBOX),
    "go.drafts": ("d", Role.DRAFTS),
    "go.outbox": ("o", Role.OUTBOX),
    "go.sent": ("t", Role.SENT),
    "go.archive": ("a", Role.ARCHIVE),
    "go.spam": ("s", Role.JUNK),
    "go.trash": ("x", Role.TRASH),
}
"""The folders with a letter in the go menu."""


@verb("mail.go", "g", "Go to a folder", Group.FINDING, rank=16, short="go to")
def go(mail: Mail) -> None:
    """Show the go menu."""
    choose(mail, "Go to", partial(_went, mail))


declare(TOP, "g g", "First message", Place.GO, Group.FINDING)
for _id, (_letter, _role) in PLACES.items():
    declare(_id, f"g {_letter}", NAMES[_role], Place.GO, Group.FINDING)


def choose(mail: Mail, title: str, then: Callable[[str], None], *, moving: bool = False) -> None:
    """List the folders with their letters, other accounts' folders as `account / folder`; do `then` with the choice.

    `moving`: list only where messages can be moved to, and offer to make a new folder.
    """
    from termmail.ui.screens.folder_picker import Place as Line  # noqa: PLC0415 - not needed for the first screen
    from termmail.ui.screens.folder_picker import PlacesScreen  # noqa: PLC0415

    letters = {BY_ID[action_id].words: letter for letter, action_id in mail.screen.termmail.keys.places().items()}
    account = mail.list.home.account
    top = BY_ID[TOP].words
    lines = [Line(top, letters[top])] if not moving and top in letters else []
    for folder, held in mail.list.counts.get(account, {}).items():
        if moving and (listing_of(folder) is not Listing.MESSAGES or folder == mail.list.view.folder):
            continue
        detail = f"{number(held.unread)} unread" if held.unread else number(held.total) if held.total else ""
        lines.append(Line(folder, letters.get(folder, ""), detail))
    if not moving:
        others = (name for name in mail.list.counts if name != account)
        lines += [Line(f"{other} / {folder}") for other in others for folder in mail.list.counts[other]]

    def chosen(name: str | None) -> None:
        if name is not None:
            then(name)

    mail.screen.app.push_screen(PlacesScreen(title, lines, new="New folder" if moving else ""), chosen)


def _went(mail: Mail, name: str) -> None:
    if name == BY_ID[TOP].words:
        if mail.screen.whole:
            mail.screen.reader.action_reader_top()
        else:
            mail.screen.messages.action_list_top()
        return
    account, _, folder = name.rpartition(" / ")
    show(mail, View(account or mail.list.home.account, folder))


def show(mail: Mail, view: View) -> None:
    """Show a folder in the list, and give the list the focus."""
    if mail.screen.whole:
        mail.screen.set_whole(on=False)
    mail.go_to(view)
    mail.screen.set_focus(mail.screen.messages)
