"""Import and export: bytes are kept exactly, nothing comes twice, no file is overwritten."""

from __future__ import annotations

import io
import os
import re
import stat
from typing import TYPE_CHECKING

import pytest

from termmail.accounts.config import Config
from termmail.engine import mail_file_writers, transfer
from termmail.engine.events import FolderChanged
from termmail.engine.transfer import Moved
from termmail.engine.transfer_errors import TransferError
from termmail.errors import ErrorCode
from termmail.store import contacts
from tests.engine.conftest import mail
from tests.views import INBOX

if TYPE_CHECKING:
    from pathlib import Path

    from termmail.engine.engine import Engine


def plain(n: int = 1, body: str = "A line.\n", *, date: str = "Mon, 2 Mar 2026 09:00:00 +0000") -> bytes:
    return f"From: Ada <a{n}@x.org>\nSubject: Part {n}\nDate: {date}\nMessage-ID: <p{n}@x.org>\n\n{body}".encode()


async def raws(engine: Engine) -> list[bytes]:
    """The bytes of every message in the inbox, in the order in which they came."""
    return [await engine.reader.raw(message_id) for message_id in sorted(await engine.lists.ids(INBOX))]


async def imported(engine: Engine, path: Path, content: bytes) -> Moved:
    path.write_bytes(content)
    return await engine.transfer.import_mail("ada", path)


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
async def test_an_mbox_is_taken_apart_where_a_blank_line_comes_before_from(engine_at, tmp_path, end):
    first = plain(1, "From here it goes on.\n>From a quote.\n>>From two.\n> From none.\n\n").replace(b"\n", end)
    second = plain(2, "no blank line before\nFrom this line\n\n\n").replace(b"\n", end)
    third = plain(3, "no line end at all").replace(b"\n", end)
    frame = b"From x@y Mon Mar  2 09:00:00 2026" + end
    quoted = re.sub(rb"(?m)^(>*From )", rb">\1", first)
    async with engine_at() as engine:
        moved = await imported(engine, tmp_path / "box", frame + quoted + end + frame + second + end + frame + third)
        assert moved == Moved(3, 0, ())
        assert await raws(engine) == [first, second, third]
        assert engine.heard.of(FolderChanged) == [FolderChanged("ada")]
        assert await engine.transfer.import_mail("ada", tmp_path / "box") == Moved(0, 3, ())
        assert len(await engine.lists.ids(INBOX)) == 3


async def test_a_line_of_an_mbox_that_is_longer_than_a_piece_is_kept(engine_at, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "_PIECE", 16)
    raw = plain(1, "x" * 15 + " From the middle\n" + "y" * 16 + "From\n" + ">From the start\n")
    quoted = raw.replace(b"\n>From", b"\n>>From")
    async with engine_at() as engine:
        await imported(engine, tmp_path / "box", b"From x@y\n" + quoted + b"\nFrom x@y\n" + plain(2))
        assert await raws(engine) == [raw, plain(2)]


async def test_what_is_too_large_is_told_and_the_rest_is_taken(engine_at, tmp_path, monkeypatch):
    monkeypatch.setattr(transfer, "LARGEST", 1 << 20)
    large = plain(1)
    large += b"x" * ((1 << 20) - len(large) - 1) + b"\n"
    async with engine_at() as engine:
        (tmp_path / "a.eml").write_bytes(large)
        (tmp_path / "b.eml").write_bytes(large + b"x")
        moved = await engine.transfer.import_mail("ada", tmp_path)
        assert moved == Moved(1, 0, ("b.eml is larger than 1 MB.",))
        box = b"From x@y\n" + large + b"x\n" * 9 + b"\nFrom x@y\n" + plain(2) + b"\nFrom x@y\n" + large + b"x\n" * 9
        moved = await imported(engine, tmp_path / "box", box)
        assert moved == Moved(1, 0, ("message 1 is larger than 1 MB.", "message 3 is larger than 1 MB."))


@pytest.mark.parametrize(
    ("content", "is_mail"),
    [
        (b"Subject: only this\n\nbody", True),
        (b"X-Other: first\nDate : spaced\n\nbody", True),
        (b"name: value\nanother: value\n\nFrom: in the body\n", False),
        (b"no field\nFrom: x@y\n\n", False),
        (b"", False),
    ],
)
async def test_only_what_has_a_header_of_mail_is_taken(engine_at, tmp_path, content, is_mail):
    async with engine_at() as engine:
        moved = await imported(engine, tmp_path / "a.eml", content)
        assert moved == (Moved(1) if is_mail else Moved(0, 0, ("a.eml is not a mail message.",)))


def test_a_batch_is_of_many_messages_or_of_so_many_bytes(monkeypatch):
    monkeypatch.setattr(transfer, "MANY", 3)
    size = len(plain(1))
    source = iter([(f"{n}", plain(n)) for n in range(1, 9)])
    assert [len(transfer._next_batch(source, most).mail) for most in (10**6, 2 * size, 2 * size - 1)] == [3, 3, 2]
    assert transfer._next_batch(source) is None
    named = transfer._next_batch(iter([("a\x1bb", None), ("c", b"no mail")]))
    assert (named.mail, len(named.failed)) == ([], 2)
    assert "\x1b" not in named.failed[0]


async def test_a_maildir_is_read_from_new_and_cur_and_links_are_left_out(engine_at, tmp_path):
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "cur" / "1:2,S").write_bytes(plain(1))
    (tmp_path / "new" / "2").write_bytes(plain(2))
    (tmp_path / "tmp" / "3").write_bytes(plain(3))
    (tmp_path / "new" / "4").symlink_to(tmp_path / "tmp" / "3")
    (tmp_path / "new" / "5").mkdir()
    async with engine_at() as engine:
        assert await engine.transfer.import_mail("ada", tmp_path, "Old mail") == Moved(2, 0, ())
        folder = await engine.folders.by_name("ada", "Old mail")
        assert folder is not None
        (tmp_path / "cur" / "1:2,S").unlink()
        (tmp_path / "cur").rmdir()
        assert await engine.transfer.import_mail("ada", tmp_path) == Moved(0, 1, ())


async def test_what_cannot_be_read_is_told_in_words(engine_at, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    async with engine_at() as engine:
        for name, words in (
            ("none", "none cannot be read: no such file or directory."),
            ("pipe", "pipe is neither a file nor a folder."),
            ("empty", "empty is neither a Maildir nor a folder with .eml files."),
        ):
            with pytest.raises(TransferError) as told:
                await engine.transfer.import_mail("ada", tmp_path / name)
            assert str(told.value) == f"{tmp_path}/{words}"
            assert told.value.code is ErrorCode.CANNOT_CREATE
        (tmp_path / "dead.eml").symlink_to(tmp_path / "none")
        assert await engine.transfer.import_mail("ada", tmp_path) == Moved(0)


async def test_people_are_counted_as_written_to_only_where_mail_is_imported_into_sent(engine_at, tmp_path):
    (tmp_path / "a.eml").write_bytes(plain(1))
    (tmp_path / "b.eml").write_bytes(b"To: bob@x.org\n" + plain(2))
    async with engine_at() as engine:
        await engine.transfer.import_mail("ada", tmp_path / "a.eml")
        await engine.transfer.import_mail("ada", tmp_path / "b.eml", "Sent")
        assert [one.email for one in await engine.context.db(contacts.complete, "bo")] == ["bob@x.org"]
        assert [one.email for one in await engine.context.db(contacts.complete, "a")] == ["a1@x.org"]


async def test_an_mbox_quotes_its_frames_and_ends_each_message_with_a_blank_line(engine_at, tmp_path):
    first = plain(1, "From here\n>From there\nFromage\n")
    (tmp_path / "a.eml").write_bytes(first)
    (tmp_path / "b.eml").write_bytes(plain(2, "no line end"))
    async with engine_at() as engine:
        await engine.transfer.import_mail("ada", tmp_path)
        stream = io.BytesIO()
        assert await engine.transfer.export_mail("", stream, "mbox") == Moved(2, 0, ())
        frame = b"From termmail@localhost Mon Mar  2 09:00:00 2026\n"
        quoted = first.replace(b">From", b">>From").replace(b"\nFrom here", b"\n>From here")
        assert stream.getvalue() == frame + quoted + b"\n" + frame + plain(2, "no line end") + b"\n\n"
        stream = io.BytesIO()
        assert (await engine.transfer.export_mail("subject:2", stream, "mbox")).done == 1
        assert stream.getvalue().count(b"From termmail@") == 1
        path = tmp_path / "box"
        assert await engine.transfer.export_mail("", path, "mbox") == Moved(2)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        before = path.read_bytes()
        with pytest.raises(TransferError, match="is there already; termmail never overwrites a file"):
            await engine.transfer.export_mail("", path, "mbox")
        assert path.read_bytes() == before
        with pytest.raises(TransferError, match="cannot be created: no such file or directory"):
            await engine.transfer.export_mail("", tmp_path / "none" / "box", "mbox")


def test_a_date_that_no_calendar_has_is_written_as_the_epoch(tmp_path):
    stream = io.BytesIO()
    writer = mail_file_writers.MboxWriter(stream)
    for date in (-5, 1 << 34, -(1 << 40), (1 << 34) - 1):
        assert writer.write(1, b"x\n", date, True)
    lines = stream.getvalue().decode().splitlines()
    assert lines[0] == "From termmail@localhost Thu Jan  1 00:00:00 1970"
    assert [line.endswith("1970 00:00:00 -0000") for line in lines[::3]] == [False, True, True, False]
    maildir = mail_file_writers.MaildirWriter(tmp_path)
    assert maildir.write(7, b"x", -5, True)
    (file,) = (tmp_path / "new").iterdir()
    assert file.name.startswith("0.M7R")


async def test_a_maildir_tells_read_from_unread_and_comes_back_as_it_was(engine_at, tmp_path):
    async with engine_at() as engine:
        for n in (1, 2):
            await imported(engine, tmp_path / "a.eml", plain(n))
        ids = sorted(await engine.lists.ids(INBOX))
        unread = {message_id: (await engine.lists.row(message_id)).unread for message_id in ids}
        await engine.context.db(lambda store: store.db.execute("UPDATE message SET unread = id = ?", (ids[1],)))
        dest = tmp_path / "dest"
        assert await engine.transfer.export_mail("", dest, "maildir") == Moved(2)
        (read,), (new,) = list((dest / "cur").iterdir()), list((dest / "new").iterdir())
        assert (read.read_bytes(), new.read_bytes()) == (plain(1), plain(2))
        assert read.name.startswith(f"1772442000.M{ids[0]}R")
        assert read.name.endswith(":2,S")
        assert ":" not in new.name
        assert list((dest / "tmp").iterdir()) == []
        assert [stat.S_IMODE((dest / name).stat().st_mode) for name in ("cur", "new", "tmp")] == [0o700] * 3
        assert await engine.transfer.import_mail("ada", dest) == Moved(0, 2)
        assert not any(unread.values()), "what is imported was read elsewhere"


async def test_eml_files_are_written_once_and_no_other_file_is_touched(engine_at, tmp_path):
    async with engine_at() as engine:
        for n in (1, 2):
            await imported(engine, tmp_path / "a.eml", plain(n))
        first, second = sorted(await engine.lists.ids(INBOX))
        dest = tmp_path / "deep" / "dest"
        assert await engine.transfer.export_mail("", dest, "eml") == Moved(2, 0)
        assert (dest / f"{first}.eml").read_bytes() == plain(1)
        (dest / f"{second}.eml").write_bytes(b"another")
        assert await engine.transfer.export_mail("", dest, "eml") == Moved(1, 1)
        assert (dest / f"{second}.eml").read_bytes() == b"another"
        assert sorted(file.read_bytes() for file in dest.iterdir()) == sorted([plain(1), plain(2), b"another"])
        with pytest.raises(TransferError, match="cannot be created: file exists"):
            await engine.transfer.export_mail("", dest / f"{first}.eml", "eml")


async def test_a_body_that_is_not_here_is_fetched_before_it_is_written(pop3_server, engine_at):
    server = await pop3_server([mail(1, size=9000), mail(2, size=9000)])
    async with engine_at(server.port) as engine:
        await engine.accounts.sync("ada")
        first, second = sorted(await engine.lists.ids(INBOX))
        assert not (await engine.lists.row(first)).downloaded
        stream = io.BytesIO()
        assert (await engine.transfer.export_mail("subject:2", stream, "mbox")).done == 1
        assert mail(2, size=9000) in stream.getvalue()
        assert [(await engine.lists.row(one)).downloaded for one in (first, second)] == [False, True]
        await server.stop()
        moved = await engine.transfer.export_mail("", io.BytesIO(), "mbox")
        assert (moved.done, moved.passed) == (1, 0)
        assert (moved.failed, list(moved.unfetched.values()), moved.failures) == ((), [1], 1)
        # The header is all that there is of a message of an account that is not configured any more.
        engine.context.config = Config()
        stream = io.BytesIO()
        assert (await engine.transfer.export_mail("", stream, "mbox")).done == 2
        assert b"Subject: Engine part 1" in stream.getvalue()
