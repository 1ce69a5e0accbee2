"""The mailing list that Ada reads: a thread with a patch, a release, and a question about colours."""

from __future__ import annotations

from dataclasses import replace

from termmail.demo.message_builder import ADA, Letter, days

_LIST = "Engine developers <engine-dev@lists.example.org>"
_LIST_HEADERS = (
    ("List-Id", "Engine developers <engine-dev.lists.example.org>"),
    ("List-Post", "<mailto:engine-dev@lists.example.org>"),
    ("List-Unsubscribe", "<https://lists.example.org/leave/engine-dev>, <mailto:engine-dev-leave@lists.example.org>"),
    ("List-Archive", "<https://lists.example.org/engine-dev/>"),
    ("Precedence", "list"),
)
_FOOTER = """
        _______________________________________________
        engine-dev mailing list
        https://lists.example.org/engine-dev
"""


def _post(letter: Letter) -> Letter:
    """Return a letter as the list forwards it."""
    return replace(
        letter, subject=f"[engine-dev] {letter.subject}", text=letter.text + _FOOTER, to=_LIST, headers=_LIST_HEADERS
    )


_POSTS = (
    Letter(
        days(9, 8),
        "Fanny Hensel <fanny@example.net>",
        "Bernoulli numbers: off by one in B7?",
        """
        Hello list,

        with the cards from the repository I get B7 = -1/30 on the small
        engine and +1/30 on the large one. Same deck, same oil.

        Steps:
          1. load deck note-g, 25 cards
          2. set V1 = 1, V2 = 2, V3 = 4
          3. turn until the bell rings

        What do others see?

        Fanny
        """,
        "b7-1",
    ),
    Letter(
        days(9, 6),
        "Karl Weber <karl@example.org>",
        "Re: Bernoulli numbers: off by one in B7?",
        """
        Fanny Hensel wrote:
        > I get B7 = -1/30 on the small engine and +1/30 on the large one.

        Same here with -1/30. Which way round does your card 4 lie? The
        printed table has it upside down, see the thread of last autumn.

        Karl
        """,
        "b7-2",
        ("b7-1",),
    ),
    Letter(
        days(9, 1),
        "Fanny Hensel <fanny@example.net>",
        "Re: Bernoulli numbers: off by one in B7?",
        """
        > Which way round does your card 4 lie?

        The hole at the left. It falls through at the right if I shake it.

        Fanny
        """,
        "b7-3",
        ("b7-1", "b7-2"),
    ),
    Letter(
        days(8, 20),
        ADA,
        "Re: Bernoulli numbers: off by one in B7?",
        """
        It is the table that is wrong, not your engine. Operation 4 divides
        V5 by V4 where it must divide V4 by V5. I am sorry.

        --- a/note-g.deck
        +++ b/note-g.deck
        @@ -4 +4 @@
        -4  /  V5 V4  -> V11
        +4  /  V4 V5  -> V11

        Ada
        """,
        "b7-4",
        ("b7-1", "b7-2", "b7-3"),
    ),
    Letter(
        days(8, 18),
        "Karl Weber <karl@example.org>",
        "Re: Bernoulli numbers: off by one in B7?",
        """
        > It is the table that is wrong, not your engine.

        Applied, thank you. I think this is the first patch to a program,
        ever. Should we number them?

        Karl
        """,
        "b7-5",
        ("b7-1", "b7-2", "b7-3", "b7-4"),
    ),
    Letter(
        days(8, 2),
        "Fanny Hensel <fanny@example.net>",
        "Re: Bernoulli numbers: off by one in B7?",
        """
        Works on both engines now. The bell also rings in tune.

        Fanny
        """,
        "b7-6",
        ("b7-1", "b7-2", "b7-3", "b7-4"),
    ),
    Letter(
        days(4, 12),
        "Karl Weber <karl@example.org>",
        "Release 0.3: loops, and a quieter bell",
        """
        Decks and drawings of release 0.3 are at
        https://lists.example.org/engine-dev/releases/0.3/

        New in it:

        * backing: a deck can run back to a card (the "loop")
        * the bell can be wrapped in felt (felt not included)
        * B7 is right

        Thanks to Fanny, Ada and everyone who shook their cards.

        Karl
        """,
        "release",
    ),
    Letter(
        days(0, 11),
        "Henry Babbage <henry@example.net>",
        "RFC: colour of the punched cards",
        """
        Cards are white. Operation cards and variable cards get mixed up
        when dropped (see: last Tuesday, stairs).

        Proposal: operations blue, variables stay white. I know that there
        will be 40 answers to this. That is why I send it on a Friday.

        Henry
        """,
        "colour-1",
    ),
    Letter(
        days(0, 10),
        "Karl Weber <karl@example.org>",
        "Re: RFC: colour of the punched cards",
        """
        > operations blue

        Green.

        Karl
        """,
        "colour-2",
        ("colour-1",),
    ),
)

LETTERS = tuple(_post(letter) for letter in _POSTS)
