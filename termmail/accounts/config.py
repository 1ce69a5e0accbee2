"""Read config.toml into typed structs, with errors that name the key. `config_writer` writes it."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from termmail.accounts.paths import close_to_others, reason
from termmail.errors import ErrorCode, UserError
from termmail.mail.message import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from termmail.credential import MailProtocol, ServerKind


S = TypeVar("S", bound=Struct)


class ConfigError(UserError):
    """config.toml cannot be used. The message names the file, the key and the valid values."""

    code = ErrorCode.CONFIG


# The type of a value says what is valid, and its description says the same to the user ("'ssl' is not one of ...").
# Hosts, user names and addresses have no control characters: a line break would become a command to a server.
Line = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z", description="a text on one line")]
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f]*\Z", description="a text")]
Mailbox = Annotated[
    str,
    Meta(
        pattern=r'^[^\x00-\x20\x7f-\x9f<>",;]+@[^\x00-\x20\x7f-\x9f<>",;@]+\Z',
        description="an e-mail address such as ada@example.org",
    ),
]
Mailboxes = Annotated[
    tuple[Mailbox, ...], Meta(description='a list of e-mail addresses such as ["countess@example.org"]')
]
Host = Annotated[
    str,
    Meta(pattern=r"^[^\x00-\x20\x7f-\x9f/@]+\Z", description="the name of a server such as pop.example.org"),
]
Port = Annotated[int, Meta(ge=1, le=65535, description="a port number from 1 to 65535")]
Security = Annotated[Literal["tls", "starttls", "none"], Meta(description="one of tls, starttls, none")]
Username = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z", description="a user name on one line")]
Word = Annotated[str, Meta(pattern=r"^[^\x00]*\Z")]
Command = Annotated[
    tuple[Word, ...],
    Meta(min_length=1, description='a list of a program and its arguments such as ["pass", "show", "mail/ada"]'),
]
Seconds = Annotated[int, Meta(ge=1, le=3600, description="a number of seconds from 1 to 3600")]
Minutes = Annotated[int, Meta(ge=0, le=10080, description="a number of minutes (0: only by hand)")]
Days = Annotated[int, Meta(ge=0, le=36500, description="a number of days (0: none)")]
CaFile = Annotated[str, Meta(pattern=r"^[/~][^\x00-\x1f\x7f]*\Z", description="the path of a file, from its / or ~ on")]
FolderName = Annotated[
    str,
    Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]+\Z", description="the name of a folder as the server has it: Sent Items"),
]
Switch = Annotated[bool, Meta(description="true or false")]
Download = Annotated[
    str,
    Meta(
        pattern=r"^(?:open|all|[1-9][0-9]{0,4} days?)\Z",
        description="one of open, all, 365 days (any number of days)",
    ),
]
DeleteRule = Annotated[
    str,
    Meta(
        pattern=r"^(?:with-me|never|after-download|after [1-9][0-9]{0,3} days?)\Z",
        description="one of with-me, never, after-download, after 30 days (any number of days)",
    ),
]
Keymap = Annotated[
    Literal["termmail", "mutt", "alpine", "gmail"], Meta(description="one of termmail, mutt, alpine, gmail")
]
Density = Annotated[Literal["auto", "compact", "comfortable"], Meta(description="one of auto, compact, comfortable")]
Pane = Annotated[Literal["auto", "right", "below", "off"], Meta(description="one of auto, right, below, off")]
Notice = Annotated[
    Literal["off", "bell", "terminal", "command"], Meta(description="one of off, bell, terminal, command")
]
Sequence = Annotated[Literal["auto", "osc9", "osc777", "osc99"], Meta(description="one of auto, osc9, osc777, osc99")]
QuietHours = Annotated[
    str,
    Meta(
        pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9])?\Z",
        description='two times of day such as "22:00-07:00", or ""',
    ),
]

_PORTS: dict[ServerKind, dict[str, int]] = {
    "pop3": {"tls": 995, "starttls": 110, "none": 110},
    "imap": {"tls": 993, "starttls": 143, "none": 143},
    "smtp": {"tls": 465, "starttls": 587, "none": 25},
}
EVER = -(1 << 62)
"""A date before that of every message."""
_ACCOUNT_NAME = re.compile(r"(?!\s)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,60}(?<!\s)\Z")


class Pop3(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The server that mail is received from by POP3.

    A `port` of 0 becomes the one for `security`, an empty `username` the account's address. `delete` says when a message
    is deleted on the server; `download` which messages are fetched whole without being opened (see `whole_since`);
    `prefetch_days` fetches those of so many days in the background, where `download` is "open";
    `timeout_seconds` applies to one answer; `poll_minutes` of 0 means only by hand.
    """

    host: Host
    port: Port = 0
    security: Security = "tls"
    username: Username = ""
    password_command: Command | None = None
    download: Download = "open"
    prefetch_days: Days = 30
    delete: DeleteRule = "with-me"
    poll_minutes: Minutes = 5
    allow_cleartext: Switch = False
    timeout_seconds: Seconds = 30
    tls_ca_file: CaFile | None = None

    def __post_init__(self) -> None:
        _settle(self, "pop3")


class Imap(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The server that mail is received from by IMAP. As Pop3; deleting moves a message to the server's Trash."""

    host: Host
    port: Port = 0
    security: Security = "tls"
    username: Username = ""
    password_command: Command | None = None
    download: Download = "open"
    prefetch_days: Days = 30
    poll_minutes: Minutes = 5
    allow_cleartext: Switch = False
    timeout_seconds: Seconds = 30
    tls_ca_file: CaFile | None = None

    def __post_init__(self) -> None:
        _settle(self, "imap")


class Smtp(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The server that mail is sent through.

    As Pop3; a missing `username` is that of the server of incoming mail, and "" means no login.
    """

    host: Host
    port: Port = 0
    security: Security = "tls"
    username: Username | None = None
    password_command: Command | None = None
    allow_cleartext: Switch = False
    timeout_seconds: Seconds = 30
    tls_ca_file: CaFile | None = None

    def __post_init__(self) -> None:
        _settle(self, "smtp")


class FolderRoles(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Names of IMAP folders by what they are for, where the server does not tell (RFC 6154)."""

    archive: FolderName | None = None
    drafts: FolderName | None = None
    sent: FolderName | None = None
    junk: FolderName | None = None
    trash: FolderName | None = None


class Account(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account. `name` is shown in From; `aliases` are other addresses of the same person.

    Mail is received by POP3 or by IMAP: one of `pop3` and `imap` is None.
    """

    address: Mailbox
    pop3: Pop3 | None = None
    imap: Imap | None = None
    smtp: Smtp
    name: Line = ""
    aliases: Mailboxes = ()
    signature: Text = ""
    folders: FolderRoles = FolderRoles()

    def __post_init__(self) -> None:
        if (self.pop3 is None) == (self.imap is None):
            raise ConfigError("should have one of the tables pop3 and imap")
        incoming, smtp = self.incoming, self.smtp
        if not incoming.username:
            incoming = msgspec.structs.replace(incoming, username=self.address)
            msgspec.structs.force_setattr(self, self.protocol, incoming)
        if smtp.username is None:
            msgspec.structs.force_setattr(self, "smtp", msgspec.structs.replace(smtp, username=incoming.username))

    @property
    def protocol(self) -> MailProtocol:
        """What mail is received by."""
        return "pop3" if self.imap is None else "imap"

    @property
    def incoming(self) -> Pop3 | Imap:
        """The server that mail is received from."""
        found = self.pop3 or self.imap
        assert found is not None
        return found

    def server(self, kind: ServerKind) -> Pop3 | Imap | Smtp:
        """Return the settings of one of the two servers; "pop3" and "imap" both name that of incoming mail."""
        return self.smtp if kind == "smtp" else self.incoming


class Ui(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Settings of the screen. `keys` maps action ids to keys ("e,y"); the screen checks themes and ids.

    `conversations`: lists of folders show conversations, each on one row. `density` says how many lines a message
    takes in a list, `pane` where the reading pane is, and with `ascii` marks and frames are drawn in ASCII.
    `print_command` is the program that prints, None for lp or lpr. `reflow`: paragraphs that were broken by hand wrap
    at the width of the pane.
    """

    theme: Line = "termmail-dark"
    keymap: Keymap = "termmail"
    density: Density = "auto"
    pane: Pane = "auto"
    ascii: Switch = False
    conversations: Switch = True
    keys: dict[str, Line] = {}
    print_command: Command | None = None
    reflow: Switch = True


class Notifications(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How new mail is announced: `new_mail` says by what.

    `sequence` is what the terminal understands, `command` the program that gets the words as its last argument. In the
    `quiet_hours`, by the local clock, nothing is announced.
    """

    new_mail: Notice = "off"
    sequence: Sequence = "auto"
    command: Command | None = None
    quiet_hours: QuietHours = ""

    def __post_init__(self) -> None:
        if self.new_mail == "command" and self.command is None:
            raise ConfigError('new_mail: "command" needs the key command, such as ["notify-send"]')


class Config(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file. `default_account` is the first account if none is named, None if there is no account."""

    default_account: Line | None = None
    ui: Ui = Ui()
    notifications: Notifications = Notifications()
    accounts: dict[str, Account] = {}

    def __post_init__(self) -> None:
        if self.default_account is None and self.accounts:
            msgspec.structs.force_setattr(self, "default_account", next(iter(self.accounts)))


def _settle(settings: Pop3 | Imap | Smtp, kind: ServerKind) -> None:
    """Fill in the values that follow from other keys."""
    if not settings.port:
        msgspec.structs.force_setattr(settings, "port", _PORTS[kind][settings.security])
    if settings.tls_ca_file:
        msgspec.structs.force_setattr(settings, "tls_ca_file", os.path.expanduser(settings.tls_ca_file))  # noqa: PTH111  stays a text


def whole_since(download: str, now: int) -> int | None:
    """Return the date from which on messages are fetched whole (UTC seconds), or None where only opened ones are."""
    if download == "open":
        return None
    return EVER if download == "all" else now - int(download.partition(" ")[0]) * 86_400


def identity(account: Account) -> Identity:
    """Return the identity that writes from this account."""
    return Identity(account.name, account.address, account.aliases, account.signature)


def load(path: Path) -> Config:
    """Read config.toml and make it private (0600). A missing file is an empty Config. Raises ConfigError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(f"{path.name}: {path} cannot be read: {reason(error)}") from None
    close_to_others(path)
    return parse(data, path.name)


def parse(data: bytes, filename: str = "config.toml") -> Config:
    """Parse the bytes of a config file; `filename` is for the messages of ConfigError."""
    try:
        config = _read(Config, tomllib.loads(data.decode("utf-8-sig")), "")
        _check_names(config)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{filename}: not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{filename}: not valid TOML: {error}") from None
    except RecursionError:
        raise ConfigError(f"{filename}: not valid TOML: nested too deeply") from None
    except ConfigError as error:
        raise ConfigError(f"{filename}: {error}") from None
    return config


def _check_names(config: Config) -> None:
    for name in config.accounts:
        if not _ACCOUNT_NAME.match(name):
            raise ConfigError(
                f"accounts: {shown(name)} is not a valid account name: use 1 to 60 characters on one line"
            )
    if config.default_account is not None and config.default_account not in config.accounts:
        raise ConfigError(
            f"default_account: {shown(config.default_account)} is not one of your accounts"
            f" ({', '.join(config.accounts) or 'there is none yet'})"
        )


def _read(kind: type[S], tree: Any, where: str) -> S:
    """Return one table as a struct. msgspec's own errors would leave out the names inside `accounts`."""
    table = _table(tree, where)
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for key in table:
        if key not in fields:
            raise ConfigError(f"{_join(where, key)}: {_unknown(key, list(fields))}")
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in table:
            values[key] = _value(field.type, table[key], _join(where, key))
        elif field.required:
            raise ConfigError(f"{_join(where, key)}: is missing; it should be {_description(field.type) or 'a table'}")
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _value(kind: Any, value: Any, where: str) -> Any:
    if get_origin(kind) is dict:
        element = get_args(kind)[1]
        return {key: _value(element, item, _join(where, key)) for key, item in _table(value, where).items()}
    for one in (kind, *get_args(kind)):
        if isinstance(one, type) and issubclass(one, Struct):
            return _read(one, value, where)
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise ConfigError(f"{where}: {shown(value)} is not {_description(kind)}") from None


def _table(tree: Any, where: str) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise ConfigError(f"{where}: {shown(tree)} is not a table of keys and values")
    return tree


def _join(where: str, key: str) -> str:
    name = key if re.fullmatch(r"[\w-]+", key) else shown(key)
    return f"{where}.{name}" if where else name


def _description(kind: Any) -> str:
    """Return the description of what is valid, from the type's Meta (also inside `X | None`)."""
    for meta in getattr(kind, "__metadata__", ()):
        if meta.description:
            return str(meta.description)
    return next((words for inner in get_args(kind) if (words := _description(inner))), "")


def _unknown(key: str, known: list[str]) -> str:
    if key == "password":
        return "a password does not belong in this file; termmail account password puts it into the keyring"
    import difflib  # noqa: PLC0415 - only for what is wrong

    near = difflib.get_close_matches(key, known, 1)
    return f"there is no such key{f'; did you mean {near[0]}?' if near else '.'} The keys are {', '.join(known)}"


def shown(value: Any) -> str:
    """Return a value for an error: quoted, with control characters escaped, cut."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
