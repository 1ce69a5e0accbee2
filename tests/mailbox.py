"""Builds mailboxes of any size, the same for the same seed, with the sizes and kinds real mail has.

`build(10_000)` yields messages of 35 KB in the mean with header blocks of 1.85 KB: short letters, replies in threads,
mailing lists, newsletters in HTML, and one in eight with an attachment. `light=True` leaves out what is large (mean
3.8 KB). Both come at some 10 000 messages a second and more, one at a time.

`python -m tests.mailbox COUNT DEST [--light] [--mbox] [--seed N]` writes a maildir or an mbox.
"""

from __future__ import annotations

import argparse
import base64
import os
import random
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OWNER = "Ada Lovelace <ada@example.org>"
RARE = "zanzibarium"
"""A word that about one message in 20 000 holds, and none of the made vocabulary."""

SYLLABLES = re.findall(
    "..", "babebodadedidofafegagohahekakekikolalelilomamemimonaneninopapeporarerirosasesisotatetitovavevivozazezu"
)
_GIVEN = """Anna Boris Chloe David Elif Farid Grace Hugo Ines Jonas Keiko Luis Maya Nils Olga Paul Quinn Rosa Sven
    Tara Umar Vera Wang Xenia Yann Zoe"""
_FAMILY = """Adler Brandt Costa Dubois Eriksen Fischer Garcia Hansen Ito Jansen Kowalski Lindt Müller Novak Okafor
    Petrov Quist Rossi Schmidt Tanaka Ueda Vega Weber Xu Yilmaz Zhou"""
GIVEN, FAMILY = _GIVEN.split(), _FAMILY.split()
HOSTS = [f"{name}.example.{top}" for name in ("mail", "post", "uni", "shop", "news", "dev") for top in ("org", "net")]


class _Made:
    """What messages are put together from; made once a seed."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        words = sorted({"".join(rng.choices(SYLLABLES, k=rng.choice((1, 2, 2, 3, 3, 4)))) for _ in range(24_000)})
        rng.shuffle(words)
        common, rest = words[:400], words[400:]
        self.subjects = [" ".join(rng.choices(common, k=rng.randint(2, 7))).capitalize() for _ in range(3000)]
        self.lines = [
            " ".join(rng.choices(common, k=9) + rng.choices(rest, k=3)).capitalize() + "." for _ in range(6000)
        ]
        self.people = [
            (f"{given} {family}", f"{given}.{family}@{host}".lower().replace("ü", "ue"))
            for given, family, host in zip(
                rng.choices(GIVEN, k=400), rng.choices(FAMILY, k=400), rng.choices(HOSTS, k=400), strict=True
            )
        ]
        noise = base64.b64encode(rng.randbytes(3_000_000)).decode()
        self.base64_lines = [noise[at : at + 76] for at in range(0, len(noise) - 76, 76)]
        self.base64_text = "\r\n".join(self.base64_lines)


def build(count: int, *, seed: int = 7, light: bool = False, now: datetime = NOW) -> Iterator[bytes]:
    """Yields `count` messages, oldest first, CRLF throughout. The first n of a longer mailbox are the same but for
    their dates, which end at `now`."""
    made = _Made(seed)
    rng = random.Random(seed + 1)
    for number in range(count):
        yield _message(made, rng, number, now - timedelta(minutes=37 * (count - number)), light=light)


def _message(made: _Made, rng: random.Random, number: int, when: datetime, *, light: bool) -> bytes:
    kind = rng.random()
    subject = made.subjects[number * 7 % 3000] if kind < 0.5 else rng.choice(made.subjects)
    thread = number - rng.randint(1, 30) if kind < 0.35 and number > 30 else None
    if kind < 0.55:
        content_type, body = "text/plain; charset=utf-8", _letter(made, rng, thread is not None)
        encoding = "8bit"
    elif kind < 0.88:
        content_type, body = _newsletter(made, rng, number, light=light)
        encoding = "7bit"
    else:
        content_type, body = _attachment(made, rng, number, light=light)
        encoding = "7bit"
    if number % 20_000 == 4321:
        body += f"{RARE}\r\n"
    header = _header(made, rng, number, when, subject, thread, is_list=0.35 <= kind < 0.5)
    return (
        f"{header}MIME-Version: 1.0\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{body}"
    ).encode()


def _header(
    made: _Made, rng: random.Random, number: int, when: datetime, subject: str, thread: int | None, *, is_list: bool
) -> str:
    name, address = rng.choice(made.people)
    host = address.partition("@")[2]
    stamp = format_datetime(when)
    at = rng.randrange(30_000)
    signature = "\r\n\t".join(made.base64_lines[at : at + 5])
    seal = "\r\n\t".join(made.base64_lines[at + 5 : at + 7])
    if not name.isascii():
        name = f"=?utf-8?B?{base64.b64encode(name.encode()).decode()}?="
    if thread is not None:
        subject = f"Re: {subject}"
    if number % 10 == 3:
        subject = f"=?UTF-8?Q?{subject.replace(' ', '_')}_=E2=80=93_gr=C3=BC=C3=9Fe?="
    parts = [
        (
            f"Return-Path: <{address}>\r\n"
            f"Received: from {host} ({host} [192.0.2.{number % 250}])\r\n\tby mx.example.org (Postfix) with ESMTPS id {at:010X}\r\n"
            f"\tfor <ada@example.org>; {stamp}\r\n"
            f"Received: from localhost (unknown [198.51.100.{at % 250}])\r\n\tby {host} with ESMTPSA id {number:08x}; {stamp}\r\n"
            f"Authentication-Results: mx.example.org;\r\n\tdkim=pass header.d={host} header.s=s1;\r\n"
            f"\tspf=pass smtp.mailfrom={address};\r\n\tdmarc=pass (p=NONE) header.from={host}\r\n"
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={host}; s=s1;\r\n"
            f"\th=from:to:subject:date:message-id:mime-version; bh={made.base64_lines[at][:44]};\r\n\tb={signature}\r\n"
            f"ARC-Seal: i=1; a=rsa-sha256; d=example.org; s=arc; cv=none;\r\n\tb={seal}\r\n"
            f"Date: {stamp}\r\nFrom: {name} <{address}>\r\nTo: {OWNER}\r\n"
        )
    ]
    if number % 4 == 0:
        parts.append("Cc: " + ",\r\n\t".join(f"<{mail}>" for _, mail in rng.choices(made.people, k=3)) + "\r\n")
    parts.append(f"Subject: {subject}\r\nMessage-ID: <{number:08x}@mail.example.org>\r\n")
    if thread is not None:
        parts.append(f"In-Reply-To: <{thread:08x}@mail.example.org>\r\nReferences: <{thread:08x}@mail.example.org>\r\n")
    if is_list:
        parts.append(
            f"List-Id: Talk of {host} <talk.{host}>\r\nList-Post: <mailto:talk@{host}>\r\n"
            f"List-Unsubscribe: <https://{host}/leave/{at}>, <mailto:leave@{host}>\r\nPrecedence: list\r\n"
        )
    parts.append(
        "X-Mailer: Post 3.1\r\nX-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,DKIM_VALID,SPF_PASS\r\n"
    )
    return "".join(parts)


def _letter(made: _Made, rng: random.Random, answers: bool) -> str:
    lines = rng.choices(made.lines, k=rng.randint(2, 30))
    if answers:
        lines += ["", "On Monday someone wrote:", *("> " + line for line in rng.choices(made.lines, k=8))]
    return "\r\n".join(lines) + "\r\n\r\nGrüße\r\n-- \r\nsent from a train\r\n"


def _newsletter(made: _Made, rng: random.Random, number: int, *, light: bool) -> tuple[str, str]:
    paragraphs = rng.choices(made.lines, k=rng.randint(3, 6) if light else rng.randint(20, 120))
    text = "\r\n".join(paragraphs[: len(paragraphs) // 3 + 1])
    cells = "".join(
        f'<tr><td style="padding:0 24px 16px;font-family:Helvetica,Arial,sans-serif;font-size:15px;line-height:22px">'
        f'{line} <a href="https://news.example.net/r/{number}">more</a></td></tr>\r\n'
        for line in paragraphs
    )
    page = f'<html><body><table width="600" cellpadding="0">\r\n{cells}</table></body></html>'
    edge = f"=_{number:08x}"
    return (
        f'multipart/alternative; boundary="{edge}"',
        (
            f"--{edge}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            f"--{edge}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n--{edge}--\r\n"
        ),
    )


def _attachment(made: _Made, rng: random.Random, number: int, *, light: bool) -> tuple[str, str]:
    size = 2600 if light else int(min(4_000_000, 40_000 * rng.lognormvariate(0.9, 1.15)))
    start = rng.randrange(len(made.base64_lines) // 2) * 78
    blob = made.base64_text[start : start + size // 78 * 78 - 2]
    edge = f"=_{number:08x}"
    text = "\r\n".join(rng.choices(made.lines, k=5))
    return (
        f'multipart/mixed; boundary="{edge}"',
        (
            f"--{edge}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
            f'--{edge}\r\nContent-Type: application/octet-stream; name="data-{number}.bin"\r\n'
            f'Content-Disposition: attachment; filename="data-{number}.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
            f"{blob}\r\n--{edge}--\r\n"
        ),
    )


def write_maildir(folder: Path, messages: Iterable[bytes]) -> int:
    """Writes a maildir (names in the order given, all seen) and tells how many.

    Named as Dovecot names what it delivers: names that differ in a counter alone collide in its hash tables, and half
    a second of every session with 10 000 messages goes there.
    """
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    count = 0
    for count, raw in enumerate(messages, 1):
        name = f"{1_700_000_000 + 61 * count}.M{rng.randrange(10**6)}P{rng.randrange(2**15)}.termmail,S={len(raw)}:2,S"
        (folder / "cur" / name).write_bytes(raw)
    return count


def write_mbox(path: Path, messages: Iterable[bytes]) -> int:
    """Writes an mbox (mboxrd: From_ lines quoted, LF ends) and tells how many."""
    count = 0
    with path.open("wb") as file:
        for raw in messages:
            count += 1
            text = re.sub(rb"(?m)^(>*From )", rb">\1", raw.replace(b"\r\n", b"\n"))
            file.write(b"From ada@example.org Mon Nov 23 12:00:00 2026\n" + text + b"\n")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("dest", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--mbox", action="store_true")
    options = parser.parse_args()
    write = write_mbox if options.mbox else write_maildir
    print(
        write(options.dest, build(options.count, seed=options.seed, light=options.light)),
        "messages",
        os.fspath(options.dest),
    )


if __name__ == "__main__":
    main()
