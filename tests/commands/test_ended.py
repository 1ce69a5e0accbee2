"""A command that is ended by a signal while it sends."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SEND = ("send", "--to", "bob@example.org", "--subject", "Hello", "--body", "x")


class Smtp:
    """A server that stops answering at a stage: "MAIL", or "." for the end of the message."""

    def __init__(self, silent_at: str) -> None:
        self.silent_at = silent_at
        self.reached = asyncio.Event()
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hi\r\n")
        while line := (await reader.readline()).strip().decode():
            word = line.split()[0].upper()
            if word == self.silent_at:
                self.reached.set()
                await reader.read()
                break
            if word == "DATA":
                writer.write(b"354 go\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.reached.set()
                await reader.read()
                break
            writer.write({"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n", "AUTH": b"235 in\r\n"}.get(word, b"250 ok\r\n"))
        writer.close()


@pytest.fixture
async def silent(request, termmail) -> AsyncIterator[Smtp]:
    smtp = Smtp(request.param)
    server = await asyncio.start_server(smtp.talk, "127.0.0.1", 0)
    smtp.port = server.sockets[0].getsockname()[1]
    path = termmail.folder / "config.toml"
    head, tail = path.read_text().split("[accounts.demo.smtp]")
    lines = [f"port = {smtp.port}" if line.startswith("port") else line for line in tail.splitlines()]
    path.write_text(f"{head}[accounts.demo.smtp]" + "\n".join(lines) + "\n")
    yield smtp
    server.close()


async def ended(termmail, smtp: Smtp, number: signal.Signals) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *termmail.line(*SEND), stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(20):
        await smtp.reached.wait()
        process.send_signal(number)
        _, err = await process.communicate()
    return process.returncode or 0, err.decode()


@pytest.mark.parametrize("silent", ["MAIL"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_message_that_cannot_have_arrived_waits_in_the_outbox(termmail, silent, number):
    code, err = await ended(termmail, silent, number)
    assert code == 128 + number
    assert "waits in the outbox" in err
    (row,) = (await termmail("outbox", "--json")).json
    assert row["state"] == "queued"


@pytest.mark.parametrize("silent", ["."], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_message_whose_end_was_sent_is_named_as_one_that_may_have_arrived(termmail, silent, number):
    code, err = await ended(termmail, silent, number)
    assert code == 128 + number
    (row,) = (await termmail("outbox", "--json")).json
    assert f"Message {row['id']} in the outbox may have arrived." in err
