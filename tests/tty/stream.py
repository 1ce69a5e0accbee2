"""What may leave for the terminal: judges every byte a program wrote to its pty."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

TEXTUALS_OWN = {
    "m",  # colours and styles
    "H",  # the cursor to a place
    *(f"?{mode}{way}" for mode in (1000, 1003, 1004, 1006, 1015, 1049, 2004) for way in "hl"),  # mouse, focus, paste
    "?25l",  # the cursor away, and back
    "?25h",
    "?7l",  # no wrapping at the edge
    "?7h",
    "?2026$p",  # does the terminal know frames, and tell its own size?
    "?2048$p",
    *(f"?{mode}{way}" for mode in (2026, 2048) for way in "hl"),
    ">25u",  # keys as the kitty protocol has them
    "<u",
}
"""The control sequences (CSI) Textual speaks, without their numbers where those are coordinates or colours."""

POINTER = re.compile("\x1b\\]22;[a-z-]*\x07")
"""The one operating system command (OSC) Textual speaks: the shape of the mouse pointer."""

_CSI = re.compile("\x1b\\[([<=>?]?)([0-9;:]*)([ -/]*)([@-~])")
_INVISIBLE = frozenset("\u200d\u200e")
"""May be drawn: what holds emoji together, and the left-to-right mark the list puts behind a name that runs the other
way."""


def foreign(written: bytes) -> Counter[str]:
    """Everything in these bytes that only a mail can have put there, counted; nothing is the right answer.

    Left over after Textual's own sequences may be text and line ends, and no other control character: no escape, no
    bell, none of C1 (as UTF-8, or as bytes that are no UTF-8), nothing that turns the direction of writing.
    """
    try:
        text = written.decode("utf-8")
    except UnicodeDecodeError as error:
        return Counter({f"no UTF-8: {written[max(0, error.start - 40) : error.end + 40]!r}": 1})
    found: Counter[str] = Counter()

    def judged(match: re.Match[str]) -> str:
        marker, numbers, between, final = match.groups()
        form = f"{marker}{'' if final in 'mH' and not marker else numbers}{between}{final}"
        if form not in TEXTUALS_OWN:
            found[f"CSI {form}"] += 1
        return ""

    for char, count in Counter(_CSI.sub(judged, POINTER.sub("", text)).replace("\r\n", "")).items():
        control = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
        if control and char not in _INVISIBLE:
            found[f"U+{ord(char):04X}"] = count
    return found


def seen(written: bytes) -> str:
    """The text of it, without any control sequence."""
    return _CSI.sub("", POINTER.sub("", written.decode("utf-8", "replace")))
