"""Look up the servers of an address that is not in the table of providers, once the user has allowed it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from termmail.accounts.config import Imap, Pop3, Smtp
from termmail.accounts.discovery import provider, server_note

if TYPE_CHECKING:
    from termmail.credential import MailProtocol, ServerKind
    from termmail.net.lookup.domain_lookup import Network
    from termmail.net.lookup.proposal import Proposal

_TYPES: dict[ServerKind, type[Imap | Pop3 | Smtp]] = {"imap": Imap, "pop3": Pop3, "smtp": Smtp}


@dataclass(frozen=True, slots=True)
class LookedUp:
    """The servers that a domain named and that answered, None where there is none.

    `outside` are those hosts that are not part of the domain: the user has to see their names before a password is sent
    there. `lines` are sentences on what was found.
    """

    domain: str
    imap: Imap | None = None
    pop3: Pop3 | None = None
    smtp: Smtp | None = None
    outside: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def protocols(self) -> tuple[MailProtocol, ...]:
        """What mail can be received by, the better one first."""
        both: tuple[MailProtocol, ...] = ("imap", "pop3")
        return tuple(protocol for protocol in both if getattr(self, protocol))

    @property
    def found(self) -> bool:
        """Whether any server was found."""
        return bool(self.protocols or self.smtp)

    def server(self, kind: ServerKind) -> Imap | Pop3 | Smtp | None:
        """Return the server of this kind."""
        return {"imap": self.imap, "pop3": self.pop3, "smtp": self.smtp}[kind]


def can_ask(address: str) -> str:
    """Return the domain that can be asked for the servers of an address; "" where the table knows them, or it has none."""
    from termmail.net.lookup.proposal import host_name  # noqa: PLC0415 - not needed for the first screen

    domain = host_name(address.rpartition("@")[2])
    return domain if domain is not None and provider(address) is None else ""


def why_not_asked(address: str) -> str:
    """Return the sentence that says why nobody is asked for the servers of an address."""
    is_known = provider(address) is not None
    return "The servers of this provider are known." if is_known else "This address has no domain to ask."


def what_is_asked(domain: str) -> str:
    """Return the sentence that tells the user who is asked for what, before they allow it."""
    return (
        f"Asks DNS, https://autoconfig.{domain} and https://{domain}, and connects to the servers they name,"
        " without logging in. Your address is not sent."
    )


async def look_up(address: str, network: Network | None = None) -> LookedUp:
    """Ask the domain of an address for its mail servers, and see which of them answer. Call it only after a yes."""
    from termmail.net.lookup import domain_lookup  # noqa: PLC0415 - not needed for the first screen
    from termmail.net.lookup.proposal import host_name, inside  # noqa: PLC0415

    domain = host_name(address.rpartition("@")[2]) or ""
    answer = await domain_lookup.look_up(address, network or domain_lookup.Network())
    found = {one.kind: settings for one in answer.servers if (settings := _settings(one, address)) is not None}
    hosts = list(dict.fromkeys(server.host for server in found.values()))
    outside = tuple(host for host in hosts if not inside(host, domain))
    if hosts:
        lines = [f"{domain} names {' and '.join(hosts)}.", *filter(None, map(server_note, hosts))]
        if outside:
            lines.insert(1, f"{' and '.join(outside)} {'is' if len(outside) == 1 else 'are'} not part of {domain}.")
        if "smtp" not in found:
            lines += [*answer.troubles, "No server for sending was found."]
        elif len(found) == 1:
            lines += [*answer.troubles, "No server to receive from was found."]
    elif answer.oauth_only:
        lines = [f"{domain} takes only logins over OAuth, which termmail cannot do yet."]
    else:
        lines = [*answer.troubles, f"No mail server was found by asking {domain}."]
    return LookedUp(domain, outside=outside, lines=tuple(dict.fromkeys(lines)), **found)  # type: ignore[arg-type]


def _settings(proposal: Proposal, address: str) -> Imap | Pop3 | Smtp | None:
    """Return a proposal as settings, or None where config.toml would not take them."""
    values = {
        "host": proposal.host,
        "port": proposal.port,
        "security": proposal.security,
        "username": proposal.username or address,
    }
    try:
        return msgspec.convert(values, _TYPES[proposal.kind])
    except msgspec.ValidationError:
        return None
