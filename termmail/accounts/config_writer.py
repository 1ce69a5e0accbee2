"""Write accounts and settings to config.toml: atomically, with comments and order of the rest kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from termmail.accounts.config import ConfigError, FolderRoles, load, parse, shown
from termmail.accounts.paths import FOLDER_MODE, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tomlkit import TOMLDocument
    from tomlkit.items import Table

    from termmail.accounts.config import Account

_ALWAYS_WRITTEN = {"name", "address", "host", "port", "security", "username"}


def add_account(path: Path, name: str, account: Account, *, default: bool = False) -> None:
    """Write the account to config.toml, replacing one of that name; comments and order of the rest are kept.

    With `default` it becomes the default account. Raises ConfigError; the file is then unchanged.
    """
    document = _document(path)
    table = _subtable(_subtable(document, "accounts"), name)
    _fill(table, account)
    _fill(_subtable(table, account.protocol), account.incoming)
    _fill(_subtable(table, "smtp"), account.smtp)
    if account.folders != FolderRoles() or "folders" in table:
        _fill(_subtable(table, "folders"), account.folders)
    if default:
        document["default_account"] = name
    _write(path, document)


def remove_account(path: Path, name: str) -> None:
    """Remove the account from config.toml, and as the default account if it was that. Raises ConfigError."""
    document = _document(path)
    tables = document.get("accounts", {})
    if name not in tables:
        raise ConfigError(f"{path.name}: accounts: there is no account {shown(name)} (there are: {', '.join(tables)})")
    del tables[name]
    if document.get("default_account") == name:
        del document["default_account"]
    _write(path, document)


def set_values(path: Path, values: Mapping[tuple[str, ...], str | bool | int]) -> None:
    """Write values to config.toml, each under its key: ("ui", "theme"). Raises ConfigError; the file is then unchanged."""
    document = _document(path)
    for (*tables, key), value in values.items():
        parent: TOMLDocument | Table = document
        for name in tables:
            parent = _subtable(parent, name)
        parent[key] = value
    _write(path, document)


def _document(path: Path) -> TOMLDocument:
    """Return the file as a tomlkit document, empty if there is no file. Raises ConfigError as `load` does."""
    import tomlkit  # noqa: PLC0415  30 ms that only writing needs

    load(path)
    return tomlkit.parse(path.read_text("utf-8-sig")) if path.exists() else tomlkit.document()


def _subtable(parent: TOMLDocument | Table, key: str) -> Table:
    import tomlkit  # noqa: PLC0415

    if key not in parent:
        parent[key] = tomlkit.table()
    table: Table = parent[key]  # load() has checked that it is one
    return table


def _fill(table: Table, settings: Struct) -> None:
    """Write the plain values of a struct into its table: those that are not the default, or are there already."""
    for field in msgspec.structs.fields(settings):
        value = getattr(settings, field.name)
        if isinstance(value, Struct):
            continue
        if value is None:
            table.pop(field.name, None)
        elif field.name in _ALWAYS_WRITTEN or field.name in table or value != field.default:
            table[field.name] = list(value) if isinstance(value, tuple) else value


def _write(path: Path, document: TOMLDocument) -> None:
    """Replace the file atomically, so that a full disk or a power cut leaves the old one. A link stays a link."""
    text = document.as_string()
    parse(text.encode(), path.name)
    target = path.resolve()
    try:
        target.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(f"{path.name}: {path} cannot be written: {reason(error)}") from None
