"""Read the autoconfig file of a domain (Mozilla's config-v1.1.xml), without entities, in bounded depth and size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple
from xml.parsers import expat

from termmail.net.lookup.proposal import Proposal, host_name

if TYPE_CHECKING:
    from termmail.credential import ServerKind

DEEPEST = 16
MOST_ELEMENTS = 5000
LONGEST_TEXT = 500
"""Characters of one value."""
MOST_SERVERS = 20

_PASSWORDS = {"password-cleartext", "password-encrypted", "plain", "secure"}
"""Ways to log in that need a password only."""
_SECURITY: dict[str, Literal["tls", "starttls"]] = {"SSL": "tls", "TLS": "tls", "STARTTLS": "starttls"}
_KINDS: dict[tuple[str, str], ServerKind] = {
    ("incomingServer", "imap"): "imap",
    ("incomingServer", "pop3"): "pop3",
    ("outgoingServer", "smtp"): "smtp",
}


class InvalidConfig(ValueError):
    """The file is not an autoconfig file that can be read safely."""


class Autoconfig(NamedTuple):
    """The servers of the file in its order, and whether some take no password but only OAuth."""

    servers: tuple[Proposal, ...]
    oauth_only: bool


class _Server(NamedTuple):
    element: str
    type: str
    values: dict[str, list[str]]


def parse(data: bytes, address: str) -> Autoconfig:
    """Return the servers that the file has for an address. Raises InvalidConfig.

    Servers without TLS, without a password login or without a valid host and port are left out.
    """
    found: list[Proposal] = []
    oauth = 0
    for server in _servers(data):
        kind = _KINDS.get((server.element, server.type))
        if kind is None:
            continue
        logins = server.values.get("authentication", [])
        if logins and not _PASSWORDS & set(logins):
            oauth += "OAuth2" in logins
        elif (proposal := _proposal(kind, server.values, address)) is not None:
            found.append(proposal)
    return Autoconfig(tuple(found), bool(oauth) and not found)


def _proposal(kind: ServerKind, values: dict[str, list[str]], address: str) -> Proposal | None:
    """Return a server as a proposal, or None if it cannot be used."""
    first = {name: texts[0] for name, texts in values.items()}
    host = host_name(filled(first.get("hostname", ""), address))
    port = first.get("port", "")
    security = _SECURITY.get(first.get("socketType", ""))
    if host is None or security is None or not (port.isascii() and port.isdecimal() and len(port) <= 5):
        return None
    if not 1 <= int(port) <= 65535:
        return None
    username = filled(first.get("username", ""), address)
    return Proposal(kind, host, int(port), security, username if username.isprintable() and "%" not in username else "")


def filled(template: str, address: str) -> str:
    """Return a value of the file with its placeholders replaced from the address."""
    local, _, domain = address.rpartition("@")
    for placeholder, text in (
        ("%EMAILADDRESS%", address),
        ("%EMAILLOCALPART%", local),
        ("%EMAILDOMAIN%", domain),
    ):
        template = template.replace(placeholder, text)
    return template


def _servers(data: bytes) -> list[_Server]:
    """Return the server elements of the file with the texts of their children. Raises InvalidConfig."""
    path: list[str] = []
    servers: list[_Server] = []
    texts: list[str] = []
    elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        path.append(name)
        texts.clear()
        if len(path) > DEEPEST or elements > MOST_ELEMENTS:
            raise InvalidConfig("The file is nested too deeply or has too many elements.")
        if path[:-1] == ["clientConfig", "emailProvider"] and name in {"incomingServer", "outgoingServer"}:
            if len(servers) >= MOST_SERVERS:
                raise InvalidConfig("The file names too many servers.")
            servers.append(_Server(name, attributes.get("type", ""), {}))

    def end(name: str) -> None:
        path.pop()
        if in_server(path):
            servers[-1].values.setdefault(name, []).append("".join(texts).strip())

    def in_server(path: list[str]) -> bool:
        return bool(servers) and path == ["clientConfig", "emailProvider", servers[-1].element]

    def text(data: str) -> None:
        if not in_server(path[:-1]):
            return
        texts.append(data)
        if sum(map(len, texts)) > LONGEST_TEXT:
            raise InvalidConfig("A value of the file is too long.")

    def forbidden(*_: object) -> None:
        raise InvalidConfig("The file declares a document type or an entity.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = forbidden
    parser.EntityDeclHandler = forbidden
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise error if isinstance(error, InvalidConfig) else InvalidConfig("The file is not valid XML.") from error
    return servers
