"""A client that only believes what the embedded IMAP server tells it knows the folder after any changes of others."""

from __future__ import annotations

import random
import re

import pytest

from termmail.net.imap.uid_set import UidSet
from tests.demo.imap_client import RawClient, connected
from tests.demo.test_imapd import filled, raw

FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "$Work")


class Told:
    """What the client was told of the open folder: unique ids and flags by number."""

    def __init__(self, client: RawClient) -> None:
        self.client = client
        self.uids: list[int | None] = []
        self.flags: list[set[str] | None] = []

    async def ask(self, words: bytes) -> None:
        rows = await self.client.ask(words)
        assert rows[-1].startswith(b"OK"), rows
        for row in rows[:-1]:
            self.take(row, by_number=words.startswith((b"FETCH", b"STORE", b"SEARCH")))

    def take(self, row: bytes, *, by_number: bool) -> None:
        if found := re.fullmatch(rb"\* (\d+) EXISTS", row):
            assert int(found[1]) >= len(self.uids)
            new = int(found[1]) - len(self.uids)
            self.uids += [None] * new
            self.flags += [None] * new
        elif found := re.fullmatch(rb"\* (\d+) EXPUNGE", row):
            assert not by_number
            del self.uids[int(found[1]) - 1], self.flags[int(found[1]) - 1]
        elif found := re.fullmatch(rb"\* VANISHED ([\d,:]+)", row):
            assert not by_number
            for uid in UidSet.parse(found[1]):
                number = self.number_of(uid)
                del self.uids[number], self.flags[number]
        elif found := re.fullmatch(rb"\* (\d+) FETCH \((.*)\)", row):
            number = int(found[1]) - 1
            if uid := re.search(rb"UID (\d+)", found[2]):
                assert self.uids[number] in {None, int(uid[1])}
                self.uids[number] = int(uid[1])
            if flags := re.search(rb"FLAGS \(([^)]*)\)", found[2]):
                self.flags[number] = set(flags[1].decode().split())

    def number_of(self, uid: int) -> int:
        """The place of a unique id; of one not told yet, that of a message that may have it: they are ascending."""
        if uid in self.uids:
            return self.uids.index(uid)
        below = [number for number, one in enumerate(self.uids) if one is not None and one < uid]
        return self.uids.index(None, below[-1] + 1 if below else 0)

    async def settle(self) -> None:
        """Ask for news, and of messages that are new for what they are."""
        await self.ask(b"NOOP")
        for number, uid in enumerate(self.uids, 1):
            if uid is None or self.flags[number - 1] is None:
                await self.ask(b"FETCH %d (UID FLAGS)" % number)


@pytest.mark.parametrize("enable", [b"NOOP", b"ENABLE CONDSTORE", b"ENABLE QRESYNC"])
@pytest.mark.parametrize("seed", range(8))
async def test_whatever_others_do_the_client_is_told_all_of_it(imap_server, seed, enable):
    chance = random.Random(seed)
    mailbox = filled(12)
    inbox, trash = mailbox.folder("INBOX"), mailbox.folder("Trash")
    async with connected(await imap_server(mailbox)) as client:
        told = Told(client)
        await client.ask(enable)
        for row in await client.ask(b"SELECT INBOX"):
            told.take(row, by_number=False)
        await told.settle()
        for _ in range(120):
            some = chance.sample(inbox.uids, min(len(inbox.uids), chance.randint(1, 3)))
            flag = chance.choice(FLAGS)
            match chance.randrange(5):
                case 0:
                    inbox.add(raw(chance.randrange(1000)), [flag])
                case 1:
                    inbox.store(some, add=[flag])
                case 2:
                    inbox.store(some, remove=[flag])
                case 3 if chance.random() < 0.5:
                    inbox.move(some, trash)
                case 3:
                    trash.move(trash.uids[:1], inbox)
            match chance.randrange(8):
                case 0:
                    await told.ask(b"NOOP")
                case 1:
                    await told.ask(b"UID FETCH 1:* FLAGS")
                case 2:
                    await told.ask(b"SEARCH ALL")
                case 3 if told.uids:
                    await told.ask(b"STORE 1:* +FLAGS (%b)" % flag.encode())
                case 4 if some:
                    await told.ask(b"UID STORE %d -FLAGS (%b)" % (some[0], flag.encode()))
                case 5 if some:
                    await told.ask(b"UID COPY %d Trash" % some[0])
                case 6 if some:
                    await told.ask(b"UID MOVE %d Trash" % some[0])
                case 7 if chance.random() < 0.3:
                    await told.ask(b"EXPUNGE")
        await told.settle()
        assert told.uids == inbox.uids
        assert told.flags == [set(message.flags) for message in inbox.messages.values()]
