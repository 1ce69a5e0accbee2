"""pymap as a private IMAP server, without TLS: `ada0` to `ada999` with PASSWORD, each with an empty mailbox in memory.

It has UIDPLUS, MOVE, IDLE, LITERAL+ and OBJECTID. It has no CONDSTORE, ESEARCH, NAMESPACE, LIST-STATUS, UNSELECT or
keywords.
"""

from __future__ import annotations

import contextlib
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import daemons, imap_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.imap_daemon import ImapHost


def missing() -> str:
    return "" if find_spec("pymap") else "pymap is not installed: pip install -e '.[dev]'"


@contextlib.contextmanager
def running() -> Iterator[ImapHost]:
    with imap_daemon.started(_start, imaps=0) as host:
        yield host


def _start(host: ImapHost) -> list[str]:
    script = Path(__file__).with_name("pymap_server.py")
    argv = [sys.executable, str(script), daemons.PASSWORD, str(host.folder / "run/master.pid")]
    return ["setsid", "--fork", *argv, "--no-tls", "--host", host.host, "--port", str(host.imap)]
