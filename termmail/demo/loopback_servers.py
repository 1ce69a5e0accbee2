"""Run the demo servers on loopback: a POP3 maildrop, an IMAP mailbox, and an SMTP server that delivers into them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from termmail.demo import sample_imap_mailbox
from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imapd import ImapServer
from termmail.demo.pop3d import Pop3Server
from termmail.demo.sample_mailbox import NAME, USER, messages
from termmail.demo.server_maildrop import Maildrop
from termmail.demo.smtpd import Received, SmtpServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PASSWORD = "analytical"  # noqa: S105 - of the sample mailbox on loopback


@dataclass(frozen=True, slots=True)
class Demo:
    """The running servers, and how to log in to them."""

    pop3: Pop3Server
    imap: ImapServer
    smtp: SmtpServer
    maildrop: Maildrop
    host: str
    pop3_port: int
    imap_port: int
    smtp_port: int
    user: str
    imap_user: str
    password: str


@asynccontextmanager
async def demo_servers(
    *, now: datetime | None = None, pop3_port: int = 0, imap_port: int = 0, smtp_port: int = 0, filled: bool = True
) -> AsyncIterator[Demo]:
    """Run the servers for the duration of the block.

    `now` is the date of the newest messages; port 0 takes a free one; without `filled` the mailboxes are empty. Mail to
    one of the two users is delivered to that user, and mail to anyone else comes back to the user who sent it. Raises
    OSError if a port is taken.
    """
    now = now or datetime.now(UTC)
    imap_user = sample_imap_mailbox.USER
    maildrop = Maildrop(PASSWORD, messages(now) if filled else ())
    mailbox = sample_imap_mailbox.mailbox(now, PASSWORD) if filled else ImapMailbox(PASSWORD)

    def deliver(received: Received) -> None:
        raw = _as_delivered(received, datetime.now(UTC))
        sender = imap_user if received.sender.lower() == imap_user else USER
        users = {one.lower() if one.lower() in {USER, imap_user} else sender for one in received.recipients}
        if imap_user in users:
            mailbox.folder("INBOX").add(raw)
        if USER in users:
            maildrop.add(raw)

    pop3 = Pop3Server({USER: maildrop}, port=pop3_port)
    imap = ImapServer({imap_user: mailbox}, port=imap_port)
    smtp = SmtpServer({USER: PASSWORD, imap_user: PASSWORD}, deliver=deliver, port=smtp_port)
    async with pop3, imap, smtp:
        ports = pop3.port, imap.port, smtp.port
        yield Demo(pop3, imap, smtp, maildrop, pop3.host, *ports, USER, imap_user, PASSWORD)


def _as_delivered(received: Received, now: datetime) -> bytes:
    """Return the message as delivered, with the trace headers of a server (RFC 5321 section 4.4)."""
    trace = (
        f"Return-Path: <{received.sender}>\r\n"
        "Received: from [127.0.0.1] by demo.example.org with ESMTPA\r\n"
        f"\tfor <{received.recipients[0]}>; {format_datetime(now)}\r\n"
    )
    return trace.encode() + received.raw


def config_for(demo: Demo) -> str:
    """Return a config.toml with the POP3 account, which is the default one, and the IMAP account.

    It holds the password, which is no secret, so that no keyring is needed.
    """
    return f'default_account = "home"\n\n{pop3_account(demo, "home")}\n{imap_account(demo, "society")}'


def pop3_account(demo: Demo, name: str) -> str:
    """Return the tables of config.toml for the POP3 account, under this name."""
    return _account(demo, name, NAME, demo.user, pop3=demo.pop3_port)


def imap_account(demo: Demo, name: str) -> str:
    """Return the tables of config.toml for the IMAP account, under this name."""
    return _account(demo, name, sample_imap_mailbox.NAME, demo.imap_user, imap=demo.imap_port)


def _account(demo: Demo, name: str, person: str, user: str, **receiving: int) -> str:
    """Return the tables of an account; `receiving` has the port of the protocol it receives by."""
    servers = "\n".join(
        f"""[accounts.{name}.{protocol}]
host = "{demo.host}"
port = {port}
security = "none"
allow_cleartext = true
username = "{user}"
password_command = ["echo", "{demo.password}"]
"""
        for protocol, port in {**receiving, "smtp": demo.smtp_port}.items()
    )
    return f'[accounts.{name}]\nname = "{person}"\naddress = "{user}"\n\n{servers}'


async def serve(print: Callable[[str], object] = print, *, pop3_port: int = 0, smtp_port: int = 0) -> None:  # noqa: A002 - it is what print is for
    """Run the servers until cancelled, and print how to connect to them."""
    async with demo_servers(pop3_port=pop3_port, smtp_port=smtp_port) as demo:
        print(f"POP3  {demo.host}:{demo.pop3_port}  without TLS, {len(demo.maildrop.messages)} messages")
        print(f"IMAP  {demo.host}:{demo.imap_port}  without TLS, the account of {demo.imap_user}")
        print(f"SMTP  {demo.host}:{demo.smtp_port}  without TLS; mail to anyone else comes back to its sender")
        print(f"user  {demo.user}   password  {demo.password}, for the IMAP account too")
        print("")
        print("A config.toml for it:")
        print("")
        print(config_for(demo))
        print("Ctrl+C stops the servers.")
        await asyncio.Event().wait()
