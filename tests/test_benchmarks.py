"""The benchmarks run; what they measure is for whoever calls them."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "headers",
            ["10 headers, the embedded server at 50 ms", "  round trips to the newest 50", "100 headers at 0 ms"],
        ),
        ("download", ["10 whole messages at 0 ms", "termmail, in the store", "  from 40 to 160"]),
        ("conversations", ["1 000 messages grouped", "  all unfolded", "a conversation of"]),
        ("screen", ["termmail, 1 000: first mail on screen", "bytes to the terminal", "loop lag: search"]),
        ("reading", ["a short text, from the key", "a newsletter of 80 KB"]),
        ("peers", ["termmail: first of 1 000 messages", "  the slowest of twenty"]),
        ("search", ["1 000 messages imported and indexed", "query: common words", "keystroke of a search"]),
    ],
)
def test_each_benchmark_runs_to_its_last_row(name, rows):
    ran = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--quick"], capture_output=True, text=True, timeout=100
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    printed = ran.stdout.splitlines()
    for row in rows:
        assert any(line.startswith(row) for line in printed), ran.stdout
