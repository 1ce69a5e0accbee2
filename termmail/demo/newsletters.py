"""Automatic mail: newsletters and receipts in typical HTML, an invitation, a bounce, a notice."""

from __future__ import annotations

from datetime import datetime, timedelta

from termmail.demo.message_builder import File, Letter, days
from termmail.demo.pictures import invite, series

_HIDDEN = (
    "display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;opacity:0;overflow:hidden"
)


def _page(preheader: str, rows: str, *, name: str, key: str) -> str:
    """Return the frame of a newsletter: hidden preheader, nested tables, footer, tracking pixel."""
    padding = "&#847;&zwnj;&nbsp;" * 30
    return f"""\
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"><head>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1.0" /><title>{name}</title>
<style type="text/css">
body {{ margin: 0; padding: 0; -webkit-text-size-adjust: 100%; }} table {{ border-collapse: collapse; }}
@media only screen and (max-width: 600px) {{ .wrap {{ width: 100% !important; }} }}
</style>
<!--[if mso]><style>td {{ font-family: Arial, sans-serif !important; }}</style><![endif]-->
</head><body bgcolor="#f3f0e8">
<div style="{_HIDDEN}">{preheader} {padding}</div>
<table width="100%" cellpadding="0" cellspacing="0" border="0" role="presentation" bgcolor="#f3f0e8"><tr><td align="center">
<table class="wrap" width="600" cellpadding="0" cellspacing="0" border="0" role="presentation" bgcolor="#ffffff">
<tr><td style="padding:24px"><a href="https://{key}.example.net/?utm_source=mail"><img src="https://img.{key}.example.net/logo.png"
 width="160" height="40" alt="{name}" style="display:block;border:0" /></a></td></tr>
{rows}
<tr><td style="padding:24px;font-size:12px;color:#888888;line-height:18px">You get this because you are on our list.
<a href="https://{key}.example.net/preferences?u=ada">Preferences</a> &middot;
<a href="https://{key}.example.net/unsubscribe?u=ada">Unsubscribe</a><br />{name}, 12 Ludgate Hill, London</td></tr>
</table></td></tr></table>
<img src="https://t.{key}.example.net/open.gif?u=ada&amp;m=7d1f" width="1" height="1" alt="" style="display:block" />
</body></html>"""


def _story(title: str, text: str, link: str, *, picture: str = "") -> str:
    image = (
        f'<img src="{link}/cover.jpg" width="552" alt="{picture}" style="width:100%;display:block" />'
        if picture
        else ""
    )
    return f"""<tr><td style="padding:0 24px 24px">{image}<h2 style="margin:16px 0 8px;font-size:20px">{title}</h2>
<p style="margin:0 0 12px;font-size:15px;line-height:22px">{text}</p>
<table role="presentation" cellpadding="0" cellspacing="0"><tr><td bgcolor="#1f4e79" style="border-radius:4px">
<a href="{link}?utm_source=mail&amp;utm_campaign=week" style="display:inline-block;padding:10px 18px;color:#ffffff">Read on</a>
</td></tr></table></td></tr>"""


def _list_headers(key: str) -> tuple[tuple[str, str], ...]:
    return (
        ("List-Unsubscribe", f"<https://{key}.example.net/unsubscribe?u=ada>, <mailto:leave@{key}.example.net>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("List-Id", f"<news.{key}.example.net>"),
    )


LOOM = Letter(
    days(0, 5),
    "The Weekly Loom <news@loom.example.net>",
    "Patterns of the week: roses, sines and a very long scarf",
    "",
    "loom-27",
    html=_page(
        "Jacquard cards, half price until Sunday &mdash; and the longest scarf of the north",
        "\n".join(
            (
                _story(
                    "Roses from 1,600 cards",
                    "A weaver in Lyon has cut a deck that draws a <b>portrait of its inventor</b>. Up close it is"
                    " thread; from the door it looks at you.",
                    "https://loom.example.net/roses",
                    picture="A woven portrait in grey silk",
                ),
                _story(
                    "What a sine wave looks like in wool",
                    "Soft. We wove <i>sin&nbsp;x</i>, <i>sin&nbsp;2x</i> and &ndash; by mistake &ndash; <i>tan&nbsp;x</i>,"
                    " which is why the sale includes a scarf of 41&nbsp;metres.",
                    "https://loom.example.net/sine",
                ),
                (
                    '<tr><td style="padding:0 24px 24px"><h3>In the shop</h3><ul><li>Blank cards, <del>&pound;4</del>'
                    " <b>&pound;2</b></li><li>Card punch, hand-held</li><li>Loom oil, the good one</li></ul></td></tr>"
                ),
            )
        ),
        name="The Weekly Loom",
        key="loom",
    ),
    headers=_list_headers("loom"),
)

BOOKS = Letter(
    days(7, 3),
    "Ludgate Books <hello@books.example.net>",
    "Three new books you may like, Ada",
    "",
    "books",
    html=_page(
        "Because you bought \N{LEFT DOUBLE QUOTATION MARK}Differential Calculus\N{RIGHT DOUBLE QUOTATION MARK}",
        "<tr>"
        + "".join(
            f'<td width="33%" valign="top" style="padding:0 12px 24px"><img src="https://img.books.example.net/{number}.jpg"'
            f' width="160" height="220" alt="Cover: {title}" /><p><b>{title}</b><br />{author}<br />&pound;{price}<br />'
            f'<a href="https://books.example.net/b/{number}">Look inside</a></p></td>'
            for number, title, author, price in (
                (1, "On the Connexion of the Sciences", "M. Somerville", "7.50"),
                (2, "Tables of Logarithms, corrected", "C. Babbage", "4.20"),
                (3, "Researches in Electricity, vol. 1", "M. Faraday", "9.00"),
            )
        )
        + "</tr>",
        name="Ludgate Books",
        key="books",
    ),
    headers=_list_headers("books"),
)

TICKET = Letter(
    days(2, 1),
    "Great Western <tickets@trains.example.net>",
    "Your ticket 8841: Paddington to Weybridge",
    "",
    "ticket",
    html=_page(
        "Friday, 17:55 from Paddington",
        """<tr><td style="padding:0 24px 24px"><h1 style="font-size:24px">Your journey</h1>
<table width="100%" border="1" cellpadding="6"><thead><tr><th>Station</th><th>Arrives</th><th>Leaves</th><th>Platform</th></tr></thead>
<tbody><tr><td>London Paddington</td><td></td><td>17:55</td><td>4</td></tr>
<tr><td>Reading</td><td>18:31</td><td>18:44</td><td>7</td></tr>
<tr><td>Weybridge</td><td>19:20</td><td></td><td>1</td></tr></tbody></table>
<table width="100%"><tr><th align="left">What you paid</th><th></th></tr>
<tr><td>1 adult, second class</td><td align="right">&pound;5.90</td></tr>
<tr><td>Seat by the window</td><td align="right">&pound;0.50</td></tr>
<tr><td><b>Total</b></td><td align="right"><b>&pound;6.40</b></td></tr></table></td></tr>""",
        name="Great Western",
        key="trains",
    ),
)

MUSEUM = Letter(
    days(11, 2),
    "Museum of Machines <visit@museum.example.org>",
    "Open late on Fridays",
    "",
    "museum",
    html="""<html><body><center><font face="Georgia" size="5" color="#663300">Museum of Machines</font><br><br>
<table width="80%" bgcolor="#fffaf0"><tr><td><p>From now on we are open until <b>nine on Fridays</b>.
<p>The <u>silver swan</u> is wound at seven. Please do not feed it.
<blockquote>&ldquo;I watched the swan and it watched me.&rdquo;<br>&mdash; a visitor</blockquote>
<ol><li>Doors at six<li>The swan at seven<li>Lights out at nine</ol>
<hr><p><a href="https://museum.example.org/late">All dates</a> | <a href="mailto:visit@museum.example.org?subject=Friday">Write to us</a>
</td></tr></table></center></body></html>""",
)

PARCEL = Letter(
    days(1, 2),
    "Penny Post <track@post.example.net>",
    "Your parcel is with your neighbour",
    "Parcel 20 481 was left with G. Hart, ground floor.\n",
    "parcel",
    html="""<html><body style="font-family:sans-serif"><div>Your parcel <b>20&nbsp;481</b> was left with
<b>G. Hart</b>, ground floor.</div><div><br></div><div><a href="https://post.example.net/p/20481">Where it has been</a></div>
<img src="https://post.example.net/p/20481/seen.gif" height="1" width="1"></body></html>""",
)

LOGIN = Letter(
    days(3, 8),
    "Royal Library <security@library.example.org>",
    "New sign-in from Turin",
    """
    Hello Ada,

    your reader's card was used at a new place:

        Turin, Biblioteca Reale, desk 3

    If this was you, there is nothing to do. If not, tell us at
    https://library.example.org/card or at the desk. We never ask for your
    password by mail.

    The Royal Library
    """,
    "sign-in",
)

OVERDUE = Letter(
    days(5, 9),
    "Royal Library <desk@library.example.org>",
    "Overdue: 1 book",
    """
    Dear Ada Lovelace,

    this book was due on the 1st:

        Lacroix, Traité du calcul différentiel, vol. 2

    The fine is one penny a day. It has reached the price of the book.

    The Royal Library
    """,
    "overdue",
)

BOUNCE = Letter(
    days(13, 5),
    "Mail Delivery System <mailer-daemon@example.org>",
    "Undelivered Mail Returned to Sender",
    """
    This is the mail system at host mail.example.org.

    I'm sorry to have to inform you that your message could not be
    delivered to one recipient. It is below.

    <pascal@example.net>: host mx.example.net said: 550 5.1.1 no such
        user here since 1662 (in reply to RCPT TO command)
    """,
    "bounce",
    headers=(("Auto-Submitted", "auto-replied"),),
    files=(
        File(
            "returned.eml",
            "text/rfc822-headers",
            b"From: Ada Lovelace <ada@example.org>\nTo: pascal@example.net\nSubject: Your adding machine\n",
        ),
    ),
)

DIGEST = Letter(
    days(18, 7),
    "Savants <notify@savants.example.net>",
    "5 people looked at your notes",
    "See who looked at your notes: https://savants.example.net/you\n",
    "savants",
    html=_page(
        "And 2 of them are counts",
        "".join(
            f'<tr><td style="padding:6px 24px"><table role="presentation"><tr><td><img src="https://img.savants.example.net/{who}.jpg"'
            f' width="40" height="40" alt=""></td><td style="padding-left:12px"><a href="https://savants.example.net/{who}">{name}</a>'
            f"<br /><small>{what}</small></td></tr></table></td></tr>"
            for who, name, what in (
                ("menabrea", "Luigi Menabrea", "Captain of engineers, Turin"),
                ("wheatstone", "Charles Wheatstone", "Telegraphs, concertinas"),
                ("plana", "Giovanni Plana", "The moon, mostly"),
            )
        ),
        name="Savants",
        key="savants",
    ),
    headers=_list_headers("savants"),
)

LETTERS = (LOOM, BOOKS, TICKET, MUSEUM, PARCEL, LOGIN, OVERDUE, BOUNCE, DIGEST)


def invites(now: datetime) -> tuple[Letter, ...]:
    """Return an invitation in three days at two o'clock, a weekly one from another time zone, and a cancelled one."""
    day = now.replace(hour=14, minute=0, second=0, microsecond=0)
    meeting = day + timedelta(days=3)
    missed = day - timedelta(days=1)
    charles = "Charles Babbage <charles@example.net>"

    def event(uid: str, summary: str, start: datetime, **options: object) -> File:
        method = str(options.get("method", "REQUEST"))
        text = invite(uid, summary, start, start + timedelta(hours=2), method=method, sequence=int(method == "CANCEL"))
        return File("invite.ics", "text/calendar", text.encode())

    return (
        Letter(
            days(0, 16),
            charles,
            "Invitation: the engine turns, in three days at 14:00",
            f"""
            You are invited.

            What    The engine turns (for the first time, with the lever)
            When    {meeting:%A, %d %B %Y}, 14:00 to 16:00 UTC
            Where   1 Dorset Street, the workshop

            Bring somebody who does not believe it.
            """,
            "invite",
            files=(event("engine-turns", "The engine turns", meeting),),
        ),
        Letter(
            days(1, 5),
            "Luigi Menabrea <luigi@example.net>",
            "Tables by telegraph, now at nine",
            """
            Gentile Signora,

            the hour before was that of the post. Shall we say nine, Turin
            time, each week until the tables are done?
            """,
            "tables",
            files=(
                File(
                    "tables.ics", "text/calendar", series("tables", "Tables by telegraph", day.replace(hour=9)).encode()
                ),
            ),
        ),
        Letter(
            days(2, 10),
            charles,
            "Cancelled: the engine turns",
            """
            Called off. The engine did not turn. A spanner was in it.
            """,
            "invite-off",
            files=(event("engine-turned", "The engine turns", missed, method="CANCEL"),),
        ),
    )
