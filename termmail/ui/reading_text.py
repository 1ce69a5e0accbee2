"""Lines that the reader shows beside the text of a message: all headers, drafts, answers to invitations, reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from termmail.mail import sanitize
from termmail.mail.message import Line
from termmail.mail.model import MessageRow, RemoteState
from termmail.ui.humanize import size
from termmail.ui.widgets.message_header import broken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from termmail.engine.engine import Engine
    from termmail.mail.message import Message, Rendered
    from termmail.mail.model import Row
    from termmail.mail.trust import Judgement

DRAFT_SHOWN = 200_000
"""Characters of a draft that its preview shows."""


async def with_answer(  # noqa: PLR0917 - one story
    engine: Engine, row: MessageRow, message: Message, rendered: Rendered, width: int, key: str
) -> Rendered:
    """Return the lines with what was answered to the invitation in them, and with the key that answers it.

    `key` is "" where there is none. Raises StoreError.
    """
    place = next((place for place, line in enumerate(rendered.lines) if line.kind == "card-answer"), None)
    if place is None or message.invitation is None:
        return rendered
    words = await engine.invitations.standing(row.account, message.invitation)
    hint = f"{key} changes the answer" if words else f"{key} answers: accept, maybe or decline"
    why = engine.invitations.trouble(row.account, message.invitation)
    told = " · ".join(filter(None, (words, hint if key and not why else "")))
    lines = [Line(line, kind="card-answer") for line in broken(told, width)] if told else []
    return replace(rendered, lines=(*rendered.lines[:place], *lines, *rendered.lines[place + 1 :]))


def with_notes(rendered: Rendered, judged: Judgement) -> Rendered:
    """Return the text with what is told of its sender among the warnings and the notes."""
    warned, notes = rendered.notes[: rendered.warned], rendered.notes[rendered.warned :]
    return replace(
        rendered,
        notes=(*judged.warnings, *warned, *judged.notes, *notes),
        warned=rendered.warned + len(judged.warnings),
    )


def header_lines(message: Message, warned: Sequence[str], width: int) -> tuple[Line, ...]:
    """Return the warnings and all header fields as lines of at most `width` cells."""
    from termmail.mail import flowed  # noqa: PLC0415 - not needed for the first screen

    lines = [line for words in warned for line in flowed.wrap(f"! {words}", width)]
    lines += [Line("")] if warned else []
    for name, value in message.headers:
        first, *rest = flowed.wrap(sanitize.clean(f"{name}: {value}"), width - 2) or (Line(""),)
        lines += [first, *(Line(f"  {line.text}") for line in rest)]
    return tuple(lines)


def draft_lines(body: str, width: int) -> list[Line]:
    """Return the start of a draft's text as lines of at most `width` cells."""
    from termmail.mail import flowed  # noqa: PLC0415

    lines = [*flowed.wrap(sanitize.clean_lines(body[:DRAFT_SHOWN]), width)]
    return lines if len(body) <= DRAFT_SHOWN else [*lines, Line("…", kind="fold")]


def not_here(row: MessageRow) -> str:
    """Return why the text of a message is not shown."""
    if row.state is RemoteState.SKIPPED:
        return row.note or "This message was not fetched."
    if row.state in {RemoteState.GONE, RemoteState.ABSENT}:
        return "This message is no longer on the server, and its text was never downloaded."
    return f"The text is still on the server ({size(row.size)}). Enter fetches it."


def is_same(shown: Row | None, row: Row) -> bool:
    """Return whether both rows are the same draft, outgoing message, message or conversation."""
    if shown is None or type(shown) is not type(row) or shown.key != row.key:
        return False
    return _is_folded(shown) == _is_folded(row)


def _is_folded(row: Row) -> bool:
    return isinstance(row, MessageRow) and row.conversation is not None
