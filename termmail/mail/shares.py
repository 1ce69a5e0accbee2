"""The types of what lies on a server, for the layers that show it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Grouping(StrEnum):
    """What one line stands for."""

    SIZE = "size"
    SENDER = "sender"
    AGE = "age"
    FOLDER = "folder"


class Share(Struct, frozen=True):
    """Messages on a server that one line stands for: how many, and their bytes as the server lists them.

    `missing` of them are not here whole; `leaving` are about to be deleted there. `newest` is the date of the newest
    one. `ids` are the messages that can be deleted there and kept here.
    """

    name: str
    count: int
    size: int
    newest: int
    missing: int = 0
    leaving: int = 0
    ids: tuple[int, ...] = ()
