"""The whole app over a real Engine and the embedded servers, with a small mailbox that a test chooses."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from textual.worker import Worker, WorkerState

from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop
from termmail.demo.smtpd import SmtpServer
from termmail.ui.app import TermmailApp
from tests.conftest import PASSWORD, USER
from tests.ui.stage import account, engine_with, until
from tests.views import INBOX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from textual.pilot import Pilot

    from termmail.accounts.config import Ui

NOW = 1_772_704_800.0
"""5 March 2026, 10:00 UTC: what the lists of these tests call today."""


class Mail(TermmailApp):
    """The app, keeping what the terminal was asked to copy, with a clock that stands still."""

    def __init__(self, engine: Any, clock: Callable[[], float]) -> None:
        async def opened() -> Any:
            return engine

        super().__init__(opened)
        self.main_screen.clock = clock
        self.troubles: list[BaseException] = []
        self.maildrop: Maildrop | None = None
        self.maildrops: list[Maildrop] = []
        self.smtp: SmtpServer | None = None
        self.pop3: Pop3Server | None = None

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.troubles.append(event.worker.error)
        super().on_worker_state_changed(event)

    def subject(self) -> str:
        """The subject under the cursor, "" where its row is not here yet."""
        row = self.main_screen.messages.row(self.main_screen.messages.cursor_id)
        return row.subject if row is not None else ""

    def subjects(self) -> list[str]:
        """The subjects of the list, in its order; those whose rows are here."""
        rows = (self.main_screen.messages.row(id_) for id_ in self.main_screen.messages.ids)
        return [row.subject for row in rows if row is not None]


def letter(number: int, **headers: str) -> bytes:
    """A small message of its own; the higher the number, the newer. Keywords replace headers, `body` the text."""
    body = headers.pop("body", f"This is letter {number}.")
    fields = {
        "From": "Charles Babbage <charles@example.net>",
        "To": USER,
        "Subject": f"Letter {number}",
        "Date": f"Wed, 4 Mar 2026 {number // 60:02}:{number % 60:02}:00 +0000",
        "Message-ID": f"<letter{number}@example.net>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n{body}\r\n".encode("utf-8", "surrogateescape")


LETTERS = [letter(number) for number in range(1, 13)]


@asynccontextmanager
async def mailbox(
    folder: Path,
    messages: Sequence[bytes] = tuple(LETTERS),
    *,
    size: tuple[int, int] = (80, 24),
    synced: bool = True,
    whole: bool = True,
    clock: Callable[[], float] = lambda: NOW,
    ui: Ui | None = None,
    rows: int | None = None,
) -> AsyncIterator[tuple[Mail, Pilot[None]]]:
    """The app on the inbox of an account whose maildrop holds these messages.

    `synced`: they are in the store before the app starts, and with `whole` their bodies too. `rows` is how many rows the
    list has, where that is not the number of messages.
    """
    drop = Maildrop(PASSWORD, messages)
    async with (
        Pop3Server({USER: drop}) as pop3,
        SmtpServer({USER: PASSWORD}) as smtp,
        engine_with(folder, ada=account(pop3.port, smtp.port)) as engine,
    ):
        if synced:
            await engine.accounts.sync("ada")
            for id_ in await engine.lists.ids(INBOX) if whole else ():
                await engine.reader.read(id_)
        if ui is not None:
            engine.context.config = replace(engine.context.config, ui=ui)
        app = Mail(engine, clock)
        app.maildrop, app.smtp, app.pop3 = drop, smtp, pop3
        async with app.run_test(size=size, notifications=True) as pilot:
            await until(
                pilot, lambda: app.engine is not None and not app.main_screen.messages.empty.startswith("Opening")
            )
            if synced and messages:
                await until(
                    pilot,
                    lambda: (
                        len(app.main_screen.messages.ids) == (len(messages) if rows is None else rows)
                        and app.main_screen.messages.row(app.main_screen.messages.cursor_id)
                    ),
                )
            yield app, pilot
        if app.troubles:
            raise app.troubles[0]
