"""New mail is announced once for all that comes together, and what is no news is not."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from calendar import timegm

import pytest
from msgspec.structs import replace

from termmail.accounts.config import Notifications
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.engine import announcer
from termmail.engine.announcer import announcement, is_quiet
from termmail.engine.events import Failed
from termmail.store.messages import Arrival
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.mail.nasty import EVIL_TEXTS
from tests.views import INBOX

NOW = timegm((2026, 3, 2, 12, 0, 0))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(announcer, "PAUSE", 0)


def announcing(engine, **settings):
    """Everything that the engine announces from now on, and a queue to wait for it."""
    told = asyncio.Queue()
    notifications = Notifications(**{"new_mail": "terminal", **settings})
    engine.context.config = replace(engine.context.config, notifications=notifications)
    engine.context.clock = lambda: NOW
    engine.announcer.show = told.put_nowait
    engine.announcer.start()
    return told


async def all_said(engine, told):
    """What was announced, once every task that may announce has ended."""
    while tasks := [task for task in engine.context.tasks._tasks if not task.done()]:
        await asyncio.gather(*tasks)
    await asyncio.sleep(0)
    while tasks := [task for task in engine.context.tasks._tasks if not task.done()]:
        await asyncio.gather(*tasks)
    return [told.get_nowait().words for _ in range(told.qsize())]


async def test_one_message_is_named_and_several_are_one_announcement(pop3_server, engine_at):
    server = await pop3_server([mail(1), mail(2)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        told = announcing(engine)
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == [], "the first fill is no news"
        drop.add(mail(3, subject="Note G"))
        await engine.accounts.sync("ada")
        assert (await told.get()).words == "New mail from Charles Babbage: Note G"
        for number in range(4, 9):
            drop.add(mail(number).replace(b"Charles Babbage", b"Person %d" % (number // 2)))
        await engine.accounts.sync("ada")
        assert (await told.get()).words == "5 new messages: Person 4, Person 3, Person 2"
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == []


async def test_old_mail_and_read_mail_is_no_news(imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD)
    inbox = mailbox.folder("INBOX")
    server = await imap_server(mailbox)
    async with imap_engine_at(server.port) as engine:
        told = announcing(engine)
        await engine.accounts.sync("ada")
        inbox.add(mail(2), ["\\Seen"])
        inbox.add(mail(3).replace(b"2 Mar 2026", b"2 Feb 2026"))
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == []
        inbox.add(mail(4))
        await engine.accounts.sync("ada")
        assert (await told.get()).words.endswith("Engine part 4")


async def test_a_muted_conversation_is_never_announced(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        told = announcing(engine)
        await engine.accounts.sync("ada")
        rows = await engine.lists.rows(INBOX, await engine.lists.ids(INBOX))
        await engine.marks.mute([row.placement for row in rows])
        answer = mail(2).replace(b"Message-ID:", b"In-Reply-To: <m1@example.net>\r\nMessage-ID:")
        drop.add(answer)
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == []
        drop.add(mail(3))
        await engine.accounts.sync("ada")
        assert (await told.get()).words.endswith("Engine part 3")


async def test_nothing_is_announced_in_the_quiet_hours_nor_when_switched_off(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        hour = time.localtime(NOW).tm_hour
        told = announcing(engine, quiet_hours=f"{hour:02}:00-{hour:02}:30")
        await engine.accounts.sync("ada")
        drop.add(mail(2))
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == []
        engine.context.config = replace(engine.context.config, notifications=Notifications())
        drop.add(mail(3))
        await engine.accounts.sync("ada")
        assert await all_said(engine, told) == []


@pytest.mark.parametrize(
    ("hours", "shown", "quiet"),
    [
        ("", "12:00", False),
        ("22:00-07:00", "22:00", True),
        ("22:00-07:00", "06:59", True),
        ("22:00-07:00", "07:00", False),
        ("12:00-13:30", "13:29", True),
        ("12:00-13:30", "11:59", False),
    ],
)
def test_quiet_hours_go_over_midnight(hours, shown, quiet):
    hour, minute = map(int, shown.split(":"))
    assert is_quiet(hours, time.mktime((2026, 3, 2, hour, minute, 0, 0, 0, -1))) == quiet


async def test_a_command_gets_the_words_as_one_argument_and_no_shell_sees_them(pop3_server, engine_at, tmp_path):
    out, script = tmp_path / "out", tmp_path / "notify.py"
    script.write_text(
        "import json, os, sys\n"
        f"open({str(out)!r}, 'w').write(json.dumps([sys.argv[1:], {{k: v for k, v in os.environ.items()"
        " if k.startswith('TERMMAIL_')}]))\n"
    )
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        told = announcing(engine, new_mail="command", command=(sys.executable, str(script), "--app"))
        await engine.accounts.sync("ada")
        drop.add(mail(2, subject="$(touch x); `id` --urgent\x1b]0;x\x07"))
        await engine.accounts.sync("ada")
        await asyncio.sleep(0)
        assert await all_said(engine, told) == []
    (option, words), environment = json.loads(out.read_text())
    assert option == "--app"
    assert words.startswith("New mail from Charles Babbage: $(touch x); `id` --urgent")
    assert words.isprintable()
    assert environment.pop("TERMMAIL_SUBJECT").startswith("$(touch x)")
    assert environment == {
        "TERMMAIL_COUNT": "1",
        "TERMMAIL_ACCOUNT": "ada",
        "TERMMAIL_SENDER": "Charles Babbage",
    }


async def test_a_command_that_does_not_work_is_told_once(pop3_server, engine_at):
    server = await pop3_server([mail(1)])
    drop = next(iter(server.users.values()))
    async with engine_at(server.port) as engine:
        told = announcing(engine, new_mail="command", command=("/nonexistent/notify",))
        await engine.accounts.sync("ada")
        for number in (2, 3):
            drop.add(mail(number))
            await engine.accounts.sync("ada")
            await all_said(engine, told)
        assert [one.words for one in engine.heard.of(Failed)] == [
            "The command for new mail, '/nonexistent/notify', did not work."
        ]


@pytest.mark.parametrize("evil", EVIL_TEXTS)
def test_an_announcement_is_one_clean_line_of_bounded_length_that_begins_with_our_words(evil):
    for arrivals in ([Arrival("a", evil, evil)], [Arrival("a", evil, ""), Arrival("a", f"{evil}2", "")]):
        words = announcement(arrivals).words
        assert words.startswith(("New mail from ", "2 new messages: "))
        assert "\n" not in words
        assert len(words) <= 4 * announcer.LONGEST
        assert not any(ord(char) < 32 or 127 <= ord(char) < 160 for char in words)
