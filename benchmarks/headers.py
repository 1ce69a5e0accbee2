"""Headers into the store: 1 000 through a line of 50 ms, 10 000 at 0 ms, the newest page, a poll with nothing new.

    python -m benchmarks.headers [--poplib] [--quick]

Beside termmail runs the floor (the same answers drained from a raw socket), neomutt where it is installed, and with
--poplib the loop that asks one message at a time (about 52 seconds).
"""

from __future__ import annotations

import asyncio
import poplib
import statistics
import time

from benchmarks.rig import (
    PASSWORD,
    USER,
    Effort,
    amount,
    drain,
    engine_for,
    mailhost,
    median_of,
    neomutt,
    parser,
    ratio,
    row,
    scratch,
)
from termmail.engine.events import MailArrived


def sync_once(host) -> float:
    with scratch() as folder:

        async def once() -> float:
            async with engine_for(host, folder) as engine:
                start = time.perf_counter()
                await engine.accounts.sync("ada")
                return time.perf_counter() - start

        return asyncio.run(once())


def first_page(host) -> tuple[float, float]:
    """Seconds to the first 50 in the store, and to all of them."""
    with scratch() as folder:

        async def once() -> tuple[float, float]:
            async with engine_for(host, folder) as engine:
                start = time.perf_counter()
                first: list[float] = []
                engine.context.subscribe(
                    lambda event: first.append(time.perf_counter() - start) if isinstance(event, MailArrived) else None
                )
                await engine.accounts.sync("ada")
                return first[0], time.perf_counter() - start

        return asyncio.run(once())


def poll_turns(host) -> tuple[int, float]:
    """Turns and seconds of a look at a maildrop where nothing is new."""
    with scratch() as folder:

        async def once() -> tuple[int, float]:
            async with engine_for(host, folder) as engine:
                await engine.accounts.sync("ada")
                host.turns()
                start = time.perf_counter()
                await engine.accounts.sync("ada")
                return host.turns(), time.perf_counter() - start

        return asyncio.run(once())


def page_turns(host) -> int:
    """Turns until the newest 50 are there: a session that asks for nothing else."""
    from termmail.net.pop3.maildrop import Maildrop

    async def once() -> None:
        drop = await Maildrop.open(host.server(), list_too=True)
        newest = sorted(await drop.listing(), key=lambda listed: -listed.number)[:50]
        async for _ in drop.headers(newest):
            pass
        await drop.close()

    asyncio.run(once())
    return host.turns()


def poplib_loop(host) -> float:
    start = time.perf_counter()
    client = poplib.POP3("127.0.0.1", host.port)
    client.user(USER)
    client.pass_(PASSWORD)
    client.uidl()
    client.list()
    for number in range(client.stat()[0], 0, -1):
        client.top(number, 0)
    client.quit()
    seconds = time.perf_counter() - start
    if host.proxy:
        host.turns()
    return seconds


def with_neomutt(host) -> float:
    """neomutt's own way to its index: it opens the maildrop, reads every header, shows the list, and quits."""
    return neomutt(
        f'set pop_user="{USER}"\nset pop_pass="{PASSWORD}"\nset pop_authenticators="user"\n'
        f'set spoolfile="pop://127.0.0.1:{host.port}/"\nset pop_checkinterval=0\nset pop_delete=no\n'
    )


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--poplib", action="store_true", help="also the loop that asks one message at a time")
    given = options.parse_args()
    effort = Effort(given.quick)
    count, many = effort.count(1000), effort.count(10_000)
    with mailhost(count, effort, rtt_ms=50) as host:
        print(f"{amount(count)} headers, {host.name}")
        floor = median_of(effort.runs(3), lambda: drain(host, "TOP")[0])
        row("drained from a raw socket, nothing kept", f"{floor:.2f} s")
        seconds, turns = [], []
        for _ in range(effort.runs(3)):
            seconds.append(sync_once(host))
            turns.append(host.turns())
        mine = statistics.median(seconds)
        row("termmail, decoded and in the store", f"{mine:.2f} s", ratio(mine, floor, "drain"), "goal 3")
        row("  round trips", f"{max(turns)}", "", "goal 8")
        first, _ = first_page(host)
        host.turns()
        row("  the newest 50 are in the store after", f"{first:.2f} s", ratio(first, mine, "all"))
        row("  round trips to the newest 50", f"{page_turns(host)}", "", "goal 6")
        if given.poplib:
            loop = poplib_loop(host)
            row("poplib, one at a time", f"{loop:.1f} s", ratio(mine, loop, "poplib"))
    with mailhost(many, effort, light=True, rtt_ms=50) as host:
        turns, seconds = poll_turns(host)
        print(f"\na poll of {amount(many)} with nothing new, {host.name}")
        row("termmail", f"{seconds:.2f} s", f"{turns} round trips", "goal: the same for any number")
    few = effort.count(100)
    with mailhost(few, effort, light=True, rtt_ms=50) as host:
        turns, seconds = poll_turns(host)
        row(f"the same with {few} messages", f"{seconds:.2f} s", f"{turns} round trips")
    with mailhost(many, effort) as host:
        print(f"\n{amount(many)} headers at 0 ms, {host.name}")
        floor = median_of(effort.runs(3), lambda: drain(host, "TOP")[0])
        row("drained from a raw socket, nothing kept", f"{floor:.2f} s")
        mine = median_of(effort.runs(3), lambda: sync_once(host))
        row("termmail, decoded and in the store", f"{mine:.2f} s", ratio(mine, floor, "drain"))
        if effort.compares_with("neomutt"):
            theirs = median_of(effort.runs(3), lambda: with_neomutt(host))
            row("neomutt", f"{theirs:.2f} s", ratio(mine, theirs, "neomutt"), "goal 0.25")


if __name__ == "__main__":
    main()
