"""A user and a second client who change one mailbox at the same time, at random, on connections that drop at random.

Afterwards the store and the server agree, no message is there twice that was not copied, and nothing is gone that
nobody deleted for good.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from termmail.demo.faults import GOOD, Manners
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import PERSONALITIES
from termmail.errors import UserError
from termmail.mail.model import Role, StepKind
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.engine.test_imap import ROLES, in_store, on_server, rows, subject_of

if TYPE_CHECKING:
    from termmail.demo.imapd import ImapServer
    from termmail.engine.engine import Engine
    from termmail.mail.model import MessageRow

FAULTS = ("drop_at", "lose_answer_to", "lose_end_of", "drop_after")


class Play:
    """One random run; `erased` are the subjects that somebody deleted for good, `copies` how often one was copied."""

    def __init__(self, seed: int, mailbox: ImapMailbox) -> None:
        self.dice = random.Random(seed)
        self.mailbox = mailbox
        self.number = 100
        self.erased: set[str] = set()
        self.copied: set[str] = set()
        self.done: list[str] = []

    # -- the user

    async def user(self, engine: Engine) -> None:
        """Do one thing, as a user would."""
        folders = [one for one in await engine.folders.listing() if one.account == "ada"]
        held: list[MessageRow] = [row for one in folders for row in await rows(engine, one.name)]
        verb = self.dice.choice(
            [
                "mark",
                "mark",
                "archive",
                "delete",
                "junk",
                "move",
                "copy",
                "erase",
                "undo",
                "make",
                "rename",
                "remove",
                "read",
            ]
        )
        own = [one for one in folders if one.role is Role.NONE]
        self.done.append(f"user {verb}")
        if verb == "undo":
            await engine.journal.undo()
        elif verb == "make":
            self.number += 1
            await engine.folders.make("ada", f"Own {self.number}")
        elif verb in {"rename", "remove"}:
            if own:
                one = self.dice.choice(own)
                self.number += 1
                with contextlib.suppress(UserError):
                    await (
                        engine.folders.rename(one.folder_id, f"Own {self.number}")
                        if verb == "rename"
                        else engine.folders.remove(one.folder_id)
                    )
        elif held:
            await self._on_message(engine, verb, self.dice.choice(held), self.dice.choice(folders).folder_id)

    async def _on_message(self, engine: Engine, verb: str, row: MessageRow, folder_id: int) -> None:
        self.done[-1] += f" {row.subject} in {row.folder}"
        kinds = [StepKind.READ, StepKind.UNREAD, StepKind.STAR, StepKind.UNSTAR]
        with contextlib.suppress(UserError):
            if verb == "mark":
                await engine.messages.mark([row.message_id], self.dice.choice(kinds))
            elif verb == "move":
                await engine.messages.move([row.placement], folder_id)
            elif verb == "copy":
                await engine.messages.copy([row.placement], folder_id)
                self.copied.add(row.subject)
            elif verb == "erase":
                await engine.messages.erase([row.placement])
                self.erased.add(row.subject)
            elif verb == "read":
                await engine.reader.read(row.message_id)
            else:
                await {
                    "archive": engine.messages.archive,
                    "delete": engine.messages.delete,
                    "junk": engine.messages.junk,
                }[verb]([row.placement])

    # -- the second client

    def other(self) -> None:
        """Do one thing on the server."""
        dice = self.dice
        folders = [one for one in self.mailbox.folders.values() if one.selectable]
        folder, target = dice.choice(folders), dice.choice(folders)
        verb = dice.choice(["add", "flag", "flag", "move", "expunge", "create", "rename", "renumber"])
        self.done.append(f"other {verb} {folder.name!r} {target.name!r}")
        if verb == "add":
            self.number += 1
            folder.add(mail(self.number))
        elif verb == "create":
            self.number += 1
            self.mailbox.create(f"Their {self.number}")
        elif verb == "rename":
            if not folder.role and folder.name != b"INBOX":
                self.number += 1
                self.mailbox.rename(folder.name, f"Their {self.number}")
        elif verb == "renumber":
            if dice.random() < 0.2:
                self.mailbox.change_uidvalidity(folder.name, dice.randrange(1, 50))
        elif folder.messages:
            uid = dice.choice(folder.uids)
            if verb == "flag":
                flag = dice.choice(["\\Seen", "\\Flagged", "\\Answered"])
                dice.choice([folder.store])([uid], **{dice.choice(["add", "remove"]): [flag]})
            elif verb == "move" and folder is not target:
                folder.move([uid], target)
            elif verb == "expunge":
                self.erased.add(subject_of(folder.messages[uid].raw))
                folder.expunge([uid])


def subjects(mailbox: ImapMailbox) -> Counter[str]:
    return Counter(subject_of(one.raw) for folder in mailbox.folders.values() for one in folder.messages.values())


def once(held: dict[str, list[Any]]) -> dict[str, set[Any]]:
    """What a folder has twice is one line here: a copy that the other client moved back beside its original."""
    return {name: set(lines) for name, lines in held.items()}


async def sync(engine: Engine, play: Play) -> None:
    play.done.append("sync")
    with contextlib.suppress(UserError):
        await engine.accounts.sync("ada", full=play.dice.random() < 0.5)


async def run(seed: int, server: ImapServer, play: Play, imap_engine_at) -> None:
    for life in range(3):
        async with imap_engine_at(server.port, folder=f"run{seed}") as engine:
            await sync(engine, play)
            for _ in range(play.dice.randrange(4, 12)):
                for _ in range(play.dice.randrange(1, 4)):
                    await play.user(engine)
                for _ in range(play.dice.randrange(0, 3)):
                    play.other()
                if play.dice.random() < 0.4:
                    number = server.commands + play.dice.randrange(1, 15)
                    server.manners = Manners(**{play.dice.choice(FAULTS): frozenset({f"#{number}"})})
                await sync(engine, play)
            server.manners = GOOD
        play.done.append(f"restart {life}")


@pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)
@pytest.mark.parametrize("seed", range(3))
async def test_two_who_change_one_mailbox_agree_in_the_end(seed, kind, imap_server, imap_engine_at):
    mailbox = ImapMailbox(PASSWORD, ROLES)
    for number in range(1, 13):
        mailbox.folder("INBOX").add(mail(number))
    server = await imap_server(mailbox, personality=kind)
    play = Play(seed, mailbox)
    before = {f"Engine part {number}" for number in range(1, 13)}
    await run(seed, server, play, imap_engine_at)
    async with imap_engine_at(server.port, folder=f"run{seed}") as engine:
        for _ in range(4):
            await engine.accounts.sync("ada", full=True)
        story = "\n".join(play.done)
        assert once(await in_store(engine)) == once(on_server(mailbox)), story
        found = subjects(mailbox)
        assert not {name for name in before if name not in found} - play.erased, story
        assert not {name for name, count in found.items() if count > 1} - play.copied, story
        assert (await engine.accounts.sync("ada", full=True)).words == "No new messages", story
