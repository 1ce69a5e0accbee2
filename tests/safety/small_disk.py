"""A real small disk: a tmpfs in a mount namespace of its own, which a command enters with `entered`."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.store.sealed import may_mount

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["SmallDisk", "may_mount", "small_disk"]


class SmallDisk:
    """`entered` goes in front of a command line; `seen(path)` is where this process finds a path of that namespace."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.entered = ["nsenter", f"--target={pid}", *user, "--mount", "--"]

    def seen(self, path: Path) -> Path:
        return Path(f"/proc/{self._pid}/root{path}")


@asynccontextmanager
async def small_disk(folder: Path, size: str) -> AsyncIterator[SmallDisk]:
    """Put a disk of so many bytes ("2m") at `folder`, for those who enter."""
    folder.mkdir(exist_ok=True)
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    holder = await asyncio.create_subprocess_exec(
        *["unshare", "--mount", *user, "sh", "-c"],
        f"mount -t tmpfs -o size={size} tmpfs '{folder}' && echo ready && exec cat",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    try:
        assert await holder.stdout.readline() == b"ready\n"
        yield SmallDisk(holder.pid)
    finally:
        holder.stdin.close()
        await holder.wait()
