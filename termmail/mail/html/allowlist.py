"""Which tags, attributes and styles of a mail may reach a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.html.links import target
from termmail.mail.sanitize import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_TAGS_WORDS = (
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li "
    "main mark nav ol p pre q s samp section small span strike strong sub summary sup table tbody td "
    "tfoot th thead time tr tt u ul var wbr"
)
_TAGS = frozenset(_TAGS_WORDS.split())
_CONTENT_DROPPED_WORDS = (
    "script style title template iframe object applet svg math select textarea audio video canvas "
    "noframes noembed xmp plaintext frameset datalist xml"
)
CONTENT_DROPPED = frozenset(_CONTENT_DROPPED_WORDS.split())
_ATTRIBUTES_WORDS = (
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height lang rowspan "
    "size span start style title type valign width"
)
_ATTRIBUTES = frozenset(_ATTRIBUTES_WORDS.split())
_PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")
# Whatever may load, run or break out; a backslash may spell any of them.
_UNSAFE = ("url", "image", "import", "font-face", "src", "expression", "behavior", "binding", "script", "\\", "<", "@n")


def keeps(tag: str) -> bool:
    """Whether the tag is written for the browser."""
    return tag in _TAGS


def is_harmless_sheet(text: str) -> bool:
    """Whether a style sheet only says how things look."""
    lowered = text.lower()
    return not any(word in lowered for word in _UNSAFE)


def _harmless_style(style: str) -> str:
    """The declarations of a style attribute that only say how things look."""
    kept = [one.strip() for one in style.split(";") if one.strip() and is_harmless_sheet(one)]
    return "; ".join(one for one in kept if "position" not in one.lower())


def attributes_kept(tag: str, attributes: Iterable[tuple[str, str | None]]) -> list[tuple[str, str]]:
    """The attributes written for the browser, their values cleaned but not escaped."""
    kept = []
    for name, raw in attributes:
        value = clean(raw or "")
        if name == "style":
            value = _harmless_style(value)
        elif tag == "a" and name == "href":
            value = target(value)
        elif tag == "img" and name == "src":
            value = value if value.lower().startswith(_PICTURES) else ""
        elif name not in _ATTRIBUTES:
            continue
        if value or name == "alt":
            kept.append((name, value))
    if tag == "a":
        kept += [("rel", "noopener noreferrer"), ("target", "_blank")]
    return kept
