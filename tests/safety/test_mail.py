"""SECURITY.md, "Mail": what strangers write reaches files byte for byte, and terminals only as text."""

from __future__ import annotations

import json
import re
import stat
from email.message import EmailMessage

import pytest

from termmail.demo.faults import Manners
from tests.engine.conftest import mail
from tests.mail.nasty import NASTY
from tests.mail.test_sanitize import unsafe
from tests.safety.profile import USER, decent

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\x00\r\n\u202eevil\u2066 [bold red]x[/]"
COMMANDS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
FILE_NAMES = (
    "../../etc/passwd", "/etc/passwd", "..\\..\\boot.ini", "C:\\x.txt", "\\\\host\\share\\x", "~/.bashrc", ".bashrc",
    "-rf", "con", "nul.txt", "a" * 500 + ".pdf", "x\x00.exe.txt", "photo\u202egpj.exe", "x.jpg.exe", "a/b/c", "..",
    ".", "", " ", "\x1b]0;x\x07.txt", "\x9b2J.txt", "a:b", "new\nline", "\u200b", "same.txt", "same.txt", "💥" * 100,
)  # fmt: skip


async def test_every_nasty_mail_is_served_listed_shown_and_exported(termmail, tmp_path):
    """M1 to M5, M7 to M12, M17, M18, L5: all of them through the whole program. Printed text is clean, JSON is whole,
    files are byte for byte what the server has, and memory stays bounded."""
    await termmail.serve(NASTY.values(), download="all")
    ran = await termmail("sync")
    assert ran.megabytes <= 400
    stored = [one.raw for one in termmail.drop.messages]
    rows = (await termmail("list", "--json", "--limit", "5000")).json
    assert len(rows) == len(NASTY)
    assert all(row["downloaded"] for row in rows)
    ids = [str(row["id"]) for row in rows]
    shown = await termmail("show", "--json", *ids)
    assert [str(message["id"]) for message in shown.json] == ids
    assert shown.megabytes <= 400
    assert all(clean_values(message) == [] for message in [*rows, *shown.json])
    await termmail("export", "", str(tmp_path / "eml"), "--format", "eml")
    exported = {path.stem: path.read_bytes() for path in (tmp_path / "eml").iterdir()}
    assert sorted(exported.values()) == sorted(stored)
    raw = await termmail("show", "--raw", *ids, raw=True)
    assert raw.out == b"".join(exported[id_] for id_ in ids)
    await termmail("import", str(tmp_path / "eml"), "--folder", "Again", code=None)
    await termmail.sound()


def clean_values(value: object) -> list[str]:
    """What no terminal may get of any string in a JSON object."""
    if isinstance(value, str):
        return unsafe(value, lines=True)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [char for one in inner for char in clean_values(one)]


async def test_no_nasty_mail_speaks_to_a_terminal(termmail):
    """M1: the bytes that a real terminal gets from show, show --headers, show --raw, list and search."""
    await termmail.serve(NASTY.values(), download="all")
    await termmail("sync")
    ids = [str(row["id"]) for row in (await termmail("list", "--json", "--limit", "5000")).json]
    for words in (("show", *ids), ("show", "--headers", *ids), ("show", "--raw", *ids), ("list",), ("search", "a")):
        seen = await termmail.on_a_terminal(*words)
        assert len(seen) > 500, words
        assert COMMANDS.search(seen) is None, (words, COMMANDS.search(seen))
        decent(seen.decode().replace("\r\n", "\n"), words[0])


async def test_a_mail_of_a_file_or_of_stdin_is_shown_as_harmlessly(termmail, tmp_path):
    """M1, M8: `show --file`, without any account, also of what is no mail at all."""
    for raw in sorted(NASTY.values(), key=len)[-5:]:
        (tmp_path / "x.eml").write_bytes(raw)
        assert (await termmail("show", "--file", str(tmp_path / "x.eml"), "--json")).json
    for raw in (b"", b"\x00" * 1000, bytes(range(256)) * 50, b"\r\n" * 10_000, b"a:" * 100_000):
        await termmail("show", "--file", "-", stdin=raw)
        await termmail("show", "--file", "-", "--headers", stdin=raw)


async def test_attachments_are_saved_below_the_folder_under_harmless_names(termmail, tmp_path):
    """M6, M11: traversal, devices, controls, RLO, names too long: all land in the folder, 0600, each whole."""
    parts = b""
    for number, name in enumerate(FILE_NAMES):
        quoted = "".join(f"%{byte:02X}" for byte in name.encode())
        parts += b"--B\r\nContent-Type: application/octet-stream\r\n"
        parts += f"Content-Disposition: attachment; filename*=utf-8''{quoted}\r\n\r\npart {number}\r\n".encode()
    head = b'From: eve@example.net\r\nSubject: files\r\nContent-Type: multipart/mixed; boundary="B"\r\n\r\n'
    await termmail.serve([head + parts + b"--B--\r\n"], download="all")
    await termmail("sync")
    folder = tmp_path / "inner" / "saved"
    folder.mkdir(parents=True)
    before = {path for path in tmp_path.rglob("*") if folder not in path.parents}
    ran = await termmail("save", "1", str(folder))
    assert {path for path in tmp_path.rglob("*") if folder not in path.parents} == before
    saved = list(folder.rglob("*"))
    assert len(saved) == len(ran.text.splitlines()) == len(FILE_NAMES)
    assert sorted(path.read_bytes().split()[1] for path in saved) == sorted(str(n).encode() for n in range(len(saved)))
    for path in saved:
        assert path.parent == folder
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert unsafe(path.name) == []
        assert path.name[0] not in ".-~", path
        assert len(path.name.encode()) <= 210
        assert path.stem.lower() not in {"con", "nul"}
        assert ":" not in path.name


async def test_what_is_sent_is_listed_and_refused_harmlessly(termmail):
    """M1, S12: evil subjects of our own outgoing mail, and evil words of the SMTP server, in every text about it."""
    await termmail.serve()
    assert termmail.smtp is not None
    evil = EVIL.replace("\r\n", "").replace("\x00", "").encode()
    termmail.smtp.manners = Manners(answers={"RCPT bob@example.net": b"550 5.1.1 " + evil + b"\r\n"})
    raw = b"From: Ada <ada@example.org>\nTo: bob@example.net\nSubject: " + evil + b"\n\nhello\n"
    ran = await termmail("sendmail", "-t", "-i", stdin=raw, code=69)
    assert "evil" in ran.err
    termmail.smtp.manners = Manners(answers={"MAIL": b"451 " + evil + b"\r\n"})
    await termmail("sendmail", "-t", "-i", stdin=raw, code=75)
    for words in (("outbox",), ("outbox", "--json"), ("list", "--folder", "Outbox"), ("list", "--folder", "Drafts")):
        await termmail(*words)
        assert COMMANDS.search(await termmail.on_a_terminal(*words)) is None, words
    ran = await termmail("doctor", code=None)
    log = (termmail.data / "termmail.log").read_text() if (termmail.data / "termmail.log").exists() else ""
    decent(log)


async def test_sendmail_takes_whatever_comes_and_sends_only_what_is_mail(termmail):
    """S1, S3, S4: hostile standard input either leaves as one well-formed message or is refused with 65."""
    await termmail.serve()
    assert termmail.smtp is not None
    wrong = []
    for number, raw in enumerate(
        [
            b"", b"\n", b"\x00" * 50, b"no header at all\n", b"From: a@b\r\nTo: c@d\n" * 5000, b"To:" + b"a@b.example," * 6000,
            b"To: bob@example.net\nSubject: x\n\n.\nMAIL FROM:<evil@example.net>\nRCPT TO:<eve@example.net>\nDATA\nx\n",
            b"To: bob@example.net\nSubject: x\n\r\n\n.\r\nevil\r.\revil\n.\r\n\r.\n",
            b"To: bob@example.net\nBcc: eve@example.net\n hidden@example.net\nResent-Bcc: eve@example.net\nSubject: x\n\nx\n",
            b"To: <bob@example.net>\x00<eve@example.net>\nSubject: x\n\nx\n",
            b"To: bob@example.net\nSubject: " + b"x" * 100_000 + b"\n\n" + b"y" * 100_000 + b"\n",
            b"To: bob@example.net\nX-\xff\xfe: \xff\nSubject: \x1b[31m\n\n\xff\xfe\x00\x1b[2J\n",
            b"To: bob@example.net, undisclosed:;\nFrom: eve@example.net\nFrom: ada@example.org\n\nx\n",
            *NASTY.values(),
        ][:40]
    ):  # fmt: skip
        before = len(termmail.smtp.received)
        ran = await termmail("sendmail", "-t", "-i", stdin=raw, code=None)
        if ran.code not in {0, 65} or (ran.code == 0) != (len(termmail.smtp.received) == before + 1):
            wrong.append((number, ran))
    assert wrong == []
    for received in termmail.smtp.received:
        assert re.search(rb"(?<!\r)\n|\r(?!\n)", received.raw) is None
        assert b"\x00" not in received.raw
        assert re.search(rb"(?mi)^(resent-)?bcc:", received.raw.partition(b"\r\n\r\n")[0]) is None
        assert max(map(len, received.raw.split(b"\r\n"))) <= 998
    assert not any("evil" in line for line in termmail.smtp.heard())


@pytest.mark.parametrize("end", [b".\n", b".\r\n", b"."])
async def test_sendmail_ends_at_the_first_lone_dot(termmail, end):
    """S3: whichever line ends stand around it and behind it; what follows is no part of the message."""
    await termmail.serve()
    assert termmail.smtp is not None
    raw = b"To: bob@example.net\nSubject: x\n\nbefore\n.not the end\n" + end
    await termmail("sendmail", "-t", stdin=raw + (b"behind\n.\n" if end != b"." else b""))
    (received,) = termmail.smtp.received
    assert received.raw.endswith(b"before\r\n.not the end\r\n")


async def test_what_a_reply_to_a_mailto_may_not_do(termmail, tmp_path):
    """M13: `send` takes no mailto fields apart from its own options; a header in an address is refused (S1)."""
    await termmail.serve()
    assert termmail.smtp is not None
    for words in (
        ("--to", "bob@example.net\nBcc: eve@example.net"), ("--to", "bob@example.net\r\nSubject: y"),
        ("--to", "bob@example.net", "--cc", "a@b.example\x0bDATA"), ("--to", "a@b.example>\x7f<c@d.example"),
        ("--to", "bob@example.net", "--bcc", "e@f.example\n"),
    ):  # fmt: skip
        await termmail("send", *words, "--subject", "x", "--body", "x", code=65)
    for subject in ("x\nBcc: eve@example.net", "x\r\n\r\nbody", "x\rBcc: y"):
        await termmail("send", "--to", "bob@example.net", "--subject", subject, "--body", "x", code=65)
    assert termmail.smtp.heard("MAIL") == []
    assert termmail.smtp.received == []
    evil = tmp_path / "\x1b]0;x\x07\r\nBcc: eve@example.net\r\n.txt"
    evil.write_bytes(b"x")
    await termmail("send", "--to", "bob@example.net", "--subject", "s", "--body", "x", "--attach", str(evil))
    (received,) = termmail.smtp.received
    assert received.recipients == ("bob@example.net",)
    assert b"\r\nBcc" not in received.raw
    assert b"\x1b" not in received.raw


async def test_nothing_is_fetched_and_no_receipt_is_sent(termmail):
    """M10, M14, S13: reading, listing and exporting mail that asks for it opens no connection at all."""
    await termmail.serve()
    port = termmail.smtp.port
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "eve@example.net", USER, "read me"
    message["Disposition-Notification-To"] = message["Return-Receipt-To"] = "eve@example.net"
    message["List-Unsubscribe"] = f"<http://127.0.0.1:{port}/>, <mailto:eve@example.net>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    url = f"http://127.0.0.1:{port}/pixel"
    message.add_alternative(
        f'<meta http-equiv="refresh" content="0;url={url}"><link rel=stylesheet href="{url}"><img src="{url}">'
        f'<style>@import "{url}"; p {{ background: url({url}) }}</style><iframe src="{url}"></iframe><p>hello</p>',
        subtype="html",
    )
    message.add_attachment(b"x", maintype="message", subtype="external-body", filename="x")
    termmail.drop.add(message.as_bytes().replace(b"\n", b"\r\n"))
    await termmail("sync")
    (shown,) = (await termmail("show", "1", "--json")).json
    await termmail("show", "1")
    assert "hello" in shown["body"]
    assert termmail.smtp.sessions == 0
    assert (await termmail("outbox", "--json")).json == []


async def test_mail_of_the_far_future_and_past_sorts_by_its_receipt(termmail):
    """M18, L7: senseless dates raise nothing and hold no place at the top for ever."""
    mails = [
        mail(number).replace(b"Date: Mon, 2 Mar 2026 09:00:%02d +0000" % number, b"Date: " + date)
        for number, date in enumerate(
            [
                b"Fri, 31 Dec 99999 23:59:59 +9999", b"Thu, 1 Jan 1970 00:00:00 -9999", b"Mon, 99 Foo 2026 99:99:99",
                b"Fri, 31 Dec 9999 23:59:59 +0000", b"-1", b"9" * 1000, b"Mon, 2 Mar 2026 09:00:00 +99999999999",
                b"Wed, 1 Jan 2200 00:00:00 +0000",
            ],
            1,
        )
    ]  # fmt: skip
    await termmail.serve(mails)
    await termmail("sync")
    rows = (await termmail("list", "--json")).json
    assert len(rows) == 8
    assert all(row["date"] is None or row["date"] < "2100" for row in rows)
    json.dumps(rows)
    await termmail("list")
    shown = (await termmail("show", "--json", *(str(row["id"]) for row in rows))).json
    assert all(one["date"] is None or one["date"] < "2100" for one in shown)
