from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
import time
import traceback
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
from keyring.backend import KeyringBackend

from termmail.accounts.config import Account, Pop3, Smtp
from termmail.accounts.credentials import PasswordError, Passwords
from termmail.accounts.keyring_backend import keyring_error
from termmail.accounts.password_command import run_command
from termmail.credential import Password

SECRET = "hunter2"


def account(*, command=None, smtp_command=None, **smtp) -> Account:
    return Account(
        address="ada@example.org",
        pop3=Pop3(host="pop.example.org", username="ada", password_command=command),
        smtp=Smtp(host="smtp.example.org", password_command=smtp_command, **smtp),
    )


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch, tmp_path):
    """No D-Bus, and a home where nothing is set: what these tests say must not depend on who runs them."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def asking(*answers):
    asked = []
    left = list(answers)

    async def ask(words: str) -> str | None:
        asked.append(words)
        await asyncio.sleep(0)
        return left.pop(0)

    return SimpleNamespace(ask=ask, asked=asked)


# -- the command


async def test_the_command_gives_its_first_line(tmp_path):
    assert await run_command(["printf", "%s\\n", "pass word ", "user: ada"]) == "pass word "
    assert await run_command(["printf", "x\\r\\ny"]) == "x"
    assert await run_command(["printf", "x"]) == "x"


async def test_a_command_leaves_no_open_file_behind():
    await run_command(["true"])  # what asyncio opens once for all
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        await run_command(["echo", "secret"])
        with pytest.raises(PasswordError, match="exit code 1"):
            await run_command(["false"])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def test_a_command_that_a_signal_ends_is_told_by_its_number():
    with pytest.raises(PasswordError, match="failed with signal 9") as told:
        await run_command(["sh", "-c", "kill -9 $$"])
    assert told.value.advice == "Run it by hand to see what it says."


async def test_the_command_is_not_read_by_a_shell(tmp_path):
    out = tmp_path / "made"
    assert await run_command(["echo", f"$HOME; touch {out} `id`"]) == f"$HOME; touch {out} `id`"
    assert not out.exists()


async def test_a_failing_command_tells_its_exit_code_and_none_of_its_output(capfd):
    """What it printed may be the secret."""
    with pytest.raises(PasswordError) as caught:
        await run_command(["sh", "-c", f"echo {SECRET}; echo {SECRET}2 >&2; exit 7"])
    assert str(caught.value) == "The password command 'sh' failed with exit code 7."
    assert SECRET not in "".join(traceback.format_exception(caught.value)) + caught.value.advice
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["/nowhere/pass"], "'/nowhere/pass' was not found"),
        (["/etc/passwd"], "'/etc/passwd' cannot be run"),
        (["sh", "-c", "kill -9 $$"], "failed with signal 9"),
        (["printf", "\\377\\376"], "printed something that is not text"),
    ],
)
async def test_a_command_that_cannot_work_is_told_in_words(argv, words):
    with pytest.raises(PasswordError, match=words):
        await run_command(argv)


async def test_a_command_that_hangs_is_ended_with_all_its_children(tmp_path):
    alive = tmp_path / "pid"
    began = time.monotonic()
    with pytest.raises(PasswordError, match=r"took longer than 0\.5 seconds"):
        await run_command(["sh", "-c", f"sleep 60 & echo $! > {alive}; wait"], seconds=0.5)
    assert time.monotonic() - began < 30
    assert ended(int(alive.read_text()))


def ended(pid: int, seconds: float = 5) -> bool:
    """Whether the process ends within so many seconds; it need not be a child of this one."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], seconds)[0])
    finally:
        os.close(process)


@pytest.fixture
def agent(tmp_path):
    """A shell command whose background child keeps stdout open, as an agent that `pass` starts does."""
    pid = tmp_path / "agent"
    yield f"sleep 60 & echo $! > {pid}; "
    os.kill(int(pid.read_text()), 9)


async def test_a_background_process_that_keeps_stdout_open_is_not_waited_for(agent):
    assert await run_command(["sh", "-c", f"{agent} echo {SECRET}"], seconds=10) == SECRET
    with pytest.raises(PasswordError, match="failed with exit code 3"):
        await run_command(["sh", "-c", f"{agent} exit 3"], seconds=10)


def test_a_program_ends_without_a_traceback_while_the_background_process_lives(agent):
    code = f"""
import asyncio
from termmail.accounts.password_command import run_command
print(asyncio.run(run_command(["sh", "-c", {agent + "echo " + SECRET!r}])))
"""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == (f"{SECRET}\n", "")
    assert time.monotonic() - began < 20


async def test_a_cancelled_command_is_ended(tmp_path):
    pipe = tmp_path / "pid"
    os.mkfifo(pipe)
    task = asyncio.ensure_future(run_command(["sh", "-c", f"echo $$ > {pipe}; exec sleep 60"]))
    pid = int(await asyncio.to_thread(pipe.read_text))  # returns once the command has written
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not Path(f"/proc/{pid}").exists()


async def test_a_flood_is_not_kept():
    tracemalloc.start()
    try:
        assert await run_command(["sh", "-c", "echo x; head -c 20000000 /dev/zero"]) == "x"
        with pytest.raises(PasswordError, match="printed far more than a password"):
            await run_command(["head", "-c", "20000000", "/dev/zero"])
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("output", ["", "\\n", "a\\0b\\n", "a\\tb\\n", "a\\033[31m\\n"])
async def test_a_password_that_no_server_takes_is_refused_without_showing_it(output):
    with pytest.raises(PasswordError, match=r"is empty|holds a control character") as caught:
        await Passwords().get("work", "pop3", account(command=("printf", output)))
    assert "31m" not in str(caught.value)


async def test_the_command_runs_once_a_session(tmp_path):
    count = tmp_path / "count"
    settings = account(command=("sh", "-c", f"echo x >> {count}; echo {SECRET}"))
    keeper = Passwords()
    for kind in ("pop3", "smtp", "pop3"):
        assert await keeper.get("work", kind, settings) == Password(SECRET)
    assert count.read_text() == "x\n"
    keeper.forget("pop3", settings)
    await keeper.get("work", "pop3", settings)
    assert count.read_text() == "x\nx\n"


async def test_smtp_with_its_own_command_or_user_does_not_get_the_pop3_password():
    settings = account(command=("echo", "in"), smtp_command=("echo", "out"))
    assert await Passwords().get("work", "smtp", settings) == Password("out")
    assert await Passwords().get("work", "pop3", settings) == Password("in")
    with pytest.raises(PasswordError):
        await Passwords().get("work", "smtp", account(command=("echo", "in"), username="other"))


async def test_a_failing_command_is_said_and_nobody_is_asked():
    asker = asking(SECRET)
    with pytest.raises(PasswordError, match="failed with exit code 1"):
        await Passwords(asker.ask).get("work", "pop3", account(command=("false",)))
    assert asker.asked == []


# -- asking


async def test_the_reader_is_asked_once_for_both_servers_and_by_one_task():
    asker = asking(SECRET)
    keeper = Passwords(asker.ask)
    got = await asyncio.gather(*(keeper.get("work", kind, account()) for kind in ("smtp", "pop3", "smtp", "pop3")))
    assert got == [Password(SECRET)] * 4
    assert asker.asked == ["Password for ada at pop.example.org. No keyring of the operating system is running here."]


async def test_a_no_is_not_asked_again_until_forgotten():
    asker = asking(None, SECRET)
    keeper = Passwords(asker.ask)
    for _ in range(2):
        with pytest.raises(PasswordError):
            await keeper.get("work", "pop3", account())
    assert len(asker.asked) == 1
    keeper.forget("pop3", account())
    assert await keeper.get("work", "pop3", account()) == Password(SECRET)


async def test_a_remembered_password_is_used_and_forgotten():
    keeper = Passwords()
    keeper.remember("work", "pop3", account(), SECRET)
    assert await keeper.get("work", "smtp", account()) == Password(SECRET)
    keeper.forget("smtp", account())
    with pytest.raises(PasswordError):
        await keeper.get("work", "pop3", account())
    with pytest.raises(PasswordError, match="control character"):
        keeper.remember("work", "pop3", account(), "a\nb")


async def test_a_typed_password_is_told_apart_until_it_is_forgotten_or_stored():
    keeper, settings = Passwords(asking("one", "two").ask), account()
    assert not keeper.typed("pop3", settings)
    await keeper.get("work", "smtp", settings)  # asked for once, and used for both servers
    assert keeper.typed("pop3", settings)
    assert keeper.typed("smtp", settings)
    keeper.forget("smtp", settings)
    assert not keeper.typed("smtp", settings)
    await keeper.get("work", "pop3", settings)
    assert keeper.typed("pop3", settings)
    assert keeper.typed("smtp", settings)
    keeper.remember("work", "pop3", settings, SECRET)
    assert not keeper.typed("pop3", settings)
    assert await keeper.get("work", "pop3", settings) == Password(SECRET)


async def test_a_forgotten_typed_password_is_gone():
    """What a refused login makes termmail forget is asked for again, and the new one does not count as the old one."""
    asker = asking("wrong", None, SECRET)
    keeper = Passwords(asker.ask)
    assert await keeper.get("work", "pop3", account()) == Password("wrong")
    keeper.forget("pop3", account())
    with pytest.raises(PasswordError, match=r"^No password was given\.$") as caught:
        await keeper.get("work", "pop3", account())
    assert caught.value.advice == "Checking mail asks again."
    keeper.remember("work", "pop3", account(), SECRET)
    keeper.forget("pop3", account())
    assert await keeper.get("work", "pop3", account()) == Password(SECRET)
    assert len(asker.asked) == 3


class InMemory(KeyringBackend):
    """A keyring whose entries are lost with it; it passes for the Secret Service."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.entries = {}

    def get_password(self, service, username):
        assert service == "termmail"
        return self.entries.get(username)

    def set_password(self, service, username, password):
        assert service == "termmail"
        self.entries[username] = password

    def delete_password(self, service, username):
        del self.entries[username]


InMemory.__module__, InMemory.__qualname__ = "keyring.backends.SecretService", "Keyring"
POP3_USER, SMTP_USER = "pop3://ada@pop.example.org:995", "smtp://ada@smtp.example.org:465"


def with_keyring(*answers, **entries) -> tuple[Passwords, InMemory]:
    keeper, backend = Passwords(asking(*answers).ask if answers else None), InMemory()
    keeper._backend = backend
    backend.entries = entries
    return keeper, backend


async def test_a_password_is_stored_under_its_server_and_returned():
    keeper, backend = with_keyring()
    assert await keeper.set("work", "smtp", account(), SECRET) == "the Secret Service (GNOME Keyring, KeePassXC)"
    assert backend.entries == {SMTP_USER: SECRET}
    again, _ = with_keyring(**backend.entries)
    assert await again.get("work", "smtp", account()) == Password(SECRET)
    assert not again.typed("smtp", account())
    with pytest.raises(PasswordError, match="There is no password for ada at pop"):
        await again.get("work", "pop3", account())


async def test_smtp_uses_the_stored_password_of_pop3_until_it_has_its_own():
    keeper, _ = with_keyring(**{POP3_USER: "in"})
    assert await keeper.get("work", "smtp", account()) == Password("in")
    keeper, _ = with_keyring(**{POP3_USER: "in", SMTP_USER: "out"})
    assert await keeper.get("work", "smtp", account()) == Password("out")
    assert await keeper.get("work", "pop3", account()) == Password("in")


async def test_storing_replaces_a_typed_password_and_deleting_forgets_it():
    keeper, backend = with_keyring("typed", None)
    await keeper.get("work", "pop3", account())
    await keeper.set("work", "pop3", account(), SECRET)
    assert not keeper.typed("pop3", account())
    assert await keeper.get("work", "pop3", account()) == Password(SECRET)
    await keeper.delete("pop3", account())
    assert backend.entries == {}
    with pytest.raises(PasswordError, match="No password was given"):
        await keeper.get("work", "pop3", account())
    await keeper.delete("pop3", account())  # a missing one is no error
    await keeper.set("work", "pop3", account(), SECRET)
    assert await keeper.get("work", "pop3", account()) == Password(SECRET)


async def test_a_typed_password_that_is_forgotten_does_not_mark_the_stored_one():
    keeper, backend = with_keyring("typed")
    await keeper.get("work", "pop3", account())
    keeper.forget("pop3", account())
    backend.entries[POP3_USER] = SECRET
    assert await keeper.get("work", "pop3", account()) == Password(SECRET)
    assert not keeper.typed("pop3", account())


async def test_a_keyring_that_loses_what_it_took_is_noticed():
    keeper, backend = with_keyring()
    backend.set_password = lambda *_: None
    with pytest.raises(PasswordError, match="does not return it"):
        await keeper.set("work", "pop3", account(), SECRET)
    with pytest.raises(PasswordError):
        await keeper.get("work", "pop3", account())


async def test_the_advice_quotes_the_name_of_the_account():
    keeper, _ = with_keyring()
    with pytest.raises(PasswordError) as caught:
        await keeper.get("a / b", "pop3", account())
    assert "termmail account password 'a / b'" in caught.value.advice


async def test_a_server_without_login_needs_no_password():
    assert await Passwords().get("work", "smtp", account(username="")) == Password("")


async def test_no_repr_shows_a_password():
    keeper = Passwords()
    keeper.remember("work", "pop3", account(), SECRET)
    password = await keeper.get("work", "pop3", account())
    assert SECRET not in f"{password!r} {keeper!r} {[password]} {vars(keeper)}"


# -- which keyring


async def test_without_a_keyring_the_words_say_what_to_do():
    with pytest.raises(PasswordError) as caught:
        await Passwords().backend_name()
    assert str(caught.value) == "No keyring of the operating system is running here."
    assert "There is no D-Bus session" in caught.value.advice
    assert "password_command" in caught.value.advice


PLAINTEXT = """
from keyring.backend import KeyringBackend
class PlaintextKeyring(KeyringBackend):
    priority = 9
    def get_password(self, service, user): return "from a plain file"
    def set_password(self, service, user, password): open({path!r}, "w").write(password)
    def delete_password(self, service, user): pass
open({loaded!r}, "w").close()
"""
TRY = """
import asyncio, sys
from termmail.accounts.credentials import Passwords, PasswordError
from termmail.accounts.config import Account, Pop3, Smtp
account = Account(address="a@b.c", pop3=Pop3(host="h"), smtp=Smtp(host="h"))
for verb in (lambda p: p.set("w", "pop3", account, "hunter2"), lambda p: p.get("w", "pop3", account)):
    try:
        print(asyncio.run(verb(Passwords())))
    except PasswordError as error:
        print(error, error.advice)
"""


def installed_plaintext(folder: Path) -> dict[str, str]:
    """A plain-text backend installed as keyrings.alt is: a module and its entry point, found by the keyring library."""
    package = folder / "site" / "keyrings" / "alt"
    package.mkdir(parents=True)
    (package / "file.py").write_text(PLAINTEXT.format(path=str(folder / "plain"), loaded=str(folder / "loaded")))
    info = folder / "site" / "keyrings.alt-5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: keyrings.alt\nVersion: 5\n")
    (info / "entry_points.txt").write_text("[keyring.backends]\nfile = keyrings.alt.file\n")
    return {**os.environ, "PYTHONPATH": str(folder / "site"), "HOME": str(folder)}


def run(code: str, environment: dict[str, str]) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


def test_an_installed_plaintext_keyring_is_not_even_loaded(tmp_path):
    """The keyring library would choose it, termmail does not."""
    environment = installed_plaintext(tmp_path)
    chosen = run("import keyring; print(keyring.get_keyring())", environment)
    assert "PlaintextKeyring" in chosen
    (tmp_path / "loaded").unlink()
    said = run(TRY, environment)
    assert said.count("No keyring of the operating system is running here.") == 2
    assert not (tmp_path / "plain").exists()
    assert not (tmp_path / "loaded").exists()


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("keyrings.alt.file.PlaintextKeyring", "'keyrings.alt.file.PlaintextKeyring' is not one that termmail trusts"),
        ("keyring.backends.chainer.ChainerBackend", "is not one that termmail trusts"),
        ("no.such.module.Keyring", "'no.such.module.Keyring' is not one that termmail trusts"),
        ("nonsense", "'nonsense' is not one that termmail trusts"),
        ("keyring.backends.null.Keyring", "The keyring is turned off"),
        ("keyring.backends.fail.Keyring", "The keyring is turned off"),
        ("keyring.backends.SecretService.Keyring", "No keyring of the operating system is running here"),
    ],
)
@pytest.mark.parametrize("how", ["variable", "file"])
def test_a_backend_the_user_names_must_be_one_we_trust(tmp_path, backend, words, how):
    """A bad PYTHON_KEYRING_BACKEND or keyringrc.cfg gives words, no traceback and no plain file."""
    environment = installed_plaintext(tmp_path)
    if how == "variable":
        environment["PYTHON_KEYRING_BACKEND"] = backend
    else:
        root = Path(run("from keyring.util import platform_; print(platform_.config_root())", environment).strip())
        root.mkdir(parents=True)
        (root / "keyringrc.cfg").write_text(f"[backend]\ndefault-keyring={backend}\n")
    said = run(TRY, environment)
    assert said.count(words) == 2
    assert not (tmp_path / "plain").exists()
    assert not (tmp_path / "loaded").exists()


def _errors() -> list[tuple[Exception, str]]:
    from keyring import errors

    return [
        (errors.KeyringLocked(SECRET), "is locked"),
        (errors.InitError(SECRET), "could not be opened"),
        (errors.NoKeyringError(SECRET), "No keyring"),
        (errors.PasswordSetError(SECRET), "would not store"),
        (errors.PasswordDeleteError(SECRET), "would not delete"),
        (ModuleNotFoundError(SECRET), "does not answer as it should"),
        (UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET), "does not answer as it should"),
        (ConnectionResetError(104, SECRET), "does not answer as it should"),
    ]


@pytest.mark.parametrize(("error", "words"), _errors(), ids=lambda value: type(value).__name__)
def test_whatever_a_keyring_raises_becomes_plain_words(error, words):
    """L6; test_keyring.py raises the first two for real."""
    said = keyring_error(error)
    assert words in str(said)
    assert SECRET not in f"{said} {said.advice}"


def test_importing_passwords_does_not_load_the_keyring_library():
    code = "import sys; from termmail.accounts import credentials; print('keyring' in sys.modules)"
    assert run(code, dict(os.environ)) == "False\n"
