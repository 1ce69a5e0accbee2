"""The small screens: a question with a safe answer, links that show where they go, files that never overwrite."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input, OptionList

from termmail.demo.faults import Manners
from termmail.engine.events import OutboxChanged
from termmail.mail import parse
from termmail.mail.message import Draft, Link, Outgoing
from termmail.store import outbox
from termmail.ui.desktop import OpenError, open_file, open_link
from termmail.ui.screens import dialog, link_list
from termmail.ui.screens.ask_password import AskPasswordScreen
from termmail.ui.screens.attachments import AttachmentsScreen, caution
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.link_list import LinksScreen
from termmail.ui.screens.message_source import PlainText, SourceScreen, fold
from termmail.ui.screens.outbox_item import OutboxItemScreen
from termmail.ui.screens.pick_path import PickPathScreen, common_start
from tests.ui.stage import SIZES, account, engine_with, shown, staged, type_in, until, words_of
from tests.views import INBOX, OUTBOX, SENT, erase


@pytest.fixture
async def engine(tmp_path):
    async with engine_with(tmp_path, ada=account()) as opened:
        yield opened


# -- questions


@pytest.mark.parametrize(
    ("keys", "answer"),
    [(["y"], True), (["n"], False), (["escape"], False), (["enter"], False), (["left", "enter"], True)],
)
async def test_a_question_is_answered_by_a_key_and_enter_alone_is_the_safe_answer(keys, answer):
    async with staged(lambda: ConfirmScreen("Empty Trash?", "Empty it", "Keep it")) as (stage, pilot):
        await pilot.press(*keys)
        await until(pilot, lambda: stage.left)
        assert stage.result is answer


@pytest.mark.parametrize("size", SIZES)
async def test_a_long_question_can_be_read_and_answered_at_every_size(size):
    details = [f"Sentence number {number} about what this does." for number in range(12)]
    async with staged(lambda: ConfirmScreen("Sure?", "Do it", "Back", details), size) as (stage, pilot):
        assert "Back (n)" in shown(stage)
        await pilot.press("y")
        await until(pilot, lambda: stage.left)
        assert stage.result is True


async def test_a_password_is_asked_without_being_shown():
    async with staged(lambda: AskPasswordScreen("Password of ada@example.org")) as (stage, pilot):
        await pilot.press("enter")
        assert not stage.left
        await type_in(pilot, "secret")
        assert "secret" not in shown(stage)
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == "secret"


async def test_a_password_need_not_be_given():
    async with staged(lambda: AskPasswordScreen("Password of ada@example.org")) as (stage, pilot):
        await pilot.press("x", "escape")
        await until(pilot, lambda: stage.left)
        assert stage.result is None


# -- links

LINKS = (
    Link("The story", "https://example.org/story?id=" + "9" * 90),
    Link("https://bank.example", "http://evil.example:8080/login"),
    Link("write", "mailto:ada@example.org?subject=x"),
)


async def test_every_link_shows_its_whole_address():
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await until(pilot, lambda: "The story" in shown(stage))
        for link in LINKS:
            assert link.url in "".join(shown(stage).replace("│", "").split())


async def test_links_have_the_numbers_that_stand_in_the_message():
    links = [
        Link("Written", "https://a.example"),
        Link("Story", "https://b.example", 7),
        Link("", "https://c.example", 8),
    ]
    async with staged(lambda: LinksScreen(links)) as (stage, pilot):
        await until(pilot, lambda: "a  [9] Written" in shown(stage))
        assert "b  [7] Story" in shown(stage)
        assert "c  [8] c.example" in shown(stage)


async def test_a_number_goes_to_its_link(desktop):
    links = [Link(f"story {number}", f"https://{number}.example/", number) for number in range(1, 25)]
    async with staged(lambda: LinksScreen(links)) as (stage, pilot):
        await pilot.press("2", "1")
        await until(pilot, lambda: stage.screen.query_one(OptionList).highlighted == 20)
        await pilot.press("9")
        await until(pilot, lambda: stage.screen.query_one(OptionList).highlighted == 8)
        await pilot.press("1", "2", "enter")
        await until(pilot, lambda: "Open 12.example in the browser?" in words_of(stage))
        assert desktop() == []


async def test_a_link_that_names_another_host_says_so_in_the_list():
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await until(pilot, lambda: "! says bank.example, goes to evil.example" in words_of(stage))


async def test_a_letter_opens_its_link_after_showing_the_real_host(desktop):
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        assert "Open evil.example in the browser?" in words_of(stage)
        assert "The message shows bank.example, but this goes to evil.example." in words_of(stage)
        assert desktop() == []
        await pilot.press("y")
        await until(pilot, lambda: stage.left)
        assert stage.result == "http://evil.example:8080/login"
        assert await until(pilot, desktop) == ["1", "http://evil.example:8080/login"]


async def test_enter_opens_the_link_under_the_cursor_and_back_opens_nothing(desktop):
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("n")
        await until(pilot, lambda: isinstance(stage.screen, LinksScreen))
        assert desktop() == []


async def test_a_mail_address_is_handed_back_unopened(desktop):
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await pilot.press("c")
        await until(pilot, lambda: stage.left)
        assert stage.result == "mailto:ada@example.org?subject=x"
        assert desktop() == []


async def test_y_copies_the_address():
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await pilot.press("j", "y")
        assert stage.copied == ["http://evil.example:8080/login"]


async def test_without_a_desktop_it_says_so_and_how_to_copy(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with staged(lambda: LinksScreen(LINKS)) as (stage, pilot):
        await pilot.press("b")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "no desktop" in words_of(stage))
        assert "y copies the address" in words_of(stage)
        assert not stage.left


async def test_many_links_have_marks_of_two_letters(desktop):
    many = [Link(f"number {n}", f"https://example.org/{n}") for n in range(60)]
    async with staged(lambda: LinksScreen(many)) as (stage, pilot):
        mark = link_list.marks(60)[30]
        await pilot.press(*mark)
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        assert "https://example.org/30" in shown(stage)


def test_marks_are_one_letter_each_or_two_for_all():
    assert link_list.marks(3) == ["a", "b", "c"]
    assert {len(mark) for mark in link_list.marks(link_list.MOST)} == {2}
    assert len(set(link_list.marks(link_list.MOST))) == link_list.MOST


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "javascript:alert(1)", "-rf", "ftp://x", "mailto:x", "HTTPSX://"]
)
async def test_only_web_addresses_are_opened(desktop, url):
    """SECURITY.md, M15."""
    with pytest.raises(OpenError):
        await open_link(url)
    assert desktop() == []


async def test_a_program_that_fails_is_said(desktop, tmp_path):
    (tmp_path / "bin" / "xdg-open").write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(OpenError, match="No program"):
        await open_file(tmp_path)


async def test_an_opener_that_cannot_be_started_is_said(desktop, tmp_path):
    (tmp_path / "bin" / "xdg-open").write_bytes(b"\0no program")
    with pytest.raises(OpenError, match="xdg-open cannot be started: exec format error"):
        await open_file(tmp_path)


# -- attachments

MIXED = b"""From: bob@example.org\r
To: ada@example.org\r
Subject: Files\r
Content-Type: multipart/mixed; boundary=x\r
\r
--x\r
Content-Type: text/plain\r
\r
Here they are.\r
--x\r
Content-Type: application/pdf; name="report.pdf"\r
Content-Disposition: attachment; filename="../../report.pdf"\r
Content-Transfer-Encoding: base64\r
\r
JVBERi0xLjQK\r
--x\r
Content-Type: application/octet-stream\r
Content-Disposition: attachment; filename="invoice.pdf.exe"\r
\r
MZ\r
--x\r
Content-Type: text/html\r
Content-Disposition: attachment; filename="page.html"\r
\r
<p>hello</p>\r
--x--\r
"""


@pytest.fixture
async def opened(tmp_path, pop3_server):
    """An Engine that has the mail with files, its id and the message."""
    server = await pop3_server([MIXED])
    async with engine_with(tmp_path, ada=account(server.port)) as engine:
        await engine.accounts.sync("ada")
        (id_,) = await engine.lists.ids(INBOX)
        yield engine, id_, await engine.reader.read(id_)


async def test_enter_saves_below_the_chosen_folder_and_shows_the_path(opened, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / "Downloads").mkdir(parents=True)
    (home / "Downloads" / "report.pdf").write_text("mine")
    monkeypatch.setenv("HOME", str(home))
    async with staged(lambda: AttachmentsScreen(*opened), (120, 36)) as (stage, pilot):
        assert "report.pdf" in shown(stage)
        assert "application/pdf, 9 B" in shown(stage)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        assert stage.screen.query_one(Input).value == "~/Downloads/"
        above, below = (screen.query_one(dialog.Frame).region for screen in (stage.screen, stage.screen_stack[-2]))
        assert (above.x, above.width) == (below.x, below.width)
        await pilot.press("enter")
        await until(pilot, lambda: "Saved: ~/Downloads/" in words_of(stage))
        assert (home / "Downloads" / "report.pdf").read_text() == "mine"
        (saved,) = [path for path in (home / "Downloads").iterdir() if path.name != "report.pdf"]
        assert saved.read_bytes().startswith(b"%PDF-1.4")
        assert stat.S_IMODE(saved.stat().st_mode) == 0o600
        assert saved.name in shown(stage)


async def test_a_file_is_saved_under_another_name_and_the_folder_is_remembered(opened, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        await pilot.press("r")
        await until(pilot, lambda: "Save report.pdf as" in words_of(stage))
        stage.screen.query_one(Input).value = "../../march.pdf"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        stage.screen.query_one(Input).value = str(folder)
        await pilot.press("enter")
        await until(pilot, lambda: "Saved:" in words_of(stage))
        assert [path.name for path in folder.iterdir()] == ["march.pdf"]
        await pilot.press("s")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        assert stage.screen.query_one(Input).value == f"{folder}/"
        await pilot.press("escape")
        folder.joinpath("march.pdf").unlink()
        folder.rmdir()
        await pilot.press("s")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        assert stage.screen.query_one(Input).value != f"{folder}/"


async def test_all_are_saved_at_once(opened, tmp_path):
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        await pilot.press("S")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        folder = tmp_path / "all"
        folder.mkdir()
        stage.screen.query_one(Input).value = str(folder)
        await pilot.press("enter")
        await until(pilot, lambda: len(list(folder.iterdir())) == 3)
        await until(pilot, lambda: "Saved:" in words_of(stage))


async def test_a_harmless_file_is_opened_as_a_private_copy(opened, desktop):
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        assert "Enter save" in shown(stage)
        await pilot.press("o")
        count, path = await until(pilot, desktop)
        assert count == "1"
        assert Path(path).read_bytes().startswith(b"%PDF-1.4")
        assert stat.S_IMODE(Path(path).stat().st_mode) == 0o400
        assert stat.S_IMODE(Path(path).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("row", "words"), [(1, "program"), (2, "page for the browser")])
async def test_what_could_run_is_opened_only_after_a_second_yes(opened, desktop, row, words):
    """SECURITY.md, M15."""
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        await pilot.press(*"j" * row, "o")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        assert words in words_of(stage)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, AttachmentsScreen))
        assert desktop() == []
        await pilot.press("o")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, desktop)


async def test_a_folder_that_takes_no_files_is_said(opened, tmp_path):
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        await pilot.press("s")
        await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
        stage.screen.query_one(Input).value = "/proc/self"
        await pilot.press("enter")
        await until(pilot, lambda: "report.pdf is not saved" in words_of(stage))


@pytest.mark.parametrize("key", ["s", "o"])
async def test_attachments_of_a_message_that_is_gone_are_said_to_be(opened, tmp_path, key):
    engine, id_, _ = opened
    async with staged(lambda: AttachmentsScreen(*opened)) as (stage, pilot):
        await erase(engine, [id_])
        await pilot.press(key)
        if key == "s":
            await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
            stage.screen.query_one(Input).value = str(tmp_path)
            await pilot.press("enter")
        await until(pilot, lambda: "This message is gone." in words_of(stage))


@pytest.mark.parametrize("key", ["s", "o"])
async def test_attachments_that_need_a_password_nobody_has_say_so(tmp_path, pop3_server, monkeypatch, key):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    server = await pop3_server([MIXED])
    async with engine_with(tmp_path, ada=account(server.port)) as engine:
        await engine.accounts.sync("ada")
        (id_,) = await engine.lists.ids(INBOX)
        engine.context.passwords.forget("pop3", engine.accounts.settings("ada"))
        async with staged(lambda: AttachmentsScreen(engine, id_, parse.parse(MIXED)), (80, 40)) as (stage, pilot):
            await pilot.press(key)
            if key == "s":
                await until(pilot, lambda: isinstance(stage.screen, PickPathScreen))
                stage.screen.query_one(Input).value = str(tmp_path)
                await pilot.press("enter")
            await until(pilot, lambda: "The keyring is turned off" in words_of(stage))


async def test_warnings_stand_beside_the_files(opened):
    engine, id_, message = opened
    assert [bool(caution(part)) for part in message.parts] == [False, True, True]
    async with staged(lambda: AttachmentsScreen(engine, id_, message)) as (stage, _):
        assert "! " in shown(stage)


# -- the file picker


@pytest.fixture
def folder(tmp_path):
    for name in ("alpha.txt", "alpine.txt", "beta.txt", ".hidden", "bad\x1b[2J.txt"):
        (tmp_path / name).write_text(name)
    (tmp_path / "deep").mkdir()
    return tmp_path


async def test_tab_completes_as_far_as_names_agree(folder):
    async with staged(lambda: PickPathScreen("Attach", f"{folder}/")) as (stage, pilot):
        field = stage.screen.query_one(Input)
        await pilot.press("a")
        await until(pilot, lambda: len(stage.screen._names) == 2)
        await pilot.press("tab")
        assert field.value == f"{folder}/alp"
        await pilot.press("h")
        await until(pilot, lambda: len(stage.screen._names) == 1)
        await pilot.press("tab", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == folder / "alpha.txt"


async def test_folders_come_first_and_hidden_files_only_when_asked_for(folder):
    async with staged(lambda: PickPathScreen("Attach", f"{folder}/")) as (stage, pilot):
        await until(pilot, lambda: len(stage.screen._names) == 5)
        assert stage.screen._names[0] == ("deep", True)
        assert ".hidden" not in shown(stage)
        await pilot.press("full_stop")
        await until(pilot, lambda: ".hidden" in shown(stage))


async def test_a_folder_is_entered_and_a_file_below_it_taken(folder):
    (folder / "deep" / "x.txt").write_text("x")
    async with staged(lambda: PickPathScreen("Attach", f"{folder}")) as (stage, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: stage.screen.query_one(Input).value == f"{folder}/")
        await until(pilot, lambda: len(stage.screen._names) == 5)
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.screen._names == [("x.txt", False)])
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == folder / "deep" / "x.txt"


async def test_a_file_with_an_evil_name_is_shown_harmlessly_and_still_found(folder):
    async with staged(lambda: PickPathScreen("Attach", f"{folder}/bad")) as (stage, pilot):
        await until(pilot, lambda: len(stage.screen._names) == 1)
        assert "\x1b" not in shown(stage)
        await pilot.press("down", "enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == folder / "bad\x1b[2J.txt"


@pytest.mark.parametrize(
    ("start", "typed", "value"),
    [
        ("~/", "/tmp", "/tmp"),
        ("~/", "~/x", "~/x"),
        ("~/", "deep/x", "~/deep/x"),
        ("~/Downloads", "/deep", "~/Downloads/deep"),
        ("~/Downloads", "~", "~"),
    ],
)
async def test_a_path_from_the_root_or_from_home_replaces_the_folder_that_was_there(start, typed, value):
    async with staged(lambda: PickPathScreen("Attach", start)) as (stage, pilot):
        await pilot.press(*typed)
        assert stage.screen.query_one(Input).value == value


async def test_the_cursor_stays_on_the_last_entry_of_a_listing_that_is_cut(tmp_path):
    for number in range(203):
        (tmp_path / f"{number:03}.txt").touch()
    async with staged(lambda: PickPathScreen("Attach", f"{tmp_path}/")) as (stage, pilot):
        await pilot.press(*["pagedown"] * 26)
        await pilot.press("enter")
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == tmp_path / "199.txt"


async def test_a_pasted_path_replaces_the_folder_that_was_there(folder):
    async with staged(lambda: PickPathScreen("Attach", "~/")) as (stage, pilot):
        stage.post_message(events.Paste(f"{folder}/beta.txt"))
        await pilot.press("enter")
        await until(pilot, lambda: stage.left)
        assert stage.result == folder / "beta.txt"


@pytest.mark.parametrize("typed", ["/nowhere/at/all", "~nobody-of-that-name/x", "x\0y", "/" + "n" * 5000])
async def test_a_path_that_leads_nowhere_is_said_in_words(typed):
    async with staged(lambda: PickPathScreen("Attach", typed)) as (stage, pilot):
        await pilot.press("enter")
        await until(pilot, lambda: "There is no file" in words_of(stage))
        assert "Errno" not in words_of(stage)


@pytest.mark.parametrize(
    ("names", "common"), [([], ""), (["a"], "a"), (["alpha", "alpine"], "alp"), (["a", "b"], ""), (["ab", "a"], "a")]
)
def test_the_common_start_of_names(names, common):
    assert common_start(names) == common


# -- source


@pytest.mark.parametrize("size", SIZES)
async def test_the_source_is_folded_to_the_width_and_scrolls(size):
    text = "\r\n".join(f"Line {number} " + "word " * 40 for number in range(400))
    async with staged(lambda: SourceScreen("Source", text), size) as (stage, pilot):
        area = stage.screen.query_one(PlainText)
        await until(pilot, lambda: area.virtual_size.height > 400)
        assert "Line 0 word" in shown(stage)
        await pilot.press("space")
        await until(pilot, lambda: area.scroll_offset.y > 0)
        await pilot.press("G")
        await until(pilot, lambda: "Line 399" in shown(stage))
        await pilot.press("q")
        await until(pilot, lambda: stage.left)


def test_nothing_is_lost_where_lines_are_folded():
    text = "short\n" + "漢字" * 50 + "\n\n" + "x" * 99
    folded = fold(text, 40)
    assert "".join(folded) == text.replace("\n", "")
    assert folded[0] == "short"


# -- outgoing messages


async def queued(engine, **fields):
    draft = Draft(account="ada", to="bob@example.org", subject="Breakfast", body="At nine?", **fields)
    return await engine.outbox.send(draft, delay=0)


async def test_a_waiting_message_can_be_taken_back(engine):
    outbox_id = await queued(engine)
    async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
        await until(pilot, lambda: "Breakfast" in shown(stage))
        assert "It waits to be sent." in words_of(stage)
        await pilot.press("e")
        await until(pilot, lambda: stage.left)
        assert stage.result.subject == "Breakfast"
        assert len(await engine.lists.ids(OUTBOX)) == 0


async def test_a_message_without_a_draft_is_deleted_only_after_a_yes(engine):
    """One that another program handed over."""
    outgoing = Outgoing(b"Subject: Patch\r\n\r\n+1\r\n", "ada@example.org", ("bob@example.org",), "a@b")
    outbox_id = await engine.context.db(outbox.queue, "ada", outgoing, not_before=0, now=0)
    async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
        await until(pilot, lambda: "Delete it (d)" in shown(stage))
        assert "Back to the draft" not in shown(stage)
        await pilot.press("e", "d")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, OutboxItemScreen))
        assert (await engine.outbox.row(outbox_id)).state == "queued"
        await pilot.press("d")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: stage.left)
        assert (await engine.outbox.row(outbox_id)).state == "cancelled"


async def test_a_refused_message_shows_the_servers_words(tmp_path, smtp_server):
    server = await smtp_server(manners=Manners(answers={"RCPT": b"550 5.1.1 nobody of that [/name] here\r\n"}))
    async with engine_with(tmp_path, ada=account(1, server.port)) as engine:
        outbox_id = await queued(engine)
        await engine.outbox.flush("ada")
        async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
            await until(pilot, lambda: "nobody of that [/name] here" in words_of(stage))
            assert "The server refused it" in words_of(stage)
            assert "bob@example.org" in shown(stage)
            await pilot.press("e")
            await until(pilot, lambda: stage.left)
            assert isinstance(stage.result, Draft)


@pytest.fixture
async def unsure(tmp_path, smtp_server):
    """An Engine, and the id of a message whose fate is not known."""
    server = await smtp_server(manners=Manners(lose_answer_to=frozenset({"."})))
    async with engine_with(tmp_path, ada=account(1, server.port)) as engine:
        outbox_id = await queued(engine)
        await engine.outbox.flush("ada")
        server.manners = Manners()
        yield engine, outbox_id, server


@pytest.mark.parametrize("size", SIZES)
async def test_a_message_that_may_have_arrived_can_be_called_sent(unsure, size):
    engine, outbox_id, server = unsure
    async with staged(lambda: OutboxItemScreen(engine, outbox_id), size) as (stage, pilot):
        await until(pilot, lambda: "It may have arrived" in words_of(stage))
        await pilot.press("r", "e")  # neither is offered
        assert (await engine.outbox.row(outbox_id)).state == "unsure"
        await pilot.press("m")
        await until(pilot, lambda: "It was sent" in words_of(stage))
        assert len(await engine.lists.ids(SENT)) == 1
        assert len(server.received) == 1


async def test_a_message_that_may_have_arrived_is_sent_again_only_after_a_yes(unsure):
    engine, outbox_id, server = unsure
    async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
        await until(pilot, lambda: "It may have arrived" in words_of(stage))
        await pilot.press("a")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(stage.screen, OutboxItemScreen))
        assert (await engine.outbox.row(outbox_id)).state == "unsure"
        await pilot.press("a")
        await until(pilot, lambda: isinstance(stage.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: "It waits to be sent." in words_of(stage))
        await engine.outbox.flush("ada")
        await until(pilot, lambda: "It was sent" in words_of(stage))
        assert [received.raw for received in server.received[1:]] == [server.received[0].raw]


async def test_a_message_that_has_gone_closes_its_screen(engine):
    async with staged(lambda: OutboxItemScreen(engine, 99)) as (stage, pilot):
        await until(pilot, lambda: stage.left)


async def test_the_screen_stops_listening_when_it_closes(engine):
    outbox_id = await queued(engine)
    async with staged(lambda: OutboxItemScreen(engine, outbox_id)) as (stage, pilot):
        await until(pilot, lambda: "Breakfast" in shown(stage))
        await pilot.press("escape")
        await until(pilot, lambda: stage.left)
        engine.context.tell(OutboxChanged(outbox_id, "ada", "sent"))


# -- every dialog, at every size


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ConfirmScreen("Empty Trash?", "Empty it", "Keep it"), "Keep it"),
        (lambda: AskPasswordScreen("Password of ada@example.org"), "Password of"),
        (lambda: LinksScreen(LINKS), "Esc back"),
        (lambda: PickPathScreen("Attach a file", "/"), "Attach a file"),
    ],
)
async def test_a_dialog_fits_every_size(make, words, size):
    async with staged(make, size) as (stage, pilot):
        await until(pilot, lambda: words in words_of(stage))
        assert isinstance(stage.screen, dialog.Dialog)
        if lists := stage.screen.query(OptionList):
            assert lists.first().size.height >= 1
