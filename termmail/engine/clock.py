"""The wall clock, for what is stored. Durations and time-outs use the monotonic clock of the loop."""

from __future__ import annotations

import time


def now() -> int:
    """Return the UTC time in whole seconds since 1970."""
    return int(time.time())
