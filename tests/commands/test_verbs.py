"""folders, mark, move and undo: what they change, what they say, and that undo outlives the command."""

from __future__ import annotations

import pytest

from termmail.demo.faults import Manners


async def newest(termmail, count: int) -> list[dict]:
    await termmail("sync")
    return (await termmail("list", "--json", "--limit", str(count))).json


async def flags(termmail, message_id: int) -> list[str]:
    rows = (await termmail("list", "--json", "--limit", "500")).json
    return next(row["flags"] for row in rows if row["id"] == message_id)


async def test_folders_lists_each_with_its_role_and_counts(termmail):
    await termmail("sync")
    rows = (await termmail("folders", "--json")).json
    assert all(list(row) == ["account", "name", "role", "total", "unread"] for row in rows)
    by_name = {row["name"]: row for row in rows}
    assert [by_name[name]["role"] for name in ("Inbox", "Sent", "Archive", "Spam", "Trash", "Drafts", "Outbox")] == [
        "inbox", "sent", "archive", "junk", "trash", "drafts", None
    ]  # fmt: skip
    assert by_name["Inbox"]["total"] == len(termmail.demo.maildrop.messages)
    assert 0 < by_name["Inbox"]["unread"] <= by_name["Inbox"]["total"]
    text = (await termmail("folders")).out.decode().splitlines()
    assert len(text) == len(rows)
    assert text[0].split() == [str(by_name["Inbox"]["total"]), str(by_name["Inbox"]["unread"]), "Inbox"]


@pytest.mark.parametrize(
    ("there", "back", "flag", "words"),
    [("--read", "--unread", "unread", "Marked as read"), ("--star", "--unstar", "starred", "Starred")],
)
async def test_mark_sets_a_flag_and_undo_takes_it_back(termmail, there, back, flag, words):
    rows = await newest(termmail, 2)
    ids = [str(row["id"]) for row in rows]
    before = [await flags(termmail, row["id"]) for row in rows]
    ran = await termmail("mark", *ids, there)
    assert ran.out.decode() == f"{words}: 2 messages\n"
    for row, old in zip(rows, before, strict=True):
        assert set(await flags(termmail, row["id"])) == set(old) ^ {flag}
    ran = await termmail("undo")
    assert ran.out.decode() == f"Undone: {words}: 2 messages\n"
    assert [await flags(termmail, row["id"]) for row in rows] == before
    await termmail("mark", ids[0], there)
    await termmail("mark", ids[0], back)
    assert await flags(termmail, rows[0]["id"]) == before[0]
    assert (await termmail("mark", ids[0], back)).out.decode() == "Nothing changed\n"


async def test_mark_needs_exactly_one_flag_and_known_messages(termmail):
    (row,) = await newest(termmail, 1)
    await termmail("mark", str(row["id"]), code=64)
    await termmail("mark", str(row["id"]), "--read", "--star", code=64)
    ran = await termmail("mark", str(row["id"]), "999999", "--read", code=65)
    assert "There is no message 999999." in ran.err
    assert "unread" in await flags(termmail, row["id"])


async def test_move_puts_messages_into_a_folder_and_undo_brings_them_back(termmail):
    rows = await newest(termmail, 2)
    ids = [str(row["id"]) for row in rows]
    ran = await termmail("move", *ids, "archive", "--json")
    assert sorted(ran.json[0]["ids"]) == sorted(row["id"] for row in rows)
    assert {str(row["id"]) for row in (await termmail("list", "--folder", "Archive", "--json")).json} == set(ids)
    (undone,) = (await termmail("undo", "--json")).json
    assert (undone["undone"], sorted(undone["ids"])) == ("archive", sorted(row["id"] for row in rows))
    assert (await termmail("list", "--folder", "Archive", "--json")).json == []
    ran = await termmail("move", ids[0], "nowhere", code=64)
    assert "There is no folder 'nowhere' in demo. There are: Inbox, " in ran.err


async def test_a_move_to_trash_is_a_delete_and_is_undone_before_the_server_hears_of_it(termmail):
    before = len(termmail.demo.maildrop.messages)
    (row,) = await newest(termmail, 1)
    ran = await termmail("move", str(row["id"]), "Trash")
    assert ran.out.decode() == "Deleted: 1 message\n"
    await termmail("undo")
    await termmail("delete", str((await newest(termmail, 2))[1]["id"]), "--now")
    assert len(termmail.demo.maildrop.messages) == before - 1
    assert row["id"] in [one["id"] for one in await newest(termmail, 3)]


async def test_undo_takes_steps_back_in_order_and_says_when_there_is_none(termmail):
    rows = await newest(termmail, 2)
    await termmail("move", str(rows[0]["id"]), "Archive")
    await termmail("mark", str(rows[1]["id"]), "--star")
    assert (await termmail("undo")).out.startswith(b"Undone: Starred")
    assert (await termmail("undo")).out.startswith(b"Undone: Archived")
    ran = await termmail("undo", code=65)
    assert "There is nothing to undo." in ran.err
    assert ran.out == b""


async def test_undo_turns_a_message_that_waits_into_a_draft_again(termmail):
    termmail.demo.smtp.manners = Manners(answers={"MAIL": b"451 later\r\n"})
    await termmail("send", "--to", "bob@example.org", "--subject", "Later", "--body", "x", code=75)
    ran = await termmail("undo")
    assert "Sending “Later”" in ran.out.decode()
    assert "is a draft again" in ran.err
    (draft,) = (await termmail("list", "--folder", "Drafts", "--json")).json
    assert (draft["subject"], draft["flags"]) == ("Later", ["draft"])
    assert (await termmail("outbox", "--json")).json == []


async def test_delete_for_good_erases_from_any_folder_and_says_so(termmail):
    rows = await newest(termmail, 2)
    await termmail("delete", str(rows[0]["id"]))
    ran = await termmail("delete", "--for-good", *(str(row["id"]) for row in rows))
    assert ran.out.decode() == "Deleted for good: 2 messages\n"
    for row in rows:
        await termmail("show", str(row["id"]), code=65)
