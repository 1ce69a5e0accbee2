"""Links of an HTML mail: the URL a browser would open, its host, and texts that name another host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

from termmail.mail.message import Line
from termmail.mail.sanitize import clean, cut
from termmail.mail.width import cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from termmail.mail.check import Check
    from termmail.mail.message import Link

TEXT_LIMIT = 300
"""Characters of a link's text that are kept."""
_URL_LIMIT = 8_000
_NARROWEST = 10  # cells of a line of the list
_WORDS_LIMIT = 20
_FILE_WORDS = (
    "py md rs sh pl zip mov ps html htm txt pdf js ts json css png jpg jpeg gif svg doc docx xls xlsx ppt pptx c h cpp "
    "go toml yaml yml xml csv eml ics"
)
_FILE_EXTENSIONS = frozenset(_FILE_WORDS.split())
_URL_SAFE = "".join(map(chr, range(0x21, 0x7F)))
_CONTROLS_AND_SPACE = "".join(map(chr, range(0x21)))


@dataclass(slots=True)
class Anchor:
    """A link with visible text. `number` is 0 until its first words are written.

    `waiting` is true while the number has to be written behind the words that came last.
    """

    number: int
    url: str
    words: list[str] = field(default_factory=list)
    length: int = 0
    waiting: bool = False

    def add(self, text: str) -> None:
        """Add visible text to the link."""
        self.waiting = self.waiting or not self.words
        if self.length < TEXT_LIMIT:
            self.words.append(text[:TEXT_LIMIT])
            self.length += len(text)

    def text(self) -> str:
        """Return the visible text of the link on one line."""
        return " ".join(clean("".join(self.words)).split())[:TEXT_LIMIT]


def target(href: str) -> str:
    """Return the cleaned http, https or mailto URL of a link, or "" for any other scheme.

    Line breaks, tabs and leading controls are removed as browsers do (WHATWG URL Standard, section 4.4).
    """
    url = "".join(href.split("\n")).replace("\r", "").replace("\t", "").strip(_CONTROLS_AND_SPACE)
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
    """Return whether the source of a picture is on a server."""
    return source.strip().lower().startswith(("http:", "https:", "//", "ftp:"))


def host(url: str) -> str:
    """Return the host a browser connects to: behind any user name, with a backslash read as a slash.

    For a mailto URL, return the domain of the address.
    """
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
    """Return the host that a word of visible text names, or "".

    A single word with a dot names a host unless its end is a file extension.
    """
    if "://" in word:
        return host(word)
    name = word.partition("/")[0]
    labels = name.split(".")
    if not name.startswith("www.") and not (alone and len(labels) > 1 and labels[-1] not in _FILE_EXTENSIONS):
        return ""
    valid = all(label and label.replace("-", "").isalnum() for label in labels)
    return name if valid and len(labels[-1]) > 1 and not labels[-1].isdigit() else ""


def other_host(text: str, url: str) -> str:
    """Return the host that a link's text names where the link goes to another one, else ""."""
    words = [word.strip("<>()[]{}.,;:!?\"'“”„«»").lower() for word in text.split()[:_WORDS_LIMIT]]
    real = host(url).removeprefix("www.")
    for word in words:
        if url.startswith("mailto:"):
            named = word.rpartition("@")[2] if "@" in word[1:] else ""
        else:
            named = _named_host(word, alone=len(words) == 1).removeprefix("www.")
        if named and named != real and not named.endswith(f".{real}") and not real.endswith(f".{named}"):
            return named
    return ""


def warnings(anchors: Iterable[Anchor], limit: int = 5) -> list[str]:
    """Return a sentence for each link whose text names another host than its target, at most `limit` and a count."""
    found = []
    for anchor in anchors:
        named = other_host(anchor.text(), anchor.url)
        if named:
            found.append(f"Link [{anchor.number}] says “{named}” but goes to {host(anchor.url) or 'another place'}.")
    rest = len(found) - limit
    return found if rest <= 0 else [*found[:limit], f"{rest} more links do not go where their text says."]


def list_lines(links: Iterable[Link], width: int, check: Check) -> Iterator[Line]:
    """Yield the list of the numbered links that ends a message: a rule and one line for each."""
    width = max(width, _NARROWEST)
    numbered = [link for link in links if link.number]
    if numbered:
        yield Line("")
        yield Line("─" * min(width, 20), kind="rule")
    for link in numbered:
        check()
        yield Line(list_line(link.number, link.text, link.url, width), kind="link")


def list_line(number: int, text: str, url: str, width: int) -> str:
    """Return the line for one link in the list at the end of a message, at most `width` cells.

    It has the number, the text and the host (for mailto the address). A long text is cut, the end of the host is kept.
    """
    place = url.partition(":")[2].partition("?")[0] if url.startswith("mailto:") else host(url)
    lead = f"[{number}] "
    place = _end(place or url, width - len(lead))
    room = width - len(lead) - cells(place) - 3
    if text in (url, place) or room < 5 or not text:
        return lead + place
    return f"{lead}{cut(text, room)} · {place}"


def _end(text: str, width: int) -> str:
    """Return the text in at most `width` cells; where it is too long, its end behind "…"."""
    if cells(text) <= width:
        return text
    end = text[-max(width - 1, 1) :]
    while cells(end) > width - 1:
        end = end[1:]
    return f"…{end}"
