"""The IMAP mailbox of the demo is the same each time, and shares no message with the POP3 one."""

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest

from termmail.demo import sample_mailbox
from termmail.demo.sample_imap_mailbox import USER, mailbox
from termmail.net.imap.folder_names import decode_name
from tests.demo.imap_client import connected

NOW = datetime(2026, 3, 3, 9, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def filled():
    return mailbox(NOW, "analytical")


def messages(filled):
    return [message for folder in filled.folders.values() for message in folder.messages.values()]


def test_the_same_moment_gives_the_same_bytes(filled):
    assert [one.raw for one in messages(filled)] == [one.raw for one in messages(mailbox(NOW, "analytical"))]


def test_nine_folders_hold_about_30_messages_oldest_first(filled):
    names = {decode_name(name): folder.role for name, folder in filled.folders.items() if folder.selectable}
    assert names == {
        "INBOX": "",
        "Archive": "\\Archive",
        "Sent": "\\Sent",
        "Drafts": "\\Drafts",
        "Junk": "\\Junk",
        "Trash": "\\Trash",
        "Travel": "",
        "Übersetzungen": "",
        "Lists/Python": "",
    }
    assert all(folder.messages for folder in filled.folders.values() if folder.selectable)
    assert 28 <= len(messages(filled)) <= 32
    for folder in filled.folders.values():
        dates = [message.internal_date for message in folder.messages.values()]
        assert dates == sorted(dates)
        for message in folder.messages.values():
            assert parsedate_to_datetime(message_from_bytes(message.raw)["Date"]).timestamp() == message.internal_date
            assert NOW - timedelta(days=60) < datetime.fromtimestamp(message.internal_date, UTC) <= NOW


def test_no_message_is_in_the_other_account_or_here_twice(filled):
    here = [message_from_bytes(one.raw)["Message-ID"] for one in messages(filled)]
    there = [message_from_bytes(raw)["Message-ID"] for raw in sample_mailbox.messages(NOW)]
    assert len(set(here)) == len(here)
    assert not set(here) & set(there)


def test_threads_go_across_folders(filled):
    read = [message_from_bytes(one.raw) for one in messages(filled)]
    known = {message["Message-ID"] for message in read}
    answers = [message["In-Reply-To"] for message in read if message["In-Reply-To"]]
    assert len(answers) >= 8
    assert set(answers) <= known


def test_messages_name_only_hosts_reserved_for_examples_and_end_lines_with_crlf(filled):
    for one in messages(filled):
        assert one.raw.count(b"\n") == one.raw.count(b"\r\n") == one.raw.count(b"\r")
        for host in re.findall(rb"[\w.-]+@([\w.-]+\.\w+)|https?://([\w.-]+\.\w+)", one.raw.replace(b"=\r\n", b"")):
            name = (host[0] or host[1]).lower()
            assert re.search(rb"(^|\.)example\.(org|net)$", name), name


def test_what_ada_wrote_has_no_trace_of_a_server(filled):
    for name in ("Sent", "Drafts"):
        for one in filled.folder(name).messages.values():
            message = message_from_bytes(one.raw, policy=policy.default)
            assert message["From"].addresses[0].addr_spec == USER
            assert message["Received"] is None
    for one in filled.folder("INBOX").messages.values():
        assert f"for <{USER}>" in message_from_bytes(one.raw)["Received"]


def test_conversations_go_on_between_what_was_received_and_sent(filled):
    def ids(name, header):
        return {message_from_bytes(one.raw)[header] for one in filled.folder(name).messages.values()}

    received, sent = ids("INBOX", "Message-ID"), ids("Sent", "Message-ID")
    assert ids("INBOX", "In-Reply-To") & sent
    assert ids("Sent", "In-Reply-To") & received


def test_a_message_that_counts_as_answered_was_answered(filled):
    answers = {message_from_bytes(one.raw)["In-Reply-To"] for one in filled.folder("Sent").messages.values()}
    answered = [one for one in messages(filled) if "\\Answered" in one.flags]
    assert len(answered) >= 3
    assert {message_from_bytes(one.raw)["Message-ID"] for one in answered} <= answers


async def test_the_mailbox_is_served(imap_server, filled):
    server = await imap_server(users={USER: filled})
    async with connected(server, login=False) as client:
        assert (await client.status(f"LOGIN {USER} analytical".encode())).startswith(b"OK")
        rows = await client.ask(b'LIST "" "*" RETURN (SPECIAL-USE STATUS (MESSAGES UNSEEN))')
        assert b"* STATUS INBOX (MESSAGES 8 UNSEEN 3)" in rows
        assert b'* LIST (\\HasNoChildren) "/" Lists/Python' in rows
