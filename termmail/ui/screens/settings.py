"""The settings of the program: each change shows at once, Enter keeps them in config.toml, Esc takes them back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from msgspec.structs import replace
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from termmail.errors import UserError
from termmail.mail.counting import count
from termmail.ui.fetching_choices import FETCHED
from termmail.ui.keymap import PRESETS
from termmail.ui.screens import dialog
from termmail.ui.widgets.stepper import Stepper
from termmail.ui.workers import start_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual import events
    from textual.app import ComposeResult

    from termmail.accounts.config import Ui
    from termmail.engine.preferences import Fetching, Preferences

DENSITIES = [("auto", "by the width"), ("compact", "one line"), ("comfortable", "two lines")]
PANES = [("auto", "by the width"), ("right", "at the right"), ("below", "below the list"), ("off", "off")]
MARKS = [("no", "● ★ ─"), ("yes", "plain ASCII")]
NEWS = [("off", "nothing"), ("bell", "the bell"), ("terminal", "the terminal"), ("command", "your command")]
CONVERSATIONS = [("yes", "one row each"), ("no", "not grouped")]
PARAGRAPHS = [("yes", "wrapped anew"), ("no", "lines as sent")]

WORDS = {
    "theme": "Colours. ansi-dark and ansi-light use your terminal's own.",
    "keymap": "The keys of termmail, mutt, alpine or Gmail; your own in [ui.keys] come on top.",
    "density": "Lines of a message in a list: one, two (sender, then subject), or two where the list is narrow.",
    "pane": "Where the message at the cursor is shown. p hides and shows it.",
    "conversations": "Folders show a conversation on one row. T switches it for now.",
    "reflow": "Paragraphs that were broken by hand wrap at the width of the pane. w switches it for now.",
    "ascii": "Marks and frames in ASCII, for fonts and terminals without other signs.",
    "news": "What tells you of new mail. Quiet hours and the command are in config.toml: [notifications].",
}
BODIES = (
    "Which bodies are here before you open them: fetched quietly in the background, or at once. Search covers those."
)


class SettingsScreen(dialog.Dialog[bool]):
    """Shows the settings at the side of the mail. `show` puts settings of the screen in force; dismisses True if kept."""

    CSS_PATH = ["dialog.tcss", "settings.tcss"]  # noqa: RUF012 - Textual takes several
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Back"),
        Binding("enter", "keep", "Keep", priority=True),
        Binding("tab,down", "app.focus_next", show=False),
        Binding("shift+tab,up", "app.focus_previous", show=False),
    ]

    def __init__(
        self, preferences: Preferences, accounts: Sequence[str], themes: Sequence[str], show: Callable[[Ui], object]
    ) -> None:
        super().__init__()
        self._preferences = preferences
        self._accounts = list(accounts)
        self._themes = themes
        self._show = show
        self._before = preferences.ui
        self._keeping = False

    def compose(self) -> ComposeResult:
        """Yield one line for each setting, what the one with the focus does, and the keys."""
        ui, notifications = self._before, self._preferences.notifications
        presets = [(name, name) for name in PRESETS]
        news = [one for one in NEWS if one[0] != "command" or notifications.command is not None]
        with dialog.Frame(classes="dialog settings"):
            yield dialog.title("Settings")
            yield Stepper("Theme", [(name, name) for name in self._themes], ui.theme, id="theme")
            yield Stepper("Keys", presets, ui.keymap, id="keymap")
            yield Stepper("Rows", DENSITIES, ui.density, id="density")
            yield Stepper("Reading pane", PANES, ui.pane, id="pane")
            yield Stepper("Conversations", CONVERSATIONS, _word(on=ui.conversations), id="conversations")
            yield Stepper("Paragraphs", PARAGRAPHS, _word(on=ui.reflow), id="reflow")
            yield Stepper("Marks", MARKS, _word(on=ui.ascii), id="ascii")
            yield Stepper("New mail", news, notifications.new_mail, id="news")
            for number, account in enumerate(self._accounts):
                name = "Bodies" if len(self._accounts) == 1 else f"Bodies, {account}"
                known = self._preferences.fetching(account)
                value = next((words for words, one in FETCHED.items() if one == known), _own(known))
                yield Stepper(name, [(words, words) for words in FETCHED], value, id=f"bodies-{number}")
            yield Static("", id="settings-words", markup=False)
            yield dialog.Trouble()
            with Horizontal(classes="dialog-buttons"):
                yield dialog.button("Enter", "Keep", "keep")
                yield dialog.button("Esc", "Take back", "leave")

    def on_mount(self) -> None:
        """Focus the first setting."""
        self.query_one("#theme").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say what the setting does."""
        if isinstance(event.widget, Stepper):
            words = WORDS.get(event.widget.id or "", BODIES)
            self.query_one("#settings-words", Static).update(Content(words))

    @on(Stepper.Changed)
    def _changed(self) -> None:
        """Show the change at once."""
        self._show(self._chosen_ui())

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Stepper).value

    def _chosen_ui(self) -> Ui:
        return replace(
            self._before,
            theme=self._value("theme"),
            keymap=self._value("keymap"),
            density=self._value("density"),
            pane=self._value("pane"),
            ascii=self._value("ascii") == "yes",
            conversations=self._value("conversations") == "yes",
            reflow=self._value("reflow") == "yes",
        )

    def action_keep(self) -> None:
        """Write the settings, and leave; where that fails say why, and stay."""
        if not self._keeping:
            self._keeping = True
            start_worker(self, partial(self._keep, self._chosen_ui()), "settings")

    async def _keep(self, ui: Ui) -> None:
        notifications = replace(self._preferences.notifications, new_mail=self._value("news"))
        chosen = {account: self._value(f"bodies-{number}") for number, account in enumerate(self._accounts)}
        fetching = {account: FETCHED[words] for account, words in chosen.items() if words in FETCHED}
        try:
            await self._preferences.keep(ui, notifications, fetching)
        except UserError as error:
            self.query_one(dialog.Trouble).say(f"{error} Nothing was changed there; Esc takes this back.")
        else:
            self.dismiss(True)
        finally:
            self._keeping = False

    def action_leave(self) -> None:
        """Put the settings before in force again, and leave."""
        self._show(self._before)
        self.dismiss(False)


def _word(*, on: bool) -> str:
    return "yes" if on else "no"


def _own(known: Fetching) -> str:
    """Return the words for a rule that is not among those of the screen."""
    return known.download if known.download != "open" else f"last {count(known.prefetch_days, 'day')}"
