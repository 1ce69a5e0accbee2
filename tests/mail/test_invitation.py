"""Calendar events in words: zones, recurrences, what is missing or hostile."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from termmail.mail import icalendar, invitation, recurrence
from termmail.mail.time_zone import local_zone
from tests.timing import assert_soon

VIENNA = [
    "BEGIN:VTIMEZONE",
    "TZID:Vienna time",
    "BEGIN:STANDARD",
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]


def source(*lines: str, method: str = "REQUEST", before: tuple[str, ...] = ()) -> str:
    event = ["BEGIN:VCALENDAR", f"METHOD:{method}", *before, "BEGIN:VEVENT", "SUMMARY:Tea", *lines]
    return "\r\n".join([*event, "END:VEVENT", "END:VCALENDAR"])


def facts(*lines: str, method: str = "REQUEST", before: tuple[str, ...] = ()) -> dict[str, str]:
    event = invitation.read(source(*lines, method=method, before=before))
    assert event is not None
    return dict(line.split(": ", 1) for line in event.facts.split("\n") if line)


def of(*lines: str, method: str = "REQUEST", before: tuple[str, ...] = ()) -> invitation.Invitation | None:
    event = invitation.read(source(*lines, method=method, before=before))
    assert event is not None
    return event.invitation


@pytest.fixture
def new_york(monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "EST5EDT,M3.2.0,M11.1.0")
        time.tzset()
        yield
    time.tzset()


# -- when


def test_an_event_is_told_in_local_time_and_in_its_own(new_york):
    found = facts("DTSTART;TZID=Europe/Berlin:20260303T140000", "DTEND;TZID=Europe/Berlin:20260303T150000")
    assert found["When"] == "Tuesday 3 March 2026, 08:00 to 09:00 (EST)"
    assert found["There"] == "Tuesday 3 March 2026, 14:00 to 15:00 (Europe/Berlin)"


def test_an_event_that_is_on_another_day_there_says_so(new_york):
    found = facts("DTSTART;TZID=Asia/Tokyo:20260304T080000")
    assert found["When"] == "Tuesday 3 March 2026, 18:00 (EST)"
    assert found["There"] == "Wednesday 4 March 2026, 08:00 (Asia/Tokyo)"


def test_a_flight_ends_in_the_zone_of_its_end(new_york):
    found = facts("DTSTART;TZID=America/New_York:20260303T180000", "DTEND;TZID=Europe/Berlin:20260304T080000")
    assert found["When"].startswith("Tuesday 3 March 2026, 18:00 to Wednesday 4 March 2026, 02:00")


def test_the_rules_of_an_unknown_zone_are_used(new_york):
    lines = ("DTSTART;TZID=Vienna time:20260703T140000",)
    assert facts(*lines, before=tuple(VIENNA))["When"] == "Friday 3 July 2026, 08:00 (EDT)"
    assert facts(*lines)["When"] == "Friday 3 July 2026, 14:00 (Vienna time)"


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime.fromisoformat("2026-03-29T01:59"), 1),
        (datetime.fromisoformat("2026-03-29T03:00"), 2),
        (datetime.fromisoformat("2026-10-25T01:00"), 2),
        (datetime.fromisoformat("2026-10-25T03:00"), 1),
        (datetime.fromisoformat("2027-01-01"), 1),
        (datetime.fromisoformat("1600-01-01"), 1),
    ],
)
def test_the_offset_by_rules_is_that_of_the_zone(moment, hours):
    zone = local_zone(moment, "Vienna time", {"Vienna time": VIENNA})
    offset = moment.replace(tzinfo=zone).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../../etc/passwd", "x" * 70_000, "Europe/\x00", "localtime/../x", "a/b/c/d", "."]
)
def test_a_name_that_is_no_zone_opens_no_file(name):
    assert local_zone(datetime.fromisoformat("2026-01-01"), name, {}) is None


def test_a_zone_name_with_the_prefix_of_its_program_is_known():
    zone = local_zone(datetime.fromisoformat("2026-01-01"), "/mozilla.org/20050126_1/Europe/Berlin", {})
    assert str(zone) == "Europe/Berlin"


def test_a_time_zone_of_a_megabyte_is_read_soon():
    rules = "\n".join(["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETTO:+0100", "END:STANDARD"] * 10_000)
    zone = ("BEGIN:VTIMEZONE", "TZID:Big", *rules.split("\n"), "END:VTIMEZONE")
    assert_soon(lambda: of("UID:1", "DTSTART;TZID=Big:20260303T140000", before=zone), 3)
    found = of("UID:1", "ORGANIZER:mailto:o@x.org", "DTSTART;TZID=Big:20260303T140000", before=zone)
    assert found is not None
    assert found.zones == ()


def test_an_event_behind_more_than_a_megabyte_is_said_to_be_too_long():
    event = invitation.read(source("UID:1", before=("X-PAD:" + "x" * 1_100_000,)))
    assert event is not None
    assert (event.title, event.invitation) == ("A calendar is attached that is too long to be read here", None)


# -- how often


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=10", "every 3 days, 10 times"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week on weekdays"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;WKST=MO", "every 2 weeks on Monday and Friday"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=-1", "every month on the last Tuesday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", "every month on day 1 and 15"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "every month on the last day"),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=5", "every year on 5 March"),
        ("FREQ=YEARLY;UNTIL=20300101T000000Z", "every year, until 1 January 2030"),
        ("FREQ=SECONDLY;COUNT=99999999999", "every second, 999999 times"),
        ("FREQ=DAILY;BYHOUR=9,10", "every day, by further rules"),
        ("FREQ=DAILY;INTERVAL=0", "every day"),
        ("FREQ=DAILY;INTERVAL=²", "every day"),
        ("FREQ=DAILY;UNTIL=20309901", "every day, until 2030-99-01"),
        ("nothing", "NOTHING"),
        ("", ""),
    ],
)
def test_a_recurrence_is_told_in_words(rule, words):
    assert recurrence.words(rule) == words


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY;BYSECOND=" + ",".join(map(str, range(60))) * 5_000,
        "FREQ=YEARLY;BYDAY=" + "MO," * 200_000,
        ";" * 900_000,
        "FREQ=" * 200_000,
        "FREQ=DAILY;COUNT=" + "9" * 500_000,
    ],
)
def test_a_recurrence_bomb_is_a_short_sentence(rule):
    assert_soon(lambda: recurrence.words(rule), 0.5)
    assert len(recurrence.words(rule)) < 400
    assert len(facts(f"RRULE:{rule}", "DTSTART:20260303T140000Z")["Repeats"]) < 400


def test_dates_left_out_of_a_series_and_one_of_a_series_are_told():
    found = facts("RRULE:FREQ=DAILY", "EXDATE:20260303T140000Z,20260304T140000Z", "RECURRENCE-ID:20260305T140000Z")
    assert found["Repeats"] == "every day, except 2 dates"
    assert found["Series"] == "this is about Thursday 5 March 2026 alone, one of several"


# -- what an answer repeats


def test_an_invitation_says_what_an_answer_repeats():
    found = of(
        "UID:a@b",
        "SEQUENCE:3",
        "ORGANIZER;CN=Olga:MAILTO:olga@example.net",
        "ATTENDEE:mailto:Ada@Example.org",
        "DTSTART;TZID=Vienna time:20260703T140000",
        before=tuple(VIENNA),
    )
    assert found is not None
    assert (found.uid, found.sequence, found.organizer.email) == ("a@b", 3, "olga@example.net")
    assert found.attendees == ("Ada@Example.org",)
    assert found.times == ("DTSTART;TZID=Vienna time:20260703T140000",)
    assert list(found.zones) == VIENNA


@pytest.mark.parametrize(
    ("lines", "method"),
    [((), "CANCEL"), ((), "REPLY"), ((), "PUBLISH"), ((), "COUNTER"), (("STATUS:CANCELLED",), "REQUEST")],
)
def test_what_asks_for_no_answer_is_no_invitation(lines, method):
    assert of("UID:1", "ORGANIZER:mailto:o@x.org", *lines, method=method) is None


@pytest.mark.parametrize(
    "line",
    [
        "DTSTART:20260703T140000\x0bATTENDEE:mailto:x@y",
        "DTSTART;X-EVIL=1:20260703T140000",
        'DTSTART;TZID="a;b":20260703T140000',
        "DTSTART:now",
        "DTSTART;TZID=\x1b]52;c;x\x07:20260703T140000",
    ],
)
def test_a_time_that_is_not_as_the_standard_has_it_is_not_repeated(line):
    found = of("UID:1", line)
    assert found is not None
    assert all("X-EVIL" not in one and "\x1b" not in one and "ATTENDEE" not in one for one in found.times)


def test_the_address_of_a_meeting_is_whole_or_not_there():
    url = "https://meet.example/" + "x" * 900
    assert facts(f"URL:{url}")["Link"] == url
    assert "Link" not in facts(f"URL:{url * 3}")


def test_an_id_with_control_characters_is_none():
    found = of("UID:a\x1b[2Jb")
    assert found is not None
    assert found.uid == ""


def test_only_the_first_event_is_read():
    events = [*("BEGIN:VEVENT", "UID:1", "END:VEVENT")] * 3
    calendar = icalendar.read("\n".join(["BEGIN:VCALENDAR", *events, "END:VCALENDAR"]))
    assert calendar.count == 3
    assert len(calendar.found["UID"]) == 1


def test_the_time_here_is_right_whatever_the_zone_of_the_machine(new_york):
    found = facts("DTSTART:20260303T140000Z")
    assert found["When"] == f"Tuesday 3 March 2026, {datetime(2026, 3, 3, 14, tzinfo=UTC).astimezone():%H:%M} (EST)"
    assert "There" not in found


NEW_YORK = [
    "BEGIN:VTIMEZONE",
    "TZID:East",
    "this line is no property",
    "BEGIN:STANDARD",
    "DTSTART:20071104T020000",
    "TZOFFSETFROM:-0400",
    "TZOFFSETTO:-0500",
    "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:20070311T020000",
    "TZOFFSETFROM:-0500",
    "TZOFFSETTO:-0400",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]
ONCE = [
    "BEGIN:VTIMEZONE",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:20260326T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-2TH;UNTIL=20280401T000000Z",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
]


@pytest.mark.parametrize(
    ("zone", "moment", "minutes"),
    [
        (NEW_YORK, "2026-03-08T01:00", -300),
        (NEW_YORK, "2026-03-08T03:00", -240),
        (NEW_YORK, "2026-11-01T01:00", -240),
        (NEW_YORK, "2026-11-01T02:00", -300),
        (NEW_YORK, "2007-03-11T02:00", -240),
        (NEW_YORK, "2007-11-04T02:00", -300),
        (NEW_YORK, "2000-01-01T00:00", -300),
        (ONCE, "1970-01-01T00:00", 60),
        (ONCE, "1969-01-01T00:00", 0),
        (ONCE, "2026-03-18T00:00", 60),
        (ONCE, "2027-03-18T01:00", 120),
        (ONCE, "2040-01-01T00:00", 120),
    ],
)
def test_rules_of_other_zones_begin_on_their_day(zone, moment, minutes):
    when = datetime.fromisoformat(moment)
    offset = when.replace(tzinfo=local_zone(when, "East zone", {"East zone": zone})).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == minutes * 60


@pytest.mark.parametrize(
    "line",
    [
        "TZOFFSETTO:+9900",
        "TZOFFSETTO:0100",
        "TZOFFSETTO:",
        "RRULE:FREQ=YEARLY;BYMONTH=13;BYDAY=1SU",
        "RRULE:FREQ=YEARLY;BYMONTH=0;BYDAY=9SU",
        "DTSTART:00010101T000000",
    ],
)
def test_senseless_rules_of_a_zone_are_no_error(line):
    zone = ["BEGIN:STANDARD", "DTSTART:19700101T000000", "TZOFFSETTO:+0100", line, "END:STANDARD"]
    found = facts("DTSTART;TZID=x:00010101T000000", before=("BEGIN:VTIMEZONE", "TZID:x", *zone, "END:VTIMEZONE"))
    assert "1 January 1" in found["When"]


def test_a_long_place_is_cut_and_a_tentative_event_says_so():
    found = facts(
        f"LOCATION:{'x' * 400}", "STATUS:tentative", "no property", "DTSTART:20260303T140000Z", "DUE:20260303T150000Z"
    )
    assert found["Where"] == "x" * 299 + "…"
    assert found["Status"] == "tentative"
    assert found["When"] == "Tuesday 3 March 2026, 14:00 to 15:00 (UTC)"
    assert facts("LOCATION:" + "x" * 300)["Where"] == "x" * 300
    assert "Status" not in facts("STATUS:CONFIRMED", "LOCATION:here")


def test_of_many_people_some_are_named():
    found = facts(*(f"ATTENDEE:mailto:a{number}@x.org" for number in range(53)))
    assert found["With"].endswith("a49@x.org, and 3 more")


def test_ten_thousand_people_are_a_few_names_and_a_number_soon():
    crowd = [f"ATTENDEE;CN=Person {number};PARTSTAT=NEEDS-ACTION:mailto:a{number}@x.org" for number in range(10_000)]
    assert_soon(lambda: facts(*crowd), 3)
    assert facts(*crowd)["With"].endswith("and 9950 more")
    found = of("UID:1", "ORGANIZER:mailto:o@x.org", "DTSTART:20260303T140000Z", *crowd)
    assert found is not None
    assert len(found.attendees) == invitation.ATTENDEES_LIMIT


def test_a_zone_with_a_control_character_is_not_repeated():
    zone = tuple(line.replace("END:DAYLIGHT", "X-A:\x1b[2J") for line in VIENNA)
    found = of("UID:1", "DTSTART;TZID=Vienna time:20260703T140000", before=zone)
    assert found is not None
    assert found.zones == ()


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=YEARLY;BYMONTH=13,12,1;BYDAY=MO", "every year on Monday in December and January"),
        ("FREQ=MONTHLY;BYDAY=" + ",".join(f"{n}MO" for n in range(1, 20)), None),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1,400", "every month on day 1 and the last"),
        ("FREQ=DAILY;COUNT=1", "every day, once"),
    ],
)
def test_odd_lists_of_days_are_told_as_far_as_they_make_sense(rule, words):
    told = recurrence.words(rule)
    assert told == words if words else len(told) < 200
