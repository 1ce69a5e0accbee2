"""Guess the servers of an address, from a table of large providers or by the usual names, without the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from termmail.accounts.config import Account, Pop3, Smtp

_APP_ONLY = "{} needs an app password here, not your usual one: create it in the security settings of your account."
_SWITCH_ON = "Allow mail programs (POP3) in the settings of your {} account first."
_NO_POP3 = "{} has no POP3, so termmail cannot fetch mail from it."


@dataclass(frozen=True, slots=True)
class Provider:
    """The servers of a provider: POP3 on 995 and SMTP on 465 over TLS (587 with STARTTLS), unless given otherwise.

    `local_user`: the user name is the part before the @. `poll_minutes`: the shortest interval that the server accepts.
    `note` is a sentence for whoever sets up the account.
    """

    domains: tuple[str, ...]
    pop3: str
    smtp: str
    smtp_security: Literal["tls", "starttls"] = "tls"
    smtp_port: int = 0
    local_user: bool = False
    poll_minutes: int = 5
    note: str = ""


PROVIDERS = (
    Provider(
        ("gmail.com", "googlemail.com"),
        "pop.gmail.com",
        "smtp.gmail.com",
        note="Gmail wants an app password here (it needs 2-step verification), and POP switched on in its settings.",
    ),
    Provider(
        (
            *("outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it", "hotmail.com", "hotmail.co.uk"),
            *("hotmail.de", "hotmail.fr", "hotmail.it", "hotmail.es", "live.com", "live.de", "live.fr", "live.nl"),
            *("live.co.uk", "msn.com", "windowslive.com"),
        ),
        "outlook.office365.com",
        "smtp.office365.com",
        "starttls",
        note="Outlook.com takes only logins over OAuth, which termmail cannot do yet.",
    ),
    Provider(
        (
            *("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.se", "yahoo.ca"),
            *("yahoo.com.au", "yahoo.com.br", "yahoo.com.mx", "yahoo.co.nz", "ymail.com", "rocketmail.com"),
        ),
        "pop.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        note=_APP_ONLY.format("Yahoo"),
    ),
    Provider(
        ("aol.com", "aol.de", "aol.fr", "aol.co.uk", "aim.com", "netscape.net", "compuserve.com"),
        "pop.aol.com",
        "smtp.aol.com",
        note=_APP_ONLY.format("AOL"),
    ),
    Provider(
        ("att.net", "sbcglobal.net", "bellsouth.net", "pacbell.net", "ameritech.net", "currently.com"),
        "inbound.att.net",
        "outbound.att.net",
        note="AT&T wants a secure mail key here, not your usual password.",
    ),
    Provider(
        ("icloud.com", "me.com", "mac.com"),
        "pop.mail.me.com",
        "smtp.mail.me.com",
        "starttls",
        note=_NO_POP3.format("iCloud"),
    ),
    Provider(
        ("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
        "127.0.0.1",
        "127.0.0.1",
        "starttls",
        smtp_port=1025,
        note="Proton has no POP3, not even through its Bridge, so termmail cannot fetch mail from it.",
    ),
    Provider(
        ("fastmail.com", "fastmail.fm", "messagingengine.com"),
        "pop.fastmail.com",
        "smtp.fastmail.com",
        note=_APP_ONLY.format("Fastmail"),
    ),
    Provider(
        ("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.eu", "gmx.org", "gmx.info"),
        "pop.gmx.net",
        "mail.gmx.net",
        note=_SWITCH_ON.format("GMX"),
    ),
    Provider(
        ("gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es"),
        "pop.gmx.com",
        "mail.gmx.com",
        note=_SWITCH_ON.format("GMX"),
    ),
    Provider(
        ("web.de",),
        "pop3.web.de",
        "smtp.web.de",
        local_user=True,
        poll_minutes=15,
        note=_SWITCH_ON.format("WEB.DE"),
    ),
    Provider(
        ("mail.com", "email.com", "usa.com", "post.com", "europe.com", "consultant.com", "engineer.com"),
        "pop.mail.com",
        "smtp.mail.com",
        note="POP3 belongs to the paid mail.com accounts and must be switched on in the settings.",
    ),
    Provider(
        ("posteo.de", "posteo.net", "posteo.org", "posteo.at", "posteo.ch", "posteo.eu"), "posteo.de", "posteo.de"
    ),
    Provider(
        ("mailbox.org",),
        "pop3.mailbox.org",
        "smtp.mailbox.org",
        note="With two-factor login, mailbox.org wants an app password here.",
    ),
    Provider(
        ("t-online.de", "magenta.de"),
        "securepop.t-online.de",
        "securesmtp.t-online.de",
        note="T-Online has a password of its own for mail programs: set it in the e-mail centre.",
    ),
    Provider(("freenet.de",), "mx.freenet.de", "mx.freenet.de", note=_SWITCH_ON.format("freenet")),
    Provider(
        ("zoho.com", "zohomail.com"),
        "pop.zoho.com",
        "smtp.zoho.com",
        note="POP must be switched on in Zoho's settings; with two-factor login Zoho wants an app password here.",
    ),
    Provider(
        ("zoho.eu", "zohomail.eu"),
        "pop.zoho.eu",
        "smtp.zoho.eu",
        note="POP must be switched on in Zoho's settings; with two-factor login Zoho wants an app password here.",
    ),
    Provider(("free.fr",), "pop.free.fr", "smtp.free.fr", local_user=True),
    Provider(("orange.fr", "wanadoo.fr"), "pop.orange.fr", "smtp.orange.fr"),
    Provider(("libero.it", "iol.it", "inwind.it", "blu.it"), "popmail.libero.it", "smtp.libero.it"),
    Provider(("kpnmail.nl", "planet.nl", "hetnet.nl", "xs4all.nl", "telfort.nl"), "pop.kpnmail.nl", "smtp.kpnmail.nl"),
    Provider(("o2.pl", "go2.pl", "tlen.pl"), "poczta.o2.pl", "poczta.o2.pl", local_user=True),
    Provider(
        ("yandex.com", "yandex.ru", "yandex.by", "yandex.kz", "ya.ru"),
        "pop.yandex.com",
        "smtp.yandex.com",
        note=_APP_ONLY.format("Yandex"),
    ),
    Provider(
        ("mail.ru", "inbox.ru", "list.ru", "bk.ru"),
        "pop.mail.ru",
        "smtp.mail.ru",
        note=_APP_ONLY.format("Mail.ru"),
    ),
    Provider(("naver.com",), "pop.naver.com", "smtp.naver.com", note=_SWITCH_ON.format("Naver")),
)

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}


def provider(address: str) -> Provider | None:
    """Return the provider of an address, or None if it is not in the table."""
    return _BY_DOMAIN.get(_domain(address))


def note(address: str) -> str:
    """Return what to know about the provider of an address when setting it up: a sentence, or ""."""
    known = provider(address)
    return known.note if known else ""


def guess(address: str) -> Account:
    """Return an account with the servers of a known provider, else pop.DOMAIN (995) and smtp.DOMAIN (465) over TLS.

    `address` is `local@domain`; the user name is all of it, unless the provider uses the local part.
    """
    known = provider(address)
    if known is None:
        domain = _ascii(_domain(address))
        return Account(
            address=address,
            pop3=Pop3(host=f"pop.{domain}", username=address),
            smtp=Smtp(host=f"smtp.{domain}", username=address),
        )
    user = address.rpartition("@")[0] if known.local_user else address
    return Account(
        address=address,
        pop3=Pop3(host=known.pop3, username=user, poll_minutes=known.poll_minutes),
        smtp=Smtp(host=known.smtp, port=known.smtp_port, security=known.smtp_security, username=user),
    )


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
