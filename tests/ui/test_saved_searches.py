"""Searches that are kept as folders of the column."""

from __future__ import annotations

from termmail.ui.actions import BY_ID
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until

MAILS = [letter(1, Subject="The loom"), letter(2, Subject="Lunch"), letter(3, Subject="The loom again")]


async def test_a_search_is_kept_renamed_ordered_removed_and_brought_back(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(120, 36)) as (app, pilot):
        for words, name in (("loom", "Weaving"), ("lunch", "Food")):
            await pilot.press("/", *words, "enter")
            await until(
                pilot, lambda words=words: f"Search: {words}" in shown(app) and app.main_screen.messages.has_focus
            )
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "Keep this search as" in shown(app))
            await pilot.press("ctrl+u", *name, "enter")
            await until(pilot, lambda name=name: app.main_screen.mail.list.name == name)
        await until(pilot, lambda: "Searches" in shown(app) and "Weaving" in shown(app) and "Food" in shown(app))
        await pilot.press("g", "/", *"weav", "enter")
        await until(pilot, lambda: app.subjects() == ["The loom again", "The loom"])
        assert "Inbox · " in shown(app)
        searches = app.main_screen.mail.list

        def names() -> list[str]:
            return [one.name for one in searches.counts.searches]

        BY_ID["search.down"].run(app.main_screen.mail)
        await until(pilot, lambda: names() == ["Food", "Weaving"])
        BY_ID["search.up"].run(app.main_screen.mail)
        await until(pilot, lambda: names() == ["Weaving", "Food"])
        BY_ID["folder.rename"].run(app.main_screen.mail)
        await until(pilot, lambda: "Rename Weaving" in shown(app))
        await pilot.press("ctrl+u", *"Looms", "enter")
        await until(pilot, lambda: names() == ["Looms", "Food"])
        BY_ID["folder.remove"].run(app.main_screen.mail)
        await until(pilot, lambda: names() == ["Food"] and "z brings it back" in shown(app))
        await pilot.press("z")
        await until(pilot, lambda: names() == ["Food", "Looms"])


async def test_only_a_search_is_kept_and_only_a_kept_one_has_a_place(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Search first: /." in shown(app))
        assert BY_ID["search.up"].applies(app.main_screen.mail) == "Only searches that are kept have a place."
