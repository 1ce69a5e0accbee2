"""Guess the servers of an address, from a table of large providers or by the usual names, without the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from termmail.accounts.config import Account, Imap, Pop3, Smtp

if TYPE_CHECKING:
    from termmail.credential import MailProtocol, ServerKind

_APP_ONLY = "{} needs an app password here, not your usual one: create it in the security settings of your account."
_SWITCH_ON = "Allow mail programs (POP3 and IMAP) in the settings of your {} account first."
_SWITCH_IMAP_ON = "Switch IMAP on in the settings of your {} account first."
_SWITCH_POP_ON = "Switch POP on in the settings of your {} account first."
_EVERYWHERE: tuple[ServerKind, ...] = ("imap", "pop3", "smtp")


@dataclass(frozen=True, slots=True)
class Provider:
    """The servers of a provider: IMAP on 993, POP3 on 995, SMTP on 465 over TLS (STARTTLS: 143, 587), or as given.

    A provider without IMAP or POP3 has "" there. `local_user`: the servers whose user name is the part before the @.
    `poll_minutes`: the shortest interval that the POP3 server accepts. `oauth_only`: it takes no password. The notes are
    sentences for whoever sets up the account: `note` for both protocols, `imap_note` and `pop3_note` for one.
    """

    domains: tuple[str, ...]
    imap: str
    pop3: str
    smtp: str
    smtp_security: Literal["tls", "starttls"] = "tls"
    smtp_port: int = 0
    imap_security: Literal["tls", "starttls"] = "tls"
    imap_port: int = 0
    local_user: tuple[ServerKind, ...] = ()
    poll_minutes: int = 5
    oauth_only: bool = False
    note: str = ""
    imap_note: str = ""
    pop3_note: str = ""


PROVIDERS = (
    Provider(
        ("gmail.com", "googlemail.com"),
        "imap.gmail.com",
        "pop.gmail.com",
        "smtp.gmail.com",
        note="Gmail wants an app password here (it needs 2-step verification).",
        pop3_note=_SWITCH_POP_ON.format("Gmail"),
    ),
    Provider(
        (
            *("outlook.com", "outlook.de", "outlook.fr", "outlook.es", "outlook.it", "hotmail.com", "hotmail.co.uk"),
            *("hotmail.de", "hotmail.fr", "hotmail.it", "hotmail.es", "live.com", "live.de", "live.fr", "live.nl"),
            *("live.co.uk", "msn.com", "windowslive.com"),
        ),
        "outlook.office365.com",
        "outlook.office365.com",
        "smtp.office365.com",
        "starttls",
        oauth_only=True,
        note="Microsoft takes no password from mail programs, only logins over OAuth, which termmail cannot do yet.",
    ),
    Provider(
        (
            *("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.se", "yahoo.ca"),
            *("yahoo.com.au", "yahoo.com.br", "yahoo.com.mx", "yahoo.co.nz", "ymail.com", "rocketmail.com"),
        ),
        "imap.mail.yahoo.com",
        "pop.mail.yahoo.com",
        "smtp.mail.yahoo.com",
        note=_APP_ONLY.format("Yahoo"),
    ),
    Provider(
        ("aol.com", "aol.de", "aol.fr", "aol.co.uk", "aim.com", "netscape.net", "compuserve.com"),
        "imap.aol.com",
        "pop.aol.com",
        "smtp.aol.com",
        note=_APP_ONLY.format("AOL"),
    ),
    Provider(
        ("att.net", "sbcglobal.net", "bellsouth.net", "pacbell.net", "ameritech.net", "currently.com"),
        "imap.mail.att.net",
        "inbound.att.net",
        "outbound.att.net",
        note="AT&T wants a secure mail key here, not your usual password.",
    ),
    Provider(
        ("icloud.com", "me.com", "mac.com"),
        "imap.mail.me.com",
        "",
        "smtp.mail.me.com",
        "starttls",
        local_user=("imap",),
        note=_APP_ONLY.format("iCloud"),
    ),
    Provider(
        ("proton.me", "protonmail.com", "protonmail.ch", "pm.me"),
        "127.0.0.1",
        "",
        "127.0.0.1",
        "starttls",
        smtp_port=1025,
        imap_security="starttls",
        imap_port=1143,
        note="Proton needs its Bridge running on this computer: use the password that the Bridge shows, and the"
        " certificate that it exports as CA file.",
    ),
    Provider(
        ("fastmail.com", "fastmail.fm", "messagingengine.com"),
        "imap.fastmail.com",
        "pop.fastmail.com",
        "smtp.fastmail.com",
        note=_APP_ONLY.format("Fastmail"),
    ),
    Provider(
        ("gmx.net", "gmx.de", "gmx.at", "gmx.ch", "gmx.eu", "gmx.org", "gmx.info"),
        "imap.gmx.net",
        "pop.gmx.net",
        "mail.gmx.net",
        note=_SWITCH_ON.format("GMX"),
    ),
    Provider(
        ("gmx.com", "gmx.us", "gmx.co.uk", "gmx.fr", "gmx.es"),
        "imap.gmx.com",
        "pop.gmx.com",
        "mail.gmx.com",
        note=_SWITCH_ON.format("GMX"),
    ),
    Provider(
        ("web.de",),
        "imap.web.de",
        "pop3.web.de",
        "smtp.web.de",
        local_user=_EVERYWHERE,
        poll_minutes=15,
        note=_SWITCH_ON.format("WEB.DE"),
    ),
    Provider(
        ("mail.com", "email.com", "usa.com", "post.com", "europe.com", "consultant.com", "engineer.com"),
        "imap.mail.com",
        "pop.mail.com",
        "smtp.mail.com",
        note="Mail programs (POP3 and IMAP) belong to the paid mail.com accounts, and must be allowed in the settings.",
    ),
    Provider(
        ("posteo.de", "posteo.net", "posteo.org", "posteo.at", "posteo.ch", "posteo.eu"),
        "posteo.de",
        "posteo.de",
        "posteo.de",
    ),
    Provider(
        ("mailbox.org",),
        "imap.mailbox.org",
        "pop3.mailbox.org",
        "smtp.mailbox.org",
        note="With two-factor login, mailbox.org wants an app password here.",
    ),
    Provider(
        ("t-online.de", "magenta.de"),
        "secureimap.t-online.de",
        "securepop.t-online.de",
        "securesmtp.t-online.de",
        note="T-Online has a password of its own for mail programs: set it in the e-mail centre.",
    ),
    Provider(("freenet.de",), "mx.freenet.de", "mx.freenet.de", "mx.freenet.de", note=_SWITCH_ON.format("freenet")),
    Provider(
        ("zoho.com", "zohomail.com"),
        "imap.zoho.com",
        "pop.zoho.com",
        "smtp.zoho.com",
        note="With two-factor login Zoho wants an app password here.",
        imap_note=_SWITCH_IMAP_ON.format("Zoho"),
        pop3_note=_SWITCH_POP_ON.format("Zoho"),
    ),
    Provider(
        ("zoho.eu", "zohomail.eu"),
        "imap.zoho.eu",
        "pop.zoho.eu",
        "smtp.zoho.eu",
        note="With two-factor login Zoho wants an app password here.",
        imap_note=_SWITCH_IMAP_ON.format("Zoho"),
        pop3_note=_SWITCH_POP_ON.format("Zoho"),
    ),
    Provider(("free.fr",), "imap.free.fr", "pop.free.fr", "smtp.free.fr", local_user=_EVERYWHERE),
    Provider(("orange.fr", "wanadoo.fr"), "imap.orange.fr", "pop.orange.fr", "smtp.orange.fr"),
    Provider(
        ("libero.it", "iol.it", "inwind.it", "blu.it"), "imapmail.libero.it", "popmail.libero.it", "smtp.libero.it"
    ),
    Provider(
        ("kpnmail.nl", "planet.nl", "hetnet.nl", "xs4all.nl", "telfort.nl"),
        "imap.kpnmail.nl",
        "pop.kpnmail.nl",
        "smtp.kpnmail.nl",
    ),
    Provider(("o2.pl", "go2.pl", "tlen.pl"), "poczta.o2.pl", "poczta.o2.pl", "poczta.o2.pl", local_user=_EVERYWHERE),
    Provider(
        ("yandex.com", "yandex.ru", "yandex.by", "yandex.kz", "ya.ru"),
        "imap.yandex.com",
        "pop.yandex.com",
        "smtp.yandex.com",
        note=_APP_ONLY.format("Yandex"),
        imap_note=_SWITCH_IMAP_ON.format("Yandex"),
        pop3_note=_SWITCH_POP_ON.format("Yandex"),
    ),
    Provider(
        ("mail.ru", "inbox.ru", "list.ru", "bk.ru"),
        "imap.mail.ru",
        "pop.mail.ru",
        "smtp.mail.ru",
        note=_APP_ONLY.format("Mail.ru"),
    ),
    Provider(
        ("naver.com",),
        "imap.naver.com",
        "pop.naver.com",
        "smtp.naver.com",
        imap_note=_SWITCH_IMAP_ON.format("Naver"),
        pop3_note=_SWITCH_POP_ON.format("Naver"),
    ),
)

_BY_DOMAIN = {domain: provider for provider in PROVIDERS for domain in provider.domains}
_BY_HOST = {host: one for one in reversed(PROVIDERS) for host in (one.imap, one.pop3, one.smtp) if host}


def provider(address: str) -> Provider | None:
    """Return the provider of an address, or None if it is not in the table."""
    return _BY_DOMAIN.get(_domain(address))


def protocols(address: str) -> tuple[MailProtocol, ...]:
    """Return the protocols by which mail of an address can be received, the better one first; both where unknown."""
    known = provider(address)
    both: tuple[MailProtocol, ...] = ("imap", "pop3")
    return tuple(protocol for protocol in both if known is None or getattr(known, protocol))


def note(address: str, protocol: MailProtocol | None = None) -> str:
    """Return what to know about the provider of an address when setting it up: sentences, or "".

    Without `protocol` they are about the protocol that `guess` takes.
    """
    known = provider(address)
    if known is None:
        return ""
    protocol = protocol or protocols(address)[0]
    return " ".join(filter(None, (known.note, known.imap_note if protocol == "imap" else known.pop3_note)))


def server_note(host: str) -> str:
    """Return what to know about the provider that a server belongs to, whatever the domain of the address, or ""."""
    known = _BY_HOST.get(host.lower())
    return known.note if known else ""


def oauth_note(host: str) -> str:
    """Return the sentence that a server takes no password, only logins over OAuth; "" where it does, or is unknown."""
    known = _BY_HOST.get(host.lower())
    return known.note if known and known.oauth_only else ""


def guess(address: str, protocol: MailProtocol | None = None) -> Account:
    """Return an account with the servers of a known provider, else imap.DOMAIN (993) and smtp.DOMAIN (465) over TLS.

    `address` is `local@domain`; the user name is all of it, unless the provider uses the local part. Without `protocol`
    mail is received by IMAP where the provider has it. For a protocol that it does not have (see `protocols`), the
    server has the usual name.
    """
    domain = _ascii(_domain(address))
    known = provider(address) or Provider((), f"imap.{domain}", f"pop.{domain}", f"smtp.{domain}")
    users = {kind: address.rpartition("@")[0] if kind in known.local_user else address for kind in _EVERYWHERE}
    smtp = Smtp(host=known.smtp, port=known.smtp_port, security=known.smtp_security, username=users["smtp"])
    if (protocol or protocols(address)[0]) == "pop3":
        host = known.pop3 or f"pop.{domain}"
        pop3 = Pop3(host=host, username=users["pop3"], poll_minutes=known.poll_minutes)
        return Account(address=address, pop3=pop3, smtp=smtp)
    host = known.imap or f"imap.{domain}"
    imap = Imap(host=host, port=known.imap_port, security=known.imap_security, username=users["imap"])
    return Account(address=address, imap=imap, smtp=smtp)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().lower()


def _ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
