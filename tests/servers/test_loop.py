"""Two people with termmail on real servers: write, receive, answer, delete."""

from contextlib import asynccontextmanager
from email import message_from_bytes

import pytest
from msgspec.structs import replace

from termmail.accounts.config import Account, Config, Pop3, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.engine.engine import Engine
from tests.servers import daemons
from tests.views import INBOX, SENT, TRASH, delete

pytestmark = pytest.mark.servers


@pytest.fixture
def engine_of(tmp_path):
    @asynccontextmanager
    async def opened(mailbox, **pop3):
        host = mailbox.host
        account = Account(
            name=mailbox.name.capitalize(),
            address=mailbox.address,
            pop3=Pop3(host=host.host, port=host.pop3s, tls_ca_file=host.ca_file, poll_minutes=0, **pop3),
            smtp=Smtp(host=host.host, port=host.submission, security="starttls", tls_ca_file=host.ca_file),
        )
        passwords = Passwords()
        passwords.remember("me", "pop3", account, daemons.PASSWORD)
        folder = tmp_path / mailbox.name
        paths = Paths(config=folder / "config.toml", data=folder / "data")
        engine = await Engine.open(paths, Config(accounts={"me": account}), passwords=passwords)
        try:
            yield engine
        finally:
            await engine.close(patience=20)

    return opened


async def inbox(engine):
    view = INBOX
    return await engine.lists.rows(view, await engine.lists.ids(view))


async def written(engine, draft, **fields):
    """Sends now; the state the outbox row ends in."""
    await engine.outbox.send(replace(draft, **fields), delay=0)
    return [row.state for row in await engine.outbox.flush("me")]


async def test_a_mail_goes_out_arrives_is_answered_and_the_answer_belongs_to_it(mailbox, other_mailbox, engine_of):
    async with engine_of(mailbox) as ada, engine_of(other_mailbox) as bob:
        draft = ada.drafts.new("me", to=other_mailbox.address)
        body = "Grüße from the engine room.\n\n.a dot\nFrom the start"
        assert await written(ada, draft, subject="Note G – 数", body=body) == ["sent"]
        await other_mailbox.until(1)

        assert (await bob.accounts.sync("me")).new == 1
        [row] = await inbox(bob)
        assert (row.subject, row.unread, row.downloaded) == ("Note G – 数", True, False)
        await bob.reader.read(row.message_id)
        assert [line.text for line in (await bob.reader.rendered(row.message_id)).lines] == body.splitlines()
        [stored] = other_mailbox.files()
        assert (await bob.reader.raw(row.message_id)).replace(b"\r\n", b"\n") == stored.replace(b"\r\n", b"\n")

        reply = await bob.drafts.reply(row.message_id)
        assert await written(bob, reply, body="Received.\n\n" + reply.body) == ["sent"]
        [row] = await inbox(bob)
        assert row.answered
        await mailbox.until(1)

        await ada.accounts.sync("me")
        [answer] = await inbox(ada)
        assert answer.subject == "Re: Note G – 数"
        raw = message_from_bytes(await ada.reader.raw(answer.message_id))
        sent = await ada.lists.ids(SENT)
        mine = message_from_bytes(await ada.reader.raw(sent[0]))
        assert raw["In-Reply-To"] == mine["Message-ID"]
        assert "> Grüße from the engine room." in (await ada.reader.read(answer.message_id)).text


async def test_a_deleted_message_leaves_the_server_when_the_program_does_and_stays_in_trash(mailbox, engine_of):
    texts = [f"From: x@example.org\r\nSubject: {word}\r\n\r\nbody of {word}\r\n".encode() for word in ("keep", "drop")]
    mailbox.put(*texts)
    async with engine_of(mailbox) as engine:
        await engine.accounts.sync("me")
        rows = {row.subject: row for row in await inbox(engine)}
        await delete(engine, [rows["drop"].message_id])
        assert len(mailbox.files()) == 2
    assert mailbox.files() == texts[:1]
    async with engine_of(mailbox) as engine:
        await engine.accounts.sync("me", full=True)
        assert [row.subject for row in await inbox(engine)] == ["keep"]
        [trashed] = await engine.lists.ids(TRASH)
        assert await engine.reader.raw(trashed) == texts[1]


async def test_a_refused_recipient_leaves_the_message_as_a_draft_with_the_servers_words(mailbox, engine_of):
    async with engine_of(mailbox) as engine:
        draft = engine.drafts.new("me", to="nobody@example.org")
        sent = await engine.outbox.send(replace(draft, subject="Anyone?", body="hello"), delay=0)
        [row] = await engine.outbox.flush("me")
        assert row.state == "failed"
        assert "nobody@example.org" in row.refused
        again = await engine.outbox.cancel(sent)
        assert again is not None
        assert again.to == "nobody@example.org"
        assert len(await engine.lists.ids(SENT)) == 0
