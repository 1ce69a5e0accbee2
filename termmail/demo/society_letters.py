"""The letters of the second account of the demo: the secretary of a society of calculators, on a journey."""

from __future__ import annotations

from termmail.demo.message_builder import File, Letter, days
from termmail.demo.pictures import pdf

SECRETARY_ADDRESS = "ada.king@example.net"
SECRETARY = f"Ada King <{SECRETARY_ADDRESS}>"

_EMMY = "Emmy Noether <emmy@example.org>"
_SOPHIE = "Sophie Germain <sophie@example.net>"
_GRACE = "Grace Hopper <grace@example.org>"
_HEDY = "Hedy Lamarr <hedy@example.net>"
MARIA = "Maria Agnesi <maria@example.org>"


def received(
    ago: float,
    sender: str,
    subject: str,
    text: str,
    key: str,
    *,
    answers: tuple[str, ...] = (),
    cc: str = "",
    files: tuple[File, ...] = (),
) -> Letter:
    """Return a letter that the secretary received `ago` days before now."""
    return Letter(
        days(ago), sender, subject, text, key, answers, SECRETARY, cc, files=files, delivered_to=SECRETARY_ADDRESS
    )


def _written(ago: float, to: str, subject: str, text: str, key: str, *, answers: tuple[str, ...] = ()) -> Letter:
    return Letter(days(ago), SECRETARY, subject, text, key, answers, to, delivered_to="")


INBOX = (
    received(
        12.4,
        _EMMY,
        "Programme of the spring meeting",
        """
        Dear Ada,

        I have eleven talks and nine places. Could two of them share a
        blackboard? Sophie would not mind, I think, if the other is short
        and about primes.

        Please send the final list by the end of the month, the printer
        wants it on a Monday.

        Emmy
        """,
        "society-programme-1",
    ),
    received(
        11.2,
        _SOPHIE,
        "Re: Programme of the spring meeting",
        """
        On Friday Emmy Noether wrote:
        > Sophie would not mind, I think

        Sophie does mind, a little, but will write small.

        S.
        """,
        "society-programme-3",
        answers=("society-programme-1", "society-programme-2"),
        cc=_EMMY,
    ),
    received(
        6.3,
        _GRACE,
        "A moth in the minutes",
        """
        Ada,

        the minutes of March say that the motion was carried "by seven to
        a moth". I have taped the moth to page four. Shall we correct the
        minutes or the vote?

        Grace
        """,
        "society-moth",
    ),
    received(
        4.7,
        "Hall of the Weavers <hall@example.org>",
        "Your booking 4417: two questions",
        """
        Good morning,

        for the evening of the meeting we still need to know:

        1. how many chairs (we have 60, and 12 that creak)
        2. whether the large engine comes up the stairs or through the
           window

        The hall closes at ten.

        Kind regards
        """,
        "society-hall",
    ),
    received(
        3.1,
        "Society treasury <treasury@example.net>",
        "Annual account, for your signature",
        """
        Dear Secretary,

        the account of the year is attached. The difference of four pence
        is the tea.

        Please sign page two and return it.
        """,
        "society-account",
        files=(File("account.pdf", "application/pdf", pdf("Annual account", ["Dues 84 0 0", "Tea 0 0 4"])),),
    ),
    received(
        1.6,
        MARIA,
        "Die Kurve, endlich übersetzt",
        """
        Liebe Ada,

        die Übersetzung ist fertig. „Versiera“ heißt jetzt nicht mehr
        Hexe, sondern wieder Kurve. Könntest du Seite 12 bis 15 noch
        einmal ansehen? Größe und Maße stimmen, die Fußnoten nicht.

        Herzliche Grüße
        Maria
        """,
        "society-curve",
    ),
    received(
        0.4,
        _HEDY,
        "Eighty-eight channels",
        """
        If the key changes after every word, nobody can follow; not even
        the one who is meant to. I have a piano roll for it. Tuesday at
        four, same place?

        H.
        """,
        "society-channels",
    ),
    received(
        0.08,
        _GRACE,
        "Re: Two minutes on nanoseconds",
        """
        > How long is the wire that you hand out?

        A foot, near enough. I will bring one for each chair, also for
        the twelve that creak.

        Grace
        """,
        "society-nano-2",
        answers=("society-nano-1",),
    ),
)

ARCHIVE = (
    received(
        58,
        _EMMY,
        "You are the secretary now",
        """
        Congratulations: you were the only candidate and did not leave the
        room in time. The seal, the ledger and this mailbox are yours.

        Emmy
        """,
        "society-secretary",
    ),
    received(
        44,
        "Printers of Fleet Street <orders@printers.example.net>",
        "Proof of the letterhead",
        """
        The proof is ready. We have set "calculators" with two l, as the
        manuscript has it in one place, and with one, as in the others.
        Which would you prefer?
        """,
        "society-letterhead",
    ),
    received(
        43.5,
        "Printers of Fleet Street <orders@printers.example.net>",
        "Re: Proof of the letterhead",
        """
        One l, 500 sheets, ready on Thursday.
        """,
        "society-letterhead-3",
        answers=("society-letterhead", "society-letterhead-2"),
    ),
    received(
        31,
        _SOPHIE,
        "The prize of the Institute",
        """
        They have given it to the only paper that was sent in. It was
        mine, under a name that was not. What does one wear?

        S.
        """,
        "society-prize",
    ),
)

SENT = (
    _written(
        43.8,
        "Printers of Fleet Street <orders@printers.example.net>",
        "Re: Proof of the letterhead",
        """
        With one l, please. 500 sheets will do.

        Ada King
        Secretary
        """,
        "society-letterhead-2",
        answers=("society-letterhead",),
    ),
    _written(
        28.6,
        MARIA,
        "Re: Kurve oder Hexe?",
        """
        Liebe Maria,

        eine Kurve, bitte. Mit dem Besen würde sie im Register unter
        Haushalt stehen.

        Ada
        """,
        "society-witch-2",
        answers=("society-witch",),
    ),
    _written(
        11.9,
        f"{_EMMY}, {_SOPHIE}",
        "Re: Programme of the spring meeting",
        """
        Dear both,

        a shared blackboard, then: Sophie takes the left half and comes
        first. I send the list to the printer on Monday.

        Ada
        """,
        "society-programme-2",
        answers=("society-programme-1",),
    ),
    _written(
        0.9,
        _GRACE,
        "Two minutes on nanoseconds",
        """
        Grace,

        would you close the evening with two minutes on nanoseconds? How
        long is the wire that you hand out? Emmy has to know for the
        programme.

        Ada
        """,
        "society-nano-1",
    ),
)

DRAFTS = (
    _written(
        0.3,
        "Hall of the Weavers <hall@example.org>",
        "Re: Your booking 4417: two questions",
        """
        Good morning,

        72 chairs, the creaking ones at the back. As to the engine, it
        """,
        "society-hall-draft",
        answers=("society-hall",),
    ),
)

JUNK = (
    received(
        9,
        "Perpetual Motion Ltd <offers@perpetual.example.net>",
        "ADA, your wheel turns FOREVER (one payment)",
        """
        Dear friend of science!!!

        Our wheel needs no steam. Pay once, turn always. Reply with your
        bank and the size of your barn.
        """,
        "society-wheel",
    ),
    received(
        2.2,
        "Lottery of Bath <winner@lottery.example.net>",
        "You have won: claim number 0000001",
        """
        The odds of this letter were one in nine million. Do not waste
        them: https://lottery.example.net/claim
        """,
        "society-lottery",
    ),
)

TRASH = (
    received(
        14,
        "Society bulletin <bulletin@example.net>",
        "Bulletin 17",
        """
        Lost: one umbrella, black, in the reading room.
        Found: eleven umbrellas, black, in the reading room.
        """,
        "society-bulletin",
    ),
)
