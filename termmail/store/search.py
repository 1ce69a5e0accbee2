"""Full-text search. Indexing lags behind arriving, in small steps: `index_pending`."""

from __future__ import annotations

import re
import time
import unicodedata
from array import array
from itertools import chain
from typing import TYPE_CHECKING

from termmail.store import derived

if TYPE_CHECKING:
    from termmail.store.store import Store

_COLUMNS = {"from": "sender", "to": "recipients", "subject": "subject"}
_TERM = re.compile(r'(?:(from|to|subject):)?(?:"([^"]*)"?|([^\s"]+))', re.IGNORECASE)
_MOST_TERMS = 32
_LONGEST = 2000
_PENDING = "indexed < 1 + downloaded"


def search(
    store: Store, query: str, *, account: str | None = None, limit: int = 200, kept_only: bool = False
) -> array[int]:
    """The ids of the messages that hold every word of the query, newest first, at most `limit`; with `kept_only` none
    of those in Trash and Spam.

    `"several words"` stand together, `word*` is a beginning, `from:`, `to:` and `subject:` look there alone; letters
    are equal whatever their case and accents. Nothing one can type is an error. Only what is indexed is found.
    """
    wanted = expression(query)
    if not wanted:
        return array("q")
    found = store.read(
        "SELECT m.id FROM search JOIN message m ON m.id = search.rowid WHERE search MATCH ?"
        " AND m.account = coalesce(?, m.account) AND (m.folder NOT IN ('Trash', 'Spam') OR NOT ?)"
        " ORDER BY m.sort_date DESC, m.id DESC LIMIT ?",
        (wanted, account, kept_only, limit),
    )
    return array("q", chain.from_iterable(found))


def expression(query: str) -> str:
    """The query in the language of FTS5, every word quoted; "" where it holds no word."""
    text = query[:_LONGEST].replace("\0", " ").encode("utf-8", "replace").decode()
    terms = []
    for match in _TERM.finditer(text):
        field, phrase, word = match.groups()
        prefix = word is not None and word.endswith("*")
        plain = phrase if word is None else word.rstrip("*")
        if any(_is_word(char) for char in plain):
            where = f"{_COLUMNS[field.lower()]} : " if field else ""
            terms.append(f'{where}"{plain.replace(chr(34), " ")}"{"*" if prefix else ""}')
    return " AND ".join(terms[:_MOST_TERMS])


def _is_word(char: str) -> bool:
    """Whether unicode61 makes a token of it (sqlite.org/fts5.html section 4.3.1)."""
    category = unicodedata.category(char)
    return category[0] in "LN" or category == "Co"


def index_pending(store: Store, limit: int = 500, seconds: float = 0.05) -> int:
    """Put up to `limit` messages into the index, newest first, stopping after `seconds`; returns how many are left."""
    end = time.monotonic() + seconds
    if not store.read_one(f"SELECT 1 FROM message WHERE {_PENDING} LIMIT 1"):  # noqa: S608 - a text of ours
        return 0
    from termmail.mail import parse  # noqa: PLC0415 - a list needs no parser, and lists come first

    with store.transaction() as db:
        pending = db.execute(
            f"SELECT id, received, downloaded FROM message WHERE {_PENDING} ORDER BY id DESC LIMIT ?",  # noqa: S608
            (limit,),
        ).fetchall()
        for id_, received, downloaded in pending:
            (raw,) = db.execute("SELECT bytes FROM raw WHERE id = ?", (id_,)).fetchone()
            if downloaded:
                derived.body_columns(db, id_, parse.parse(raw), received)
            else:
                derived.index(db, id_, parse.envelope(raw), None)
            if time.monotonic() > end:
                break
        ((left,),) = db.execute(f"SELECT count(*) FROM message WHERE {_PENDING}").fetchall()  # noqa: S608
    return int(left)


def coverage(store: Store, account: str, *, kept_only: bool = False) -> tuple[int, int]:
    """How many messages of the account ("": of all) can be found by their body's words, of how many; with `kept_only`
    those in Trash and Spam are not counted.
    """
    ((bodies, total),) = store.read(
        "SELECT coalesce(sum(indexed = 2), 0), count(*) FROM message WHERE ?1 IN ('', account)"
        " AND (folder NOT IN ('Trash', 'Spam') OR NOT ?2)",
        (account, kept_only),
    )
    return int(bodies), int(total)
