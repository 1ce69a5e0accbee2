"""The app: opens the engine behind the first screen, forwards its events, and owns keys, themes, help and palette."""

# ruff: noqa: D102 - what an action does is in the registry of actions

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App
from textual.binding import Binding
from textual.message import Message
from textual.worker import Worker, WorkerState

from termmail.accounts.config import Ui
from termmail.errors import UserError
from termmail.mail.counting import count
from termmail.ui.actions import Place, bindings
from termmail.ui.appearance import Appearance
from termmail.ui.colours import NAMES
from termmail.ui.first_page import First, read_first
from termmail.ui.held_keys import HeldKeys
from termmail.ui.keeping_all import keep_all
from termmail.ui.key_order import KeyOrder, NameTail, ShortcutUsed, escape_first
from termmail.ui.password_questions import PasswordQuestions
from termmail.ui.screens.confirm import ConfirmScreen
from termmail.ui.screens.main import MainScreen
from termmail.ui.terminal_notice import announce
from termmail.ui.theme import defaults, themes
from termmail.ui.widgets.status import Problem
from termmail.ui.workers import no_eager_tasks, start_worker

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from rich.console import RenderableType
    from textual.binding import BindingType
    from textual.driver import Driver
    from textual.filter import LineFilter
    from textual.screen import Screen
    from textual.widget import Widget

    from termmail.engine.engine import Engine
    from termmail.engine.events import Event
    from termmail.ui.actions import Action
    from termmail.ui.early_paint import EarlyScreen
    from termmail.ui.keymap import Keymap

log = logging.getLogger("termmail")

TYPED_PATIENCE = 0.5
"""Seconds that keys typed before the end may take to act."""

PATIENCE = 0.25
"""Seconds the first paint waits for mail, at most."""

EARLY_PATIENCE = 2.0
"""The same where the mail is on the terminal already."""

BUG = 70
"""The exit code of a bug (EX_SOFTWARE of sysexits.h)."""


class TermmailApp(App[None], inherit_bindings=False):
    """The app. `open_engine` is awaited while the first screen is painted.

    `failure` holds the error that the app has ended with, or None.
    """

    TITLE = "termmail"
    CSS_PATH = Path(__file__).parent / "screens" / "main.tcss"  # only pushed screens load their own style sheet
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+l", "redraw", "Redraw the screen", show=False, priority=True),
        *(
            replace(binding, priority=True) if binding.id == "app.leave" else binding  # also from every dialog
            for binding in bindings(Place.APP)
            if isinstance(binding, Binding)
        ),
    ]
    ENABLE_COMMAND_PALETTE = False

    class EngineEvent(Message):
        """Carries an event of the engine into the app's message queue."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(
        self,
        open_engine: Callable[[], Awaitable[Engine]],
        ending: Callable[[int], None] | None = None,
        early: EarlyScreen | None = None,
        theme: str = "",
    ) -> None:
        super().__init__()
        self._ending = ending
        """Called with the exit code as soon as the app is told to end."""
        self.early_screen = early
        """What is on the terminal before the first frame; the driver takes it over."""
        self._leave_depth = 0
        """Screens that were open when the user asked to quit; 0 if not asked."""
        for own in themes(self.console.color_system):
            self.register_theme(own)
        self.theme = theme if theme in self.available_themes else Ui().theme  # the rest comes with the engine
        self.engine: Engine | None = None
        self.failure: BaseException | None = None
        self.main_screen = MainScreen()
        self.appearance = Appearance(self)
        self._open_engine = open_engine
        self.first: First | None = None
        self._reading: asyncio.Future[First]
        self._early_problems: list[Problem] = []
        self._unsubscribe: Callable[[], None] | None = None
        self._current_key: tuple[events.Key, Widget] | None = None
        """The key that is being handled and the widget it went to."""
        self._order = KeyOrder(self, self._deliver)
        self.held_keys = HeldKeys(self, self._order)
        self.password_questions = PasswordQuestions(self)
        self._tail: NameTail | None = None

    def get_driver_class(self) -> type[Driver]:
        """Return the driver that no input can end."""
        from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415 - not there on Windows

        from termmail.ui.terminal import TolerantDriver  # noqa: PLC0415

        usual = super().get_driver_class()
        return TolerantDriver if usual is LinuxDriver else usual

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return termmail's own variables, for themes that are not its own."""
        theme = self.current_theme
        return {} if theme.name in NAMES else defaults(theme.to_color_system().generate() | theme.variables)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what changes every line that is drawn."""
        return self.appearance.filters(super().get_line_filters())

    @property
    def keys(self) -> Keymap:
        """The keys of every action."""
        return self.appearance.keys

    @property
    def pressed_key(self) -> str:
        """The key that is being handled, "" where it is none."""
        return self._current_key[0].key if self._current_key is not None else ""

    def get_default_screen(self) -> MainScreen:
        """Return the main screen, which is empty until the engine is open."""
        return self.main_screen

    async def on_load(self) -> None:
        """Read the first page of mail before anything is laid out, for painting an empty screen first costs as much.

        After PATIENCE the screen is shown without it.
        """
        no_eager_tasks()
        self.held_keys.hold()  # typed for the mail that is shown in a moment
        self._reading = asyncio.ensure_future(read_first(self._open_engine))
        patience = PATIENCE if self.early_screen is None else EARLY_PATIENCE
        done, _ = await asyncio.wait({self._reading}, timeout=patience)
        if done and self._reading.exception() is None:
            self._use_first_page(self._reading.result())

    def _use_first_page(self, first: First) -> None:
        self.first = first
        self.engine = first.engine
        self._early_problems += self.appearance.apply(first.engine.preferences.ui)

    def on_mount(self) -> None:
        """Start what does not have to be ready for the first paint."""
        start_worker(self, self._opened, "engine")

    async def _opened(self) -> None:
        try:
            first = await self._reading
        except Exception as error:  # noqa: BLE001 - the caller reports it, after the screen is gone
            self.failure = error
            self.exit()
            return
        await self.main_screen.ready.wait()
        if self.first is None:
            self._use_first_page(first)
            self.main_screen.open(first)
        for problem in self._early_problems:
            self.main_screen.problems.add(problem)
        self._unsubscribe = first.engine.context.subscribe(self._post_event)
        if first.engine.context.passwords.ask is None:
            first.engine.context.passwords.ask = self.password_questions.ask
        self.call_after_refresh(self._painted, first.engine)
        if not first.engine.accounts.names:
            self.main_screen.add_account()
        self.held_keys.release()

    def _painted(self, engine: Engine) -> None:
        """Start garbage collection and background work once the mail is on the screen."""
        if not gc.isenabled():
            gc.freeze()  # what exists now stays: no collection has to look at it
            gc.enable()
        engine.announcer.show = partial(announce, self)
        engine.announcer.start()
        engine.servers.start()
        engine.marks.start()
        if engine.accounts.names and not engine.context.read_only:
            start_worker(self, partial(self._offer_left_texts, engine), "left texts")

    async def _offer_left_texts(self, engine: Engine) -> None:
        from termmail.ui.left_texts import offer  # noqa: PLC0415 - not needed for the first screen

        try:
            await offer(self, engine)
        except UserError as error:
            self.main_screen.problems.add(Problem(str(error), error.advice))

    def _post_event(self, event: Event) -> None:
        self.post_message(self.EngineEvent(event))

    def on_termmail_app_engine_event(self, message: EngineEvent) -> None:
        """Hand an event of the engine to the main screen, whichever is on top."""
        if self.main_screen.is_attached:
            self.main_screen.handle_event(message.event)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Log and report a worker that a bug has ended; the program goes on."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            log.error("a task of the screen ended", exc_info=event.worker.error)
            where = f"The log has the details: {self.engine.context.paths.log}." if self.engine is not None else ""
            self.main_screen.problems.add(Problem("Something in termmail went wrong; your mail is safe.", where))

    def on_unmount(self) -> None:
        """Unsubscribe from the engine's events."""
        if self._unsubscribe is not None:
            self._unsubscribe()

    # -- keys typed ahead

    async def on_event(self, event: events.Event) -> None:
        """Deliver keys one at a time, each to what has the focus when its turn comes.

        Textual aims each key as it is read: `/delta` in one read would search for nothing and delete.
        """
        if not isinstance(event, events.Key):
            await super().on_event(event)
        elif event.is_forwarded:
            await self._came_back(event)
        elif event.key in self._leave_keys():
            await super().on_event(event)
        else:
            await self._order.take(event)

    async def _deliver(self, event: events.Key) -> None:
        """Hand a key to Textual, unless it is kept for a screen that is being made or must not act."""
        if self._tail is not None:
            if self._tail.holds(event):
                return
            self._tail = None
        if self.held_keys.keeps(event):
            return
        if event.key not in self.screen.active_bindings and (both := escape_first(event)):
            self._order.put_back(both)
            return
        self._current_key = (event, self.focused or self.screen)
        await super().on_event(event)

    async def _came_back(self, event: events.Key) -> None:
        """Deliver a key that was not used to the widget that has the focus by now, else to the bindings."""
        target = self.focused or self.screen
        if self._current_key is not None and event is self._current_key[0] and target is not self._current_key[1]:
            again = events.Key(event.key, event.character)
            self._current_key = (again, target)
            target._forward_event(again)  # noqa: SLF001 - Textual has no public way to pass a key on
        else:
            await super().on_event(event)

    def _leave_keys(self) -> Collection[str]:
        """Return the keys that quit; they are never queued."""
        return {key for key, bound in self._bindings if bound.id == "app.leave"}

    def on_shortcut_used(self, message: ShortcutUsed) -> None:
        """Ignore the rest of a name that is typed where its first letter has acted already."""
        self._tail = NameTail(message)

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        """Draw, with the terminal's cursor in the focused field.

        Textual updates it when the text changes, and not when a layout or scrolling moves the field afterwards. Input
        methods and screen readers follow that cursor.
        """
        place = getattr(self.focused, "cursor_screen_offset", None)
        if place is not None:
            self.cursor_position = place
        super()._display(screen, renderable)

    # -- what works everywhere

    def action_app_palette(self) -> None:
        from termmail.ui.action_search import available, perform  # noqa: PLC0415
        from termmail.ui.actions.folder_verbs import own_places  # noqa: PLC0415
        from termmail.ui.screens.palette import FindActionScreen  # noqa: PLC0415

        if isinstance(self.screen, FindActionScreen):
            return
        screen: Screen[object] = self.screen

        async def do(action: Action | None) -> None:
            if action is None:
                return
            if action.id:
                await perform(screen, action)
            else:
                self.main_screen.do(action)

        places = own_places(self.main_screen.mail) if screen is self.main_screen and self.main_screen.opened else []
        self.push_screen(FindActionScreen([*available(screen), *places], self.keys), do)

    def action_app_help(self) -> None:
        from termmail.ui.screens.help import HelpScreen  # noqa: PLC0415

        if isinstance(self.screen, HelpScreen):
            return
        around: dict[Widget | None, str] = {self.main_screen.reader: "reader", self.main_screen.folders: "folders"}
        first = around.get(self.focused, "list") if self.screen is self.main_screen else "composer"
        self.push_screen(HelpScreen(self.keys, first))

    def action_app_leave(self) -> None:
        asked = isinstance(self.screen, ConfirmScreen) and 0 < self._leave_depth < len(self.screen_stack)
        if not asked:  # else the question is on the screen already
            self._leave_depth = len(self.screen_stack)
            start_worker(self, self._leave, "leave")

    async def _leave(self) -> None:
        """Save what is being written and what was done, ask where that fails, then leave as the main screen does."""
        await self._order.all_acted(TYPED_PATIENCE)
        if troubles := await keep_all(self):
            question = ConfirmScreen(
                "Not everything is saved. Quit and lose what is named here?", "Quit", "Stay", details=troubles
            )
            if not await self.push_screen_wait(question):
                return
            self.exit()
        else:
            self.main_screen.leave()

    def action_redraw(self) -> None:
        """Paint every cell of the screen again, over what another program has written there."""
        self.refresh(layout=True)
        self.screen.refresh(layout=True)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text by OSC 52, and say so, for the terminal shows nothing. Without a text keep what was copied."""
        if not text:
            return
        super().copy_to_clipboard(text)
        self.notify(f"Copied {count(len(text), 'character')}, if your terminal allows it.", markup=False)

    # -- the end

    def exit(self, result: None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """End the app; the process follows soon, whatever hangs."""
        if self._ending is not None:
            self._ending(return_code)
        super().exit(result, return_code, message)

    def end_by_signal(self, number: int) -> None:
        """Save what is being written and end with the exit code of a program that a signal has ended."""

        async def end() -> None:
            try:
                await self._order.all_acted(TYPED_PATIENCE)
                await keep_all(self)
            finally:
                self.exit(return_code=128 + number)

        if self._ending is not None:
            self._ending(128 + number)
        self.call_later(partial(start_worker, self, end, "end"))  # behind the keys that were read before

    def on_terminal_gone(self) -> None:
        """End as on SIGHUP."""
        self.end_by_signal(signal.SIGHUP)

    def _fatal_error(self) -> None:
        """End because of a bug. Textual would print a traceback with the values of all variables, mail and all."""
        self.failure = self.failure or self._exception
        if self._ending is not None:
            self._ending(BUG)
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """End because of a bug in a thread of Textual's, for the same reason without its traceback."""
        del renderables
        self.failure = self.failure or RuntimeError("a thread of the screen has ended")
        self._close_messages_no_wait()
