"""Join the lines of paragraphs that were broken by hand, so that they wrap at another width. In doubt a line stays.

Only prose is joined: lines that are filled up to one column. Lists, tables, code, patches, verses, addresses, drawings
and signatures stay as they were written.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail.check import no_check
from termmail.mail.width import broken_word, cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from termmail.mail.check import Check
    from termmail.mail.flowed import Paragraph

NARROWEST, WIDEST = 50, 100
"""Cells of the longest line of a paragraph that was broken by hand."""
LEAST_FULL = 2
"""Full lines of one depth of quoting from which its column is believed."""
PATCH = re.compile(r"(?:diff --git |Index: |@@ -|--- [^ ]+/|\+\+\+ [^ ]+/)")
_LISTED = re.compile(r"(?:[-*+•·–—]|\(?[0-9]{1,3}[.):]|\(?[A-Za-z][.)])\s|[-=_*#~.]{3,}")
_FIELD = re.compile(r"[A-Z][A-Za-z-]{0,20}: ")
_CODE_START = re.compile(
    r"(?:[$#%|>@}\\]|//|/\*|>>>|\.\.\.|def |class |import |from \S+ import |function |return |if \(|for \()"
)
_CODE_END = ("{", "}", ";", "\\", "|", "=>", "&&", "||")
_COLUMNS = re.compile(r"[^.!?:;,\s]\s{2,}\S|\S\s{3,}\S|\|.*\||\t")
_LETTERS = 0.6  # of the characters of a line of prose
_ONE_WORD = re.compile(r"\S+")


def joined(found: Sequence[Paragraph], width: int, check: Check = no_check) -> list[Paragraph]:
    """Return the lines of a text with those joined that belong to one paragraph and do not fit `width`. Linear."""
    if any(PATCH.match(one.text) for one in found):
        return list(found)
    blocks = list(_blocks(found, check))
    columns = _columns(blocks, check)
    result: list[Paragraph] = []
    for block in blocks:
        column = columns.get(block[0].quote, 0)
        result += _joined_block(block, column) if len(block) > 1 and column > width else block
    return result


def _blocks(found: Sequence[Paragraph], check: Check) -> Iterator[list[Paragraph]]:
    """Yield lines of prose that follow one another at one depth of quoting, and every other line alone."""
    block: list[Paragraph] = []
    fields = [False, *(_FIELD.match(line.text) is not None for line in found), False]
    for place, line in enumerate(found, 1):
        check()
        listed = fields[place] and (fields[place - 1] or fields[place + 1])
        prose = not listed and _is_prose(line)
        if block and not (prose and line.quote == block[0].quote):
            yield block
            block = []
        if prose:
            block.append(line)
        else:
            yield [line]
    if block:
        yield block


def _columns(blocks: Sequence[list[Paragraph]], check: Check) -> dict[int, int]:
    """Return for each depth of quoting the column that its lines are filled up to; none where too few are."""
    columns: dict[int, int] = {}
    for block in blocks:
        check()
        if len(block) > 1:
            widest = max(cells(line.text) for line in block)
            columns[block[0].quote] = max(columns.get(block[0].quote, 0), widest)
    full: dict[int, int] = {}
    for block in blocks:
        check()
        depth = block[0].quote
        if len(block) > 1:
            full[depth] = full.get(depth, 0) + sum(_full(block, columns[depth]))
    return {
        depth: column
        for depth, column in columns.items()
        if NARROWEST <= column <= WIDEST and full[depth] >= LEAST_FULL
    }


def _full(block: Sequence[Paragraph], column: int) -> list[bool]:
    """Return for each line but the last whether the first word of the next one had no room in it."""
    return [cells(line.text) + 1 + _first_word(following.text) > column for line, following in pairwise(block)]


def _joined_block(block: Sequence[Paragraph], column: int) -> list[Paragraph]:
    """Return lines of prose, joined where a line was full; as they are where most of them were not."""
    full = _full(block, column)
    if sum(full) * 2 <= len(full):
        return list(block)
    result: list[Paragraph] = []
    pieces = [block[0].text]
    for line, following, was_full in zip(block, block[1:], full, strict=False):
        if was_full:
            hyphen = line.text.endswith("-") and line.text[-2:-1].isalpha()
            pieces.append("" if hyphen or broken_word(line.text[-1], following.text[0]) else " ")
        else:
            result.append(replace(line, text="".join(pieces)))
            pieces = []
        pieces.append(following.text)
    return [*result, replace(block[-1], text="".join(pieces))]


def _is_prose(line: Paragraph) -> bool:
    """Return whether a line alone may be part of a paragraph that was broken by hand."""
    text = line.text.rstrip(" ")
    if line.kind or not text or text[0].isspace() or (" " not in text.strip() and text.isascii()):
        return False
    if _LISTED.match(text) or _CODE_START.match(text) or _COLUMNS.search(text):
        return False
    if text.rstrip().endswith(_CODE_END):
        return False
    letters = sum(char.isalpha() or char == " " for char in text)
    return letters >= _LETTERS * len(text)


def _first_word(text: str) -> int:
    """Return the cells of the first word; of East Asian text, where a line may break anywhere, those of a letter."""
    if cells(text[0]) == 2:
        return 1
    match = _ONE_WORD.match(text)
    return cells(match[0]) if match else 0
