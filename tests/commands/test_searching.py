"""The search language on the command line, and searches that were kept."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest


async def test_search_speaks_the_language_of_the_screen(termmail):
    await termmail("sync")
    everything = (await termmail("search", "in:inbox", "--json", "--limit", "500")).json
    assert everything
    read = (await termmail("search", "in:inbox is:read", "--json", "--limit", "500")).json
    unread = (await termmail("search", "in:inbox -is:read", "--json", "--limit", "500")).json
    assert len(read) + len(unread) == len(everything)
    recent = (await termmail("search", "after:7d", "--json", "--limit", "500")).json
    older = (await termmail("search", "before:7d", "--json", "--limit", "500")).json
    assert {row["id"] for row in recent + older} == {row["id"] for row in everything}
    sender = everything[0]["from"][0]["email"] if isinstance(everything[0]["from"], list) else ""
    if sender:
        assert (await termmail("search", f"from:{sender}", "--json")).json


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("form:ada x", "There is no operator “form:”; did you mean from:?"),
        ("before:foo", "“before:” takes a date"),
        ("in:archiv", "There is no folder “archiv”; did you mean in:archive?"),
        ("account:nobody", "There is no account “nobody”"),
        ("is:red", "“is:” takes unread, read"),
    ],
)
async def test_what_is_not_understood_is_refused_in_words(termmail, query, words):
    await termmail("sync")
    ran = await termmail("search", query, code=64)
    assert words in ran.err
    assert ran.out == b""


async def test_a_limit_is_said_where_more_match(termmail):
    await termmail("sync")
    everything = (await termmail("search", "in:inbox", "--json")).json
    ran = await termmail("search", "in:inbox", "--json", "--limit", "2")
    assert ran.json == everything[:2]
    assert "More messages match: these are the newest 2. --limit N lists N of them." in ran.err
    whole = await termmail("search", "in:inbox", "--json", "--limit", str(len(everything)))
    assert "More messages match" not in whole.err


async def test_me_is_every_address_of_the_accounts(termmail):
    await termmail("sync")
    to_me = (await termmail("search", "to:me", "--json")).json
    assert to_me
    assert "ada@example.org" in str(to_me[0]["to"])
    both = (await termmail("search", "to:me OR -to:me", "--json", "--limit", "500")).json
    assert len(both) == len((await termmail("search", "in:anywhere -zanzibar", "--json", "--limit", "500")).json)


async def test_an_export_of_a_query_that_is_not_understood_is_refused(termmail, tmp_path):
    await termmail("sync")
    ran = await termmail("export", "form:ada", str(tmp_path / "out.mbox"), code=64)
    assert "There is no operator “form:”" in ran.err
    assert not (tmp_path / "out.mbox").exists()


async def test_kept_searches_are_listed_as_folders(termmail):
    await termmail("sync")
    with contextlib.closing(sqlite3.connect(termmail.folder / "data" / "mail.db")) as db:
        db.execute("INSERT INTO saved_search (name, words, place) VALUES ('Fresh', 'is:unread in:inbox', 1)")
        db.commit()
    folders = (await termmail("folders", "--json")).json
    inbox = next(one for one in folders if one["role"] == "inbox")
    fresh = next(one for one in folders if one["role"] == "search")
    assert (fresh["account"], fresh["name"], fresh["query"]) == (None, "Fresh", "is:unread in:inbox")
    assert fresh["total"] == fresh["unread"] == inbox["unread"] > 0
    assert b"Fresh" in (await termmail("folders")).out
    listed = (await termmail("list", "--folder", "fresh", "--limit", "500", "--json")).json
    assert len(listed) == fresh["total"]
