"""text/enriched (RFC 1896) and text/richtext (RFC 1341) as plain text."""

from __future__ import annotations

import re

_ENRICHED = re.compile(r"<<|<(/?)([A-Za-z0-9-]{1,60})>|\n+|[^<\n]+|<")
_RICHTEXT = re.compile(r"<(/?)([A-Za-z0-9-]{1,60})>|\n+|[^<\n]+|<")


def from_enriched(source: str) -> str:
    r"""Return the text of a text/enriched source, whose lines end in "\n".

    A single line end is a space and n of them are n-1, except inside `<nofill>`; parameters of commands are dropped.
    """
    pieces: list[str] = []
    parameter = nofill = 0
    for match in _ENRICHED.finditer(source):
        command = (match[2] or "").lower()
        change = -1 if match[1] else 1
        if command == "param":
            parameter = max(0, parameter + change)
        elif command == "nofill":
            nofill = max(0, nofill + change)
        elif command or parameter:
            continue
        elif match[0] == "<<":
            pieces.append("<")
        elif match[0].startswith("\n") and not nofill:
            pieces.append(match[0][1:] or " ")
        else:
            pieces.append(match[0])
    return "".join(pieces)


_RICHTEXT_COMMANDS = {"nl": "\n", "lt": "<", "paragraph": "\n\n", "np": "\n\n"}


def from_richtext(source: str) -> str:
    r"""Return the text of a text/richtext source, whose lines end in "\n". Line ends are spaces, `<nl>` is one."""
    pieces: list[str] = []
    comment = 0
    for match in _RICHTEXT.finditer(source):
        command = (match[2] or "").lower()
        if command == "comment":
            comment = max(0, comment + (-1 if match[1] else 1))
        elif comment:
            continue
        elif command:
            pieces.append("" if match[1] and command != "paragraph" else _RICHTEXT_COMMANDS.get(command, ""))
        else:
            pieces.append(" " if match[0].startswith("\n") else match[0])
    return "".join(pieces)
