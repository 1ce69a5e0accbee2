"""Runs the command line in forks of one process that has loaded it, so that a hundred runs take seconds.

    python -m tests.safety.forked

Reads a JSON object a line: {"words": [...], "environ": {...}, "folder": DIR, "files": [stdin, stdout, stderr]}. Each is
a process of its own; answers {"files": ..., "code": N, "megabytes": N} a line, as each ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from typing import NoReturn

from termmail.cli import main
from termmail.commands import account, mailbox, output, send  # noqa: F401 - loaded once, here, for all forks
from termmail.engine import engine  # noqa: F401
from termmail.mail import compose, flowed  # noqa: F401
from termmail.mail.html import render  # noqa: F401
from termmail.net.pop3 import maildrop  # noqa: F401
from termmail.net.smtp import submission  # noqa: F401


def run(order: dict) -> NoReturn:
    for number, name in enumerate(order["files"]):
        os.dup2(os.open(name, os.O_RDWR), number)
    os.environ.clear()
    os.environ.update(order["environ"])
    os.chdir(order["folder"])
    code: object = 1
    try:
        code = main(order["words"])
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else 0)


def keep(order: dict) -> NoReturn:
    """Wait for one run, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        run(order)
    _, status, used = os.wait4(pid, 0)
    answer = {"files": order["files"], "code": os.waitstatus_to_exitcode(status), "megabytes": used.ru_maxrss / 1024}
    os.write(1, json.dumps(answer).encode() + b"\n")
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        if os.fork() == 0:
            keep(json.loads(line))
