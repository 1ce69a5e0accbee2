"""import and export: what counts as mail, standard output as a destination, and a loop that is never blocked."""

from __future__ import annotations

import mailbox
import os
import pty

import pytest


@pytest.mark.parametrize(
    "text",
    [
        b"Note: to myself\nbuy milk\n",
        b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nEND:VCARD\n",
        b"host: localhost\nport: 25\n\nmore\n",
        b"From here on this is a letter, and no mbox.\n\nDear Ada\n",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        b"",
    ],
)
async def test_a_file_that_is_not_mail_is_refused(termmail, tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_bytes(text)
    ran = await termmail("import", str(path), code=65)
    assert ran.out == b""
    assert "is not a mail message" in ran.err
    assert (await termmail("list", "--json")).json == []


@pytest.mark.parametrize(
    "header", [b"Subject: only a subject", b"Received: from x", b"X-Odd: 1\nfrom: ada@example.org"]
)
async def test_mail_with_few_headers_is_taken(termmail, tmp_path, header):
    path = tmp_path / "one.eml"
    path.write_bytes(header + b"\n\ntext\n")
    assert (await termmail("import", str(path), "--json")).json[0]["imported"] == 1


async def test_export_to_standard_output_is_an_mbox_and_nothing_else(termmail, tmp_path):
    await termmail("sync")
    ran = await termmail("export", "", "-")
    path = tmp_path / "out.mbox"
    path.write_bytes(ran.out)
    box = mailbox.mbox(path)
    assert len(box) == len(termmail.demo.maildrop.messages)
    box.close()
    assert f"{len(termmail.demo.maildrop.messages)} exported" in ran.err
    as_file = tmp_path / "file.mbox"
    await termmail("export", "", str(as_file))
    assert ran.out == as_file.read_bytes()
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("form", ["eml", "maildir"])
async def test_only_an_mbox_fits_on_standard_output(termmail, form):
    ran = await termmail("export", "", "-", "--format", form, code=64)
    assert "mbox" in ran.err
    assert ran.out == b""


async def test_a_reader_that_leaves_ends_the_export_without_an_error(termmail):
    await termmail("sync")
    ran = await termmail.shell('"$@" export "" - | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}"')
    assert ran.out == b"0\n"
    assert "termmail:" not in ran.err


async def test_a_full_disk_behind_standard_output_is_said(termmail):
    await termmail("sync")
    ran = await termmail.shell('"$@" export "" - >/dev/full')
    assert ran.code == 74
    assert "Standard output cannot be written" in ran.err


async def test_raw_mail_is_not_exported_to_a_terminal(termmail):
    """Its bytes could be commands to the terminal."""
    await termmail("sync")
    ours, theirs = pty.openpty()
    ran = await termmail("export", "", "-", code=64, stdout=theirs)
    os.close(theirs)
    os.close(ours)
    assert "terminal" in ran.err


async def test_an_export_tells_a_reason_once_with_the_number_of_messages(termmail, tmp_path):
    await termmail("sync")
    path = termmail.folder / "config.toml"
    path.write_text(path.read_text().replace('["echo", "analytical"]', '["false"]'))
    ran = await termmail("export", "", str(tmp_path / "out.mbox"), "--json", code=75)
    assert ran.json[0]["failed"] > 1
    (line,) = ran.err.splitlines()
    assert line.startswith(f"{ran.json[0]['failed']} messages are still on the server: ")
