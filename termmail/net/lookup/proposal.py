"""A server that a domain names for its mail, and which names of hosts are taken from an answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from termmail.credential import ServerKind

_HOST = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)(?![0-9]+\Z)[a-z0-9-]{2,63}(?<!-)\Z")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A server that was named. `username` is "" where the answer does not tell; security is never "none"."""

    kind: ServerKind
    host: str
    port: int
    security: Literal["tls", "starttls"]
    username: str = ""


def host_name(text: str) -> str | None:
    """Return a host name from an answer in lower case and ASCII, or None if it is none: an IP address, an option, junk."""
    name = ascii_name(text.removesuffix("."))
    return name if name is not None and _HOST.match(name) else None


def ascii_name(domain: str) -> str | None:
    """Return a domain in lower case with labels in Punycode (RFC 3490), or None if it has no such form."""
    try:
        return domain.encode("idna").decode().lower()
    except UnicodeError:
        return None


def inside(host: str, domain: str) -> bool:
    """Return whether a host belongs to a domain: the domain itself or a name below it. Both are in ASCII."""
    return host == domain or host.endswith(f".{domain}")
