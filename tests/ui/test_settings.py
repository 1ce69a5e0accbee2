"""The settings screen: each change shows at once, Esc takes it back, Enter writes only what changed."""

from __future__ import annotations

import pytest

from termmail.accounts import config
from termmail.accounts.config import Notifications, Ui
from termmail.engine.preferences import Fetching
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import SIZES, assert_harmless, shown, until, words_of

FILE = """# mine
[ui]   # how it looks
theme = "nord"      # the blue one
[ui.keys]
"message.archive" = "y"   # as elsewhere
"""


def steppers(app):
    return {one.id: one.value for one in app.screen.query("Stepper")}


async def opened(app, pilot):
    await pilot.press("comma")
    await until(pilot, lambda: "Reading pane" in words_of(app))


async def closed(app, pilot):
    await until(pilot, lambda: app.screen is app.main_screen)


async def test_a_change_shows_at_once_and_esc_takes_it_back(tmp_path):
    async with mailbox(tmp_path, size=(120, 36)) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("right")
        await until(pilot, lambda: app.theme == "termmail-light")
        await pilot.press("down", "right", "down", "right", "right", "down", "right", "down", "right", "down", "right")
        await pilot.press("down", "right")
        await until(pilot, lambda: app.main_screen.messages.row_height == 2)
        assert app.keys.keys["mail.compose"] == ("m",)
        assert app.main_screen.has_class("-pane-right")
        assert app.main_screen.reader.region.x > app.main_screen.messages.region.right - 2
        await until(pilot, lambda: "●" not in shown(app) and " o  " in shown(app))
        assert not app.main_screen.mail.list.threaded
        assert not app.main_screen.reader.reflowed
        await pilot.press("escape")
        await closed(app, pilot)
        assert (app.theme, app.main_screen.messages.row_height) == ("termmail-dark", 1)
        assert app.keys.keys["mail.compose"] == ("c", "m")
        assert not app.main_screen.has_class("-pane-right")
        assert app.main_screen.mail.list.threaded
        assert app.main_screen.reader.reflowed
        await until(pilot, lambda: "●" in shown(app))
        assert not (tmp_path / "config.toml").exists()


async def test_enter_keeps_the_settings_and_they_are_read_again_at_the_next_start(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("right", "down", "down", "down", "left", *["down"] * 4, "right", "enter")
        await closed(app, pilot)
        await until(pilot, lambda: "Settings saved" in words_of(app))
        assert app.engine.preferences.ui == Ui(theme="termmail-light", pane="off")
        assert not app.main_screen.reader.display
    path = tmp_path / "config.toml"
    assert config.load(path).ui == Ui(theme="termmail-light", pane="off")
    assert config.load(path).notifications == Notifications(new_mail="bell")
    assert path.read_text().split() == [
        "[ui]",
        "theme",
        "=",
        '"termmail-light"',
        "pane",
        "=",
        '"off"',
        "[notifications]",
        "new_mail",
        "=",
        '"bell"',
    ]
    assert path.stat().st_mode & 0o777 == 0o600


async def test_comments_and_all_other_keys_of_the_file_stay(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(FILE)
    async with mailbox(tmp_path, ui=config.load(path).ui) as (app, pilot):
        await opened(app, pilot)
        while steppers(app)["theme"] != "textual-dark":
            await pilot.press("right")
        await pilot.press("down", "down", "right", "down", "right", "enter")
        await closed(app, pilot)
    text = path.read_text()
    assert text.startswith('# mine\n[ui]   # how it looks\ntheme = "textual-dark"      # the blue one\n')
    assert '"message.archive" = "y"   # as elsewhere' in text
    assert config.load(path).ui == Ui(
        theme="textual-dark", density="compact", pane="right", keys={"message.archive": "y"}
    )


async def test_a_config_that_cannot_be_written_is_told_in_words_and_nothing_is_lost(tmp_path):
    (tmp_path / "config.toml").mkdir()
    async with mailbox(tmp_path) as (app, pilot):
        await opened(app, pilot)
        await pilot.press("right", "enter")
        await until(pilot, lambda: "cannot be read" in words_of(app))
        assert "Traceback" not in words_of(app)
        assert app.screen is not app.main_screen, "the settings are still there, to try again"
        await pilot.press("escape")
        await closed(app, pilot)
        assert app.theme == "termmail-dark"
        assert app.engine.preferences.ui == Ui()


async def test_what_is_fetched_is_set_for_each_account(tmp_path):
    async with mailbox(tmp_path) as (app, pilot):
        settings = app.engine.context.config.accounts["ada"]
        text = (
            '[accounts.ada]\naddress = "ada@example.org"\n[accounts.ada.pop3]\nhost = "127.0.0.1"\n'
            '[accounts.ada.smtp]\nhost = "127.0.0.1"\n'
        )
        (tmp_path / "config.toml").write_text(text)
        await opened(app, pilot)
        await pilot.press("up", "up", "up")
        assert app.screen.focused.id == "bodies-0"
        await pilot.press("right", "enter")
        await closed(app, pilot)
        assert app.engine.preferences.fetching("ada") == Fetching("open", 90)
        assert app.engine.context.config.accounts["ada"].smtp == settings.smtp
        assert config.load(tmp_path / "config.toml").accounts["ada"].incoming.prefetch_days == 90


@pytest.mark.parametrize("size", SIZES)
async def test_every_setting_can_be_reached_and_seen_on_a_small_terminal(tmp_path, size):
    async with mailbox(tmp_path, size=size) as (app, pilot):
        await pilot.press("comma")
        await until(pilot, lambda: "Theme" in words_of(app))
        for words in ("Theme", "Keys", "Rows", "Read", "Conv", "Para", "Mark", "New", "Bodies"):
            line = shown(app).splitlines()[app.screen.focused.region.y]
            assert f"▌ {words}" in line, shown(app)
            await pilot.press("down")
            await pilot.pause()


async def test_the_pane_and_the_density_of_the_config_hold_from_the_first_paint(tmp_path):
    async with mailbox(tmp_path, size=(200, 60), ui=Ui(pane="below", density="comfortable")) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        messages, reader = app.main_screen.messages, app.main_screen.reader
        assert reader.region.y >= messages.region.bottom
        assert messages.row_height == 2
        await pilot.press("p")
        await until(pilot, lambda: not reader.display)


async def test_in_ascii_no_sign_is_drawn_that_is_not_ascii_and_letters_stay(tmp_path):
    mails = [letter(1, Subject="Gr\udcc3\udcbc\udcc3\udc9fe"), letter(2, Subject="x" * 300)]
    async with mailbox(tmp_path, mails, size=(120, 36), ui=Ui(ascii=True)) as (app, pilot):
        await until(pilot, lambda: app.main_screen.reader.message)
        await pilot.press("x", "s", "comma")
        await until(pilot, lambda: "Reading pane" in words_of(app))
        assert set(shown(app)) - {chr(code) for code in range(128)} == set("üß")
        assert_harmless(app)


@pytest.mark.parametrize("size", [*SIZES, (200, 60)])
async def test_two_lines_that_were_chosen_are_drawn_wherever_two_messages_fit(tmp_path, size):
    async with mailbox(tmp_path, size=size, ui=Ui(density="comfortable")) as (app, pilot):
        messages = app.main_screen.messages
        assert messages.row_height == 2
        rows = [messages.render_line(y).text for y in range(2)]
        assert "Charles Babbage" in rows[0]
        assert "Letter 12" in rows[1]
        await pilot.resize_terminal(size[0], 6)
        await until(pilot, lambda: messages.size.height < 4 and messages.row_height == 1)
