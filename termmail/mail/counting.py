"""Write numbers as people read them, alone or with a noun."""

from __future__ import annotations


def number(value: int) -> str:
    """Return a number with spaces between thousands: 1 940."""
    return f"{value:,}".replace(",", " ")


def count(value: int, noun: str) -> str:
    """Return a number with its noun: 1 message, 2 messages."""
    return f"{number(value)} {noun}{'' if value == 1 else 's'}"
