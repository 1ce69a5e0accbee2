"""termmail's own themes, and the variables of its style sheets for every other theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import Theme

from termmail.ui.colours import NAMES, Depth, Palette, palette

if TYPE_CHECKING:
    from collections.abc import Mapping

DEPTHS = {"truecolor": Depth.TRUE, "256": Depth.INDEXED}
"""Rich's names of colour systems that are not the terminal's own 16 colours."""


_ANSI = {"ansi-background": "ansi_black", "ansi-foreground": "ansi_white", "text-muted": "ansi_default"}
"""What Textual's style sheets want of a theme in the terminal's own colours."""


def themes(color_system: str | None) -> list[Theme]:
    """Return termmail's themes for a terminal, by what Rich calls its colour system."""
    depth = DEPTHS.get(color_system or "", Depth.NAMED)
    return [_theme(name, palette(name, depth)) for name in NAMES]


def _theme(name: str, colours: Palette) -> Theme:
    named = colours.background.startswith("ansi_")
    return Theme(
        name=name,
        ansi=named,
        dark=colours.dark,
        primary=colours.primary,
        secondary=colours.link,
        accent=colours.accent,
        warning=colours.warning,
        error=colours.error,
        success=colours.success,
        foreground=colours.foreground,
        background=colours.background,
        surface=colours.surface,
        panel=colours.panel,
        variables=_variables(colours, named=named),
    )


def _variables(colours: Palette, *, named: bool) -> dict[str, str]:
    own = {
        "bar": colours.bar,
        "bar-text": colours.foreground,
        "bar-quiet": colours.quiet,
        "bar-key": colours.accent,
        "frame": colours.frame,
        "read": colours.read,
        "unread": colours.unread,
        "quiet": colours.quiet,
        "cursor": colours.cursor,
        "cursor-text": colours.cursor_text,
        "cursor-quiet": colours.cursor_quiet,
        "cursor-mark": colours.accent,
        "blurred": colours.blurred,
        "blurred-text": colours.foreground,
        "selected": colours.selected,
        "focus": colours.primary,
        "star": colours.star,
        "quote": colours.quote,
        "link": colours.link,
        "alert": colours.alert,
        "alert-text": "ansi_bright_white" if named else colours.foreground,
        **{f"label-{number}": colour for number, colour in enumerate(colours.labels, 1)},
    }
    textuals = {
        "block-cursor-background": colours.cursor,
        "block-cursor-foreground": colours.cursor_text,
        "block-cursor-text-style": "reverse" if named else "none",
        "block-cursor-blurred-background": colours.blurred,
        "block-cursor-blurred-foreground": colours.foreground,
        "border": colours.primary,
        "border-blurred": colours.frame,
        "text-primary": colours.primary,
        "text-secondary": colours.link,
        "text-accent": colours.accent,
        "text-warning": colours.warning,
        "text-error": colours.error,
        "text-success": colours.success,
        "text-muted": colours.quiet,
        "text-disabled": colours.quiet,
        "scrollbar": colours.frame,
        "scrollbar-hover": colours.quiet,
        "scrollbar-active": colours.primary,
        "scrollbar-background": colours.background,
        "scrollbar-background-hover": colours.background,
        "scrollbar-background-active": colours.background,
        "scrollbar-corner-color": colours.background,
        "input-selection-background": colours.cursor,
        "input-selection-foreground": colours.cursor_text,
    }
    return own | textuals | (_ANSI if named else {})


def defaults(variables: Mapping[str, str]) -> dict[str, str]:
    """Return termmail's variables for a theme that does not know them, from those of Textual."""
    foreground, background = variables["foreground"], variables["background"]
    cursor, cursor_text = variables["block-cursor-background"], variables["block-cursor-foreground"]
    shades = ("primary", "success", "warning", "error", "accent", "secondary")
    return {
        "bar": f"{foreground} 12%",
        "bar-text": foreground,
        "bar-quiet": f"{foreground} 70%",
        "bar-key": variables["text-accent"],
        "frame": f"{foreground} 15%",
        "read": foreground,
        "unread": foreground,
        "quiet": f"{foreground} 60%",
        "cursor": cursor,
        "cursor-text": cursor_text,
        "cursor-quiet": cursor_text,
        "cursor-mark": cursor_text,
        "blurred": f"{foreground} 20%",
        "blurred-text": foreground,
        "selected": f"{foreground} 10%",
        "focus": variables["primary"],
        "star": variables["text-accent"],
        "quote": f"{foreground} 60%",
        "link": variables["text-accent"],
        "alert": f"{background} 0%" if background.startswith("ansi_") else variables["error-muted"],
        "alert-text": foreground,
        **{f"label-{number}": variables[f"text-{shade}"] for number, shade in enumerate(shades, 1)},
    }
