"""Opening: permissions, versions, damage, read-only folders, file systems without WAL, neighbours."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from termmail.mail import parse
from termmail.mail.model import Returned, StepKind
from termmail.store import (
    contacts,
    folders,
    messages,
    migrate,
    outbox,
    permissions,
    pop3_identity,
    rules,
    search,
    snoozing,
)
from termmail.store.rows import State
from termmail.store.store import Store
from termmail.store.store_errors import StoreBusy, StoreDamaged, StoreError, StoreTooNew
from tests.store import sealed
from tests.store.parts import (
    NOW,
    add_local,
    download,
    folder,
    header,
    ids_in,
    inbox,
    index_all,
    known,
    mark,
    move,
    new,
    outgoing,
    picture,
    query,
    session,
    states,
    whole,
)

# -- who may read it


def _modes(folder):
    return {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()}


def test_only_the_user_may_read_the_store_and_what_lies_beside_it(tmp_path):
    old = os.umask(0)
    try:
        with Store.open(tmp_path / "a" / "b" / "mail.db") as store:
            session(store, [new(1)])
            found = _modes(tmp_path / "a" / "b")
            assert found == dict.fromkeys(("mail.db", "mail.db-wal", "mail.db-shm"), 0o600)
            assert _modes(tmp_path / "a") == {"b": 0o700}
            assert _modes(tmp_path) == {"a": 0o700}
    finally:
        os.umask(old)


def test_rights_of_others_are_taken_away_when_it_is_opened(store, path):
    session(store, [new(1)])
    for file in path.parent.iterdir():
        file.chmod(0o666)
    with Store.open(path):
        assert set(_modes(path.parent).values()) == {0o600}


# -- neighbours


def test_what_others_wrote_is_told_from_ones_own(store, path):
    session(store, [new(1)])
    assert not store.changed_elsewhere()
    with Store.open(path) as other, Store.open(path, read_only=True) as third:
        assert not store.changed_elsewhere()
        mark(other, [1], StepKind.STAR)
        assert store.changed_elsewhere()
        assert third.changed_elsewhere()
        assert not other.changed_elsewhere()
        assert not store.changed_elsewhere()


# -- versions


def test_a_store_of_a_newer_termmail_is_refused_and_left_as_it_is(path):
    with Store.open(path) as store:
        session(store, [new(1)])
        store.db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    for read_only in (False, True):
        with pytest.raises(StoreTooNew, match="newer termmail"):
            Store.open(path, read_only=read_only)
    assert path.read_bytes() == before
    assert list(path.parent.glob("*before*")) == []


def test_a_store_of_the_first_version_keeps_all_it_holds(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.executescript(migrate.scripts()[0])
        db.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        for id_, state in enumerate(("kept", "trashed", "due", "absent"), 1):
            db.execute(
                "INSERT INTO message (id, account, folder, received, size, sort_date, sender, recipients, subject,"
                " message_id, in_reply_to, refs, addresses, attachments)"
                " VALUES (?, 'work', 'Inbox', 5, 10, ?, 'Ada', 'Bob', 'First', 'm@x', '', '', '{}', 0)",
                (id_, id_),
            )
            db.execute("INSERT INTO raw VALUES (?, 0, ?)", (id_, header(id_)))
            db.execute(
                "INSERT INTO remote (account, uidl, number, size, fingerprint, message, state, due_at)"
                " VALUES ('work', ?, ?, 10, ?, ?, ?, 7)",
                (b"u%d" % id_, id_, parse.fingerprint(header(id_)), id_, state),
            )
        db.execute(
            "INSERT INTO remote (account, uidl, number, size, fingerprint, state, words)"
            " VALUES ('work', x'7535', 0, 10, x'66', 'gone', 'w')"
        )
        db.execute("INSERT INTO account_state VALUES ('work', 4, 40, x'7534', 99, 'trouble')")
        db.commit()
    with Store.open(path) as store:
        assert store.check() == []
        assert inbox(store) == ["First"] * 4
        assert states(store) == ["kept", "trashed", "due", "absent", "gone"]
        assert [(one.uidl, one.number, one.message) for one in known(store, "work")] == [
            (b"u1", 1, 1), (b"u2", 2, 2), (b"u3", 3, 3), (b"u4", 4, 4), (b"u5", 0, None),
        ]  # fmt: skip
        assert pop3_identity.account_state(store, "work") == State(4, 40, b"u4", 99)
        # What it knew it knows again.
        assert session(store, [new(1, size=10)]).ids == []
    assert path.with_name("mail.db.before-2").exists()


FOLDERS_OF_V2 = ("Inbox", "Archive", "Sent", "Spam", "Trash", "Trips/2026", "Drafts", "a / b", "search:x")


def _version_2(path, total, names=FOLDERS_OF_V2):
    """A store as version 2 wrote it, with messages in every folder of two accounts."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        for script in migrate.scripts()[:2]:
            db.executescript(script)
        db.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 2")
        rows = [
            (n, ("work", "home")[n % 2], names[n // 2 % len(names)], n % 3 == 0, 1_700_000_000 + n)
            for n in range(1, total + 1)
        ]
        db.executemany(
            "INSERT INTO message (id, account, folder, received, size, unread, sort_date, sender, recipients, subject,"
            " message_id, in_reply_to, refs, attachments) VALUES (?, ?, ?, 5, 10, ?, ?, 'Ada', 'Bob', 'S', 'm', '', '', 0)",
            rows,
        )
        db.executemany("INSERT INTO raw VALUES (?, 0, ?)", [(row[0], header(row[0])) for row in rows])
        db.execute("INSERT INTO contact VALUES ('ada@example.org', 'Ada ÉLAN Lovelace', 1, 2, 3, 4)")
        db.execute("INSERT INTO account_state (account) VALUES ('third')")
        db.commit()
    return rows


def test_a_store_of_the_second_version_keeps_every_message_in_its_folder(path):
    rows = _version_2(path, 400)
    with Store.open(path) as store:
        assert store.check() == []
        renamed = {"Drafts": "Drafts (imported)"}
        for account in ("work", "home"):
            for name in FOLDERS_OF_V2:
                wanted = [n for n, owner, folder_name, *_ in rows if (owner, folder_name) == (account, name)][::-1]
                assert list(ids_in(store, renamed.get(name, name), account=account)) == wanted
        found = [(one.account, one.name, one.role) for one in folders.listing(store) if one.account == "work"]
        assert found[:5] == [
            *[("work", name, role) for name, role in (("Inbox", "inbox"), ("Sent", "sent"), ("Archive", "archive"))],
            *[("work", name, role) for name, role in (("Spam", "junk"), ("Trash", "trash"))],
        ]
        assert {role for _, _, role in found[5:]} == {"none"}
        assert sum(count.total for count in folders.counts(store).values()) == 400
        assert sum(count.unread for count in folders.counts(store).values()) == sum(row[3] for row in rows)
        assert folder(store, account="third").role == "inbox"
        assert [one.email for one in contacts.complete(store, "élan love")] == ["ada@example.org"]
        assert [one.email for one in contacts.complete(store, "élan")] == ["ada@example.org"]
        assert [one.email for one in contacts.complete(store, "ada")] == ["ada@example.org"]
    assert path.with_name("mail.db.before-3").exists()


def test_a_folder_of_the_second_version_gets_a_name_that_no_other_has(path):
    names = ("Drafts", "Drafts (imported)", "Drafts (imported 2)", "Outbox", "Outbox (imported)", "Inbox")
    rows = _version_2(path, 60, names)
    renamed = {"Drafts": "Drafts (imported 3)", "Outbox": "Outbox (imported 2)"}
    with Store.open(path) as store:
        assert store.check() == []
        for account in ("work", "home"):
            for name in names:
                wanted = [n for n, owner, folder_name, *_ in rows if (owner, folder_name) == (account, name)][::-1]
                assert list(ids_in(store, renamed.get(name, name), account=account)) == wanted


def test_the_drafts_of_a_server_in_the_fourth_version_are_received_again(path):
    """They were messages; one that only this store has is in the Archive now, and one with another label stays."""
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.create_function("casefold", 1, str.casefold, deterministic=True)
        for script in migrate.scripts()[:4]:
            db.executescript(script)
        db.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 4")
        db.execute("INSERT INTO imap_account VALUES ('work', 5)")
        db.executemany(
            "INSERT INTO folder (id, account, name, role, server_name, uidvalidity, uidnext) VALUES (?, 'work', ?, ?, ?, 7, 9)",
            [
                (1, "Inbox", "inbox", b"INBOX"),
                (2, "Drafts on the server", "drafts", b"Drafts"),
                (3, "Archive", "archive", b"All"),
            ],
        )
        db.executemany(
            "INSERT INTO message (id, account, received, size, sort_date, sender, recipients, subject, message_id,"
            " in_reply_to, refs, attachments) VALUES (?, 'work', 5, 10, ?, 'Ada', 'Bob', 'S', 'm', '', '', 0)",
            [(n, n) for n in range(1, 5)],
        )
        db.executemany("INSERT INTO search (rowid, subject) VALUES (?, 'S')", [(n,) for n in range(1, 5)])
        db.executemany(
            "INSERT INTO imap_message (folder, uid, message, size, fingerprint, flags) VALUES (?, ?, ?, 10, x'00', 1)",
            [(2, 1, 1), (2, 2, 2), (3, 5, 2), (1, 3, 4)],
        )
        db.executemany(
            "INSERT INTO placement (folder, sort_date, message, unread) VALUES (?, ?, ?, 1)",
            [(2, 1, 1), (2, 2, 2), (3, 2, 2), (2, 3, 3), (1, 4, 4)],
        )
        db.execute(
            "INSERT INTO draft (account, recipients, cc, bcc, subject, body, in_reply_to, refs, answers, forwards, cursor,"
            " updated) VALUES ('work', '', '', '', 'Own', '', '', '[]', 0, 0, 'to', 77)"
        )
        db.commit()
    with Store.open(path) as store:
        assert store.check() == []
        assert store.read("SELECT folder, message FROM placement ORDER BY 1, 2") == [(1, 4), (3, 2), (3, 3)]
        assert store.read("SELECT id FROM message ORDER BY id") == [(2,), (3,), (4,)]
        assert store.read("SELECT id FROM message WHERE indexed = 0 ORDER BY id") == [(2,), (3,), (4,)]
        assert store.read("SELECT folder, message FROM imap_message ORDER BY 1") == [(1, 4), (3, 2)]
        assert store.read("SELECT uidvalidity FROM folder ORDER BY id") == [(7,), (None,), (7,)]
        assert store.read("SELECT subject, upload_at FROM draft") == [("Own", 77)]
        assert [one.name for one in folders.listing(store)][:2] == ["Inbox", "Archive"]


def test_what_was_snoozed_or_came_back_in_the_tenth_version_is_so_in_its_folder(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.create_function("casefold", 1, str.casefold)
        for script in migrate.scripts()[:10]:
            db.executescript(script)
        db.execute(f"PRAGMA application_id = {migrate.APPLICATION_ID}")
        db.execute("PRAGMA user_version = 10")
        db.execute("INSERT INTO folder (id, account, name, role) VALUES (1, 'work', 'Inbox', 'inbox')")
        for id_ in (1, 2):
            db.execute(
                "INSERT INTO message (id, account, received, size, sort_date, sender, recipients, subject, message_id,"
                " in_reply_to, refs, attachments) VALUES (?, 'work', 5, 10, ?, 'Ada', 'Bob', 'S', 'm', '', '', 0)",
                (id_, id_),
            )
            db.execute("INSERT INTO placement (folder, sort_date, message, unread) VALUES (1, ?, ?, 1)", (id_, id_))
            db.execute("INSERT INTO rule (name, query, verbs, created) VALUES (?, 'x', 'star', 1)", (f"rule {id_}",))
        db.execute("INSERT INTO snooze VALUES (1, 1, ?)", (NOW + 60,))
        db.execute("INSERT INTO returned VALUES (2, 1, 'snooze', ?)", (NOW,))
        db.commit()
    with Store.open(path) as store:
        assert store.check() == []
        assert list(messages.ids(store, [1])) == [2]
        assert messages.row(store, 2).returned is Returned.SNOOZE
        assert snoozing.bring_back(store, NOW + 60) == [1]
        assert [rule.name for rule in rules.listing(store)] == ["rule 1", "rule 2"]
        move(store, [2], "Archive")
        assert messages.row(store, 2).returned is None


def test_what_a_killed_migration_left_is_removed_when_the_store_is_opened(store, path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"mail.db.copy-{ended.pid}", f"mail.db.copy-{ended.pid}-journal"]
    of_others = [f"mail.db.copy-{os.getppid()}", "mail.db.copy-x", "mail.db.before-2"]
    for name in (*names, *of_others):
        path.with_name(name).write_bytes(b"x")
    Store.open(path).close()
    left = {file.name for file in path.parent.iterdir()}
    assert left.isdisjoint(names)
    assert left.issuperset(of_others)


def test_a_copy_that_finds_no_room_leaves_no_journal(store, path, monkeypatch):
    session(store, [new(1)])

    def full(_words):
        path.with_name(f"mail.db.copy-{os.getpid()}-journal").write_bytes(b"x")
        raise sqlite3.OperationalError("database or disk is full")

    with pytest.raises(sqlite3.OperationalError):
        migrate.migrate(store.db, path, [*migrate.scripts(), NEXT], progress=full)
    assert list(path.parent.glob("*copy*")) == []


def test_an_update_of_the_store_says_how_far_it_is(path):
    _version_2(path, 3000)
    said: list[str] = []
    assert migrate.is_outdated(path)
    Store.open(path, progress=said.append).close()
    assert not migrate.is_outdated(path)
    assert said[0].startswith("Copying the mail store")
    assert said[-1].startswith("Updating the mail store")
    assert not said[-1].endswith(" 0 %")
    assert not migrate.is_outdated(path.with_name("missing.db"))
    again: list[str] = []
    Store.open(path, progress=again.append).close()
    assert again == []


NEXT = "ALTER TABLE message ADD COLUMN colour TEXT;\nUPDATE message SET colour = 'red; blue'; -- a comment; with it\n"


def test_a_migration_keeps_a_copy_of_what_was(store, path):
    session(store, [new(1), new(2)])
    before = picture(store)
    migrate.migrate(store.db, path, [*migrate.scripts(), NEXT])
    assert store.read("SELECT DISTINCT colour FROM message") == [("red; blue",)]
    assert store.read("PRAGMA user_version") == [(migrate.latest() + 1,)]
    copy = path.with_name(f"mail.db.before-{migrate.latest() + 1}")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert list(path.parent.glob("*copy*")) == []
    with Store.open(copy) as old:
        assert picture(old) == before
        assert old.check() == []


def test_a_migration_that_fails_leaves_the_store_as_it_was(store, path):
    session(store, [new(1)])
    before = picture(store)
    with pytest.raises(sqlite3.OperationalError):
        migrate.migrate(store.db, path, [*migrate.scripts(), NEXT + "NOT SQL;"])
    assert picture(store) == before
    assert store.read("PRAGMA user_version") == [(migrate.latest(),)]
    mark(store, [1], StepKind.STAR)


def test_the_second_of_two_finds_the_migration_done(store, path):
    session(store, [new(1)])
    steps = [*migrate.scripts(), NEXT]
    with Store.open(path) as other:
        migrate.migrate(store.db, path, steps)
        migrate.migrate(other.db, path, steps)
        assert other.read("SELECT colour FROM message") == [("red; blue",)]


def test_an_older_store_cannot_be_brought_up_to_date_while_it_may_only_be_read(path):
    with Store.open(path) as store:
        store.db.execute("PRAGMA user_version = 0")
    with pytest.raises(StoreError, match="brought up to date once"):
        Store.open(path, read_only=True)


# -- damage


def test_a_database_of_another_program_is_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE bookmarks (url)")
        db.commit()
    before = path.read_bytes()
    with pytest.raises(StoreDamaged, match="another program"):
        Store.open(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"not a database, but long enough to be taken for one" * 100, b"SQLite format 3\x00" * 99]
)
def test_a_file_that_is_no_store_is_told_in_words_and_left_alone(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    for read_only in (False, True):
        with pytest.raises(StoreDamaged, match="is damaged, or is not a mail store"):
            Store.open(path, read_only=read_only)
    assert path.read_bytes() == content


def test_pages_gone_bad_are_told_in_words(path):
    with Store.open(path) as store:
        session(store, [new(n) for n in range(1, 300)])
    good = path.read_bytes()
    failed = 0
    for page in range(1, len(good) // 4096):
        path.write_bytes(good[: page * 4096] + b"\xff" * 4096 + good[(page + 1) * 4096 :])
        try:
            with Store.open(path) as store:
                if store.check():
                    failed += 1
                messages.rows(store, ids_in(store))
                session(store, [new(n) for n in range(200, 400)])
        except StoreDamaged:
            failed += 1
    assert failed > 10


def test_a_store_cut_short_is_told_in_words(path):
    with Store.open(path) as store:
        session(store, [new(n) for n in range(1, 300)])
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(StoreDamaged), Store.open(path) as store:
        assert store.check()
        messages.rows(store, ids_in(store))
        messages.raw(store, 299)


def test_an_empty_file_becomes_a_store(path):
    path.parent.mkdir()
    path.touch()
    with Store.open(path) as store:
        assert inbox(store) == []


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_in_its_place_is_told_in_words(path, read_only):
    path.mkdir(parents=True)
    with pytest.raises(StoreError, match="mail store"):
        Store.open(path, read_only=read_only)


# -- reading only

LOOK = """
import sys
from pathlib import Path
from termmail.mail.model import Returned, StepKind
from termmail.mail.query_parser import parse
from termmail.store import changes, messages, search
from termmail.store.store_errors import StoreReadOnly
from termmail.store.store import Store
path = Path(sys.argv[1])
try:
    Store.open(path)
except StoreReadOnly:
    print("read-only")
with Store.open(path, read_only=True) as store:
    ids = messages.all_ids(store)[::-1]
    print(len(ids), messages.rows(store, ids)[0].subject, messages.raw(store, ids[0])[1], len(search.search(store, parse("engine", 0).query)))
    rows = messages.rows(store, ids)
    for act in (
        lambda: changes.mark(store, ids, StepKind.READ, 1),
        lambda: changes.erase(store, [row.placement for row in rows], {}),
    ):
        try:
            act()
        except StoreReadOnly:
            print("refused")
with Store.open(path.with_name("none.db"), read_only=True) as store:
    print(len(messages.all_ids(store)))
"""
SEEN = ["read-only", "2 Engine part 2 True 2", "refused", "refused", "0"]


def _fill(store):
    session(store, [new(1), new(2)])
    download(store, ids_in(store)[0], whole(2))
    index_all(store)


def test_a_folder_that_cannot_be_written_can_be_read(path):
    with Store.open(path) as store:
        _fill(store)
    assert sealed.run_read_only(path.parent, ["-c", LOOK, str(path)]).splitlines() == SEEN
    assert list(path.parent.iterdir()) == [path]


DIE = """
import os, signal, sys
from pathlib import Path
from termmail.store.store import Store
from tests.store.test_open import _fill
_fill(Store.open(Path(sys.argv[1])))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_program_had_just_written_can_be_read_in_such_a_folder(path):
    killed = subprocess.run([sys.executable, "-c", DIE, str(path)], cwd=sealed.ROOT, check=False)
    assert killed.returncode == -9
    assert path.with_name("mail.db-wal").stat().st_size > 0
    assert sealed.run_read_only(path.parent, ["-c", LOOK, str(path)]).splitlines() == SEEN


# -- file systems


def test_without_wal_everything_works_and_commits_reach_the_disk(path):
    with Store.open(path, vfs="unix-dotfile") as store:
        assert store.read("PRAGMA journal_mode") == [("delete",)]
        _fill(store)
        said: list[str] = []
        store.db.set_trace_callback(said.append)
        pop3_identity.set_state(store, [1], "gone")
        store.db.set_trace_callback(None)
        assert said[0] == "PRAGMA synchronous = EXTRA"
        assert store.read("PRAGMA synchronous") == [(2,)], (
            "FULL between promises: NORMAL may damage the file without WAL"
        )
        migrate.migrate(store.db, path, [*migrate.scripts(), NEXT])
        assert len(search.search(store, query("engine"))) == 2
        assert store.check() == []


def test_here_it_is_wal(store):
    assert store.read("PRAGMA journal_mode") == [("wal",)]


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 {here} / /home rw,nosuid shared:5 master:1 - {kind} server:/home rw,vers=4.2
31 22 0:99 / /other rw - tmpfs tmpfs rw
nonsense
"""


@pytest.mark.parametrize(
    ("kind", "wal"),
    [("ext4", True), ("btrfs", True), ("fuseblk", True), ("nfs4", False), ("cifs", False), ("fuse.sshfs", False)],
)
def test_a_file_system_that_other_machines_share_is_told_from_mountinfo(tmp_path, kind, wal):
    device = tmp_path.stat().st_dev
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS.format(here=f"{os.major(device)}:{os.minor(device)}", kind=kind))
    assert permissions.file_system(tmp_path, str(mounts)) == kind
    assert permissions.carries_wal(kind) is wal


def test_where_nothing_tells_the_file_system_it_is_taken_for_local(tmp_path):
    assert permissions.file_system(tmp_path, str(tmp_path / "none")) == ""
    assert permissions.file_system(tmp_path / "none") == ""
    assert permissions.carries_wal("")


# -- transactions and neighbours


def test_an_inner_transaction_that_fails_is_undone_alone(store):
    session(store, [new(1), new(2)])
    with store.transaction():
        mark(store, [1], StepKind.STAR)
        with pytest.raises(ZeroDivisionError), store.transaction():
            mark(store, [1, 2], StepKind.STAR)
            raise ZeroDivisionError
    assert [row.starred for row in messages.rows(store, [1, 2])] == [True, False]
    with pytest.raises(ZeroDivisionError), store.transaction():
        mark(store, [2], StepKind.STAR)
        raise ZeroDivisionError
    assert [row.starred for row in messages.rows(store, [1, 2])] == [True, False]


def test_a_promise_cannot_be_made_inside_a_transaction_that_makes_none(store):
    session(store, [new(1)])
    with pytest.raises(RuntimeError), store.transaction():
        download(store, 1, whole(1))
    with store.transaction(durable=True):
        download(store, 1, whole(1))
    assert messages.raw(store, 1) == (whole(1), True)


def test_a_neighbour_who_does_not_finish_is_told_in_words(store, path):
    folders.ensure(store, "work")
    with Store.open(path) as other, other.transaction():
        store.db.execute("PRAGMA busy_timeout = 0")
        assert len(messages.all_ids(store)) == 0, "reading goes on"
        with pytest.raises(StoreBusy, match="did not finish"):
            add_local(store, "Inbox", whole(1), received=NOW)
    add_local(store, "Inbox", whole(1), received=NOW)


def test_a_mistake_of_ours_is_not_hidden_behind_words(store):
    with pytest.raises(sqlite3.OperationalError):
        store.read("SELECT * FROM nowhere")
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as db:
        db.execute("UPDATE outbox SET state = 'nonsense'")
        db.execute("INSERT INTO raw (id, complete, bytes) VALUES (99, 0, x'')")


WRITE = """
import sys
from pathlib import Path
from termmail.store import drafts, outbox, pop3_identity
from termmail.mail.message import Draft
from termmail.store.store import Store
from tests.store.parts import NOW, new, outgoing
name = sys.argv[2]
with Store.open(Path(sys.argv[1])) as store:
    for n in range(1, 101):
        pop3_identity.arrive(store, name, [new(n)], received=NOW, listed=[b"u%d" % n])
        draft = drafts.save(store, Draft(account=name, subject=str(n)), NOW)
        outbox.queue(store, name, outgoing(n), draft_id=draft.id, not_before=NOW, now=NOW)
"""

CLAIM = """
import sys
from pathlib import Path
from termmail.store import outbox
from termmail.store.store import Store
with Store.open(Path(sys.argv[1])) as store:
    for _ in sys.stdin:
        claimed = outbox.claim(store, "work", outbox.ids(store, "work"), sys.argv[2])
        print(claimed.id if claimed else 0, flush=True)
"""


def _start(program, *words):
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=sealed.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_write_at_once_and_nothing_is_lost(store, path):
    with _start(WRITE, str(path), "work") as one, _start(WRITE, str(path), "home") as other:
        assert (one.wait(), other.wait()) == (0, 0)
    for account in ("work", "home"):
        assert len(ids_in(store, account=account)) == len(outbox.ids(store, account)) == 100


def test_of_two_processes_at_once_only_one_gets_a_message_to_send(store, path):
    with _start(CLAIM, str(path), "one") as one, _start(CLAIM, str(path), "other") as other:
        for n in range(1, 51):
            id_ = outbox.queue(store, "work", outgoing(n), not_before=NOW, now=NOW)
            for process in (one, other):
                process.stdin.write("go\n")
                process.stdin.flush()
            assert sorted(int(process.stdout.readline()) for process in (one, other)) == [0, id_]
            assert outbox.get(store, id_).attempts == 1
        for process in (one, other):
            process.stdin.close()
        assert (one.wait(), other.wait()) == (0, 0)
