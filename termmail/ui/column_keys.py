"""Which keys act while the folder column has the focus; those for messages say why they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.ui.actions.registry import Group, Place

if TYPE_CHECKING:
    from termmail.ui.actions.registry import Action
    from termmail.ui.actions.verb_context import Mail

FOR_MESSAGES = {Group.SELECTING, Group.READING, Group.CONVERSATIONS, Group.SORTING_OUT}
"""The groups whose actions act on messages of the list, or on the one that is read."""

REPLIES = {
    *("message.reply", "message.reply-all", "message.reply-list"),
    *("message.forward", "message.forward-attached"),
}
"""The actions of other groups that act on messages."""

FOR_ANY = {"message.undo", "mail.labels", "mail.rules", "mail.empty-trash", "thread.switch"}
"""The actions of these groups that need no message: they act in the folder column too."""

OFFERED = {"view.back", "app.help-too", "mail.compose", "mail.search", "mail.go", "message.undo"}
"""What the key bar offers besides the keys of the column."""


def why_not(mail: Mail, action: Action) -> str:
    """Return why an action does nothing while the folder column has the focus, "" where it does something."""
    acts_on_messages = action.group in FOR_MESSAGES or action.id in REPLIES
    if not mail.screen.folders.has_focus or not acts_on_messages or action.id in FOR_ANY:
        return ""
    return f"You are in the folder column: {mail.key('view.back')} goes to the messages first."


def offered(action: Action) -> bool:
    """Return whether the key bar offers an action while the folder column has the focus."""
    return action.where is Place.FOLDERS or action.group is Group.FOLDER_COLUMN or action.id in OFFERED
