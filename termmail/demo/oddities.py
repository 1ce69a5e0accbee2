"""Unusual mail: other alphabets and charsets, broken MIME, deceptive messages, and one very large message."""

from __future__ import annotations

import base64
from email.header import Header

from termmail.demo.message_builder import File, Letter, Oddity, days
from termmail.demo.pictures import pdf, scan


def _foreign(age: float, sender: tuple[str, str], subject: str, text: str, *, charset: str, key: str) -> Oddity:
    """Return a message with unencoded headers and body in a legacy charset."""
    name = Header(sender[0], charset).encode()
    title = Header(subject, charset).encode()
    encoded = text.encode(charset)
    seven = charset.startswith("iso-2022")
    body = encoded if seven else base64.encodebytes(encoded)
    head = (
        f"From: {name} <{sender[1]}>\nTo: Ada Lovelace <ada@example.org>\nSubject: {title}\nDate: %DATE%\n"
        f"Message-ID: <{key}@mail.example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\n"
        f"Content-Transfer-Encoding: {'7bit' if seven else 'base64'}\n\n"
    )
    return Oddity(days(age), head.encode() + body)


ALPHABETS = (
    _foreign(
        4.2,
        ("和田 啓子", "keiko@example.net"),
        "Re: 階差機関の図面について",
        "エイダ様\n\n図面をありがとうございました。歯車の数が一枚合いません。\n四十一枚でしょうか、四十枚でしょうか。\n\n敬具\n和田\n",
        charset="iso-2022-jp",
        key="japanese",
    ),
    _foreign(
        8.4,
        ("李善兰", "shanlan@example.org"),
        "《代微积拾级》译稿",
        "爱达女士：\n\n译稿已完成第三卷。“function”一词，拟译为“函数”，不知可否？\n\n李善兰\n",
        charset="gb18030",
        key="chinese",
    ),
    _foreign(
        16.3,
        ("Софья Корвин", "sofia@example.net"),
        "Обои с интегралами",
        "Дорогая Ада!\n\nСтену в детской оклеили лекциями Остроградского. Я читаю её перед сном.\n\nСофья\n",
        charset="koi8-r",
        key="russian",
    ),
    Letter(
        days(6, 15),
        "عمر الخيام <omar@example.org>",
        "حول المعادلات التكعيبية",
        """
        السيدة آدا المحترمة،

        قرأت ملاحظاتك عن المحرك (Analytical Engine) وأعجبتني كثيرا.
        هل يستطيع أن يحل x³ + 200x = 20x² + 2000 في أقل من ساعة؟

        مع التحية،
        عمر
        """,
        "arabic",
    ),
    Letter(
        days(14, 8),
        "רות לוי <ruth@example.net>",
        "שאלה קצרה על כרטיסים",
        """
        שלום עדה,

        כמה חורים יש בכרטיס אחד? ספרתי 12, ואולי 13.

        תודה,
        רות
        """,
        "hebrew",
    ),
    Letter(
        days(21, 3),
        "Υπατία <hypatia@example.org>",
        "Κωνικές τομές",
        """
        Αγαπητή Άντα,

        το μηχάνημα σχεδιάζει έλλειψη, αλλά όχι παραβολή. Λείπει ένα δόντι;

        Υπατία
        """,
        "greek",
    ),
    Letter(
        days(0, 9),
        "김 하늘 <haneul@example.net>",
        "별자리 사진 🌌 보냅니다",
        """
        에이다 님께,

        지난밤에 찍은 별자리입니다 ✨🔭. 화면이 작아도 잘 보이길 바랍니다.

        하늘 드림
        """,
        "korean",
    ),
)

FORWARDED = Oddity(  # a whole message as an attachment, with one of its own
    days(1.6),
    b"From: Michael Faraday <michael@example.org>\nTo: Ada Lovelace <ada@example.org>\nSubject: Fwd: From the Institution\n"
    b"Date: %DATE%\nMessage-ID: <forwarded@mail.example.org>\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/mixed; boundary="outer"\n\n--outer\nContent-Type: text/plain; charset=utf-8\n\n'
    b"They want a talk at Christmas, for children. You and me, a candle and a\nmachine? Their letter is attached.\n\n"
    b"Michael\n\n--outer\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\n"
    b"From: The Royal Institution <talks@institution.example.org>\nTo: michael@example.org\n"
    b"Subject: Christmas lectures\nMessage-ID: <lectures@mail.example.org>\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/mixed; boundary="inner"\n\n--inner\nContent-Type: text/plain\n\n'
    b"Dear Mr Faraday,\n\nsix lectures, one hour each. Children ask harder questions than Fellows.\n\n"
    b'--inner\nContent-Type: text/plain; name="dates.txt"\nContent-Disposition: attachment; filename="dates.txt"\n\n'
    b"27, 29 and 31 December; 3, 5 and 7 January\n\n--inner--\n\n--outer--\n",
)

BROKEN = (
    Oddity(  # headers in bare Latin-1, which RFC 5322 never allowed and every decade sends
        days(9.7),
        b"From: Andr\xe9 Amp\xe8re <andre@example.net>\nTo: ada@example.org\nSubject: L'\xe9lectricit\xe9 et le caf\xe9\n"
        b"Date: %DATE%\nMessage-ID: <latin@mail.example.org>\n\nCh\xe8re Ada,\n\nle caf\xe9 est pr\xeat, le courant aussi.\n\nAndr\xe9\n",
    ),
    Oddity(  # the closing boundary never comes, and the last base64 is cut
        days(12.1),
        b"From: Hans Oersted <hans@example.org>\nTo: ada@example.org\nSubject: The needle moved (sent from a moving coach)\n"
        b"Date: %DATE%\nMessage-ID: <cut@mail.example.org>\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="needle"\n\n--needle\nContent-Type: text/plain; charset=us-ascii\n\n'
        b"It moved! By itself, beside the wire. Drawing attached.\n\n--needle\nContent-Type: image/png; name=needle.png\n"
        b"Content-Transfer-Encoding: base64\nContent-Disposition: attachment; filename=needle.png\n\n"
        b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWj\n",
    ),
    Oddity(  # says UTF-8 and is not; an encoded-word with a charset nobody has
        days(17.9),
        b"From: =?x-unknown?Q?Wilhelm_W=FCrfel?= <wilhelm@example.net>\nTo: ada@example.org\n"
        b"Subject: =?utf-8?B?V8O8cmZlbCBmw7xyIGRpZSBNYXNjaGluZQ==?= =?utf-8?Q?=3A_drei_St=C3?=\n"
        b"Date: %DATE%\nMessage-ID: <wrong-charset@mail.example.org>\nMIME-Version: 1.0\n"
        b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nDrei W\xfcrfel, gr\xfcn, f\xfcr 2 \xa3.\n",
    ),
    Oddity(  # no From, no Subject, no Message-ID
        days(22.2),
        b"To: ada@example.org\nDate: %DATE%\nX-Mailer: Pigeon 1.0\n\n"
        b'Left on the window sill, no name on it. It says: "yes".\n',
    ),
    Oddity(  # a comment in the date, a header without a name, one header twice, another without an end
        days(19.1),
        b"From: Kronos <kronos@example.org>\nTo: ada@example.org\nSubject: Time is a suggestion\nSubject: Time is an order\n"
        b"Date: %DATE% (by the church clock; the station is four minutes behind)\n: nothing\nX-Folded:\n \n\tand on\n"
        b"Message-ID: <kronos@mail.example.org\n\nSince the railway came every town has two times. Which one do you sign with?\n",
    ),
)

TRAPS = (
    Letter(
        days(0, 2),
        '"Royal Bank security@bank.example.org" <service@bank.example.org.verify.example.net>',
        "Urgent: your account will be closed TODAY",
        "",
        "phishing",
        html="""<html><body><table width="600"><tr><td bgcolor="#003366"><font color="#ffffff" size="5"><b>ROYAL BANK</b></font></td></tr>
<tr><td><p>Dear Costumer,</p><p>We have notice unusual activity in you account. It will be <font color="red"><b>closed TODAY</b></font>
unless you confirm your password.</p>
<p><a href="http://bank.example.org.verify.example.net/login?id=ada">https://bank.example.org/login</a></p>
<form action="http://bank.example.org.verify.example.net/post"><input type="password" name="p"><input type="submit" value="Confirm"></form>
<p>Or open the attached form.</p><div style="display:none">quarterly geese marmalade umbrella 7741</div></td></tr></table>
<script>document.location="http://bank.example.org.verify.example.net/"</script></body></html>""",
        files=(File("account-form.pdf.exe", "application/pdf", b"MZ this is not a PDF, and not a program either\n"),),
        headers=(
            ("Reply-To", "collect@verify.example.net"),
            ("Authentication-Results", "mx.example.org; spf=pass; dmarc=fail header.from=verify.example.net"),
        ),
    ),
    Oddity(  # Cyrillic letters in the host that look Latin
        days(10.4),
        "From: Royal Librаry <desk@librаry.example.net>\nTo: ada@example.org\nSubject: Your cаrd hаs expired\nDate: %DATE%\n"
        "Message-ID: <homograph@mail.example.org>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
        "Content-Transfer-Encoding: 8bit\n\nRenew it at https://librаry.example.net/renew and have your card at hand.\n".encode(),
    ),
    Oddity(  # terminal commands in every place they fit
        days(23.5),
        b"From: \x1b[31mEve\x1b]0;owned\x07 <eve@example.net>\nTo: ada@example.org\n"
        b"Subject: =?utf-8?B?G1syShtdNTI7YztZM1Z5YkE9PQdjbGVhciBtZQ==?= \x1b[5mblink\nDate: %DATE%\n"
        b"Message-ID: <escapes@mail.example.org>\nMIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n"
        b"<p>Colour: \x1b[41m red? &#27;[42m green? &#x9b;43m yellow?</p><p>Title: \x1b]2;owned\x1b\\</p>"
        b"<p>Link: \x1b]8;;http://evil.example.net\x1b\\safe\x1b]8;;\x1b\\</p><p>If you can read this in black, all is well.</p>\n",
    ),
    Letter(
        days(24, 1),
        '"[bold red]Markup[/] [@click=app.quit]here[/]" <markup@example.net>',
        "[blink]Sale[/blink] [/] [link=http://evil.example.net]50%[/link] $background {0} %s \\[",
        """
        [bold]Not bold[/bold], [red]not red[/red], [@click=app.quit()]not a button[/], [/nothing].

        {unfilled} %(missing)s ${HOME} `id` $(id) <b>not bold</b> &amp; \\n
        """,
        "markup",
    ),
    Oddity(  # right-to-left override in a file name, zero-width letters in the subject, a path
        days(25.6),
        "From: Mallory <mallory@example.net>\nTo: ada@example.org\nSubject: Ph\u200bo\u200dto\u2060s \u202emoc.elpmaxe\u202c\nDate: %DATE%\n"
        "Message-ID: <bidi@mail.example.org>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n"
        "Content-Type: text/plain; charset=utf-8\n\nThe photos, and a page.\n\n--b\nContent-Type: image/jpeg\n"
        "Content-Disposition: attachment; filename*=utf-8''photo%E2%80%AEgpj.exe\n\nnot a picture\n--b\n"
        'Content-Type: text/html\nContent-Disposition: attachment; filename="../../.bashrc"\n\necho no\n--b--\n'.encode(),
    ),
    Oddity(  # forty parts deep
        days(26.2),
        b"From: Matryoshka <dolls@example.org>\nTo: ada@example.org\nSubject: Forty boxes, one in the other\nDate: %DATE%\n"
        b"Message-ID: <dolls@mail.example.org>\nMIME-Version: 1.0\n"
        + b"".join(b'Content-Type: multipart/mixed; boundary="d%d"\n\n--d%d\n' % (depth, depth) for depth in range(40))
        + b"Content-Type: text/plain\n\nAnd in the last one: a pea.\n"
        + b"".join(b"--d%d--\n" % depth for depth in reversed(range(40))),
    ),
)

LETTERS: tuple[Letter | Oddity, ...] = (*ALPHABETS, FORWARDED, *BROKEN, *TRAPS)


def large() -> tuple[Letter, ...]:
    """Return the message of 5 MB: a scan that does not compress, and its index."""
    index = pdf("Index of plates", ["Plate 1: the mill", "Plate 2: the store", "Plate 3: a cup of tea, spilt"])
    return (
        Letter(
            days(7, 14),
            "Henry Babbage <henry@example.net>",
            "Scan of the big drawing (5 MB)",
            """
            Here is father's drawing of the whole engine, as large as the glass
            would take it. It is 5 MB, sorry; you said you wanted every tooth.

            The stain at the lower left is tea.

            Henry
            """,
            "scan",
            files=(File("plan-25.png", "image/png", scan()), File("index.pdf", "application/pdf", index)),
        ),
    )
