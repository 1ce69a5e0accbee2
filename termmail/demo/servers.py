"""Run the demo servers: a POP3 maildrop with mail and an SMTP server that delivers into it, both on loopback."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

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
    smtp: SmtpServer
    maildrop: Maildrop
    host: str
    pop3_port: int
    smtp_port: int
    user: str
    password: str


@asynccontextmanager
async def demo_servers(
    *, now: datetime | None = None, pop3_port: int = 0, smtp_port: int = 0, filled: bool = True
) -> AsyncIterator[Demo]:
    """Run both servers for the duration of the block.

    `now` is the date of the newest messages; port 0 takes a free one; without `filled` the maildrop is empty. Raises
    OSError if a port is taken.
    """
    maildrop = Maildrop(PASSWORD, messages(now or datetime.now(UTC)) if filled else ())

    def deliver(received: Received) -> None:
        maildrop.add(_as_delivered(received, datetime.now(UTC)))

    pop3 = Pop3Server({USER: maildrop}, port=pop3_port)
    smtp = SmtpServer({USER: PASSWORD}, deliver=deliver, port=smtp_port)
    async with pop3, smtp:
        yield Demo(pop3, smtp, maildrop, pop3.host, pop3.port, smtp.port, USER, PASSWORD)


def _as_delivered(received: Received, now: datetime) -> bytes:
    """Return the message as delivered, with the trace headers of a server (RFC 5321 section 4.4)."""
    trace = (
        f"Return-Path: <{received.sender}>\r\n"
        "Received: from [127.0.0.1] by demo.example.org with ESMTPA\r\n"
        f"\tfor <{received.recipients[0]}>; {format_datetime(now)}\r\n"
    )
    return trace.encode() + received.raw


def config_for(demo: Demo) -> str:
    """Return a config.toml for these servers. It holds the password, which is no secret, so that no keyring is needed."""
    server = f"""host = "{demo.host}"
port = {{port}}
security = "none"
allow_cleartext = true
username = "{demo.user}"
password_command = ["echo", "{demo.password}"]
"""
    return (
        f'default_account = "demo"\n\n[accounts.demo]\nname = "{NAME}"\naddress = "{demo.user}"\n\n'
        f"[accounts.demo.pop3]\n{server.format(port=demo.pop3_port)}\n"
        f"[accounts.demo.smtp]\n{server.format(port=demo.smtp_port)}"
    )


async def serve(print: Callable[[str], object] = print, *, pop3_port: int = 0, smtp_port: int = 0) -> None:  # noqa: A002 - it is what print is for
    """Run the servers until cancelled, and print how to connect to them."""
    async with demo_servers(pop3_port=pop3_port, smtp_port=smtp_port) as demo:
        print(f"POP3  {demo.host}:{demo.pop3_port}  without TLS, {len(demo.maildrop.messages)} messages")
        print(f"SMTP  {demo.host}:{demo.smtp_port}  without TLS; mail to anyone comes back into this mailbox")
        print(f"user  {demo.user}   password  {demo.password}")
        print("")
        print("A config.toml for it:")
        print("")
        print(config_for(demo))
        print("Ctrl+C stops the servers.")
        await asyncio.Event().wait()
