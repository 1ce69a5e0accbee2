"""The text between two boundaries of blocks in an HTML mail: joined to one block, with its links numbered."""

from __future__ import annotations

import re

from termmail.mail.html.links import Anchor
from termmail.mail.html.tables import Block
from termmail.mail.sanitize import clean_lines

STRUCK = "\u0336"
"""Follows each letter that is struck out until lines are made of the blocks. It has no width."""
_LETTER = re.compile(r"(\S)")


class InlineText:
    """Collect text until `take` makes a block of it.

    `marker` is the bullet or number before the next block, and `spaced` tells whether a blank line precedes it. `numbers`
    are those of the URLs so far; new ones are added. `anchors` are the links with visible text, in order.
    """

    def __init__(self, numbers: dict[str, int]) -> None:
        self.anchors: list[Anchor] = []
        self.marker = ""
        self.spaced = False
        self._numbers = numbers
        self._link: Anchor | None = None
        self._pieces: list[str] = []

    @property
    def in_link(self) -> bool:
        """Whether a link is open."""
        return self._link is not None

    def write(self, text: str, *, struck: bool = False) -> None:
        """Add visible text."""
        self._pieces.append(_LETTER.sub(rf"\1{STRUCK}", text) if struck else text)
        if self._link and not text.isspace():
            self._link.add(text)

    def break_line(self) -> None:
        """Begin a new line of the block."""
        self._pieces.append("\n")

    def start_link(self, url: str) -> None:
        """Open a link, which ends the one before it. Without a URL it is no link."""
        self.end_link()
        self._link = Anchor(0, url) if url else None

    def end_link(self) -> None:
        """Close the open link."""
        if self._link:
            self._mark_link()
            self._link = None

    def _mark_link(self) -> None:
        """Write the number of the open link directly behind its first words."""
        link = self._link
        if link and link.waiting:
            link.waiting = False
            link.number = self._numbers.setdefault(link.url, len(self._numbers) + 1)
            self.anchors.append(link)
            blanks = []
            while self._pieces and not (words := self._pieces[-1].rstrip()):
                blanks.append(self._pieces.pop())
            if self._pieces:
                blanks.append(self._pieces.pop()[len(words) :])
                self._pieces.append(words)
            self._pieces += [f"[{link.number}]", *reversed(blanks)]

    def take(self, indent: int, quote: int, kind: str, *, preserved: bool) -> Block | None:
        """Return the text so far as a block, or None where there is none. `preserved` keeps its spaces."""
        if self._link and self._link.words:
            self._mark_link()
            self._link.words.append(" ")
        if not self._pieces:
            return None
        raw = clean_lines("".join(self._pieces))
        self._pieces = []
        if "\n" not in raw and not preserved:
            line = " ".join(raw.split())
            return self._block(line, indent, quote, kind) if line else None
        if preserved:
            lines = [line.rstrip() for line in raw.split("\n")]
        else:
            lines = [" ".join(line.split()) for line in raw.split("\n")]
        last = len(lines)
        while last and not lines[last - 1]:
            last -= 1
        if not last:
            self.spaced = self.spaced or "\n" in raw
            return None
        first = next(place for place, line in enumerate(lines) if line)
        kept = [line for place, line in enumerate(lines[first:last], first) if line or lines[place - 1]]
        self.spaced = self.spaced or bool(first)
        block = self._block("\n".join(kept), indent, quote, kind)
        self.spaced = len(lines) - last > 1
        return block

    def _block(self, text: str, indent: int, quote: int, kind: str) -> Block:
        block = Block(text, indent, quote, kind, self.marker, self.spaced)
        self.marker = ""
        self.spaced = False
        return block
