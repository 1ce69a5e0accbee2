"""Family, neighbours and bills in the demo mailbox."""

from __future__ import annotations

from termmail.demo.message_builder import File, Letter, days
from termmail.demo.pictures import ledger, pdf

ANNABELLA = "Annabella Byron <annabella@example.net>"

FAMILY = (
    Letter(
        days(30, 5),
        ANNABELLA,
        "Your harp",
        """
        Ada,

        the harp has been delivered to St James's Square. Please practise it. A
        lady may calculate in the morning if she plays in the evening.

        Your mother
        """,
        "harp",
    ),
    Letter(
        days(8, 11),
        ANNABELLA,
        "Re: Your harp",
        """
        A harp is not "a sorting machine with forty-seven columns".

        Your mother
        """,
        "harp-2",
        answers=("harp", "harp-answer"),
    ),
    Letter(
        days(2, 3),
        "William King <william@example.org>",
        "Trains on Friday",
        """
        Two ways home on Friday:

          17:55  Paddington    19:20  Weybridge   change at Reading
          18:40  Paddington    19:31  Weybridge   direct, "on time"

        I would take the first. Tickets: https://trains.example.net/t/8841?from=PAD&to=WYB

        Byron lost a tooth and would like to know what 32 minus 1 is in
        your engine.

        W.
        """,
        "trains",
    ),
    Letter(
        days(1, 9),
        "Ockham Park School <office@school.example.org>",
        "Year 4: the abacus is to be returned",
        """
        Dear parents,

        the class abacus (wood, 10 rows, one bead chewed) was taken home last
        week and has not come back. Could everyone look under beds, please?

        The science fair is on the 14th. Miss Annabella King has signed up with
        "A horse that counts". Please confirm that there is no horse.

        The office
        """,
        "abacus",
    ),
    Letter(
        days(0, 3),
        "Greta Hart <greta@example.net>",
        "Cat 🐈 + your balcony 🌿",
        """
        Hi neighbour 👋

        the cat is on your balcony again 🐈‍⬛, asleep in the rosemary 🌿💤. She came
        over the 🧱 wall, not through the door, I watched her.

        Could you let her in when you are home? 🙏🏽 I am back around 7 🕖.
        The 👩‍👩‍👧‍👧 upstairs say hello, and 🇮🇹 won 3:1 ⚽🎉

        Greta 💛
        """,
        "cat",
    ),
)

FILES = (
    Letter(
        days(15, 4),
        "Joseph Clement <joseph@example.net>",
        "Costs of the workshop, the whole year",
        """
        Attached, as asked. Column 4 is pounds. The oil in March is not a
        mistake, somebody left the tap open and it was not me.

        Joseph Clement
        """,
        "costs",
        files=(File("workshop-costs.csv", "text/csv", ledger().encode()),),
    ),
    Letter(
        days(10, 6),
        "Whitworth Tools <billing@tools.example.net>",
        "Invoice 2291 for screws, one standard thread",
        """
        Dear customer,

        please find our invoice 2291 attached. It is due in 30 days.

        All screws now have the same thread. You are welcome.

        Whitworth Tools, Manchester
        """,
        "invoice",
        files=(
            File(
                "invoice-2291.pdf",
                "application/pdf",
                pdf(
                    "Invoice 2291", ["144 screws, 55 degrees   GBP 3.20", "Carriage   GBP 0.80", "", "Total   GBP 4.00"]
                ),
            ),
        ),
    ),
)

LETTERS = (*FAMILY, *FILES)
