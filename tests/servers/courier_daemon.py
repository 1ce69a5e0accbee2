"""Debian's Courier as a private IMAP server, without TLS: any user name is right with PASSWORD and has an empty mailbox.

Its folders are below INBOX, with dots. It has UIDPLUS, and none of MOVE, LITERAL+, CONDSTORE, LIST-STATUS, SPECIAL-USE.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import daemons, debian, imap_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.imap_daemon import ImapHost

PROGRAM = "usr/bin/imapd"
SETTINGS = {  # those of Debian's configuration, but for the pause between two looks in IDLE
    "IMAP_CAPABILITY": "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE",
    "IMAP_KEYWORDS": "1",
    "IMAP_IDLE_TIMEOUT": "1",
    "IMAP_MAILBOX_SANITY_CHECK": "1",
    "IMAP_CHECK_ALL_FOLDERS": "0",
    "IMAP_OBSOLETE_CLIENT": "0",
    "IMAP_UMASK": "022",
    "IMAP_USELOCKS": "1",
    "IMAP_ENHANCEDIDLE": "1",
    "IMAP_TRASHFOLDERNAME": "Trash",
    "IMAP_MOVE_EXPUNGE_TO_TRASH": "0",
}


def missing() -> str:
    return debian.missing(PROGRAM)


@contextlib.contextmanager
def running() -> Iterator[ImapHost]:
    environment = {**debian.libraries(), **SETTINGS}
    with imap_daemon.started(_start, environment, imaps=0, prefix="INBOX.", delimiter=".") as host:
        yield host


def _start(host: ImapHost) -> list[str]:
    argv = [
        sys.executable,
        str(Path(__file__).with_name("courier_login.py")),
        str(host.folder),
        host.host,
        str(host.imap),
    ]
    return ["setsid", "--fork", *argv, str(debian.root()), daemons.PASSWORD]
