"""How many commands may be on their way: worked out without a line, from a clock that the test holds."""

from __future__ import annotations

from termmail.net.window import Window


def line(window: Window, rate: float, round_trip: float, total: int) -> tuple[int, int]:
    """Plays a line that answers `rate` a second after `round_trip`: turns used, and the most that was outstanding."""
    now = outstanding = turns = most = 0.0
    left = total
    while left or outstanding:
        if not outstanding:
            window.idle()
            now += round_trip
        room = min(left, window.room(int(outstanding), round_trip))
        if room:
            turns += 1
            outstanding += room
            left -= room
            most = max(most, outstanding)
        now += 1 / rate
        outstanding -= 1
        window.answered(1, now)
    return int(turns), int(most)


def made() -> Window:
    return Window(first=50, floor=16, ceiling=4000)


def test_the_first_page_goes_alone():
    window = made()
    assert window.room(0, 0.05) == 50
    assert window.room(50, 0.05) == 0
    assert window.room(1, 0.05) == 0


def test_a_thousand_headers_need_three_turns_at_most_on_a_fast_line():
    assert line(made(), 20_000, 0.05, 1000)[0] <= 3


def test_ten_thousand_headers_need_a_turn_per_two_thousand_at_most_on_a_fast_line():
    assert line(made(), 40_000, 0.05, 10_000)[0] <= 6


def test_on_a_slow_line_no_more_is_asked_for_than_comes_in_a_moment():
    """An opened message must not wait behind more than a round trip and a fifth of a second."""
    assert line(made(), 100, 0.05, 1000)[1] <= 50
    window = made()
    line(window, 100, 0.05, 200)
    assert window.room(0, 0.05) <= 30


def test_the_window_follows_a_line_that_slows_down():
    window = made()
    line(window, 20_000, 0.05, 4000)
    fast = window.room(0, 0.05)
    line(window, 200, 0.05, 400)
    assert window.room(0, 0.05) < fast / 20


def test_a_short_burst_proves_little_and_nothing_passes_the_ceiling():
    window = made()
    for _ in range(50):
        window.answered(1, 1.0)
    assert window.room(0, 0.05) <= 2000
    for _ in range(5000):
        window.answered(1, 1.0)
    assert window.room(0, 0.05) == 4000


def test_nothing_more_is_asked_for_while_half_is_still_to_come():
    window = made()
    line(window, 10_000, 0.0, 3000)
    size = window.room(0, 0.0)
    assert window.room(size // 2 + 2, 0.0) == 0
    assert window.room(size // 2 - 2, 0.0) > 0


def test_messages_larger_than_the_window_are_measured_while_they_come():
    """Else each of them would wait for a round trip of its own."""
    window = Window(first=256 << 10, floor=64 << 10, ceiling=16 << 20)
    window.idle()
    window.arriving(1.0)
    window.answered(2 << 20, 1.1)
    assert window.room(0, 0.05) > 4 << 20
