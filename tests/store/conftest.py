"""A real store in a temporary folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from termmail.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mail.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.open(path) as opened:
        yield opened
        assert opened.check() == []
