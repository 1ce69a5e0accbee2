"""The colours of termmail's own themes, for terminals of 16 million, 256 and 16 colours. Nothing here needs Textual."""

from __future__ import annotations

from enum import Enum

from msgspec import Struct


class Depth(Enum):
    """How many colours a terminal has."""

    TRUE = "truecolor"
    INDEXED = "256"
    NAMED = "16"


class Palette(Struct, frozen=True, kw_only=True):
    """What is drawn in which colour, as "#rrggbb", or as "ansi_..." where the terminal's own 16 colours are used.

    `quiet` is the text of dates, snippets and labels, `read` that of a message that was read, `bar` the ground of the
    first and the last line. `cursor`, `blurred` and `selected` are grounds of a row; `cursor_text` and `cursor_quiet`
    are drawn on the first of them. `labels` are colours of text.
    """

    dark: bool
    background: str
    surface: str
    panel: str
    bar: str
    frame: str
    foreground: str
    read: str
    unread: str
    quiet: str
    cursor: str
    cursor_text: str
    cursor_quiet: str
    blurred: str
    selected: str
    primary: str
    accent: str
    star: str
    quote: str
    link: str
    warning: str
    error: str
    success: str
    alert: str
    labels: tuple[str, ...]


DARK = Palette(
    dark=True,
    background="#12161d",
    surface="#1a202a",
    panel="#242c38",
    bar="#1d2430",
    frame="#2f3a49",
    foreground="#d9dee6",
    read="#b7c0cd",
    unread="#f4f7fb",
    quiet="#98a4b6",
    cursor="#22395a",
    cursor_text="#ffffff",
    cursor_quiet="#b9cbe0",
    blurred="#252f3d",
    selected="#1c2f33",
    primary="#84b6ea",
    accent="#e6c384",
    star="#f0c869",
    quote="#8fb39a",
    link="#74c4d6",
    warning="#ecaf6d",
    error="#ec8a8c",
    success="#98c77f",
    alert="#3d2329",
    labels=("#84b6ea", "#98c77f", "#e6c384", "#ec8a8c", "#c5a3e6", "#74c4d6"),
)

LIGHT = Palette(
    dark=False,
    background="#fbfaf7",
    surface="#f2f0ea",
    panel="#e6e3db",
    bar="#ebe8e1",
    frame="#d3cec3",
    foreground="#272b32",
    read="#434a55",
    unread="#0b0e13",
    quiet="#575e6a",
    cursor="#cbdff5",
    cursor_text="#0c2036",
    cursor_quiet="#3f556e",
    blurred="#e2e5ea",
    selected="#dfeee3",
    primary="#1f5fa5",
    accent="#7d5000",
    star="#8a5800",
    quote="#3f664d",
    link="#00616f",
    warning="#8a4b00",
    error="#a82a22",
    success="#2c6a2f",
    alert="#f7dedb",
    labels=("#1f5fa5", "#2c6a2f", "#7d5000", "#a82a22", "#6f3fa0", "#00616f"),
)

DARK_256 = Palette(
    dark=True,
    background="#121212",
    surface="#1c1c1c",
    panel="#303030",
    bar="#262626",
    frame="#444444",
    foreground="#dadada",
    read="#c6c6c6",
    unread="#ffffff",
    quiet="#a8a8a8",
    cursor="#3a3a3a",
    cursor_text="#ffffff",
    cursor_quiet="#d7d7d7",
    blurred="#262626",
    selected="#262626",
    primary="#87afd7",
    accent="#d7af5f",
    star="#ffd75f",
    quote="#87af87",
    link="#5fafd7",
    warning="#d7875f",
    error="#ff8787",
    success="#87af5f",
    alert="#5f0000",
    labels=("#87afd7", "#87af87", "#d7af5f", "#ff8787", "#d787d7", "#5fafd7"),
)

LIGHT_256 = Palette(
    dark=False,
    background="#ffffff",
    surface="#eeeeee",
    panel="#dadada",
    bar="#e4e4e4",
    frame="#c6c6c6",
    foreground="#262626",
    read="#444444",
    unread="#080808",
    quiet="#585858",
    cursor="#d7d7ff",
    cursor_text="#080808",
    cursor_quiet="#303030",
    blurred="#eeeeee",
    selected="#eeeeee",
    primary="#005faf",
    accent="#5f5f00",
    star="#875f00",
    quote="#005f5f",
    link="#005f87",
    warning="#875f00",
    error="#af0000",
    success="#005f00",
    alert="#ffd7d7",
    labels=("#005faf", "#005f00", "#5f5f00", "#af0000", "#5f00af", "#005f5f"),
)

NAMED = Palette(
    dark=True,
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    bar="ansi_default",
    frame="ansi_default",
    foreground="ansi_default",
    read="ansi_default",
    unread="ansi_default",
    quiet="ansi_default",
    cursor="ansi_default",
    cursor_text="ansi_default",
    cursor_quiet="ansi_default",
    blurred="ansi_default",
    selected="ansi_default",
    primary="ansi_blue",
    accent="ansi_default",
    star="ansi_yellow",
    quote="ansi_cyan",
    link="ansi_default",
    warning="ansi_red",
    error="ansi_red",
    success="ansi_green",
    alert="ansi_red",
    labels=("ansi_blue", "ansi_green", "ansi_yellow", "ansi_red", "ansi_magenta", "ansi_cyan"),
)

NAMES = ("termmail-dark", "termmail-light")
"""The names of termmail's themes."""

_PALETTES = {
    (NAMES[0], Depth.TRUE): DARK,
    (NAMES[1], Depth.TRUE): LIGHT,
    (NAMES[0], Depth.INDEXED): DARK_256,
    (NAMES[1], Depth.INDEXED): LIGHT_256,
}


def palette(name: str, depth: Depth) -> Palette:
    """Return the colours of one of NAMES on a terminal of this depth."""
    return _PALETTES.get((name, depth), NAMED)
