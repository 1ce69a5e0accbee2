"""send, sendmail and outbox: exit codes and words when a server takes a message for some recipients, later, or not."""

from __future__ import annotations

import pytest

from termmail.demo.faults import Manners

SEND = ("send", "--subject", "A", "--body", "x")
LATER = Manners(answers={"MAIL": b"451 later\r\n"})
PARTLY = Manners(answers={"RCPT eve@example.org": b"550 no such user\r\n"})


@pytest.mark.parametrize("command", ["send", "sendmail"])
async def test_a_partly_refused_message_exits_69_and_names_who_was_refused(termmail, command):
    termmail.demo.smtp.manners = PARTLY
    if command == "send":
        ran = await termmail(*SEND, "--to", "bob@example.org", "--to", "eve@example.org", code=69)
    else:
        ran = await termmail("sendmail", "bob@example.org", "eve@example.org", stdin=b"Subject: A\n\nx\n", code=69)
    assert ran.out.strip().isdigit()
    assert [list(received.recipients) for received in termmail.demo.smtp.received] == [["bob@example.org"]]
    assert "Refused for eve@example.org: " in ran.err
    assert "no such user" in ran.err
    assert "bob@example.org" not in ran.err
    assert "Everyone else has it" in ran.err


async def test_json_names_who_was_refused(termmail):
    termmail.demo.smtp.manners = PARTLY
    ran = await termmail(*SEND, "--to", "bob@example.org", "--to", "eve@example.org", "--json", code=69)
    (row,) = ran.json
    assert row["state"] == "sent"
    assert list(row["refused"]) == ["eve@example.org"]


async def test_sync_exits_69_when_what_waited_is_partly_refused(termmail):
    termmail.demo.smtp.manners = LATER
    await termmail(*SEND, "--to", "bob@example.org", "--to", "eve@example.org", code=75)
    termmail.demo.smtp.manners = PARTLY
    ran = await termmail("sync", code=69)
    assert "eve@example.org" in ran.err
    assert "no such user" in ran.err


async def test_retry_without_an_id_retries_everything_that_waits(termmail):
    termmail.demo.smtp.manners = LATER
    waiting = {(await termmail(*SEND, "--to", who, code=75)).out for who in ("bob@example.org", "eve@example.org")}
    termmail.demo.smtp.manners = PARTLY
    ran = await termmail("outbox", "retry", code=69)
    assert set(ran.out.splitlines(keepends=True)) == waiting
    assert [list(received.recipients) for received in termmail.demo.smtp.received] == [["bob@example.org"]]
    assert "no such user" in ran.err
    ran = await termmail("outbox", "retry")
    assert ran.out == b""
    assert "Nothing waits in the outbox." in ran.err


async def test_retry_without_an_id_leaves_a_message_that_may_have_arrived(termmail):
    termmail.demo.smtp.manners = Manners(lose_answer_to=frozenset({"."}))
    ran = await termmail(*SEND, "--to", "bob@example.org", code=75)
    assert "It may have arrived" in ran.err
    termmail.demo.smtp.manners = Manners()
    again = await termmail("outbox", "retry", code=75)
    assert f"termmail outbox retry --sure {int(ran.out)}" in again.err
    assert len(termmail.demo.smtp.received) == 1
    await termmail("outbox", "retry", "--sure")
    assert len(termmail.demo.smtp.received) == 2


async def test_a_second_cancel_says_that_the_message_was_taken_back_already(termmail):
    termmail.demo.smtp.manners = LATER
    outbox_id = (await termmail(*SEND, "--to", "bob@example.org", code=75)).out.decode().strip()
    first = await termmail("outbox", "cancel", outbox_id)
    assert f"Message {outbox_id} is a draft again." in first.err
    second = await termmail("outbox", "cancel", outbox_id, code=65)
    assert f"Message {outbox_id} was taken back already." in second.err
    assert "deleted" not in second.err


async def test_a_message_that_waits_says_what_sends_it(termmail):
    """Nothing runs in the background after a command, so nothing "tries again by itself"."""
    termmail.demo.smtp.manners = LATER
    ran = await termmail(*SEND, "--to", "bob@example.org", code=75)
    assert "It waits in the outbox" in ran.err
    assert "termmail sync sends it" in ran.err
    assert "by itself" not in ran.err


async def test_sync_without_a_network_promises_nothing(termmail):
    await termmail.demo.pop3.stop()
    ran = await termmail("sync", code=75)
    assert "by itself" not in ran.err
    assert "Check the name of the server and the port, and the network." in ran.err


async def test_a_show_that_cannot_fetch_promises_nothing(termmail):
    await termmail("sync")
    rows = (await termmail("list", "--json", "--limit", "500")).json
    message_id = next(row["id"] for row in rows if not row["downloaded"])
    await termmail.demo.pop3.stop()
    ran = await termmail("show", str(message_id), code=75)
    assert "by itself" not in ran.err


async def test_retry_of_several_exits_with_the_worst_outcome(termmail):
    termmail.demo.smtp.manners = LATER
    ids = [
        (await termmail(*SEND, "--to", who, code=75)).out.decode().strip()
        for who in ("eve@example.org", "bob@example.org")
    ]
    termmail.demo.smtp.manners = PARTLY
    ran = await termmail("outbox", "retry", *ids, code=69)
    assert ran.out.decode().split() == ids
    assert "Not sent." in ran.err
    assert "Sent: " in ran.err


async def invitation(termmail) -> str:
    """The id of the invitation in the demo."""
    await termmail("sync")
    rows = (await termmail("search", "subject:'the engine turns, in three days'", "--json")).json
    return str(next(row["id"] for row in rows if row["subject"].startswith("Invitation")))


async def test_an_invitation_is_answered_once_and_only_by_a_message_that_is_one(termmail):
    message_id = await invitation(termmail)
    ran = await termmail("answer", message_id, "accept", "--json")
    assert ran.json[0]["state"] == "sent"
    (received,) = termmail.demo.smtp.received
    assert list(received.recipients) == ["charles@example.net"]
    assert b"Subject: Accepted: The engine turns" in received.raw
    (row, *_) = (await termmail("list", "--json")).json
    other = row["id"] if str(row["id"]) != message_id else 1
    ran = await termmail("answer", str(other), "decline", code=65)
    assert "is no invitation that asks for an answer." in ran.err
    await termmail("answer", "999999", "maybe", code=65)
    await termmail("answer", message_id, "perhaps", code=64)
