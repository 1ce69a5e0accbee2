"""What letters count as the same in a search: those that differ only in case, accents or width."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ue000-\uf8ff]+"
)
"""Marks that people leave out, invisible characters, and the private ones that `store/derived.py` writes marks with."""
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U0003ffff"
"""Scripts in whose texts no blank separates the words that people look for."""
_UNSPACED_LETTER = re.compile(f"[{UNSPACED}]")


def fold(text: str) -> str:
    """Return the text with the letters that count as the same made equal; ASCII letters stay as they are.

    Each letter of a script without blanks between words stands alone, so that it can be found inside a run.
    """
    return text if text.isascii() else _NON_ASCII.sub(_folded_match, text)


def _folded_match(match: re.Match[str]) -> str:
    return _folded(match[0]) if len(match[0]) <= 32 else _fold_run(match[0])


@lru_cache(4096)
def _folded(run: str) -> str:
    return _fold_run(run)


def _fold_run(run: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", run.casefold()))
    composed = unicodedata.normalize("NFC", plain).casefold()
    return _UNSPACED_LETTER.sub(r" \g<0> ", composed)
