"""Copies of attachments for other programs, and messages that take too long to lay out."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from termmail.engine import message_reader, saved_files
from termmail.engine.saved_files import no_room
from termmail.mail import flowed
from termmail.mail.views import FolderView
from tests.ui.mailbox_stage import letter
from tests.ui.stage import account, engine_with
from tests.views import INBOX

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from termmail.engine.engine import Engine

WITH_FILE = letter(
    1,
    Content_Type="multipart/mixed; boundary=x",
    body="--x\r\nContent-Type: text/plain\r\n\r\ntext\r\n"
    "--x\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\na file\r\n--x--",
)


async def imported(engine: Engine, raw: bytes, folder: Path) -> int:
    """Put a message into the inbox; its id."""
    path = folder / "one.eml"
    path.write_bytes(raw)
    await engine.transfer.import_mail("ada", path)
    (message_id,) = await engine.lists.ids(INBOX)
    return message_id


async def test_a_copy_cannot_be_changed_and_outlives_another_termmail(tmp_path: Path):
    async with engine_with(tmp_path, ada=account()) as engine:
        message_id = await imported(engine, WITH_FILE, tmp_path)
        message = await engine.reader.read(message_id)
        path = await engine.reader.open_part(message_id, message.parts[0].path)
        assert path.stat().st_mode & 0o777 == 0o400
        async with engine_with(tmp_path, ada=account()) as other:
            again = await other.reader.open_part(message_id, message.parts[0].path)
            assert again.read_bytes() == b"a file"
        assert not again.exists()
        assert path.read_bytes() == b"a file"
    assert not path.exists()


async def test_the_browser_copy_holds_every_part_that_is_shown(tmp_path: Path):
    raw = letter(
        1,
        Content_Type="multipart/mixed; boundary=x",
        body="--x\r\nContent-Type: text/html\r\n\r\n<p>first<script>x</script>\r\n"
        "--x\r\nContent-Type: text/plain\r\n\r\nplain & simple\r\n"
        "--x\r\nContent-Type: text/html\r\n\r\n<p>second\r\n--x--",
    )
    async with engine_with(tmp_path, ada=account()) as engine:
        path = await engine.reader.browser_file(await imported(engine, raw, tmp_path))
        page = path.read_text("utf-8")
    assert page.index("<p>first") < page.index("plain &amp; simple") < page.index("<p>second")
    assert "script>" not in page


async def test_copies_of_a_process_that_was_killed_are_removed_by_the_next(tmp_path: Path):
    left = tmp_path / "data" / "opened" / "session-x"
    left.mkdir(parents=True)
    (left / ".owner").touch()
    (left / "a.txt").write_text("left")
    async with engine_with(tmp_path, ada=account()):
        pass
    assert not left.exists()


async def test_what_takes_too_long_to_lay_out_is_shown_as_its_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rows = "<tr><td>cell</td><td>another</td></tr>" * 20_000
    raw = letter(1, Content_Type="text/html", body=f"<table border=1>{rows}</table>")
    monkeypatch.setattr(message_reader, "RENDER_LIMIT", 0.02)
    async with engine_with(tmp_path, ada=account()) as engine:
        message_id = await imported(engine, raw, tmp_path)
        rendered = await engine.reader.rendered(message_id, 80)
        text = "\n".join(line.text for line in rendered.lines)
    assert text.startswith("Laying out this message takes more than")
    assert "Subject: Letter 1" in text
    assert "<tr><td>cell</td>" in text
    assert "V shows the whole source" in text


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (OSError(errno.EFBIG, "File too large"), True),
        (OSError(errno.EIO, "Input/output error"), True),
        (PermissionError(errno.EACCES, "Permission denied"), False),
        (OSError("without a number"), False),
        (ValueError("not of the system"), False),
    ],
)
def test_only_an_error_of_the_disk_is_told_as_one(error: Exception, full: bool):
    assert no_room(error) == full


def test_a_folder_without_an_owner_is_told_from_one_that_is_used_or_just_being_made(tmp_path: Path):
    parent = tmp_path / "deep" / "opened"
    assert saved_files.ownerless(parent) == []
    used, left = (saved_files.OwnedFolder(parent, "session-") for _ in range(2))
    saved_files.OwnedFolder(parent, "session-").remove()
    assert {folder.name[:8] for folder in parent.iterdir()} == {"session-"}
    assert used.path.stat().st_mode & 0o777 == parent.stat().st_mode & 0o777 == 0o700
    fresh, old = parent / "fresh", parent / "old"
    for folder in (fresh, old):
        folder.mkdir()
    long_ago = time.time() - saved_files.BEING_MADE - 60
    os.utime(old, (long_ago, long_ago))
    (parent / "link").symlink_to(old)
    (parent / "file").touch()
    assert saved_files.ownerless(parent) == [old]
    left.release()
    left.release()  # a second time changes nothing
    assert set(saved_files.ownerless(parent)) == {old, left.path}
    used.remove()
    assert not used.path.exists()


async def test_a_layout_that_nobody_waits_for_any_more_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    begun, ended = threading.Event(), threading.Event()

    def endless(*_: object, check: Callable[[], None], **__: object) -> None:
        begun.set()
        try:
            while True:
                check()
        finally:
            ended.set()

    monkeypatch.setattr(flowed, "body", endless)
    async with engine_with(tmp_path, ada=account()) as engine:
        message_id = await imported(engine, letter(1), tmp_path)
        waiting = asyncio.create_task(engine.reader.rendered(message_id, 80))
        assert await asyncio.to_thread(begun.wait, 20)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await asyncio.to_thread(ended.wait, 20)


async def test_a_folder_removed_during_an_import_is_made_again(tmp_path: Path):
    source = tmp_path / "old.mbox"
    source.write_bytes(b"".join(b"From x Thu Jan  1 00:00:00 1970\n" + letter(n) + b"\n" for n in range(2000)))
    async with engine_with(tmp_path, ada=account()) as engine:
        importing = asyncio.ensure_future(engine.transfer.import_mail("ada", source, "Old"))
        while (folder := await engine.folders.by_name("ada", "Old")) is None or not await engine.lists.ids(
            FolderView(folder.folder_id)
        ):
            await asyncio.sleep(0)
        await engine.folders.remove(folder.folder_id)
        assert (await importing).done == 2000
        placed = await engine.context.db(
            lambda store: store.read_one(
                "SELECT count(DISTINCT message) FROM placement JOIN folder ON folder.id = folder WHERE removed = 0"
            )
        )
        assert placed == (2000,)
        assert await engine.folders.by_name("ada", "Old") is not None
