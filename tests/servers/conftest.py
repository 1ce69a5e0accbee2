"""The servers, each started at most once a run, and a mailbox of its own for each test."""

import asyncio
import functools
import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from termmail.credential import Password
from termmail.net.stream import Server
from tests.servers import courier_daemon, cyrus_daemon, daemons, imap_daemon, pymap_daemon
from tests.servers.imap_account import ImapAccount

pytest.register_assert_rewrite("tests.servers.imap_engine")


@pytest.fixture(scope="session")
def mail_host():
    """Both servers. Where they cannot start the tests fail: a promise nobody checked is not kept."""
    if words := daemons.missing():
        pytest.fail(words, pytrace=False)
    with daemons.running() as host:
        yield host


@dataclass(frozen=True)
class Mailbox:
    """A user of both servers, whose maildir nobody else touches."""

    host: daemons.MailHost
    name: str

    @property
    def address(self) -> str:
        return f"{self.name}@example.org"

    def put(self, *messages: bytes) -> None:
        """Messages as if they had arrived, in this order."""
        self._made("new")
        for number, raw in enumerate(messages, 1 + len(self.files())):
            file = self._made("tmp") / f"{1_700_000_000 + number}.M{number}.test"
            file.write_bytes(raw)
            os.chown(file, daemons.MAIL_UID, daemons.MAIL_UID)
            file.rename(self._made("new") / file.name)

    def _made(self, name):
        folder = self.host.maildir(self.name) / name
        for path in (folder.parent, folder):
            if not path.exists():
                path.mkdir()
                os.chown(path, daemons.MAIL_UID, daemons.MAIL_UID)
        return folder

    def files(self) -> list[bytes]:
        """What lies in the maildir, oldest first."""
        paths = [path for name in ("new", "cur") for path in (self.host.maildir(self.name) / name).glob("*")]
        return [path.read_bytes() for path in sorted(paths, key=lambda path: path.name)]

    async def until(self, count: int, seconds: float = 30) -> list[bytes]:
        """Waits until so many messages lie there. Postfix delivers in its own time and tells nobody."""
        end = time.monotonic() + seconds
        while len(files := self.files()) < count or self.host.queue():
            assert time.monotonic() < end, self.host.log()
            await asyncio.sleep(0.02)
        return files

    def pop3(self, security: str = "tls", **options) -> Server:
        """Its POP3 server, by "tls", "starttls" or "none"."""
        port = self.host.pop3s if security == "tls" else self.host.pop3
        return self._server("pop3", port, security, **options)

    def smtp(self, security: str = "starttls", **options) -> Server:
        """Its SMTP server, by "starttls" or "tls"."""
        port = self.host.submissions if security == "tls" else self.host.submission
        return self._server("smtp", port, security, **options)

    def _server(self, kind, port, security, **options):
        settings = {
            "username": self.address,
            "password": daemons.PASSWORD,
            "tls_ca_file": self.host.ca_file,
            "timeout_seconds": 30,
        } | options
        settings["credential"] = Password(settings.pop("password"))
        return Server(kind=kind, host=self.host.host, port=port, security=security, **settings)


_numbers = itertools.count(1)


@pytest.fixture
def mailbox(mail_host):
    return Mailbox(mail_host, f"ada{next(_numbers)}")


@pytest.fixture
def other_mailbox(mail_host):
    return Mailbox(mail_host, f"bob{next(_numbers)}")


IMAP_SERVERS = {"dovecot": imap_daemon, "cyrus": cyrus_daemon, "courier": courier_daemon, "pymap": pymap_daemon}


@pytest.fixture(scope="session")
def imap_hosts():
    """The IMAP servers by name, each started when the first test asks for it."""
    started = []

    @functools.cache
    def host(name):
        if words := IMAP_SERVERS[name].missing():
            pytest.fail(words, pytrace=False)
        started.append(IMAP_SERVERS[name].running())
        return started[-1].__enter__()

    yield host
    with ThreadPoolExecutor() as pool:  # each takes its time to end
        list(pool.map(lambda one: one.__exit__(None, None, None), started))


@pytest.fixture
def imap_account(imap_hosts):
    """A user of Dovecot whose mailbox nobody else touches."""
    return ImapAccount(imap_hosts("dovecot"), f"ada{next(_numbers)}")


@pytest.fixture(params=IMAP_SERVERS)
def account(request, imap_hosts):
    """A user of each IMAP server, with the usual folders, whose mailbox nobody else touches."""
    made = ImapAccount(imap_hosts(request.param), f"ada{next(_numbers)}")
    with made.other() as client:
        there = {name for _, _, name in client.list_folders()}
        for role in imap_daemon.ROLES:
            if made.wire(role) not in there:
                client.create_folder(made.wire(role))
    return made
