"""Commands over several accounts, accounts and folders with odd names, and a store that was damaged."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.one_account import one_account


def with_second_account(termmail, name: str = "home") -> None:
    """A second account that reads from the same servers."""
    text = one_account(termmail.demo)
    second = text[text.index("[accounts.demo]") :].replace("accounts.demo", f'accounts."{name}"')
    (termmail.folder / "config.toml").write_text(f"{text}\n{second}")


async def test_list_and_search_name_the_account_where_there_are_several(termmail):
    await termmail("sync")
    alone = (await termmail("list", "--limit", "1")).out.decode()
    assert "demo" not in alone
    with_second_account(termmail)
    await termmail("sync", "--account", "home")
    rows = (await termmail("list", "--limit", "4")).out.decode().splitlines()
    assert [row.split()[1] for row in rows] == ["demo", "home", "demo", "home"]
    assert "demo" not in (await termmail("list", "--limit", "1", "--account", "demo")).out.decode()
    found = (await termmail("search", "subject:welcome")).out.decode().splitlines()
    assert {row.split()[1] for row in found} == {"demo", "home"}


async def test_list_shows_the_newest_messages_of_all_accounts_in_one_order(termmail):
    with_second_account(termmail)
    await termmail("sync")
    both = (await termmail("list", "--json", "--limit", "1000")).json
    assert {row["account"] for row in both} == {"demo", "home"}
    assert [row["date"] for row in both] == sorted((row["date"] for row in both), reverse=True)
    assert (await termmail("list", "--json", "--limit", "5")).json == both[:5]
    assert len((await termmail("list", "--limit", "5")).out.splitlines()) == 5
    home = (await termmail("list", "--json", "--limit", "5", "--account", "home")).json
    assert home == [row for row in both if row["account"] == "home"][:5]


@pytest.mark.parametrize("name", ["list", "ada@example.org", "1", "_._"])
async def test_an_account_with_an_odd_name_is_found_by_it(termmail, name):
    with_second_account(termmail, name)
    await termmail("sync", f"--account={name}")
    rows = (await termmail("list", f"--account={name}", "--json", "--limit", "2")).json
    assert [row["account"] for row in rows] == [name, name]
    (summary,) = (await termmail("sync", f"--account={name}", "--json")).json
    assert summary["account"] == name


@pytest.mark.parametrize("folder", ["a / b", "Work/2026", "../x", "search:x", "outbox:", "inbox 2"])
async def test_a_folder_with_an_odd_name_is_a_folder(termmail, tmp_path, folder):
    path = tmp_path / "one.eml"
    path.write_bytes(b"From: ada@example.org\nSubject: odd\n\nx\n")
    await termmail("import", str(path), "--folder", folder)
    (row,) = (await termmail("list", "--folder", folder, "--json")).json
    assert (row["folder"], row["subject"]) == (folder.replace(" / ", "/"), "odd")
    assert b"odd" in (await termmail("list", "--folder", folder)).out


async def test_an_account_without_a_password_does_not_keep_the_others_from_being_tested(termmail):
    with_second_account(termmail)
    path = termmail.folder / "config.toml"
    path.write_text(path.read_text().replace('["echo", "analytical"]', '["false"]', 2))
    ran = await termmail("account", "test", code=77)
    assert "demo: ✗" in ran.out.decode()
    assert "home: ✓ Receiving" in ran.out.decode()
    assert "home: ✓ Sending" in ran.out.decode()


@pytest.mark.parametrize(("broken", "table"), [("demo", "[accounts.demo]"), ("home", '[accounts."home"]')])
async def test_sync_of_several_exits_with_the_worst_outcome_and_receives_the_others(termmail, broken, table):
    with_second_account(termmail)
    path = termmail.folder / "config.toml"
    before, table, of_account = path.read_text().partition(table)
    path.write_text(before + table + of_account.replace(f"port = {termmail.demo.pop3_port}", "port = 1", 1))
    ran = await termmail("sync", code=75)
    assert f"{broken}: " in ran.err
    (other,) = {"demo", "home"} - {broken}
    assert ran.out.decode().startswith(f"{other}: 62 new messages")


async def test_delete_now_leaves_other_deletes_their_minute(termmail):
    await termmail("sync")
    before = len(termmail.demo.maildrop.messages)
    rows = (await termmail("list", "--json", "--limit", "3")).json
    first, second, third = (str(row["id"]) for row in rows)
    assert (await termmail("delete", first)).err == ""
    await termmail("delete", second, third, "--now")
    assert len(termmail.demo.maildrop.messages) == before - 2
    assert rows[0]["uidl"].encode() in {stored.uidl for stored in termmail.demo.maildrop.messages}


async def test_delete_of_several_never_erases_one_that_is_in_trash_already(termmail):
    await termmail("sync")
    rows = (await termmail("list", "--json", "--limit", "3")).json
    ids = [str(row["id"]) for row in rows]
    await termmail("delete", ids[1])
    ran = await termmail("delete", *ids)
    assert f"Already in Trash: {ids[1]}." in ran.err
    assert b"2 messages" in ran.out
    trash = (await termmail("list", "--folder", "Trash", "--json")).json
    assert {str(row["id"]) for row in trash} == set(ids)


def damage(path) -> None:
    """Break an index of the store so that it opens but fails SQLite's integrity check."""
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA writable_schema = ON")
        ((name, page),) = db.execute(
            "SELECT name, rootpage FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = 'message'"
            " LIMIT 1"
        ).fetchall()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((size,),) = db.execute("PRAGMA page_size").fetchall()
    content = bytearray(path.read_bytes())
    start = (page - 1) * size
    content[start + 8 : start + size] = content[start + 8 : start + size][::-1]
    path.write_bytes(content)
    assert name


async def test_doctor_reports_a_damaged_store_with_advice(termmail):
    await termmail("sync")
    assert "✓ The mail store is intact." in (await termmail("doctor")).out.decode()
    damage(termmail.folder / "data" / "mail.db")
    ran = await termmail("doctor", code=74)
    assert "✗ The mail store" in ran.out.decode()
    assert "is damaged" in ran.out.decode()
    assert "Keep a copy of the file" in ran.out.decode()
    assert "✓ Receiving" in ran.out.decode()


@pytest.mark.parametrize("kind", ["newer", "truncated", "other"])
async def test_a_store_that_cannot_be_opened_is_one_sentence(termmail, kind):
    await termmail("sync")
    path = termmail.folder / "data" / "mail.db"
    if kind == "newer":
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA user_version = 999")
    else:
        path.write_bytes(path.read_bytes()[:1000] if kind == "truncated" else b"\x7fELF" + bytes(5000))
    for command in ("list", "doctor", "sync"):
        ran = await termmail(command, code=74)
        assert ran.out == b""
        assert len(ran.err.splitlines()) == 1
        assert ran.err.startswith("termmail: The mail store")


@pytest.mark.parametrize("words", ["list --account nobody", "list --nothing", ""])
async def test_the_exit_code_is_the_same_where_stderr_is_full(termmail, words):
    ran = await termmail.shell(f'"$@" {words} < /dev/null 2> /dev/full')
    assert ran.code == 64
