"""A pytest plugin that records which tests run which lines of termmail, for `python -m tests.mutate --covered FOLDER`.

    COVERED=/tmp/covered python -m pytest -n 2 -p tests.covering

It takes about twice as long as the plain run. What a test runs in another process is not seen.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import coverage

if TYPE_CHECKING:
    import pytest

_recording: list[coverage.Coverage] = []


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or not getattr(config.option, "numprocesses", 0):
        folder = Path(os.environ["COVERED"])
        folder.mkdir(exist_ok=True)
        file = Path(tempfile.mkdtemp(dir=folder)) / "lines"
        _recording.append(coverage.Coverage(data_file=file, source=["termmail"], config_file=False))
        _recording[0].start()


def pytest_runtest_logstart(nodeid: str) -> None:
    for one in _recording:
        one.switch_context(nodeid)


def pytest_unconfigure() -> None:
    for one in _recording:
        one.stop()
        one.save()
    _recording.clear()


def tests_of_lines(folder: Path, path: Path) -> dict[int, set[str]]:
    """The tests that ran each line of a file, by line; a line that only an import ran has none."""
    lines: dict[int, set[str]] = {}
    for file in folder.glob("*/lines"):
        data = coverage.CoverageData(str(file))
        data.read()
        for line, tests in data.contexts_by_lineno(str(path)).items():
            lines.setdefault(line, set()).update(filter(None, tests))
    return lines
