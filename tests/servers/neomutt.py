"""neomutt on an account, driven by its own functions: as another program on the same mailbox."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pexpect

from tests.servers import daemons

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.imap_account import ImapAccount


def missing() -> str:
    return (
        "" if shutil.which("neomutt") else "neomutt not installed: apt-get install -y --no-install-recommends neomutt"
    )


def run(account: ImapAccount, folder: Path, *functions: str) -> None:
    """Open the inbox in neomutt, run these functions, and leave it, which writes the changes. AssertionError if it fails.

    Messages are in the order of their UIDs. What is deleted is moved to Trash. A folder of the server is `=` and its name there.
    """
    host = account.host
    place = f"{account.name}@localhost:{host.imaps or host.imap}/"
    base = f"{'imaps' if host.imaps else 'imap'}://{place}"
    config = folder / "neomuttrc"
    config.write_text(f"""\
set imap_user = "{account.name}"
set imap_pass = "{daemons.PASSWORD}"
set folder = "{base}"
set spool_file = "{base}INBOX"
set trash = "={account.wire("Trash")}"
set ssl_ca_certificates_file = "{host.ca_file}"
set ssl_starttls = no
set ssl_force_tls = no
set sort = mailbox-order
set delete = yes
set quit = yes
set auto_tag = no
unset confirm_append confirm_create mark_old move help
set header_cache = ""
set imap_authenticators = "{"plain" if host.imaps else "login"}"
set wait_key = no
""")
    keys = "".join(functions)
    argv = ["-n", "-F", str(config), "-e", f"push {keys}<quit>"]
    child = pexpect.spawn(
        "neomutt",
        argv,
        env={"TERM": "xterm", "HOME": str(folder), "PATH": daemons.PATH, "LC_ALL": "C.UTF-8"},
        dimensions=(40, 120),
        timeout=20,
    )
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.before
