"""Searches that are kept as folders of the column."""

from __future__ import annotations

from termmail.mail.model import StepKind
from termmail.ui import kept_counts
from termmail.ui.actions import BY_ID
from tests.ui.mailbox_stage import letter, mailbox
from tests.ui.stage import shown, until
from tests.views import search

MAILS = [letter(1, Subject="The loom"), letter(2, Subject="Lunch"), letter(3, Subject="The loom again")]


async def test_a_search_is_kept_renamed_ordered_removed_and_brought_back(tmp_path):
    async with mailbox(tmp_path, MAILS, size=(120, 36)) as (app, pilot):
        for words, name in (("loom", "Weaving"), ("lunch", "Food")):
            await pilot.press("/", *words, "enter")
            await until(
                pilot, lambda words=words: f"Search: {words}" in shown(app) and app.main_screen.messages.has_focus
            )
            await pilot.press("ctrl+s")
            await until(pilot, lambda: "Save this search as" in shown(app))
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


async def test_a_search_is_kept_out_of_the_prompt_which_closes(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("/", *"loo")
        await until(pilot, lambda: "2 found" in shown(app))
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Save this search as" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: "Search saved as “loo”" in shown(app))
        await until(pilot, lambda: app.main_screen.messages.has_focus and not app.main_screen.asking)
        await until(pilot, lambda: app.main_screen.mail.list.name == "loo" and "2 messages" in shown(app))


async def test_its_unread_messages_are_counted_and_again_when_they_change(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_counts, "REST", 0)
    async with mailbox(tmp_path, MAILS, size=(120, 36), whole=False) as (app, pilot):
        await app.engine.folders.save_search("Food", "to:me lunch")
        await until(pilot, lambda: _count_of(app, "Food") == "1")
        (lunch,) = await app.engine.lists.ids(search("lunch"))
        await app.engine.messages.mark([lunch], StepKind.READ)
        await until(pilot, lambda: not _count_of(app, "Food"))


def _count_of(app, name: str) -> str:
    """The number beside a kept search in the folder column."""
    column = [line.partition("│")[0] for line in shown(app).splitlines()]
    return next((line.partition(name)[2].strip() for line in column if name in line), "")


async def test_only_a_search_is_kept_and_only_a_kept_one_has_a_place(tmp_path):
    async with mailbox(tmp_path, MAILS) as (app, pilot):
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "Search first: /." in shown(app))
        assert BY_ID["search.up"].applies(app.main_screen.mail) == "Only saved searches can be moved up and down."
