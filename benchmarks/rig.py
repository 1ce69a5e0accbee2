"""What the benchmarks stand on: a POP3 server full of mail in its own process, a slow line, and how to print ratios.

The server is Dovecot where it is installed and this runs as root, else, and with `--quick`, the embedded one. Numbers
of one run compare with each other; numbers of two runs do not.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pexpect

from termmail.accounts.config import Account, Config, Pop3, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.credential import Password
from termmail.engine.engine import opened
from termmail.net.stream import Server
from tests import mailbox
from tests.servers import daemons

USER = "ada@example.org"
PASSWORD = daemons.PASSWORD


@dataclass(frozen=True)
class Effort:
    """How much a benchmark does: everything, or, to see that it runs, a hundredth against the embedded server."""

    quick: bool

    def count(self, number: int) -> int:
        """So many messages, or a hundredth of them."""
        return max(2, number // 100) if self.quick else number

    def runs(self, number: int) -> int:
        """So many runs, or one."""
        return 1 if self.quick else number

    def compares_with(self, program: str) -> bool:
        """Whether to measure this program as well: it is installed."""
        return not self.quick and shutil.which(program) is not None


@dataclass
class Host:
    """A server, perhaps behind a slow line; `turns` counts how often a client waited for it. `direct` is its own port."""

    port: int
    name: str
    proxy: subprocess.Popen | None = None
    direct: int = 0

    def turns(self) -> int:
        """The turns of the connection that ended last (only behind a proxy)."""
        return int(self.proxy.stdout.readline().split()[1])

    def server(self, **other) -> Server:
        plain = Server("pop3", "127.0.0.1", self.port, "none", USER, Password(PASSWORD), True, 600, None)
        return replace(plain, **other)


@contextlib.contextmanager
def mailhost(count: int, effort: Effort, *, light: bool = False, rtt_ms: float = 0):
    """A maildrop of so many messages; with `rtt_ms` behind a proxy that adds this round trip."""
    with contextlib.ExitStack() as stack:
        if effort.quick or daemons.missing():
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.rig", str(count), "light" if light else ""],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            host = Host(int(process.stdout.readline()), "the embedded server")
        else:
            dovecot = stack.enter_context(daemons.running())
            folder = dovecot.maildir("ada")
            mailbox.write_maildir(folder, mailbox.build(count, light=light))
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, daemons.MAIL_UID, daemons.MAIL_UID)
            host = Host(dovecot.pop3, "Dovecot")
        warm_up(host)
        if rtt_ms:
            target = f"127.0.0.1:{host.port}"
            proxy = subprocess.Popen(
                [sys.executable, "-m", "tests.proxy", "--rtt", str(rtt_ms), "--target", target],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(proxy.wait)
            stack.callback(proxy.terminate)
            host = Host(int(proxy.stdout.readline().split()[2]), f"{host.name} at {rtt_ms:g} ms", proxy)
        yield host


def warm_up(host: Host) -> None:
    """One listing and all headers, so that the server's caches are the same for everyone who is measured."""
    drain(host, "TOP")


def drain(host: Host, verb: str) -> tuple[float, int]:
    """The floor: login, STAT, LIST, UIDL and one command for every message in one write each, bytes counted and
    thrown away. Seconds and bytes."""
    secret = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", host.port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        read_until(line, b"\r\n", 1)
        line.sendall(f"AUTH PLAIN {secret}\r\n".encode())
        read_until(line, b"\r\n", 1)
        line.sendall(b"STAT\r\nLIST\r\nUIDL\r\n")
        count = int(read_until(line, b"\r\n.\r\n", 2).split()[1])
        argument = " 0" if verb == "TOP" else ""
        commands = "".join(f"{verb} {number}{argument}\r\n" for number in range(count, 0, -1)) + "QUIT\r\n"
        writer = threading.Thread(target=line.sendall, args=(commands.encode(),))
        writer.start()
        size = 0
        while data := line.recv(1 << 18):
            size += len(data)
        writer.join()
    seconds = time.perf_counter() - start
    if host.proxy:
        host.turns()
    return seconds, size


def read_until(line: socket.socket, end: bytes, times: int) -> bytes:
    """Everything up to the n-th `end`."""
    data = b""
    while data.count(end) < times:
        data += line.recv(1 << 18)
    return data


@contextlib.asynccontextmanager
async def engine_for(host: Host, folder: Path, **pop3):
    """An Engine with one account on this host, in this folder."""
    plain = {"host": "127.0.0.1", "security": "none", "allow_cleartext": True, "username": USER}
    account = Account(
        address=USER,
        pop3=Pop3(port=host.port, poll_minutes=0, timeout_seconds=600, **plain, **pop3),
        smtp=Smtp(port=1, **plain),
    )
    passwords = Passwords()
    passwords.remember("ada", "pop3", account, PASSWORD)
    config = Config(accounts={"ada": account})
    paths = Paths(folder / "config.toml", folder / "data")
    async with opened(paths, config, passwords=passwords, commit=False) as engine:
        yield engine


@contextlib.contextmanager
def scratch():
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="termmail-benchmark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def median_of(runs: int, once) -> float:
    """The median of so many runs, in seconds."""
    return statistics.median(once() for _ in range(runs))


def parser(description: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="a hundredth of it, to see that it runs")
    return made


def amount(count: int) -> str:
    """`10 000`."""
    return f"{count:,}".replace(",", " ")


def row(name: str, value: str, ratio: str = "", goal: str = "") -> None:
    """One line of a table."""
    print(f"{name:52} {value:>14} {ratio:>22} {goal}".rstrip(), flush=True)


def ratio(mine: float, theirs: float, name: str) -> str:
    """`0.12 x neomutt`."""
    return f"{mine / theirs:.3f} x {name}"


def main() -> None:
    """The embedded server on its own: COUNT [light]; prints its port."""
    from termmail.demo.pop3d import Pop3Server
    from termmail.demo.server_maildrop import Maildrop

    async def serve() -> None:
        built = mailbox.build(int(sys.argv[1]), light=sys.argv[2:] == ["light"])
        async with Pop3Server({USER: Maildrop(PASSWORD, built)}) as server:
            print(server.port, flush=True)
            await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()


def neomutt(settings: str) -> float:
    """Return the seconds in which neomutt opens its mailbox without a cache, shows the list, and quits."""
    with scratch() as folder:
        rc = folder / "rc"
        common = 'unset ssl_starttls\nset ssl_force_tls=no\nset wait_key=no\nset quit=yes\npush "q"\n'
        rc.write_text(f'{settings}set folder="{folder}"\n{common}')
        environment = {**os.environ, "HOME": str(folder), "TERM": "xterm"}
        start = time.perf_counter()
        child = pexpect.spawn("neomutt", ["-n", "-F", str(rc)], env=environment, dimensions=(36, 120), timeout=600)
        child.expect(pexpect.EOF)
        child.close(force=True)
        return time.perf_counter() - start
