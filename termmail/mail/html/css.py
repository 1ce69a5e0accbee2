"""What attributes and inline styles of an HTML mail say: is it hidden, is it tiny, where does it really go.

Styles are split at their semicolons, never searched with patterns: it takes linear time, whatever they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from termmail.mail.sanitize import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_STYLE_LIMIT = 4_000
_URL_LIMIT = 8_000
_COLOURS = {"white": "ffffff", "black": "000000", "red": "ff0000", "snow": "fffafa", "transparent": ""}
_FILE_WORDS = (
    "py md rs sh pl zip mov ps html htm txt pdf js ts json css png jpg jpeg gif svg doc docx xls xlsx ppt pptx c h cpp "
    "go toml yaml yml xml csv eml ics"
)
_FILE_ENDINGS = frozenset(_FILE_WORDS.split())
_TINY = 2  # pixels; what is not larger than this in both directions is there to be loaded, not to be seen
_DIGITS = frozenset("0123456789.+-")
_STRUCK = frozenset(("s", "strike", "del"))
_URL_SAFE = "".join(map(chr, range(0x21, 0x7F)))


def declarations(style: str) -> dict[str, str]:
    """The declarations of a style attribute, names and values in lower case, without `!important`."""
    found = {}
    for one in style[:_STYLE_LIMIT].split(";"):
        name, colon, value = one.partition(":")
        if colon:
            found[name.strip().lower()] = value.partition("!")[0].strip().lower()
    return found


def length(value: str) -> float | None:
    """A CSS or HTML length as a number ("0", "1px", "0.5em", "100%"); None where it is none."""
    digits = value.strip().removesuffix("px").removesuffix("pt").removesuffix("em").removesuffix("r").rstrip("% ")
    if len(digits) > 12 or not _DIGITS.issuperset(digits):
        return None
    try:
        return float(digits)
    except ValueError:
        return None


def number(value: str) -> int | None:
    """A whole number as HTML attributes hold it ("2", "+2", "2px"), bounded; None where there is none."""
    found = length(value)
    return None if found is None else int(min(max(found, -1_000_000), 1_000_000))


def _nothing(value: str | None) -> bool:
    return value is not None and length(value) == 0


def is_hidden(style: dict[str, str]) -> bool:
    """Whether an element with this style is not to be seen, as the hidden first lines of newsletters are."""
    size = length(style.get("font-size", ""))
    return (
        style.get("display") == "none"
        or style.get("visibility") in ("hidden", "collapse")
        or style.get("mso-hide") == "all"
        or (size is not None and 0 <= size <= 1 and not style.get("font-size", "").endswith(("em", "%")))
        or _nothing(style.get("font-size"))
        or _nothing(style.get("max-height"))
        or _nothing(style.get("max-width"))
        or _nothing(style.get("opacity"))
        or (style.get("overflow") == "hidden" and (_nothing(style.get("height")) or _nothing(style.get("width"))))
    )


def colour(value: str) -> str:
    """A colour as six hex digits; "" where it is not a plain one."""
    value = value.strip().lower()
    if value.startswith("#"):
        value = value[1:]
        return "".join(digit * 2 for digit in value) if len(value) == 3 else value[:6] if len(value) in (6, 8) else ""
    if value.startswith("rgb(") and value.endswith(")") and len(value) < 40:
        parts = [part.strip() for part in value[4:-1].split(",")]
        if len(parts) == 3 and all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts):
            return "".join(f"{int(part):02x}" for part in parts)
    return _COLOURS.get(value, "")


def ground(style: dict[str, str], attributes: dict[str, str], inherited: str) -> str:
    """The background behind an element as a colour; "" where it cannot be known without a style sheet."""
    value = style.get("background-color") or style.get("background") or attributes.get("bgcolor")
    if value:
        return colour(value)
    return "" if "class" in attributes or "id" in attributes or "background" in attributes else inherited


def is_tiny(style: dict[str, str], attributes: dict[str, str]) -> bool:
    """Whether a picture is a tracking pixel: at most two pixels in each direction, or nothing in one."""
    sizes = [length(style.get(side) or attributes.get(side, "")) for side in ("width", "height")]
    known = [size for size in sizes if size is not None]
    return 0.0 in known or (len(known) == 2 and max(known) <= _TINY)


def target(href: str) -> str:
    """Where a link goes, cleaned: an http, https or mailto URL, or "" for anything else."""
    url = "".join(href.split("\n")).replace("\r", "").replace("\t", "").strip("".join(map(chr, range(0x21))))
    if url.startswith("//"):
        url = f"https:{url}"
    scheme, colon, rest = url.partition(":")
    scheme = scheme.lower()
    rest = rest.replace(" ", "%20")
    if not colon or len(url) > _URL_LIMIT or scheme not in ("http", "https", "mailto") or not rest.strip("/"):
        return ""
    if scheme != "mailto":
        rest = "//" + rest.lstrip("/\\")
    url = f"{scheme}:{rest}"
    return url if clean(url) == url else quote(url, safe=_URL_SAFE, errors="replace")


def is_remote(source: str) -> bool:
    """Whether a picture's source lies on a server."""
    return source.strip().lower().startswith(("http:", "https:", "//", "ftp:"))


def host(url: str) -> str:
    """The host a URL really goes to, as a browser reads it: behind any user name, a backslash counts as a slash."""
    scheme, _, rest = url.partition(":")
    if scheme == "mailto":
        return rest.partition("?")[0].rpartition("@")[2].lower()
    for end in "/\\?#":
        rest = rest.removeprefix("//").partition(end)[0]
    name = rest.rpartition("@")[2]
    if not name.startswith("["):
        name = name.partition(":")[0]
    return name.lower().rstrip(".")


def _named_host(word: str, *, alone: bool) -> str:
    """The host a word of visible text names, or "". A single word with a dot is one, unless it looks like a file."""
    if "://" in word:
        return host(word)
    name = word.partition("/")[0]
    labels = name.split(".")
    if not name.startswith("www.") and not (alone and len(labels) > 1 and labels[-1] not in _FILE_ENDINGS):
        return ""
    good = all(label and label.replace("-", "").isalnum() for label in labels)
    return name if good and len(labels[-1]) > 1 and not labels[-1].isdigit() else ""


def other_host(text: str, url: str) -> str:
    """The host that a link's text names where it is not the host the link goes to, else ""."""
    words = [word.strip("<>()[]{}.,;:!?\"'“”„«»").lower() for word in text.split()[:20]]
    real = host(url).removeprefix("www.")
    for word in words:
        if url.startswith("mailto:"):
            named = word.rpartition("@")[2] if "@" in word[1:] else ""
        else:
            named = _named_host(word, alone=len(words) == 1).removeprefix("www.")
        if named and named != real and not named.endswith(f".{real}") and not real.endswith(f".{named}"):
            return named
    return ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an element is before any of its text: hidden or not, and the colour behind it; struck out or not."""

    hidden: bool
    ground: str
    preserved: bool
    struck: bool = False


def seen(tag: str, attributes: dict[str, str], above: Seen) -> Seen:
    """How an element looks, from its attributes and what it stands in."""
    struck = above.struck or tag in _STRUCK
    if not attributes:
        same = struck == above.struck and tag != "pre"
        return above if same else Seen(above.hidden, above.ground, above.preserved or tag == "pre", struck)
    style = declarations(attributes.get("style", ""))
    behind = ground(style, attributes, above.ground)
    ink = colour(style.get("color") or (attributes.get("color", "") if tag == "font" else ""))
    hidden = above.hidden or "hidden" in attributes or is_hidden(style) or (bool(ink) and ink == behind)
    space = style.get("white-space", "")
    preserved = tag == "pre" or space.startswith("pre") or (above.preserved and not space)
    decoration = style.get("text-decoration", "") + style.get("text-decoration-line", "")
    return Seen(hidden, behind, preserved, struck or "line-through" in decoration)


def warnings(numbered: Iterable[tuple[int, str, str]], limit: int = 5) -> list[str]:
    """A sentence for each link (number, text, url) whose text names another host than its target."""
    found = []
    for number, text, url in numbered:
        named = other_host(text, url)
        if named:
            found.append(f"Link [{number}] says “{named}” but goes to {host(url) or 'another place'}.")
    rest = len(found) - limit
    return found if rest <= 0 else [*found[:limit], f"{rest} more links do not go where their text says."]
