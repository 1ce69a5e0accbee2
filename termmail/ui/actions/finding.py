"""Finding words in the shown message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.ui.actions import reading
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_row
from termmail.ui.widgets.find_prompt import FindPrompt

if TYPE_CHECKING:
    from termmail.ui.actions.verb_context import Mail


@verb("message.find", "ctrl+f", "Find in the message", Group.FINDING, applies=on_row)
def find(mail: Mail) -> None:
    """Ask for words to find in the message, which is opened where it is not shown."""
    reader = mail.screen.reader
    if not reader.display:
        reading.open_row(mail)
    reader.finder.begin()
    mail.screen.query_one(FindPrompt).open(reader.finder.words)
    if reader.finder.words:
        reader.finder.look_for(reader.finder.words)


@verb("message.find-next", "f3", "Find next", Group.FINDING, applies=on_row)
def find_next(mail: Mail) -> None:
    """Go to the next place with the words that were found last."""
    step(mail, 1)


@verb("message.find-previous", "shift+f3,f15", "Find previous", Group.FINDING, applies=on_row)
def find_previous(mail: Mail) -> None:
    """Go to the previous place with the words that were found last."""
    step(mail, -1)


def step(mail: Mail, by: int) -> None:
    """Go to the next (1) or previous (-1) place; ask for words where there are none."""
    if mail.screen.reader.display and mail.screen.reader.finder.words:
        mail.screen.reader.finder.step(by)
    else:
        find(mail)


def typed(mail: Mail, words: str) -> None:
    """Mark the words in the message while they are typed."""
    mail.screen.reader.finder.look_for(words)


def told(mail: Mail, words: str) -> None:
    """Show at which of how many places the user is: in the prompt, or without it in the status line."""
    prompt = mail.screen.query_one(FindPrompt)
    if mail.screen.has_class("-finding"):
        prompt.say(words)
    elif words:
        found = f"“{mail.screen.reader.finder.words.strip()}”: {words}"
        mail.status.say(found, 5, about=mail.screen.messages.cursor_id)
    else:
        mail.status.only_about(0)


def closed(mail: Mail) -> None:
    """Give the focus to the message; marks stay where something was found."""
    reader = mail.screen.reader
    if not reader.finder.found:
        reader.finder.clear()
    mail.screen.set_focus(reader if reader.display else mail.screen.messages)
