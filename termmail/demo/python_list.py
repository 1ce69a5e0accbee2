"""The mailing list in the second account of the demo: questions about a python."""

from __future__ import annotations

from termmail.demo.message_builder import Letter, days
from termmail.demo.society_letters import SECRETARY_ADDRESS

_LIST = "Python help <python-help@lists.example.org>"
_HEADERS = (
    ("List-Id", "Python help <python-help.lists.example.org>"),
    ("List-Post", "<mailto:python-help@lists.example.org>"),
    ("List-Unsubscribe", "<https://lists.example.org/leave/python-help>"),
    ("Precedence", "list"),
)


def _post(ago: float, sender: str, subject: str, text: str, key: str, *, answers: tuple[str, ...] = ()) -> Letter:
    return Letter(
        days(ago), sender, subject, text, key, answers, _LIST, headers=_HEADERS, delivered_to=SECRETARY_ADDRESS
    )


LETTERS = (
    _post(
        8.1,
        "Ned Ludd <ned@example.org>",
        "[python-help] How do I feed it?",
        """
        The subject says it. It came with the engine, it is four feet long
        and nobody left instructions. Does it take punched cards?

        Ned
        """,
        "society-python-1",
    ),
    _post(
        8.0,
        "Hypatia <hypatia@example.net>",
        "Re: [python-help] How do I feed it?",
        """
        > Does it take punched cards?

        Wrong python. This list is about the language:

            for card in deck:
                engine.read(card)

        For the other one, try mice.
        """,
        "society-python-2",
        answers=("society-python-1",),
    ),
    _post(
        7.9,
        "Ned Ludd <ned@example.org>",
        "Re: [python-help] How do I feed it?",
        """
        > For the other one, try mice.

        It wants nothing but commas. I am on the right list after all.

        Ned
        """,
        "society-python-3",
        answers=("society-python-1", "society-python-2"),
    ),
    _post(
        1.1,
        "Guy of Gisborne <guy@example.org>",
        "[python-help] Integers of a thousand figures",
        """
        Is it true that they never overflow? Our engine stops at forty and
        rings a bell.

        Guy
        """,
        "society-python-4",
    ),
)
