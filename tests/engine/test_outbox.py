"""The outbox: every outcome has its state, nothing is sent twice in silence, nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from termmail.accounts.config import Config
from termmail.demo.faults import Manners
from termmail.engine.events import DraftsChanged, Failed, FolderChanged, JournalChanged, OutboxChanged, SendOf
from termmail.errors import ErrorCode, Gone, UserError
from termmail.mail.compose import ComposeError
from termmail.mail.message import Outgoing
from termmail.mail.model import SendState
from termmail.store import outbox
from termmail.store.account_lock import AccountLock, Locked
from tests.conftest import PASSWORD
from tests.engine.conftest import mail
from tests.engine.test_receive import subjects
from tests.views import DRAFTS, INBOX, OUTBOX, SENT

if TYPE_CHECKING:
    from termmail.demo.smtpd import SmtpServer
    from termmail.engine.engine import Engine


async def written(engine: Engine, to: str = "bob@example.org", **fields) -> object:
    draft = engine.drafts.new("ada", to=to)
    return replace(draft, subject="Breakfast", body="At nine?\n", **fields)


async def test_sent_means_the_server_said_250_and_a_copy_is_in_sent(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert (row.outbox_id, row.state) == (outbox_id, "sent")
        (received,) = server.received
        assert list(received.recipients) == ["bob@example.org"]
        (copy,) = await engine.lists.ids(SENT)
        assert await engine.reader.raw(copy) == received.raw
        assert len(await engine.lists.ids(DRAFTS)) == 0
        assert len(await engine.lists.ids(OUTBOX)) == 0


async def test_undo_takes_a_send_back_while_it_counts_down(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await engine.outbox.send(await written(engine), delay=60)
        assert await engine.outbox.flush("ada") == []
        undone = await engine.journal.undo()
        draft = await engine.drafts.load(undone.draft_id)
        assert (draft.to, draft.subject, draft.body) == ("bob@example.org", "Breakfast", "At nine?\n")
        assert list(await engine.lists.ids(DRAFTS)) == [draft.id]
        assert await engine.outbox.flush("ada") == []
        assert server.received == []


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "."])
async def test_a_4xx_keeps_the_message_queued(smtp_server, engine_at, verb):
    server = await smtp_server()
    server.manners = (
        Manners(greeting=b"421 later\r\n") if verb == "CONNECT" else Manners(answers={verb: b"451 later\r\n"})
    )
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "queued"
        assert await engine.outbox.flush("ada") == []
        server.manners = Manners()
        await engine.outbox.retry(outbox_id)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert len(server.received) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "."])
async def test_a_5xx_brings_the_draft_back_with_the_servers_words(smtp_server, engine_at, verb):
    server = await smtp_server(manners=Manners(answers={verb: b"550 5.7.1 we do not like engines\r\n"}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "failed"
        assert "we do not like engines" in f"{row.words} {row.refused}"
        (draft,) = await engine.lists.ids(DRAFTS)
        assert (await engine.drafts.load(draft)).body == "At nine?\n"
        assert (await engine.outbox.row(outbox_id)).state == "failed"


@pytest.mark.parametrize("how", ["lose_answer_to", "drop_at"])
async def test_a_line_that_dies_after_the_dot_is_unsure_and_never_sent_again_in_silence(smtp_server, engine_at, how):
    server = await smtp_server(manners=Manners(**{how: frozenset({"."})}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "unsure"
        server.manners = Manners()
        count = len(server.received)
        assert await engine.outbox.flush("ada") == []
        assert len(server.received) == count
        await engine.outbox.retry(outbox_id, sure=True)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert len(server.received) == count + 1


async def test_an_unsure_message_may_be_called_sent(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(lose_answer_to=frozenset({"."})))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        await engine.outbox.flush("ada")
        await engine.outbox.assume_sent(outbox_id)
        assert await subjects(engine, SENT) == ["Breakfast"]
        assert len(await engine.lists.ids(OUTBOX)) == 0
        assert len(await engine.lists.ids(DRAFTS)) == 0


async def test_a_250_and_then_a_dropped_line_is_sent_once(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(drop_after=frozenset({"."})))
    async with engine_at(1, server.port) as engine:
        await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert len(server.received) == 1


async def test_a_refused_recipient_is_named_and_the_others_get_it_once(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(answers={"RCPT bob@example.org": b"550 no such user\r\n"}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine, "bob@example.org, eve@example.org"), delay=0)
        await engine.outbox.flush("ada")
        row = await engine.outbox.row(outbox_id)
        assert "bob@example.org" in row.refused
        assert [list(r.recipients) for r in server.received] == [["eve@example.org"]]


async def partly_sent(engine: Engine, server: SmtpServer) -> int:
    """Queue a message that eve has got and that bob gets later; its outbox id."""
    server.manners = Manners(answers={"RCPT bob@example.org": b"451 greylisted\r\n"})
    outbox_id = await engine.outbox.send(await written(engine, "bob@example.org, eve@example.org"), delay=0)
    await engine.outbox.flush("ada")
    return outbox_id


async def assert_only_eve_has_it(engine: Engine, server: SmtpServer, outbox_id: int) -> None:
    """It is in Sent, there is no draft that would go to eve again, and nobody is tried any more."""
    row = await engine.outbox.row(outbox_id)
    assert (row.state, row.accepted, list(row.refused)) == ("sent", ("eve@example.org",), ["bob@example.org"])
    assert len(await engine.lists.ids(SENT)) == 1
    assert not await engine.lists.ids(DRAFTS)
    server.manners = Manners()
    await engine.outbox.hurry("ada")
    assert await engine.outbox.flush("ada") == []
    assert [list(received.recipients) for received in server.received] == [["eve@example.org"]]


@pytest.mark.parametrize("verb", ["RCPT bob@example.org", "MAIL", "DATA", "."])
async def test_a_message_that_some_have_is_sent_though_the_others_are_refused_later(smtp_server, engine_at, verb):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        outbox_id = await partly_sent(engine, server)
        server.manners = Manners(answers={verb: b"550 no such user\r\n"})
        await engine.outbox.hurry("ada")
        await engine.outbox.flush("ada")
        assert "Sent, but not to bob@example.org." in [str(failed.words) for failed in engine.heard.of(Failed)]
        row = await engine.outbox.row(outbox_id)
        assert "no such user" in row.refused["bob@example.org"]
        await assert_only_eve_has_it(engine, server, outbox_id)


async def test_a_message_that_some_have_cannot_be_taken_back_but_ended(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        outbox_id = await partly_sent(engine, server)
        with pytest.raises(UserError, match=r"eve@example.org has this message") as error:
            await engine.outbox.cancel(outbox_id)
        assert error.value.code is ErrorCode.CHANGED
        await assert_only_eve_has_it(engine, server, outbox_id)


async def test_undo_passes_over_a_message_that_some_have(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        outbox_id = await partly_sent(engine, server)
        assert await engine.journal.undo() is None
        assert (await engine.outbox.row(outbox_id)).state == "queued"


async def test_a_draft_that_another_screen_has_sent_is_not_sent_again(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        stale = await engine.drafts.save(await written(engine))
        await engine.outbox.send(stale, delay=600)
        with pytest.raises(UserError, match="in the Outbox already"):
            await engine.outbox.send(replace(stale, body="changed"), delay=0)
        kept = await engine.drafts.save(replace(stale, body="changed"))
        assert kept.id != stale.id
        assert list(await engine.lists.ids(DRAFTS)) == [kept.id]
        assert len(await engine.lists.ids(OUTBOX)) == 1


async def test_a_recipient_who_is_put_off_gets_it_later_and_the_others_not_again(smtp_server, engine_at):
    answers = {"RCPT bob@example.org": b"451 greylisted\r\n", "RCPT carol@example.org": b"550 no such user\r\n"}
    server = await smtp_server(manners=Manners(answers=answers))
    async with engine_at(1, server.port) as engine:
        everyone = "bob@example.org, carol@example.org, eve@example.org"
        outbox_id = await engine.outbox.send(await written(engine, everyone), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert (row.state, list(row.refused)) == ("queued", ["carol@example.org"])
        server.manners = Manners()
        await engine.context.db(lambda store: store.db.execute("UPDATE outbox SET not_before = 0"))
        (row,) = await engine.outbox.flush("ada")
        assert (row.outbox_id, row.state) == (outbox_id, "sent")
        assert [list(r.recipients) for r in server.received] == [["eve@example.org"], ["bob@example.org"]]
        assert len(await engine.lists.ids(SENT)) == 1


async def test_bcc_is_on_no_wire_and_in_no_copy(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await engine.outbox.send(await written(engine, bcc="Secret Friend <secret@example.org>"), delay=0)
        await engine.outbox.flush("ada")
        (received,) = server.received
        assert set(received.recipients) == {"bob@example.org", "secret@example.org"}
        assert b"secret" not in received.raw.lower()
        (copy,) = await engine.lists.ids(SENT)
        assert b"secret" not in (await engine.reader.raw(copy)).lower()


async def test_what_cannot_be_sent_stays_a_draft_and_says_why(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        for to in ("", "nobody", "bob@example.org\r\nBcc: eve@example.org"):
            draft = await engine.drafts.save(await written(engine, to))
            for _ in range(2):
                with pytest.raises(ComposeError):
                    await engine.outbox.send(draft, delay=0)
            assert await engine.drafts.load(draft.id) == draft
        assert await engine.outbox.flush("ada") == []
        assert server.received == []
        assert len(await engine.lists.ids(DRAFTS)) == 3


async def test_offline_waits_and_says_so(engine_at):
    async with engine_at(1, 1) as engine:
        await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "queued"
        assert row.words


async def test_an_answered_message_gets_its_mark_when_the_answer_was_sent(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([mail(1)]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        draft = await engine.drafts.reply(only)
        assert draft.to == "Charles Babbage <charles@example.net>"
        assert draft.subject == "Re: Engine part 1"
        assert "> This is message 1." in draft.body
        await engine.outbox.send(draft, delay=0)
        assert not (await engine.lists.row(only)).answered
        await engine.outbox.flush("ada")
        row = await engine.lists.row(only)
        assert (row.answered, row.unread) == (True, False)  # who answers a message has read it
        raw = smtp.received[0].raw
        assert b"In-Reply-To: <m1@example.net>" in raw


async def test_attachments_are_copied_in_and_forwarded(smtp_server, engine_at, tmp_path):
    server = await smtp_server()
    note = tmp_path / "note.txt"
    note.write_text("the first programme")
    async with engine_at(1, server.port) as engine:
        draft = await engine.drafts.attach(await written(engine), note)
        note.unlink()
        await engine.outbox.send(draft, delay=0)
        await engine.outbox.flush("ada")
        (copy,) = await engine.lists.ids(SENT)
        message = await engine.reader.read(copy)
        (part,) = message.parts
        assert part.name == "note.txt"
        assert await engine.reader.part(copy, part.path) == b"the first programme"
        forwarded = await engine.drafts.forward(copy)
        assert [a.name for a in forwarded.attachments] == ["note.txt"]
        saved = await engine.reader.save_part(copy, part.path, tmp_path)
        again = await engine.reader.save_part(copy, part.path, tmp_path)
        assert (saved.name, again.name) == ("note.txt", "note (2).txt")
        assert saved.stat().st_mode & 0o777 == 0o600


async def test_a_message_is_forwarded_as_an_attachment_byte_for_byte(pop3_server, smtp_server, engine_at):
    pop3, smtp = await pop3_server([mail(1)]), await smtp_server()
    async with engine_at(pop3.port, smtp.port) as engine:
        await engine.accounts.sync("ada")
        (only,) = await engine.lists.ids(INBOX)
        draft = await engine.drafts.forward_attached(only)
        assert (draft.subject, draft.forwards) == ("Fwd: Engine part 1", only)
        await engine.outbox.send(replace(draft, to="bob@example.org"), delay=0)
        await engine.outbox.flush("ada")
        assert (await engine.lists.row(only)).forwarded
        (copy,) = await engine.lists.ids(SENT)
        (part,) = (await engine.reader.read(copy)).parts
        assert (part.name, part.content_type) == ("Engine part 1.eml", "message/rfc822")
        assert await engine.reader.part(copy, part.path) == mail(1)


async def test_nobody_else_may_send_while_a_message_is_on_the_wire_and_the_user_leaves(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(delay_seconds={".": 0.3}))
    async with engine_at(smtp_port=server.port) as engine:
        first, second = [await engine.outbox.send(await written(engine), delay=0) for _ in range(2)]
        flushing = asyncio.ensure_future(engine.outbox.flush("ada"))
        while not any(event.state == "sending" for event in engine.heard.of(OutboxChanged)):
            await asyncio.sleep(0)
        flushing.cancel()
        await asyncio.gather(flushing, return_exceptions=True)
        with pytest.raises(Locked), AccountLock(engine.context.paths.data, "ada", "send"):
            pass
        await engine.servers.sender("ada").leave(5)
        assert (await engine.outbox.row(first)).state == "sent"
        assert (await engine.outbox.row(second)).state == "queued"
        with AccountLock(engine.context.paths.data, "ada", "send"):
            pass


async def test_taking_back_what_has_no_draft_is_told(smtp_server, engine_at):
    async with engine_at() as engine:
        outgoing = Outgoing(b"Subject: no draft\r\n\r\nHello\r\n", "ada@example.org", ("bob@example.net",), "a@b")
        id_ = await engine.context.db(outbox.queue, "ada", outgoing, not_before=0, now=0)
        assert await engine.outbox.cancel(id_) is None
        assert [event.state for event in engine.heard.of(OutboxChanged)] == ["cancelled"]


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "DATA", "."])
async def test_leaving_while_a_server_is_silent_knows_what_was_certainly_not_sent(smtp_server, engine_at, verb):
    reached = asyncio.Event()

    def silent(_line: str) -> list[bytes]:
        reached.set()
        return []

    server = await smtp_server(manners=Manners(answers={verb: silent}))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        engine.context.tasks.run(engine.outbox.flush("ada"))
        await reached.wait()
        await engine.close(patience=0.1, commit=False)
    server.manners = Manners()
    async with engine_at(1, server.port) as engine:
        await engine.outbox.flush("ada")
        state = (await engine.outbox.row(outbox_id)).state
        assert state == ("unsure" if verb == "." else "queued")


async def test_nothing_is_being_sent_while_the_password_is_asked_for(smtp_server, engine_at):
    server = await smtp_server()
    asked, answer = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def ask(_words):
        asked.set()
        return await answer

    async with engine_at(1, server.port) as engine:
        for kind in ("pop3", "smtp"):
            engine.context.passwords.forget(kind, engine.accounts.settings("ada"))
        engine.context.passwords.ask = ask
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        flushing = engine.context.tasks.run(engine.outbox.flush("ada"))
        await asked.wait()
        assert (await engine.outbox.row(outbox_id)).state == "queued"
        answer.set_result("analytical")
        await flushing
        assert (await engine.outbox.row(outbox_id)).state == "sent"


async def test_a_message_that_waits_counts_down_and_others_do_not(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        waits = await engine.outbox.send(await written(engine), delay=60)
        ready = await engine.outbox.send(await written(engine), delay=0)
        assert 50 < await engine.outbox.seconds_left(waits) <= 60
        assert await engine.outbox.seconds_left(ready) == 0
        (row,) = await engine.outbox.flush("ada")
        assert (row.outbox_id, row.state) == (ready, "sent")
        assert await engine.outbox.seconds_left(ready) == 0
        assert await engine.outbox.retry_all("ada") == [waits]
        assert await engine.outbox.seconds_left(waits) == 0
        assert [one.outbox_id for one in await engine.outbox.rows()] == [waits]
        assert await engine.outbox.rows("home") == []
        engine.context.config = Config()
        assert await engine.outbox.seconds_left(waits) == 0
        assert (await engine.outbox.row(waits)).state == "queued"


async def test_what_cannot_be_retried_or_taken_back_says_why(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(lose_answer_to=frozenset({"."})))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        for state, no_retry, no_cancel in (
            ("sending", "is being sent", "is being sent"),
            ("unsure", "may have arrived already", None),
            ("cancelled", "was taken back", "was taken back"),
            ("sent", "was sent", "was sent"),
        ):
            await engine.context.db(lambda store, s=state: store.db.execute("UPDATE outbox SET state = ?", (s,)))
            with pytest.raises(UserError, match=no_retry) as told:
                await engine.outbox.retry(outbox_id)
            code = ErrorCode.BUSY if state == "sending" else ErrorCode.CHANGED
            assert told.value.code is code
            if no_cancel is not None:
                with pytest.raises(UserError, match=no_cancel) as told:
                    await engine.outbox.cancel(outbox_id)
                assert told.value.code is code
        assert engine.heard.of(OutboxChanged)[1:] == []
        for act in (engine.outbox.row, engine.outbox.retry, engine.outbox.cancel, engine.outbox.assume_sent):
            with pytest.raises(Gone, match="not in the Outbox any more"):
                await act(10**6)


async def test_every_change_of_the_outbox_is_told_with_its_consequences(smtp_server, engine_at):
    server = await smtp_server(manners=Manners(lose_answer_to=frozenset({"."})))
    async with engine_at(1, server.port) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        assert [type(event) for event in engine.heard] == [OutboxChanged, DraftsChanged, JournalChanged]
        await engine.outbox.flush("ada")
        engine.heard.clear()
        await engine.outbox.assume_sent(outbox_id)
        assert [type(event) for event in engine.heard] == [OutboxChanged, DraftsChanged, JournalChanged, FolderChanged]
        assert engine.heard[0] == OutboxChanged(outbox_id, "ada", SendState.SENT)
        assert engine.heard[3] == FolderChanged("ada")


async def test_who_was_refused_and_who_is_tried_again_is_told(smtp_server, engine_at):
    answers = {"RCPT bob@example.org": b"451 greylisted\r\n", "RCPT carol@example.org": b"550 no such user\r\n"}
    server = await smtp_server(manners=Manners(answers=answers))
    async with engine_at(1, server.port) as engine:
        everyone = "bob@example.org, carol@example.org, eve@example.org"
        outbox_id = await engine.outbox.send(await written(engine, everyone), delay=0)
        await engine.outbox.flush("ada")
        assert engine.heard.of(Failed) == [
            Failed(
                "ada",
                "Sent, but not yet to bob@example.org.",
                "The server asked to try again later; termmail does.",
                SendOf(outbox_id),
            ),
            Failed("ada", "Sent, but not to carol@example.org.", "The server refused these addresses."),
        ]


async def test_a_refused_login_says_where_to_store_another_password(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        settings = engine.accounts.settings("ada")
        engine.context.passwords.remember("ada", "pop3", settings, "wrong")
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "queued"
        (failed,) = engine.heard.of(Failed)
        assert failed.words.startswith("Not sent yet. ")
        assert failed.advice.endswith("termmail account password ada --server smtp")
        assert failed.about == SendOf(outbox_id)
        engine.context.passwords.remember("ada", "smtp", settings, PASSWORD)
        await engine.outbox.retry(outbox_id)
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert engine.servers.sender("ada").trouble is None


async def test_a_message_that_everyone_has_already_is_sent_without_a_server(engine_at):
    async with engine_at(1, 1) as engine:
        outbox_id = await engine.outbox.send(await written(engine), delay=0)
        await engine.context.db(outbox.partial, outbox_id, ["bob@example.org"], {})
        (row,) = await engine.outbox.flush("ada")
        assert row.state == "sent"
        assert await subjects(engine, SENT) == ["Breakfast"]


async def test_a_search_of_drafts_and_outbox_looks_at_what_their_lines_show(engine_at):
    async with engine_at(1, 1) as engine:
        queued = await engine.outbox.send(await written(engine, "bob@example.org"), delay=60)
        draft = await engine.drafts.save(await written(engine, "carol@example.org"))
        for view, text, found in (
            (OUTBOX, "BOB", {queued}),
            (OUTBOX, "breakf*", {queued}),
            (OUTBOX, "carol", set()),
            (DRAFTS, "carol", {draft.id}),
            (DRAFTS, "at nine", {draft.id}),
            (DRAFTS, "bob", set()),
        ):
            ids = await engine.lists.ids(view)
            assert await engine.lists.matching(view, text, ids) == found
            assert list(await engine.lists.ids(view, limit=1)) == list(ids)
            assert list(await engine.lists.ids(view, limit=0)) == []


async def test_the_kind_of_an_attached_file_is_told_by_its_name(engine_at, tmp_path):
    async with engine_at() as engine:
        draft = await written(engine)
        for name in ("a.png", "b.strange"):
            (tmp_path / name).write_bytes(b"x")
            draft = await engine.drafts.attach(draft, tmp_path / name)
        assert [one.content_type for one in draft.attachments] == ["image/png", "application/octet-stream"]


async def test_the_message_that_is_ready_first_is_sent_first_although_another_waits_longer(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        await engine.outbox.send(await written(engine, "late@example.org"), delay=600)
        engine.servers.start()
        sent = asyncio.Event()
        engine.context.subscribe(
            lambda event: sent.set() if isinstance(event, OutboxChanged) and event.state == "sent" else None
        )
        await engine.outbox.send(await written(engine, "soon@example.org"), delay=1)
        async with asyncio.timeout(10):
            await sent.wait()
        assert [list(received.recipients) for received in server.received] == [["soon@example.org"]]


async def test_what_is_to_be_sent_now_wakes_the_sender(smtp_server, engine_at):
    server = await smtp_server()
    async with engine_at(1, server.port) as engine:
        first, second = [await engine.outbox.send(await written(engine), delay=600) for _ in range(2)]
        engine.servers.start()
        sent = asyncio.Queue()
        engine.context.subscribe(
            lambda event: (
                sent.put_nowait(event.outbox_id) if isinstance(event, OutboxChanged) and event.state == "sent" else None
            )
        )
        async with asyncio.timeout(10):
            await engine.outbox.seconds_left(first)
            engine.heard.clear()
            await engine.outbox.retry(first)
            assert OutboxChanged(first, "ada", SendState.QUEUED) in engine.heard
            assert await sent.get() == first
            await engine.outbox.retry_all("ada")
            assert await sent.get() == second


async def test_doubts_about_a_draft_are_told_before_it_is_sent(engine_at):
    async with engine_at() as engine:
        draft = await written(engine)
        assert await engine.drafts.warnings(draft) == ()
        assert await engine.drafts.warnings(replace(draft, subject="")) != ()
        assert engine.accounts.default == "ada"


async def test_drafts_and_outgoing_messages_are_lines_of_their_lists(engine_at):
    async with engine_at() as engine:
        queued = await engine.outbox.send(await written(engine), delay=60)
        draft = await engine.drafts.save(await written(engine, "carol@example.org"))
        (line,) = await engine.lists.rows(DRAFTS, await engine.lists.ids(DRAFTS))
        assert (line.key, line.recipients, line.subject) == (draft.id, "carol@example.org", "Breakfast")
        (line,) = await engine.lists.rows(OUTBOX, await engine.lists.ids(OUTBOX))
        assert (line.key, line.recipients) == (queued, ("bob@example.org",))


async def test_a_mailto_address_begins_a_draft_of_the_account(engine_at):
    async with engine_at() as engine:
        draft = engine.drafts.mailto("ada", "mailto:bob@example.org?subject=Tea")
        assert (draft.account, draft.to, draft.subject) == ("ada", "bob@example.org", "Tea")
