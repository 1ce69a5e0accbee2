"""The welcome letter and the personal threads of the demo mailbox."""

from __future__ import annotations

from termmail.demo.message_builder import ADA, File, Letter, days
from termmail.demo.pictures import curve, pdf

CHARLES = "Charles Babbage <charles@example.net>"
MARY = "Mary Somerville <mary@example.org>"
LUIGI = "Luigi Menabrea <luigi@example.net>"
MICHAEL = "Michael Faraday <michael@example.org>"
WILLIAM = "William King <william@example.org>"
AUGUSTUS = "Augustus De Morgan <augustus@example.org>"
JOSEPH = "Joseph Clement <joseph@example.net>"


WELCOME = Letter(
    days(0, 0.05),
    "termmail <hello@example.org>",
    "Welcome to termmail",
    """
    Hello Ada,

    this is a mailbox to play in. Its servers run on this computer only,
    nothing you do here leaves it, and all of it is gone when you quit.

    Ten keys are enough for the first day:

        j  k     the next message, the one before (arrow keys work too)
        Enter    open a message
        Esc      go back, one step at a time
        c        write a new message
        r        reply (a replies to everyone)
        d        delete
        z        undo: the message comes back, a send is stopped
        e        archive: out of the inbox, but kept
        g        go to a folder: g i inbox, g t sent, g d drafts
        ?        every other key, with words

    q leaves from the list. The last line always shows what fits here.

    Try this: press r, write a line, press F9. Whatever you send here,
    to anyone, comes back into this inbox after a moment; F5 looks for
    it at once.

    This account is called home, and receives its mail by POP3. Another
    one, society, has its folders on an IMAP server. The list shows both
    inboxes: 1 and 2 show one of them, 0 shows both again.

    Then have a look around. There is a long thread about a carry
    mechanism, a newsletter full of tables and pictures, an invite, a
    mail from somebody who would like your password, and one of 5 MB
    that is only fetched when you open it.

    --
    termmail
    """,
    "welcome",
)

CARRY = (
    Letter(
        days(6, 3),
        CHARLES,
        "The anticipating carriage",
        """
        My dear Ada,

        I have it. The carries need not ripple: a second row of wires can
        see nine after nine after nine, and move them all in one stroke.
        Forty figures, one turn of the handle.

        Joseph says that it is a third more brass. I say that it is a
        hundredth of the time. Which of us should I listen to?

        Yours in great haste,
        C. B.
        """,
        "carry-1",
        cc=JOSEPH,
    ),
    Letter(
        days(5, 22),
        JOSEPH,
        "Re: The anticipating carriage",
        """
        > Joseph says that it is a third more brass.

        Joseph said a half. And he said it before seeing the drawing with
        the second row of wires. Brass is 94 shillings the hundredweight.

        Joseph Clement
        Toolmaker
        """,
        "carry-2",
        answers=("carry-1",),
        to=f"{CHARLES}, {ADA}",
    ),
    Letter(
        days(5, 20),
        MARY,
        "Re: The anticipating carriage",
        """
        On Tuesday Charles Babbage wrote:
        > The carries need not ripple: a second row of wires can see nine
        > after nine after nine, and move them all in one stroke.

        It is beautiful, Charles. But what does it do when the handle is
        turned back? Ada found a case last week with 0 minus 1; does that
        not run the nines the other way?

        Mary
        """,
        "carry-3",
        answers=("carry-1",),
        to=CHARLES,
        cc=f"{ADA}, {JOSEPH}",
    ),
    Letter(
        days(5, 2),
        CHARLES,
        "Re: The anticipating carriage",
        """
        On Wednesday Mary Somerville wrote:
        > On Tuesday Charles Babbage wrote:
        >> The carries need not ripple: a second row of wires can see nine
        >> after nine after nine, and move them all in one stroke.
        >
        > It is beautiful, Charles. But what does it do when the handle is
        > turned back?

        It jams.

        I had not turned it back. Nobody has ever wanted to turn it back.
        Ada, what do you say: must an engine be able to regret?

        C. B.
        """,
        "carry-4",
        answers=("carry-1", "carry-3"),
        to=MARY,
        cc=f"{ADA}, {JOSEPH}",
    ),
    Letter(
        days(4, 6),
        AUGUSTUS,
        "Re: The anticipating carriage",
        """
        If I may come in from the side. Mary forwarded me the whole of it.

        >>>>> My dear Ada,
        >>>>>
        >>>>> I have it. The carries need not ripple: a second row of wires
        >>>>> can see nine after nine after nine, and move them all in one
        >>>>> stroke. Forty figures, one turn of the handle.
        >>>>
        >>>> Joseph said a half. And he said it before seeing the drawing
        >>>> with the second row of wires.
        >>>
        >>> It is beautiful, Charles. But what does it do when the handle is
        >>> turned back? Ada found a case last week with 0 minus 1; does
        >>> that not run the nines the other way?
        >>
        >> It jams.
        >>
        >> I had not turned it back. Nobody has ever wanted to turn it back.
        >
        > Subtraction is addition of the complement. An engine that adds
        > never needs to turn back; it needs a lever that writes nines.

        That last is Ada's, from her note of March, and I think it settles
        the matter: no brass at all, one lever.

        Augustus
        """,
        "carry-5",
        answers=("carry-1", "carry-3", "carry-4"),
        to=CHARLES,
        cc=f"{ADA}, {MARY}, {JOSEPH}",
    ),
    Letter(
        days(1, 5),
        CHARLES,
        "Re: The anticipating carriage (now with one lever)",
        """
        Joseph cut the lever last night. Here is what the figure wheel does
        when it is let go: blue before, red after.

        It settles in a third of the time. I do not know what to be more
        annoyed about, that it works or that it cost four shillings.

        C. B.
        """,
        "carry-6",
        answers=("carry-1", "carry-3", "carry-4", "carry-5"),
        cc=f"{MARY}, {JOSEPH}, {AUGUSTUS}",
        files=(File("figure-wheel.png", "image/png", curve()),),
    ),
)

DINNER = (
    Letter(
        days(3, 4),
        MARY,
        "Dinner on Thursday?",
        """
        Dear all,

        Thursday at eight, at ours. Michael brings the magnets, Ada brings
        the cards, and nobody brings a speech.

        Does anyone not eat fish?

        Mary
        """,
        "dinner-1",
        to=f"{ADA}, {MICHAEL}, {WILLIAM}",
    ),
    Letter(
        days(3, 1),
        MICHAEL,
        "Re: Dinner on Thursday?",
        """
        With pleasure. I eat everything that does not spark.

        May I bring the coil as well? It wants a large table.

        Michael
        """,
        "dinner-2",
        answers=("dinner-1",),
        to=MARY,
        cc=f"{ADA}, {WILLIAM}",
    ),
    Letter(
        days(2, 20),
        WILLIAM,
        "Re: Dinner on Thursday?",
        """
        I will be late, the 18:40 has been late all week. Please start
        without me, and please keep the coil away from Ada, she has an
        idea already.

        W.
        """,
        "dinner-3",
        answers=("dinner-1", "dinner-2"),
        to=MARY,
        cc=f"{ADA}, {MICHAEL}",
    ),
    Letter(
        days(0, 7),
        MARY,
        "Re: Dinner on Thursday?",
        """
        Half past eight then, for William's train. The coil gets the side
        table and a fireproof cloth.

        > May I bring the coil as well? It wants a large table.

        Mary
        """,
        "dinner-4",
        answers=("dinner-1", "dinner-2", "dinner-3"),
        to=f"{ADA}, {MICHAEL}, {WILLIAM}",
    ),
)

PAPER = (
    Letter(
        days(20, 2),
        LUIGI,
        "A paper on the engine, and a request",
        """
        Gentile Signora,

        the lectures in Turin are now written down, in French, 24 pages.
        Signor Babbage tells me that you may translate them, and that you
        have opinions. I would be glad of both.

        The paper is attached. Please be severe with section 3, where I
        describe the loop: I have the feeling that the machine can do more
        there than I have dared to say, and that you know what it is.

        Con stima,

        Luigi Menabrea
        """,
        "paper-1",
        flowed=True,
        files=(
            File(
                "notions-sur-la-machine.pdf",
                "application/pdf",
                pdf(
                    "Notions sur la machine analytique",
                    [
                        "L. F. Menabrea",
                        "",
                        "1. The mill and the store",
                        "2. Cards of operations, cards of variables",
                        "3. On repeating a series of operations (the loop)",
                    ],
                ),
            ),
        ),
    ),
    Letter(
        days(12, 9),
        LUIGI,
        "Re: Your notes A to F",
        """
        Gentile Signora,

        your notes are longer than my paper. I counted twice. They are
        also better, which I only counted once.

        > The engine weaves algebraical patterns just as the loom weaves
        > flowers and leaves.

        May I steal this sentence for Turin? I would of course say whose
        it is, and I would say it in Italian, where it is even better.

        Luigi
        """,
        "paper-2",
        answers=("paper-1",),
        flowed=True,
    ),
    Letter(
        days(0, 20),
        LUIGI,
        "Note G",
        """
        Gentile Signora,

        I have computed B7 by hand along your table of note G, all 25
        operations, and there is one small thing in operation 4: I think
        the two variables stand the wrong way round. 2n-1 over 2n+1,
        and not the other way.

        Forgive me. It is the first mistake ever found in such a table, so
        in a way it is yours to be proud of.

        Luigi
        """,
        "paper-3",
        answers=("paper-1", "paper-2"),
        flowed=True,
    ),
)

LETTERS = (WELCOME, *CARRY, *DINNER, *PAPER)
