"""Draw marks, frames and typographic signs as ASCII, for terminals and fonts that lack them. Letters stay."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

SIGNS = {
    "▌": ">", "▏": "_", "●": "o", "○": "o", "★": "*", "☆": "*", "✓": "+", "✗": "x", "↶": "r", "↷": "f",
    "←": "<", "→": ">", "↑": "^", "↓": "v", "▸": ">", "▾": "v", "▶": ">", "▼": "v", "‹": "<", "›": ">",
    "…": "~", "·": "-", "•": "*", "–": "-", "—": "-", "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'",
    "━": "=", "\u00a0": " ",
}  # fmt: skip
"""One cell each, and drawn in one cell."""

_CORNERS = range(0x2500, 0x2580)
_ACROSS, _DOWN = set("─━┄┅┈┉╌╍═╴╶╸╺╼╾"), set("│┃┆┇┊┋╎╏║╵╷╹╻╽╿")
_BLOCKS = range(0x2580, 0x25A0)


def _table() -> dict[int, str]:
    table = dict.fromkeys(_CORNERS, "+")
    table |= {ord(sign): "-" for sign in _ACROSS} | {ord(sign): "|" for sign in _DOWN}
    table |= dict.fromkeys(_BLOCKS, "#")
    return table | {ord(sign): ascii_sign for sign, ascii_sign in SIGNS.items()}


TABLE = _table()


@lru_cache(4096)
def in_ascii(text: str) -> str:
    """Return the text with the same number of cells, its signs in ASCII."""
    return text.translate(TABLE)


class AsciiMarks(LineFilter):
    """Replaces signs in every line that is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - Textual's signature
        """Return the segments with ASCII signs."""
        return [
            segment if segment.text.isascii() else Segment(in_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]
