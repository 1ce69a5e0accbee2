"""The reader: a preview asks no server, reading fetches once, and termmail's own words stand where no mail can write."""

from __future__ import annotations

import re

import pytest

from termmail.demo.faults import Manners
from termmail.mail.message import Line
from termmail.ui.widgets.text_view import folded
from tests.engine.test_large_message import large
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until, words_of
from tests.views import SENT, move

LONG = "\r\n".join(f"line {number} of many" for number in range(200))
QUOTED = "I agree.\r\n\r\n" + "".join(f"> point {number}\r\n" for number in range(8)) + "\r\nCharles"
HTML = (
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n"
    b"the plain form\r\n--b\r\nContent-Type: text/html\r\n\r\n<h1>The rich form</h1><p>with <a href='https://example.org/x'>"
    b"a link</a></p>\r\n--b--\r\n"
)
BOTH = b"From: Ada <ada@example.net>\r\nSubject: Two forms\r\nDate: Wed, 4 Mar 2026 09:00:00 +0000\r\n" + HTML


async def test_a_preview_follows_the_cursor_when_it_rests(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.press("j")
        await until(pilot, lambda: "This is letter 11." in shown(app))
        assert app.main_screen.messages.row(app.main_screen.messages.cursor_id).unread


async def test_a_pane_that_comes_back_shows_the_message_under_the_cursor(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.resize_terminal(40, 12)
        await until(pilot, lambda: not app.main_screen.reader.display)
        await pilot.press("d")
        await until(pilot, lambda: app.subject() == "Letter 11")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.main_screen.reader.display)
        assert "This is letter 12." not in shown(app)
        await until(pilot, lambda: "This is letter 11." in shown(app))


async def test_a_pane_never_keeps_the_message_read_on_a_small_screen(tmp_path):
    async with mailbox(tmp_path, size=(40, 12)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.press("escape", "d", "d")
        await until(pilot, lambda: app.subject() == "Letter 10")
        await pilot.resize_terminal(120, 30)
        await until(pilot, lambda: "This is letter 10." in shown(app))
        assert "This is letter 12." not in shown(app)


async def test_moving_on_at_once_fetches_nothing(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        await pilot.press("j", "j", "j", "k", "j")
        assert not [line for line in app.pop3.log if "RETR" in str(line)]


async def test_enter_fetches_the_text_once_and_marks_it_read(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        id_ = app.main_screen.messages.cursor_id
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await until(pilot, lambda: not app.main_screen.messages.row(id_).unread)
        await until(pilot, lambda: "11 unread" in shown(app))
        await pilot.press("escape", "enter")
        assert not (await app.engine.lists.row(id_)).unread
        assert len([line for line in app.pop3.log if "RETR" in str(line)]) == 1


async def test_a_server_that_fails_is_told_in_the_reader_and_the_message_stays_unread(tmp_path):
    async with mailbox(tmp_path, whole=False) as (app, pilot):
        app.pop3.manners = Manners(drop_at=frozenset({"RETR"}))
        await pilot.press("enter")
        await until(pilot, lambda: "network" in words_of(app))
        assert app.main_screen.messages.row(app.main_screen.messages.cursor_id).unread


async def test_next_and_previous_message_without_going_back(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.press("]")
        await until(pilot, lambda: "This is letter 11." in shown(app))
        await until(pilot, lambda: not app.main_screen.messages.row(app.main_screen.messages.cursor_id).unread)
        await pilot.press("[", "[")
        await until(pilot, lambda: "This is the first message." in shown(app))


async def test_space_pages_and_then_opens_the_next_message(tmp_path):
    mails = [letter(1), letter(2, body=LONG)]
    async with mailbox(tmp_path, mails) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "line 0 of many" in shown(app))
        seen = 0
        while "This is letter 1." not in shown(app):
            await pilot.press("space")
            await pilot.pause()
            seen += 1
            assert seen < 40
        assert seen > 5


async def test_delete_in_the_reader_goes_on_to_the_next_message(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: "This is letter 11." in shown(app))
        assert app.main_screen.whole


async def test_deleting_the_last_message_leaves_the_reader(tmp_path):
    async with mailbox(tmp_path, [letter(1)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        await pilot.press("d")
        await until(pilot, lambda: not app.main_screen.whole and "Inbox is empty." in shown(app))


async def test_quotes_fold_and_come_back(tmp_path):
    async with mailbox(tmp_path, [letter(1, body=QUOTED)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "> point 7" in shown(app))
        await pilot.press("Q")
        assert "… 8 quoted lines · Q shows them" in shown(app)
        assert "> point" not in shown(app)
        await pilot.press("Q")
        assert "> point 7" in shown(app)


def test_short_quotes_do_not_fold():
    lines = (Line("> one", 1), Line("text"), Line("> two", 1), Line("> three", 1))
    assert folded(lines) == lines


async def test_all_headers_and_back(tmp_path):
    async with mailbox(tmp_path, [letter(1, X_Loom="Jacquard")]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        await pilot.press("h")
        assert "X-Loom: Jacquard" in shown(app)
        await pilot.press("h")
        assert "This is letter 1." in shown(app)


async def test_text_and_html_switch(tmp_path):
    async with mailbox(tmp_path, [BOTH]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "the plain form" in shown(app))
        await pilot.press("H")
        await until(pilot, lambda: "The rich form" in shown(app))
        await pilot.press("H")
        await until(pilot, lambda: "the plain form" in shown(app))


async def test_a_message_of_one_form_says_so(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        await pilot.press("H")
        await until(pilot, lambda: "This message has no HTML." in shown(app))
        await pilot.press("h")
        await until(pilot, lambda: "Message-ID:" in shown(app))
        assert "This message has no HTML." not in shown(app)


async def test_html_is_shown_from_the_headers_also_where_it_is_the_only_form(tmp_path):
    alone = b"From: ada@example.net\r\nSubject: One form\r\nContent-Type: text/html\r\n\r\n<p>The rich form</p>\r\n"
    async with mailbox(tmp_path, [BOTH, alone]) as (app, pilot):
        await pilot.press("enter")
        for subject in ("One form", "Two forms"):
            await until(pilot, lambda subject=subject: subject in shown(app) and app.main_screen.reader.message)
            await pilot.press("h")
            await until(pilot, lambda: "Content-Type:" in shown(app))
            await pilot.press("H")
            await until(pilot, lambda: "The rich form" in shown(app) and "HTML, made readable" in shown(app))
            if subject == "One form":
                await pilot.press("H")
                await until(pilot, lambda: "This message has only an HTML version." in shown(app))
            await pilot.press("]")


async def test_links_are_listed_also_those_of_the_form_that_is_not_shown(tmp_path):
    async with mailbox(tmp_path, [BOTH]) as (app, pilot):
        await pilot.press("U")
        await until(pilot, lambda: "https://example.org/x" in shown(app))


async def test_source_is_shown_as_it_came(tmp_path):
    async with mailbox(tmp_path, [letter(1, X_Loom="Jacquard")]) as (app, pilot):
        await pilot.press("V")
        await until(pilot, lambda: "X-Loom: Jacquard" in shown(app))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main_screen)


async def test_the_whole_address_is_always_in_sight_and_a_false_domain_is_warned_about(tmp_path):
    spoof = letter(1, From='"service@bank.example" <thief@bаnk.example>')
    async with mailbox(tmp_path, [spoof], size=(120, 36)) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 1." in shown(app))
        assert "xn--" in shown(app)
        assert "  ! " in shown(app)


async def test_a_body_cannot_draw_on_the_block_above_it(tmp_path):
    fake = "\r\n" * 2 + "From   Bank <bank@example.org>\r\n" + LONG
    async with mailbox(tmp_path, [letter(1, body=fake)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "From   Bank" in shown(app))
        reader = app.main_screen.reader
        block = {segment.style.bgcolor for y in range(3) for segment in reader.render_line(y)}
        body = {segment.style.bgcolor for y in range(4, 12) for segment in reader.render_line(y)}
        assert not block & body
        await pilot.press("pagedown", "pagedown")
        assert "charles@example.net" in shown(app)


@pytest.mark.parametrize(("down", "up"), [("pagedown", "pageup"), ("ctrl+d", "ctrl+u"), ("j", "k")])
async def test_each_key_that_scrolls_down_has_one_that_scrolls_as_far_up(tmp_path, down, up):
    async with mailbox(tmp_path, [letter(1, body=LONG)]) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "line 0 of many" in shown(app))
        places = [shown(app)]
        for _ in range(3):
            await pilot.press(down)
            places.append(shown(app))
        assert len(set(places)) == 4
        for place in places[-2::-1]:
            await pilot.press(up)
            assert shown(app) == place


@pytest.mark.parametrize("size", [(120, 36), (160, 40)])
async def test_beside_the_list_enter_gives_the_pane_the_focus_and_again_the_screen(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: app.main_screen.reader.has_focus)
        assert not app.main_screen.whole
        assert app.main_screen.messages.display
        await pilot.press("enter")
        assert app.main_screen.whole
        await pilot.press("escape")
        assert app.main_screen.messages.has_focus


async def test_text_can_be_selected_and_copied(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "This is letter 12." in shown(app))
        y = next(
            y for y in range(20) if "This is letter" in "".join(s.text for s in app.main_screen.reader.render_line(y))
        )
        await pilot.mouse_down("#reader", offset=(1, y))
        await pilot.hover("#reader", offset=(8, y))
        await pilot.mouse_up("#reader", offset=(8, y))
        assert app.screen.get_selected_text().startswith("This is")


@pytest.mark.parametrize("width", [20, 38, 60, 88, 120])
@pytest.mark.parametrize("height", [4, 9, 14, 40])
def test_the_senders_address_is_never_cut_and_warnings_come_first(width, height):
    from termmail.mail.message import Address, Envelope, Message, Part
    from termmail.mail.model import MessageRow, Role
    from termmail.ui.widgets.message_header import head

    email = "a-rather-long-name@a-rather-long-domain.of.example.org"
    message = Message(
        envelope=Envelope(
            sender=(Address("x" * 60, email),),
            to=tuple(Address(f"Person {n}", f"person{n}@example.org") for n in range(30)),
        ),
        parts=tuple(Part(str(n), "text/plain", f"file {n}.txt", 1000) for n in range(20)),
        warnings=("Be careful with this one.",),
    )
    row = MessageRow(message_id=1, account="a", folder_id=1, folder="Inbox", role=Role.INBOX, sender="x", recipients="", subject="s" * 300, snippet="", date=1_700_000_000,
        size=1, unread=True, starred=False, answered=False, forwarded=False, attachments=1, downloaded=True,
        state="kept", uidl=b"", rfc_message_id="",
    )  # fmt: skip
    lines = [
        "".join(text for text, _ in line) for line in head(row, message, ["A note on " + "words " * 30], width, height)
    ]
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(2, height // 2)
    if height >= 14 and width >= 38:
        together = "".join("".join(lines).split())
        assert email in together
        assert height < 40 or "Becareful" in together
    if height == 40 and width >= 60:
        assert "more" in "".join(lines)
    assert any("!" in line and ("warning" in line or "careful" in line or "Be" in line) for line in lines)
    together = " ".join("".join(lines).split())
    assert "A note on" not in together or together.count("words") == 30, "a note is told whole, or not at all"


def test_the_number_of_a_link_is_no_part_of_its_address():
    from termmail.ui.widgets.text_view import LINKS

    assert LINKS.findall("https://bank.example.org/login[1] or") == ["https://bank.example.org/login", "[1]"]


PHISHING = (
    b'From: "service@bank.example" <thief@xn--bnk-5cd.example>\r\nReply-To: Bank <bank@elsewhere.example>\r\n'
    b"To: ada@example.org\r\nSubject: Your account\r\nDate: Wed, 4 Mar 2026 09:00:00 +0000\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
    b"<p>Please log in at <a href='https://evil.example/'>www.bank.example</a> today.</p>\r\n"
)


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (100, 30), (120, 36)])
async def test_no_size_drops_the_warnings_and_h_tells_all_of_them(tmp_path, size):
    async with mailbox(tmp_path, [PHISHING], size=size) as (app, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "Please log in" in words_of(app))
        reader = app.main_screen.reader
        block = ["".join(text for text, _ in line) for line in reader._head]
        assert any(line.startswith("  ! ") for line in block)
        assert "thief@xn--bnk-5cd.example" in "".join("".join(block).split())
        assert not "".join(segment.text for segment in reader.render_line(len(block))).strip()
        await pilot.press("h")
        told = " ".join(line.text for line in reader.rendered.lines)
        assert "! Link [1] says “bank.example” but goes to evil.example." in told
        assert "! Replies go to Bank <bank@elsewhere.example>" in told


async def test_a_link_that_goes_elsewhere_is_a_warning_and_pictures_left_out_are_none(tmp_path):
    async with mailbox(tmp_path, [PHISHING], size=(120, 40)) as (app, pilot):
        await until(pilot, lambda: "! Link [1] says" in shown(app))
        assert "Replies go to Bank <bank@elsewhere.example>" in words_of(app)


async def test_where_replies_go_is_said_only_where_it_is_not_the_sender(tmp_path):
    same = letter(1, Reply_To="Babbage <CHARLES@example.net>")
    async with mailbox(tmp_path, [same]) as (app, pilot):
        await until(pilot, lambda: "This is letter 1." in shown(app))
        assert "Replies go to" not in shown(app)


LONG_ADDRESS = "Engine developers <engine-dev-and-all-who-listen@lists.mathematics.example.org>"
PEOPLE = ", ".join(f"Person {number} <person{number}@example.org>" for number in range(40))


@pytest.mark.parametrize(("size", "keys"), [((120, 36), ()), ((80, 24), ("enter",))])
async def test_who_else_has_it_is_shown_whole_as_long_as_there_is_room(tmp_path, size, keys):
    mail = letter(1, To=LONG_ADDRESS, Cc="Bob <bob@example.org>, " + LONG_ADDRESS.replace("lists", "other"))
    async with mailbox(tmp_path, [mail], size=size) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: "This is letter 1." in _pane(app))
        assert "engine-dev-and-all-who-listen@lists.mathematics.example.org" in "".join(_pane(app).split())
        assert "engine-dev-and-all-who-listen@other.mathematics.example.org" in "".join(_pane(app).split())


@pytest.mark.parametrize(("size", "keys"), [((80, 24), ()), ((40, 12), ("enter",))])
async def test_in_sent_the_pane_tells_to_whom_it_went(tmp_path, size, keys):
    async with mailbox(tmp_path, [letter(1, To="Bob <bob@example.org>")], size=size) as (app, pilot):
        await move(app.engine, [app.main_screen.messages.cursor_id], "Sent")
        app.main_screen.mail.go_to(SENT)
        await until(pilot, lambda: "Sent" in shown(app) and app.subject() == "Letter 1")
        await pilot.press(*keys)
        await until(pilot, lambda: re.search(r"To +Bob <bob@example.org>", _pane(app)))
        await until(pilot, lambda: "This is letter 1." in _pane(app))


async def test_of_very_many_people_a_few_are_shown_and_how_many_more_there_are(tmp_path):
    async with mailbox(tmp_path, [letter(1, To=PEOPLE)], size=(120, 36)) as (app, pilot):
        await until(pilot, lambda: "This is letter 1." in _pane(app))
        assert re.search(r"To +Person 0 <person0@example.org>, Person 1 <person1@example.org> and 38 more", _pane(app))


def _pane(app):
    """What stands in the reader."""
    region = app.main_screen.reader.region
    rows = shown(app).splitlines()[region.y : region.bottom]
    return "\n".join(row[region.x : region.right].strip(" │") for row in rows)


async def test_what_the_writer_struck_out_is_struck_out(tmp_path):
    mail = letter(1, Content_Type="text/html", body="<p>Now <s>20 pounds</s> 15 pounds</p>")
    async with mailbox(tmp_path, [mail]) as (app, pilot):
        await until(pilot, lambda: "Now 20 pounds 15 pounds" in _pane(app))
        strips = app.screen._compositor.render_strips()
        assert [part.text for strip in strips for part in strip if part.style and part.style.strike] == ["20 pounds"]


async def test_a_large_message_is_shown_from_its_start_while_the_rest_comes(tmp_path):
    async with mailbox(tmp_path, [large()], whole=False) as (app, pilot):
        app.pop3.manners = Manners(bytes_per_second=200_000)
        await pilot.press("enter")
        await until(pilot, lambda: "The drawing is attached." in shown(app))
        assert app.main_screen.reader.message is None
        await until(pilot, lambda: re.search(r"Fetching … [0-9.]+ .B of 7\d\d KB", words_of(app)))
        app.pop3.manners = Manners()
        await until(pilot, lambda: "plan.png (513 KB)" in shown(app))
        assert "Fetching" not in shown(app)
        assert "The drawing is attached." in shown(app)
