"""One profile a test; its servers end with it, and its files are searched for the password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.safety.profile import Profile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def termmail(tmp_path: Path) -> AsyncIterator[Profile]:
    """`await termmail.serve([...])`, then `await termmail("sync")` and so on."""
    profile = Profile(tmp_path)
    async with profile.stack:
        yield profile
        profile.secret_is_nowhere()
