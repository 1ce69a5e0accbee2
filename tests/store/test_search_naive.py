"""Search against a naive reader of the same messages: the same ids, whatever the mailbox and the query."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from termmail.mail.equal_letters import fold
from termmail.mail.model import Order, Placement, StepKind
from termmail.mail.parse import parse as parse_message
from termmail.mail.query import (
    EVERYTHING,
    And,
    Content,
    Dated,
    Field,
    Has,
    InAccount,
    InFolder,
    Is,
    Labelled,
    Mark,
    Match,
    MessageId,
    Mine,
    Not,
    Or,
    Query,
    Sized,
    Term,
    folders,
)
from termmail.mail.query_forms import alternatives
from termmail.mail.query_parser import parse
from termmail.mail.snippet import html_words
from termmail.store import labels, messages, muting, search, snoozing
from tests.store.parts import NOW, add_local, mark, seen

WORDS = [
    "loom",
    "Loom",
    "Café",
    "cafe",
    "日本語メール",
    "日本",
    "straße",
    "STRASSE",
    "engine",
    "engines",
    "a-b",
    "ja",
    "ё",
]
PEOPLE = ["Ada Lovelace <ada@example.org>", "Zoë <zoe@loom.example>", "日本 太郎 <taro@example.jp>"]
FOLDERS = ["Inbox", "Archive", "Spam", "Trash", "Projects/Loom"]
MARKS = {Mark.STARRED: StepKind.STAR, Mark.READ: StepKind.READ}
ATTACHED = (Mark.LABELLED, Mark.SNOOZED, Mark.MUTED)
ME = ("Ada@Example.org", "taro@example.jp")


class Made(NamedTuple):
    """One message as it was made."""

    number: int
    subject: str
    sender: str
    to: str
    cc: str
    text: str
    html: str
    file: str
    list_id: str
    when: int
    folder: str
    marks: tuple[Mark, ...]


class Known(NamedTuple):
    """One message as the naive reader sees it."""

    made: Made
    size: int
    texts: dict[Field, str]


words = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
mailboxes = st.lists(
    st.builds(
        Made,
        number=st.just(0),
        subject=words,
        sender=st.sampled_from(PEOPLE),
        to=st.sampled_from(PEOPLE),
        cc=st.sampled_from(["", *PEOPLE]),
        text=words,
        html=st.just("") | words.map(lambda found: f"<p>{found}</p>"),
        file=st.sampled_from(["", "loom.pdf", "日本.txt"]),
        list_id=st.sampled_from(["", "Looms <loom.lists.example>"]),
        when=st.sampled_from([NOW, NOW - 1, NOW - 86_400 * 3, NOW - 86_400 * 400]),
        folder=st.sampled_from(FOLDERS),
        marks=st.lists(st.sampled_from([*MARKS, *ATTACHED]), unique=True).map(tuple),
    ),
    min_size=1,
    max_size=6,
)
atoms = st.one_of(
    st.builds(
        lambda operator, word, star: f"{operator}{word}{star}",
        st.sampled_from(["", "", "from:", "to:", "cc:", "subject:", "body:", "list:", "filename:"]),
        st.sampled_from([*WORDS, "本", "語", "loo", "lists", "pdf", "example", "太"]),
        st.sampled_from(["", "*"]),
    ),
    st.sampled_from(
        [
            '"loom cafe"',
            '"日本 太郎"',
            "from:(ada OR loom)",
            "is:starred",
            "is:read",
            "is:unread",
            *("is:labelled", "is:snoozed", "is:muted", "in:snoozed", "label:tax", "label:none"),
            *("to:me", "from:me", "cc:me", "from:(me OR zoë)", 'to:"me"'),
            "in:inbox",
            "in:trash",
            *("in:projects", "in:anywhere", "in:nowhere", "account:work", "account:home", "has:attachment", "has:link"),
            "after:2d",
            "before:yesterday",
            "on:2026-03-03",
            "larger:400",
            "smaller:500",
            "id:m1@example.org",
            "larger:1m",
        ]
    ),
)
queries = st.recursive(
    st.builds(lambda minus, atom: f"{minus}{atom}", st.sampled_from(["", "", "-"]), atoms),
    lambda inner: st.builds(
        lambda minus, parts, joint: f"{minus}({joint.join(parts)})",
        st.sampled_from(["", "-"]),
        st.lists(inner, min_size=1, max_size=3),
        st.sampled_from([" ", " OR "]),
    ),
    max_leaves=6,
)


def raw_of(made: Made) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = made.sender, made.to
    if made.cc:
        message["Cc"] = made.cc
    message["Subject"] = made.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(made.when, UTC))
    message["Message-ID"] = f"<m{made.number}@example.org>"
    if made.list_id:
        message["List-Id"] = made.list_id
    message.set_content(f"{made.text}\n")
    if made.html:
        message.add_alternative(made.html, subtype="html")
    if made.file:
        message.add_attachment(b"x", maintype="application", subtype="octet-stream", filename=made.file)
    return message.as_bytes()


def known_of(made: Made, raw: bytes) -> Known:
    envelope = parse_message(raw).envelope

    def people(found) -> str:
        return " ".join(f"{one.name} {one.email}" for one in found)

    texts = {
        Field.SUBJECT: envelope.subject,
        Field.FROM: people(envelope.sender),
        Field.TO: people(envelope.to),
        Field.CC: people(envelope.cc),
        Field.BODY: f"{made.text}\n{html_words(made.html)}",
        Field.LIST: made.list_id,
        Field.FILENAME: made.file,
    }
    return Known(made, len(raw), texts)


def tokens(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", fold(text).lower())


def holds(text: str, term: Term) -> bool:
    found, wanted = tokens(text), tokens(term.text)
    *first, last = wanted
    for at in range(len(found) - len(wanted) + 1):
        end = found[at + len(first)]
        if found[at : at + len(first)] == first and (
            end.startswith(last) if term.match is Match.PREFIX else end == last
        ):
            return True
    return False


def in_parts(store, query: Query, limit: int) -> list[int]:
    """The messages that are found in parts of this size."""
    hits, start = [], search.Start()
    while start is not None:
        found = search.part(store, query, start, limit=limit)
        assert len(found.hits) <= limit
        hits += found.hits
        start = found.following
    return search.ordered(hits)


def matches(query: Query, one: Known) -> bool:
    match query:
        case Mine(field=field, addresses=addresses):
            return any(matches(Term(address, field), one) for address in addresses)
        case Term(field=Field.ANY):
            return any(holds(text, query) for text in one.texts.values())
        case Term(field=Field.TO):
            return holds(one.texts[Field.TO], query) or holds(one.texts[Field.CC], query)
        case Term(field=field):
            return holds(one.texts[field], query)
        case And(queries=inner):
            return all(matches(each, one) for each in inner)
        case Or(queries=inner):
            return any(matches(each, one) for each in inner)
        case Not(query=inner):
            return not matches(inner, one)
        case Is(mark=mark):
            return (
                mark in one.made.marks
                if mark in {*MARKS, *ATTACHED}
                else mark is Mark.UNREAD and Mark.READ not in one.made.marks
            )
        case InFolder(name=name):
            wanted, folder = name.casefold(), one.made.folder.casefold()
            return wanted == "anywhere" or folder == wanted or folder.startswith(f"{wanted}/")
        case Labelled(name=name):
            return name == "tax" and Mark.LABELLED in one.made.marks
        case InAccount(name=name):
            return name == "work"
        case Has(content=content):
            return content is Content.ATTACHMENT and bool(one.made.file)
        case Dated(since=since, until=until):
            return (since is None or one.made.when >= since) and (until is None or one.made.when < until)
        case Sized(larger=larger, smaller=smaller):
            return (larger is None or one.size > larger) and (smaller is None or one.size < smaller)
        case MessageId(value=value):
            return value == f"m{one.made.number}@example.org"


def attach(store, message_id: int, what: Mark) -> None:
    """Give a message a mark."""
    if what is Mark.LABELLED:
        labels.change(store, [message_id], ["tax"], (), NOW)
    elif what is Mark.SNOOZED:
        snoozing.snooze(store, seen(store, [message_id]), NOW + 9, "later", NOW)
    elif what is Mark.MUTED:
        muting.mute(store, [Placement(message_id, 0)], NOW, {})  # seen in no inbox: it stays where it is
    else:
        mark(store, [message_id], MARKS[what])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(mailboxes, st.lists(queries, min_size=1, max_size=8))
def test_search_finds_what_a_naive_reader_finds(store, mailbox, texts):
    messages_before = list(messages.all_ids(store))
    with store.transaction() as db:
        messages.delete(db, messages_before)
        db.execute("DELETE FROM muted_thread")  # the same Message-IDs make the same conversations
    known = {}
    for number, one in enumerate(mailbox):
        made = one._replace(number=number)
        raw = raw_of(made)
        message_id = add_local(store, made.folder, raw, unread=True, received=NOW)
        for each in made.marks:
            attach(store, message_id, each)
        known[message_id] = known_of(made, raw)
    newest = sorted(known, key=lambda one: (known[one].made.when, one), reverse=True)
    away = {"Spam", "Trash"}
    for text in texts:
        query = parse(text, NOW, ME).query
        expected = [one for one in newest if matches(query, known[one])]
        assert list(search.search(store, query)) == expected, text
        assert search.matching(store, query, newest) == set(expected), text
        assert set(search.search(store, query, order=Order.BEST)) == set(expected), text
        if query != EVERYTHING:
            assert in_parts(store, query, 1) == in_parts(store, query, 3) == expected, text
        ways = alternatives(query)
        assert [one for one in newest if any(matches(And(tuple(way)), known[one]) for way in ways)] == expected, text
        if not any(name.casefold() in {"trash", "spam", "anywhere"} for name in folders(query)):
            kept = [one for one in expected if known[one].made.folder not in away]
            assert list(search.search(store, query, discarded=False)) == kept, text
