from __future__ import annotations

import base64
import email
import email.policy
import hashlib
import tracemalloc
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail import search_text
from termmail.mail.body import TEXT_LIMIT
from termmail.mail.flowed import body
from termmail.mail.message import Address
from termmail.mail.parse import (
    envelope,
    fingerprint,
    parse,
    part_bytes,
    snippet,
    split_header,
)
from termmail.mail.query import Content
from termmail.mail.search_text import SearchText
from tests.mail.nasty import NASTY, mail, multi, part, typed
from tests.timing import assert_soon

# --- header block and fingerprint


@pytest.mark.parametrize(
    ("raw", "block"),
    [
        (b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore", b"A: b\r\nC: d\r\n"),
        (b"A: b\n\nbody", b"A: b\n"),
        (b"A: b\r\n\nbody", b"A: b\r\n"),
        (b"A: b\n\r\nbody", b"A: b\n"),
        (b"A: b\r\n", b"A: b\r\n"),
        (b"A: b\r\n\r\n", b"A: b\r\n"),
        (b"\r\nbody", b""),
        (b"", b""),
    ],
)
def test_the_header_block_ends_before_the_empty_line(raw: bytes, block: bytes) -> None:
    assert split_header(raw) == block


def test_the_answer_to_top_and_the_whole_message_have_one_fingerprint() -> None:
    raw = mail(b"X-A: b", body=b"one\r\n\r\ntwo")
    top = raw[: -len(b"one\r\n\r\ntwo")]
    assert len(fingerprint(top)) == 32
    assert fingerprint(top) == fingerprint(split_header(raw))
    assert fingerprint(top.replace(b"\r\n", b"\n")) == fingerprint(top)


@given(st.lists(st.sampled_from([b"A: b", b"\r", b"\n", b"\r\n", b" c", b"Status: RO"])).map(b"".join))
def test_a_fingerprint_is_what_its_words_say(block: bytes) -> None:
    lines = (b"\n" + block.replace(b"\r\n", b"\n").rstrip(b"\r\n")).split(b"\n")
    if any(b"Status" in line for line in lines):
        return
    assert fingerprint(block) == hashlib.sha256(b"\n".join(lines)).digest()


def test_marks_of_the_server_do_not_change_a_fingerprint() -> None:
    plain = b"From: a@b\r\nSubject: x\r\n"
    marked = (
        b"Status: RO\r\nFrom: a@b\r\nX-Status: A\r\nX-IMAPbase: 1 2\r\n 3\r\nSubject: x\r\nX-UIDL: 7\r\nX-Keywords: a\r\n\tb\r\n"
        b"Content-Length: 5\r\nLines: 2\r\nX-Mozilla-Status2: 0\r\n\r\n"
    )
    assert fingerprint(marked) == fingerprint(plain)
    assert fingerprint(plain.replace(b"x", b"y")) != fingerprint(plain)
    assert fingerprint(b"X-Statusless: y\r\n" + plain) != fingerprint(plain)


# --- envelope


def test_an_envelope_has_what_a_list_shows() -> None:
    seen = envelope(
        b"Received: from x\r\n\tby y; 1 Jan 2020 00:00:00 +0000\r\n"
        b"From: =?utf-8?Q?J=C3=BCrgen?= <j@example.org>\r\nTo: a@example.org\r\nTo: b@example.org\r\nCc: c@example.org\r\n"
        b"Reply-To: d@example.org\r\nSubject: =?utf-8?B?R3LDvMOfZQ==?=\r\n  folded\r\nDate: Mon, 23 Nov 2026 10:12:30 +0100\r\n"
        b"Message-ID: <m@x>\r\nIn-Reply-To: <r@x>\r\nReferences: <q@x>\r\n <r@x>\r\nList-Post: <mailto:list@example.org>\r\n"
        b'Content-Type: multipart/mixed; boundary="x"\r\n'
    )
    assert seen.sender == (Address("Jürgen", "j@example.org"),)
    assert seen.to == (Address("", "a@example.org"), Address("", "b@example.org"))
    assert seen.cc == (Address("", "c@example.org"),)
    assert seen.reply_to == (Address("", "d@example.org"),)
    assert (seen.subject, seen.date, seen.message_id, seen.in_reply_to) == ("Grüße folded", 1795425150, "m@x", "r@x")
    assert (seen.references, seen.list_post, seen.attachments) == (("q@x", "r@x"), "list@example.org", True)


def test_an_envelope_of_nothing_is_empty() -> None:
    assert envelope(b"") == envelope(b"garbage\r\nmore garbage")


def test_sender_stands_in_where_from_is_missing() -> None:
    assert envelope(b"Sender: a@example.org\r\n").sender == (Address("", "a@example.org"),)


def test_a_body_line_is_no_header_to_the_parser() -> None:
    assert parse(mail(body=b"Subject: in the body\r\nINNOCENT")).envelope.subject == "INNOCENT"


# --- bodies


def test_a_header_block_alone_is_read() -> None:
    message = parse(split_header(mail(b"Subject: hello")))
    assert (message.envelope.subject, message.text, message.html, message.parts) == ("hello", "", "", ())


def test_plain_text_is_decoded() -> None:
    assert parse(typed(b"text/plain; charset=utf-8", b"Gr=C3=BC=C3=9Fe=\r\n!", b"quoted-printable")).text == "Grüße!"
    assert (
        parse(typed(b"text/plain; charset=koi8-r", base64.b64encode("Привет".encode("koi8-r")), b"base64")).text
        == "Привет"
    )
    assert parse(mail(body="Grüße".encode("latin-1"))).text == "Grüße"


def test_alternatives_give_text_and_html() -> None:
    message = parse(multi(part(b"text/plain", b"hello"), part(b"text/html", b"<p>hello"), subtype=b"alternative"))
    assert (message.text, message.html, message.parts) == ("hello", "<p>hello", ())


def test_html_inside_related_inside_alternative_is_found() -> None:
    related = b"--R\r\n" + part(b"text/html", b"<img src=cid:x>") + b"\r\n--R\r\n"
    related += part(b"image/png", b"x", b"Content-ID: <x>") + b"\r\n--R--"
    message = parse(
        multi(part(b"text/plain", b"hello"), part(b"multipart/related; boundary=R", related), subtype=b"alternative")
    )
    assert (message.text, message.html) == ("hello", "<img src=cid:x>")
    assert [(each.path, each.name, each.inline) for each in message.parts] == [("2.2", "part-2.2.png", True)]


def test_blank_text_beside_html_is_no_text() -> None:
    assert parse(NASTY["alternative blank text"]).text == ""


def test_html_is_never_joined_to_html() -> None:
    message = parse(NASTY["efail"])
    assert message.html == '<p>INNOCENT<img src="http://evil.example/'
    assert message.text == ""
    assert [(each.text, each.html) for each in message.sections] == [
        ("", ""),
        ("", '<p>INNOCENT<img src="http://evil.example/'),
        ("-----BEGIN PGP MESSAGE-----", ""),
        ("", '">'),
    ]
    assert message.parts == ()


def test_a_footer_does_not_hide_the_html_before_it() -> None:
    message = parse(NASTY["html then footer"])
    assert (message.text, message.html) == ("", "<p>INNOCENT</p>")
    assert [line.text for line in body(message).lines] == ["INNOCENT", "", "list footer"]
    assert message.parts == ()


def test_several_texts_are_one_text() -> None:
    assert parse(multi(part(b"text/plain", b"one\r\n"), part(b"text/plain", b"two"))).text == "one\n\ntwo"


def test_attached_text_is_not_the_body() -> None:
    message = parse(
        multi(
            part(b"text/plain", b"hello"),
            part(b"text/plain", b"log", b"Content-Disposition: attachment; filename=a.log"),
        )
    )
    assert message.text == "hello"
    assert [each.name for each in message.parts] == ["a.log"]


def test_inline_text_with_a_name_is_read_and_can_be_saved() -> None:
    message = parse(
        multi(
            part(b"text/plain", b"see"),
            part(b"text/x-patch", b"+1", b'Content-Disposition: inline; filename="a.patch"'),
        )
    )
    assert message.text == "see\n\n+1"
    assert [(each.name, each.inline) for each in message.parts] == [("a.patch", True)]


def test_flowed_and_delsp_are_told() -> None:
    message = parse(NASTY["flowed"])
    assert message.flowed
    assert message.delsp
    assert message.text.startswith("INNOCENT \n> quoted \n")
    assert not parse(mail()).flowed


def test_html_labelled_as_plain_text_is_html() -> None:
    message = parse(NASTY["html called plain"])
    assert message.text == ""
    assert message.html.startswith("<!DOCTYPE html>")


def test_a_charset_in_the_html_itself_is_used() -> None:
    assert "Привет" in parse(NASTY["charset in meta"]).html


def test_uuencode_is_just_text() -> None:
    message = parse(NASTY["encoding uuencode"])
    assert message.text.startswith("begin 644 evil.exe\n")
    assert message.parts == ()


def test_a_body_over_the_limit_is_cut_and_told() -> None:
    message = parse(NASTY["text of 2 MB"])
    assert len(message.text) <= TEXT_LIMIT
    assert any("only its beginning" in words for words in message.warnings)


def test_broken_boundaries_show_the_source() -> None:
    for name in ("boundary missing", "boundary never used"):
        message = parse(NASTY[name])
        assert "INNOCENT" in message.text
        lines = [line.text for line in body(message).lines]
        place = next(place for place, line in enumerate(lines) if line.endswith("What follows is its source:"))
        assert lines[place + 1].strip()


@pytest.mark.parametrize("name", ["101 nested parts", "3000 nested parts", "10 001 parts"])
def test_too_many_parts_give_headers_a_warning_and_the_source(name: str) -> None:
    message = parse(NASTY[name])
    assert message.envelope.subject == "INNOCENT"
    assert message.headers
    assert message.text.startswith("--")
    assert message.parts == ()
    assert any("more than" in words for words in message.warnings)
    with pytest.raises(KeyError):
        part_bytes(NASTY[name], "1")


def test_a_hundred_levels_and_ten_thousand_parts_are_read() -> None:
    assert parse(NASTY["99 nested parts"]).text.strip() == "INNOCENT"
    assert parse(NASTY["10 000 parts"]).text.count("INNOCENT") == 10_000


def test_endless_headers_are_cut_and_told() -> None:
    message = parse(NASTY["20 000 headers"])
    assert len(message.headers) == 2000
    assert any("too long" in words for words in message.warnings)
    assert parse(NASTY["header block of a megabyte"]).text == "INNOCENT"


# --- parts


def test_parts_have_paths_names_and_decoded_sizes() -> None:
    raw = multi(
        part(b"text/plain", b"hello"),
        part(b"application/pdf; name=x.pdf", base64.encodebytes(b"%PDF" * 100), b"Content-Transfer-Encoding: base64"),
        part(b"message/rfc822", mail(b"Subject: Inner one", body=b"inner")),
    )
    message = parse(raw)
    assert [(each.path, each.content_type, each.name, each.size) for each in message.parts] == [
        ("2", "application/pdf", "x.pdf", 400),
        ("3", "message/rfc822", "Inner one.eml", len(mail(b"Subject: Inner one", body=b"inner"))),
    ]
    assert part_bytes(raw, "2") == b"%PDF" * 100
    assert parse(part_bytes(raw, "3")).envelope.subject == "Inner one"
    assert part_bytes(raw, "1") == b"hello"
    for path in ("", "0", "4", "1.1", "x"):
        with pytest.raises(KeyError):
            part_bytes(raw, path)


def test_a_message_that_is_one_file_is_a_part() -> None:
    raw = typed(b"application/pdf; name=x.pdf", base64.b64encode(b"%PDF"), b"base64")
    assert [(each.path, each.name, each.size) for each in parse(raw).parts] == [("1", "x.pdf", 4)]
    assert part_bytes(raw, "1") == b"%PDF"
    assert parse(raw).text == ""


def test_messages_inside_are_listed_and_not_expanded() -> None:
    message = parse(NASTY["200 nested messages"])
    assert [each.content_type for each in message.parts] == ["message/rfc822"]
    assert [each.content_type for each in parse(NASTY["digest"]).parts] == ["message/rfc822"] * 2


@pytest.mark.parametrize("name", ["external body", "partial", "winmail.dat"])
def test_what_is_elsewhere_or_wrapped_is_listed_with_a_warning(name: str) -> None:
    (listed,) = parse(NASTY[name]).parts
    assert listed.warning


def test_a_calendar_is_a_part() -> None:
    message = parse(NASTY["calendar"])
    assert message.text == "INNOCENT"
    assert [(each.content_type, each.name) for each in message.parts] == [("text/calendar", "invite.ics")]


def test_programs_among_the_parts_carry_a_warning() -> None:
    assert all(".pdf" in each.warning for each in parse(NASTY["file name double"]).parts)
    assert all("program" in each.warning for each in parse(NASTY["file name rlo"]).parts)


# --- who it is from


@pytest.mark.parametrize("name", ["from twice", "from list of two"])
def test_several_senders_are_told_and_all_shown(name: str) -> None:
    message = parse(NASTY[name])
    assert {each.email for each in message.envelope.sender} == {"ada@example.org", "evil@example.net"}
    assert "This message names more than one sender." in message.warnings


def test_a_name_that_poses_as_an_address_is_told() -> None:
    for name in (
        "mailsploit name poses",
        "mailsploit name poses twice",
        "mailsploit padding",
        "mailsploit fullwidth at",
    ):
        message = parse(NASTY[name])
        assert message.envelope.sender[0].email == "evil@mailsploit.example"
        assert any("evil@mailsploit.example" in words for words in message.warnings)
    assert not any("looks like" in words for words in parse(mail(b'From: "a@b.org" <a@b.org>')).warnings)


@pytest.mark.parametrize("name", [name for name in NASTY if name.startswith("mailsploit ")])
def test_mailsploit_never_hides_the_real_domain(name: str) -> None:
    message = parse(NASTY[name])
    shown = dict(message.headers)["From"]
    assert all("whitehouse.gov" not in person.email.rpartition("@")[2] for person in message.envelope.sender)
    assert "Bcc" not in dict(message.headers)
    assert "mailsploit.example" in shown


@pytest.mark.parametrize("name", ["from homograph", "from whole script", "from punycode", "from zero width domain"])
def test_domains_that_pose_are_told(name: str) -> None:
    assert any("domain" in words for words in parse(NASTY[name]).warnings)


def test_ordinary_mail_carries_no_warning() -> None:
    assert parse(mail()).warnings == ()
    assert parse(NASTY["calendar"]).warnings == ()
    assert parse(NASTY["fake signature"]).warnings == ()


def test_shown_headers_keep_order_and_show_whole_addresses() -> None:
    message = parse(b'X-A: =?utf-8?Q?=C3=BC?=\r\nTo: "B, C" <b@x.org>,\r\n c@x.org\r\nX-A: 2\r\n\r\n')
    assert message.headers == (("X-A", "ü"), ("To", '"B, C" <b@x.org>, c@x.org'), ("X-A", "2"))


# --- words


def test_a_snippet_is_the_writers_first_words() -> None:
    text = b"> quoted\r\nOn Monday, Bob wrote:\r\n> more\r\n\r\nYes,  I\r\nagree.\r\n-- \r\nAda"
    assert snippet(parse(mail(body=text))) == "Yes, I agree."
    assert snippet(parse(mail(body=b"word " * 100)), 20) == "word word word word…"
    assert snippet(parse(mail(body=b"x" * 20)), 20) == "x" * 20
    assert snippet(parse(mail(body=b"x" * 21)), 20) == "x" * 19 + "…"
    assert snippet(parse(mail(body=b""))) == ""


def test_a_snippet_is_of_the_first_part_that_says_something() -> None:
    raw = multi(part(b"text/plain", b"> quoted\r\n"), part(b"text/html", b"<p>One"), part(b"text/html", b"<p>Two"))
    assert snippet(parse(raw)) == "One"


def test_a_snippet_of_html_has_no_tags_styles_or_comments() -> None:
    html = b"<head><title>t</title><style>p > a {x: 1}</style></head><!-- a > b --><p title='1'>Hello &amp; <b>you</b> 1 < 2</p><script>evil()"
    assert snippet(parse(typed(b"text/html", html))) == "Hello & you 1 < 2"


def test_the_search_index_gets_body_and_file_names() -> None:
    raw = multi(part(b"text/plain", b"needle"), part(b"application/pdf; name=haystack.pdf", b"x"))
    assert search_text.read(parse(raw)) == SearchText("needle", "haystack.pdf", (Content.ATTACHMENT,))
    assert len(search_text.read(parse(NASTY["long line"]), 1000).text) == 1000
    assert "INNOCENT" in search_text.read(parse(NASTY["html hostile"])).text


# --- against the standard library, on mail that is well made


LEAVES = st.recursive(
    st.tuples(
        st.sampled_from(["plain", "html", "pdf"]),
        st.text("aü日\n -", max_size=60),
        st.sampled_from(["base64", "quoted-printable"]),
    ),
    lambda inner: st.tuples(
        st.sampled_from(["mixed", "alternative", "related"]), st.lists(inner, min_size=1, max_size=4)
    ),
    max_leaves=8,
)


def build(tree: tuple) -> EmailMessage:
    made = EmailMessage(policy=email.policy.SMTP)
    if isinstance(tree[1], list):
        made["Content-Type"] = f"multipart/{tree[0]}"
        made.set_payload([build(each) for each in tree[1]])
    elif tree[0] == "pdf":
        made.set_content(tree[1].encode(), "application", "pdf", cte="base64", filename="ü.pdf")
    else:
        made.set_content(tree[1], subtype=tree[0], charset="utf-8", cte=tree[2])
    return made


@given(LEAVES)
def test_the_tree_is_the_one_the_standard_library_sees(tree: tuple) -> None:
    made = build(tree)
    made["Subject"] = "x"
    raw = made.as_bytes()
    theirs = [leaf for leaf in email.message_from_bytes(raw).walk() if not leaf.is_multipart()]
    message = parse(raw)
    paths = [path for path in paths_of(tree) if path]
    assert [part_bytes(raw, path) for path in paths] == [leaf.get_payload(decode=True) for leaf in theirs]
    for each in message.parts:
        assert each.content_type == theirs[paths.index(each.path)].get_content_type()
        assert each.size == len(part_bytes(raw, each.path))


def paths_of(tree: tuple, path: str = "") -> list[str]:
    if not isinstance(tree[1], list):
        return [path or "1"]
    prefix = f"{path}." if path else ""
    return [found for n, each in enumerate(tree[1], 1) for found in paths_of(each, f"{prefix}{n}")]


def test_the_size_of_a_large_file_is_exact() -> None:
    for length in (2_000_000, 2_000_001, 2_000_002):
        data = base64.encodebytes(bytes(length)).replace(b"\n", b"\r\n")
        raw = multi(part(b"application/zip; name=x.zip", data, b"Content-Transfer-Encoding: base64"))
        assert parse(raw).parts[0].size == len(part_bytes(raw, "1")) == length


def test_a_million_lines_like_boundaries_are_not_followed_for_ever() -> None:
    message = parse(multi(part(b"text/plain", b"--B\n" * 1_100_000)))
    assert any("too many lines" in words for words in message.warnings)
    assert message.text


def test_a_large_mail_needs_little_memory() -> None:
    raw = multi(
        part(b"text/plain", b"hello"),
        part(
            b"application/zip; name=x.zip", base64.encodebytes(bytes(6_000_000)), b"Content-Transfer-Encoding: base64"
        ),
    )
    tracemalloc.start()
    try:
        parse(raw)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.5 * len(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Subject: x\r\nhello there\r\nand more\r\n", "hello there\nand more"),
        (b"From ada Mon Nov 23 10:12:30 2026\r\nSubject: x\r\n\r\n", ""),
        (b"Subject: x\r\nhello there\r\n\r\nthe body", "the body"),
        (
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nhello\r\n\r\n--b--",
            "hello",
        ),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nhello\r\n--b--", "hello"),
        (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--", "hello"),
    ],
)
def test_text_without_an_empty_line_before_it_is_not_lost(raw: bytes, text: str) -> None:
    assert parse(raw).text.rstrip("\n") == text


def test_the_same_boundary_inside_and_outside_is_told_apart() -> None:
    inner = (
        b"--BOUND\r\n"
        + part(b"text/plain", b"hello")
        + b"\r\n--BOUND\r\n"
        + part(b"text/html", b"<p>hello")
        + b"\r\n--BOUND--"
    )
    message = parse(multi(part(b"multipart/alternative; boundary=BOUND", inner), part(b"image/png; name=x.png", b"x")))
    assert (message.text, message.html) == ("hello", "<p>hello")
    assert [(each.path, each.name) for each in message.parts] == [("2", "x.png")]


def test_a_header_ends_where_the_next_part_begins() -> None:
    message = parse(multi(b"Content-Type: image/png; name=a.png", part(b"image/png; name=b.png", b"x")))
    assert [(each.path, each.name, each.size) for each in message.parts] == [("1", "a.png", 0), ("2", "b.png", 1)]


def test_an_attached_message_without_a_name_is_called_by_its_whole_subject() -> None:
    raw = multi(part(b"message/rfc822", mail(b"Subject: Re: 24/7 a\\b")))
    assert [each.name for each in parse(raw).parts] == ["Re_ 24_7 a_b.eml"]


@pytest.mark.parametrize(
    "block",
    [
        "X-A: Привет\r\n".encode("cp1251") * 80_000,
        b"X-A: b\r\n" * 2_500_000,
        b"Subject: x\r\n" + b" folded\r\n" * 2_000_000,
        b"Status: RO\r\n folded\r\n" * 50_000,
        b"x" * 20_000_000,
    ],
    ids=["8-bit lines", "many fields", "folded lines", "fields of the server", "no fields"],
)
def test_an_endless_header_block_is_read_and_compared_soon(block: bytes) -> None:
    assert_soon(lambda: fingerprint(block), 3)
    assert_soon(lambda: envelope(block), 3)
    assert_soon(lambda: parse(block), 3)


def test_a_part_without_a_name_is_named_by_its_place_and_kind() -> None:
    kinds = {"text/x-odd": ".txt", "application/x-odd": "", "image/png": ".png"}
    parts = "".join(f"--b\r\nContent-Type: {kind}\r\nContent-Disposition: attachment\r\n\r\nx\r\n" for kind in kinds)
    message = parse(f"Content-Type: multipart/mixed; boundary=b\r\n\r\n{parts}--b--\r\n".encode())
    assert [each.name for each in message.parts] == [f"part-{n}{end}" for n, end in enumerate(kinds.values(), 1)]


@pytest.mark.parametrize(
    "name",
    ["From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Resent-From", "Resent-To", "Resent-Cc", "Resent-Sender"],
)
def test_each_address_field_is_shown_with_its_addresses_spelled_alike(name: str) -> None:
    message = parse(name.encode() + b': "=?utf-8?Q?J=2C?=" <j@x.org>,\r\n\t<K@x.org> (Kay)\r\n\r\n')
    assert message.headers == ((name, '"J," <j@x.org>, Kay <K@x.org>'),)
