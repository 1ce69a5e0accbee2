"""Handing the message to another program: printing it, and piping it to a command."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from termmail.errors import UserError
from termmail.mail import sanitize
from termmail.ui.actions import reading
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import on_message
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from termmail.mail.message import Message
    from termmail.mail.model import MessageRow
    from termmail.ui.actions.verb_context import Mail


@verb("message.print", "P", "Print", Group.READING, applies=on_message)
def print_message(mail: Mail) -> None:
    """Print the message, after a question."""
    reading.look(mail, _ask_to_print)


@verb("message.pipe", "vertical_line", "Pipe the message to a command", Group.READING, applies=on_message)
def pipe(mail: Mail) -> None:
    """Ask for a command, and give it the message as it came."""
    reading.look(mail, _ask_for_command)


async def _ask_to_print(mail: Mail, row: MessageRow, message: Message) -> None:
    from termmail.engine import piping  # noqa: PLC0415 - not needed for the first screen

    argv = piping.print_command(mail.engine.context.config.ui.print_command)

    async def work() -> None:
        data = await asyncio.to_thread(piping.printable, message)
        await _run(mail, argv, data, "Printed", row.account)

    words = sanitize.cut(row.subject or "(no subject)", 40)
    mail.ask(
        f"Print “{words}” with {sanitize.clean(argv[0])}?", "Print", partial(start_worker, mail.screen, work, "pipe")
    )


async def _ask_for_command(mail: Mail, row: MessageRow, message: Message) -> None:  # noqa: ARG001 - the signature of `look`
    from termmail.ui.screens.ask_name import AskNameScreen  # noqa: PLC0415

    def typed(words: str | None) -> None:
        if words:
            mail.last_command = words
            start_worker(mail.screen, partial(_pipe, mail, row, words), "pipe")

    title = "Pipe the message, as it came, to this command"
    mail.screen.app.push_screen(AskNameScreen(title, mail.last_command, "Enter runs it, without a shell"), typed)


async def _pipe(mail: Mail, row: MessageRow, words: str) -> None:
    from termmail.engine import piping  # noqa: PLC0415 - not needed for the first screen

    try:
        argv = piping.parse_command(words)
        data = await mail.engine.reader.raw(row.message_id)
    except UserError as error:
        mail.fail(error)
        return
    await _run(mail, argv, data, "Piped", row.account)


async def _run(mail: Mail, argv: list[str], data: bytes, done: str, account: str) -> None:
    """Run a program on the data, and show what it printed."""
    from termmail.engine import piping  # noqa: PLC0415 - not needed for the first screen

    name = sanitize.clean(argv[0])
    mail.status.say(f"{name} is running …", piping.SECONDS)
    try:
        ran = await piping.run(argv, data)
    except UserError as error:
        mail.status.say("")
        mail.fail(error, account)
        return
    ended = f"{name} ended with an error ({ran.code})." if ran.code else f"{done}: {name}"
    mail.status.say("" if ran.code else ended, 5)
    if ran.code:
        mail.fail(piping.ProgramError(ended), account)
    if ran.output.strip():
        from termmail.ui.screens.message_source import SourceScreen  # noqa: PLC0415

        mail.screen.app.push_screen(SourceScreen(ended, ran.output))
