"""Conversations beside those of notmuch, which groups by the same headers: the same sets of messages.

`python -m tests.servers.public_lists` compares them on messages of public mailing lists.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest

from termmail.store import derived, messages
from termmail.store.store import Store
from tests.store.parts import NOW, folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.servers


def mails(chance: random.Random, count: int) -> Iterator[bytes]:
    """Messages of a list as they come: long and broken chains, missing parents, circles, in any order.

    No Message-ID is used twice: of such messages notmuch looks at the headers of the first one alone.
    """
    made: list[bytes] = []
    for number in range(count):
        known = [chance.randrange(max(1, number)) for _ in range(chance.choice([0, 0, 1, 1, 1, 2, 3]))]
        missing = [count + chance.randrange(20)] if chance.random() < 0.1 else []
        later = [chance.randrange(count)] if chance.random() < 0.03 else []
        line = [f"<{one}@list.example>" for one in (*known, *missing, *later)]
        lines = [
            f"From: P{chance.randrange(9)} <p@example.org>",
            "To: list@list.example",
            f"Subject: subject {number}",  # notmuch never looks at it
            f"Date: {formatdate(NOW - 10**6 + 60 * number)}",
            f"Message-ID: <{number}@list.example>",
        ]
        if line and chance.random() < 0.8:
            lines.append("References: " + "\r\n ".join(line))
        if line and chance.random() < 0.8:
            lines.append(f"In-Reply-To: {line[-1]}")
        made.append("\r\n".join([*lines, "", f"Text {number}.", ""]).encode())
    chance.shuffle(made)
    yield from made


def of_notmuch(place: Path, made: list[bytes]) -> set[frozenset[str]]:
    """The sets of Message-IDs that notmuch makes of these messages."""
    program = shutil.which("notmuch")
    assert program is not None, "notmuch is needed: apt-get install notmuch"
    mail = place / "mail" / "cur"
    mail.mkdir(parents=True)
    for number, raw in enumerate(made):
        (mail / f"{number}:2,").write_bytes(raw)
    config = place / "config"
    config.write_text(f"[database]\npath={place / 'mail'}\n[user]\nname=Ada\nprimary_email=ada@example.org\n")
    environment = {**os.environ, "NOTMUCH_CONFIG": str(config), "HOME": str(place)}
    subprocess.run([program, "new", "--quiet"], env=environment, check=True, timeout=60)

    def found(kind: str, query: str) -> list[str]:
        command = [program, "search", f"--output={kind}", "--exclude=false", query]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True, timeout=60
        ).stdout.split()

    # `notmuch show` leaves out what is only below a circle
    threads = [found("messages", thread) for thread in found("threads", "*")]
    return {frozenset(one.removeprefix("id:") for one in thread) for thread in threads}


def ours(place: Path, made: list[bytes]) -> set[frozenset[str]]:
    """The sets of Message-IDs that termmail makes of them."""
    with Store.open(place / "mail.db") as store:
        where = folder(store).folder_id
        for raw in made:
            messages.add_local(store, "work", where, raw, derived.from_raw(raw, complete=True), received=NOW)
        found: dict[int, set[str]] = {}
        for thread, rfc_message_id in store.read("SELECT thread, message_id FROM message"):
            found.setdefault(thread, set()).add(rfc_message_id)
    return {frozenset(one) for one in found.values()}


@pytest.mark.parametrize("seed", range(4))
def test_conversations_are_the_sets_of_messages_that_notmuch_makes(tmp_path, seed):
    made = list(mails(random.Random(seed), 150))
    assert ours(tmp_path, made) == of_notmuch(tmp_path, made)
