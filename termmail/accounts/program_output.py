"""Read what a program prints until it exits, whatever its children still hold open."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_BLOCK = 65_536


class Output:
    """The read end of a pipe. asyncio's own pipes end only when the last inheritor of the write end closes it."""

    def __init__(self, limit: int) -> None:
        self.kept = bytearray()
        self._limit = limit
        """Bytes of output that are kept."""
        self._read_end, self.write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._read_end, self.read)

    def read(self) -> int:
        """Take what is in the pipe, keep its first bytes, and return how many were taken."""
        try:
            data = os.read(self._read_end, _BLOCK)
        except BlockingIOError:
            return 0
        if not data:
            self._loop.remove_reader(self._read_end)
        self.kept += data[: self._limit - len(self.kept)]
        return len(data)

    def close_write_end(self) -> None:
        """Leave the write end to the program alone."""
        if self.write_end >= 0:
            os.close(self.write_end)
            self.write_end = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_write_end()
        self._loop.remove_reader(self._read_end)
        os.close(self._read_end)


@contextlib.asynccontextmanager
async def output_pipe(limit: int) -> AsyncIterator[Output]:
    """Open a pipe for the output of a program, of which `limit` bytes are kept."""
    output = Output(limit)
    try:
        yield output
    finally:
        output.close()
