"""snooze, remind, label, mute and rules as processes: what they change, what they say, and that undo outlives them."""

from __future__ import annotations

import json


async def newest(termmail, count: int) -> list[dict]:
    await termmail("sync")
    return (await termmail("list", "--json", "--limit", str(count))).json


async def ids_in(termmail, folder: str = "Inbox") -> list[int]:
    return [row["id"] for row in (await termmail("list", "--folder", folder, "--json", "--limit", "500")).json]


async def test_a_snoozed_message_leaves_the_inbox_until_its_time_or_an_undo(termmail):
    rows = await newest(termmail, 2)
    first = rows[0]["id"]
    ran = await termmail("snooze", str(first), "--until", "in 2 days")
    assert "Snoozed until" in ran.out.decode()
    assert first not in await ids_in(termmail)
    assert await ids_in(termmail, "snoozed") == [first]
    await termmail("undo")
    assert first in await ids_in(termmail)
    await termmail("snooze", str(first), "--until", "next week")
    await termmail("snooze", str(first), "--back")
    assert first in await ids_in(termmail)


async def test_a_time_that_is_none_is_said(termmail):
    rows = await newest(termmail, 1)
    ran = await termmail("snooze", str(rows[0]["id"]), "--until", "yesterday \x1b[31m", code=64)
    assert "is no time to come" in ran.err
    assert "\x1b" not in ran.err


async def test_labels_are_put_on_listed_and_taken_away(termmail):
    rows = await newest(termmail, 2)
    ids = [str(row["id"]) for row in rows]
    ran = await termmail("label", *ids, "--add", "work", "--add", "tax 2026", "--json")
    assert ran.json[0]["ids"] == [row["id"] for row in rows]
    assert [row["name"] for row in (await termmail("label", "--json")).json] == ["tax 2026", "work"]
    assert "removed" in (await termmail("label", ids[0], "--remove", "WORK")).out.decode()
    assert "There is no label" in (await termmail("label", ids[0], "--remove", "none", code=65)).err
    await termmail("label", ids[0], code=64)
    await termmail("label", "--add", "x", code=64)


async def test_a_label_is_renamed_coloured_and_removed_from_all_messages(termmail):
    rows = await newest(termmail, 2)
    ids = [str(row["id"]) for row in rows]
    await termmail("label", *ids, "--add", "work", "--add", "home")
    ran = await termmail("label", "--rename", "work", "Tax 2026", "--color", "tax 2026", "3")
    assert "Label work is now Tax 2026; on IMAP servers its keyword stays work" in ran.out.decode()
    assert (await termmail("label", "--json")).json == [
        {"name": "home", "color": 1, "messages": 2},
        {"name": "Tax 2026", "color": 2, "messages": 2},
    ]
    assert "There is a label" in (await termmail("label", "--rename", "home", "tax 2026", code=65)).err
    assert "no colour" in (await termmail("label", "--color", "home", "7", code=64)).err
    assert "There is no label" in (await termmail("label", "--delete", "none", code=65)).err
    await termmail("label", *ids, "--delete", "home", code=64)
    assert "Label home removed: 2 messages" in (await termmail("label", "--delete", "home")).out.decode()
    assert [row["name"] for row in (await termmail("label", "--json")).json] == ["Tax 2026"]
    await termmail("undo")
    assert [row["name"] for row in (await termmail("label", "--json")).json] == ["home", "Tax 2026"]


async def test_a_muted_conversation_is_in_the_archive(termmail):
    rows = await newest(termmail, 1)
    first = rows[0]["id"]
    await termmail("mute", str(first))
    assert first in await ids_in(termmail, "Archive")
    await termmail("undo")
    assert first in await ids_in(termmail)
    assert "Nothing changed" in (await termmail("mute", str(first), "--off")).out.decode()


async def test_a_reminder_is_set_and_called_off(termmail):
    rows = await newest(termmail, 1)
    assert "if nobody answers" in (await termmail("remind", str(rows[0]["id"]), "--at", "in 3 days")).out.decode()
    assert "No reminder" in (await termmail("remind", str(rows[0]["id"]), "--off")).out.decode()


async def test_a_rule_is_tried_made_run_and_taken_back(termmail):
    rows = await newest(termmail, 500)
    sender = rows[0]["from"].partition("<")[2].rstrip(">") or rows[0]["from"]
    tried = (await termmail("rules", "try", f"from:{sender}", "--json")).json[0]
    assert rows[0]["id"] in tried["ids"]
    made = (
        await termmail("rules", "add", f"from:{sender}", "label:known", "archive", "--name", "Known", "--json")
    ).json[0]
    number = str(made["id"])
    assert "Known" in (await termmail("rules")).out.decode()
    before = await ids_in(termmail)
    assert "Rule “Known”" in (await termmail("rules", "run", number)).out.decode()
    assert rows[0]["id"] not in await ids_in(termmail)
    entry = (await termmail("rules", "log", "--json")).json[0]
    assert entry["count"] == tried["count"]
    await termmail("rules", "undo", str(entry["id"]))
    assert await ids_in(termmail) == before
    await termmail("rules", "off", number)
    assert "(off)" in (await termmail("rules", "list")).out.decode()
    await termmail("rules", "remove", number)
    assert (await termmail("rules", "--json")).json == []


async def test_rules_are_changed_ordered_and_brought_back(termmail):
    await termmail("sync")
    first = (await termmail("rules", "add", "subject:one", "star", "--json")).json[0]["id"]
    second = (await termmail("rules", "add", "subject:two", "star", "--json")).json[0]["id"]
    await termmail("rules", "change", str(first), "subject:uno", "label:x", "archive")
    await termmail("rules", "up", str(second))
    listed = (await termmail("rules", "--json")).json
    assert [(row["id"], row["query"], row["verbs"]) for row in listed] == [
        (second, "subject:two", "star"),
        (first, "subject:uno", "label:x, archive"),
    ]
    await termmail("rules", "remove", str(second))
    assert "Rule “subject:two → star” removed" in (await termmail("undo")).out.decode()
    assert "Rule “subject:one → star” changed" in (await termmail("undo")).out.decode()
    assert [row["query"] for row in (await termmail("rules", "--json")).json] == ["subject:two", "subject:one"]
    assert "Usage: termmail rules change" in (await termmail("rules", "change", str(first), code=64)).err


async def test_rules_that_cannot_be_are_refused_in_words(termmail):
    await termmail("sync")
    assert "matches every message" in (await termmail("rules", "add", "", "archive", code=65)).err
    assert "nothing a rule can do" in (await termmail("rules", "add", "x", "explode", code=65)).err
    assert "No account has a folder" in (await termmail("rules", "add", "x", "move:Nowhere", code=65)).err
    assert "There is no rule" in (await termmail("rules", "run", "99", code=65)).err
    assert "no number of a rule" in (await termmail("rules", "run", "x" * 99, code=65)).err
    assert "Usage: termmail rules add" in (await termmail("rules", "add", "x", code=64)).err
    assert json.loads((await termmail("rules", "try", "zzzqqq", "--json")).out)["count"] == 0


async def test_a_rule_acts_on_what_a_sync_brings(termmail):
    await termmail("sync")
    await termmail("rules", "add", "subject:machine", "star")
    raw = b"From: ada@example.org\r\nSubject: machine\r\nMessage-ID: <machine@example.org>\r\n\r\nHello.\r\n"
    termmail.demo.maildrop.add(raw)
    await termmail("sync")
    (entry,) = (await termmail("rules", "log", "--json")).json
    assert entry["count"] == 1
    assert "Starred" in entry["words"]
