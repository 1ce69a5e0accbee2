"""termmail's own pair of themes. The default is Textual's; `theme = "termmail-dark"` in the config chooses these."""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="termmail-dark",
    primary="#7aa2c9",
    secondary="#8fb3a3",
    accent="#d8b26e",
    warning="#e0a458",
    error="#d9747b",
    success="#8fb573",
    foreground="#d6d9de",
    background="#14171c",
    surface="#191d24",
    panel="#222833",
    dark=True,
    variables={"block-cursor-text-style": "none", "border": "#39424f", "border-blurred": "#2a313c"},
)

LIGHT = Theme(
    name="termmail-light",
    primary="#2f6192",
    secondary="#3f7a66",
    accent="#8a5a00",
    warning="#9a5b00",
    error="#a8323e",
    success="#3f7a33",
    foreground="#22262b",
    background="#f6f5f2",
    surface="#efeeea",
    panel="#e3e1db",
    dark=False,
    variables={"block-cursor-text-style": "none", "border": "#b9b5aa", "border-blurred": "#d5d2c9"},
)

THEMES = (DARK, LIGHT)
