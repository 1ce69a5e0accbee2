"""The terminal that the tests of the screen draw for."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def terminal_in_full_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw in 16 million colours, wherever the tests run."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
