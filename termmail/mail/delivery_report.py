"""Delivery reports (RFC 3464) and read receipts (RFC 8098) as readable lines."""

from __future__ import annotations

import re

from termmail.mail.header import fields, one_line

RECIPIENTS_LIMIT = 200
_BLANK_LINES = re.compile(rb"\r?\n(?:[ \t]*\r?\n)+")
_ACTIONS = {
    "failed": "was not delivered",
    "delayed": "is delayed",
    "delivered": "was delivered",
    "relayed": "was passed on to a server that does not report back",
    "expanded": "was delivered to a list",
}


def _group(block: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields(block + b"\n"):
        found.setdefault(name.lower(), one_line(value))
    return found


def _behind_type(value: str) -> str:
    """Return the value of a field like `rfc822; ada@example.org` without the type before it."""
    kind, semicolon, rest = value.partition(";")
    return (rest if semicolon else kind).strip()


def delivery_status(data: bytes) -> str:
    """Return what a message/delivery-status part says: one line for each recipient, at most 200. May be empty."""
    lines = []
    groups = [_group(block) for block in _BLANK_LINES.split(data.strip(b"\r\n"), maxsplit=RECIPIENTS_LIMIT + 1)]
    for group in groups[: RECIPIENTS_LIMIT + 1]:
        recipient = _behind_type(group.get("original-recipient") or group.get("final-recipient", ""))
        if not recipient:
            continue
        action = group.get("action", "").lower()
        reasons = (_behind_type(group.get("diagnostic-code", "")), group.get("status", ""))
        reason = next(filter(None, reasons), "")
        line = f"{recipient}: {_ACTIONS.get(action, action or 'unknown')}"
        lines.append(f"{line} ({reason})" if reason else line)
    return "\n".join(lines)


def read_receipt(data: bytes) -> str:
    """Return what a message/disposition-notification part says, in one line. May be empty."""
    group = _group(data)
    recipient = _behind_type(group.get("original-recipient") or group.get("final-recipient", ""))
    disposition = group.get("disposition", "").rpartition(";")[2].strip()
    return f"{recipient}: {disposition}" if recipient and disposition else ""
