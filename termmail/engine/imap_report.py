"""Describe an IMAP server for `termmail doctor`: what it offers, in plain words, and its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from termmail.engine.account_setup import received
from termmail.engine.context import server_for
from termmail.engine.sync.imap_roles import server_folders
from termmail.mail import sanitize
from termmail.mail.counting import count, number
from termmail.mail.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.accounts.config import Account
    from termmail.credential import Credential
    from termmail.net.imap.features import Features
    from termmail.net.imap.imap_session import FolderInfo, ImapSession
    from termmail.net.trace import Trace

FOLDERS_SHOWN = 100
"""Folders that are listed; of more, the number is told."""
_ROLES = {
    r"\sent": "sent",
    r"\drafts": "drafts",
    r"\trash": "trash",
    r"\junk": "junk",
    r"\archive": "archive",
    r"\all": "all mail",
    r"\flagged": "starred",
    r"\important": "important",
}
"""Roles of folders (RFC 6154, RFC 8457), as FolderInfo has them."""


class ImapReport(NamedTuple):
    """The sentence that receiving works, and the lines that explain the server."""

    words: str
    lines: list[str]


async def describe(account: Account, credential: Credential, trace: Trace | None) -> ImapReport:
    """Log in, list the folders, log out, and return what there is to know. Raises NetError."""
    from termmail.net.imap.imap_session import ImapSession  # noqa: PLC0415 - not needed for the first screen

    session = await ImapSession.open(server_for(account, "imap", credential), trace)
    try:
        folders = await session.list_folders()
        inbox = next((folder.status for folder in folders if folder.title == "INBOX"), None)
        there = (inbox or await session.status(b"INBOX")).messages or 0
    finally:
        await session.logout()
    lines = [*_server(session), *_features(session.features, account), *_folders(folders, account)]
    return ImapReport(received(account, there), lines)


def _server(session: ImapSession) -> Iterator[str]:
    """Yield who the server is, and what it wants the user to read."""
    named = " ".join(filter(None, (session.identity.get("name"), session.identity.get("version"))))
    if named:
        yield f"The server is {sanitize.clean(named)[:80]}."
    for alert in session.alerts:
        yield f"The server says: {alert}"


def _features(features: Features, account: Account) -> Iterator[str]:
    """Yield a sentence for each capability that matters, or for what is slower without it."""
    minutes = account.incoming.poll_minutes
    looks = f"every {count(minutes, 'minute')}" if minutes else "when you ask"
    if features.offers("IDLE"):
        yield "✓ New mail is pushed (IDLE): the server says at once that something came."
        if features.offers("NOTIFY"):
            yield "✓ That is so in every folder (NOTIFY)."
        else:
            yield f"- No NOTIFY: folders other than the inbox are looked at {looks}."
    else:
        yield f"- New mail is not pushed (no IDLE): termmail looks {looks}."
    if features.qresync:
        yield "✓ Quick resync (QRESYNC): only what changed or vanished since the last look is sent."
    elif features.condstore:
        yield "✓ Changed flags are sent alone (CONDSTORE)."
        yield "- No usable QRESYNC: what was deleted elsewhere is found by counting, which takes a longer list at times."
    else:
        yield "- No CONDSTORE: flags of known messages are asked for again, so large folders take longer."
    if features.offers("MOVE"):
        yield "✓ Moving is one step (MOVE)."
    else:
        yield "- No MOVE: a message is copied and then deleted, which takes more round trips."
    if features.offers("UIDPLUS"):
        yield "✓ What is moved or stored is known again at once, and only what you erase is erased (UIDPLUS)."
    else:
        yield "- No UIDPLUS: what was moved or stored has to be looked for in its folder."
    if features.offers("COMPRESS=DEFLATE"):
        yield "✓ On a slow line everything is compressed (COMPRESS)."
    if not features.offers("LIST-STATUS"):
        yield "- No LIST-STATUS: each folder is asked for its counts, so many folders take longer."


def _folders(folders: list[FolderInfo], account: Account) -> Iterator[str]:
    """Yield the folders with their roles and counts."""
    if any(folder.attributes & set(_ROLES) for folder in folders):
        yield "✓ The server tells what its folders are for (SPECIAL-USE)."
    else:
        yield "- No SPECIAL-USE: Sent, Trash and others are known by their names, or by [accounts.NAME.folders] in config.toml."
    named = {name: role for role, name in structs.asdict(account.folders).items() if name}
    for name, role in named.items():
        if all(folder.title != name for folder in folders):
            yield f"✗ config.toml names {name} for {role}, and the server has no such folder."
    chosen = {Role(role): name for name, role in named.items()}
    roles = {one.server_name: one.role for one in server_folders(folders, chosen)}
    yield f"{count(len(folders), 'folder')}:"
    for folder in folders[:FOLDERS_SHOWN]:
        yield f"  {_folder(folder, named.get(folder.title), roles.get(folder.name, Role.NONE))}"
    if len(folders) > FOLDERS_SHOWN:
        yield f"  and {count(len(folders) - FOLDERS_SHOWN, 'more folder')}"


def _folder(folder: FolderInfo, named: str | None, role: Role) -> str:
    """Return the line of a folder; `named` is its role in config.toml, `role` the one that termmail gives it."""
    roles = (
        [f"{named}, by config.toml"] if named else [said for key, said in _ROLES.items() if key in folder.attributes]
    )
    if not roles and role not in {Role.NONE, Role.INBOX}:
        roles = [f"{role.value}, by its name"]
    title = sanitize.clean(folder.title)[:200] + (f" ({', '.join(roles)})" if roles else "")
    if not folder.selectable:
        return f"{title}: holds folders only"
    if folder.status is None or folder.status.messages is None:
        return f"{title}: the server gave no count"
    unread = f", {number(folder.status.unseen)} unread" if folder.status.unseen else ""
    return f"{title}: {count(folder.status.messages, 'message')}{unread}"
