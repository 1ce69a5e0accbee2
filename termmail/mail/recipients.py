"""Addresses as people type them and as SMTP takes them (RFC 5322 section 3.4)."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from termmail.errors import ErrorCode, UserError
from termmail.mail.message import Address
from termmail.mail.sanitize import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

_LIMIT = 200_000  # characters of one address field
_ATOM = re.compile(r"[^\s\"(),:;<>@\[\]\\]+")
_QUOTED_LOCAL = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABEL = re.compile(r"[^\W_](?:[\w-]*[^\W_])?|_[\w-]*[^\W_]")
_LITERAL = re.compile(r"\[[0-9A-Za-z:.]+\]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\s\u00a0-\U0010ffff-]*")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class ComposeError(UserError):
    """A draft or an address that cannot be sent. The message says what is wrong and what to do."""

    code = ErrorCode.DATA


def refuse_controls(value: str, what: str) -> str:
    """Return the value. Raises ComposeError, which names `what`, for a line break, a NUL or another control character."""
    if _FORBIDDEN.search(value):
        raise ComposeError(f"{what} holds a line break or a control character. Take it out and try again.")
    return value


def ascii_domain(domain: str) -> str:
    """Return a domain as SMTP takes it, with punycode for labels that are not ASCII, keeping ß and ς (RFC 5891).

    Raises ComposeError for a domain that cannot exist.
    """
    if _LITERAL.fullmatch(domain):
        return domain
    labels = []
    for label in domain.rstrip(".").split("."):
        if not label.isascii():
            label = unicodedata.normalize("NFKC", label).lower()
            label = label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")
        if not _LABEL.fullmatch(label) or len(label) > 63:
            raise ComposeError(f"“{clean(domain)}” is not the name of a mail server.")
        labels.append(label)
    return ".".join(labels)


def checked(email: str) -> str:
    """Return the address (`ada@example.org`). Raises ComposeError with the reason where no mail can go to it."""
    shown = clean(email)
    spaced = not email.startswith('"') and any(map(str.isspace, email))
    if shown != email or spaced or "\N{REPLACEMENT CHARACTER}" in email:  # what was cleaned before
        raise ComposeError(f"“{shown}” is not an address: it holds characters that an address cannot hold.")
    local, at, domain = email.rpartition("@")
    if not at or not local or not domain:
        raise ComposeError(f"“{shown}” is not an address. An address looks like ada@example.org.")
    if not (_ATOM.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)) or len(email) > 320:
        raise ComposeError(f"“{shown}” is not an address. An address looks like ada@example.org.")
    ascii_domain(domain)
    return email


def wire_address(email: str, *, smtputf8: bool = False) -> str:
    """Return the address for SMTP and for headers, its domain in ASCII.

    Raises ComposeError for a non-ASCII local part, unless `smtputf8` allows it (RFC 6531).
    """
    local, _, domain = checked(email).rpartition("@")
    if not local.isascii() and not smtputf8:
        raise ComposeError(f"Mail cannot go to “{email}”: the part before the @ is not plain ASCII.")
    return f"{local}@{ascii_domain(domain)}"


class _Mailbox:
    """One mailbox while it is read: the words before the angle brackets, what is in them, comments."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.comments: list[str] = []
        self.email: str | None = None
        self.quoted = False
        self.at = False

    def address(self) -> Address | None:
        text = " ".join("".join(self.words).split())
        if self.email is None:
            if not text and not self.comments:
                return None
            if not self.at:
                raise ComposeError(
                    f"“{clean(text)}” is not an address. An address looks like ada@example.org; "
                    'a name with a comma needs quotes: "Lovelace, Ada" <ada@example.org>.'
                )
            return Address(clean(" ".join(self.comments)), checked(text))
        return Address(clean(text or " ".join(self.comments)), checked(self.email.strip()))


def _span(text: str, start: int, closer: str, what: str) -> int:
    """Return the place behind the closer that ends what began at `start`; a backslash escapes the next character."""
    place = start + 1
    while place < len(text) and text[place] != closer:
        place += 2 if text[place] == "\\" else 1
    if place >= len(text):
        raise ComposeError(f"An address field has {what} that is not closed.")
    return place + 1


def _comment_end(text: str, start: int) -> int:
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    raise ComposeError("An address field has a bracket that is not closed.")


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def parse_addresses(text: str) -> tuple[Address, ...]:
    """Read an address field as it was typed: mailboxes divided by commas or semicolons, groups, quotes, comments.

    Raises ComposeError for anything that is not an address: nothing is guessed.
    Linear in the length of the text.
    """
    refuse_controls(text, "An address field")
    if len(text) > _LIMIT:
        raise ComposeError("There are too many addresses in one field.")
    found: list[Address] = []
    one = _Mailbox()
    place = 0
    while place <= len(text):
        character = text[place] if place < len(text) else ","
        end = place + 1
        if character in ",;":
            address = one.address()
            if address:
                found.append(address)
            one = _Mailbox()
        elif character == '"':
            end = _span(text, place, '"', "a quote")
            local = text.startswith("@", end) and not one.words
            one.words.append(text[place:end] if local else _unescaped(text[place + 1 : end - 1]))
            one.quoted = True
        elif character == "(":
            end = _comment_end(text, place)
            one.comments.append(text[place + 1 : end - 1])
        elif character == "<":
            end = _angle_end(text, place)
            if one.email is not None:
                raise ComposeError("Two addresses stand side by side without a comma.")
            one.email = text[place + 1 : end - 1]
        elif character == ":" and one.email is None and not one.at:
            one = _Mailbox()  # the name of a group: only its members get mail
        else:
            one.words.append(character)
            one.at = one.at or character == "@"
        place = end
    return tuple(found)


def _angle_end(text: str, start: int) -> int:
    """Return the place behind the `>`; a quoted local part may hold one."""
    place = start + 1
    while place < len(text):
        if text[place] == '"':
            place = _span(text, place, '"', "a quote")
        elif text[place] == ">":
            return place + 1
        else:
            place += 1
    raise ComposeError("An address field has a < that is not closed.")


def quoted_name(name: str) -> str:
    """Return a display name as it may stand before `<addr>`, in quotes where it holds more than words."""
    if _PLAIN_NAME.fullmatch(name):
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def format_addresses(addresses: Iterable[Address]) -> str:
    """Return addresses as text for an address field; `parse_addresses` reads it back to the same."""
    return ", ".join(f"{quoted_name(one.name)} <{one.email}>" if one.name else one.email for one in addresses)
