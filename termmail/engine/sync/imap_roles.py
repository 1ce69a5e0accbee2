"""What each folder of an IMAP server is for: by the config, by SPECIAL-USE (RFC 6154), or by its usual names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Role
from termmail.store.imap_folders import ServerFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from termmail.net.imap.folder_lister import FolderInfo

_ATTRIBUTES = {
    r"\archive": Role.ARCHIVE,
    r"\drafts": Role.DRAFTS,
    r"\sent": Role.SENT,
    r"\junk": Role.JUNK,
    r"\spam": Role.JUNK,  # XLIST
    r"\trash": Role.TRASH,
    r"\all": Role.ALL,
    r"\allmail": Role.ALL,
}
_GMAIL = ("[Gmail]", "[Google Mail]")
_USUAL_NAMES = {
    Role.ARCHIVE: ("archive", "archives", "archiv", "archiviert"),
    Role.DRAFTS: ("drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "concepten"),
    Role.SENT: (
        *("sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete elemente", "gesendete objekte"),
        *("envoyés", "éléments envoyés", "enviados", "elementos enviados", "posta inviata", "verzonden items"),
    ),
    Role.JUNK: (
        "junk",
        "spam",
        "junk e-mail",
        "junk email",
        "bulk mail",
        "bulk",
        "spamverdacht",
        "courrier indésirable",
    ),
    Role.TRASH: (
        *("trash", "deleted items", "deleted messages", "bin", "papierkorb", "gelöscht", "gelöschte elemente"),
        *("corbeille", "éléments supprimés", "papelera", "elementos eliminados", "cestino", "prullenbak"),
    ),
}


def server_folders(listing: Sequence[FolderInfo], chosen: Mapping[Role, str], prefix: str = "") -> list[ServerFolder]:
    """Return the folders that can be opened, each role given to one at most.

    `chosen` has the names of the config by role. `prefix` is that of the personal namespace (Courier's "INBOX."), which
    is not shown.
    """
    roles = _roles(listing, chosen, prefix)
    return [
        ServerFolder(
            one.name,
            shown_name(one, prefix),
            roles.get(one.name, Role.NONE),
            one.status.uidvalidity if one.status else None,
            one.status.uidnext if one.status else None,
        )
        for one in listing
        if one.selectable
    ]


def shown_name(one: FolderInfo, prefix: str) -> str:
    """Return the name for people: without the prefix, and with "/" between levels."""
    title = one.title
    if prefix and title.startswith(prefix) and title != prefix:
        title = title[len(prefix) :]
    if one.delimiter and one.delimiter != "/":
        title = title.replace("/", "\N{FRACTION SLASH}").replace(one.delimiter, "/")
    return title


def _role_of(one: FolderInfo, attribute: str) -> Role:
    """Return the role that an attribute gives a folder. Of Gmail, All Mail is the archive."""
    role = _ATTRIBUTES[attribute]
    return Role.ARCHIVE if role is Role.ALL and one.title.startswith(_GMAIL) else role


def _roles(listing: Sequence[FolderInfo], chosen: Mapping[Role, str], prefix: str) -> dict[bytes, Role]:
    """Return roles by name on the wire: what the config says, then attributes, then usual names."""
    taken: dict[Role, bytes] = {}
    given: dict[bytes, Role] = {}

    def give(one: FolderInfo, role: Role) -> None:
        if role not in taken and one.name not in given and one.selectable:
            taken[role], given[one.name] = one.name, role

    for one in listing:
        if one.title == "INBOX":
            give(one, Role.INBOX)
    for role, name in chosen.items():
        for one in listing:
            if name in {one.title, shown_name(one, prefix)}:
                give(one, role)
    for one in listing:
        for attribute in sorted(one.attributes & _ATTRIBUTES.keys()):
            give(one, _role_of(one, attribute))
    for role, names in _USUAL_NAMES.items():
        for name in names:
            for one in listing:
                if shown_name(one, prefix).casefold() == name:
                    give(one, role)
    return given
