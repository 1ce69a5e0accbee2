"""The outside contract: commands, JSON, exit codes. Others' scripts rely on every line of this."""

from __future__ import annotations

import contextlib
import mailbox
import os
import sqlite3
import stat
import subprocess
import sys

import pytest

from termmail.demo.faults import Manners

LIST_KEYS = [
    "id", "account", "folder", "uidl", "message_id", "from", "to", "subject", "date", "size", "flags", "attachments",
    "downloaded", "snippet", "thread",
]  # fmt: skip
SHOW_KEYS = ["id", "headers", "from", "to", "cc", "subject", "date", "body", "attachments", "links", "warnings"]


async def test_sync_then_list_show_and_search(termmail):
    (summary,) = (await termmail("sync", "--json")).json
    assert summary["new"] == len(termmail.demo.maildrop.messages)
    rows = (await termmail("list", "--json", "--limit", "500")).json
    assert len(rows) == summary["new"]
    assert all(list(row) == LIST_KEYS for row in rows)
    assert rows[0]["subject"] == "Welcome to termmail"
    assert "unread" in rows[0]["flags"]
    assert not rows[0]["downloaded"]
    (message,) = (await termmail("show", str(rows[0]["id"]), "--json")).json
    assert list(message) == SHOW_KEYS
    assert message["subject"] == "Welcome to termmail"
    assert message["body"]
    again = (await termmail("list", "--json", "--limit", "1")).json
    assert again[0]["downloaded"]
    found = (await termmail("search", "termmail", "--json")).json
    assert rows[0]["id"] in [row["id"] for row in found]
    text = (await termmail("list", "--limit", "3")).out.decode()
    assert len(text.splitlines()) == 3


async def test_show_file_needs_no_account(tmp_path):
    path = tmp_path / "x.eml"
    path.write_bytes(
        b"From: Ada <ada@example.org>\r\nSubject: =?utf-8?q?=1b=5b2JHi?=\r\nContent-Type: text/html\r\n\r\n"
        b"<p>See <a href='https://example.org/x'>this</a></p>"
    )
    env = {**os.environ, "HOME": str(tmp_path / "nowhere"), "XDG_CONFIG_HOME": "", "XDG_DATA_HOME": ""}
    command = [sys.executable, "-m", "termmail", "show", "--file", str(path), "--json"]
    ran = subprocess.run(command, capture_output=True, env=env, timeout=60, check=True)
    import json

    message = json.loads(ran.stdout)
    assert list(message) == SHOW_KEYS
    assert message["from"] == "Ada <ada@example.org>"
    assert "\x1b" not in message["subject"]
    assert message["links"] == [{"text": "this", "url": "https://example.org/x"}]
    assert not (tmp_path / "nowhere").exists()


async def test_show_raw_is_byte_exact(termmail):
    await termmail("sync")
    rows = (await termmail("list", "--json", "--limit", "500")).json
    by_id = {stored.raw for stored in termmail.demo.maildrop.messages}
    ran = await termmail("show", str(rows[3]["id"]), "--raw")
    assert ran.out in by_id


async def test_send_prints_the_outbox_id_and_the_mail_comes_back(termmail):
    ran = await termmail("send", "--to", "bob@example.org", "--subject", "Breakfast", stdin=b"At nine?\n")
    assert ran.out.strip().isdigit()
    assert len(termmail.demo.smtp.received) == 1
    await termmail("sync")
    rows = (await termmail("list", "--json", "--limit", "5")).json
    assert "Breakfast" in [row["subject"] for row in rows]
    (copy,) = (await termmail("list", "--folder", "sent", "--json")).json
    assert (copy["subject"], copy["folder"]) == ("Breakfast", "Sent")


async def test_send_exits_75_when_the_message_waits_and_69_when_it_was_refused(termmail):
    termmail.demo.smtp.manners = Manners(answers={"MAIL": b"451 later\r\n"})
    await termmail("send", "--to", "bob@example.org", "--subject", "A", "--body", "x", code=75)
    (waiting,) = (await termmail("outbox", "--json")).json
    assert waiting["state"] == "queued"
    termmail.demo.smtp.manners = Manners(answers={"MAIL": b"550 no\r\n"})
    ran = await termmail("send", "--to", "bob@example.org", "--subject", "B", "--body", "x", code=69)
    assert "no" in ran.err
    termmail.demo.smtp.manners = Manners()
    await termmail("outbox", "retry", str(waiting["id"]))
    assert len(termmail.demo.smtp.received) == 1


async def test_sync_sends_what_was_put_off(termmail):
    termmail.demo.smtp.manners = Manners(answers={"MAIL": b"451 later\r\n"})
    await termmail("send", "--to", "bob@example.org", "--subject", "A", "--body", "x", code=75)
    await termmail("sync", code=75)
    termmail.demo.smtp.manners = Manners()
    assert b", 1 sent" in (await termmail("sync")).out
    assert (await termmail("outbox", "--json")).json == []


@pytest.mark.parametrize(
    "wrong", [("--to", "bob", "--subject", "A"), ("--to", "b@example.org", "--subject", "A\nB: c")]
)
async def test_what_cannot_be_sent_leaves_no_draft(termmail, wrong):
    await termmail("send", *wrong, "--body", "x", code=65)
    assert (await termmail("list", "--folder", "Drafts", "--json")).json == []


async def test_show_takes_one_message_of_an_mbox_and_names_an_mbox_of_several(termmail):
    one = b"From ada@example.org Mon Nov 23 12:00:00 2026\nSubject: One\n\nFrom here on.\n"
    path = termmail.folder / "box"
    path.write_bytes(one)
    (shown,) = (await termmail("show", "--file", str(path), "--json")).json
    assert shown["subject"] == "One"
    path.write_bytes(one + b"\n" + one)
    ran = await termmail("show", "--file", str(path), code=65)
    assert "is an mbox of several messages. Import them with termmail import" in ran.err


async def test_outbox_cancel_brings_the_draft_back(termmail):
    termmail.demo.smtp.manners = Manners(answers={"MAIL": b"451 later\r\n"})
    ran = await termmail("send", "--to", "bob@example.org", "--subject", "A", "--body", "x", code=75)
    await termmail("outbox", "cancel", ran.out.decode().strip())
    assert (await termmail("outbox", "--json")).json == []
    (draft,) = (await termmail("list", "--folder", "Drafts", "--json")).json
    assert draft["subject"] == "A"


async def test_sendmail_takes_a_whole_message(termmail):
    raw = b"From: Ada <ada@example.org>\nTo: bob@example.org\nBcc: eve@example.org\nSubject: [PATCH]\n\n.\nhello\n"
    await termmail("sendmail", "-t", "-oi", stdin=raw)
    (received,) = termmail.demo.smtp.received
    assert set(received.recipients) == {"bob@example.org", "eve@example.org"}
    assert b"eve" not in received.raw
    assert b"\r\n.\r\nhello\r\n" in received.raw
    await termmail("sendmail", "-i", "-f", "ada@example.org", "carol@example.org", stdin=b"Subject: x\n\nbody\n")
    assert list(termmail.demo.smtp.received[1].recipients) == ["carol@example.org"]
    await termmail("sendmail", "-i", stdin=b"Subject: x\n\nbody\n", code=65)


async def test_delete_now_deletes_on_the_server_and_without_it_waits(termmail):
    await termmail("sync")
    before = len(termmail.demo.maildrop.messages)
    rows = (await termmail("list", "--json", "--limit", "2")).json
    await termmail("delete", str(rows[0]["id"]))
    await termmail("sync")
    assert len(termmail.demo.maildrop.messages) == before
    await termmail("delete", str(rows[1]["id"]), "--now")
    assert len(termmail.demo.maildrop.messages) == before - 1
    trash = (await termmail("list", "--folder", "Trash", "--json")).json
    assert {row["id"] for row in trash} == {row["id"] for row in rows}


async def test_a_second_delete_does_not_delete_for_good(termmail):
    await termmail("sync")
    (row,) = (await termmail("list", "--json", "--limit", "1")).json
    await termmail("delete", str(row["id"]))
    ran = await termmail("delete", str(row["id"]))
    assert "Already in Trash" in ran.err
    assert len((await termmail("list", "--folder", "Trash", "--json")).json) == 1
    await termmail("delete", "--for-good", str(row["id"]))
    assert (await termmail("list", "--folder", "Trash", "--json")).json == []


async def test_a_second_backup_into_the_same_folder_adds_only_what_is_new(termmail, tmp_path):
    await termmail("sync")
    dest = tmp_path / "backup"
    await termmail("export", "", str(dest), "--format", "eml")
    before = sorted(path.name for path in dest.iterdir())
    ran = await termmail("export", "", str(dest), "--format", "eml", "--json")
    assert ran.json[0]["exported"] == 0
    assert sorted(path.name for path in dest.iterdir()) == before


async def test_nothing_found_and_nothing_to_retry_are_said(termmail):
    assert "termmail sync" in (await termmail("list")).err
    await termmail("sync")
    ran = await termmail("search", "zanzibarium")
    assert "No message matches" in ran.err
    assert "bodies of" in ran.err
    ran = await termmail("send", "--to", "bob@example.org", "--subject", "x", "--body", "x")
    assert "Sent" in ran.err
    for verb in ("retry", "cancel"):
        again = await termmail("outbox", verb, ran.out.decode().strip(), code=65)
        assert "was sent already" in again.err


async def test_save_writes_attachments_and_never_over_a_file(termmail, tmp_path):
    await termmail("sync")
    rows = (await termmail("list", "--json", "--limit", "500")).json
    row = next(row for row in rows if row["attachments"])
    folder = tmp_path / "saved"
    folder.mkdir()
    first = (await termmail("save", str(row["id"]), str(folder), "--json")).json
    second = (await termmail("save", str(row["id"]), str(folder), "--json")).json
    assert first
    assert {one["path"] for one in first}.isdisjoint(one["path"] for one in second)
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await termmail("save", str(row["id"]), str(tmp_path / "missing"), code=73)


@pytest.mark.parametrize("form", ["mbox", "maildir", "eml"])
async def test_what_is_exported_comes_back_byte_for_byte(termmail, tmp_path, form):
    await termmail("sync")
    dest = tmp_path / "out"
    await termmail("export", "", str(dest), "--format", form)
    raws = sorted(stored.raw for stored in termmail.demo.maildrop.messages)
    if form == "eml":
        assert sorted(path.read_bytes() for path in dest.iterdir()) == raws
    if form == "maildir":
        assert len(mailbox.Maildir(dest)) == len(raws)
    elif form == "mbox":
        with contextlib.closing(mailbox.mbox(dest)) as box:
            assert len(box) == len(raws)
        await termmail("export", "", str(dest), "--format", form, code=73)
    await termmail("import", str(dest), "--folder", "Archive")
    ran = await termmail("import", str(dest), "--folder", "Archive", "--json")
    assert ran.json[0]["imported"] == 0
    assert (await termmail("list", "--folder", "Archive", "--json")).json == []


async def test_import_takes_a_foreign_mbox(termmail, tmp_path):
    box = mailbox.mbox(tmp_path / "old.mbox")
    for number in range(3):
        box.add(f"From: a@example.org\nSubject: old {number}\nMessage-ID: <o{number}@x>\n\nFrom here on\n".encode())
    box.close()
    ran = await termmail("import", str(tmp_path / "old.mbox"), "--folder", "Archive", "--json")
    assert ran.json[0]["imported"] == 3
    rows = (await termmail("list", "--folder", "Archive", "--json")).json
    assert sorted(row["subject"] for row in rows) == ["old 0", "old 1", "old 2"]
    (message,) = (await termmail("show", str(rows[0]["id"]), "--json")).json
    assert message["body"].strip() == "From here on"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 64),
        (["list", "--account", "nobody"], 64),
        (["list", "--folder", "nowhere"], 64),
        (["show"], 64),
        (["search", " "], 64),
        (["account", "add", "work", "bad"], 64),
        (["show", "999999"], 65),
        (["show", "--file", "/does/not/exist.eml"], 65),
        (["import", "/does/not/exist"], 73),
        (["save", "999999", "/tmp"], 65),
        (["send", "--to", "nobody", "--subject", "x", "--body", "x"], 65),
        (["send", "--to", "a@example.org\r\nBcc: b@example.org", "--subject", "x", "--body", "x"], 65),
        (["outbox", "retry", "77"], 65),
    ],
)
async def test_exit_codes_of_what_cannot_be_done(termmail, words, code):
    ran = await termmail(*words, code=code)
    assert ran.err.strip()
    assert "Traceback" not in ran.err
    assert ran.out == b""


async def test_exit_codes_of_servers(termmail):
    termmail.demo.pop3.manners = Manners(login=b"-ERR [AUTH] no\r\n")
    await termmail("sync", code=77)
    termmail.demo.pop3.manners = Manners(login=b"-ERR [IN-USE] locked\r\n")
    await termmail("sync", code=75)
    await termmail.demo.pop3.stop()
    tried = await termmail("account", "test", "demo", code=75)
    assert b"Check the name of the server and the port, and the network." in tried.out
    ran = await termmail("sync", code=75)
    assert "analytical" not in ran.err


async def test_a_wrong_config_is_78_and_names_the_key(termmail):
    path = termmail.folder / "config.toml"
    path.write_text(path.read_text().replace('security = "none"', 'security = "ssl"'))
    ran = await termmail("list", code=78)
    assert "accounts.demo.pop3.security" in ran.err
    assert "starttls" in ran.err


async def test_account_list_add_password_remove(termmail):
    (one,) = (await termmail("account", "--json")).json
    assert (one["name"], one["default"]) == ("demo", True)
    demo = termmail.demo
    plain = ["--allow-cleartext"]
    for kind, port in (("pop3", demo.pop3_port), ("smtp", demo.smtp_port)):
        plain += [f"--{kind}-host", demo.host, f"--{kind}-port", str(port), f"--{kind}-security", "none"]
    await termmail("account", "add", "second", "ada@example.org", *plain, "--password-command", "echo", demo.password)
    assert [row["name"] for row in (await termmail("account", "list", "--json")).json] == ["demo", "second"]
    await termmail("account", "test", "second")
    await termmail("account", "add", "third", "ada@example.org", *plain, "--password-command", "echo", "no", code=77)
    refused = await termmail("account", "add", "third", "ada@example.org", *plain, stdin=b"no\n", code=77)
    assert "try again; many providers want an app password" in refused.err
    assert "account password" not in refused.err  # there is no account that could be named
    await termmail("account", "remove", "second")
    assert len((await termmail("account", "list", "--json")).json) == 1


async def test_doctor_explains_and_hides_the_password(termmail):
    ran = await termmail("doctor")
    assert "✓ Receiving" in ran.out.decode()
    assert "✓ Sending" in ran.out.decode()
    assert "CAPA" in ran.err
    assert "analytical" not in ran.out.decode() + ran.err


async def test_doctor_makes_lists_and_search_again_from_the_raw_mail(termmail):
    await termmail("sync")
    before = (await termmail("list", "--limit", "500", "--json")).out
    with contextlib.closing(sqlite3.connect(termmail.folder / "data" / "mail.db")) as db:
        db.execute("UPDATE message SET subject = 'lost', sender = 'lost', snippet = ''")
        db.execute("INSERT INTO search (search) VALUES ('delete-all')")
        db.commit()
    assert b"lost" in (await termmail("list", "--json")).out
    ran = await termmail("doctor", "--rebuild")
    assert "Rebuilt" in ran.err
    assert (await termmail("list", "--limit", "500", "--json")).out == before
    assert (await termmail("search", "termmail", "--json")).json


async def test_everything_termmail_makes_is_for_its_user_alone(termmail):
    """SECURITY.md, L4."""
    await termmail("sync")
    await termmail("send", "--to", "bob@example.org", "--subject", "x", "--body", "x")
    for path in [termmail.folder / "data", *(termmail.folder / "data").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


async def test_two_syncs_at_once_share_the_store(termmail):
    import asyncio

    first, second = await asyncio.gather(termmail("sync", code=None), termmail("sync", code=None))
    assert sorted({first.code, second.code}) in ([0], [0, 75])
    rows = (await termmail("list", "--json", "--limit", "500")).json
    assert len(rows) == len(termmail.demo.maildrop.messages)


def test_a_headless_command_never_loads_textual(tmp_path):
    code = (
        "import sys\nfrom termmail.cli import main\n"
        f"main(['--config', {str(tmp_path / 'c.toml')!r}, '--data', {str(tmp_path / 'd')!r}, 'list'])\n"
        "heavy = {'textual', 'rich', 'keyring', 'turbohtml', 'aiosmtplib', 'tomlkit'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True)


@pytest.mark.parametrize(
    "name",
    ["demo", "sync", "folders", "list", "search", "show", "mark", "move", "delete", "undo", "save", "send", "sendmail", "outbox", "account", "import",
     "export", "doctor"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(name):
    ran = subprocess.run([sys.executable, "-m", "termmail", name, "--help"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0
    assert "example:\n  " in ran.stdout
    assert f"termmail {name}" in ran.stdout
