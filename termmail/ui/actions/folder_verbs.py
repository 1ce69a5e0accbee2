"""Going to folders and accounts, choosing a folder to move messages to, and making, renaming and removing folders."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail.counting import number
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, ROLE_NAMES, Role
from termmail.mail.step_words import done_words, renamed_label_words
from termmail.mail.views import DraftsView, FolderView, LabelView, OutboxView, Ready, ReadyView, RoleView, SavedView
from termmail.ui.actions.registry import BY_ID, Group, Place, declare, verb
from termmail.ui.actions.verb_context import changeable
from termmail.ui.kinds import ALL_INBOXES, folder_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from termmail.mail.model import Folder, Label, SavedSearch
    from termmail.mail.views import View
    from termmail.ui.actions.verb_context import Mail

TOP = "go.top"
LETTERS = {
    "go.inbox": ("i", Role.INBOX),
    "go.sent": ("t", Role.SENT),
    "go.archive": ("a", Role.ARCHIVE),
    "go.spam": ("s", Role.JUNK),
    "go.trash": ("x", Role.TRASH),
}
"""The folders with a letter in the go menu."""

READY_LETTERS = {
    "go.starred": ("*", Ready.STARRED),
    "go.unread": ("u", Ready.UNREAD),
    "go.attachments": ("@", Ready.ATTACHMENTS),
    "go.snoozed": ("b", Ready.SNOOZED),
}
"""The ready views with a letter in the go menu."""

ACCOUNT_KEYS = range(1, 10)

ONLY_ONE = "There is only one account. One added elsewhere is here after a restart."


@verb("mail.go", "g", "Go to a folder", Group.FINDING, rank=16, short="go to")
def go(mail: Mail) -> None:
    """Show the go menu: the first message, the folders of this account with their letters, those of the others, views."""
    from termmail.ui.screens.folder_picker import FolderPickerScreen, PickerRow  # noqa: PLC0415 - not at start

    letters = {action_id: letter for letter, action_id in mail.screen.termmail.keys.places().items()}
    here = mail.list.account
    rows: list[PickerRow] = []
    if TOP in letters:
        rows.append(PickerRow(BY_ID[TOP].words, letters[TOP], value=partial(_to_top, mail)))
    accounts = [here, *(name for name in mail.engine.accounts.names if name != here)] if here else []
    for account in accounts:
        prefix = "" if account == here else f"{account} / "
        for name, action_id, view, detail in _places(mail, account):
            letter = letters.get(action_id, "") if account == here else ""
            rows.append(PickerRow(prefix + name, letter, detail, partial(show, mail, view)))
    for action_id, (_, ready) in READY_LETTERS.items():
        rows.append(PickerRow(ready.value, letters.get(action_id, ""), value=partial(show, mail, ReadyView(ready))))
    rows += [
        PickerRow(f"‹{label.name}›", value=partial(show, mail, LabelView(label.label_id)))
        for label in mail.list.counts.labels
    ]
    rows += [
        PickerRow(one.name, detail="search", value=partial(show, mail, SavedView(one.search_id)))
        for one in mail.list.counts.searches
    ]
    if len(accounts) > 1:
        key = mail.key("go.all-inboxes")
        rows.insert(
            1,
            PickerRow(
                ALL_INBOXES,
                "" if len(key) > 1 or key in letters.values() else key,
                value=partial(show, mail, RoleView(Role.INBOX)),
            ),
        )

    def chosen(go_there: Callable[[], None] | None) -> None:
        if go_there is not None:
            go_there()

    mail.screen.app.push_screen(FolderPickerScreen("Go to", rows), chosen)


declare(TOP, "g g", "First message", Place.GO, Group.FINDING)
for _id, (_letter, _role) in LETTERS.items():
    declare(_id, f"g {_letter}", ROLE_NAMES[_role], Place.GO, Group.FINDING)
declare("go.drafts", "g d", DRAFTS_NAME, Place.GO, Group.FINDING)
declare("go.outbox", "g o", OUTBOX_NAME, Place.GO, Group.FINDING)
for _id, (_letter, _ready) in READY_LETTERS.items():
    declare(_id, f"g {_letter}", _ready.value, Place.GO, Group.FINDING)


def _places(mail: Mail, account: str) -> list[tuple[str, str, View, str]]:
    """Return the name, action id, view and detail of every place of an account, in the order of the folder column."""
    counts = mail.list.counts
    actions = {role: action_id for action_id, (_, role) in LETTERS.items()}
    found: list[tuple[str, str, View, str]] = []
    for folder in counts.folders:
        if folder.account == account:
            action_id = actions.get(folder.role, "")
            found.append((folder.name, action_id, FolderView(folder.folder_id), _detail(mail, folder)))
    waiting = (
        (DRAFTS_NAME, "go.drafts", DraftsView(account), counts.drafts),
        (OUTBOX_NAME, "go.outbox", OutboxView(account), counts.outbox),
    )
    found[1:1] = [
        (name, one, view, number(held[account]) if account in held else "") for name, one, view, held in waiting
    ]
    return found


def _detail(mail: Mail, folder: Folder) -> str:
    held = mail.list.counts.messages.get(folder.folder_id)
    if held is None:
        return ""
    return f"{number(held.total)}, {number(held.unread)} unread" if held.unread else number(held.total)


def _to_top(mail: Mail) -> None:
    if mail.screen.whole:
        mail.screen.reader.action_reader_top()
    else:
        mail.screen.messages.action_list_top()


def choose_target(mail: Mail, title: str, then: Callable[[int], None]) -> None:
    """List the folders of the account to which messages can go; do `then` with the id of the one that is chosen.

    A name that is not listed makes a new folder.
    """
    from termmail.ui.screens.folder_picker import FolderPickerScreen, PickerRow  # noqa: PLC0415 - not at start

    account = mail.list.target_account()
    shown = folder_of(mail.list.view, mail.list.counts)
    folders = [one for one in mail.list.counts.folders if one.account == account and one != shown]
    rows = [PickerRow(one.name, detail=_detail(mail, one), value=one.folder_id) for one in folders]

    def chosen(choice: int | str | None) -> None:
        if isinstance(choice, int):
            then(choice)
        elif choice is not None:
            mail.do(partial(_make, mail, account, choice, then))

    mail.screen.app.push_screen(FolderPickerScreen(title, rows, new="New folder"), chosen)


async def _make(mail: Mail, account: str, name: str, then: Callable[[int], None]) -> None:
    async with mail.in_turn:
        folder = await mail.engine.folders.by_name(account, name) or await mail.engine.folders.make(account, name)
    then(folder.folder_id)


def show(mail: Mail, view: View) -> None:
    """Show a folder in the list, and give the list the focus."""
    if mail.screen.whole:
        mail.screen.set_whole(on=False)
    mail.go_to(view)
    mail.screen.set_focus(mail.screen.messages)


# -- accounts


def _several(mail: Mail) -> str:
    return "" if len(mail.engine.accounts.names) > 1 else ONLY_ONE


@verb("go.all-inboxes", "0", "All inboxes", Group.FINDING, applies=_several)
def all_inboxes(mail: Mail) -> None:
    """Show the messages of every account's Inbox in one list."""
    show(mail, RoleView(Role.INBOX))


@verb(
    "go.account",
    ",".join(map(str, ACCOUNT_KEYS)),
    "Inbox of an account, by its number",
    Group.FINDING,
    applies=_several,
)
def account_inbox(mail: Mail) -> None:
    """Show the Inbox of one account: the one whose number was pressed, else the next one."""
    names = mail.engine.accounts.names
    key = mail.screen.termmail.pressed_key
    place = int(key) if key.isdecimal() else names.index(mail.list.account) % len(names) + 1
    inboxes = {one.account: one for one in mail.list.counts.folders if one.role is Role.INBOX}
    if place > len(names) or names[place - 1] not in inboxes:
        mail.status.say(f"There is no account {place}.", 3)
        return
    show(mail, FolderView(inboxes[names[place - 1]].folder_id))


# -- folders of the user's own


def _own_folder(mail: Mail) -> str:
    if why := changeable(mail):
        return why
    folder = folder_of(mail.list.view, mail.list.counts)
    if not isinstance(mail.list.view, SavedView | LabelView) and (folder is None or folder.role is not Role.NONE):
        return "Only folders of your own, kept searches and labels can be renamed or removed."
    return ""


@verb("folder.new", "", "New folder", Group.FOLDER_COLUMN, applies=changeable)
def make(mail: Mail) -> None:
    """Ask for a name and make a folder in this account."""
    account = mail.list.account
    _ask_name(mail, "New folder", "", partial(mail.engine.folders.make, account), lambda made: f"Folder {made} created")


@verb("folder.rename", "", "Rename this folder", Group.FOLDER_COLUMN, applies=_own_folder)
def rename(mail: Mail) -> None:
    """Ask for another name of the folder, kept search or label that is shown."""
    if isinstance(view := mail.list.view, SavedView):
        before = mail.list.name
        again = partial(mail.engine.folders.rename_search, view.search_id)
        _ask_name(mail, f"Rename {before}", before, again, lambda after: f"Search {before} is now {after}")
    elif isinstance(view, LabelView):
        from termmail.ui.screens.ask_name import AskNameScreen  # noqa: PLC0415 - not needed for the first screen

        if (label := _label(mail, view)) is not None:
            mail.screen.app.push_screen(
                AskNameScreen(f"Rename {label.name}", label.name, "Enter accepts the name"),
                lambda name: mail.do(partial(_rename_label, mail, label, name)) if name else None,
            )
    elif (folder := folder_of(mail.list.view, mail.list.counts)) is not None:
        work = partial(mail.engine.folders.rename, folder.folder_id)
        before = folder.name
        _ask_name(mail, f"Rename {before}", before, work, lambda after: f"Folder {before} is now {after}")


@verb("folder.remove", "", "Remove folder, its mail to Archive", Group.FOLDER_COLUMN, applies=_own_folder)
def remove(mail: Mail) -> None:
    """Remove the folder, kept search or label that is shown."""
    if isinstance(view := mail.list.view, SavedView):
        mail.do(partial(_remove_search, mail, view.search_id))
    elif isinstance(view, LabelView):
        mail.do(partial(_remove_label, mail, view.label_id))
    elif (folder := folder_of(mail.list.view, mail.list.counts)) is not None:
        mail.do(partial(_remove, mail, folder))


async def _remove_search(mail: Mail, search_id: int) -> str:
    async with mail.in_turn:
        done = await mail.engine.folders.remove_search(search_id)
    mail.go_to(RoleView(Role.INBOX))
    return mail.with_undo_hint(done_words(done))


def _label(mail: Mail, view: LabelView) -> Label | None:
    return next((one for one in mail.list.counts.labels if one.label_id == view.label_id), None)


async def _rename_label(mail: Mail, label: Label, name: str) -> str:
    async with mail.in_turn:
        done, keyword = await mail.engine.marks.rename_label(label.label_id, name)
    return "" if done.step is None else renamed_label_words(label.name, done.step, keyword)


async def _remove_label(mail: Mail, label_id: int) -> str:
    async with mail.in_turn:
        done = mail.did(await mail.engine.marks.remove_label(label_id))
    mail.go_to(RoleView(Role.INBOX))
    return mail.with_undo_hint(done_words(done))


async def _remove(mail: Mail, folder: Folder) -> str:
    async with mail.in_turn:
        done = await mail.engine.folders.remove(folder.folder_id)
    inbox = await mail.engine.folders.by_role(folder.account, Role.INBOX)
    mail.go_to(FolderView(inbox.folder_id))
    return mail.with_undo_hint(done_words(done))


def _ask_name(
    mail: Mail,
    title: str,
    name: str,
    work: Callable[[str], Awaitable[Folder | SavedSearch]],
    done: Callable[[str], str],
) -> None:
    from termmail.ui.screens.ask_name import AskNameScreen  # noqa: PLC0415 - not needed for the first screen

    async def run(chosen: str) -> str:
        async with mail.in_turn:
            folder = await work(chosen)
        return done(folder.name)

    def answered(chosen: str | None) -> None:
        if chosen:
            mail.do(partial(run, chosen))

    mail.screen.app.push_screen(AskNameScreen(title, name), answered)
