"""SECURITY.md, "This machine": bad luck, other users and odd surroundings, by whole runs of the program."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from termmail.demo.faults import Manners
from tests.engine.conftest import mail
from tests.safety.profile import SECRET, USER, Profile
from tests.safety.small_disk import may_mount, small_disk

HUGE = str(10**30)
NOBODY = "~nobody-of-that-name/x"
SEND = ("send", "--to", "bob@example.net", "--subject", "x")
NO_ROOM = 74
CANNOT_MOUNT = "this test mounts a disk: run it as root, or where user namespaces are allowed"


async def test_what_cannot_be_meant_is_said_in_words(termmail):
    """Exit codes: numbers that SQLite cannot hold, homes of nobody, names too long, files that are none."""
    await termmail.serve([mail(1)])
    await termmail("sync")
    runs = [
        ("show", HUGE), ("show", f"-{HUGE}"), ("delete", HUGE), ("save", HUGE, "."), ("list", "--limit", HUGE),
        ("search", "x", "--limit", HUGE), ("outbox", "retry", HUGE), ("save", "1", NOBODY), ("import", NOBODY),
        ("import", "n" * 5000), ("import", "/proc/self/mem"), ("import", "/dev/zero"), ("export", "", NOBODY),
        ("export", "", "n" * 5000), ("show", "--file", "/proc/self/mem"), ("show", "--file", "/"),
        (*SEND, "--body", "x", "--attach", "/proc/self/mem"), (*SEND, "--body", "x", "--attach", NOBODY),
        (*SEND, "--body", "x", "--attach", "/dev/zero"),
        ("account", "add", "x", USER, "--pop3-port", HUGE, "--no-test", "--password-stdin"),
    ]  # fmt: skip
    wrong = {}
    for words in runs:
        ran = await termmail(*words, code=None)
        if ran.code not in {64, 65, 73, 74, 78} or len(ran.err.splitlines()) > 3:
            wrong[words] = ran
    assert wrong == {}


async def test_closed_and_full_streams_break_nothing(termmail):
    """A daemon's closed streams, a disk full behind stdout, a terminal without our letters, a reader who left."""
    await termmail.serve([mail(number) for number in range(1, 40)])
    for script, code, wanted in (
        ('"$@" sync <&- >&- 2>&-', 0, b""),
        ('"$@" list --limit 3 <&- 2>&-', 0, b"Engine part 39"),
        ('"$@" list > /dev/full', NO_ROOM, b""),
        ('"$@" list --json > /dev/full', NO_ROOM, b""),
        ('PYTHONIOENCODING=ascii "$@" list', 0, b"? "),
        ('{ "$@" list; echo "code $?" >&2; } | head -c 1 >/dev/null', 0, b""),
    ):
        process = await asyncio.create_subprocess_exec(
            *["sh", "-c", script, "sh", *termmail.line()],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=termmail.environment(),
        )
        ran = await termmail.ended(process, script, code=code)
        assert wanted in ran.out, ran
        assert "Exception ignored" not in ran.err, ran
        assert "went wrong" not in ran.err, ran
    await termmail.sound()


async def test_import_follows_no_link_and_waits_for_no_pipe(termmail, tmp_path):
    """M6, M1: a Maildir made by a stranger, with links out of it, pipes in it and names that speak to the terminal."""
    await termmail.serve()
    box = tmp_path / "box"
    for name in ("cur", "new", "tmp"):
        (box / name).mkdir(parents=True)
    outside = tmp_path / "diary"
    outside.write_bytes(b"Dear: diary\r\n\r\nsecret thoughts\r\n")
    (box / "cur" / "link").symlink_to(outside)
    (box / "cur" / "away").symlink_to("/dev/zero")
    os.mkfifo(box / "new" / "pipe")
    (box / "new" / "folder").mkdir()
    (box / "cur" / "good:2,S").write_bytes(mail(1))
    (box / "cur" / os.fsdecode(b"\x1b]0;owned\x07\x9b31m\xff.eml")).write_bytes(b"no mail at all")
    ran = await termmail("import", str(box), code=65)
    assert ran.text == "1 imported\n"
    assert "is not a mail message" in ran.err
    assert "secret thoughts" not in (await termmail("show", "1", "--json")).text
    await termmail("import", str(box / "new" / "pipe"), code=73)
    await termmail("import", str(tmp_path), code=73)


async def test_a_hostile_mbox_is_read_in_bounded_memory(termmail, tmp_path):
    """M8: a line without end, a message above the limit, NULs, thousands of empty messages; good mail comes through."""
    await termmail.serve()
    box = tmp_path / "huge.mbox"
    with box.open("wb") as file:
        file.write(b"From a\n" + mail(1).replace(b"\r\n", b"\n") + b"\n")
        file.write(b"From b\nSubject: endless\n\n")
        for _ in range(140):
            file.write(b"x" * (1 << 20))
        file.write(b"\n\nFrom c\n" + mail(2).replace(b"\r\n", b"\n") + b"\n")
        file.write(b"From d\n\x00\x00\x00\n\n" + b"From e\n\n" * 2000)
        file.write(b"From f\n" + mail(3).replace(b"\r\n", b"\n"))
    ran = await termmail("import", str(box), "--json", code=65)
    assert ran.json == [{"imported": 3, "already_here": 0, "failed": 2002}]
    assert "message 2 is larger than 128 MB" in ran.err
    assert len(ran.err) < 10_000
    assert ran.megabytes <= 400
    rows = (await termmail("list", "--json")).json
    assert sorted(row["subject"] for row in rows) == ["Engine part 1", "Engine part 2", "Engine part 3"]


async def test_a_store_that_was_damaged_is_told_in_words(termmail):
    """L9: never an empty mailbox in its place, never a traceback; what was there stays there."""
    await termmail.serve([mail(number) for number in range(1, 60)], download="all")
    await termmail("sync")
    store = termmail.data / "mail.db"
    whole = store.read_bytes()
    assert len(whole) > 40_000
    for name, damaged in {
        "another file": b"\x7fELF" + whole[4:],
        "cut": whole[: len(whole) // 2],
        "one page": whole[:4096] + os.urandom(4096) + whole[8192:],
        "all pages": whole[:4096] + b"\xff" * (len(whole) - 4096),
        "text": b"not a store at all, just some text\n" * 100,
    }.items():
        for extra in termmail.data.glob("mail.db-*"):
            extra.unlink()
        store.write_bytes(damaged)
        for words in (("list",), ("search", "engine"), ("show", "3"), ("sync",)):
            ran = await termmail(*words, code=None)
            assert ran.code in {0, 65, NO_ROOM}, (name, ran)
            assert name == "one page" or ran.code == NO_ROOM or words != ("list",), (name, ran)
    assert len(termmail.drop.messages) == 59


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a = " + b"[" * 100_000, "nested"),
        (b"accounts = 3", "accounts"),
        (b"[accounts]\nada = []", "accounts.ada"),
        (b"[accounts.ada]\naddress = 3", "accounts.ada"),
        (b'[accounts.ada]\naddress = "a@b.example"\n[accounts.ada.pop3]\nhost = "h"\nport = 1e300', "port"),
        (b'[accounts.ada]\naddress = "a@b.example"\n[accounts.ada.pop3]\npassword = "s3cr3t-of-Ada"', "password"),
        (b'[accounts."\\u001b]0;x\\u0007"]\naddress = "a@b.example"\n[accounts."\\u001b]0;x\\u0007".pop3]\nport = 0', ""),
        (b"[ui]\nkeys = 1979-05-27", "ui.keys"),
        (b"\x00" * 10, ""),
    ],
)  # fmt: skip
async def test_a_config_of_odd_types_is_78_and_words(termmail, text, told):
    """Exit code 78, the key named, nothing repeated that could be a secret or an escape sequence."""
    termmail.config.write_bytes(text)
    ran = await termmail("list", code=78)
    assert told in ran.err
    termmail.config.write_bytes(b"")  # the password in it was the user's own doing


@pytest.mark.mount
async def test_a_full_disk_loses_nothing(termmail, tmp_path):
    """L3: sync, send, import, delete on a disk without room: exit 74, no DELE, nothing sent, and it goes on later."""
    assert may_mount(), CANNOT_MOUNT
    mails = [mail(number, size=300_000) for number in range(1, 30)]
    await termmail.serve(mails, download="all", delete="after-download")
    async with small_disk(termmail.data, "7m") as disk:
        termmail.before = disk.entered
        await _no_room(termmail, tmp_path)
        # Room again: what did not fit comes now, and the server holds nothing more that is not here.
        disk_now = termmail.before
        subprocess.run([*disk_now, "mount", "-o", "remount,size=60m", str(termmail.data)], check=True)
        await _room_again(termmail)
        found = {path.name: path.stat() for path in disk.seen(termmail.data).iterdir()}
        assert {name: stat.S_IMODE(one.st_mode) for name, one in found.items() if one.st_mode & 0o077} == {}


async def test_a_limit_on_file_sizes_loses_nothing(termmail, tmp_path):
    """L3, with RLIMIT_FSIZE instead of a full disk."""
    mails = [mail(number, size=300_000) for number in range(1, 30)]
    await termmail.serve(mails, download="all", delete="after-download")
    termmail.before = ["sh", "-c", 'ulimit -f 12000; exec "$@"', "sh"]  # of 512 or 1 024 bytes, as the shell likes
    await _no_room(termmail, tmp_path)
    termmail.before = []
    await _room_again(termmail)


async def _no_room(termmail: Profile, tmp_path: Path) -> None:
    ran = await termmail("sync", code=NO_ROOM)
    assert "no room left" in ran.err
    rows = (await termmail("list", "--json", "--limit", "100")).json
    here = {row["subject"] for row in rows if row["downloaded"]}
    there = {f"Engine part {number}" for number in range(1, 30) for stored in termmail.drop.messages
             if b"This is message %d." % number in stored.raw}  # fmt: skip
    assert here | there == {f"Engine part {number}" for number in range(1, 30)}
    assert here
    assert there
    (tmp_path / "large.eml").write_bytes(mail(77, size=9_000_000))
    await termmail("import", str(tmp_path / "large.eml"), code=NO_ROOM)
    (tmp_path / "file").write_bytes(b"x" * 9_000_000)
    await termmail(*SEND, "--body", "x", "--attach", str(tmp_path / "file"), code=NO_ROOM)
    await termmail("sendmail", "-i", "bob@example.net", stdin=b"Subject: x\n\n" + b"x\n" * 4_500_000, code=NO_ROOM)
    assert termmail.smtp is not None
    assert termmail.smtp.received == []
    await termmail("list", "--json")
    await termmail.sound()


async def _room_again(termmail: Profile) -> None:
    await termmail("sync")
    await termmail("sync")  # what the first one downloaded is due now
    rows = (await termmail("list", "--json", "--limit", "100")).json
    assert sorted(row["subject"] for row in rows) == sorted(f"Engine part {number}" for number in range(1, 30))
    assert all(row["downloaded"] for row in rows)
    assert termmail.drop.messages == []
    assert (await termmail("outbox", "--json")).json == []
    await termmail.sound()


async def test_what_is_written_for_the_user_is_for_him_alone_whatever_the_umask(termmail, tmp_path):
    """L4, M6: a umask that gives everything away, and links laid in the way of save and export."""
    name = b'Content-Disposition: attachment; filename="plan.txt"\r\n'
    raw = mail(1).replace(b"\r\n\r\n", b"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n" + name + b"\r\n", 1)
    await termmail.serve([raw], download="all")
    termmail.before = ["sh", "-c", 'umask 0; exec "$@"', "sh"]
    await termmail("sync")
    victim = tmp_path / "victim"
    victim.write_text("mine")
    saved, eml, box = tmp_path / "saved", tmp_path / "eml", tmp_path / "box"
    for folder in (saved, eml):
        folder.mkdir()
    (saved / "plan.txt").symlink_to(victim)
    (eml / "1.eml").symlink_to(victim)
    (tmp_path / "out.mbox").symlink_to(tmp_path / "made-by-link")
    ran = await termmail("save", "1", str(saved))
    assert ran.text.strip().endswith("plan (2).txt")
    await termmail("export", "", str(eml), "--format", "eml")
    await termmail("export", "", str(tmp_path / "out.mbox"), code=73)
    await termmail("export", "", str(tmp_path / "new.mbox"))
    await termmail("export", "", str(box), "--format", "maildir")
    assert victim.read_text() == "mine"
    assert not (tmp_path / "made-by-link").exists()
    made = [saved / "plan (2).txt", tmp_path / "new.mbox", *box.rglob("*"), *termmail.data.rglob("*"), termmail.config]
    made += [path for path in eml.iterdir() if not path.is_symlink()]
    assert len(made) > 8
    assert {str(path): oct(path.stat().st_mode) for path in made if path.stat().st_mode & 0o077} == {}


async def test_a_link_in_the_place_of_the_log_leads_nowhere(termmail, tmp_path):
    """L4: what somebody laid into the folder while it was open to all is not written through."""
    await termmail.serve([mail(1)])
    victim = tmp_path / "profile-of-the-shell"
    victim.write_text("mine\n")
    termmail.data.mkdir(mode=0o777)
    (termmail.data / "termmail.log").symlink_to(victim)
    assert termmail.pop3 is not None
    termmail.pop3.manners = Manners(answers={"TOP": b"-ERR gone\r\n", "RETR": b"-ERR gone\r\n"})
    await termmail("sync", code=None)
    assert victim.read_text() == "mine\n"
    (termmail.data / "termmail.log").unlink()
    (termmail.data / "termmail.log").mkdir()  # a log that cannot be written, as on a full disk
    ran = await termmail("sync", "--full", code=None)
    assert "Logging error" not in ran.err


async def test_a_folder_that_holds_other_things_is_left_as_it_is(termmail, tmp_path):
    """L4: `--data` pointing at a home by mistake must not take the rights off everything in it."""
    await termmail.serve([mail(1)])
    termmail.data.mkdir(mode=0o755)
    shared = termmail.data / "public_html" / "index.html"
    shared.parent.mkdir(mode=0o755)
    shared.write_text("hello")
    shared.chmod(0o644)
    ran = await termmail("list", code=73)
    assert "other things" in ran.err
    assert stat.S_IMODE(shared.stat().st_mode) == 0o644
    assert stat.S_IMODE(termmail.data.stat().st_mode) == 0o755


async def test_two_make_a_new_store_at_once(tmp_path):
    """L2: the first start of two at once, a few hundred times: none takes the half-made file for another program's."""
    program = (
        "import sys; from pathlib import Path; from termmail.store.store import Store\n"
        "sys.stdin.readline()\n"
        "for number in range(200): Store.open(Path(sys.argv[1], str(number), 'mail.db')).close()"
    )
    both = [
        await asyncio.create_subprocess_exec(
            *[sys.executable, "-c", program, str(tmp_path)],
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    ends = await asyncio.gather(*(process.communicate(b"go\n") for process in both))
    assert [err for _, err in ends] == [b"", b""]


async def test_two_at_once_send_once_and_delete_once(termmail):
    """L2: two syncs, a send beside a retry, a sync beside a delete: everything once, and both end in order."""
    await termmail.serve([mail(number) for number in range(1, 30)])
    both = await asyncio.gather(termmail("sync", code=None), termmail("sync", code=None))
    assert {ran.code for ran in both} <= {0, 75}, [ran.err for ran in both]
    assert 0 in {ran.code for ran in both}
    rows = (await termmail("list", "--json")).json
    assert len(rows) == 29
    assert termmail.smtp is not None
    termmail.smtp.manners = Manners(answers={"MAIL": b"451 later\r\n"})
    await termmail(*SEND, "--body", "once", code=75)
    ((waiting),) = (await termmail("outbox", "--json")).json
    termmail.smtp.manners = Manners(delay_seconds={"DATA": 0.3})
    ran = await asyncio.gather(*(termmail("outbox", "retry", str(waiting["id"]), code=None) for _ in range(2)))
    assert {one.code for one in ran} <= {0, 65, 75}, ran  # sent here, sent by the other, or being sent by it
    assert len(termmail.smtp.received) == 1
    first, second = rows[0]["id"], rows[1]["id"]
    ran = await asyncio.gather(
        termmail("delete", str(first), "--now", code=None),
        termmail("delete", str(second), "--now", code=None),
        termmail("sync", code=None),
    )
    assert {one.code for one in ran} <= {0, 75}, ran
    await termmail("sync")
    trash = (await termmail("list", "--folder", "Trash", "--json")).json
    assert {row["id"] for row in trash} == {first, second}
    assert len((await termmail("list", "--json")).json) == 27
    held = {re.search(rb"Subject: (.*)\r", stored.raw)[1].decode() for stored in termmail.drop.messages}
    assert {row["subject"] for row in rows[2:]} <= held
    await termmail.sound()


async def test_a_keyring_that_is_nonsense_is_told_in_words(termmail):
    """L6: no fall-back to a plain file, exit 77, and doctor says so too."""
    await termmail.serve([mail(1)], both={"password_command": None})
    for nonsense in ("no.such.Keyring", "keyring.backends.fail.Keyring", "os.system", "a" * 5000, "\x1b[31m"):
        termmail.environ["PYTHON_KEYRING_BACKEND"] = nonsense
        ran = await termmail("sync", code=77)
        assert ran.err.count("\n") <= 3
        await termmail("doctor", code=77)
    assert termmail.pop3 is not None
    assert termmail.pop3.heard() == []


async def test_the_password_is_never_on_a_command_line(termmail):
    """L5: while it talks to the server, neither the arguments nor the environment of any process show the password."""
    await termmail.serve([mail(1)])
    assert termmail.pop3 is not None
    termmail.pop3.manners = Manners(stall_at=frozenset({"STAT"}))
    process = await termmail.start("sync")
    await termmail.pop3.until(lambda: termmail.pop3.heard("STAT"))
    seen = []
    for file in (*Path("/proc").glob("[1-9]*/cmdline"), *Path("/proc").glob("[1-9]*/environ")):
        with contextlib.suppress(OSError):  # of processes that have ended, or that are not ours
            seen.append((str(file), file.read_bytes()))
    assert [name for name, content in seen if SECRET.encode() in content] == []
    assert any(b"sync" in content for _, content in seen)
    process.kill()
    await process.communicate()


@pytest.mark.mount
async def test_a_folder_that_can_only_be_read_is_read(termmail):
    """L8: list, search and show work with a read-only folder; what would write says so, and nothing crashes."""
    assert may_mount(), CANNOT_MOUNT
    await termmail.serve([mail(number) for number in range(1, 5)], download="all")
    await termmail("sync")
    script = (
        f'mount --bind "{termmail.data}" "{termmail.data}" && mount -o remount,bind,ro "{termmail.data}" && exec "$@"'
    )
    termmail.before = [
        "unshare",
        "--mount",
        *([] if os.geteuid() == 0 else ["--map-root-user"]),
        "sh",
        "-c",
        script,
        "sh",
    ]
    assert len((await termmail("list", "--json")).json) == 4
    assert (await termmail("show", "1", "--json")).json
    await termmail("search", "engine")
    for words in (("sync",), ("delete", "1"), (*SEND, "--body", "x")):
        ran = await termmail(*words, code=None)
        assert ran.code in {73, NO_ROOM}, ran
        assert "reading only" in ran.err or "cannot be written" in ran.err, ran
