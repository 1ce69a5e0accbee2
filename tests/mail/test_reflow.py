"""Only prose that was broken by hand is joined again: its words stay, and everything else stays as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import flowed, reflow
from termmail.mail.message import Envelope, Message
from tests.timing import assert_grows_less

PROSE = """\
The analytical engine weaves algebraical patterns just as the Jacquard
loom weaves flowers and leaves. It can do whatever we know how to order
it to perform, and it can follow analysis; but it has no power of
anticipating any analytical relations or truths of its own.
"""


def shown(text: str, width: int = 40) -> list[str]:
    message = Message(Envelope(), text=text)
    return [line.text for line in flowed.body(message, width, reflowed=True).lines]


def as_sent(text: str, width: int = 40) -> list[str]:
    return [line.text for line in flowed.body(Message(Envelope(), text=text), width).lines]


def test_a_paragraph_wider_than_the_pane_wraps_at_the_pane():
    lines = shown(PROSE)
    assert max(map(len, lines)) <= 40
    assert min(map(len, lines[:-1])) > 28
    assert " ".join(" ".join(lines).split()) == " ".join(PROSE.split())


def test_a_paragraph_that_fits_stays_as_it_was_written():
    assert shown(PROSE, 80) == PROSE.rstrip("\n").split("\n")


def test_two_paragraphs_stay_two_and_a_greeting_stays_a_line():
    lines = shown(f"Dear Charles,\n{PROSE}\n{PROSE}\nYours,\nAda\n")
    assert lines[0] == "Dear Charles,"
    assert lines[-2:] == ["Yours,", "Ada"]
    assert lines.count("") == 2


def test_two_paragraphs_of_two_lines_are_enough_to_see_the_column():
    text = (
        "Cards are white. Operation cards and variable cards get mixed up\nwhen dropped (see: last Tuesday, stairs).\n\n"
        "Proposal: operations blue, variables stay white. I know that there\nwill be 40 answers to this.\n\nHenry\n"
    )
    lines = shown(text, 50)
    assert "cards get mixed up when dropped (see: last" in lines
    assert lines[-1] == "Henry"


def test_one_line_and_a_name_below_it_stay_two():
    text = "I will meet you at the station tomorrow at nine, as we said.\nAda\n"
    assert shown(text) == as_sent(text)


def test_quoted_prose_is_joined_at_its_own_depth():
    quoted = "".join(f"> {line}\n" for line in PROSE.splitlines())
    lines = shown(f"{quoted}{PROSE}")
    assert all(line.startswith("> ") for line in lines[:7])
    words = " ".join(line.removeprefix("> ") for line in lines if line.startswith("> "))
    assert words == " ".join(PROSE.split())


def test_a_hyphen_at_the_end_of_a_line_joins_without_a_space():
    text = PROSE.replace("the Jacquard\nloom weaves flowers", "any very well-\nknown loom weaves it")
    assert "well-known" in " ".join(shown(text))


def test_east_asian_lines_join_without_a_space():
    line = "解析機関は代数的な模様を織りなすものであり、ちょうどジャカード織機が花や葉を織る"
    assert "".join(shown("\n".join([line] * 4))) == line * 4


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"- item {number} of a list that is long enough to be wider than the pane\n" for number in range(6)),
        "".join(f"{number}. item of a list that is long enough to be wider than the pane\n" for number in range(6)),
        "".join(f"name {number}      amount {number}00      pounds sterling      remark\n" for number in range(6)),
        "".join(f"| name {number} | amount {number}00 | pounds sterling and more | x |\n" for number in range(6)),
        "".join(f"    indented line {number} of something that is code or a quotation\n" for number in range(6)),
        "".join(f"result = compute(argument, other_argument, {number}, more_of_them);\n" for number in range(6)),
        "".join("/\\_/\\  ( o.o )  > ^ <  /\\_/\\  ( o.o )  > ^ <  ~~~~~~~~~~~~~~~\n" for _ in range(6)),
        "".join(f"Subject: something {number} that somebody wrote about earlier today\n" for number in range(6)),
        "diff --git a/x b/x\n" + PROSE,
        "-- \nAda Lovelace, Countess, of the Analytical Engine Society of London\n" * 1 + PROSE,
        "".join(f"https://example.org/a/very/long/path/that/is/wider/than/the/pane/{n}\n" for n in range(6)),
        "Ada Lovelace, Saint James's Square\nLondon\nEngland and the whole of the United Kingdom\n",
    ],
    ids=[
        "list",
        "numbers",
        "table",
        "bars",
        "indent",
        "code",
        "art",
        "fields",
        "patch",
        "signature",
        "urls",
        "address",
    ],
)
def test_what_is_no_prose_stays_as_it_was_written(text):
    assert shown(text) == as_sent(text)


def test_verses_stay_lines():
    verse = "She walks in beauty, like the night\nOf cloudless climes and starry skies;\nAnd all that’s best of dark and bright\n"
    verse += "Meet in her aspect and her eyes;\nThus mellowed to that tender light\nWhich heaven to gaudy day denies.\n"
    assert shown(verse, 30) == as_sent(verse, 30)


def test_flowed_text_is_left_to_its_own_rules():
    message = Message(Envelope(), text="a line that is flowed \nand goes on\nhere\n", flowed=True)
    assert flowed.body(message, 30, reflowed=True).lines == flowed.body(message, 30).lines


def test_a_link_in_joined_prose_is_still_a_link():
    text = PROSE.replace("Jacquard\nloom", "https://example.org/\nloom")
    message = Message(Envelope(), text=text)
    assert [link.url for link in flowed.body(message, 40, reflowed=True).links] == ["https://example.org/"]


@given(st.lists(st.text(alphabet="ab c.-|>日\u0301", max_size=90), max_size=12), st.integers(12, 60))
def test_no_letter_is_lost_or_moved(lines, width):
    found = flowed.paragraphs("\n".join(lines))
    joined = reflow.joined(found, width)
    assert "".join(one.text for one in joined).replace(" ", "") == "".join(one.text for one in found).replace(" ", "")


def test_joining_takes_linear_time():
    assert_grows_less(lambda: shown(PROSE * 100), lambda: shown(PROSE * 800), 14)


def test_lines_that_are_mostly_not_full_stay_lines():
    text = (
        PROSE
        + "\n"
        + "A short line of prose here\n" * 4
        + "A line of prose that is filled up to the very column of all the others\nand more\n"
    )
    assert shown(text)[-7:-3] == ["A short line of prose here"] * 4


def test_lines_wider_than_a_hand_breaks_them_stay_as_they_are():
    text = f"{'word ' * 24}and\n" * 4
    assert shown(text) == as_sent(text)


def test_the_work_can_be_stopped():
    class StoppedError(Exception):
        pass

    def stop() -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        reflow.joined(flowed.paragraphs(PROSE), 40, stop)
