"""How long work is stopped: it calls a function regularly, which raises when the result is no longer wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Check: TypeAlias = Callable[[], None]
"""Called after each bounded piece of work, such as a tag or a line. What it raises ends the work."""


def no_check() -> None:
    """Stop nothing."""
