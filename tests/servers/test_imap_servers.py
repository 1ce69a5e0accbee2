"""The same mailbox on each IMAP server that runs here: what one client does the other one has, once."""

import contextlib
import functools
import itertools

import pytest

from termmail.mail.model import Role
from tests.servers import cyrus_daemon, imap_daemon
from tests.servers.imap_account import ImapAccount, mail
from tests.servers.imap_engine import assert_settled, engine_on, rows, subjects

pytestmark = pytest.mark.servers

SERVERS = {"dovecot": imap_daemon, "cyrus": cyrus_daemon}
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def imap_hosts():
    """The servers, each started when the first test asks for it."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def host(name):
            if words := SERVERS[name].missing():
                pytest.fail(words, pytrace=False)
            return stack.enter_context(SERVERS[name].running())

        yield host


@pytest.fixture(params=SERVERS)
def account(request, imap_hosts):
    """A user of the server, with the usual folders, whose mailbox nobody else touches."""
    made = ImapAccount(imap_hosts(request.param), f"ada{next(_numbers)}")
    with made.other() as client:
        there = {name for _, _, name in client.list_folders()}
        for role in imap_daemon.ROLES:
            if made.wire(role) not in there:
                client.create_folder(made.wire(role))
    return made


@pytest.fixture
def engine(tmp_path, account):
    return engine_on(tmp_path, account)


async def test_every_folder_is_received_once(account, engine):
    account.put(70)
    account.put(3, "Archive", first=200)
    with account.other() as client:
        client.create_folder(account.wire("Reisen/Zürich"))
        client.append(account.wire("Reisen/Zürich"), mail(300), flags=["\\Seen", "\\Flagged"])
    async with engine as opened:
        assert (await opened.accounts.sync("me")).words == "74 new messages"
        roles = {one.name: one.role for one in await opened.folders.listing()}
        assert roles["Spam"] is Role.JUNK
        assert roles["Reisen/Zürich"] is Role.NONE
        assert await subjects(opened) == [f"Number {number}" for number in range(70, 0, -1)]
        assert await subjects(opened, "Archive") == ["Number 202", "Number 201", "Number 200"]
        [row] = await rows(opened, "Reisen/Zürich")
        assert (row.subject, row.unread, row.starred) == ("Number 300", False, True)
        await opened.reader.read(row.message_id)
        assert await opened.reader.raw(row.message_id) == mail(300)
        assert (await opened.accounts.sync("me")).words == "No new messages"
        await assert_settled(opened, account)
