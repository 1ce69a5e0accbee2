"""Other mail programs on the same account: what mbsync and neomutt do we see, what we do they see, and nothing doubles."""

import pytest

from termmail.mail.model import StepKind
from tests.servers import mbsync, neomutt
from tests.servers.imap_account import mail
from tests.servers.imap_engine import assert_settled, engine_on, folder, push, rows, subjects, there

pytestmark = pytest.mark.servers


@pytest.fixture
def engine(tmp_path, account):
    return engine_on(tmp_path, account)


@pytest.mark.parametrize("account", ["dovecot", "cyrus"], indirect=True)
async def test_mbsync_and_we_keep_one_mailbox(account, engine, tmp_path):
    if words := mbsync.missing():
        pytest.fail(words, pytrace=False)
    account.put(10)
    maildir = mbsync.LocalMaildir(account, tmp_path / "maildir")
    maildir.folder.mkdir()
    maildir.sync()
    assert maildir.content()["INBOX"].keys() == {f"Number {number}" for number in range(1, 11)}
    async with engine as opened:
        await opened.accounts.sync("me")
        ids = {row.subject: row.message_id for row in await rows(opened)}
        maildir.mark("INBOX", "Number 1", "FRS")
        maildir.move("INBOX", "Number 2", "Archive")
        maildir.file("INBOX", "Number 3").unlink()
        maildir.add("Gr&APYA3w-e", "1.test", mail(50))
        maildir.sync()
        await push(opened)
        found = {row.subject: row for row in await rows(opened)}
        assert found.keys() == {f"Number {number}" for number in (1, 4, 5, 6, 7, 8, 9, 10)}
        one = found["Number 1"]
        assert (one.unread, one.starred, one.answered) == (False, True, True)
        assert await subjects(opened, "Archive") == ["Number 2"]  # a new message: mbsync adds X-TUID to what it uploads
        assert await subjects(opened, "Größe") == ["Number 50"]
        await opened.messages.mark([ids["Number 4"]], StepKind.READ)
        await opened.messages.move([found["Number 5"].placement], (await folder(opened, "Größe")).folder_id)
        await opened.messages.delete([found["Number 6"].placement])
        await opened.messages.erase([found["Number 7"].placement])
        made = await opened.folders.make("me", "Zürich")
        await opened.messages.copy([found["Number 8"].placement], made.folder_id)
        await push(opened)
        maildir.mark("INBOX", "Number 9", "S")  # both at once
        maildir.sync()
        await assert_settled(opened, account)
        before = maildir.content()
        maildir.sync()
        await assert_settled(opened, account)
        assert maildir.content() == before == {name: there(account, name) for name in before}
        assert before["INBOX"] == {
            "Number 1": {"\\Seen", "\\Flagged", "\\Answered"},
            "Number 4": {"\\Seen"},
            "Number 8": set(),
            "Number 9": {"\\Seen"},
            "Number 10": set(),
        }
        assert before["Größe"] == {"Number 5": set(), "Number 50": set()}
        assert before["Zürich"] == {"Number 8": set()}
        assert before["Trash"] == {"Number 6": set()}


async def test_neomutt_and_we_keep_one_mailbox(account, engine, tmp_path):
    if words := neomutt.missing():
        pytest.fail(words, pytrace=False)
    account.put(8)
    archive = f"<save-message><kill-line>={account.wire('Archive')}<enter>"
    async with engine as opened:
        await opened.accounts.sync("me")
        ids = {row.subject: row.message_id for row in await rows(opened)}
        neomutt.run(
            account,
            tmp_path,
            "<jump>1<enter><flag-message>",
            f"<jump>2<enter>{archive}",
            "<jump>3<enter><delete-message>",
            "<jump>4<enter><set-flag>r",
        )
        assert (await push(opened)).new == 0
        found = {row.subject: row for row in await rows(opened)}
        assert found.keys() == {f"Number {number}" for number in (1, 4, 5, 6, 7, 8)}
        assert found["Number 1"].starred
        assert found["Number 4"].answered
        assert [row.message_id for row in await rows(opened, "Archive")] == [ids["Number 2"]]
        assert [row.message_id for row in await rows(opened, "Trash")] == [ids["Number 3"]]
        await opened.messages.mark([ids["Number 5"]], StepKind.STAR)
        made = await opened.folders.make("me", "Größe")
        await opened.messages.move([found["Number 6"].placement], made.folder_id)
        await opened.messages.erase([found["Number 7"].placement])
        await push(opened)
        neomutt.run(account, tmp_path, f"<tag-pattern>~F<enter><tag-prefix>{archive}")  # what we marked and what it did
        await assert_settled(opened, account)
        assert {row.subject: row.message_id for row in await rows(opened, "Archive")} == {
            f"Number {number}": ids[f"Number {number}"] for number in (1, 2, 5)
        }
        assert there(account, "INBOX").keys() == {"Number 4", "Number 8"}
        assert there(account, "Archive").keys() == {"Number 1", "Number 2", "Number 5"}
        assert there(account, "Größe").keys() == {"Number 6"}
        assert there(account, "Trash").keys() == {"Number 3"}
