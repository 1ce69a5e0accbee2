"""Debian's Dovecot as a private IMAP server: as in `daemons`, but with folders, STARTTLS and TLS of its own.

Any user name is right with PASSWORD and has an empty mailbox: INBOX, Sent, Trash, Drafts, Junk and Archive.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

from tests.servers import daemons

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

INSTALL = "apt-get update && apt-get install -y --no-install-recommends dovecot-imapd"
ROLES = ("Sent", "Trash", "Drafts", "Junk", "Archive")


@dataclass(frozen=True)
class ImapHost:
    """A server, running. `host` and `log` are what daemons.MailHost has; `imaps` is 0 where it has no TLS of its own.

    `prefix` is that of the personal namespace, `delimiter` is between the levels of a folder's name.
    """

    host: str
    imap: int
    imaps: int
    ca_file: str
    folder: Path
    prefix: str = ""
    delimiter: str = "/"

    def log(self) -> str:
        file = self.folder / "server.log"
        return file.read_text(errors="replace")[-4000:] if file.exists() else ""


def missing() -> str:
    """What keeps the server from starting, with the line that mends it; "" where nothing does."""
    if not Path("/usr/lib/dovecot/imap").exists():
        return f"dovecot-imapd not installed: {INSTALL}"
    return (
        ""
        if os.geteuid() == 0
        else "the server starts as root (it then works as another user): run these tests as root"
    )


@contextlib.contextmanager
def running() -> Iterator[ImapHost]:
    """Starts Dovecot; it ends, and its folder goes, with the block or with this process, however that ends."""
    with started(_dovecot) as host:
        yield host


@contextlib.contextmanager
def started(
    start: Callable[[ImapHost], Sequence[str]], environment: Mapping[str, str] | None = None, **settings: Any
) -> Iterator[ImapHost]:
    """A server in a folder of its own; `start` writes what it needs there and returns the command that starts it.

    The server detaches itself and writes its process id to `run/master.pid`. `settings` are of ImapHost.
    """
    folder = Path(tempfile.mkdtemp(prefix="termmail-imapd-"))
    folder.chmod(0o755)
    argv = [sys.executable, str(Path(__file__).with_name("janitor.py")), str(folder)]
    with subprocess.Popen(argv, **{**daemons.QUIET, "stdin": subprocess.PIPE}):
        host = _settled(folder, settings)
        options = {**daemons.QUIET, "env": {**daemons.QUIET["env"], **(environment or {})}, "cwd": folder}
        subprocess.run(start(host), check=False, timeout=60, **options)
        daemons._await_banner(host, host.imap, b"* OK")
        yield host


def _settled(folder: Path, settings: dict[str, Any]) -> ImapHost:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "server.pem").chmod(0o600)
    for name in ("mail", "home"):
        (folder / name).mkdir()
        shutil.chown(folder / name, daemons.MAIL_UID, daemons.MAIL_UID)
    (folder / "run").mkdir()
    imap, imaps = daemons.free_ports(2)
    ports = {"imap": imap, "imaps": imaps} | settings
    return ImapHost("127.0.0.1", ca_file=str(folder / "ca.pem"), folder=folder, **ports)


def _dovecot(host: ImapHost) -> list[str]:
    (host.folder / "dovecot.conf").write_text(_config(host))
    return ["dovecot", "-c", str(host.folder / "dovecot.conf")]


def _config(host: ImapHost) -> str:
    folder = host.folder
    roles = "\n".join(f"  mailbox {name} {{\n    auto = create\n    special_use = \\{name}\n  }}" for name in ROLES)
    return f"""\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/server.log
protocols = imap
listen = {host.host}
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
auth_mechanisms = plain login scram-sha-256
auth_failure_delay = 0
first_valid_uid = {daemons.MAIL_UID}
first_valid_gid = {daemons.MAIL_UID}
default_client_limit = 200
default_process_limit = 40
default_vsz_limit = 512M
mail_max_userip_connections = 50
mail_location = mdbox:{folder}/mail/%n
namespace inbox {{
  inbox = yes
  separator = /
{roles}
}}
passdb {{
  driver = static
  args = password={daemons.PASSWORD}
}}
userdb {{
  driver = static
  args = uid={daemons.MAIL_UID} gid={daemons.MAIL_UID} home={folder}/home/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {host.imap}
  }}
  inet_listener imaps {{
    port = {host.imaps}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""
