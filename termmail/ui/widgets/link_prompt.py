"""The line for the number of a link: it shows where that link goes while the number is typed, and opens nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from termmail.mail import sanitize
from termmail.ui.link_opening import host, mismatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.mail.message import Link

LABEL = " Link number: "


class LinkNumber(Widget, can_focus=True):
    """The typed number and its link. Every key that it gets ends here: none acts on the message meanwhile."""

    def __init__(self) -> None:
        super().__init__(id="link-number")
        self.links: Sequence[Link] = ()
        self.typed = ""
        self.said = ""
        """What is shown instead of the link: why it could not be opened."""

    @property
    def link(self) -> Link | None:
        """Return the link with the typed number."""
        return next((link for link in self.links if str(link.number) == self.typed), None)

    def on_key(self, event: events.Key) -> None:
        """Take a digit, remove one, or choose what to do with the link."""
        if self.has_focus:
            event.stop()
            event.prevent_default()
            self._take(event)

    def _take(self, event: events.Key) -> None:
        link = self.link
        if event.key == "escape" or (event.key == "backspace" and not self.typed):
            self.post_message(LinkPrompt.Closed())
        elif event.key == "backspace":
            self._type(self.typed[:-1])
        elif event.character and event.character in "0123456789":
            self._type_digit(event.character)
        elif link is not None and event.key == "enter":
            self.post_message(LinkPrompt.Chosen(link))
        elif link is not None and event.key == "y":
            self.post_message(LinkPrompt.Copied(link))

    def _type_digit(self, digit: str) -> None:
        """Add a digit; one that fits no number begins again."""
        for typed in (self.typed + digit, digit):
            if any(str(link.number).startswith(typed) for link in self.links):
                self._type(typed)
                return

    def begin(self, links: Sequence[Link], typed: str) -> None:
        """Ask for the number of one of these links."""
        self.links = links
        self._type(typed)

    def _type(self, typed: str) -> None:
        self.typed, self.said = typed, ""
        self.refresh()
        self.post_message(LinkPrompt.Typed(self.link))

    def say(self, words: str) -> None:
        """Show these words instead of the link, until the next digit."""
        self.said = words
        self.refresh()

    def render(self) -> Content:
        """Draw the number, and behind it where the link goes: a warning first where its text names another host."""
        lead = Content.assemble((LABEL, "$text-accent bold"), (self.typed, "bold"), ("▏", "$text-accent"), "  ")
        room = max(1, self.size.width - cell_len(lead.plain) - 1)
        link = self.link
        if self.said:
            return Content.assemble(lead, (sanitize.cut(sanitize.clean(self.said), room), "$text-warning"))
        if link is None:
            last = max((one.number for one in self.links), default=0)
            first = min((one.number for one in self.links), default=0)
            words = f"no link {self.typed} yet" if self.typed else f"{first} to {last}" if first < last else f"{last}"
            return Content.assemble(lead, (sanitize.cut(words, room), "$quiet"))
        if named := mismatch(link):
            words = f"! says {named}, goes to {host(link.url)}"
            return Content.assemble(lead, (sanitize.cut(words, room), "bold $text-warning"))
        return Content.assemble(lead, sanitize.cut(sanitize.clean(link.url), room))


class LinkPrompt(Horizontal):
    """One line that replaces the status line while the number of a link is typed."""

    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("Enter", "open"), ("y", "copy"), ("Esc", "close"))

    class Typed(Message):
        """Posted when another link has the typed number, or none has."""

        def __init__(self, link: Link | None) -> None:
            super().__init__()
            self.link = link

    class Chosen(Message):
        """Posted when the user wants to open a link."""

        def __init__(self, link: Link) -> None:
            super().__init__()
            self.link = link

    class Copied(Message):
        """Posted when the user wants the address of a link."""

        def __init__(self, link: Link) -> None:
            super().__init__()
            self.link = link

    class Closed(Message):
        """Posted when the user closes the prompt."""

    def __init__(self) -> None:
        super().__init__(id="link")

    def compose(self) -> ComposeResult:
        """Yield the line."""
        yield LinkNumber()

    @property
    def line(self) -> LinkNumber:
        """Return the line that is typed in."""
        return self.query_one(LinkNumber)

    def open(self, links: Sequence[Link]) -> None:
        """Open the prompt for these links; each has a number. Of a single one the number is there already."""
        self.line.begin(links, str(links[0].number) if len(links) == 1 else "")
        self.screen.add_class("-linking")
        self.screen.set_focus(self.line)

    @property
    def is_open(self) -> bool:
        """Whether the prompt is shown."""
        return self.screen.has_class("-linking")

    def close(self) -> None:
        """Give the line back to the status."""
        self.screen.remove_class("-linking")
