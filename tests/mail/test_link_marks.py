"""Numbers of links: marks keep theirs, written out addresses count on, and nothing else in a text gets one."""

from __future__ import annotations

from termmail.mail.link_marks import Place, numbered, places
from termmail.mail.message import Link


def test_addresses_without_a_number_count_on_behind_the_marks():
    found = numbered([Link("a", "https://a"), Link("b", "https://b", 4), Link("c", "https://c")])
    assert [link.number for link in found.links] == [5, 4, 6]
    assert found.marked == {4}


def test_only_marks_of_links_are_found():
    found = numbered([Link("b", "https://b.example", 4)])
    assert list(places("see b [4], [5] and [1]", found)) == [Place(6, 9, 4)]
    assert list(places("see [1]", numbered([Link("https://b.example", "https://b.example")]))) == []


def test_an_address_gets_its_number_over_its_start_also_where_it_goes_on_in_the_next_line():
    found = numbered([Link("https://b.example/longer", "https://b.example/longer"), Link("www.c.example", "https://c")])
    assert list(places("at https://b.example/lo", found)) == [Place(3, 6, 1)]
    assert list(places("at https://b.example/lo and so", found)) == []
    assert list(places("(www.c.example)", found)) == [Place(1, 4, 2)]


def test_an_address_beside_its_own_mark_is_not_numbered_twice():
    found = numbered([Link("https://b.example", "https://b.example", 7)])
    assert list(places("https://b.example [7]", found)) == [Place(18, 21, 7)]
