"""The MIME tree of a message (RFC 2045, 2046) as ranges of its bytes, copied only when a part is requested.

One pass over the lines that start with two dashes, no recursion, so 3 000 nested parts or a missing boundary cost
no more than their bytes. message/rfc822, message/partial and message/external-body are leaves: listed, never expanded.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from termmail.mail import header

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH_LIMIT = 100
PARTS_LIMIT = 10_000
DASHES_LIMIT = 1_000_000  # lines that begin like a boundary and are none

_BLANK_LINE = re.compile(rb"\n\r?\n")
# The first line of a header block that is no field, no folding and no mbox separator.
_STRAY_LINE = re.compile(rb"^(?![ \t\r\n]|>?From |[^\s:]++[ \t]*+:)", re.MULTILINE)
# A boundary whose semicolon was forgotten.
_BOUNDARY = re.compile(r"""[\s;]boundary\s{0,5}=\s{0,5}(?:"([^"]{1,200})"|([^\s;"]{1,200}))""", re.IGNORECASE)
_KIND = re.compile(r"[a-z0-9!#$&^_.+-]{1,127}/[a-z0-9!#$&^_.+-]{1,127}")


class TooMuchError(Exception):
    """The message has more parts, or deeper ones, than are read. The message says which."""


@dataclass(slots=True)
class Node:
    """One entity of the tree.

    `start` and `end` bound its body, still encoded, in the raw bytes; its header block starts at `header`.
    """

    path: str
    kind: str
    parameters: dict[str, str]
    disposition: str
    file_name: str
    encoding: str
    content_id: bool
    start: int
    end: int
    header: int = 0
    children: list[Node] = field(default_factory=list)

    @property
    def multipart(self) -> bool:
        """Whether it has (or claims) children instead of content."""
        return self.kind.startswith("multipart/")

    def leaves(self) -> Iterator[Node]:
        """Yield every entity that has content of its own, in order."""
        pending = [self]
        while pending:
            node = pending.pop()
            if node.children:
                pending += reversed(node.children)
            else:
                yield node


def split(raw: bytes, position: int = 0) -> tuple[int, int]:
    """Return where the header block from `position` ends (behind its last line end) and where its body starts."""
    if raw.startswith(b"\n", position):
        return position, position + 1
    if raw.startswith(b"\r\n", position):
        return position, position + 2
    if match := _BLANK_LINE.search(raw, position):
        return match.start() + 1, match.end()
    return len(raw), len(raw)


def node(path: str, found: list[tuple[str, str]], start: int, end: int, default: str = "text/plain") -> Node:
    """Return an entity from its header fields. A missing or malformed type is `default` (RFC 2045 section 5.2)."""
    first: dict[str, str] = {}
    for name, value in found:
        if name[:8].lower() == "content-":
            first.setdefault(name.lower(), value)
    content_type = first.get("content-type", "")
    kind, parameters = header.parameters(content_type)
    if kind.startswith("multipart/"):
        if "boundary" not in parameters and (found_boundary := _BOUNDARY.search(content_type)):
            parameters["boundary"] = found_boundary[1] or found_boundary[2]
        kind = kind.split()[0]
        kind = kind if _KIND.fullmatch(kind) else "multipart/mixed"
    elif not _KIND.fullmatch(kind):
        kind = default
    disposition, more = header.parameters(first.get("content-disposition", ""))
    return Node(
        path=path,
        kind=kind,
        parameters=parameters,
        disposition=disposition,
        file_name=more.get("filename") or parameters.get("name") or "",
        encoding=first.get("content-transfer-encoding", "")[:100].strip().lower(),
        content_id="content-id" in first,
        start=start,
        end=end,
    )


def tree(raw: bytes, found: list[tuple[str, str]], start: int) -> Node:
    """Return the whole message as a tree. `found` are its own header fields, `start` is where its body starts.

    Raises TooMuchError beyond 100 levels or 10 000 parts.
    """
    root = node("", found, start, len(raw))
    if root.multipart and start > 0:
        _Splitter(raw).run(root)
    if not root.children:
        root.path = "1"
    for leaf in root.leaves():
        _rescue(raw, leaf)
    return root


def _rescue(raw: bytes, leaf: Node) -> None:
    """Let the body start at the first line that is no header, where the empty line was forgotten and nothing follows."""
    if leaf.end - leaf.start < 80 and not raw[leaf.start : leaf.end].strip():
        stray = _STRAY_LINE.search(raw, leaf.header, min(leaf.start, leaf.header + header.BLOCK_LIMIT))
        if stray and stray.start() < leaf.start:
            leaf.start = stray.start()


class _Splitter:
    """Finds the boundaries of all open multiparts in one pass."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.stack: list[tuple[Node, bytes]] = []
        self.levels: dict[bytes, list[int]] = {}
        self.blank = (-1, -1)
        self.first_bytes: frozenset[bytes] = frozenset()
        self.count = 0
        self.dashes = 0

    def run(self, root: Node) -> None:
        self.open(root)
        position = root.start - 1
        while self.stack:
            found = self.next_boundary(position, len(self.raw))
            if found is None:
                break
            at, after, level, last = found
            position = after - 1
            self.close_above(level, at)
            if last:
                self.pop(at)
            else:
                position = self.start_part(after)
        # multiparts that are still open had no closing boundary: they end with the message

    def open(self, multipart: Node) -> None:
        boundary = multipart.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
        if boundary:
            self.levels.setdefault(boundary, []).append(len(self.stack))
            self.first_bytes = frozenset(each[:1] for each in self.levels)
            self.stack.append((multipart, boundary))
            if len(self.stack) > DEPTH_LIMIT:
                raise TooMuchError(f"This message has more than {DEPTH_LIMIT} levels of parts.")

    def pop(self, at: int) -> None:
        multipart, boundary = self.stack.pop()
        self.levels[boundary].pop()
        if not self.levels[boundary]:
            del self.levels[boundary]
            self.first_bytes = frozenset(each[:1] for each in self.levels)
        self.end_child(multipart, at)

    def close_above(self, level: int, at: int) -> None:
        while len(self.stack) > level + 1:
            self.pop(at)
        self.end_child(self.stack[level][0], at)

    def end_child(self, multipart: Node, at: int) -> None:
        if multipart.children:
            child = multipart.children[-1]
            end = at - 1 if self.raw[at - 1 : at] == b"\r" else at
            child.end = max(child.start, min(child.end, end))

    def next_boundary(self, position: int, end: int) -> tuple[int, int, int, bool] | None:
        """Return the next boundary of an open multipart whose preceding line end lies in [position, end).

        The result is (that line end, start of the line behind, level in the stack, whether it is the closing one).
        """
        raw = self.raw
        at = raw.find(b"\n--", position, end + 2)
        while at >= 0:
            if raw[at + 3 : at + 4] in self.first_bytes:
                self.dashes += 1
                if self.dashes > DASHES_LIMIT:
                    raise TooMuchError("This message has too many lines that look like the start of a part.")
                line_end = raw.find(b"\n", at + 1)
                if line_end < 0:
                    line_end = len(raw)
                line = raw[at + 3 : min(line_end, at + 500)].rstrip()
                if levels := self.levels.get(line):
                    return at, min(line_end + 1, len(raw)), levels[-1], False
                if line.endswith(b"--") and (levels := self.levels.get(line[:-2])):
                    return at, min(line_end + 1, len(raw)), levels[-1], True
            at = raw.find(b"\n--", at + 1, end + 2)
        return None

    def start_part(self, start: int) -> int:
        """Add the part whose header starts at `start`; returns from where to look for the next boundary."""
        parent = self.stack[-1][0]
        header_end, body = self.header_end(start)
        boundary = self.next_boundary(start - 1, header_end)
        if boundary is not None:
            header_end = body = boundary[0] + 1
        found = header.fields(self.raw[start : min(header_end, start + header.BLOCK_LIMIT)])
        if not found and header_end > start:  # text right behind the boundary, without the empty line
            body = start
        prefix = f"{parent.path}." if parent.path else ""
        default = "message/rfc822" if parent.kind == "multipart/digest" else "text/plain"
        child = node(f"{prefix}{len(parent.children) + 1}", found, body, len(self.raw), default)
        child.header = start
        self.count += 1
        if self.count > PARTS_LIMIT:
            raise TooMuchError(f"This message has more than {PARTS_LIMIT:,} parts.".replace(",", " "))
        parent.children.append(child)
        if child.multipart:
            self.open(child)
        return body - 1

    def header_end(self, start: int) -> tuple[int, int]:
        if self.raw.startswith((b"\n", b"\r\n"), start):
            return split(self.raw, start)
        if self.blank[0] < start:  # one blank line may end many headers: look for each only once
            self.blank = split(self.raw, start)
        return self.blank


_CHUNK = 1 << 20
_SAMPLE = 1000  # bytes of a base64 part that are looked at


def _encoding(raw: bytes, leaf: Node) -> str:
    """Return the transfer encoding that a leaf really has: text in the clear is often labelled base64."""
    if not leaf.encoding.startswith("base64"):
        return leaf.encoding
    return leaf.encoding if header.is_base64(raw[leaf.start : min(leaf.end, leaf.start + _SAMPLE)]) else ""


def size(raw: bytes, leaf: Node) -> int:
    """Return how many bytes `content` has. A large base64 file is counted piece by piece instead of decoded at once."""
    if not _encoding(raw, leaf).startswith("base64"):
        return len(content(raw, leaf)) if leaf.encoding.startswith("quoted-printable") else leaf.end - leaf.start
    if leaf.end - leaf.start <= _CHUNK:
        return len(content(raw, leaf))
    padding = raw.find(b"=", leaf.start, leaf.end)
    end = leaf.end if padding < 0 else padding
    starts = range(leaf.start, end, _CHUNK)
    return sum(header.base64_letters(raw[start : min(start + _CHUNK, end)]) for start in starts) * 3 // 4


def content(raw: bytes, leaf: Node) -> bytes:
    """Return the bytes of one entity, its transfer encoding undone. UUencode and unknown encodings stay as they are."""
    data = raw[leaf.start : leaf.end]
    encoding = _encoding(raw, leaf)
    if encoding.startswith("base64"):
        return header.decode_base64(data)
    if encoding.startswith("quoted-printable"):
        return binascii.a2b_qp(data)
    return data
