"""The words in place of pictures and form fields, which an HTML mail shows and a terminal does not draw."""

from __future__ import annotations

from termmail.mail.sanitize import clean

PICTURE = "[picture]"
"""Stands for a picture without words."""
_LIMIT = 1_000  # characters of an alternative text or a value


def bracketed(words: str) -> str:
    """Return an alternative text in brackets; a single emoji stays as it is."""
    words = " ".join(clean(words[: _LIMIT * 2]).split())
    if not words or (len(words) <= 2 and not words.isascii()):
        return words
    return f"[{words}]" if len(words) <= _LIMIT else f"[{words[: _LIMIT - 1]}…]"


def field_words(attributes: dict[str, str]) -> str:
    """Return what an input element shows: its label, state, value or placeholder, or nothing where it is hidden."""
    kind = attributes.get("type", "text").lower()
    value = attributes.get("value", "")
    if kind in ("submit", "button", "reset", "image"):
        return bracketed(value or attributes.get("alt") or "button")
    if kind in ("checkbox", "radio"):
        return "[x] " if "checked" in attributes else "[ ] "
    if kind == "hidden":
        return ""
    return bracketed("" if kind == "password" else value or attributes.get("placeholder", "")) or "[____]"
