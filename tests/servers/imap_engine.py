"""An engine on an account of an IMAP server of the tests, and what its store holds."""

from __future__ import annotations

from contextlib import asynccontextmanager

from termmail.accounts.config import Account, Config, Imap, Smtp
from termmail.accounts.credentials import Passwords
from termmail.accounts.paths import Paths
from termmail.engine.engine import Engine
from termmail.engine.sync.imap_flags import mask_of
from termmail.mail import parse
from termmail.mail.views import FolderView
from termmail.net.imap.folder_names import encode_name
from termmail.store import imap_pending
from tests.servers import daemons


@asynccontextmanager
async def engine_on(data, mailbox, *, commit=False, smtp_port=1, **imap):
    """The engine with the store in the folder `data`; it sends through a server of this machine without TLS."""
    host = mailbox.host
    settings = {
        "port": host.imaps or host.imap,
        "security": mailbox.security,
        "allow_cleartext": mailbox.security == "none",
        "username": mailbox.name,
        "tls_ca_file": host.ca_file,
        "poll_minutes": 0,
    }
    account = Account(
        address=f"{mailbox.name}@example.org",
        imap=Imap(host=host.host, **settings | imap),
        smtp=Smtp(host=host.host, port=smtp_port, security="none", allow_cleartext=True),
    )
    passwords = Passwords()
    passwords.remember("me", "imap", account, daemons.PASSWORD)
    paths = Paths(config=data / "config.toml", data=data / "data")
    engine = await Engine.open(paths, Config(accounts={"me": account}), passwords=passwords)
    try:
        yield engine
    finally:
        await engine.close(patience=20, commit=commit)


async def folder(engine, name):
    return next(one for one in await engine.folders.listing() if one.name == name)


async def rows(engine, name="Inbox"):
    view = FolderView((await folder(engine, name)).folder_id)
    return await engine.lists.rows(view, await engine.lists.ids(view))


async def subjects(engine, name="Inbox"):
    return [row.subject for row in await rows(engine, name)]


async def push(engine):
    """Sync with everything due."""
    return await engine.accounts.sync("me", full=True)


async def assert_settled(engine, mailbox):
    """The next sync does nothing, and the store has what the server has: folders, UIDs, flags and header fingerprints.

    What was moved or copied without an answer that tells its UID may need a sync more: two are allowed.
    """
    for _ in range(2):
        await push(engine)
    before = on_server(mailbox)
    result = await push(engine)
    assert (result.words, result.new) == ("No new messages", 0)
    assert on_server(mailbox) == before
    assert await engine.context.db(_known) == before
    wanted, differing = await engine.context.db(_wanted)
    assert sorted(wanted) == sorted((name, uid) for name, found in before.items() for uid in found)
    assert differing == 0
    assert await engine.context.db(imap_pending.waiting, "me") == 0


def on_server(mailbox):
    """By name on the wire of each folder: UIDs with flags (of those that we show) and fingerprint."""
    found = {}
    with mailbox.other() as client:
        for attributes, _, name in client.list_folders():
            if {b"\\Noselect", b"\\NonExistent"} & set(attributes):
                continue
            client.select_folder(name, readonly=True)
            told = client.fetch(client.search(), ["FLAGS", "BODY.PEEK[HEADER]"])
            found[encode_name(name)] = {
                uid: (
                    mask_of(frozenset(flag.decode() for flag in row[b"FLAGS"])),
                    parse.fingerprint(row[b"BODY[HEADER]"]),
                )
                for uid, row in told.items()
            }
    return found


def there(account, name):
    """Of a folder on the server: the system flags of each message by subject, of which there is one each."""
    with account.other() as client:
        client.select_folder(account.wire(name), readonly=True)
        told = client.fetch(client.search(), ["FLAGS", "ENVELOPE"])
        found = [(row[b"ENVELOPE"].subject.decode(), row[b"FLAGS"]) for row in told.values()]
        assert len(dict(found)) == len(found)
        return {subject: {flag.decode() for flag in flags} - {"\\Recent"} for subject, flags in found}


def _known(store):
    found = {name: {} for (name,) in store.read("SELECT server_name FROM folder WHERE server_name IS NOT NULL")}
    query = "SELECT f.server_name, i.uid, i.flags, i.fingerprint FROM imap_message i JOIN folder f ON f.id = i.folder"
    for name, uid, flags, fingerprint in store.read(query):
        assert uid not in found[name]
        found[name][uid] = flags, fingerprint
    return found


def _wanted(store):
    """What the lists show: (folder, UID) of each placement, messages with other flags than the server's."""
    placements = store.read(
        "SELECT f.server_name, i.uid FROM placement p JOIN folder f ON f.id = p.folder"
        " LEFT JOIN imap_message i ON i.message = p.message AND i.folder = p.folder"
    )
    ((differing,),) = store.read(
        "SELECT count(*) FROM message m JOIN imap_message i ON i.message = m.id"
        " WHERE i.flags <> m.unread + 2 * m.starred + 4 * m.answered + 8 * m.forwarded"
    )
    return placements, differing
