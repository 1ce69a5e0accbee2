"""The builder's mailboxes are the same for the same seed, and as large as real mail is."""

import hashlib
import mailbox
from email.parser import BytesParser
from statistics import mean

from tests.mailbox import build, write_maildir, write_mbox


def sizes(messages):
    return mean(len(raw) for raw in messages), mean(raw.index(b"\r\n\r\n") + 2 for raw in messages)


def test_the_same_seed_makes_the_same_mailbox_and_another_seed_another():
    def digest(seed):
        return hashlib.sha256(b"".join(build(300, seed=seed))).hexdigest()

    assert digest(7) == digest(7)
    assert digest(7) != digest(8)


def test_sizes_are_those_of_real_mail():
    whole, header = sizes(list(build(4000)))
    assert 30_000 < whole < 40_000
    assert 1_750 < header < 1_950
    assert 3_400 < sizes(list(build(2000, light=True)))[0] < 4_200


def test_every_message_reads_without_defects_and_ends_its_lines_with_crlf():
    ids = set()
    for raw in build(400):
        assert raw.endswith(b"\r\n")
        assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
        message = BytesParser().parsebytes(raw)
        assert [part.defects for part in message.walk() if part.defects] == []
        ids.add(message["Message-ID"])
        if message["In-Reply-To"]:
            assert message["In-Reply-To"] in ids
    assert len(ids) == 400


def test_maildir_and_mbox_hold_what_was_built(tmp_path):
    assert write_maildir(tmp_path / "maildir", build(20)) == 20
    assert write_mbox(tmp_path / "mbox", build(20)) == 20
    files = sorted((tmp_path / "maildir" / "cur").iterdir())
    assert sorted(file.read_bytes() for file in files) == sorted(build(20))
    box = mailbox.mbox(tmp_path / "mbox")
    assert len(box) == 20
    box.close()
