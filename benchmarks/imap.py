"""An IMAP account: headers into the store, the newest page, a look with nothing new, one change, a large folder.

    python -m benchmarks.imap [--large] [--quick]

Beside termmail runs the floor (the same headers drained from a raw socket), IMAPClient in batches of 500, and neomutt and
mbsync where they are installed. With --large a folder of 100 000 messages is received too, for its memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import imapclient

from benchmarks.rig import PASSWORD, Effort, Host, amount, median_of, neomutt, parser, ratio, row, scratch
from termmail.accounts.config import Account, Config, Imap, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.engine.engine import opened
from termmail.engine.events import Event, MailArrived
from termmail.mail.model import Role, StepKind
from termmail.mail.views import RoleView
from termmail.net.imap.idling import Idle
from tests import mailbox
from tests.servers import imap_daemon

USER = "ada"


@contextlib.contextmanager
def imaphost(count: int, effort: Effort, rtt_ms: float = 0):
    """A mailbox with so many messages in its INBOX; with `rtt_ms` behind a proxy that adds this round trip."""
    with contextlib.ExitStack() as stack:
        if effort.quick or imap_daemon.missing():
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.imap", "serve", str(count)], stdout=subprocess.PIPE, text=True
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            host = Host(int(process.stdout.readline()), "the embedded server")
        else:
            dovecot = stack.enter_context(imap_daemon.running())
            host = Host(dovecot.imap, "Dovecot")
            with imapclient.IMAPClient("127.0.0.1", host.port, ssl=False) as client:
                client.login(USER, PASSWORD)
                built = list(mailbox.build(count, light=count > 10_000))
                for begin in range(0, count, 500):
                    client.multiappend("INBOX", built[begin : begin + 500])
        drain(host)  # so that the server's caches are the same for everyone who is measured
        if rtt_ms:
            proxy = subprocess.Popen(
                [sys.executable, "-m", "tests.proxy", "--rtt", str(rtt_ms), "--target", f"127.0.0.1:{host.port}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(proxy.wait)
            stack.callback(proxy.terminate)
            slow = int(proxy.stdout.readline().split()[2])
            host = Host(slow, f"{host.name} at {rtt_ms:g} ms", proxy, direct=host.port)
        yield host


def drain(host: Host) -> float:
    """The floor: log in, open the inbox and fetch every header in one write; bytes are thrown away."""
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", host.port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        items = "UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER]"
        line.sendall(f"a LOGIN {USER} {PASSWORD}\r\n".encode())
        _read_to(line, b"\r\na OK", b"\na OK")
        line.sendall(f"b SELECT INBOX\r\nc UID FETCH 1:* ({items})\r\n".encode())
        _read_to(line, b"\r\nc OK", b"\nc OK")
    if host.proxy:
        host.turns()
    return time.perf_counter() - start


def _read_to(line: socket.socket, *ends: bytes) -> None:
    last = b"\r\n"
    while not any(end in last for end in ends):
        last = last[-16:] + line.recv(1 << 18)


@contextlib.asynccontextmanager
async def engine_for(host: Host, folder: Path, *, poll_minutes: int = 0):
    """An Engine with one account on this host, in this folder."""
    plain = {"host": "127.0.0.1", "security": "none", "allow_cleartext": True, "username": USER}
    account = Account(
        address="ada@example.org",
        imap=Imap(port=host.port, poll_minutes=poll_minutes, timeout_seconds=600, **plain),
        smtp=Smtp(port=1, **plain),
    )
    passwords = Passwords()
    passwords.remember("ada", "imap", account, PASSWORD)
    paths = Paths(folder / "config.toml", folder / "data")
    async with opened(paths, Config(accounts={"ada": account}), passwords=passwords, commit=False) as engine:
        yield engine


def first_sync(host: Host) -> tuple[float, float, float]:
    """Seconds to the first page in the store, to all of it, and the longest pause of the loop."""

    async def once(folder: Path) -> tuple[float, float, float]:
        async with engine_for(host, folder) as engine:
            first: list[float] = []
            pauses = [0.0]
            start = time.perf_counter()
            engine.context.subscribe(
                lambda event: first.append(time.perf_counter() - start) if isinstance(event, MailArrived) else None
            )

            async def tick() -> None:
                while True:
                    before = time.perf_counter()
                    await asyncio.sleep(0.005)
                    pauses.append(time.perf_counter() - before - 0.005)

            ticking = asyncio.ensure_future(tick())
            await engine.accounts.sync("ada")
            ticking.cancel()
            return first[0], time.perf_counter() - start, max(pauses)

    with scratch() as folder:
        found = asyncio.run(once(folder))
    if host.proxy:
        host.turns()
    return found


def turns_of_looks(host: Host) -> tuple[int, int, float]:
    """Turns of a session that finds nothing new, those that one changed flag adds to it, and the seconds of a look."""

    async def session(folder: Path, *, star: bool) -> float:
        async with engine_for(host, folder) as engine:
            if star:
                ids = await engine.lists.ids(RoleView(Role.INBOX))
                await engine.messages.mark(ids[:1], StepKind.STAR)
                await engine.messages.delete_now(ids[:1])
            start = time.perf_counter()
            await engine.accounts.sync("ada")
            return time.perf_counter() - start

    with scratch() as folder:
        asyncio.run(session(folder, star=False))
        host.turns()
        seconds = asyncio.run(session(folder, star=False))
        nothing = host.turns()
        asyncio.run(session(folder, star=True))
        return nothing, host.turns() - nothing, seconds


def with_imapclient(host: Host) -> float:
    start = time.perf_counter()
    with imapclient.IMAPClient("127.0.0.1", host.port, ssl=False) as client:
        client.login(USER, PASSWORD)
        client.select_folder("INBOX", readonly=True)
        uids = client.search()[::-1]
        for begin in range(0, len(uids), 500):
            client.fetch(uids[begin : begin + 500], ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "BODY.PEEK[HEADER]"])
    if host.proxy:
        host.turns()
    return time.perf_counter() - start


def with_neomutt(host: Host) -> float:
    seconds = neomutt(
        f'set imap_user="{USER}"\nset imap_pass="{PASSWORD}"\nset spoolfile="imap://127.0.0.1:{host.port}/INBOX"\n'
        "set imap_check_subscribed=no\n"
    )
    if host.proxy:
        host.turns()
    return seconds


def with_mbsync(host: Host) -> float:
    """Seconds in which mbsync finds that nothing is new, after it has fetched the newest 100 messages."""
    with scratch() as folder:
        rc = folder / "rc"
        (folder / "mail").mkdir()
        rc.write_text(
            f"IMAPStore there\nHost 127.0.0.1\nPort {host.port}\nUser {USER}\nPass {PASSWORD}\nSSLType None\nAuthMechs *\n\n"
            f"MaildirStore here\nPath {folder}/mail/\nInbox {folder}/mail/INBOX\n\n"
            "Channel all\nFar :there:\nNear :here:\nPatterns INBOX\nCreate Near\nMaxMessages 100\n"
            "ExpireUnread yes\nSyncState *\n"
        )
        for _ in range(2):
            start = time.perf_counter()
            subprocess.run(["mbsync", "-q", "-c", str(rc), "-a"], check=True, capture_output=True)
            if host.proxy:
                host.turns()
        return time.perf_counter() - start


def news(host: Host) -> float:
    """Seconds from the server's word that mail has come, as it reaches this computer, until the mail is in the store."""

    async def once(folder: Path) -> float:
        async with engine_for(host, folder, poll_minutes=60) as engine:
            arrived = asyncio.Event()
            heard: list[float] = []
            came: list[float] = []
            look = Idle.look

            def stamped(idle: Idle) -> None:
                heard.append(time.perf_counter())
                look(idle)

            def listen(event: Event) -> None:
                if isinstance(event, MailArrived):
                    came.append(time.perf_counter())
                    arrived.set()

            await engine.accounts.sync("ada")
            engine.context.subscribe(listen)
            Idle.look = stamped  # type: ignore[method-assign]
            try:
                engine.servers.start()
                await asyncio.sleep(2)  # the connection is idle by then, and no news were a second ago
                heard.clear()
                came.clear()
                arrived.clear()  # what was there before may only be told now
                await asyncio.to_thread(_store_one, host.direct or host.port)
                await arrived.wait()
            finally:
                Idle.look = look  # type: ignore[method-assign]
            return came[0] - heard[0]

    with scratch() as folder:
        seconds = asyncio.run(once(folder))
    if host.proxy:
        host.turns()
    return seconds


def _store_one(port: int) -> None:
    with imapclient.IMAPClient("127.0.0.1", port, ssl=False) as client:
        client.login(USER, PASSWORD)
        client.append("INBOX", b"Subject: news\r\nMessage-ID: <%d@example.org>\r\n\r\nx\r\n" % time.time_ns())


def memory_of(count: int, effort: Effort) -> int:
    """The peak memory, in MB, of a process that receives a folder of so many messages."""
    with imaphost(count, effort) as host:
        ran = subprocess.run(
            [sys.executable, "-m", "benchmarks.imap", "receive", str(host.port)],
            capture_output=True,
            text=True,
            check=True,
        )
    return int(ran.stdout)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--large", action="store_true", help="also a folder of 100 000 messages")
    given = options.parse_args()
    effort = Effort(given.quick)
    many = effort.count(10_000)
    for rtt in (0, 50):
        with imaphost(many, effort, rtt) as host:
            print(f"{amount(many)} headers, {host.name}")
            floor = median_of(effort.runs(3), lambda: drain(host))
            row("drained from a raw socket, nothing kept", f"{floor:.2f} s")
            runs = [first_sync(host) for _ in range(effort.runs(3))]
            page, mine, pause = (statistics.median(column) for column in zip(*runs, strict=True))
            row("termmail, decoded and in the store", f"{mine:.2f} s", ratio(mine, floor, "drain"), "goal 3")
            row("  the newest page is in the store after", f"{page:.2f} s", "", f"goal {0.45 if rtt else 0.15}")
            row("  longest pause of the loop", f"{pause * 1000:.0f} ms", "", "goal 50")
            theirs = median_of(effort.runs(3), lambda: with_imapclient(host))
            row("IMAPClient, batches of 500, in memory", f"{theirs:.2f} s", ratio(mine, theirs, "IMAPClient"))
            if effort.compares_with("neomutt"):
                theirs = median_of(effort.runs(3), lambda: with_neomutt(host))
                row("neomutt, cold", f"{theirs:.2f} s", ratio(mine, theirs, "neomutt"))
            if rtt:
                nothing, star, seconds = turns_of_looks(host)
                row("a session with nothing new in any folder", f"{seconds:.2f} s", f"{nothing} round trips")
                row("  one flag changed here adds", "", f"{star} round trips", "goal 1")
            if rtt and effort.compares_with("mbsync"):
                theirs = with_mbsync(host)
                row("mbsync, nothing new in one folder", f"{theirs:.2f} s", ratio(seconds, theirs, "mbsync"))
            came = news(host)
            row("new mail is in the store after the server's word", f"{came * 1000:.0f} ms", "", "goal 100")
    if given.large:
        large = effort.count(100_000)
        row(f"memory of receiving {amount(large)}", f"{memory_of(large, effort)} MB", "", "goal 80")


def serve(count: int) -> None:
    """Run the embedded server with so many messages; print its port."""
    from termmail.demo.imap_mailbox import ImapMailbox
    from termmail.demo.imapd import ImapServer

    async def run() -> None:
        held = ImapMailbox(PASSWORD, [("Sent", "\\Sent"), ("Trash", "\\Trash")])
        for raw in mailbox.build(count):
            held.folder("INBOX").add(raw)
        async with ImapServer({USER: held}) as server:
            print(server.port, flush=True)
            await asyncio.Event().wait()

    asyncio.run(run())


def receive(port: int) -> None:
    """Receive everything; print the peak memory in MB."""

    async def run(folder: Path) -> None:
        async with engine_for(Host(port, ""), folder) as engine:
            await engine.accounts.sync("ada")

    with scratch() as folder:
        asyncio.run(run(folder))
    # getrusage would tell the peak of the process that started this one, too.
    print(int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1]) // 1024)


if __name__ == "__main__":
    if sys.argv[1:2] in (["serve"], ["receive"]):
        {"serve": serve, "receive": receive}[sys.argv[1]](int(sys.argv[2]))
    else:
        main()
