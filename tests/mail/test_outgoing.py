"""Drafts as bytes for the wire, read back by the standard library and by our own reader."""

import email
import email.policy
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from termmail.mail.compose import ComposeError, build, format_addresses
from termmail.mail.flowed import paragraphs, plain
from termmail.mail.message import Address, Draft, Identity, Outgoing
from termmail.mail.outgoing import text_field
from termmail.mail.parse import parse, part_bytes
from termmail.mail.sanitize import clean, clean_lines, safe_name

ADA = Identity("Ada Lovelace", "ada@example.org", signature="Ada")
NOW = datetime(2026, 3, 3, 9, 12, 7, tzinfo=timezone(timedelta(hours=5, minutes=30)))
DRAFT = Draft(to="bob@example.net", subject="Hello", body="Hi Bob\n")


def made(draft: Draft = DRAFT, files=(), identity: Identity = ADA, **how) -> Outgoing:
    outgoing = build(draft, identity, files, now=NOW, **how)
    assert_fit_for_the_wire(outgoing.raw)
    return outgoing


def assert_fit_for_the_wire(raw: bytes) -> None:
    """7-bit, CRLF only, lines of at most 998 bytes, one header block that the body cannot reach into."""
    assert raw.isascii()
    assert b"\0" not in raw
    assert raw.count(b"\r") == raw.count(b"\n") == raw.count(b"\r\n")
    assert raw.endswith(b"\r\n")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    header = raw.partition(b"\r\n\r\n")[0]
    assert all(re.match(rb"[A-Za-z-]+:|[ \t]+\S", line) for line in header.split(b"\r\n"))


def fields(raw: bytes) -> list[str]:
    return [line.partition(":")[0] for line in raw.partition(b"\r\n\r\n")[0].decode().split("\r\n") if line[0] != " "]


def test_a_plain_message_has_these_fields_and_no_others() -> None:
    outgoing = made(replace(DRAFT, cc="cc@example.net", bcc="secret@example.net"))
    assert fields(outgoing.raw) == [
        "From",
        "To",
        "Cc",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Transfer-Encoding",
        "Content-Type",
    ] or sorted(fields(outgoing.raw)) == sorted(
        [
            "From",
            "To",
            "Cc",
            "Subject",
            "Date",
            "Message-ID",
            "MIME-Version",
            "Content-Type",
            "Content-Transfer-Encoding",
        ]
    )
    assert outgoing.sender == "ada@example.org"
    assert outgoing.recipients == ("bob@example.net", "cc@example.net", "secret@example.net")


def test_bcc_people_are_in_the_envelope_and_nowhere_in_the_bytes() -> None:
    outgoing = made(replace(DRAFT, bcc="Secret Friend <secret@example.net>"))
    assert b"secret" not in outgoing.raw.lower()
    assert b"bcc" not in outgoing.raw.lower()
    assert "secret@example.net" in outgoing.recipients


def test_mail_to_bcc_people_alone_has_a_to_field_without_them() -> None:
    outgoing = made(replace(DRAFT, to="", bcc="secret@example.net"))
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in outgoing.raw
    assert outgoing.recipients == ("secret@example.net",)


def test_the_date_is_utc_unless_asked() -> None:
    assert b"\r\nDate: Tue, 03 Mar 2026 03:42:07 +0000\r\n" in made().raw
    assert b"\r\nDate: Tue, 03 Mar 2026 09:12:07 +0530\r\n" in made(local_date=True).raw


def test_the_message_id_is_random_at_the_senders_domain() -> None:
    first, second = made(), made()
    assert first.message_id != second.message_id
    assert re.fullmatch(r"[0-9a-f]{32}@example\.org", first.message_id)
    assert f"\r\nMessage-ID: <{first.message_id}>\r\n".encode() in first.raw


def test_each_person_gets_it_once() -> None:
    outgoing = made(replace(DRAFT, cc="c@example.net, Bob <BOB@example.net>", bcc="bob@example.net"))
    assert outgoing.recipients == ("bob@example.net", "c@example.net")


def test_mail_to_no_one_is_refused() -> None:
    with pytest.raises(ComposeError, match="no one"):
        made(replace(DRAFT, to=""))


def test_a_long_list_of_foreign_names_reaches_those_addresses_and_no_others() -> None:
    people = [
        Address(f"Müller, Jörg “{number}” <x{number}@evil.test>,", f"j{number}@example.net") for number in range(80)
    ]
    people += [Address("名前, 太郎" * 12, "taro@example.net"), Address("a" * 300 + ", b@evil.test", "long@example.net")]
    raw = made(replace(DRAFT, to=format_addresses(people))).raw
    for word in re.findall(rb"=\?[^?]*\?[^?]*\?[^?]*\?=", raw):
        assert len(word) <= 75
    modern = email.message_from_bytes(raw, policy=email.policy.default)
    assert [one.addr_spec for one in modern["To"].addresses] == [one.email for one in people]
    assert list(parse(raw).envelope.to) == [Address(clean(one.name), one.email) for one in people]
    header = raw.partition(b"\r\n\r\n")[0]
    assert all(len(line) <= 400 for line in header.split(b"\r\n"))


NAMES = st.text(max_size=60).map(lambda text: " ".join(clean(text).split()))


@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from(["a@x.org", "b.c@y.example", "d+e@bücher.example"])), min_size=1, max_size=8
    )
)
@example([("=?utf-8?q?x=40evil=2Etest=3E=2C?=", "a@x.org")])
@example([("a, b <c@evil.test>", "a@x.org"), ("é, é", "b.c@y.example")])
@settings(max_examples=150, deadline=None)
def test_names_never_change_where_mail_goes(people: list[tuple[str, str]]) -> None:
    draft = replace(DRAFT, to=format_addresses(Address(name, address) for name, address in people))
    outgoing = made(draft)
    wire = [address.replace("bücher", "xn--bcher-kva") for _, address in people]
    assert sorted(outgoing.recipients) == sorted(set(wire))
    read = parse(outgoing.raw).envelope.to
    assert [one.email for one in read] == wire
    assert [one.name for one in read] == [name for name, _ in people]


INJECTED = ["x\r\nBcc: evil@evil.test", "x\nX-Evil: 1", "x\rX-Evil: 1", "x\0y", "x\r\n\r\nbody", "x\x0bX", "x\x1bX"]


@pytest.mark.parametrize("value", INJECTED)
@pytest.mark.parametrize("where", ["to", "cc", "bcc", "subject", "in_reply_to", "references", "name", "address"])
def test_a_line_break_in_any_field_is_refused(where: str, value: str) -> None:
    draft, identity = DRAFT, ADA
    if where in ("name", "address"):
        identity = replace(ADA, **{where: value if where == "name" else f"a@{value}"})
    else:
        draft = replace(
            DRAFT, **{where: (value,) if where == "references" else f"{value}@x.org" if where != "subject" else value}
        )
    with pytest.raises(ComposeError):
        build(draft, identity, now=NOW)


@pytest.mark.parametrize("value", [*INJECTED, 'a"; x="y', "../../etc/passwd", "-rf", ".bashrc", "", "a" * 500 + ".pdf"])
def test_a_file_name_is_made_safe_and_injects_nothing(value: str) -> None:
    raw = made(files=[(value, "application/pdf", b"data")]).raw
    assert b"\r\nX-Evil" not in raw
    assert b"\r\nBcc" not in raw
    (part,) = parse(raw).parts
    assert part.name == safe_name(value)
    assert part_bytes(raw, part.path) == b"data"


@pytest.mark.parametrize(
    "content_type",
    [*INJECTED, "", "text", "text/", "/plain", "a/b; c=d", "multipart/mixed", "message/partial", "é/x", "text/pla in"],
)
def test_a_bad_content_type_becomes_plain_bytes(content_type: str) -> None:
    raw = made(files=[("a.bin", content_type, b"data")]).raw
    (part,) = parse(raw).parts
    assert part.content_type == "application/octet-stream"
    assert b"X-Evil" not in raw
    assert part_bytes(raw, part.path) == b"data"


@pytest.mark.parametrize(
    "name",
    [
        "naïve.pdf",
        "日本語のとても長い名前" * 4 + ".txt",
        "emoji \U0001f600.png",
        "100% sure; yes.txt",
        "it's 'q'.txt",
        "a=b&c.txt",
    ],
)
def test_file_names_arrive_as_they_were(name: str) -> None:
    raw = made(files=[(name, "text/plain", b"x")]).raw
    (part,) = parse(raw).parts
    assert part.name == safe_name(name)
    modern = email.message_from_bytes(raw, policy=email.policy.default)
    (attachment,) = modern.iter_attachments()
    assert attachment.get_filename() == safe_name(name)


@given(
    st.binary(max_size=300),
    st.sampled_from(["text/plain", "image/png", "application/zip", "message/rfc822", "text/html"]),
)
@settings(deadline=None)
def test_files_arrive_byte_for_byte(data: bytes, content_type: str) -> None:
    if content_type == "message/rfc822" and data.isascii():
        return
    raw = made(files=[("a.bin", content_type, data), ("b.bin", "application/x-b", b"\r\n.\r\n")]).raw
    first, second = parse(raw).parts
    assert part_bytes(raw, first.path) == data
    assert part_bytes(raw, second.path) == b"\r\n.\r\n"


def test_a_forwarded_message_goes_as_message_rfc822_when_seven_bits_hold_it() -> None:
    whole = b"From: b@x.org\r\nSubject: old\r\n\r\nbody\r\n.\r\nend\r\n"
    raw = made(files=[("old.eml", "message/rfc822", whole)]).raw
    (part,) = parse(raw).parts
    assert part.content_type == "message/rfc822"
    assert whole in raw


@pytest.mark.parametrize(
    "whole", ["Subject: ä\r\n\r\nö\r\n".encode(), b"Subject: x\r\n\r\n" + b"y" * 2000, b"a: b\n\n\0\n"]
)
def test_a_forwarded_message_that_seven_bits_cannot_hold_goes_as_a_file(whole: bytes) -> None:
    raw = made(files=[("old.eml", "message/rfc822", whole)]).raw
    (part,) = parse(raw).parts
    assert part.content_type == "application/octet-stream"
    assert part.name == "old.eml"
    assert part_bytes(raw, part.path) == whole


def normal(body: str) -> str:
    """What a body looks like to its reader: line ends, quote marks and spaces at line ends as they arrive."""
    lines = []
    for line in re.sub("[\0\ud800-\udfff]", "\ufffd", body).replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        marks = re.match("(?:> ?)+", line)
        depth = marks.group().count(">") if marks else 0
        text = line[marks.end() :] if marks else line
        text = text if text == "-- " else text.rstrip(" ")
        lines.append((">" * depth + " " if depth else "") + text)
    return clean_lines("\n".join(lines)).rstrip("\n")


BODIES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "word " * 30,
                "From here",
                " indented",
                "> quoted " + "text " * 30,
                ">> deep",
                ">",
                "-- ",
                ".",
                "..",
                ". .",
                "é" * 200,
                "x" * 1200,
                "日本語" * 60,
                "a  b   c " * 20,
                "soft ",
                "a\ttab",
                "=20",
                "> -- ",
                "--=_boundary",
                "a\0b\x1bc",
                "lone \ud800.",
            ]
        ),
        st.text(max_size=120).map(
            clean
        ),  # invisible letters are dropped by the reader, and may leave a space at the end
    ),
    max_size=12,
).map("\n".join)


@given(BODIES)
@example("\xa0")
@example("\u3000\n\xa0")
@settings(max_examples=300, deadline=None)
def test_a_body_arrives_as_it_was_written(body: str) -> None:
    """One of blanks alone is shown as an empty one."""
    message = parse(made(replace(DRAFT, body=body)).raw)
    assert message.flowed or not message.text
    assert plain(message).rstrip("\n") == (normal(body) if body.strip() else "")


def test_soft_breaks_keep_to_78_characters_and_their_quote_marks() -> None:
    raw = made(replace(DRAFT, body="word " * 60 + "\n>> " + "text " * 60)).raw
    body = raw.partition(b"\r\n\r\n")[2].decode().split("\r\n")
    assert max(map(len, body)) <= 78
    assert all(line.endswith(" ") for line in body[:3])
    assert sum(line.startswith(">> ") for line in body) > 2


@pytest.mark.parametrize("body", [".", "a\n.\nb", "a\r\n.\r\nb", "a\r.\rb", "a\n\n.\n\n", "\n.\r\n", "a\r\r\n.\n"])
def test_dots_and_bare_line_ends_cannot_end_the_message_early(body: str) -> None:
    raw = made(replace(DRAFT, body=body)).raw
    assert "." in [one.text for one in paragraphs(parse(raw).text, flowed=True)]


def test_the_signature_keeps_its_dashes() -> None:
    raw = made(replace(DRAFT, body="Hi \n\n-- \nAda\nCountess")).raw
    assert b"\r\n-- \r\nAda\r\nCountess\r\n" in raw
    assert [one.kind for one in paragraphs(parse(raw).text, flowed=True)][-3:] == ["signature"] * 3


@given(st.text(max_size=300))
@example("=?utf-8?q?hi?=")
@example("a  b")
@example("x" * 900)
@example(" leading and trailing ")
@settings(deadline=None)
def test_a_subject_arrives_as_it_was_written(subject: str) -> None:
    subject = "".join(letter for letter in subject if letter == "\t" or (letter >= " " and letter != "\x7f"))
    read = parse(made(replace(DRAFT, subject=subject)).raw).envelope.subject
    expected = re.sub("[\ud800-\udfff]", "?", subject).replace("\t", " ").strip()
    assert read.split() == clean(expected).split()


def test_references_are_kept_to_the_first_and_the_last() -> None:
    ids = tuple(f"id{number}@{'x' * 60}.example" for number in range(500))
    raw = made(replace(DRAFT, references=ids, in_reply_to=ids[-1])).raw
    read = parse(raw).envelope
    assert read.references[0] == ids[0]
    assert read.references[-1] == ids[-1]
    assert len(read.references) == 40
    assert read.in_reply_to == ids[-1]


def test_a_strange_message_id_is_left_out() -> None:
    raw = made(
        replace(DRAFT, references=("good@x", "b\u00e4d@x", "a b@x", "x" * 2000, "<c@x>"), in_reply_to="nö@x")
    ).raw
    assert parse(raw).envelope.references == ("good@x", "c@x")
    assert b"In-Reply-To" not in raw


def test_smtputf8_lets_local_parts_through() -> None:
    draft = replace(DRAFT, to="jörg@bücher.example")
    with pytest.raises(ComposeError, match="before the @"):
        build(draft, ADA, now=NOW)
    outgoing = build(draft, ADA, now=NOW, smtputf8=True)
    assert outgoing.recipients == ("jörg@xn--bcher-kva.example",)
    assert "To: jörg@xn--bcher-kva.example\r\n".encode() in outgoing.raw


def test_the_sender_may_have_a_foreign_name_and_domain() -> None:
    outgoing = made(identity=Identity("Ådå, Countess", "ada@bücher.example"))
    assert outgoing.sender == "ada@xn--bcher-kva.example"
    assert parse(outgoing.raw).envelope.sender[0].name == "Ådå, Countess"


def test_a_header_line_is_filled_to_76_characters_and_no_further() -> None:
    words = "x" * 60 + " "
    assert text_field("Subject", words + "y" * 6).count("\r\n") == 1
    assert len(text_field("Subject", words + "y" * 6)) == 76 + 2
    assert text_field("Subject", words + "y" * 7).count("\r\n") == 2


def test_a_word_that_fills_a_line_is_encoded() -> None:
    assert "=?utf-8?b?" in text_field("Subject", "x" * 76)
    assert "=?utf-8?b?" not in text_field("Subject", "x" * 75)
