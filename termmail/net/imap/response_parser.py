"""Parse one response of an IMAP server. What does not parse raises Unparsable, and the caller leaves it out."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

from termmail.net.imap.fetch_parser import parse_fetch, parse_flag_row, read_flags
from termmail.net.imap.tokens import MAX_LONG, Unparsable, list_of, number_of, read_values, text_of
from termmail.net.imap.uid_set import MAX_NUMBER, UidSet, parse_ranges
from termmail.net.imap.untagged import (
    AppendUid,
    Capabilities,
    Condition,
    Continuation,
    CopyUid,
    Enabled,
    Exists,
    Expunge,
    FolderFlags,
    FolderStatus,
    Identity,
    ListRow,
    Namespace,
    Other,
    Search,
    Status,
    Vanished,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.net.imap.framing import Frame
    from termmail.net.imap.tokens import Value
    from termmail.net.imap.untagged import Response, Untagged

_STATUS = re.compile(rb"(\S+) (OK|NO|BAD|BYE|PREAUTH)(?: (.*)|)", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(rb"\[([!-Z^-~]+)(?: (\(.*?\)|[^\]]*))?\] ?(.*)", re.DOTALL)
_TAG = re.compile(rb"[A-Za-z0-9]+")
_NUMBERED = re.compile(rb"(\d{1,10}) (EXISTS|EXPUNGE|FETCH|RECENT)\b", re.IGNORECASE)
_KEYWORD = re.compile(rb"[A-Za-z][A-Za-z0-9-]*")
_NUMBERS = re.compile(rb"[0-9 ]*")
_SEARCH_MODSEQ = re.compile(rb" *\(MODSEQ \d{1,19}\) *\Z", re.IGNORECASE)

_XLIST = {r"\allmail": r"\all", r"\spam": r"\junk", r"\starred": r"\flagged"}
"""The attributes of XLIST, which came before SPECIAL-USE, and what RFC 6154 calls them."""


def parse(frame: Frame) -> Response:
    """Return the response. Raises Unparsable."""
    line = frame[0]
    assert isinstance(line, bytes)
    if len(frame) == 1 and (row := parse_flag_row(line)):
        return row
    try:
        if line.startswith(b"* "):
            return _untagged(frame, line)
        if line == b"+" or line.startswith(b"+ "):
            return Continuation(line[2:])
        status = _STATUS.fullmatch(line)
        if status and _TAG.fullmatch(status[1]) and status[2].upper() in {b"OK", b"NO", b"BAD"}:
            return _status(status, tag=status[1])
    except Unparsable:
        raise
    except ValueError as error:
        raise Unparsable(str(error)) from None
    raise Unparsable("neither untagged nor tagged")


def _untagged(frame: Frame, line: bytes) -> Untagged:
    if numbered := _NUMBERED.match(line, 2):
        return _numbered(frame, int(numbered[1]), numbered[2].upper(), numbered.end())
    if status := _STATUS.fullmatch(line):
        return _status(status, tag=b"")
    keyword = _KEYWORD.match(line, 2)
    if keyword is None:
        raise Unparsable("no keyword")
    name = keyword[0].upper()
    if name == b"SEARCH":
        return _search(line[keyword.end() :])
    parser = _PARSERS.get(name)
    return Other(name) if parser is None else parser(read_values(frame, keyword.end()))


def _numbered(frame: Frame, number: int, keyword: bytes, at: int) -> Untagged:
    if number > MAX_NUMBER:
        raise Unparsable("a number out of range")
    if keyword == b"FETCH":
        return parse_fetch(number, read_values(frame, at))
    if keyword == b"EXISTS":
        return Exists(number)
    return Expunge(number) if keyword == b"EXPUNGE" else Other(keyword)


def _status(status: re.Match[bytes], tag: bytes) -> Status:
    condition, words = Condition(status[2].decode().upper()), status[3] or b""
    code = _CODE.fullmatch(words)
    if code is None:
        return Status(condition, tag, text=words)
    return Status(condition, tag, code[1].decode("ascii").upper(), code[2] or b"", code[3])


def _search(text: bytes) -> Search:
    numbers = _SEARCH_MODSEQ.sub(b"", text)
    if not _NUMBERS.fullmatch(numbers):
        raise Unparsable("no list of numbers")
    uids = list(map(int, numbers.split()))
    if uids and not 1 <= min(uids) <= max(uids) <= MAX_NUMBER:
        raise Unparsable("a number out of range")
    return Search(UidSet.of(uids))


def _esearch(values: list[Value]) -> Search:
    tag, count, uids = b"", None, UidSet()
    rest = iter(values)
    for value in rest:
        if isinstance(value, list):
            if len(value) == 2 and text_of(value[0]).upper() == b"TAG":
                tag = text_of(value[1])
            continue
        name = text_of(value).upper()
        if name == b"UID":
            continue
        argument = next(rest, None)
        if name == b"ALL":
            uids = UidSet.parse(text_of(argument))
        elif name == b"COUNT":
            count = number_of(argument)
    return Search(uids, tag, count, extended=True)


def _vanished(values: list[Value]) -> Vanished:
    earlier = bool(values) and values[0] == [b"EARLIER"]
    return Vanished(UidSet.parse(text_of(_at(values, int(earlier)))), earlier)


def _list(values: list[Value]) -> ListRow:
    names = {text_of(value).decode("ascii", "replace").lower() for value in list_of(_at(values, 0))}
    delimiter = _at(values, 1)
    return ListRow(text_of(_at(values, 2)), _delimiter(delimiter), frozenset(_XLIST.get(name, name) for name in names))


def _delimiter(value: Value) -> str:
    return "" if value is None else text_of(value)[:1].decode("ascii", "replace")


def _folder_status(values: list[Value]) -> FolderStatus:
    items = list_of(_at(values, 1))
    numbers: dict[str, int] = {}
    mailbox_id = None
    for name, value in zip(items[::2], items[1::2], strict=False):
        key = text_of(name).decode("ascii", "replace").lower()
        if key == "mailboxid":
            mailbox_id = text_of(_at(list_of(value), 0))
        elif key in {"messages", "uidnext", "uidvalidity", "unseen", "highestmodseq"}:
            with contextlib.suppress(Unparsable):  # a senseless number is one that was not told
                numbers[key] = number_of(value, 19 if key == "highestmodseq" else 10)
    return FolderStatus(text_of(_at(values, 0)), mailbox_id=mailbox_id, **numbers)


def _namespace(values: list[Value]) -> Namespace:
    first = _at(values, 0)
    personal = [] if first is None else [list_of(one) for one in list_of(first)]
    return Namespace(tuple((text_of(_at(one, 0)), _delimiter(_at(one, 1))) for one in personal))


def _identity(values: list[Value]) -> Identity:
    fields = _at(values, 0)
    if not isinstance(fields, list):
        return Identity({})
    texts = [value.decode("utf-8", "replace") if isinstance(value, bytes) else "" for value in fields]
    return Identity(dict(zip((name.lower() for name in texts[::2]), texts[1::2], strict=False)))


def _names(values: list[Value]) -> frozenset[str]:
    return read_names(b" ".join(text_of(value) for value in values))


def _at(values: list[Value], index: int) -> Value:
    if index >= len(values):
        raise Unparsable("something is missing")
    return values[index]


_PARSERS: dict[bytes, Callable[[list[Value]], Untagged]] = {
    b"CAPABILITY": lambda values: Capabilities(_names(values)),
    b"ENABLED": lambda values: Enabled(_names(values)),
    b"ESEARCH": _esearch,
    b"FLAGS": lambda values: FolderFlags(read_flags(tuple(map(text_of, list_of(_at(values, 0)))))),
    b"ID": _identity,
    b"LIST": _list,
    b"NAMESPACE": _namespace,
    b"STATUS": _folder_status,
    b"VANISHED": _vanished,
    b"XLIST": _list,
}


# -- the arguments of response codes


def read_names(text: bytes) -> frozenset[str]:
    """Return words in capitals, as of CAPABILITY."""
    return frozenset(text.decode("ascii", "replace").upper().split())


def read_number(text: bytes, digits: int = 10) -> int | None:
    """Return the number of a code such as UIDNEXT, or None for what is none or has more than 63 bits (RFC 7162, RFC 9051)."""
    word = text.strip()
    number = int(word) if word.isdigit() and len(word) <= digits else MAX_LONG + 1
    return number if number <= MAX_LONG else None


def read_copy_uid(status: Status) -> CopyUid | None:
    """Return what the code COPYUID says, or None for another code or an argument that does not add up."""
    words = status.argument.split()
    if status.code != "COPYUID" or len(words) != 3 or (uidvalidity := read_number(words[0])) is None:
        return None
    try:
        return CopyUid(uidvalidity, tuple(parse_ranges(words[1])), tuple(parse_ranges(words[2])))
    except ValueError:
        return None


def read_append_uid(status: Status) -> AppendUid | None:
    """Return what the code APPENDUID says, or None."""
    words = status.argument.split()
    if status.code != "APPENDUID" or len(words) != 2:
        return None
    uidvalidity, uid = map(read_number, words)
    return None if uidvalidity is None or uid is None else AppendUid(uidvalidity, uid)


def rest_of(status: Status) -> int | None:
    """Return the highest unique id that a limited command left out (MESSAGELIMIT, RFC 9738 section 3.2); None: none."""
    words = status.argument.split()
    if status.code != "MESSAGELIMIT" or len(words) != 2:
        return None
    lowest = read_number(words[1])
    return lowest - 1 if lowest and lowest > 1 else None
