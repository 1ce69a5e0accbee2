"""`termmail sync` announces new mail as the screen does, where the config names a command for it."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

import pytest

from termmail.demo.loopback_servers import USER


@pytest.fixture
async def announced(termmail, tmp_path):
    """Let a command write what it is told; returns what was announced since, as lines. The first fill is over."""
    out, script = tmp_path / "out", tmp_path / "notify.py"
    script.write_text(f"import json, sys\nprint(json.dumps(sys.argv[1:]), file=open({str(out)!r}, 'a'))\n")
    notify(termmail, [sys.executable, str(script)])
    await termmail("sync")
    assert not out.exists(), "the first fill is no news"

    def lines() -> list[str]:
        said = out.read_text().splitlines() if out.exists() else []
        out.unlink(missing_ok=True)
        return [words for line in said for words in json.loads(line)]

    return lines


def notify(termmail, command, more=""):
    path = termmail.folder / "config.toml"
    accounts = path.read_text().partition("[notifications]")[0]
    path.write_text(f'{accounts}\n[notifications]\nnew_mail = "command"\ncommand = {json.dumps(command)}\n{more}\n')


async def deliver(termmail, *subjects):
    for subject in subjects:
        await termmail("send", "--to", USER, "--subject", subject, "--body", "Hello")


async def test_sync_announces_all_that_came_at_once(termmail, announced):
    await deliver(termmail, "Note G")
    await termmail("sync")
    (words,) = announced()
    assert words.startswith("New mail from ")
    assert words.endswith(": Note G")
    await deliver(termmail, "one", "two", "three")
    await termmail("sync")
    (words,) = announced()
    assert words.startswith("3 new messages: ")
    await termmail("sync")
    assert announced() == []


async def test_an_option_switches_it_off_and_nothing_is_made_up_for(termmail, announced):
    await deliver(termmail, "Note G")
    await termmail("sync", "--no-notify")
    await termmail("sync")
    assert announced() == []


async def test_two_syncs_at_a_time_announce_a_message_once(termmail, announced):
    await deliver(termmail, "Note G")
    await asyncio.gather(*(termmail("sync", code=None) for _ in range(3)))
    await termmail("sync")
    assert len(announced()) == 1


async def test_quiet_hours_are_kept(termmail, announced):
    command = json.loads((termmail.folder / "config.toml").read_text().partition("command = ")[2].splitlines()[0])
    now = datetime.now(UTC)  # the programs run with TZ=UTC
    hours = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    notify(termmail, command, f'quiet_hours = "{hours}"')
    await deliver(termmail, "Note G")
    await termmail("sync")
    assert announced() == []


async def test_a_muted_conversation_is_not_announced(termmail, announced):
    await deliver(termmail, "A walk by the river")
    await termmail("sync", "--no-notify")
    (row,) = (await termmail("search", "subject:'A walk by the river' in:inbox", "--json")).json
    await termmail("mute", str(row["id"]))
    raw = (await termmail("show", str(row["id"]), "--raw")).out
    name = next(line for line in raw.decode().splitlines() if line.lower().startswith("message-id:")).split(None, 1)[1]
    answer = f"From: {USER}\nTo: {USER}\nSubject: Re: A walk by the river\nIn-Reply-To: {name}\n\nAn answer.\n"
    await termmail("sendmail", "-t", stdin=answer.encode())
    await termmail("sync")
    assert announced() == []


async def test_a_command_that_does_not_work_is_said_and_the_sync_counts(termmail, announced):
    notify(termmail, ["/nonexistent/notify"])
    await deliver(termmail, "Note G")
    ran = await termmail("sync")
    assert "The command for new mail, '/nonexistent/notify', did not work." in ran.err
    assert b"1 new" in ran.out
    assert announced() == []
