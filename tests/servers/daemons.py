"""Debian's Dovecot and Postfix as private servers: loopback, free ports, every file in one folder, ended by pid.

Dovecot speaks POP3 (STLS) and POP3S and takes PLAIN, LOGIN, APOP and SCRAM-SHA-256; any user name is right with
PASSWORD and has a maildir of its own. Postfix takes mail on a submission port (STARTTLS before AUTH, by Dovecot's
socket) and an implicit-TLS port, puts what is for `ada0`, `bob0` and so on at example.org into those maildirs, and refuses
the rest: nothing leaves this machine.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "analytical"
MAIL_UID = 65534
"""`nobody`: owner of all mail, for neither server delivers or reads as root."""
MAILBOXES = 1000
"""`ada0` to `ada999`, and as many `bob`s."""
SIZE_LIMIT = 2_000_000
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/dovecot"
QUIET: Any = {
    "env": {"PATH": PATH, "LC_ALL": "C"},
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.DEVNULL,
    "stderr": subprocess.DEVNULL,
    "start_new_session": True,
}
INSTALL = "apt-get update && apt-get install -y --no-install-recommends dovecot-pop3d postfix"


@dataclass(frozen=True)
class MailHost:
    """Both servers, running."""

    host: str
    pop3: int
    pop3s: int
    submission: int
    submissions: int
    ca_file: str
    other_ca_file: str
    folder: Path

    def maildir(self, user: str) -> Path:
        """Where the mail of `user` (without the domain) lies."""
        return self.folder / "mail" / user

    def queue(self) -> list[Path]:
        """The messages Postfix still holds."""
        names = ("incoming", "active", "deferred", "maildrop", "hold")
        return [file for name in names for file in (self.folder / "postfix/spool" / name).rglob("*") if file.is_file()]

    def log(self) -> str:
        """What both servers logged, for a failing test."""
        files = (self.folder / "dovecot.log", self.folder / "postfix.log")
        return "\n".join(file.read_text(errors="replace")[-4000:] for file in files if file.exists())


def missing() -> str:
    """What keeps the servers from starting, with the line that mends it; "" where nothing does."""
    programs = [name for name in ("dovecot", "postfix") if not shutil.which(name, path=PATH)]
    if not Path("/usr/lib/dovecot/pop3").exists():
        programs.append("dovecot-pop3d")
    if programs:
        return f"{' and '.join(programs)} not installed: {INSTALL}"
    if os.geteuid() != 0:
        return "the servers start as root (they then work as other users): run these tests as root"
    return ""


@contextlib.contextmanager
def running() -> Iterator[MailHost]:
    """Starts both; they end, and their folder goes, with the block or with this process, however that ends.

    RuntimeError, with their logs, where one does not answer.
    """
    folder = Path(tempfile.mkdtemp(prefix="termmail-servers-"))  # short and open to all: sockets and other users
    folder.chmod(0o755)
    argv = [sys.executable, str(Path(__file__).with_name("janitor.py")), str(folder)]
    with subprocess.Popen(argv, **{**QUIET, "stdin": subprocess.PIPE}):
        host = _settled(folder)
        for start in (_dovecot(host), _postfix(host)):
            subprocess.run(start, check=False, timeout=60, **QUIET)  # what they say is in their logs
        for port, banner in ((host.pop3, b"+OK"), (host.submission, b"220")):
            _await_banner(host, port, banner)
        yield host


def _settled(folder: Path) -> MailHost:
    """The folder with what both servers share: certificates, ports, places for mail."""
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other.pem"))
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    (folder / "server.pem").chmod(0o600)
    for name in ("mail", "home", "index"):
        (folder / name).mkdir()
        os.chown(folder / name, MAIL_UID, MAIL_UID)
    authorities = {"ca_file": str(folder / "ca.pem"), "other_ca_file": str(folder / "other.pem")}
    return MailHost("127.0.0.1", *free_ports(4), folder=folder, **authorities)


_blocks = itertools.count()


def free_ports(count: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nothing listens at, and that no outgoing connection is given.

    A port that the system picked (bind to 0) would be picked again for any connection that another test opens before
    the server has bound it. These lie below the system's range, in a block that depends on this process.
    """
    port = 10_000 + (os.getpid() * 80 + next(_blocks) * 10) % 20_000
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            found.append(port)
        port += 1
    return found


def _await_banner(host: MailHost, port: int, banner: bytes, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection((host.host, port), 5) as line:
            if line.recv(100).startswith(banner):
                return
        time.sleep(0.05)  # a process that is starting tells nobody when it listens
    raise RuntimeError(f"no {banner!r} at port {port}\n{host.log()}")


def _dovecot(host: MailHost) -> list[str]:
    folder = host.folder
    (folder / "run").mkdir()
    (folder / "private").mkdir()
    (folder / "dovecot.conf").write_text(f"""\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = pop3
listen = {host.host}
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
auth_mechanisms = plain login apop scram-sha-256
auth_failure_delay = 0
first_valid_uid = {MAIL_UID}
first_valid_gid = {MAIL_UID}
default_client_limit = 200
default_process_limit = 40
default_vsz_limit = 512M
mail_max_userip_connections = 50
mail_location = maildir:{folder}/mail/%n:INDEX={folder}/index/%n
passdb {{
  driver = static
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = uid={MAIL_UID} gid={MAIL_UID} home={folder}/home/%n
}}
protocol pop3 {{
  pop3_uidl_format = %08Xu%08Xv
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {host.pop3}
  }}
  inet_listener pop3s {{
    port = {host.pop3s}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/private/auth {{
    mode = 0666
  }}
}}
""")
    return ["dovecot", "-c", str(folder / "dovecot.conf")]


def _postfix(host: MailHost) -> list[str]:
    folder = host.folder / "postfix"
    for name in ("", "data", "spool"):
        (folder / name).mkdir(exist_ok=True)
    shutil.chown(folder / "data", "postfix")
    names = [f"{name}{number}" for name in ("ada", "bob") for number in range(MAILBOXES)]
    (folder / "mailboxes").write_text("".join(f"{name}@example.org {name}/\n" for name in names))
    (folder / "main.cf").write_text(f"""\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
maillog_file = {host.folder}/postfix.log
maillog_file_prefixes = {host.folder}
myhostname = mx.example.org
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
disable_dns_lookups = yes
smtpd_peername_lookup = no
alias_maps =
alias_database =
relayhost =
mynetworks =
default_transport = error:5.1.2 mail to the outside is not delivered in tests
virtual_mailbox_domains = example.org
virtual_mailbox_base = {host.folder}/mail
virtual_mailbox_maps = texthash:{folder}/mailboxes
virtual_mailbox_limit = 0
virtual_minimum_uid = {MAIL_UID}
virtual_uid_maps = static:{MAIL_UID}
virtual_gid_maps = static:{MAIL_UID}
message_size_limit = {SIZE_LIMIT}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_client_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {host.folder}/private/auth
smtpd_sasl_local_domain = example.org
smtpd_tls_auth_only = yes
smtpd_tls_security_level = encrypt
smtpd_tls_chain_files = {host.folder}/server.pem
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
""")
    services = [
        (f"{host.host}:{host.submission}", "inet", "n", "-", "smtpd"),
        (f"{host.host}:{host.submissions}", "inet", "n", "-", "smtpd -o smtpd_tls_wrappermode=yes"),
        ("cleanup", "unix", "n", "0", "cleanup"),
        ("qmgr", "unix", "n", "1", "qmgr"),
        ("tlsmgr", "unix", "-", "1", "tlsmgr"),
        ("rewrite", "unix", "-", "-", "trivial-rewrite"),
        ("bounce", "unix", "-", "0", "bounce"),
        ("defer", "unix", "-", "0", "bounce"),
        ("trace", "unix", "-", "0", "bounce"),
        ("verify", "unix", "-", "1", "verify"),
        ("flush", "unix", "n", "0", "flush"),
        ("proxymap", "unix", "-", "-", "proxymap"),
        ("error", "unix", "-", "-", "error"),
        ("retry", "unix", "-", "-", "error"),
        ("virtual", "unix", "-", "-", "virtual"),
        ("anvil", "unix", "-", "1", "anvil"),
        ("postlog", "unix-dgram", "n", "1", "postlogd"),
    ]
    rows = (  # "virtual" alone starts with root's rights, to take on those of the mail's owner
        f"{name} {kind} {private} {'n' if name == 'virtual' else '-'} n - {most} {command}"
        for name, kind, private, most, command in services
    )
    (folder / "master.cf").write_text("\n".join(rows) + "\n")
    return ["postfix", "-c", str(folder), "start"]
