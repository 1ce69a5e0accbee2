"""Ask a domain for its mail servers (DNS and its own autoconfig file), and see which answer. The address is not told."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from termmail.net.lookup import greeting, srv
from termmail.net.lookup.autoconfig import Autoconfig, InvalidConfig, parse
from termmail.net.lookup.https_get import Place, get
from termmail.net.lookup.proposal import host_name

if TYPE_CHECKING:
    import dns.asyncresolver

    from termmail.credential import ServerKind
    from termmail.net.lookup.proposal import Proposal

SECONDS = 10.0
"""The limit for asking."""
MOST_TRIED = 3
"""Servers of one kind that are tried until one greets; each has half the time that asking has."""


@dataclass(frozen=True, slots=True)
class Network:
    """Where is asked: the system's name servers and HTTPS, unless a test says otherwise."""

    nameservers: tuple[str, ...] = ()
    dns_port: int = 53
    https_port: int = 443
    ca_file: str | None = None
    seconds: float = SECONDS


class Answer(NamedTuple):
    """What a domain says of its mail servers.

    `servers` has at most one of each kind, which greeted. `oauth_only` tells that the domain has servers and none that
    takes a password. The troubles are sentences for the user.
    """

    servers: tuple[Proposal, ...] = ()
    oauth_only: bool = False
    troubles: tuple[str, ...] = ()


def hosts_asked(domain: str) -> tuple[str, str]:
    """Return the hosts that are asked over HTTPS."""
    return f"autoconfig.{domain}", domain


async def look_up(address: str, network: Network) -> Answer:
    """Ask the domain of an address for its mail servers; the address is told to nobody.

    It runs on an event loop of its own in a worker thread: a large answer of DNS takes longer to parse than the screen
    may wait.
    """
    worker = _Worker(address, network)
    try:
        return await asyncio.to_thread(worker.run)
    except asyncio.CancelledError:
        worker.stop()
        raise


class _Worker:
    """The look-up on its own event loop, which another thread can stop."""

    def __init__(self, address: str, network: Network) -> None:
        self._address = address
        self._network = network
        self._lock = threading.Lock()
        self._stopped = False
        self._running: tuple[asyncio.AbstractEventLoop, asyncio.Task[Answer]] | None = None

    def run(self) -> Answer:
        try:
            return asyncio.run(self._run())
        except asyncio.CancelledError:
            return Answer()  # nobody waits for it any more

    async def _run(self) -> Answer:
        task = asyncio.create_task(_look_up(self._address, self._network))
        with self._lock:
            self._running = asyncio.get_running_loop(), task
            if self._stopped:
                task.cancel()
        try:
            return await task
        finally:
            with self._lock:
                self._running = None

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._running is not None:
                loop, task = self._running
                loop.call_soon_threadsafe(task.cancel)


async def _look_up(address: str, network: Network) -> Answer:
    domain = host_name(address.rpartition("@")[2])
    if domain is None:
        return Answer(troubles=("The address has no domain that could be asked.",))
    resolver = _resolver(network)
    if resolver is None:
        return Answer(troubles=("This computer names no DNS server to ask.",))
    first, second = hosts_asked(domain)
    places = (
        Place(first, "/mail/config-v1.1.xml", network.https_port),
        Place(second, "/.well-known/autoconfig/mail/config-v1.1.xml", network.https_port),
    )
    (named, silence), files = await asyncio.gather(
        srv.ask(resolver, domain, network.seconds),
        asyncio.gather(*(_autoconfig(place, domain, address, resolver, network) for place in places)),
    )
    config = next((config for config, _ in files if config is not None), Autoconfig((), oauth_only=False))
    proposals = tuple(dict.fromkeys((*config.servers, *named)))  # DNS, which proves nothing, comes behind the file
    kinds: tuple[ServerKind, ...] = ("imap", "pop3", "smtp")
    tried = await asyncio.gather(
        *(_first_to_greet([one for one in proposals if one.kind == kind], resolver, network) for kind in kinds)
    )
    return Answer(
        tuple(server for server, _ in tried if server is not None),
        oauth_only=config.oauth_only and not proposals,
        troubles=tuple(
            filter(
                None,
                (
                    silence,
                    *(trouble for _, trouble in files),
                    *(trouble for _, several in tried for trouble in several),
                ),
            )
        ),
    )


async def _first_to_greet(
    proposals: list[Proposal], resolver: dns.asyncresolver.Resolver, network: Network
) -> tuple[Proposal | None, list[str]]:
    """Return the first server that greets, and sentences on those before it."""
    troubles: list[str] = []
    for proposal in proposals[:MOST_TRIED]:
        trouble = await greeting.failure(proposal, resolver, network.seconds / 2, network.ca_file)
        if not trouble:
            return proposal, troubles
        troubles.append(trouble)
    return None, troubles


def _resolver(network: Network) -> dns.asyncresolver.Resolver | None:
    import dns.asyncresolver  # noqa: PLC0415 - not needed for the first screen
    import dns.resolver  # noqa: PLC0415

    try:
        resolver = dns.asyncresolver.Resolver(configure=not network.nameservers)
    except dns.resolver.NoResolverConfiguration:
        return None
    if network.nameservers:
        resolver.nameservers = list(network.nameservers)
        resolver.port = network.dns_port
    return resolver


async def _autoconfig(
    place: Place, domain: str, address: str, resolver: dns.asyncresolver.Resolver, network: Network
) -> tuple[Autoconfig | None, str]:
    """Return what the file at a place says, or None and a sentence about what is wrong with it, if anything is."""
    fetched = await get(place, domain, resolver, network.seconds, network.ca_file)
    if fetched.data is None:
        return None, fetched.trouble
    try:
        return parse(fetched.data, address), ""
    except InvalidConfig:
        return None, f"The file of {place.host} is not a valid configuration."
