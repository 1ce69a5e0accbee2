"""Draw one row of the message list as segments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace
from rich.cells import cell_len, set_cell_size
from rich.segment import Segment

from termmail.mail.conversation import base_subject
from termmail.mail.counting import number
from termmail.mail.model import ME, DraftRow, MessageRow, OutgoingRow, Returned, Role, SendState
from termmail.mail.sanitize import clean, cut, cut_sender

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.style import Style

    from termmail.mail.model import Label, Row
    from termmail.ui.humanize import Today

CURSOR, SELECTED, UNREAD, STAR, ANSWERED, FORWARDED, CLIP = "▌", "✓", "●", "★", "↶", "↷", "@"
LEGEND = (
    (UNREAD, "unread"),
    (STAR, "starred"),
    (ANSWERED, "answered"),
    (FORWARDED, "forwarded"),
    (CLIP, "with attachments"),
    (SELECTED, "selected"),
)
DEEPEST = 6
"""Levels of a conversation's tree that are indented."""
LTR = "\u200e"
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
LONGEST_LABEL = 12
"""Cells of a label's name in a list, at most."""
MOST_RECIPIENTS = 20
"""Recipients of an outgoing message that its line looks at."""
ACCOUNT_FROM = 96
"""Cells of a row from which the account has a column of its own; in narrower ones it stands before the snippet."""
LONGEST_ACCOUNT = 10
"""Cells of that column, at most."""
CARDS_BELOW = 68
"""A list narrower than this many cells, and high enough, draws each message on two lines."""
CARDS_FROM_HEIGHT = 16
CHOSEN_CARDS_FROM_HEIGHT = 4
"""A list lower than this many lines draws each message on one line, though the user chose two."""

SNIPPET_FROM = 12
"""Cells that must be left behind a subject for its snippet to be drawn."""


class RowStyles(Struct, frozen=True):
    """The styles of one row. All of them share one background, so that a row takes few bytes to paint."""

    text: Style
    unread: Style
    dim: Style
    mark: Style
    star: Style
    labels: tuple[Style, ...] = ()


STATES = {
    SendState.QUEUED: "waiting to be sent",
    SendState.SENDING: "being sent",
    SendState.SENT: "sent",
    SendState.FAILED: "refused",
    SendState.UNSURE: "may have been sent",
    SendState.CANCELLED: "taken back",
}


class Facts(Struct, frozen=True):
    """What a line shows of a row of any kind."""

    who: str
    subject: str
    extra: str
    date: int
    unread: bool = False
    starred: bool = False
    answered: bool = False
    forwarded: bool = False
    attachments: int = 0
    labels: tuple[Label, ...] = ()
    count: int = 0
    """Messages of the conversation that the row stands for; 0: it stands for itself."""


BACK = {Returned.SNOOZE: "back", Returned.REMINDER: "no answer yet"}
"""What the line of a message that came back says."""


def facts(row: Row, depth: int | None = None) -> Facts:
    """Return what a line shows of a row: of drafts, outgoing and sent messages the recipients, else the sender.

    `depth` is where a message is in the tree of its unfolded conversation; None where it is no row of one.
    """
    subject = row.subject or "(no subject)"
    match row:
        case DraftRow():
            return Facts(_to(row.recipients), subject, row.snippet, row.date, attachments=row.attachments)
        case OutgoingRow():
            state = STATES[row.state]
            extra = f"{state}: {row.words}" if row.words else state
            return Facts(_to(clean(", ".join(row.recipients[:MOST_RECIPIENTS]))), subject, extra, row.date)
    folded = row.conversation if depth is None else None
    sender = row.sender or "(nobody)"
    who = _to(row.recipients) if row.role is Role.SENT and depth is None else sender
    extra = row.note or row.snippet
    if depth:
        extra = extra if base_subject(row.subject)[1] and extra else f"{subject}  {extra}".rstrip()
        subject = ""
    return Facts(
        who if folded is None else _people(folded.people),
        subject,
        " · ".join(filter(None, (BACK[row.returned] if row.returned else "", extra))),
        row.date,
        row.unread,
        row.starred,
        row.answered,
        row.forwarded,
        row.attachments,
        row.labels,
        0 if folded is None else folded.count,
    )


def _timed(row: Facts, shown: Row, today: Today) -> Facts:
    """Return the facts with the time at which the message comes back before what is shown behind the subject."""
    if not isinstance(shown, MessageRow):
        return row
    snoozed = f"until {today.ahead(shown.snoozed_until)}" if shown.snoozed_until else ""
    reminder = f"reminder {today.ahead(shown.remind_at)}" if shown.remind_at else ""
    told = [words for words in (snoozed, reminder, "muted" if shown.muted else "") if words]
    return replace(row, extra=" · ".join([*told, row.extra]).rstrip(" ·")) if told else row


def _people(senders: Sequence[str]) -> str:
    """Return the people of a conversation in few words: of several each by the first name."""
    if len(senders) == 1:
        return senders[0] or "me"
    return ", ".join([_first_name(one) for one in senders])


def _first_name(sender: str) -> str:
    if sender == ME:
        return "me"
    return sender.partition(" ")[0].rstrip(",") or sender


def _branch(depth: int | None) -> str:
    """Return what stands before the text of a message in the tree of its conversation."""
    return "  " * (min(depth, DEEPEST) - 1) + "└ " if depth else ""


def _naming(row: Facts, account: str) -> Facts:
    """Return the facts with the account ("" for none) before what is shown behind the subject."""
    return replace(row, extra=f"[{account}] {row.extra}".rstrip()) if account else row


def _to(recipients: str) -> str:
    return f"To: {recipients}" if recipients else "To: nobody yet"


def mark(row: Facts, *, selected: bool) -> str:
    """Return the mark in front of a row: selected before unread, unread before answered."""
    if selected:
        return SELECTED
    if row.unread:
        return UNREAD
    if row.answered:
        return ANSWERED
    return FORWARDED if row.forwarded else " "


def line(
    shown: Row,
    width: int,
    styles: RowStyles,
    today: Today,
    *,
    cursor: bool,
    selected: bool,
    accounts: int = 0,
    depth: int | None = None,
) -> list[Segment]:
    """Draw a row on one line: marks, person, account, subject and snippet, the date at the right edge.

    `accounts` is the length of the longest account name, 0 where the rows do not name their account, `depth` that of
    `facts`.
    """
    column = min(accounts, LONGEST_ACCOUNT) if width >= ACCOUNT_FROM else 0
    row = _naming(_timed(facts(shown, depth), shown, today), shown.account if accounts and not column else "")
    who = (
        28 if width >= 130 else 24 if width >= 80 else 20 if width >= 76 else 16 if width >= 60 else max(8, width // 4)
    )
    date = today.date(row.date)
    date = date if width >= 60 or cell_len(date) <= 6 else date[:4]
    gap = f" {CLIP} " if row.attachments else "  "
    account = fit(shown.account, column) + "  " if column else ""
    text = width - (5 + who + 2 + cell_len(account) + len(gap) + cell_len(date) + 1)
    words = styles.unread if row.unread else styles.text
    parts = [
        _front(row, styles, cursor=cursor, selected=selected),
        Segment(_answered(row, selected=selected), styles.mark),
        Segment(f"{STAR} " if row.starred else "  ", styles.star if row.starred else styles.text),
        *_who(row, who, words, styles.dim),
        Segment(account, styles.dim),
        *_labelled(row, max(text, 0), words, styles, _branch(depth)),
        Segment(f"{gap}{date} ", styles.dim),
    ]
    return _joined(parts)


def card(
    shown: Row,
    width: int,
    styles: RowStyles,
    today: Today,
    *,
    second: bool,
    cursor: bool,
    selected: bool,
    accounts: int = 0,
    depth: int | None = None,
) -> list[Segment]:
    """Draw one of the two lines of a row in a narrow list: person and date, then the subject."""
    row = _naming(_timed(facts(shown, depth), shown, today), shown.account if accounts else "")
    words = styles.unread if row.unread else styles.text
    if second:
        parts = [
            Segment((CURSOR if cursor else " ") + " ", styles.mark),
            _star(row, styles),
            *_labelled(
                row,
                max(width - (9 if row.attachments else 7), 0),
                words if row.unread else styles.dim,
                styles,
                _branch(depth),
            ),
            Segment(f" {CLIP}  " if row.attachments else "  ", styles.dim),
        ]
        return _joined(parts)
    date = today.date(row.date)
    who = max(width - 5 - 2 - cell_len(date) - 2, 1)
    parts = [
        _front(row, styles, cursor=cursor, selected=selected),
        Segment(_answered(row, selected=selected), styles.mark),
        Segment("  ", words),
        *_who(row, who, words, styles.dim),
        Segment(f"{date}  ", styles.dim),
    ]
    return _joined(parts)


def _front(row: Facts, styles: RowStyles, *, cursor: bool, selected: bool) -> Segment:
    return Segment((CURSOR if cursor else " ") + mark(row, selected=selected), styles.mark)


def _answered(row: Facts, *, selected: bool) -> str:
    """Return the answered or forwarded mark where the mark in front shows something else."""
    if not selected and not row.unread:
        return " "
    return ANSWERED if row.answered else FORWARDED if row.forwarded else " "


def _star(row: Facts, styles: RowStyles) -> Segment:
    return Segment(f" {STAR} " if row.starred else "   ", styles.star if row.starred else styles.text)


def _labelled(row: Facts, width: int, words: Style, styles: RowStyles, branch: str) -> list[Segment]:
    """Draw the labels, as many as a third of the width holds, then the subject."""
    parts: list[Segment] = []
    used = 0
    for place, one in enumerate(row.labels):
        name = f"‹{cut(one.name, LONGEST_LABEL)}› "
        left = len(row.labels) - place
        if used + cell_len(name) > width // 3:
            more = f"+{left} "
            if used + len(more) <= width // 2:
                parts.append(Segment(more, styles.dim))
                used += len(more)
            break
        parts.append(Segment(name, styles.labels[one.color % len(styles.labels)] if styles.labels else styles.dim))
        used += cell_len(name)
    return [*parts, *_subject(row, width - used, words, styles.dim, branch)]


def _subject(row: Facts, width: int, words: Style, dim: Style, branch: str) -> list[Segment]:
    """Draw the subject, and behind it as much of the snippet as fits; in a tree the branch and the snippet."""
    subject, extra = row.subject, row.extra
    if branch:
        return [Segment(fit(branch + extra, width), words if row.unread else dim)]
    used = cell_len(subject)
    if not extra or width - used < SNIPPET_FROM:
        return [Segment(fit(subject, width), words)]
    return [Segment(_kept_apart(subject), words), Segment("  " + fit(extra, width - used - 2), dim)]


def _who(row: Facts, width: int, words: Style, dim: Style) -> list[Segment]:
    """Draw the person, or the people and how many messages are theirs, in exactly `width` cells and two blanks."""
    if not row.count:
        return [Segment(fit(cut_sender(row.who, width), width) + "  ", words)]
    count = f" {number(row.count)}"
    left = max(width - cell_len(count), 0)
    who = row.who if cell_len(row.who) <= left else set_cell_size(row.who, max(left - 1, 0)).rstrip(" ,") + "…"
    return [Segment(_kept_apart(who), words), Segment(fit(count, width - cell_len(who)) + "  ", dim)]


def fit(text: str, width: int) -> str:
    """Return the text in exactly `width` cells, with … where it was cut."""
    if cell_len(text) <= width:
        return _kept_apart(text) + " " * (width - cell_len(text))
    return _kept_apart(set_cell_size(text, width - 1)) + "…" if width > 0 else ""


def _kept_apart(text: str) -> str:
    """End a right-to-left text with a left-to-right mark, so that the columns behind it keep their places."""
    return text + LTR if not text.isascii() and RIGHT_TO_LEFT.search(text) else text


def _joined(parts: Iterable[Segment]) -> list[Segment]:
    """Join neighbouring segments of one style, and blanks with their neighbour: each segment costs about forty bytes."""
    joined: list[Segment] = []
    for part in filter(lambda one: one.text, parts):
        if joined and (joined[-1].style == part.style or not part.text.strip()):
            joined[-1] = Segment(joined[-1].text + part.text, joined[-1].style)
        elif joined and not joined[-1].text.strip():
            joined[-1] = Segment(joined[-1].text + part.text, part.style)
        else:
            joined.append(part)
    return [piece for part in joined for piece in _marks_alone(part)]


def _marks_alone(part: Segment) -> list[Segment]:
    """Split left-to-right marks off as segments of their own, for code that measures segments in cells."""
    if LTR not in part.text:
        return [part]
    return [Segment(text, part.style) for text in re.split(f"({LTR})", part.text) if text]
