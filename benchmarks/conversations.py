"""Conversations in a folder of 100 000 messages: grouping them, listing, folding, sorting, and opening one of 500.

    python -m benchmarks.conversations [--quick]

The list of all messages, each for itself, is the floor that the other lists are compared with.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from typing import TYPE_CHECKING

from benchmarks.rig import Effort, Host, amount, engine_for, parser, ratio, row, scratch
from termmail.engine.message_reader import PLAIN
from termmail.mail import parse
from termmail.mail.model import Order
from termmail.mail.views import Unfolded
from termmail.store import conversations, derived, messages, outlines
from termmail.store.store import Store
from termmail.ui.conversation_page import ConversationPage
from termmail.ui.humanize import Today

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOW = 1_772_500_000
LONG = 500
"""Messages of the long conversation."""


def mails(count: int, long: int) -> Iterator[tuple[int, str, list[str]]]:
    """Dates, Message-IDs and references: two of three messages answer one of the 300 before; one has `long` answers."""
    chance = random.Random(7)
    lines: list[list[str]] = []
    for number in range(count):
        line: list[str] = []
        if count // 2 < number < count // 2 + long:
            line = [f"{count // 2}@list.example"]
        elif number and chance.random() < 2 / 3:
            parent = chance.randrange(max(0, number - 300), number)
            line = [*lines[parent], f"{parent}@list.example"][-20:]
        lines.append(line)
        yield NOW - 60 * (count - number), f"{number}@list.example", line


def fill(folder: Path, count: int, long: int) -> int:
    """Write a store of so many messages without conversations; return the newest message of the long one."""
    (folder / "data").mkdir()
    with Store.open(folder / "data" / "mail.db") as store, store.transaction() as db:
        inbox = db.execute("INSERT INTO folder (account, name, role) VALUES ('ada', 'Inbox', 'inbox')").lastrowid
        newest = 0
        for date, rfc_message_id, line in mails(count, long):
            raw = (
                f"From: P{date % 500} <p{date % 500}@example.org>\r\nTo: list@list.example\r\n"
                f"Subject: {'Re: ' if line else ''}Subject {date % 30_000}\r\nMessage-ID: <{rfc_message_id}>\r\n"
                f"References: {' '.join(f'<{one}>' for one in line)}\r\n\r\nA few words of a letter.\r\n"
            ).encode()
            columns = derived.columns(parse.envelope(raw.partition(b"\r\n\r\n")[0]), date)
            message_id = messages.insert(db, "ada", date, len(raw), columns, flags=0, whole=True)
            db.execute("INSERT INTO raw (id, complete, bytes) VALUES (?, 1, ?)", (message_id, raw))
            newest = message_id if line == [f"{count // 2}@list.example"] else newest
        db.execute(
            "INSERT INTO placement (folder, sort_date, message, unread) SELECT ?, sort_date, id, 0 FROM message",
            (inbox,),
        )
    return newest


def spent(work: Callable[[], object], runs: int) -> float:
    """The median of so many runs, in seconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def lists(store: Store, count: int, effort: Effort) -> None:
    """Measure the lists of one folder."""
    where = [folder_id for (folder_id,) in store.read("SELECT id FROM folder WHERE role = 'inbox'")]
    runs = effort.runs(5)
    floor = spent(lambda: messages.ids(store, where), runs)
    row(f"{amount(count)} messages, each for itself", f"{floor * 1000:.1f} ms")
    folded, every = Unfolded(), Unfolded(every=True)
    for name, work in (
        ("  as conversations", lambda: outlines.outline(store, where, folded)),
        ("  the first 200 conversations", lambda: outlines.outline(store, where, folded, limit=200)),
        ("  all unfolded", lambda: outlines.outline(store, where, every)),
        ("  by sender", lambda: outlines.outline(store, where, folded, order=Order.SENDER)),
    ):
        seconds = spent(work, runs)
        row(name, f"{seconds * 1000:.1f} ms", ratio(seconds, floor, "the list"))
    window = outlines.outline(store, where, folded, limit=60).ids
    seconds = spent(lambda: outlines.fold(store, messages.rows(store, window, where), where), runs)
    row("  the rows of a window", f"{seconds * 1000:.1f} ms")


async def page(folder: Path, newest: int, effort: Effort) -> None:
    """Measure opening the long conversation, as the reader does."""
    async with engine_for(Host(1, "no server"), folder) as engine:
        times = []
        for _ in range(effort.runs(5)):
            start = time.perf_counter()
            shown = ConversationPage(engine, newest)
            await shown.load(88, look=PLAIN, fetch=False)
            lines = shown.lines(Today.at(NOW), 88).lines
            times.append(time.perf_counter() - start)
        row(
            f"a conversation of {amount(len(lines))} lines opened",
            f"{statistics.median(times) * 1000:.0f} ms",
            "",
            "goal 100 ms",
        )


def main() -> None:
    effort = Effort(parser(__doc__).parse_args().quick)
    count, long = effort.count(100_000), effort.count(LONG)
    with scratch() as folder:
        newest = fill(folder, count, long)
        with Store.open(folder / "data" / "mail.db") as store:
            start = time.perf_counter()
            with store.transaction() as db:
                conversations.group_all(db)
            row(f"{amount(count)} messages grouped", f"{time.perf_counter() - start:.2f} s", "", "goal 10 s")
            lists(store, count, effort)
        asyncio.run(page(folder, newest, effort))


if __name__ == "__main__":
    main()
