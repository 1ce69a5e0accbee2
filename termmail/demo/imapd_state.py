"""The state of one IMAP session: what is offered, what is enabled, and which folder is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from termmail.demo.imapd_syntax import Bad, No, Value, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from termmail.demo.imap_mailbox import ImapFolder, ImapMailbox
    from termmail.demo.imap_personalities import Personality
    from termmail.demo.imapd_notify import Notifications
    from termmail.demo.imapd_view import FolderView


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a command: untagged responses, then the tagged one with `text` behind OK."""

    text: str
    rows: Iterable[bytes] = ()


@dataclass(slots=True)
class SessionState:
    """A session. `mailbox` is None before the login; `view` is the open folder; `tag` that of the current command."""

    personality: Callable[[], Personality]
    without: Callable[[], frozenset[str]]
    wake: Callable[[], None]
    mailbox: ImapMailbox | None = None
    view: FolderView | None = None
    enabled: set[str] = field(default_factory=set)
    compressed: bool = False
    notifications: Notifications | None = None
    tag: bytes = b""
    over: bool = False

    @property
    def kind(self) -> Personality:
        """The personality of the server as it is now."""
        return self.personality()

    @property
    def offered(self) -> list[str]:
        """What the server offers to a user who is logged in."""
        return [name for name in self.kind.capabilities if name not in self.without()]

    def offers(self, *names: str) -> bool:
        """Return whether one of these capabilities is offered."""
        return any(name in self.offered for name in names)

    def limit(self, name: str) -> int | None:
        """Return the number of a capability such as APPENDLIMIT=1000, or None."""
        numbers = [one.partition("=")[2] for one in self.offered if one.startswith(f"{name}=")]
        return int(numbers[0]) if numbers else None

    def need(self, *names: str) -> None:
        """Raise Bad unless one of these capabilities is offered."""
        if not self.offers(*names):
            raise Bad("unknown command or argument")

    @property
    def condstore(self) -> bool:
        """Whether the client knows of mod-sequences (RFC 7162 section 3.1)."""
        return bool(self.enabled & {"CONDSTORE", "QRESYNC"})

    def use_modseq(self) -> None:
        """Take note that a command used mod-sequences. Raises Bad if they are not offered."""
        self.need("CONDSTORE")
        self.enabled.add("CONDSTORE")

    def open_view(self) -> FolderView:
        """Return the open folder. Raises Bad if there is none."""
        if self.view is None:
            raise Bad("no folder is open")
        return self.view

    def writable_view(self) -> FolderView:
        """Return the open folder. Raises No if it was opened with EXAMINE."""
        view = self.open_view()
        if view.read_only:
            raise No("[READ-ONLY] the folder is open for reading only")
        return view

    def user_mailbox(self) -> ImapMailbox:
        """Return the mailbox of the user. Raises Bad before the login."""
        if self.mailbox is None:
            raise Bad("log in first")
        return self.mailbox

    def stored_name(self, value: Value) -> bytes:
        """Return the name in the mailbox for the name that a client gave. Raises No outside the prefix."""
        name = self.kind.stored_name(text(value))
        if not name:
            raise No("[CANNOT] invalid name of a folder")
        return name

    def folder(self, value: Value, *, code: str = "NONEXISTENT") -> ImapFolder:
        """Return the folder that a client named. Raises No with `code` if there is none."""
        found = self.user_mailbox().find(self.stored_name(value))
        if found is None:
            raise No(f"[{code}] there is no such folder")
        return found

    def stop_notifying(self) -> None:
        """Tell no longer of folders that are not open."""
        if self.notifications is not None:
            self.notifications.close()
            self.notifications = None

    def close_view(self) -> None:
        """Close the open folder, if there is one."""
        if self.view is not None:
            self.view.close()
            self.view = None

    def news(self, *, removals: bool = True) -> list[bytes]:
        """Return the untagged responses that bring the client up to date with the open folder, and with NOTIFY all."""
        elsewhere = self.notifications.rows() if self.notifications is not None else []
        if self.view is None:
            return elsewhere
        qresync = "QRESYNC" in self.enabled
        return [*elsewhere, *self.view.news(removals=removals, vanished=qresync, modseq=self.condstore, uid=qresync)]


def check_count(arguments: list[Value], *counts: int) -> None:
    """Raise Bad unless a command has one of these numbers of arguments."""
    if len(arguments) not in counts:
        raise Bad("wrong number of arguments")
