"""Announce new mail through the terminal: the bell, or a control sequence that makes the terminal notify.

OSC 9 (iTerm2, WezTerm, Ghostty and others), OSC 777 (rxvt-unicode, VTE, foot) and OSC 99 (kitty) go through ssh as any
output does. tmux hands them on where `allow-passthrough` is on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from termmail.engine.announcer import Announcement
    from termmail.ui.app import TermmailApp

ESC, ST = "\x1b", "\x1b\\"
TITLE = "termmail"


def announce(app: TermmailApp, said: Announcement) -> None:
    """Announce as the config says; a terminal that is gone is no failure."""
    engine = app.engine
    if engine is None:
        return
    settings = engine.preferences.notifications
    if settings.new_mail == "bell":
        app.bell()
    elif settings.new_mail == "terminal" and app._driver is not None:  # noqa: SLF001 - Textual has no public way
        app._driver.write(sequence(said.words, settings.sequence))  # noqa: SLF001


def sequence(words: str, kind: str = "auto", environment: Mapping[str, str] = os.environ) -> str:
    """Return the control sequence that notifies with these words.

    No character of theirs can end it or begin another one: everything that is not printable is left out, and the
    words never come first, where a digit would be a command of ConEmu's (OSC 9;4).
    """
    words = "".join(char for char in words if char.isprintable())
    if kind == "auto":
        kind = _understood(environment)
    if kind == "osc99":
        made = f"{ESC}]99;i=termmail:d=1;{TITLE}: {words}{ST}"
    elif kind == "osc777":
        made = f"{ESC}]777;notify;{TITLE};{words.replace(';', ',')}{ST}"
    else:
        made = f"{ESC}]9;{TITLE}: {words}{ST}"
    if environment.get("TMUX"):
        return f"{ESC}Ptmux;{made.replace(ESC, ESC * 2)}{ST}"
    return made


def _understood(environment: Mapping[str, str]) -> str:
    """Return which sequence the terminal knows, by what it says of itself; over ssh that is TERM alone."""
    term = environment.get("TERM", "")
    if "kitty" in term or environment.get("KITTY_WINDOW_ID"):
        return "osc99"
    if term.startswith(("foot", "rxvt")) or environment.get("VTE_VERSION"):
        return "osc777"
    return "osc9"
