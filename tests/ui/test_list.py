"""The message list: the cursor keeps its message, a move paints two rows, verbs change the screen at once."""

from __future__ import annotations

from array import array

import pytest

from termmail.mail.model import StepKind
from termmail.mail.views import Outline
from termmail.ui.list_model import Stale
from termmail.ui.widgets import list_row as rows
from tests.ui.mailbox_stage import LETTERS, letter, mailbox
from tests.ui.stage import shown, until, words_of
from tests.views import ARCHIVE, INBOX


async def test_newest_is_first_and_has_the_cursor(tmp_path):
    async with mailbox(tmp_path) as (app, _):
        assert app.subjects() == [f"Letter {number}" for number in range(12, 0, -1)]
        assert app.subject() == "Letter 12"


async def test_cursor_keeps_its_message_when_mail_arrives_above_it(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("j", "j")
        assert app.subject() == "Letter 10"
        app.maildrop.add(letter(40))
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 13 and app.subjects()[:1] == ["Letter 40"])
        assert app.subject() == "Letter 10"


async def test_first_mail_of_all_streams_in_below_a_cursor_nobody_moved(tmp_path):
    async with mailbox(tmp_path, synced=False) as (app, pilot):
        await until(pilot, lambda: "Inbox is empty." in shown(app))
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12 and app.subject())
        assert app.subject() == "Letter 12"


async def test_mail_that_comes_after_the_first_leaves_the_cursor_where_it_is(tmp_path):
    async with mailbox(tmp_path, synced=False) as (app, pilot):
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 12 and app.subject() == "Letter 12")
        await until(pilot, lambda: not app.engine.accounts.status("ada").syncing)
        app.maildrop.add(letter(40))
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 13)
        assert app.subject() == "Letter 12"


@pytest.mark.parametrize(("before", "key", "above"), [(["j"], "j", True), (["G", "k"], "k", False)])
async def test_a_move_within_the_window_paints_two_rows(tmp_path, before, key, above):
    async with mailbox(tmp_path, [letter(number) for number in range(1, 60)], size=(70, 24)) as (app, pilot):
        await pilot.press(*before)
        painted: list[set[int]] = []
        display = app._display

        def spy(screen, update):
            if spans := getattr(update, "spans", None):
                painted.append({y for y, _, _ in spans})
            elif update is not None:
                painted.append({-1})
            display(screen, update)

        app._display = spy
        await pilot.press(key)
        await pilot.pause()
        last = app.main_screen.messages.size.height
        assert painted == [{2, 3} if above else {last - 2, last - 1}]


async def test_running_off_the_window_brings_half_a_page(tmp_path):
    async with mailbox(tmp_path, [letter(number) for number in range(1, 100)], size=(70, 18)) as (app, pilot):
        messages = app.main_screen.messages
        messages.go(messages.page - 1)
        assert messages.scroll_offset.y == 0
        await pilot.press("j")
        assert messages.scroll_offset.y >= messages.page // 2 - 1


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        (["end"], 1),
        (["G", "home"], 12),
        (["pagedown", "pagedown"], 1),
        (["G", "k"], 2),
        (["down", "down", "up"], 11),
        (["G", "g", "g"], 12),
    ],
)
async def test_keys_move_the_cursor(tmp_path, keys, number):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: app.subject() == f"Letter {number}")


async def test_next_unread_passes_over_what_was_read(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        ids = list(app.main_screen.messages.ids)
        await app.engine.messages.mark(ids[1:5], StepKind.READ)
        await until(pilot, lambda: not app.main_screen.messages.row(ids[4]).unread)
        await pilot.press("n")
        await until(pilot, lambda: app.main_screen.messages.cursor_id == ids[5])
        await pilot.press("N")
        await until(pilot, lambda: app.main_screen.messages.cursor_id == ids[0])
        await pilot.press("N")
        await until(pilot, lambda: "No unread message further up." in shown(app))


async def test_selected_messages_are_what_a_verb_acts_on(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("x", "x", "j", "x")
        assert "3 conversations selected" in shown(app)
        await pilot.press("e")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 9)
        archived = await app.engine.lists.ids(ARCHIVE)
        assert {row.subject for row in await app.engine.lists.rows(ARCHIVE, archived)} == {
            "Letter 12",
            "Letter 11",
            "Letter 9",
        }


async def test_all_are_selected_and_none_again(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("X")
        assert "12 conversations selected" in shown(app)
        await pilot.press("X")
        assert "selected" not in shown(app)


async def test_esc_goes_back_level_by_level_and_the_last_one_selects_nothing(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("X", "enter")
        await until(pilot, lambda: app.main_screen.whole)
        await pilot.press("escape")
        assert not app.main_screen.whole
        assert "12 conversations selected" in shown(app)
        await pilot.press("escape")
        assert "selected" not in shown(app)


async def test_click_moves_and_double_click_opens(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.click("#list", offset=(20, 3))
        await until(pilot, lambda: app.subject() == "Letter 9")
        await pilot.double_click("#list", offset=(20, 1))
        await until(pilot, lambda: app.main_screen.whole and app.subject() == "Letter 11")


async def test_ids_come_before_rows_and_rows_only_for_the_window(tmp_path):
    async with mailbox(tmp_path, [letter(number) for number in range(1, 300)], whole=False) as (app, pilot):
        messages = app.main_screen.messages
        assert len(messages.ids) == 299
        assert len(app.subjects()) < 100
        await pilot.press("G")
        await until(pilot, lambda: app.subject() == "Letter 1")


async def test_a_hundred_thousand_ids_move_like_ten(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        messages = app.main_screen.messages
        real = list(messages.ids)
        messages.update(Outline.flat(array("q", [*real, *range(10_000_000, 10_100_000)])))
        await pilot.press("G", "k", "home", "j")
        assert messages.cursor_id == real[1]
        messages.take_out({real[1]})
        assert messages.cursor_id == real[2]


async def test_rows_of_another_folder_with_the_same_numbers_are_not_mixed_up(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        draft = await app.engine.drafts.save(app.engine.drafts.new("ada", "bob@example.org"))
        assert draft.id in app.main_screen.messages.ids
        await pilot.press("g", "d")
        await until(
            pilot, lambda: app.main_screen.mail.list.name == "Drafts" and app.main_screen.messages.row(draft.id)
        )
        assert app.main_screen.messages.row(draft.id).recipients == "bob@example.org"
        await pilot.press("g", "i")
        await until(pilot, lambda: app.subject().startswith("Letter"))


async def test_cursor_is_where_it_was_left_in_a_folder(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await pilot.press("j", "j", "j", "g", "t")
        await until(pilot, lambda: "Nothing was sent from here yet." in shown(app))
        await pilot.press("g", "i")
        await until(pilot, lambda: app.subject() == "Letter 9")


def test_a_row_is_exactly_as_wide_as_asked():
    from rich.style import Style

    from termmail.mail.model import MessageRow, Role
    from termmail.ui.humanize import Today

    styles = rows.RowStyles(*[Style()] * 5)
    for subject in ("plain", "漢字の件名", "👩‍👩‍👧‍👦 ❤️ 🇩🇪", "שלום", "x" * 500, ""):
        for sender in ("Ada", "山田太郎", "y" * 90, ""):
            one = MessageRow(message_id=1, account="a", folder_id=1, folder="Inbox", role=Role.INBOX, sender=sender, recipients="", subject=subject, snippet=subject,
                date=1_700_000_000, size=1, unread=True, starred=True, answered=False, forwarded=False, attachments=1,
                downloaded=True, state="kept", uidl=b"", rfc_message_id="",
            )  # fmt: skip
            for width in (32, 40, 59, 60, 76, 80, 110, 200):
                today = Today.at(1_772_704_800)
                painted = rows.line(one, width, styles, today, cursor=True, selected=False)
                assert sum(part.cell_length for part in painted) == width
                for second in (False, True):
                    lines = rows.card(one, width, styles, today, second=second, cursor=False, selected=True)
                    assert sum(part.cell_length for part in lines) == width


async def test_what_is_deleted_leaves_at_once_and_does_not_flicker_back(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        gone = app.main_screen.messages.cursor_id
        seen: list[bool] = []
        update = app.main_screen.messages.update
        app.main_screen.messages.update = lambda outline, **at: (
            seen.append(gone in outline.ids),
            update(outline, **at),
        )
        await app.main_screen.action_do("message.delete")
        assert gone not in app.main_screen.messages.ids
        app.main_screen.mail.list.stale(Stale.IDS)
        await until(pilot, lambda: len(seen) >= 2)
        assert not any(seen)
        assert len(await app.engine.lists.ids(INBOX)) == len(LETTERS) - 1


def test_an_unread_message_that_was_answered_shows_both():
    from rich.style import Style

    from termmail.mail.model import MessageRow, Role
    from termmail.ui.humanize import Today

    one = MessageRow(message_id=1, account="a", folder_id=1, folder="Inbox", role=Role.INBOX, sender="Charles", recipients="", subject="Cards", snippet="", date=1,
        size=1, unread=True, starred=True, answered=True, forwarded=False, attachments=0, downloaded=True,
        state="kept", uidl=b"", rfc_message_id="",
    )  # fmt: skip
    styles = rows.RowStyles(*[Style()] * 5)
    for width in (40, 80, 120):
        painted = rows.line(one, width, styles, Today.at(0), cursor=False, selected=False)
        text = "".join(part.text for part in painted)
        assert text.startswith(" ●↶★ Charles")
        assert len(text) == width


async def test_a_folder_is_sorted_another_way_and_stays_so_when_mail_comes(tmp_path):
    mails = [letter(n, From=f"{name} <{name.lower()}@example.net>") for n, name in enumerate(("Zoe", "Ada", "Mia"), 1)]
    async with mailbox(tmp_path, mails) as (app, pilot):
        assert [app.main_screen.messages.row(i).sender for i in app.main_screen.messages.ids] == ["Mia", "Ada", "Zoe"]
        await pilot.press("S")
        await until(pilot, lambda: app.subjects()[0] == "Letter 1")
        await pilot.press("S")
        await until(pilot, lambda: "Inbox, by sender" in shown(app) and app.subjects()[0] == "Letter 2")
        app.maildrop.add(letter(9, From="Bea <bea@example.net>"))
        await pilot.press("f5")
        await until(pilot, lambda: len(app.main_screen.messages.ids) == 4 and app.subjects()[1] == "Letter 9")
        await pilot.press("S", "S", "S")
        await until(pilot, lambda: app.subjects()[0] == "Letter 9")


async def test_an_address_that_does_not_fit_keeps_its_domain(tmp_path):
    false = "service@bank.example.org.verify-your-account.thief.example.net"
    mails = [letter(1, From=f'"security@bank.example.org" <{false}>')]
    for size in ((80, 24), (120, 36), (40, 12)):
        async with mailbox(tmp_path / str(size[0]), mails, size=size) as (app, _pilot):
            assert "mple.net" in shown(app).splitlines()[1 if size[0] < 160 else 2]


async def test_a_click_hits_the_row_under_the_mouse_where_the_panes_have_borders(tmp_path):
    async with mailbox(tmp_path, size=(200, 50)) as (app, pilot):
        row = next(y for y, line in enumerate(shown(app).splitlines()) if "Letter 9 " in line)
        await pilot.click(offset=(60, row))
        await until(pilot, lambda: app.subject() == "Letter 9")
        row = next(y for y, line in enumerate(shown(app).splitlines()) if "  Sent" in line)
        await pilot.click(offset=(5, row))
        await until(pilot, lambda: "Nothing was sent from here yet." in shown(app))


async def test_a_wide_list_gives_its_width_to_the_subject(tmp_path):
    subject = "The Analytical Engine weaves algebraical patterns just as the Jacquard loom weaves flowers"
    async with mailbox(tmp_path, [letter(1, Subject=subject)], size=(200, 50)) as (app, pilot):
        await until(pilot, lambda: "Analytical" in shown(app))
        line = next(line for line in shown(app).splitlines() if "● " in line)
        assert "…  Wed " in line


@pytest.mark.parametrize("size", [(120, 36), (120, 24), (159, 40), (160, 40), (200, 60)])
async def test_a_wide_screen_gives_a_text_of_72_columns_its_lines(tmp_path, size):
    text = "\r\n".join("x" * 72 for _ in range(3))
    async with mailbox(tmp_path, [letter(1, body=text)], size=size) as (app, pilot):
        await until(pilot, lambda: "x" * 72 in shown(app))


async def test_an_open_that_cannot_be_stored_does_not_count_as_read(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await app.engine.context.db(read_only, on=True)
        await pilot.press("enter")
        await until(pilot, lambda: "can be read but not written" in words_of(app))
        await until(pilot, lambda: app.main_screen.messages.row(app.main_screen.messages.cursor_id).unread)
        await app.engine.context.db(read_only, on=False)


async def test_a_star_that_cannot_be_stored_goes_away_again(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await app.engine.context.db(read_only, on=True)
        await pilot.press("s")
        await until(pilot, lambda: "can be read but not written" in words_of(app))
        assert "★" not in shown(app)
        await app.engine.context.db(read_only, on=False)
        await pilot.press("s")
        await until(pilot, lambda: "★" in shown(app))
        await app.workers.wait_for_complete()
        assert (await app.engine.lists.row(app.main_screen.messages.cursor_id)).starred


def read_only(store, *, on):
    """Let SQLite refuse every write, or take them again."""
    store.db.execute(f"PRAGMA query_only = {int(on)}")
