"""The whole of a first visit, in a real terminal of three sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.tty, pytest.mark.timeout(400)]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (40, 12)], ids="{0[0]}x{0[1]}".format)
def test_a_first_visit_from_the_welcome_to_quitting(terminal, home, size):
    def inbox(unread: int, total: int, columns: int = size[0]) -> str:
        """The title of the inbox; there is no room for all of it in 40 columns."""
        return f"All inboxes single messages {unread} unread" + (f" {total} messages" if columns > 60 else "")

    with terminal("demo", size=size) as shown:
        # The inbox, and the message that teaches the first ten keys.
        shown.wait("All inboxes 65 unread 70 messages", "Welcome to", "c write")
        shown.press("T")
        shown.wait("Single messages")
        assert (shown.told("alternate_on"), shown.told("mouse_any_flag")) == ("1", "1")
        shown.press("Enter")
        shown.wait("Welcome to termmail", "From termmail <hello@example.org>", inbox(64, 70))

        # A reply, in a window that changes its size on the way, and the count-down that holds it back.
        shown.press("r")
        shown.wait("Reply", "Subject Re: Welcome to termmail", "F9 send")
        shown.type("Thank you, that")
        shown.wait("Thank you, that")
        shown.resize(100, 30)
        shown.wait("Thank you, that", "Cc, Bcc")
        shown.type(" was clear.")
        shown.wait("Thank you, that was clear.")
        shown.resize(*size)
        shown.wait("Thank you, that was clear.", gone=["Cc, Bcc"] if size[0] < 100 else [])
        shown.press("F9")
        shown.wait("Sending in", "Z stops it", gone=["F9 send"])
        shown.wait("Sent: the server has accepted it.")

        # It is in Sent, ...
        shown.press("g")
        shown.wait("Go to", "t Sent")
        shown.press("t")
        shown.wait("home · Sent single messages 1 message", "To: ")

        # ... and comes back into the inbox, for this is the demo.
        shown.press("0")
        shown.wait(inbox(64, 70))
        shown.press("F5")
        shown.wait(inbox(65, 71))
        shown.press("Home")
        top = shown.wait("Ada Lo", "Re: Welc")
        assert top.index("Re: Welc") < top.index("Greta"), "the newest message is at the top"

        # Deleting asks nothing, and can be undone.
        shown.press("d")
        shown.wait("z brings it back", inbox(64, 70), gone=["Re: Welc"])
        shown.press("z")
        shown.wait(inbox(65, 71), "Re: Welc")

        # Another size here as well, and back.
        shown.resize(100, 30)
        shown.wait("Ada Lovelace", "Re: Welcome to termmail", inbox(65, 71, 100), "q quit")
        shown.resize(*size)
        shown.wait(inbox(65, 71), "Re: Welc", gone=["q quit"] if size[0] < 60 else [])

        # All keys, with words.
        shown.press("?")
        shown.wait("Next message")
        shown.press("Escape")
        shown.wait("c write", gone=["Next message"])

        shown.press("q")
        shown.ended(0)
    assert list(Path(home["TMPDIR"]).iterdir()) == [], "the throw-away profile is gone"
