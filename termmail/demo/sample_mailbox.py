"""The mailbox of the demo: about 60 messages to Ada Lovelace, with dates relative to a given day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.demo import family, letters, mailing_list, newsletters, oddities

if TYPE_CHECKING:
    from datetime import datetime

    from termmail.demo.message_builder import Letter, Oddity

NAME = "Ada Lovelace"
USER = "ada@example.org"


def messages(now: datetime) -> list[bytes]:
    """Return the messages, oldest first, with CRLF line ends.

    They are byte for byte the same for the same `now`, which needs a time zone.
    """
    everything: list[Letter | Oddity] = [
        *letters.LETTERS,
        *family.LETTERS,
        *mailing_list.LETTERS,
        *newsletters.LETTERS,
        *newsletters.invites(now),
        *oddities.LETTERS,
        *oddities.large(),
    ]
    return [one.raw(now) for one in sorted(everything, key=lambda one: one.ago, reverse=True)]
