"""The keys of SEARCH as tests of one message (RFC 3501 section 6.4.4), and the two forms of its answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from termmail.demo.imapd_fetch import header_values
from termmail.demo.imapd_syntax import Bad, Value, chosen, compact, date_of, number, text, word, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.demo.imap_mailbox import StoredMessage
    from termmail.demo.imapd_view import FolderView

    Test = Callable[[StoredMessage], bool]

DAY = 86_400
_FLAGS = {name[1:].upper(): name for name in ("\\Answered", "\\Deleted", "\\Draft", "\\Flagged", "\\Seen")}
_HEADERS = {"FROM", "TO", "CC", "BCC", "SUBJECT"}
_RETURNS = {"MIN", "MAX", "COUNT", "ALL"}


class _Keys:
    """Reads search keys one after the other. `mod_sequences` says whether MODSEQ is known."""

    def __init__(self, view: FolderView, values: list[Value], *, mod_sequences: bool) -> None:
        self.view = view
        self.rest = values
        self.mod_sequences = mod_sequences

    def all(self) -> Test:
        tests: list[Test] = []
        while self.rest:
            tests.append(self.one())
        if not tests:
            raise Bad("nothing to search for")
        return lambda message: all(test(message) for test in tests)

    def _next(self) -> Value:
        if not self.rest:
            raise Bad("a search key ends too early")
        return self.rest.pop(0)

    def one(self) -> Test:
        value = self._next()
        if isinstance(value, list):
            return _Keys(self.view, list(value), mod_sequences=self.mod_sequences).all()
        key = word(value)
        if re.fullmatch(r"[\d*:,]+", key):
            numbered = {self.view.known[at - 1] for at in chosen(value, range(1, len(self.view.known) + 1))}
            return lambda message: message.uid in numbered
        if test := self._flag(key) or self._header(key) or self._date_or_size(key):
            return test
        match key:
            case "ALL" | "OLD":
                return lambda _: True
            case "NEW" | "RECENT":
                return lambda _: False
            case "UID":
                uids = set(chosen(self._next(), self.view.known))
                return lambda message: message.uid in uids
            case "NOT":
                inner = self.one()
                return lambda message: not inner(message)
            case "OR":
                one, other = self.one(), self.one()
                return lambda message: one(message) or other(message)
            case "MODSEQ" if self.mod_sequences:
                least = number(self._next())
                return lambda message: message.modseq >= least
        raise Bad(f"unknown search key {key}")

    def _flag(self, key: str) -> Test | None:
        if key in {"KEYWORD", "UNKEYWORD"}:
            flag = text(self._next()).decode("latin-1")
        else:
            flag = _FLAGS.get(key.removeprefix("UN"), "")
        if not flag:
            return None
        wanted = not key.startswith("UN")
        return lambda message: any(flag.lower() == one.lower() for one in message.flags) is wanted

    def _header(self, key: str) -> Test | None:
        if key in _HEADERS or key == "HEADER":
            field = text(self._next()) if key == "HEADER" else key.encode()
            sought = text(self._next()).lower()
            return lambda message: any(sought in value.lower() for value in header_values(message, field))
        if key in {"BODY", "TEXT"}:
            sought = text(self._next()).lower()
            whole = key == "TEXT"
            return lambda message: sought in message.raw[0 if whole else message.header_size :].lower()
        return None

    def _date_or_size(self, key: str) -> Test | None:
        if key in {"LARGER", "SMALLER"}:
            size = number(self._next())
            return lambda message: len(message.raw) > size if key == "LARGER" else len(message.raw) < size
        if key not in {"SINCE", "BEFORE", "ON"}:
            return None
        day = date_of(text(self._next()))
        if key == "ON":
            return lambda message: day <= message.internal_date < day + DAY
        return lambda message: (message.internal_date >= day) is (key == "SINCE")


def search(view: FolderView, values: list[Value], *, mod_sequences: bool) -> list[int]:
    """Return the unique ids of the messages that match, ascending. Raises Bad."""
    if len(values) > 2 and values[0] == b"CHARSET":
        if word(values[1]) not in {"UTF-8", "US-ASCII"}:
            raise Bad("[BADCHARSET (UTF-8 US-ASCII)] unknown charset")
        values = values[2:]
    test = _Keys(view, list(values), mod_sequences=mod_sequences).all()
    messages = view.folder.messages
    return [uid for uid in view.known if uid in messages and test(messages[uid])]


def result_options(value: Value) -> list[str]:
    """Return what RETURN asks for. Raises Bad."""
    asked = words(value) or ["ALL"]
    if unknown := set(asked) - _RETURNS:
        raise Bad(f"unknown result {unknown.pop()}")
    return asked


def extended_row(tag: bytes, found: list[int], asked: list[str], *, uid: bool) -> bytes:
    """Return the ESEARCH response (RFC 4731 section 3.1)."""
    told = [b"UID"] if uid else []
    if found:
        told += [b"MIN %d" % found[0]] if "MIN" in asked else []
        told += [b"MAX %d" % found[-1]] if "MAX" in asked else []
        told += [b"ALL " + compact(found)] if "ALL" in asked else []
    told += [b"COUNT %d" % len(found)] if "COUNT" in asked else []
    return b" ".join([b'* ESEARCH (TAG "%b")' % tag, *told]) + b"\r\n"
