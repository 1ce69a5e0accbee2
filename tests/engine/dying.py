"""Runs one verb of the Engine in a process of its own that is killed with SIGKILL at its n-th step.

    python -m tests.engine.dying

Reads a JSON object a line: {"do": "sync" | "flush" | "save", "config": FILE, "data": DIR, "step": N, "coarse": false}.
Each is done in a fork, where the N-th step is the last thing that happens (0: none is). A step is an SQL statement; with
"coarse" it is the begin or the end of a transaction, or a write to the server, before and after it has left. Answers
"killed" or "done" a line.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from termmail.accounts import config
from termmail.accounts.paths import Paths
from termmail.engine.engine import Engine
from termmail.engine.sync import imap_source  # noqa: F401
from termmail.mail import compose, flowed  # noqa: F401 - loaded once, here, for all forks
from termmail.mail.message import Draft
from termmail.net.pop3 import maildrop  # noqa: F401
from termmail.net.smtp import submission  # noqa: F401
from termmail.net.stream import Stream


async def do(order: dict) -> None:
    paths = Paths(Path(order["config"]), Path(order["data"]))
    engine = await Engine.open(paths, config.load(paths.config))
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1
        if steps == order["step"]:
            os.kill(os.getpid(), signal.SIGKILL)

    def statement(sql: str) -> None:
        if not order.get("coarse") or sql.startswith(("BEGIN", "COMMIT")):
            step()

    def write(stream: Stream, data: bytes) -> None:
        step()
        whole_write(stream, data)
        step()

    whole_write = Stream.write
    if order.get("coarse"):
        Stream.write = write  # type: ignore[method-assign]
    await engine.context.db(lambda store: store.db.set_trace_callback(statement))
    (name,) = engine.accounts.names
    if order["do"] == "sync":
        await engine.accounts.sync(name, full=True)
    elif order["do"] == "flush":
        await engine.outbox.flush(name)
    else:
        await engine.drafts.save(Draft(account=name, to="bob@example.org", subject="Note", body="x" * 5000))
    await engine.close(commit=False)


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            try:
                asyncio.run(do(json.loads(line)))
            finally:
                sys.stderr.flush()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        print("killed" if os.WIFSIGNALED(status) else "done", pid, flush=True)


if __name__ == "__main__":
    main()
