"""`termmail space`: what lies on the servers, and what is deleted there and stays here."""

from __future__ import annotations


async def test_space_lists_what_lies_there_and_deletes_it_there_alone(termmail):
    await termmail("sync")
    drop = termmail.demo.maildrop
    before = len(drop.messages)
    shares = (await termmail("space", "--json", "--limit", "3")).json
    assert [list(one) for one in shares] == [
        ["account", "by", "name", "count", "size", "newest", "not_here", "ids"]
    ] * 3
    assert [one["size"] for one in shares] == sorted((len(one.raw) for one in drop.messages), reverse=True)[:3]
    text = (await termmail("space", "--by", "sender", "--limit", "5")).out.decode().splitlines()
    assert text[0].endswith(f"in {before} messages, as the last sync saw it")
    assert len(text) == 6
    (wanted,) = shares[0]["ids"]
    ran = await termmail("space", "--delete", str(wanted))
    assert ran.out.decode() == "Deleted on the server: 1 message. It stays here.\n"
    assert len(drop.messages) == before - 1
    rows = (await termmail("list", "--json", "--limit", "500")).json
    assert next(row for row in rows if row["id"] == wanted)["downloaded"] is True
    await termmail("space", "--delete", str(wanted), code=65)
    await termmail("space", "--account", "nobody", code=64)
