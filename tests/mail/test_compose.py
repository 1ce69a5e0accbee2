"""Replies, forwards, mailto links and the warnings before sending."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from termmail.mail import compose
from termmail.mail.compose import ComposeError, Place, concerns, forward, forward_attached, mailto, new, reply
from termmail.mail.message import Address, Attachment, Draft, Envelope, Identity, Message
from termmail.mail.parse import parse

ADA = Identity("Ada", "ada@example.org", ("countess@example.org",), "Ada\nLondon")
BOB, CAROL, DAVE = (Address(name, f"{name.lower()}@example.net") for name in ("Bob", "Carol", "Dave"))
ME, MY_ALIAS = Address("Ada", "Ada@Example.org"), Address("", "countess@example.org")
ENVELOPE = Envelope(
    sender=(BOB,), to=(ME, CAROL), cc=(DAVE, MY_ALIAS), subject="Tea", message_id="m2@x", date=1772528400
)
MESSAGE = Message(ENVELOPE, text="Shall we?\n> Yes\n\n-- \nBob")


@pytest.fixture(autouse=True)
def london(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TZ", "Europe/London")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def with_envelope(**changes: object) -> Message:
    return replace(MESSAGE, envelope=replace(ENVELOPE, **changes))


def test_a_reply_goes_to_the_sender_and_quotes_under_a_date_line() -> None:
    draft = reply(MESSAGE, ADA)
    assert (draft.to, draft.cc, draft.subject) == ("Bob <bob@example.net>", "", "Re: Tea")
    assert draft.body == "On 3 March 2026 at 09:00, Bob wrote:\n> Shall we?\n>> Yes\n\n\n\n-- \nAda\nLondon\n"
    assert compose.writing_place(draft) == Place(4, 0)


def test_a_reply_above_starts_at_the_top_with_the_quote_below() -> None:
    draft = reply(MESSAGE, ADA, above=True)
    assert draft.body == "\n\n-- \nAda\nLondon\n\nOn 3 March 2026 at 09:00, Bob wrote:\n> Shall we?\n>> Yes\n"
    assert compose.writing_place(draft) == Place(0, 0)


def test_without_a_signature_writing_starts_at_the_end() -> None:
    draft = reply(MESSAGE, replace(ADA, signature=""))
    assert draft.body == "On 3 March 2026 at 09:00, Bob wrote:\n> Shall we?\n>> Yes\n\n"
    assert compose.writing_place(draft) == Place(4, 0)
    assert compose.writing_place(new(ADA)) == Place(0, 0)


def test_reply_all_leaves_out_the_users_own_addresses() -> None:
    draft = reply(MESSAGE, ADA, everyone=True)
    assert draft.to == "Bob <bob@example.net>"
    assert draft.cc == "Carol <carol@example.net>, Dave <dave@example.net>"


def test_reply_to_is_honoured() -> None:
    asked = with_envelope(reply_to=(CAROL,))
    assert reply(asked, ADA).to == "Carol <carol@example.net>"
    everyone = reply(asked, ADA, everyone=True)
    assert (everyone.to, everyone.cc) == ("Carol <carol@example.net>", "Dave <dave@example.net>")


def test_a_reply_to_ones_own_message_goes_to_its_recipients() -> None:
    own = with_envelope(sender=(ME,), to=(BOB,), cc=(CAROL, ME))
    assert reply(own, ADA).to == "Bob <bob@example.net>"
    everyone = reply(own, ADA, everyone=True)
    assert (everyone.to, everyone.cc) == ("Bob <bob@example.net>", "Carol <carol@example.net>")
    aliased = with_envelope(sender=(MY_ALIAS,), to=(BOB,))
    assert reply(aliased, ADA).to == "Bob <bob@example.net>"


def test_a_note_to_oneself_can_be_answered() -> None:
    assert reply(with_envelope(sender=(ME,), to=(ME,), cc=()), ADA).to == "Ada <Ada@Example.org>"


def test_mail_followup_to_is_honoured_for_everyone_only() -> None:
    asked = replace(MESSAGE, headers=(("Mail-Followup-To", "list@example.net, ada@example.org"),))
    assert reply(asked, ADA, everyone=True).to == "list@example.net"
    assert reply(asked, ADA, everyone=True).cc == ""
    assert reply(asked, ADA).to == "Bob <bob@example.net>"
    broken = replace(MESSAGE, headers=(("Mail-Followup-To", "not an address"),))
    assert reply(broken, ADA, everyone=True).to == "Bob <bob@example.net>"


def test_a_reply_to_the_list_goes_to_the_list() -> None:
    assert reply(with_envelope(list_post="list@example.net"), ADA, to_list=True).to == "list@example.net"
    with pytest.raises(ComposeError, match="mailing list"):
        reply(MESSAGE, ADA, to_list=True)
    with pytest.raises(ComposeError, match="mailing list"):
        reply(with_envelope(list_post="evil\r\nBcc: x@y"), ADA, to_list=True)


def test_addresses_no_mail_can_go_to_are_left_out() -> None:
    bad = (Address("", "MAILER-DAEMON"), Address("", "a@x.org, b@x.org"), Address("", "a@x.org\r\nBcc: b"))
    assert reply(with_envelope(sender=bad), ADA).to == ""
    assert (
        reply(with_envelope(sender=(BOB,), to=(*bad, CAROL), cc=()), ADA, everyone=True).cc
        == "Carol <carol@example.net>"
    )


def test_a_name_that_poses_as_an_address_is_left_out() -> None:
    assert reply(with_envelope(sender=(Address("boss@bank.example", "x@evil.test"),)), ADA).to == "x@evil.test"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Tea", "Re: Tea"),
        ("Re: Tea", "Re: Tea"),
        ("RE: re: Re : Tea", "Re: Tea"),
        ("AW: SV: Tea", "Re: Tea"),
        ("RE[2]: Tea", "Re: Tea"),
        ("Re(3): Tea", "Re: Tea"),
        ("Re^2: Tea", "Re: Tea"),
        ("Antw: Odp: 回复：Tea", "Re: Tea"),
        ("Fwd: Tea", "Re: Fwd: Tea"),
        ("[list] Re: Tea", "Re: [list] Tea"),
        ("Re: [list] AW: Tea", "Re: [list] Tea"),
        ("Report: x", "Re: Report: x"),
        ("Re", "Re: Re"),
        ("Re:Tea", "Re: Tea"),
        ("", "Re: "),
    ],
)
def test_reply_prefixes_do_not_pile_up(subject: str, expected: str) -> None:
    found = compose.reply_subject(subject)
    assert found == expected
    assert compose.reply_subject(found) == found


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Tea", "Fwd: Tea"),
        ("FW: WG: Fwd: Tea", "Fwd: Tea"),
        ("TR: Tea", "Fwd: Tea"),
        ("Re: Tea", "Fwd: Re: Tea"),
        ("Fwd: Re: Tea", "Fwd: Re: Tea"),
    ],
)
def test_forward_prefixes_do_not_pile_up(subject: str, expected: str) -> None:
    found = compose.forward_subject(subject)
    assert found == expected
    assert compose.forward_subject(found) == found


@given(st.text(max_size=60))
def test_prefixing_twice_is_prefixing_once(subject: str) -> None:
    once = compose.reply_subject(subject)
    assert compose.reply_subject(once) == once
    forwarded = compose.forward_subject(subject)
    assert compose.forward_subject(forwarded) == forwarded


def test_references_grow_by_the_answered_message() -> None:
    draft = reply(with_envelope(references=("m0@x", "m1@x"), in_reply_to="m1@x"), ADA)
    assert draft.in_reply_to == "m2@x"
    assert draft.references == ("m0@x", "m1@x", "m2@x")
    assert reply(with_envelope(in_reply_to="m1@x"), ADA).references == ("m1@x", "m2@x")
    assert reply(with_envelope(message_id="", references=("m0@x",)), ADA).references == ("m0@x",)


def test_a_reply_to_hostile_ids_can_be_sent() -> None:
    raw = b"From: b@x.org\r\nMessage-ID: <a\x00b\x1b@x>\r\nReferences: <c d@x> <" + b"e" * 5000 + b"@x>\r\n\r\nhi\r\n"
    outgoing = compose.build(reply(parse(raw), ADA), ADA, now=datetime(2026, 3, 3, tzinfo=UTC))
    assert outgoing.recipients == ("b@x.org",)


def test_a_huge_message_is_quoted_up_to_two_thousand_lines() -> None:
    lines = reply(replace(MESSAGE, text="line\n" * 50_000), replace(ADA, signature="")).body.split("\n")
    assert len(lines) == 1 + 2000 + 1 + 2
    assert lines[2001] == "> [48000 more lines are not quoted]"


def test_one_huge_line_is_not_quoted_whole() -> None:
    assert len(reply(replace(MESSAGE, text="word " * 1_000_000), ADA).body) < 1_000


def test_a_flowed_paragraph_is_quoted_as_one_line_and_comes_back_so() -> None:
    text = "one long \nparagraph that \nflows\n> quoted \n> too"
    draft = reply(replace(MESSAGE, text=text, flowed=True), ADA)
    assert "\n> one long paragraph that flows\n>> quoted too\n" in draft.body
    raw = compose.build(draft, ADA, now=datetime(2026, 3, 3, tzinfo=UTC)).raw
    again = reply(parse(raw), ADA)
    assert "\n>> one long paragraph that flows\n>>> quoted too\n" in again.body


def test_the_signature_of_the_other_is_not_quoted() -> None:
    assert "> -- " not in reply(MESSAGE, ADA).body
    assert "> Bob" not in reply(MESSAGE, ADA).body


def test_html_mail_is_quoted_as_readable_text() -> None:
    message = replace(MESSAGE, text="", html="<p>Hello <b>Ada</b></p><blockquote>you said</blockquote>")
    assert "\n> Hello Ada\n>\n>> you said\n" in reply(message, ADA).body


def test_a_message_without_date_or_sender_can_be_answered() -> None:
    assert reply(Message(Envelope(), text="x"), ADA).body.startswith("someone wrote:\n> x\n")
    assert "an unknown day" in reply(with_envelope(date=10**15), ADA).body


def test_a_forward_holds_the_header_block_and_the_body() -> None:
    draft = forward(MESSAGE, ADA)
    assert (draft.to, draft.subject, draft.cursor) == ("", "Fwd: Tea", "to")
    assert (
        "---------- Forwarded message ----------\n"
        "From: Bob <bob@example.net>\n"
        "Date: 3 March 2026 at 09:00\n"
        "Subject: Tea\n"
        "To: Ada <Ada@Example.org>, Carol <carol@example.net>\n"
        "Cc: Dave <dave@example.net>, countess@example.org\n"
        "\n"
        "Shall we?\n> Yes\n"
    ) in draft.body
    assert draft.body.endswith("\n\n-- \nAda\nLondon\n")


def test_a_huge_forward_says_that_it_is_cut() -> None:
    body = forward(replace(MESSAGE, text="line\n" * 50_000), ADA).body
    assert "[40000 more lines are not in this copy. Forward it as an attachment to pass on all of it.]" in body
    assert body.count("\n") < 10_100


def test_a_forward_as_attachment_has_only_the_signature() -> None:
    assert forward_attached(MESSAGE, ADA) == Draft(subject="Fwd: Tea", body="\n\n-- \nAda\nLondon\n")


def test_a_new_mail_starts_in_to_with_the_signature() -> None:
    assert new(ADA) == Draft(body="\n\n-- \nAda\nLondon\n", cursor="to")
    assert new(replace(ADA, signature=" ")).body == ""


def test_mailto_reads_its_five_fields() -> None:
    url = "mailto:bob@example.net,carol@example.net?cc=dave@example.net&subject=Tea%20%26%20cake&body=a%0D%0Ab&In-Reply-To=%3Cm@x%3E"
    draft = mailto(url, replace(ADA, signature=""))
    assert draft == Draft(
        to="bob@example.net, carol@example.net",
        cc="dave@example.net",
        subject="Tea & cake",
        body="a\nb",
        in_reply_to="m@x",
        cursor="body",
    )


@pytest.mark.parametrize(
    "field", ["attach", "Attachment", "attachment", "bcc", "BCC", "%62cc", "from", "Reply-To", "x", "references"]
)
def test_mailto_takes_nothing_else(field: str) -> None:
    draft = mailto(f"mailto:a@x.org?{field}=/etc/passwd&{field}=evil@evil.test", ADA)
    assert draft == mailto("mailto:a@x.org", ADA)
    assert draft.attachments == ()
    assert draft.bcc == ""


@pytest.mark.parametrize(
    "url",
    [
        "mailto:a@x.org%0D%0ABcc:%20b@x.org",
        "mailto:a@x.org?cc=b@x.org%0ABcc:%20c@x.org",
        "mailto:a%00b@x.org",
        "mailto:nobody",
        "https://x.org",
        "attach:/etc/passwd",
        "",
    ],
)
def test_a_bad_mailto_is_refused(url: str) -> None:
    with pytest.raises(ComposeError):
        mailto(url, ADA)


def test_line_breaks_in_a_mailto_subject_become_spaces() -> None:
    draft = mailto("mailto:a@x.org?subject=x%0D%0ABcc:%20b@x.org%00%1b[2J&in-reply-to=a%0D%0ABcc:b", ADA)
    assert "\n" not in draft.subject
    assert "\x1b" not in draft.subject
    outgoing = compose.build(draft, ADA, now=datetime(2026, 3, 3, tzinfo=UTC))
    assert outgoing.recipients == ("a@x.org",)
    assert b"\r\nBcc" not in outgoing.raw


def test_a_plus_in_mailto_is_a_plus() -> None:
    assert mailto("mailto:a+b@x.org?subject=1+1", ADA).to == "a+b@x.org"
    assert mailto("mailto:a+b@x.org?subject=1+1", ADA).subject == "1+1"


@given(st.text(max_size=100))
@settings(deadline=None)
def test_any_mailto_is_read_or_refused(rest: str) -> None:
    try:
        draft = mailto(f"mailto:{rest}", ADA)
    except ComposeError:
        return
    assert draft.bcc == ""
    assert draft.attachments == ()


FINE = Draft(to="a@x.org", subject="s", body="Hello")


@pytest.mark.parametrize(
    "words",
    [
        "I attached the file",
        "see the attachment",
        "attached is",
        "The report is ENCLOSED.",
        "im Anhang",
        "anbei die Datei",
        "siehe Anlage",
        "ci-joint le rapport",
        "en pièce jointe",
        "adjunto el informe",
        "in de bijlage",
        "bijgevoegd",
        "in allegato",
        "em anexo",
        "bifogad fil",
        "w załączniku",
    ],
)
def test_an_attachment_spoken_of_and_missing_is_noticed(words: str) -> None:
    missing = ("You mention an attachment, but nothing is attached.",)
    assert concerns(replace(FINE, body=f"Hi,\n{words}\n")) == missing
    assert concerns(replace(FINE, subject=words)) == missing
    assert concerns(replace(FINE, body=words, attachments=(Attachment(1, "a", "text/plain", 1),))) == ()


@pytest.mark.parametrize(
    "body",
    [
        "> I attached it",
        "Hi\n-- \nsee attachment policy",
        "Hi\n---------- Forwarded message ----------\nattached",
        "attache",
        "unattached",
    ],
)
def test_what_others_said_of_attachments_does_not_count(body: str) -> None:
    assert concerns(replace(FINE, body=body)) == ()


def test_of_a_very_long_text_only_the_start_is_looked_at() -> None:
    long = "word " * 100_000
    assert concerns(replace(FINE, body=f"attached\n{long}")) != ()
    assert concerns(replace(FINE, body=f"{long}\nattached")) == ()


def test_an_empty_subject_and_many_people_are_noticed() -> None:
    assert concerns(replace(FINE, subject="  ")) == ("The subject is empty.",)
    many = ", ".join(f"p{number}@x.org" for number in range(9))
    assert concerns(replace(FINE, to=many)) == ()
    assert concerns(replace(FINE, to=many, cc="q@x.org", bcc="P1@x.org")) == ("This goes to 10 people.",)
    assert concerns(replace(FINE, to="not an address")) == ()


def test_long_paragraphs_are_quoted_as_lines_that_all_carry_the_mark():
    long = "word " * 40
    wrapped = "x" * 78
    quoted = [
        line
        for line in reply(replace(MESSAGE, text=f"{long}\n{wrapped}\n"), ADA).body.split("\n")
        if "wrote:" not in line
    ]
    assert f"> {wrapped}" in quoted
    words = [line for line in quoted if "word" in line]
    assert len(words) > 2
    assert all(line.startswith("> ") and len(line) <= 80 for line in words)


def test_a_message_that_is_only_an_invitation_is_quoted_with_its_words() -> None:
    event = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:Tea\r\nDTSTART:20261224T150000Z\r\n"
    raw = b"From: ada@example.org\r\nContent-Type: text/calendar\r\n\r\n" + event + b"END:VEVENT\r\nEND:VCALENDAR\r\n"
    assert "24 December 2026" in reply(parse(raw), ADA).body
