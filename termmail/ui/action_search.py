"""Finding an action by its name, and doing it as if its key had been pressed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from textual.widget import Widget

from termmail.ui.actions import ACTIONS
from termmail.ui.actions.registry import Group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.dom import DOMNode
    from textual.screen import Screen

    from termmail.ui.actions import Action

LAST = {Group.MOVING, Group.READING, Group.SELECTING, Group.FOLDER_COLUMN}
"""Groups at the end of the palette: few people look for them by name."""
HIDDEN = {"app.palette", "app.palette-too", "app.help-too", "go.top"}

SYNONYMS = {
    "app.settings": "preferences options config configure theme colour color dark light appearance keymap keys density",
    "compose.attach": "file attachment paperclip",
    "compose.discard": "delete cancel throw away",
    "compose.editor": "external editor vim emacs nano",
    "go.spam": "junk",
    "go.trash": "bin deleted",
    "go.starred": "flagged",
    "list.extend-down": "range",
    "list.select": "mark tag",
    "list.select-all": "mark tag everything",
    "list.select-matching": "mark tag search pattern",
    "list.triage": "process inbox zero",
    "mail.add-account": "new setup imap pop3",
    "mail.check": "fetch get receive sync refresh new mail",
    "mail.compose": "new compose mail",
    "mail.fetch-bodies": "fetch offline bodies",
    "mail.filter": "limit narrow",
    "mail.go": "folder mailbox change switch",
    "mail.labels": "tags color categories delete label",
    "mail.rules": "filters sieve automatic",
    "mail.search": "find",
    "mail.space": "quota disk size pop3",
    "mail.stop-sending": "undo send cancel unsend recall",
    "message.archive": "done",
    "message.attachments": "files download",
    "message.charset": "encoding character set umlauts utf-8",
    "message.copy": "folder",
    "message.delete": "trash remove bin",
    "message.headers": "raw full",
    "message.html": "plain rich",
    "message.label": "tag tags category categorize keyword",
    "message.links": "urls open web",
    "message.move": "file folder refile",
    "message.mute": "ignore thread silence",
    "message.read": "seen unseen",
    "message.reflow": "wrap paragraphs",
    "message.remind": "follow up followup reminder",
    "message.reply": "answer respond",
    "message.reply-all": "answer group everyone",
    "message.rule": "filter create automatic",
    "message.snooze": "later postpone defer remind",
    "message.source": "raw original view",
    "message.spam": "junk move to spam report",
    "message.star": "flag favourite favorite",
    "message.undo": "take back revert",
    "thread.break-off": "break thread separate detach",
    "thread.fold": "thread expand collapse",
    "thread.fold-all": "threads expand collapse",
    "thread.join": "join thread link combine",
    "thread.switch": "thread threads threading",
    "view.pane": "preview split layout",
    "view.sort": "order by date sender subject size",
}
"""Words that other programs have for an action, by its id."""

ELSEWHERE = {
    "import": "Outside the program: termmail import brings in mail from mbox and Maildir files",
    "export": "Outside the program: termmail export writes mail into files",
    "signature": 'The signature is in config.toml: signature = "..." under the account',
}
"""Where to do what no action does, by the word that people look for."""

LEAST_MISTYPED = 4
"""Letters of a word in which one may be wrong."""

_WORD = re.compile(r"\w+")


def holder(screen: Screen[object], action: Action) -> DOMNode | None:
    """Return who can do this action on a screen: the focus and what is around it first, then anything on the screen."""
    name = f"action_{action.method}" if action.run is None else "action_do"
    around = [*screen.focused.ancestors_with_self] if screen.focused else [screen, screen.app]
    for node in around:
        if hasattr(node, name):
            return node
    return next((node for node in screen.walk_children(Widget) if hasattr(node, name) and node.display), None)


async def perform(screen: Screen[object], action: Action) -> None:
    """Do an action as if its key had been pressed."""
    node = holder(screen, action)
    if node is not None:
        await screen.app.run_action(action.binding, node)


def available(screen: Screen[object]) -> list[Action]:
    """Return every action that can be done on this screen, in the order of the help."""
    found = [action for action in ACTIONS if action.id not in HIDDEN]
    return sorted((action for action in found if holder(screen, action)), key=lambda action: action.group in LAST)


def matching(actions: Sequence[Action], text: str) -> list[Action]:
    """Return those whose words, id or synonyms hold every word of the text; those whose words begin with it first.

    Where there are none, a letter of each word may be wrong.
    """
    wanted = text.casefold().split()

    def rank(action: Action) -> tuple[bool, bool, bool]:
        words = action.name.casefold()
        return (
            not words.startswith(" ".join(wanted)),
            not all(f" {word}" in f" {words}" for word in wanted),
            not all(word in words for word in wanted),
        )

    found = [action for action in actions if all(word in _text(action) for word in wanted)]
    if not found:
        found = [one for one in actions if all(_almost(word, _WORD.findall(_text(one))) for word in wanted)]
    return sorted(found, key=rank)


def _text(action: Action) -> str:
    return f"{action.name} {action.id} {SYNONYMS.get(action.id, '')}".casefold()


def elsewhere(text: str) -> str:
    """Return where to do what no action does, "" where nothing is known of it."""
    wanted = text.casefold().strip()
    return next((words for word, words in ELSEWHERE.items() if len(wanted) > 2 and word.startswith(wanted)), "")


def _almost(typed: str, words: Sequence[str]) -> bool:
    """Return whether one of the words begins as typed, with one letter wrong, missing, too many or exchanged."""
    if len(typed) < LEAST_MISTYPED:
        return any(word.startswith(typed) for word in words)
    return any(_one_apart(typed, word[: len(typed) + more]) for word in words for more in (-1, 0, 1))


def _one_apart(one: str, other: str) -> bool:
    """Return whether one edit makes the same of both: a letter put in, taken out or replaced, or two exchanged."""
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[:2][::-1] and a[2:] == b[2:])
