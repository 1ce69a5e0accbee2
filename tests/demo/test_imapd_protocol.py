"""The embedded IMAP server keeps RFC 3501 line by line, and says BAD to what it does not offer."""

from __future__ import annotations

import pytest

from termmail.demo.imap_mailbox import ImapMailbox
from termmail.demo.imap_personalities import COURIER, DOVECOT, GMAIL, O365, PERSONALITIES, PLAIN, YAHOO
from tests.conftest import PASSWORD
from tests.demo.imap_client import connected
from tests.demo.test_imapd import filled, raw

EXTENSIONS = {
    "ID": b"ID NIL",
    "ENABLE": b"ENABLE CONDSTORE",
    "NAMESPACE": b"NAMESPACE",
    "UNSELECT": b"UNSELECT",
    "UIDPLUS": b"UID EXPUNGE 9",
    "MOVE": b"UID MOVE 9 Trash",
    "ESEARCH": b"UID SEARCH RETURN (ALL) ALL",
    "CONDSTORE": b"UID FETCH 1 (FLAGS MODSEQ)",
    "OBJECTID": b"UID FETCH 1 EMAILID",
    "LIST-STATUS": b'LIST "" "*" RETURN (STATUS (MESSAGES))',
    "SPECIAL-USE": b'LIST "" "*" RETURN (SPECIAL-USE)',
    "LIST-EXTENDED": b'LIST (SUBSCRIBED) "" "*"',
}


@pytest.mark.parametrize("kind", PERSONALITIES.values(), ids=PERSONALITIES)
async def test_a_command_of_an_extension_is_bad_where_it_is_not_offered(imap_server, kind):
    mailbox = filled()
    server = await imap_server(mailbox, personality=kind)
    for name, words in EXTENSIONS.items():
        async with connected(server, select=True) as client:
            words = words.replace(b"Trash", kind.wire_name(b"Trash"))
            assert (await client.status(words)).startswith(b"OK" if name in kind.capabilities else b"BAD"), name


@pytest.mark.parametrize(
    "words",
    [
        b"NOOP ",
        b"NOOP now",
        b"SELECT",
        b"SELECT  INBOX",
        b'SELECT "INBOX',
        b"SELECT (INBOX)",
        b"FETCH 1",
        b"FETCH 0 FLAGS",
        b"FETCH 9 FLAGS",
        b"FETCH x FLAGS",
        b"FETCH 1 (FLAGS",
        b"FETCH 1 (FLAGS )",
        b"FETCH 1 (NONSENSE)",
        b"FETCH 1 BODY[NONSENSE]",
        b"UID FETCH 1 FLAGS (CHANGEDSINCE 0)",
        b"STORE 1 FLAGS (\\Nonsense)",
        b"STORE 1 NONSENSE (\\Seen)",
        b"SEARCH",
        b"SEARCH NONSENSE",
        b"SEARCH OR ALL",
        b"SEARCH SINCE yesterday",
        b"SEARCH CHARSET KOI8-R ALL",
        b"STATUS INBOX (NONSENSE)",
        b"STATUS INBOX ()",
        b'LIST ""',
        b'LIST "" "*" RETURN (NONSENSE)',
        b"APPEND INBOX",
        b"NONSENSE",
        b"\xff",
        b"UID NOOP",
        b"SELECT {3+}\r\nabc d",
    ],
)
async def test_what_is_no_command_gets_bad_and_the_session_goes_on(imap_server, words):
    async with connected(await imap_server(filled()), select=True) as client:
        assert (await client.status(words)).startswith(b"BAD")
        assert await client.ask(b"NOOP") == [b"OK done"]


async def test_before_the_login_nothing_is_told(imap_server):
    async with connected(await imap_server(filled()), login=False) as client:
        for words in (b"SELECT INBOX", b'LIST "" "*"', b"IDLE", b"ENABLE QRESYNC", b"UID FETCH 1 FLAGS"):
            assert (await client.status(words)).startswith(b"BAD")
        assert await client.ask(b"NOOP") == [b"OK done"]


async def test_without_an_open_folder_messages_cannot_be_named(imap_server):
    async with connected(await imap_server(filled())) as client:
        for words in (b"UID FETCH 1 FLAGS", b"CHECK", b"CLOSE", b"EXPUNGE", b"SEARCH ALL", b"UID COPY 1 Trash"):
            assert (await client.status(words)).startswith(b"BAD")


# -- folders


async def test_select_tells_what_the_rfc_requires(imap_server):
    mailbox = filled()
    mailbox.folder("INBOX").store([1], add=["$Work"])
    async with connected(await imap_server(mailbox)) as client:
        assert await client.ask(b"SELECT INBOX") == [
            b"* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work)",
            b"* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft $Work \\*)] kept",
            b"* 3 EXISTS",
            b"* 0 RECENT",
            b"* OK [UIDVALIDITY %d] valid" % mailbox.folder("INBOX").uidvalidity,
            b"* OK [UIDNEXT 4] next",
            b"* OK [HIGHESTMODSEQ 5] highest",
            b"OK [READ-WRITE] open",
        ]
        assert (await client.status(b"SELECT Missing")).startswith(b"NO [NONEXISTENT]")
        assert (await client.status(b"UID FETCH 1 FLAGS")).startswith(b"BAD")


async def test_a_folder_that_is_examined_cannot_be_changed(imap_server):
    mailbox = filled()
    mailbox.folder("INBOX").store([2], add=["\\Deleted"])
    async with connected(await imap_server(mailbox)) as client:
        assert (await client.status(b"EXAMINE INBOX")).startswith(b"OK [READ-ONLY]")
        for words in (b"UID STORE 1 +FLAGS (\\Seen)", b"EXPUNGE", b"UID MOVE 1 Trash"):
            assert (await client.status(words)).startswith(b"NO")
        assert (await client.ask(b"UID FETCH 1 BODY[]"))[0].endswith(b"hello 1\r\n)")
        assert (await client.status(b"CLOSE")).startswith(b"OK")
        assert mailbox.folder("INBOX").messages[1].flags == frozenset()
        assert mailbox.folder("INBOX").uids == [1, 2, 3]


async def test_close_expunges_and_unselect_does_not(imap_server):
    mailbox = filled()
    inbox = mailbox.folder("INBOX")
    inbox.store([1], add=["\\Deleted"])
    async with connected(await imap_server(mailbox), select=True) as client:
        assert await client.ask(b"UNSELECT") == [b"OK closed"]
        assert inbox.uids == [1, 2, 3]
        await client.ask(b"SELECT INBOX")
        assert await client.ask(b"CHECK") == [b"OK done"]
        assert await client.ask(b"CLOSE") == [b"OK closed"]
        assert inbox.uids == [2, 3]
    assert not inbox.watchers


async def test_list_knows_patterns_and_roles(imap_server):
    async with connected(await imap_server(filled())) as client:
        rows = await client.ask(b'LIST "" %')
        assert rows == [
            b'* LIST (\\HasNoChildren) "/" INBOX',
            b'* LIST (\\HasNoChildren) "/" B&APw-ro',
            b'* LIST (\\Noselect \\HasChildren) "/" Lists',
            b'* LIST (\\HasNoChildren \\Sent) "/" Sent',
            b'* LIST (\\HasNoChildren \\Trash) "/" Trash',
            b"OK done",
        ]
        assert await client.ask(b'LIST Lists/ "*"') == [b'* LIST (\\HasNoChildren) "/" Lists/Python', b"OK done"]
        assert await client.ask(b'LIST "" ""') == [b'* LIST (\\Noselect) "/" ""', b"OK done"]
        assert (await client.ask(b'LIST "" inbox'))[0] == b'* LIST (\\HasNoChildren) "/" INBOX'
        assert len(await client.ask(b'LIST (SPECIAL-USE) "" ("*" Sent)')) == 3
        rows = await client.ask(b'LIST "" Trash RETURN (SPECIAL-USE STATUS (MESSAGES UIDNEXT))')
        assert rows[1] == b"* STATUS Trash (MESSAGES 0 UIDNEXT 1)"
        assert (await client.ask(b'LSUB "" Sent'))[0] == b'* LSUB (\\HasNoChildren \\Sent) "/" Sent'


async def test_folders_are_created_renamed_and_deleted_with_their_levels(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox)) as client:
        assert (await client.status(b"CREATE Sent")).startswith(b"NO [ALREADYEXISTS]")
        assert (await client.status(b"CREATE inbox")).startswith(b"NO [ALREADYEXISTS]")
        assert (await client.status(b'CREATE "a b/c\\"d/"')) == b"OK created"
        assert (await client.ask(b'LIST "" a*'))[1] == b'* LIST (\\HasNoChildren) "/" "a b/c\\"d"'
        assert (await client.status(b"RENAME Missing X")).startswith(b"NO [NONEXISTENT]")
        assert (await client.status(b"RENAME Sent Trash")).startswith(b"NO [ALREADYEXISTS]")
        assert (await client.status(b"RENAME Lists Lists/Below")).startswith(b"NO")
        assert (await client.status(b"DELETE INBOX")).startswith(b"NO")
        assert (await client.status(b"DELETE Lists")).startswith(b"NO [NONEXISTENT]")
        assert (await client.status(b"CREATE Lists")) == b"OK created"
        assert (await client.status(b"DELETE Lists")) == b"OK deleted"
        assert not mailbox.folder("Lists").selectable
        assert (await client.status(b"DELETE Lists/Python")) == b"OK deleted"
        assert b"Lists" not in mailbox.folders
        assert (await client.status(b"RENAME INBOX Old")) == b"OK renamed"
        assert (mailbox.folder("INBOX").uids, mailbox.folder("Old").uids) == ([], [1, 2, 3])


async def test_a_name_outside_ascii_travels_as_a_literal(imap_server):
    mailbox = ImapMailbox(PASSWORD)
    mailbox.create(b"caf\xe9")
    async with connected(await imap_server(mailbox)) as client:
        assert (await client.ask(b'LIST "" c*'))[0] == b'* LIST (\\HasNoChildren) "/" {4}\r\ncaf\xe9'
        assert (await client.status(b"SELECT {4+}\r\ncaf\xe9")).startswith(b"OK")


async def test_the_folder_that_is_open_can_be_deleted_by_its_session(imap_server):
    async with connected(await imap_server(filled())) as client:
        await client.ask(b"SELECT Sent")
        assert await client.ask(b"DELETE Sent") == [b"OK deleted"]
        assert await client.ask(b"NOOP") == [b"OK done"]


# -- messages


async def test_a_range_beyond_the_end_names_the_last_message(imap_server):
    async with connected(await imap_server(filled()), select=True) as client:
        assert (await client.ask(b"UID FETCH 9:* UID"))[0] == b"* 3 FETCH (UID 3)"
        assert await client.ask(b"UID FETCH 9 UID") == [b"OK fetched"]
        assert len(await client.ask(b"UID FETCH 2,*:1 UID")) == 4


async def test_fetch_without_peek_marks_as_seen(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox), select=True) as client:
        row, _ = await client.ask(b"FETCH 1 (RFC822.SIZE BODY.PEEK[HEADER.FIELDS.NOT (References From Subject)])")
        fields = b"Message-ID: <1@example.org>\r\n\r\n"
        assert row.endswith(b"BODY[HEADER.FIELDS.NOT (REFERENCES FROM SUBJECT)] {%d}\r\n%b)" % (len(fields), fields))
        assert mailbox.folder("INBOX").messages[1].flags == frozenset()
        rows = await client.ask(b"FETCH 1 BODY[TEXT]")
        assert rows == [
            b"* 1 FETCH (BODY[TEXT] {9}\r\nhello 1\r\n)",
            b"* 1 FETCH (FLAGS (\\Seen))",
            b"OK fetched",
        ]


async def test_a_piece_behind_the_end_is_empty(imap_server):
    async with connected(await imap_server(filled()), select=True) as client:
        assert (await client.ask(b"UID FETCH 1 BODY.PEEK[]<9999.5>"))[0] == (b"* 1 FETCH (UID 1 BODY[]<9999> {0}\r\n)")


async def test_search_answers_in_both_forms(imap_server):
    mailbox = filled(5)
    mailbox.folder("INBOX").expunge([1])
    mailbox.folder("INBOX").store([4], add=["\\Seen", "$Work"])
    async with connected(await imap_server(mailbox), select=True) as client:
        for criteria, uids in {
            b"ALL": b"2:5",
            b"UNSEEN": b"2:3,5",
            b"1:2": b"2:3",
            b"UID 3:9": b"3:5",
            b"KEYWORD $work": b"4",
            b"UNKEYWORD $Work UID 4:5": b"5",
            b"HEADER References b@EXAMPLE": b"2:5",
            b'CHARSET UTF-8 TEXT "hello 3"': b"3",
            b"NOT BODY hello": b"",
            b"(SEEN LARGER 10) SMALLER 9999": b"4",
            b"ON 14-Nov-2023": b"2:5",
            b"SINCE 15-Nov-2023": b"",
            b"BEFORE 15-Nov-2023 OR FROM bob TO bob": b"2:5",
            b"MODSEQ 8": b"4",
            b"NEW": b"",
        }.items():
            plain, status = await client.ask(b"UID SEARCH " + criteria)
            extended, _ = await client.ask(b"UID SEARCH RETURN (ALL) " + criteria)
            assert status == b"OK searched"
            tag = b"a%d" % client.count
            assert extended == b'* ESEARCH (TAG "%b") UID%b' % (tag, b" ALL " + uids if uids else b""), criteria
            assert len(plain.split()) - 2 == (0 if not uids else len(await client.ask(b"UID FETCH %b UID" % uids)) - 1)
        row, _ = await client.ask(b"SEARCH RETURN (MIN MAX COUNT) ALL")
        assert row == b'* ESEARCH (TAG "a%d") MIN 1 MAX 4 COUNT 4' % client.count


async def test_copies_and_moves_by_number_and_to_nowhere(imap_server):
    mailbox = filled()
    trash = mailbox.folder("Trash")
    async with connected(await imap_server(mailbox), select=True) as client:
        assert (await client.status(b"UID COPY 1 Missing")).startswith(b"NO [TRYCREATE]")
        assert (await client.status(b"COPY 2:3 Trash")) == b"OK [COPYUID %d 2:3 1:2] copied" % trash.uidvalidity
        rows = await client.ask(b"MOVE 1,3 Trash")
        assert rows[1:] == [b"* 3 EXPUNGE", b"* 1 EXPUNGE", b"OK moved"]
        assert trash.uids == [1, 2, 3, 4]


async def test_a_server_keeps_only_the_keywords_it_allows(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox, personality=O365), select=True) as client:
        await client.ask(b"UID STORE 1 +FLAGS ($Work $mdnsent \\seen)")
        flags = mailbox.folder("INBOX").messages[1].flags
        assert flags == {"\\Seen", "$mdnsent"}


async def test_yahoo_answers_for_a_thousand_messages_and_says_so(imap_server):
    mailbox = filled(1003)
    mailbox.folder("INBOX").expunge([1003])
    async with connected(await imap_server(mailbox, personality=YAHOO)) as client:
        assert (await client.ask(b'LIST "" INBOX'))[0] == b'* LIST (\\HasNoChildren) "/" Inbox'
        await client.ask(b"SELECT INBOX")
        *rows, status = await client.ask(b"UID FETCH 1:* UID")
        assert (len(rows), rows[0]) == (1000, b"* 3 FETCH (UID 3)")
        assert status == b"OK [MESSAGELIMIT 1000 3] fetched"
        row, status = await client.ask(b"UID SEARCH RETURN (ALL) ALL")
        assert row.endswith(b"UID ALL 3:1002")
        assert status == b"OK [MESSAGELIMIT 1000 3] searched"
        assert (await client.status(b"UID COPY 1:* Trash")).startswith(b"NO [MESSAGELIMIT 1000 3]")
        assert (await client.status(b"UID MOVE 1:* Trash")).startswith(b"NO [MESSAGELIMIT 1000 3]")
        assert await client.ask(b"UID FETCH 2:3 UID") == [
            b"* 2 FETCH (UID 2)",
            b"* 3 FETCH (UID 3)",
            b"OK fetched",
        ]
    assert len(mailbox.folder("INBOX").messages) == 1002


# -- literals


async def test_courier_takes_the_lines_of_a_literal_it_does_not_know_as_commands(imap_server):
    mailbox = filled()
    async with connected(await imap_server(mailbox, personality=COURIER)) as client:
        tag = client.command(b"APPEND INBOX {10+}\r\nx CREATE INBOX.Injected\r\n")
        assert (await client.answer(tag))[-1].startswith(b"BAD")
        assert await client.line() == b"x OK created\r\n"
        assert mailbox.folder("Injected").selectable


async def test_a_literal_waits_until_the_server_asks_for_it(imap_server):
    mailbox = filled()
    message = raw(9)
    async with connected(await imap_server(mailbox, personality=PLAIN)) as client:
        tag = client.command(b"APPEND {5}")
        assert await client.line() == b"+ go on\r\n"
        client.send(b'INBOX (\\Seen) "02-Jan-2026 03:04:05 +0100" {%d}\r\n' % len(message))
        assert await client.line() == b"+ go on\r\n"
        client.send(message + b"\r\n")
        assert await client.answer(tag) == [b"OK appended"]
        appended = mailbox.folder("INBOX").messages[4]
        assert (appended.raw, appended.internal_date) == (message, 1_767_319_445)


async def test_literals_beyond_the_limits_are_refused(imap_server):
    async with connected(await imap_server(filled(), personality=GMAIL)) as client:
        assert (await client.status(b"APPEND INBOX {35651585}")).startswith(b"NO [TOOBIG]")
        assert (await client.status(b"APPEND INBOX {4097+}\r\n" + b"x" * 4097)).startswith(b"BAD")
        assert (await client.status(b"APPEND INBOX {4096+}\r\n" + b"x" * 4096)).startswith(b"OK")
        assert (await client.status(b"APPEND Missing {1+}\r\nx")).startswith(b"NO [TRYCREATE]")


async def test_a_line_without_end_is_answered_with_bye(imap_server):
    async with connected(await imap_server(filled(), personality=DOVECOT)) as client:
        client.send(b"a NOOP" + b" " * 17_000)
        assert (await client.line()).startswith(b"* BYE")
