"""Mark what a search looks for in the segments of a drawn line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style

from termmail.mail.query import Field
from termmail.mail.query_hits import hits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from termmail.mail.query import Query

FOUND = Style(bold=True, underline=True)
"""Seen on every background and without colours."""


def marked(segments: Iterable[Segment], query: Query | None) -> Iterator[Segment]:
    """Yield the segments with the words of the query (None: of no search) in segments of their own."""
    for segment in segments:
        found = hits(query, segment.text, Field.ANY) if query is not None and segment.text.strip() else []
        end = 0
        for start, after in found:
            if start > end:
                yield Segment(segment.text[end:start], segment.style)
            yield Segment(segment.text[start:after], FOUND if segment.style is None else segment.style + FOUND)
            end = after
        if end < len(segment.text):
            yield Segment(segment.text[end:], segment.style)
