"""Ends the servers of one folder and removes it, once its standard input ends: also when the tests were killed.

`python janitor.py FOLDER`; the standard library alone, for it runs as a process of its own.
"""

import os
import shutil
import signal
import sys
import time
from pathlib import Path

PID_FILES = ("postfix/spool/pid/master.pid", "run/master.pid")
PATIENCE_SECONDS = 10


def end(pids: list[int]) -> None:
    """Asks master processes to stop (they end their own children), and ends the groups of those that do not."""
    patience = time.monotonic() + PATIENCE_SECONDS
    ask = signal.SIGTERM
    while pids:
        for pid in tuple(pids):
            try:
                os.kill(pid, ask)
                if time.monotonic() > patience:
                    os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                pids.remove(pid)
        ask = 0  # from now on only: are you there?
        time.sleep(0.02)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sys.stdin.read()
    end([int((folder / name).read_text()) for name in PID_FILES if (folder / name).exists()])
    shutil.rmtree(folder)
