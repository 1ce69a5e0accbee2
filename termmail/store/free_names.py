"""A name that nothing else has: with a number behind it where the wanted one is taken."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def free_name(name: str, is_taken: Callable[[str], bool], *, ending: str = " ({})", longest: int | None = None) -> str:
    """Return `name`, or the first of `name (2)`, `name (3)` and so on that is not taken.

    `ending` is how the number is written. A name that gets one is cut to `longest` characters, the number included.
    """
    endings = (ending.format(number) for number in itertools.count(2))
    numbered = ((name if longest is None else name[: longest - len(end)].rstrip()) + end for end in endings)
    return next(one for one in itertools.chain([name], numbered) if not is_taken(one))
