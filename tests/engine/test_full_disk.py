"""A disk that is full when termmail starts: mail can be read, and the reason is told."""

from __future__ import annotations

import pytest

from termmail.accounts.paths import default
from termmail.engine.context import open_store
from termmail.store.store import Store
from termmail.store.store_errors import StoreFull


def test_a_disk_that_is_full_at_the_start_is_not_called_a_matter_of_permissions(tmp_path, monkeypatch):
    where = default(tmp_path / "config.toml", tmp_path / "mail")
    open_store(where).close()
    opened = Store.open

    def full(path, *, read_only=False):
        if not read_only:
            raise StoreFull("There is no room left.")
        return opened(path, read_only=True)

    monkeypatch.setattr(Store, "open", full)
    with open_store(where) as store:
        assert store.read_only
        with pytest.raises(StoreFull, match="disk was full"), store.transaction():
            pass
