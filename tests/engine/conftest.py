"""An Engine on real embedded servers, a real store in a temporary folder, and passwords kept in memory."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from termmail.accounts.config import Account, Config, Imap, Pop3, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.engine.engine import Engine
from tests.conftest import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from termmail.engine.events import Event


def account(pop3_port: int, smtp_port: int, **pop3: Any) -> Account:
    """Ada's account at these ports of loopback, without TLS."""
    plain = {"host": "127.0.0.1", "security": "none", "allow_cleartext": True, "timeout_seconds": 5}
    return Account(
        name="Ada Lovelace",
        address=USER,
        pop3=Pop3(port=pop3_port, **{**plain, "poll_minutes": 0, **pop3}),
        smtp=Smtp(port=smtp_port, **plain),
    )


def imap_account(port: int, smtp_port: int = 1, **imap: Any) -> Account:
    """Ada's account at an IMAP server of loopback, without TLS."""
    plain = {"host": "127.0.0.1", "security": "none", "allow_cleartext": True, "timeout_seconds": 5}
    return Account(
        name="Ada Lovelace",
        address=USER,
        imap=Imap(port=port, **{**plain, "poll_minutes": 0, **imap}),
        smtp=Smtp(port=smtp_port, **plain),
    )


class Heard(list[Any]):
    """Every event of an Engine, in order."""

    def of(self, kind: type[Event]) -> list[Any]:
        """Those of one kind."""
        return [event for event in self if isinstance(event, kind)]


@pytest.fixture
def engine_at(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Engine]]:
    """`async with engine_at(pop3_port, smtp_port) as engine`: an Engine for one account, "ada"; `engine.heard` has its
    events. The data folder stays the same for the whole test, so that a second one finds what the first one kept."""

    @asynccontextmanager
    async def opened(
        pop3_port: int = 1, smtp_port: int = 1, *, commit: bool = False, **pop3: Any
    ) -> AsyncIterator[Engine]:
        settings = account(pop3_port, smtp_port, **pop3)
        async with _opened(tmp_path, settings, commit=commit) as engine:
            yield engine

    return opened


@pytest.fixture
def imap_engine_at(tmp_path: Path) -> Callable[..., AbstractAsyncContextManager[Engine]]:
    """`async with imap_engine_at(port) as engine`: as engine_at, for an IMAP account."""

    @asynccontextmanager
    async def opened(
        port: int, smtp_port: int = 1, *, commit: bool = False, folder: str = "", **imap: Any
    ) -> AsyncIterator[Engine]:
        async with _opened(tmp_path / folder, imap_account(port, smtp_port, **imap), commit=commit) as engine:
            yield engine

    return opened


@asynccontextmanager
async def _opened(tmp_path: Path, settings: Account, *, commit: bool) -> AsyncIterator[Engine]:
    passwords = Passwords()
    passwords.remember("ada", settings.protocol, settings, PASSWORD)
    paths = Paths(config=tmp_path / "config.toml", data=tmp_path / "data")
    engine = await Engine.open(paths, Config(accounts={"ada": settings}), passwords=passwords)
    engine.heard = Heard()  # type: ignore[attr-defined]
    engine.context.subscribe(engine.heard.append)  # type: ignore[attr-defined]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.close, commit=commit)
        yield engine


def mail(number: int, *, size: int = 0, subject: str = "") -> bytes:
    """A small message, different for each number."""
    body = f"This is message {number}.\r\n" + "x" * 70 * bool(size) + "\r\n" * bool(size)
    body *= max(size // 72, 1)
    return (
        f"Received: from a by b; Mon, 2 Mar 2026 09:{number // 60 % 60:02}:{number % 60:02} +0000\r\n"
        f"From: Charles Babbage <charles@example.net>\r\nTo: {USER}\r\n"
        f"Subject: {subject or f'Engine part {number}'}\r\n"
        f"Date: Mon, 2 Mar 2026 09:{number // 60 % 60:02}:{number % 60:02} +0000\r\n"
        f"Message-ID: <m{number}@example.net>\r\n\r\n{body}"
    ).encode()
