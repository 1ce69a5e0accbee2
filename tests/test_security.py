"""SECURITY.md: each promise names a test that exists, and a row that code or tests refer to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^\| ([TDPISML]\d+) \| .* \| `(.*)::(.*)` \|$", TEXT)


def test_every_row_names_a_test():
    assert len(ROWS) == len(re.findall(r"(?m)^\| [TDPISML]\d+ \|", TEXT)) > 60
    assert len({name for name, _, _ in ROWS}) == len(ROWS)


@pytest.mark.parametrize(("row", "path", "test"), ROWS, ids=[row for row, _, _ in ROWS])
def test_the_test_that_holds_a_row_exists(row, path, test):
    source = (ROOT / path).read_text(encoding="utf-8")
    assert re.search(rf"(?m)^(async )?def {test}\(", source), f"{row}: {path} has no {test}"


def test_every_row_that_code_or_tests_refer_to_is_there():
    known = {name for name, _, _ in ROWS}
    missing = {}
    for folder in ("termmail", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            named = re.findall(r"SECURITY\.md,? ([TDPISML]\d+)", path.read_text(encoding="utf-8"))
            if wrong := set(named) - known:
                missing[str(path)] = wrong
    assert missing == {}
