"""THE table of everything a key can do. Bindings, help, palette, the key bar and the config all read it."""

from __future__ import annotations

from msgspec import Struct
from textual.binding import Binding, BindingType
from textual.keys import format_key


class Action(Struct, frozen=True):
    """One thing a key does.

    `id` is what the config calls it; the method that does it is `action_` + id with underscores. `keys` are the
    default keys, comma between them; "g i" is a place of the go menu (that action's key, then i). `words` say what
    it does in help and palette, `short` in the key bar. `where` is the widget or screen that answers (see WHERE).
    `bar` ranks it in the key bar, 1 first; 0 leaves it out; with `bar_in` it is there only while that has the focus.
    """

    id: str
    keys: str
    words: str
    where: str
    group: str
    bar: int = 0
    short: str = ""
    bar_in: str = ""

    @property
    def method(self) -> str:
        """The Textual action this is bound to."""
        return self.id.replace(".", "_").replace("-", "_")


WHERE = {
    "app": {"app", "mail", "list", "reader", "folders", "composer"},
    "mail": {"app", "mail", "list", "reader", "folders"},
    "list": {"app", "mail", "list"},
    "reader": {"app", "mail", "reader"},
    "folders": {"app", "mail", "folders"},
    "composer": {"app", "composer"},
    "go": {"go"},
}
"""Where an action answers, and which other places hear the same key press: there one key may do one thing only."""

ACTIONS = (
    # The list
    Action("list.next", "j,down", "Next message", "list", "Moving"),
    Action("list.previous", "k,up", "Previous message", "list", "Moving"),
    Action("list.page-down", "pagedown", "One page down", "list", "Moving"),
    Action("list.page-up", "pageup", "One page up", "list", "Moving"),
    Action("list.half-down", "ctrl+d", "Half a page down", "list", "Moving"),
    Action("list.half-up", "ctrl+u", "Half a page up", "list", "Moving"),
    Action("list.top", "home", "First message", "list", "Moving"),
    Action("list.bottom", "end,G", "Last message", "list", "Moving"),
    Action("list.next-unread", "n", "Next unread message", "mail", "Moving"),
    Action("list.previous-unread", "N", "Previous unread message", "mail", "Moving"),
    Action("message.open", "enter,right", "Open the message", "list", "Moving", 1, "open"),
    Action("view.back", "escape,left", "Back, one level", "mail", "Moving", 1, "back", "reader"),
    Action("list.select", "x", "Select this message", "mail", "Selecting", 12, "select"),
    Action("list.select-all", "X", "Select all shown, or none", "mail", "Selecting"),
    Action("folders.next", "j,down", "Next folder, in the folder column", "folders", "Folder column"),
    Action("folders.previous", "k,up", "Previous folder", "folders", "Folder column"),
    Action("folders.open", "enter,right", "Show this folder", "folders", "Folder column", 1, "open"),
    # The reader
    Action("reader.down", "j,down", "One line down", "reader", "Reading"),
    Action("reader.up", "k,up", "One line up", "reader", "Reading"),
    Action("reader.page", "space", "Next page, then the next message", "mail", "Reading", 9, "page"),
    Action("reader.page-down", "pagedown", "One page down", "reader", "Reading"),
    Action("reader.page-up", "pageup,backspace", "One page up", "reader", "Reading"),
    Action("reader.half-down", "ctrl+d", "Half a page down", "reader", "Reading"),
    Action("reader.half-up", "ctrl+u", "Half a page up", "reader", "Reading"),
    Action("reader.top", "home", "Start of the message", "reader", "Reading"),
    Action("reader.bottom", "end,G", "End of the message", "reader", "Reading"),
    Action("reader.whole", "enter", "Message on the whole screen, or back", "reader", "Reading", 7, "whole screen"),
    Action("message.next", "]", "Next message", "mail", "Reading"),
    Action("message.previous", "[", "Previous message", "mail", "Reading"),
    Action("message.quotes", "Q", "Fold or show quoted text", "mail", "Reading"),
    Action("message.headers", "h", "All headers, or the text", "mail", "Reading"),
    Action("message.html", "H", "Switch between text and HTML", "mail", "Reading"),
    Action("message.source", "V", "Source as it came", "mail", "Reading"),
    Action("message.links", "U", "Links", "mail", "Reading"),
    Action("message.attachments", "A", "Attachments: save or open", "mail", "Reading"),
    Action("message.browser", "B", "Show in the browser, safely", "mail", "Reading"),
    # Verbs
    Action("message.delete", "d,delete,#", "Delete", "mail", "Sorting out", 5, "delete"),
    Action("message.archive", "e", "Archive", "mail", "Sorting out", 7, "archive"),
    Action("message.move", "v", "Move to a folder", "mail", "Sorting out", 13, "move"),
    Action("message.spam", "!", "Move to Spam", "mail", "Sorting out"),
    Action("message.star", "s,*", "Star, or take the star away", "mail", "Sorting out", 11, "star"),
    Action("message.read", "u", "Read or unread", "mail", "Sorting out", 14, "unread"),
    Action("message.undo", "z", "Undo", "mail", "Sorting out", 10, "undo"),
    # Writing
    Action("mail.compose", "c,m", "Write a message", "mail", "Writing", 3, "write"),
    Action("message.reply", "r", "Reply", "mail", "Writing", 2, "reply"),
    Action("message.reply-all", "a,R", "Reply to all", "mail", "Writing", 8, "reply all"),
    Action("message.reply-list", "L", "Reply to the mailing list", "mail", "Writing"),
    Action("message.forward", "f", "Forward", "mail", "Writing", 15, "forward"),
    Action("message.forward-attached", "F", "Forward as an attachment", "mail", "Writing"),
    # Finding and going
    Action("mail.search", "/", "Search all mail", "mail", "Finding", 8, "search"),
    Action("mail.filter", "\\", "Filter this view", "mail", "Finding"),
    Action("mail.go", "g", "Go to a folder", "mail", "Finding", 16, "go to"),
    Action("go.top", "g g", "First message", "go", "Finding"),
    Action("go.inbox", "g i", "Inbox", "go", "Finding"),
    Action("go.drafts", "g d", "Drafts", "go", "Finding"),
    Action("go.outbox", "g o", "Outbox", "go", "Finding"),
    Action("go.sent", "g t", "Sent", "go", "Finding"),
    Action("go.archive", "g a", "Archive", "go", "Finding"),
    Action("go.spam", "g s", "Spam", "go", "Finding"),
    Action("go.trash", "g x", "Trash", "go", "Finding"),
    # The program
    Action("mail.check", "f5", "Check mail", "mail", "The program"),
    Action("view.sort", "S", "Sort another way", "mail", "The program"),
    Action("view.pane", "p", "Reading pane on or off", "mail", "The program"),
    Action("mail.empty-trash", "", "Empty Trash for good", "mail", "The program"),
    Action("mail.add-account", "", "Add an account", "mail", "The program"),
    Action("app.palette", "ctrl+p", "Find any action by name", "app", "The program"),
    Action("app.palette-too", ":", "Find any action by name", "mail", "The program"),
    Action("app.help", "f1", "All keys", "app", "The program"),
    Action("app.help-too", "?", "All keys", "mail", "The program", 4, "keys"),
    Action("view.quit", "q", "Back; at the list, quit", "mail", "The program", 6, "quit", "list"),
    Action("app.leave", "ctrl+q", "Quit", "app", "The program"),
    Action("app.suspend", "ctrl+z", "To the shell; fg there comes back", "mail", "The program"),
    # The composer
    Action("compose.send", "f9,ctrl+j,ctrl+enter,alt+enter", "Send", "composer", "Composing", 1, "send"),
    Action("compose.save", "ctrl+s,f2", "Save the draft", "composer", "Composing", 4, "save"),
    Action("compose.attach", "ctrl+o,f3", "Attach a file", "composer", "Composing", 2, "attach"),
    Action("compose.editor", "f4", "Write in $EDITOR", "composer", "Composing", 3, "$EDITOR"),
    Action("compose.copies", "ctrl+t,f12", "Show Cc and Bcc", "composer", "Composing", 7, "Cc, Bcc"),
    Action("compose.discard", "f8", "Discard the draft", "composer", "Composing", 6, "discard"),
    Action("compose.close", "escape", "Close; the draft is kept", "composer", "Composing", 5, "close"),
)

BY_ID = {action.id: action for action in ACTIONS}


def split(keys: str) -> tuple[str, ...]:
    """The keys of "d, delete,#" one by one."""
    return tuple(key.strip() for key in keys.split(",") if key.strip())


def bindings(where: str) -> list[BindingType]:
    """The BINDINGS of the widget or screen that answers `where`, with the default keys; the app's keymap re-binds."""
    return [
        Binding(",".join(keys), action.method, action.short or action.words, show=action.bar > 0, id=action.id)
        for action in ACTIONS
        if action.where == where and (keys := [key for key in split(action.keys) if " " not in key])
    ]


_SHOWN = {"escape": "Esc", "enter": "Enter", "space": "Space", "delete": "Del", "home": "Home", "end": "End"}
_SHOWN |= {"pageup": "PgUp", "pagedown": "PgDn", "backspace": "Backspace", "tab": "Tab"}


def shown(key: str) -> str:
    """A key as a person reads it: "?" for question_mark, "F5", "ctrl+p", "g i"."""
    if " " in key:
        return " ".join(shown(part) for part in key.split())
    if key in _SHOWN:
        return _SHOWN[key]
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return format_key(key)
