"""The program as a subprocess, on a profile of its own, against embedded servers."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from termmail.demo.loopback_servers import Demo, demo_servers
from tests.one_account import one_account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Ran:
    """How a command ended: exit code, what it said, and stdout as JSON objects."""

    code: int
    out: bytes
    err: str
    json: list[Any] = field(default_factory=list)


@dataclass
class Program:
    """termmail with its own config and data folder; `demo` are the servers it talks to."""

    folder: Path
    demo: Demo

    def line(self, *words: str) -> list[str]:
        """The whole command line."""
        profile = ["--config", str(self.folder / "config.toml"), "--data", str(self.folder / "data")]
        return [sys.executable, "-m", "termmail", *profile, *words]

    async def shell(self, script: str) -> Ran:
        """Run a bash script in which `"$@"` is termmail on this profile."""
        return await self._run(["bash", "-c", script, "bash", *self.line()], b"", asyncio.subprocess.PIPE)

    async def __call__(
        self, *words: str, stdin: bytes = b"", code: int | None = 0, stdout: int = asyncio.subprocess.PIPE
    ) -> Ran:
        ran = await self._run(self.line(*words), stdin, stdout)
        if code is not None:
            assert ran.code == code, (words, ran)
        if "--json" in words:
            ran.json = [json.loads(line) for line in ran.out.splitlines()]
        return ran

    async def _run(self, line: list[str], stdin: bytes, stdout: int) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *line,
            stdin=asyncio.subprocess.PIPE,
            stdout=stdout,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "LANG": "C.UTF-8", "TZ": "UTC"},
        )
        out, err = await process.communicate(stdin)
        return Ran(process.returncode or 0, out or b"", err.decode())


@pytest.fixture
async def termmail(tmp_path: Path) -> AsyncIterator[Program]:
    """`await termmail("sync")` runs the command and checks that it exits with 0 (or `code`)."""
    async with demo_servers() as demo:
        (tmp_path / "config.toml").write_text(one_account(demo))
        yield Program(tmp_path, demo)
