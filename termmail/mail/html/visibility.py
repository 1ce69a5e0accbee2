"""The style that the text of an HTML mail inherits, and whether a person can see it.

What hides the children is what CSS says: `display: none`, `opacity: 0` and a clipped box without size hide all that is
inside. `visibility`, the font size and the color are inherited, children may change them, and they are judged where the
text stands, against the background behind that text. `mso-hide` concerns Outlook alone and hides nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass

from termmail.mail.html.css import (
    TRANSPARENT,
    UNKNOWN,
    attribute_color,
    color,
    declarations,
    font_size,
    is_zero,
    length,
)
from termmail.mail.html.elements import BLOCKS

_PAGE = "ffffff"
_SMALLEST_FONT = 2.0  # CSS pixels; text below is there to be found, not to be read
_TRACKING_PIXEL = 2.0  # pixels; a picture not larger in both directions is there to be loaded, not to be seen
_STRUCK = frozenset(("s", "strike", "del"))
_UNCLIPPED = frozenset(("table", "tbody", "thead", "tfoot", "tr", "td", "th", "body", "html"))
_LINK_COLOR = "0000ee"
_OVERFLOW = frozenset(("overflow", "overflow-x", "overflow-y"))
_SIDES = (("height", "max-height", "overflow-y"), ("width", "max-width", "overflow-x"))
_PRESENTATIONAL = frozenset(("style", "class", "id", "hidden", "bgcolor", "background", "color", "size"))
_WITH_DEFAULT_STYLE = frozenset(("a", "pre", "textarea", "s", "strike", "del", "datalist", "dialog"))
_INLINE_DISPLAYS = frozenset(("", "inline", "contents"))


@dataclass(frozen=True, slots=True)
class Look:
    """The inherited style of the text in an element.

    `removed` hides everything inside. `font_size` is in CSS pixels, None where it is unknown. `color` and `background`
    are six hexadecimal digits, or `UNKNOWN`.
    """

    removed: bool = False
    invisible: bool = False
    font_size: float | None = 16.0
    color: str = "000000"
    background: str = _PAGE
    preserved: bool = False
    struck: bool = False

    def hides_text(self) -> bool:
        """Return whether text with this style cannot be seen."""
        return (
            self.removed
            or self.invisible
            or (self.font_size is not None and self.font_size < _SMALLEST_FONT)
            or self.color == TRANSPARENT
            or (self.color == self.background != UNKNOWN)
        )


def look(tag: str, attributes: dict[str, str], parent: Look, *, sheet: bool = False) -> Look:
    """Return the style of an element from its attributes and the style of its parent.

    `sheet` tells that the mail has a style sheet with colors: then the colors of an element with a class or an id are
    unknown unless its own style has them.
    """
    if tag not in _WITH_DEFAULT_STYLE and _PRESENTATIONAL.isdisjoint(attributes):
        return parent
    style = declarations(attributes.get("style", ""))
    sheet = sheet and ("class" in attributes or "id" in attributes)
    size = parent.font_size
    if "font-size" in style:
        size = font_size(style["font-size"], size)
    elif tag == "font" and "size" in attributes:
        size = 16.0
    return Look(
        removed=parent.removed or _removes(tag, style, attributes),
        invisible=_is_invisible(style, parent),
        font_size=size,
        color=_color(tag, style, attributes, parent.color if not sheet else UNKNOWN),
        background=_background(style, attributes, parent.background, sheet=sheet),
        preserved=_preserves_space(tag, style, parent),
        struck=parent.struck
        or tag in _STRUCK
        or "line-through" in style.get("text-decoration", "") + style.get("text-decoration-line", ""),
    )


def _removes(tag: str, style: dict[str, str], attributes: dict[str, str]) -> bool:
    """Return whether an element hides everything inside it."""
    display = style.get("display")
    if display == "none" or is_zero(style.get("opacity")):
        return True
    if display is None and (
        "hidden" in attributes or tag == "datalist" or (tag == "dialog" and "open" not in attributes)
    ):
        return True
    if tag in _UNCLIPPED or _OVERFLOW.isdisjoint(style) or not _is_box(tag, style):
        return False
    return any(
        style.get(overflow, style.get("overflow", "visible")) not in ("visible", "initial")
        and (is_zero(style.get(size)) or is_zero(style.get(most)))
        for size, most, overflow in _SIDES
    )


def _is_box(tag: str, style: dict[str, str]) -> bool:
    """Return whether an element has a height and a width of its own: inline text has none, so nothing clips it."""
    return (
        (tag in BLOCKS and "display" not in style)
        or style.get("display", "") not in _INLINE_DISPLAYS
        or style.get("float", "none") != "none"
        or style.get("position") in ("absolute", "fixed")
    )


def _is_invisible(style: dict[str, str], parent: Look) -> bool:
    visibility = style.get("visibility")
    if visibility in ("hidden", "collapse"):
        return True
    return parent.invisible and visibility not in ("visible", "initial")


def _color(tag: str, style: dict[str, str], attributes: dict[str, str], inherited: str) -> str:
    """Return the color of the text in an element."""
    if "text-fill-color" in style or "-webkit-text-fill-color" in style or "-webkit-background-clip" in style:
        return UNKNOWN
    value = style.get("color")
    if value in ("inherit", "unset"):
        return inherited
    if value:
        return color(value)
    if tag == "font" and attributes.get("color"):
        return attribute_color(attributes["color"])
    if tag == "a" and "href" in attributes:
        return _LINK_COLOR
    return inherited


def _background(style: dict[str, str], attributes: dict[str, str], inherited: str, *, sheet: bool) -> str:
    """Return the color behind the text in an element."""
    if "background" in attributes or style.get("background-image", "none") not in ("none", "initial"):
        return UNKNOWN
    if "background-color" in style:
        found = color(style["background-color"])
    elif attributes.get("bgcolor"):
        found = attribute_color(attributes["bgcolor"])
    else:
        return UNKNOWN if sheet else inherited
    return inherited if found == TRANSPARENT else found


def _preserves_space(tag: str, style: dict[str, str], parent: Look) -> bool:
    space = style.get("white-space", "")
    return tag in ("pre", "textarea") or space.startswith("pre") or (parent.preserved and not space)


def is_tracking_pixel(attributes: dict[str, str]) -> bool:
    """Return whether a picture is at most two pixels in each direction, or nothing in one."""
    style = declarations(attributes.get("style", ""))
    sizes = [length(style.get(side) or attributes.get(side, "")) for side in ("width", "height")]
    known = [size for size in sizes if size is not None]
    return 0.0 in known or (len(known) == 2 and max(known) <= _TRACKING_PIXEL)
