"""Debian's Cyrus as a private IMAP server: any user name is right with any password, and has an empty mailbox.

INBOX, Sent, Trash, Drafts, Junk and Archive. It has all of CONDSTORE, QRESYNC, MOVE, OBJECTID, COMPRESS and PREVIEW.
"""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from tests.servers import daemons, debian, imap_daemon

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.imap_daemon import ImapHost

PROGRAMS = "usr/lib/cyrus/bin"


def missing() -> str:
    return debian.missing(f"{PROGRAMS}/master")


@contextlib.contextmanager
def running() -> Iterator[ImapHost]:
    environment = {**debian.libraries(), "CYRUS_USER": "nobody"}
    with imap_daemon.started(_start, environment) as host:
        yield host


def _start(host: ImapHost) -> list[str]:
    folder, programs = host.folder, debian.root() / PROGRAMS
    names = ("conf", "spool", *(f"conf/{name}" for name in ("db", "socket", "proc", "lock", "log", "user", "quota")))
    for name in names:
        (folder / name).mkdir()
    names_of_roles = " | ".join(imap_daemon.ROLES)
    roles = "\n".join(f"xlist-{name.lower()}: {name}" for name in imap_daemon.ROLES)
    (folder / "imapd.conf").write_text(f"""\
configdirectory: {folder}/conf
defaultpartition: default
partition-default: {folder}/spool
proc_path: {folder}/conf/proc
mboxname_lockpath: {folder}/conf/lock
idlesocket: {folder}/conf/socket/idle
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN
tls_server_cert: {folder}/server.pem
tls_server_key: {folder}/server.pem
altnamespace: yes
unixhierarchysep: yes
delete_mode: immediate
expunge_mode: immediate
autocreate_quota: 0
autocreate_inbox_folders: {names_of_roles}
{roles}
""")
    (folder / "cyrus.conf").write_text(f"""\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -r"
  idled cmd="{programs}/idled -C {folder}/imapd.conf"
}}
SERVICES {{
  imap cmd="{programs}/imapd -C {folder}/imapd.conf" listen="{host.host}:{host.imap}"
  imaps cmd="{programs}/imapd -C {folder}/imapd.conf -s" listen="{host.host}:{host.imaps}"
}}
EVENTS {{
}}
""")
    for path in (folder, *folder.rglob("*")):
        shutil.chown(path, daemons.MAIL_UID, daemons.MAIL_UID)
    files = ["-C", str(folder / "imapd.conf"), "-M", str(folder / "cyrus.conf"), "-p", str(folder / "run/master.pid")]
    return [*debian.NOBODY, str(programs / "master"), "-d", *files]
