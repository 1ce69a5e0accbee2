"""A user and IMAPClient who change one mailbox at random, on each server: in the end the store equals the server.

No message is there twice that was not copied, and none is gone that nobody deleted for good.
"""

from __future__ import annotations

import contextlib
import random
from collections import Counter

import pytest

from termmail.errors import UserError
from termmail.mail.model import Role, StepKind
from tests.servers import imap_daemon
from tests.servers.imap_account import mail, move_there
from tests.servers.imap_engine import assert_settled, engine_on, rows

pytestmark = pytest.mark.servers

USER_VERBS = ("mark", "mark", "archive", "delete", "move", "copy", "erase", "undo", "make", "rename", "remove", "read")
OTHER_VERBS = ("add", "flag", "flag", "move", "copy", "expunge", "create", "rename")
SLOW_ON_COURIER = ("rename", "remove")
"""It pauses for two seconds whenever a folder is renamed or deleted."""
SEED = 1
MARKS = (StepKind.READ, StepKind.UNREAD, StepKind.STAR, StepKind.UNSTAR)
USUAL = ("INBOX", *imap_daemon.ROLES)


class Play:
    """One random run: what was done, which subjects somebody deleted for good, and which were copied."""

    def __init__(self, seed, account):
        self.dice = random.Random(seed)
        self.account = account
        slow = SLOW_ON_COURIER if account.host.prefix else ()
        self.user_verbs = [verb for verb in USER_VERBS if verb not in slow]
        self.other_verbs = [verb for verb in OTHER_VERBS if verb not in slow]
        self.number = 100
        self.added = set()
        self.erased = set()
        self.copied = set()
        self.done = []

    def next_number(self):
        self.number += 1
        return self.number

    async def user(self, engine):
        """Do one thing in the engine."""
        folders = await engine.folders.listing()
        own = [one for one in folders if one.role is Role.NONE]
        held = [row for one in folders for row in await rows(engine, one.name)]
        verb = self.dice.choice(self.user_verbs)
        self.done.append(f"user {verb}")
        with contextlib.suppress(UserError):
            if verb == "undo":
                await engine.journal.undo()
            elif verb == "make":
                await engine.folders.make("me", f"Ünser {self.next_number()}")
            elif verb == "rename" and own:
                await engine.folders.rename(self.dice.choice(own).folder_id, f"Ünser {self.next_number()}")
            elif verb == "remove" and own:
                await engine.folders.remove(self.dice.choice(own).folder_id)
            elif held:
                await self._on_message(engine, verb, self.dice.choice(held), self.dice.choice(folders))

    async def _on_message(self, engine, verb, row, target):
        self.done[-1] += f" {row.subject} in {row.folder} to {target.name}"
        if verb == "mark":
            await engine.messages.mark([row.message_id], self.dice.choice(MARKS))
        elif verb == "archive":
            await engine.messages.archive([row.placement])
        elif verb == "delete":
            await engine.messages.delete([row.placement])
        elif verb == "move":
            await engine.messages.move([row.placement], target.folder_id)
        elif verb == "copy":
            self.copied.add(row.subject)
            await engine.messages.copy([row.placement], target.folder_id)
        elif verb == "erase":
            self.erased.add(row.subject)
            await engine.messages.erase([row.placement])
        elif verb == "read":
            await engine.reader.read(row.message_id)

    def other(self, client):
        """Do one thing on the server."""
        dice = self.dice
        listed = [name for attributes, _, name in client.list_folders() if b"\\Noselect" not in attributes]
        names = [name for name in listed if name != self.account.wire("Drafts")]  # what is put there is a draft
        name, target = dice.choice(names), dice.choice(names)
        verb = dice.choice(self.other_verbs)
        self.done.append(f"other {verb} {name} {target}")
        if verb == "add":
            number = self.next_number()
            self.added.add(f"Number {number}")
            client.append(name, mail(number))
        elif verb == "create":
            client.create_folder(self.account.wire(f"Ihr {self.next_number()}"))
        elif verb == "rename":
            if name not in {self.account.wire(one) for one in USUAL}:
                client.rename_folder(name, self.account.wire(f"Ihr {self.next_number()}"))
        else:
            client.select_folder(name)
            if uids := client.search():
                self._on_uid(client, verb, dice.choice(uids), name, target)
            client.close_folder()

    def _on_uid(self, client, verb, uid, name, target):
        subject = client.fetch([uid], ["ENVELOPE"])[uid][b"ENVELOPE"].subject.decode()
        self.done[-1] += f" {subject}"
        if verb == "flag":
            flag = self.dice.choice(["\\Seen", "\\Flagged", "\\Answered"])
            self.dice.choice([client.add_flags, client.remove_flags])([uid], [flag])
        elif verb == "move" and name != target:
            move_there(client, [uid], target)
        elif verb == "copy" and name != target:
            self.copied.add(subject)
            client.copy([uid], target)
        elif verb == "expunge":
            self.erased.add(subject)
            client.delete_messages([uid])
            client.expunge([uid])

    async def sync(self, engine):
        self.done.append("sync")
        with contextlib.suppress(UserError):
            await engine.accounts.sync("me", full=self.dice.random() < 0.5)


async def test_two_who_change_one_mailbox_agree_in_the_end(account, tmp_path):
    account.put(12)
    play = Play(SEED, account)
    play.added |= {f"Number {number}" for number in range(1, 13)}
    for _ in range(2):
        async with engine_on(tmp_path, account) as engine:
            await play.sync(engine)
            for _ in range(play.dice.randrange(4, 9)):
                for _ in range(play.dice.randrange(1, 4)):
                    await play.user(engine)
                with account.other() as client:
                    for _ in range(play.dice.randrange(0, 3)):
                        play.other(client)
                await play.sync(engine)
    story = "\n".join(play.done)
    async with engine_on(tmp_path, account) as engine:
        try:
            for _ in range(3):
                await engine.accounts.sync("me", full=True)
            await assert_settled(engine, account)
        except AssertionError as error:
            error.add_note(story)
            raise
    with account.other() as client:
        found = Counter()
        for _, _, name in client.list_folders():
            client.select_folder(name, readonly=True)
            found.update(
                row[b"ENVELOPE"].subject.decode() for row in client.fetch(client.search(), ["ENVELOPE"]).values()
            )
    assert not play.added - found.keys() - play.erased, story
    assert not {subject for subject, count in found.items() if count > 1} - play.copied, story
