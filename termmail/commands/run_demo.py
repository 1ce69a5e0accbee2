"""The demo: the embedded servers on loopback, and a throw-away profile that reads from them."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.accounts import config as configuration
from termmail.accounts.paths import Paths
from termmail.demo.loopback_servers import config_for, demo_servers, serve
from termmail.engine.engine import Engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def demo_engine(config: configuration.Config | None = None) -> AsyncIterator[Engine]:
    """Run an Engine on a throw-away profile with its servers; everything is removed at the end.

    `config` gives the theme and keys of the user.
    """
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="termmail-demo-"))
    try:
        async with demo_servers() as demo:
            paths = Paths(config=folder / "config.toml", data=folder / "data")
            paths.config.write_text(config_for(demo), encoding="utf-8")
            paths.config.chmod(0o600)
            loaded = configuration.load(paths.config)
            if config is not None:
                loaded = replace(loaded, ui=config.ui, notifications=config.notifications)
            engine = await Engine.open(paths, loaded)
            try:
                yield engine
            finally:
                await engine.close()
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def serve_only() -> int:
    """Run the servers alone until Ctrl+C, and print how to connect."""
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(lambda words: print(words, flush=True)))
    return 0
