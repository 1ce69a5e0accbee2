"""Values of inline styles and presentational attributes: declarations, lengths, font sizes and colors.

Styles are split at their semicolons, never searched with patterns that could backtrack: parsing takes linear time.
"""

from __future__ import annotations

import functools
import re

_STYLE_LIMIT = 4_000
_DEFAULT_FONT_SIZE = 16.0
TRANSPARENT = "transparent"
"""A color that shows what is behind it."""
UNKNOWN = ""
"""A color that cannot be known from the inline styles."""
_NAMED_COLORS = {
    "white": "ffffff",
    "black": "000000",
    "red": "ff0000",
    "lime": "00ff00",
    "blue": "0000ff",
    "yellow": "ffff00",
    "aqua": "00ffff",
    "cyan": "00ffff",
    "fuchsia": "ff00ff",
    "magenta": "ff00ff",
    "silver": "c0c0c0",
    "gray": "808080",
    "grey": "808080",
    "maroon": "800000",
    "olive": "808000",
    "green": "008000",
    "purple": "800080",
    "teal": "008080",
    "navy": "000080",
    "orange": "ffa500",
    "snow": "fffafa",
    "ivory": "fffff0",
    "whitesmoke": "f5f5f5",
    "lightgray": "d3d3d3",
    "lightgrey": "d3d3d3",
    "transparent": TRANSPARENT,
}
_NO_BACKGROUND = frozenset(("none", "transparent", "initial", "inherit", "unset"))
_HEX = frozenset("0123456789abcdef")
_FONT_SIZES = {
    "xx-small": 9.0,
    "x-small": 10.0,
    "small": 13.0,
    "medium": 16.0,
    "large": 18.0,
    "x-large": 24.0,
    "xx-large": 32.0,
    "xxx-large": 48.0,
    "initial": 16.0,
    "revert": 16.0,
}
_PIXELS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78, "q": 0.945, "rem": 16.0, "": 1.0}
_RELATIVE_UNITS = {"em": 1.0, "%": 0.01, "ex": 0.5, "ch": 0.5}
_RELATIVE_WORDS = {"smaller": 0.83, "larger": 1.2, "inherit": 1.0, "unset": 1.0}
_LENGTH = re.compile(r"([+-]?(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9}))\s?([a-z%]{0,4})")
_VALUE_LIMIT = 40
_FONT_TOKENS = 8


@functools.lru_cache(maxsize=512)
def declarations(style: str) -> dict[str, str]:
    """Return the declarations of a style attribute: the winning value of each property, in lower case.

    `!important` wins over later declarations. The shorthands `font` and `background` also set `font-size`,
    `background-color` and `background-image`. The dictionary is shared: callers must not change it.
    """
    found: dict[str, str] = {}
    important: set[str] = set()
    for declaration in _without_comments(style[:_STYLE_LIMIT]).split(";"):
        name, colon, value = declaration.partition(":")
        if not colon:
            continue
        name = name.strip().lower()
        value, exclamation, _ = value.partition("!")
        value = value.strip().lower()
        for longhand, part in _expanded(name, value):
            if exclamation or longhand not in important:
                found[longhand] = part
            if exclamation:
                important.add(longhand)
    return found


def _without_comments(style: str) -> str:
    first, *rest = style.split("/*")
    return first + "".join(part.partition("*/")[2] for part in rest)


def _expanded(name: str, value: str) -> list[tuple[str, str]]:
    """Return a declaration with the longhands that a shorthand sets."""
    if name == "font":
        return [("font-size", _font_shorthand_size(value))]
    if name == "background":
        image = "url(" in value or "gradient(" in value
        return [("background-color", _background_color(value)), ("background-image", "image" if image else "none")]
    return [(name, value)]


def _background_color(value: str) -> str:
    """Return the color in a `background` shorthand: a known color, "transparent", or the value where it is neither."""
    tokens = value.split()
    if _NO_BACKGROUND.issuperset(tokens):
        return TRANSPARENT
    return value if color(value) else next((token for token in tokens if color(token)), value)


def _font_shorthand_size(value: str) -> str:
    """Return the size in a `font` shorthand ("bold 14px/20px Arial"), or "medium" where it has none."""
    for token in value.split()[:_FONT_TOKENS]:
        size, slash, _ = token.partition("/")
        match = _LENGTH.fullmatch(size)
        if size in _FONT_SIZES or size in _RELATIVE_WORDS or (match and (match[2] or slash or float(match[1]) == 0)):
            return size
    return "medium"


def length(value: str) -> float | None:
    """Return the number of a CSS or HTML length ("0", "1px", "0.5em", "100%"), or None where it is not one."""
    match = _LENGTH.fullmatch(value.strip()) if len(value) < _VALUE_LIMIT else None
    return float(match[1]) if match else None


def number(value: str) -> int | None:
    """Return a whole number of an HTML attribute ("2", "+2", "2px"), at most a million, or None."""
    found = length(value)
    return None if found is None else int(min(max(found, -1_000_000), 1_000_000))


def is_zero(value: str | None) -> bool:
    """Return whether a value is a length of zero."""
    return value is not None and length(value) == 0


def font_size(value: str, inherited: float | None) -> float | None:
    """Return a font size in CSS pixels, or None where it cannot be known (calc(), vw, var()).

    `inherited` is the size of the parent in pixels. An invalid value leaves the inherited size.
    """
    value = value.strip()
    if value in _FONT_SIZES:
        return _FONT_SIZES[value]
    if value in _RELATIVE_WORDS:
        return inherited and inherited * _RELATIVE_WORDS[value]
    match = _LENGTH.fullmatch(value) if len(value) < _VALUE_LIMIT else None
    if match is None:
        return None if "(" in value else inherited
    size, unit = float(match[1]), match[2]
    if size < 0:
        return inherited
    if unit in _RELATIVE_UNITS:
        return 0.0 if not size else inherited and inherited * size * _RELATIVE_UNITS[unit]
    return size * _PIXELS[unit] if unit in _PIXELS else None


def color(value: str) -> str:
    """Return a color as six hexadecimal digits, `TRANSPARENT`, or `UNKNOWN` where it is not a plain one."""
    value = value.strip().lower()
    if value in _NAMED_COLORS:
        return _NAMED_COLORS[value]
    if value.startswith("#") and _HEX.issuperset(value[1:]):
        return _hex_color(value[1:])
    if value.startswith(("rgb(", "rgba(")) and value.endswith(")") and len(value) < _VALUE_LIMIT:
        return _rgb_color(value.partition("(")[2][:-1])
    return UNKNOWN


def attribute_color(value: str) -> str:
    """Return the color of an HTML attribute, whose number sign may be missing (bgcolor=ffffff)."""
    value = value.strip().lower()
    return color(value) or (_hex_color(value) if _HEX.issuperset(value) else UNKNOWN)


def _hex_color(digits: str) -> str:
    if len(digits) in (3, 4):
        digits = "".join(digit * 2 for digit in digits)
    if len(digits) == 8:
        return TRANSPARENT if digits.endswith("00") else digits[:6] if digits.endswith("ff") else UNKNOWN
    return digits if len(digits) == 6 else UNKNOWN


def _rgb_color(inside: str) -> str:
    parts = inside.replace(",", " ").replace("/", " ").split()
    alpha = length(parts[3]) if len(parts) == 4 else 1.0
    if alpha == 0:
        return TRANSPARENT
    if len(parts) not in (3, 4) or alpha is None or (alpha < 1 or "%" in parts[-1]):
        return UNKNOWN
    levels = parts[:3]
    if all(part.isascii() and part.isdigit() and int(part) < 256 for part in levels):
        return "".join(f"{int(part):02x}" for part in levels)
    return UNKNOWN
