"""Ask DNS for the SRV records of a domain's mail servers (RFC 6186, RFC 8314 section 5)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal, NamedTuple

from termmail.net.lookup.proposal import Proposal, host_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    import dns.asyncresolver

    from termmail.credential import ServerKind

MOST_RECORDS = 8
"""Records of one service that are looked at, the best first."""


class Record(NamedTuple):
    """What an SRV record says; `target` is "." where the service is not offered."""

    priority: int
    weight: int
    port: int
    target: str


class Service(NamedTuple):
    """A service as RFC 6186 and RFC 8314 name it."""

    label: str
    kind: ServerKind
    security: Literal["tls", "starttls"]


SERVICES = (
    Service("_imaps", "imap", "tls"),
    Service("_imap", "imap", "starttls"),
    Service("_pop3s", "pop3", "tls"),
    Service("_pop3", "pop3", "starttls"),
    Service("_submissions", "smtp", "tls"),
    Service("_submission", "smtp", "starttls"),
)
"""TLS from the first byte comes before STARTTLS (RFC 8314 section 3)."""


def chosen(service: Service, records: Iterable[Record]) -> list[Proposal]:
    """Return the servers of one service by priority, then weight. Nothing where a record says that it is not offered."""
    best = sorted(records, key=lambda record: (record.priority, -record.weight))[:MOST_RECORDS]
    if any(record.target == "." for record in best):
        return []
    found = []
    for record in best:
        host = host_name(record.target)
        if host is not None and record.port:
            found.append(Proposal(service.kind, host, record.port, service.security))
    return found


async def ask(resolver: dns.asyncresolver.Resolver, domain: str, seconds: float) -> tuple[list[Proposal], str]:
    """Return the servers that the SRV records of a domain name, and a sentence about DNS if it did not answer, or ""."""
    answers = await asyncio.gather(*(_records(resolver, service, domain, seconds) for service in SERVICES))
    found = [one for service, records in zip(SERVICES, answers, strict=True) for one in chosen(service, records or ())]
    silent = any(records is None for records in answers)
    return found, f"DNS gave no answer for all of {domain}." if silent else ""


async def _records(
    resolver: dns.asyncresolver.Resolver, service: Service, domain: str, seconds: float
) -> list[Record] | None:
    """Return the SRV records of one service; None where DNS did not answer."""
    import dns.exception  # noqa: PLC0415 - not needed for the first screen
    import dns.resolver  # noqa: PLC0415

    try:
        answer = await resolver.resolve(f"{service.label}._tcp.{domain}.", "SRV", search=False, lifetime=seconds)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError, EOFError):
        return None
    return [Record(one.priority, one.weight, one.port, one.target.to_text()) for one in answer]
