"""What speaks for and against the sender of a message: known before, a look-alike, what the reader's own server found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from termmail.mail.sanitize import clean, cut

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from termmail.mail.message import Address, Message

RESULTS_LIMIT = 10_000
"""Characters of an Authentication-Results field that are read."""
FIELDS_LIMIT = 20
"""Authentication-Results fields that are looked at."""
_SHORTEST = 5  # letters of a domain of which one may be another
_NAME_CELLS = 40
_SECOND_LEVEL = frozenset({"co", "com", "org", "net", "ac", "gov", "edu", "ne", "or"})
_METHOD = re.compile(r"\s*(dmarc|spf|dkim)(?:/\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_SERVER = re.compile(r"[A-Za-z0-9.-]{1,255}")
_LOOKS = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("-", ""))
_PROVIDERS = {
    "gmail.com": "google.com",
    "googlemail.com": "google.com",
    "fastmail.com": "messagingengine.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
}
"""Under which domain the servers of a provider name themselves, where it is not its own."""
_FREE = frozenset(
    ["gmail.com", "mail.com", "email.com", "ymail.com", "gmx.com", "gmx.net", "gmx.de", "gmx.at", "hotmail.com", "hotmail.fr", "outlook.com", "live.com", "yahoo.com", "aol.com", "icloud.com", "me.com", "mac.com", "web.de", "proton.me", "mail.de", "mail.ru", "inbox.com"]
)  # fmt: skip
"""Providers of mailboxes: that two of these look alike says nothing."""


class Known(NamedTuple):
    """A person of earlier mail."""

    email: str
    name: str


class Judgement(NamedTuple):
    """What to tell of a sender: sentences that warn, and sentences that only inform. Both are empty where all is fine."""

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def organization(domain: str) -> str:
    """Return the domain that a name was registered as, by a rule of thumb: example.co.uk of mx.example.co.uk."""
    labels = domain.lower().rstrip(".").split(".")
    second_level = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    return ".".join(labels[-3:] if second_level else labels[-2:])


def looks_like(domain: str, known: Iterable[str]) -> str:
    """Return the known domain that a domain could be mistaken for, or "".

    That is one which is drawn alike (rn for m, 1 for l), or one letter away. Both are registered domains.
    """
    if domain in _FREE:
        return ""
    skeleton = _skeleton(domain)
    for other in known:
        if other != domain and (skeleton == _skeleton(other) or _one_away(domain, other)):
            return other
    return ""


def _skeleton(domain: str) -> str:
    for letters, drawn in _LOOKS:
        domain = domain.replace(letters, drawn)
    return domain


def _one_away(one: str, other: str) -> bool:
    """Return whether two domains differ in one letter: another, one more, one less, or two that changed places."""
    if (
        abs(len(one) - len(other)) > 1
        or min(len(one.split(".", maxsplit=1)[0]), len(other.split(".", maxsplit=1)[0])) < _SHORTEST
    ):
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, other_rest = one[start:], other[start:]
    if rest[1:] == other_rest[1:] or rest[1:] == other_rest or rest == other_rest[1:]:
        return True
    return rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:]


def judge(message: Message, own: Sequence[str], hosts: Sequence[str], known: Sequence[Known] | None) -> Judgement:
    """Return what to tell of the sender of a received message.

    `own` are the reader's addresses and `hosts` the servers of the account. `known` are the people who write often or
    were written to, where this is the first message from its address; None where it is not.
    """
    senders = message.envelope.sender
    if len(senders) != 1 or "@" not in senders[0].email:
        return Judgement()
    warnings, notes = _authentication(message, [*hosts, *(address.rpartition("@")[2] for address in own)])
    if known is not None:
        domains = dict.fromkeys(organization(one.rpartition("@")[2]) for one in (*own, *(one.email for one in known)))
        domain = organization(senders[0].email.rpartition("@")[2])
        if domain not in domains and (other := looks_like(domain, domains)):
            warnings.append(f"{domain} is not {other}, from where you know people.")
        notes.insert(0, _first(senders[0], known))
    return Judgement(tuple(warnings), (" ".join(notes),) if notes else ())


def _first(sender: Address, known: Sequence[Known]) -> str:
    """Return the sentence for a sender who never wrote before, and what is known of the same name."""
    name = " ".join(sender.name.casefold().split())
    words = "First mail from this address."
    if " " in name and (other := next((one for one in known if one.name.casefold() == name), None)):
        words += f" {cut(clean(other.name), _NAME_CELLS)} wrote from {clean(other.email)} before."
    return words


def _authentication(message: Message, own: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what the reader's own server could not confirm, as warnings and as notes (RFC 8601)."""
    found = own_results(message, own)
    if found is None:
        return [], []
    server, results = found
    failed = ""
    if results.get("dmarc") == "fail":
        failed = "DMARC"
    elif "dmarc" not in results and results.get("spf") == "fail" and results.get("dkim") != "pass":
        failed = "SPF"
    if not failed:
        return [], []
    domain = message.envelope.sender[0].email.rpartition("@")[2]
    words = f"Your server {server} could not confirm that this is from {domain} ({failed} failed)"
    if any(name.lower() == "list-id" for name, _value in message.headers):
        return [], [f"{words}, as often on mailing lists."]
    return [f"{words}."], []


def own_results(message: Message, own: Sequence[str]) -> tuple[str, dict[str, str]] | None:
    """Return the name of the reader's server and its results by method, from the topmost field that it wrote.

    A field of any other server is passed over, for the sender may have written it. None where there is none.
    """
    trusted = {organization(_PROVIDERS.get(organization(host), host)) for host in own if "." in host}
    fields = (value for name, value in message.headers if name.lower() == "authentication-results")
    for _count, value in zip(range(FIELDS_LIMIT), fields, strict=False):
        first, *results = _without_comments(value[:RESULTS_LIMIT]).split(";")
        server = first.split()[0] if first.split() else ""
        if _SERVER.fullmatch(server) and "." in server and organization(server) in trusted:
            return server.lower(), _by_method(results)
    return None


def _by_method(results: Iterable[str]) -> dict[str, str]:
    """Return one result for each method; of several signatures one that passed counts."""
    found: dict[str, str] = {}
    for result in results:
        if match := _METHOD.match(result):
            method, value = match[1].lower(), match[2].lower()
            if found.get(method) != "pass":
                found[method] = value
    return found


def _without_comments(value: str) -> str:
    """Return a field without its comments and quoted strings, which may hold anything. Linear."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for char in value:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif quoted:
            quoted = char != '"'
        elif char == '"' and not depth:
            quoted = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= depth > 0
        elif not depth:
            kept.append(char)
    return "".join(kept)
