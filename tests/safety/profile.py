"""The program as its user starts it: a process of its own on a profile of its own, against real servers on loopback.

After every run, whatever it was about, these must hold: no traceback, no byte that a terminal would obey, and nowhere
the password.
"""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from termmail.demo.pop3d import Pop3Server
from termmail.demo.server_maildrop import Maildrop
from termmail.demo.smtpd import SmtpServer
from tests.mail.test_sanitize import unsafe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[2]
USER = "ada@example.org"
SECRET = "s3cr3t-of-Ada"
PROGRAM = (sys.executable, "-m", "termmail")


class Forks:
    """The process whose forks are the runs (see forked.py)."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.ensure_future(self._read())

    @classmethod
    async def start(cls) -> Forks:
        return cls(
            await asyncio.create_subprocess_exec(
                *[sys.executable, "-m", "tests.safety.forked"],
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                cwd=ROOT,
            )
        )

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            answer = json.loads(line)
            self._waiting.pop(answer["files"][0]).set_result(answer)

    async def run(self, words: Sequence[str], environ: dict[str, str], folder: Path, stdin: bytes) -> Ran:
        """One run, to its end."""
        with tempfile.TemporaryDirectory() as place:
            files = [Path(place, name) for name in ("stdin", "stdout", "stderr")]
            for file in files:
                file.write_bytes(stdin if file.name == "stdin" else b"")
            order = {"words": words, "environ": environ, "folder": str(folder), "files": [*map(str, files)]}
            waiting = self._waiting[str(files[0])] = asyncio.get_running_loop().create_future()
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            async with asyncio.timeout(60):
                answer = await waiting
            return Ran(tuple(words), answer["code"], files[1].read_bytes(), files[2].read_text(), answer["megabytes"])

    async def stop(self) -> None:
        self._process.stdin.close()
        await self._process.wait()
        await self._reading


@dataclass
class Ran:
    """How a run ended: its exit code, stdout as bytes, stderr as text, and the megabytes it had at most (of a fork)."""

    words: tuple[str, ...]
    code: int
    out: bytes
    err: str
    megabytes: float = 0.0

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def json(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Profile:
    """Config and data folder of one user. `await profile("sync")` runs the command and checks its exit code.

    `before` stands in front of every command line: it may lower limits, or enter another mount namespace.
    """

    folder: Path
    before: Sequence[str] = ()
    environ: dict[str, str] = field(default_factory=dict)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    pop3: Pop3Server | None = None
    smtp: SmtpServer | None = None
    forks: Forks | None = None

    def __post_init__(self) -> None:
        self.config = self.folder / "config.toml"
        self.data = self.folder / "data"
        # Outside of the profile, for no file of the profile may hold the password.
        self._keys = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        (self._keys / "password").write_text(f"{SECRET}\n")

    # -- servers

    async def serve(
        self,
        mails: Iterable[bytes] = (),
        *,
        pop3: dict[str, Any] | None = None,
        smtp: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """Start both servers, and write the config that names them; `settings` are lines of [accounts.ada.pop3]."""
        self.pop3 = await self.stack.enter_async_context(Pop3Server({USER: Maildrop(SECRET, mails)}, **pop3 or {}))
        self.smtp = await self.stack.enter_async_context(SmtpServer({USER: SECRET}, **smtp or {}))
        self.configure(self.pop3.port, self.smtp.port, **settings)

    @property
    def drop(self) -> Maildrop:
        return self.pop3.users[USER]

    def configure(self, pop3: int, smtp: int = 1, *, both: dict[str, Any] | None = None, **settings: Any) -> None:
        """Write config.toml for servers at these ports of loopback; `both` is for both servers, `settings` for pop3."""
        plain = {
            "host": "127.0.0.1",
            "security": "none",
            "allow_cleartext": True,
            "username": USER,
            "timeout_seconds": 10,
            "password_command": ["cat", str(self._keys / "password")],
            **(both or {}),
        }
        tables = {"pop3": {**plain, "port": pop3, **settings}, "smtp": {**plain, "port": smtp}}
        text = f'[accounts.ada]\nname = "Ada"\naddress = "{USER}"\n'
        for name, table in tables.items():
            lines = (f"{key} = {json.dumps(value)}" for key, value in table.items() if value is not None)
            text += f"[accounts.ada.{name}]\n" + "\n".join(lines) + "\n"
        self.config.write_text(text)

    # -- runs

    def line(self, *words: str) -> list[str]:
        """The whole command line."""
        return [*self.before, *PROGRAM, *self._words(words)]

    def _words(self, words: Sequence[str]) -> list[str]:
        return ["--config", str(self.config), "--data", str(self.data), *words]

    def environment(self) -> dict[str, str]:
        home = {"HOME": str(self.folder), "XDG_RUNTIME_DIR": str(self.folder / "run"), "DBUS_SESSION_BUS_ADDRESS": ""}
        return {**os.environ, "LANG": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(ROOT), **home, **self.environ}

    async def start(self, *words: str) -> asyncio.subprocess.Process:
        """The running process, all its streams piped."""
        return await asyncio.create_subprocess_exec(
            *self.line(*words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment(),
            cwd=self.folder,
        )

    async def __call__(self, *words: str, stdin: bytes = b"", code: int | None = 0, raw: bool = False) -> Ran:
        """Run a command to its end. `code` None takes any exit code; `raw` says that stdout is a message's bytes."""
        if self.before:
            return await self.ended(await self.start(*words), *words, stdin=stdin, code=code, raw=raw)
        if self.forks is None:
            self.forks = await Forks.start()
            self.stack.push_async_callback(self.forks.stop)
        ran = await self.forks.run(self._words(words), self.environment(), self.folder, stdin)
        return _judged(ran, code=code, raw=raw)

    async def ended(
        self,
        process: asyncio.subprocess.Process,
        *words: str,
        stdin: bytes = b"",
        code: int | None = 0,
        raw: bool = False,
    ) -> Ran:
        """What became of a process made by `start`."""
        async with asyncio.timeout(60):
            out, err = await process.communicate(stdin)
        return _judged(Ran(words, process.returncode or 0, out, err.decode()), code=code, raw=raw)

    async def on_a_terminal(self, *words: str) -> bytes:
        """What a command writes to a terminal, byte for byte."""
        ours, theirs = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            *self.line(*words), stdin=theirs, stdout=theirs, stderr=theirs, env=self.environment(), cwd=self.folder
        )
        os.close(theirs)
        seen = await asyncio.to_thread(_drain, ours)
        await process.wait()
        return seen

    # -- what must hold afterwards

    def secret_is_nowhere(self) -> None:
        """The password is in no file of the profile, plain or in base64."""
        from base64 import b64encode

        forms = (SECRET.encode(), b64encode(SECRET.encode())[:-4])
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        assert files
        for path in files:
            content = path.read_bytes()
            assert not any(form in content for form in forms), path

    async def sound(self) -> None:
        """The store opens and has no fault."""
        code = (
            "import sys; from pathlib import Path; from termmail.store.store import Store\n"
            "with Store.open(Path(sys.argv[1])) as store: sys.exit(str(store.check()) if store.check() else 0)"
        )
        process = await asyncio.create_subprocess_exec(
            *self.before, sys.executable, "-c", code, str(self.data / "mail.db"), env=self.environment()
        )
        assert await process.wait() == 0


def _judged(ran: Ran, *, code: int | None, raw: bool) -> Ran:
    decent(ran.err, str(ran))
    if not raw:
        decent(ran.text, str(ran))
    if code is not None:
        assert ran.code == code, ran
    return ran


def _drain(file: int) -> bytes:
    seen = bytearray()
    with os.fdopen(file, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(65536):
                seen += piece
        except OSError:  # how Linux tells that nobody has the other end any more
            pass
    return bytes(seen)


def decent(text: str, told: str = "") -> None:
    """What may be printed: no traceback, nothing that a terminal obeys, no password."""
    assert "Traceback" not in text, told
    assert unsafe(text, lines=True) == [], told
    assert SECRET not in text, told
