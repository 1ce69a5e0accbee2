"""Draw of a screen only the lines that have changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual._compositor import Compositor
from textual.geometry import Region

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.strip import Strip


class LineCompositor(Compositor):
    """Textual's compositor, which asks every widget for all of its lines whenever one line of one of them has changed.

    Here only widgets on the lines of the update are asked, and only for those lines: a cursor that moves costs half.
    """

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        if crop is None:
            yield from super()._get_renders()
            return
        lines = Region(0, crop.y, self.size.width, crop.height)
        for widget, (region, clip) in self.visible_widgets.items():
            visible = clip.intersection(lines)
            shown = region.intersection(visible)
            if shown:
                yield region, visible, widget.render_lines(shown.translate((-region.x, -region.y)))
