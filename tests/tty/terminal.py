"""A real terminal for a program: tmux on a private socket, its screen read as text, its keys pressed.

One tmux client in control mode (tmux(1), "CONTROL MODE") does it all: commands go in as lines, answers come back
between %begin and %end, and an %output line comes whenever the program has written. So a test waits for words, and
the wait ends with what the terminal tells, not with the clock.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PATIENCE = 90.0
"""Seconds a test waits for words: far more than the program needs, for the machine may be busy."""

MISSING = "tmux is missing. On Debian: apt-get install -y --no-install-recommends tmux"

_SHELL = """printf 'this stood there before\\n'; read go
sh -c 'echo $$ >"$0"; exec "$@"' "$0" "$@"; printf '\\nexit code %s\\n' "$?"; stty -a | grep -o ' -*echo '; exec cat"""


class Terminal:
    """`with Terminal(argv, (80, 24), env) as terminal`: the program runs in it, as a person's shell would start it.

    When the program has ended, "exit code N" stands on the screen. Leaving the block ends everything in it.
    """

    def __init__(self, argv: Sequence[str], size: tuple[int, int], env: Mapping[str, str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tty-"))  # a socket's path may have 107 bytes at most
        self._tmux = ["tmux", "-S", str(self._folder / "socket"), "-f", "/dev/null"]
        self._argv = list(argv)
        self._size = size
        self._env = dict(env)
        self._pending = b""
        self._stirred = False
        self.pane = 0
        """The process id of the shell, which leads the terminal's process group."""

    def __enter__(self) -> Self:
        assert shutil.which("tmux"), MISSING
        columns, rows = self._size
        shell = ["sh", "-c", _SHELL, str(self._folder / "pid"), *self._argv]
        options = [";", "set", "-g", "status", "off", ";", "set", "-g", "window-size", "manual"]
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-s", "t", "-x", str(columns), "-y", str(rows), *shell, *options],
            env=self._env,
            check=True,
            timeout=PATIENCE,
        )
        self._client = subprocess.Popen(
            [*self._tmux, "-C", "attach", "-t", "t", "-f", "ignore-size"],
            env=self._env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._client.stdout is not None
        os.set_blocking(self._client.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._client.stdout, selectors.EVENT_READ)
        self._answer(time.monotonic() + PATIENCE)  # to the attach
        self.pane = int(self.told("pane_pid"))
        self.wait("this stood there before")
        self.press("Enter")
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pane, signal.SIGKILL)  # the shell and all it started
        subprocess.run([*self._tmux, "kill-server"], check=False, timeout=PATIENCE, capture_output=True)
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._client.stdin.close()
        self._client.wait(PATIENCE)
        self._client.stdout.close()
        self._selector.close()
        shutil.rmtree(self._folder)

    # -- the hands

    def press(self, *keys: str) -> None:
        """Keys by their tmux names: "Enter", "F9", "C-s", "q".

        "Escape" is sent as the kitty protocol says it, for a bare escape makes one key of itself and a key that comes
        within a tenth of a second.
        """
        for key in keys:
            self._command(f"send-keys -t t {'-H 1b 5b 32 37 75' if key == 'Escape' else repr(key)}")

    def type(self, text: str) -> None:
        """Type a text on one line."""
        assert "'" not in text
        self._command(f"send-keys -l -t t -- '{text}'")

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._command(f"resize-window -t t -x {columns} -y {rows}")

    @property
    def pid(self) -> int:
        """The process id of the program."""
        return int((self._folder / "pid").read_text())

    # -- the eyes

    def screen(self) -> str:
        """What stands on the screen, row by row, blanks at the ends left out."""
        return "\n".join(self._command("capture-pane -p -t t"))

    def words(self) -> str:
        """What stands on the screen as one line without frames: for sentences that may be wrapped."""
        return " ".join(self.screen().translate(_FRAMES).split())

    def at_cursor(self) -> str:
        """The words on the cursor's row that stand left of it."""
        column, row = int(self.told("cursor_x")), int(self.told("cursor_y"))
        return " ".join(self.screen().split("\n")[row].translate(_FRAMES)[:column].split())

    def told(self, name: str) -> str:
        """What tmux knows of the terminal: cursor_flag, alternate_on, mouse_any_flag, ..."""
        return self._command(f"display-message -p -t t '#{{{name}}}'")[0]

    def wait(self, *words: str, gone: Sequence[str] = ()) -> str:
        """Wait until all `words` stand on the screen and none of `gone` does; the screen's words as one line."""
        what = f"{words} to come" + (f" and {gone} to go" if gone else "")
        return self.until(lambda seen: all(w in seen for w in words) and not any(w in seen for w in gone), what)

    def until(self, met: Callable[[str], bool], what: str = "it") -> str:
        """Wait until the screen's words are so; AssertionError with the screen where that never happens."""
        deadline = time.monotonic() + PATIENCE
        while not met(seen := self.words()):
            self._stirred = False
            while not self._stirred:
                if self._line(deadline) is None:
                    raise AssertionError(f"waited {PATIENCE:.0f} s for {what}:\n{self.screen()}")
        return seen

    def ended(self, code: int = 0) -> None:
        """Wait for the program's end, and check that it leaves the terminal as a shell needs it."""
        seen = self.wait("exit code")
        assert f"exit code {code}" in seen, seen
        assert "this stood there before" in self.wait(" echo"), "the first screen is back, and echoes what is typed"
        flags = ("alternate_on", "cursor_flag", "mouse_any_flag", "mouse_sgr_flag", "keypad_flag")
        assert {name: self.told(name) for name in flags} == dict.fromkeys(flags, "0") | {"cursor_flag": "1"}

    # -- the wire

    def _command(self, words: str) -> list[str]:
        """One tmux command; the lines of its answer."""
        assert self._client.stdin is not None
        self._client.stdin.write(words.encode() + b"\n")
        self._client.stdin.flush()
        return self._answer(time.monotonic() + PATIENCE)

    def _answer(self, deadline: float) -> list[str]:
        answer: list[str] | None = None
        while (line := self._line(deadline)) is not None:
            if line.startswith(b"%begin "):
                answer = []
            elif answer is not None and line.startswith((b"%end ", b"%error ")):
                assert line.startswith(b"%end "), answer
                return answer
            elif answer is not None:
                answer.append(line.decode("utf-8", "backslashreplace").rstrip())
        raise AssertionError("tmux does not answer")

    def _line(self, deadline: float) -> bytes | None:
        """The next line of the control client; None where none comes before the deadline."""
        assert self._client.stdout is not None
        while b"\n" not in self._pending:
            if not self._selector.select(max(0.0, deadline - time.monotonic())):
                return None
            if not (data := self._client.stdout.read(65536)):
                raise AssertionError("tmux has ended")
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        self._stirred = self._stirred or line.startswith((b"%output ", b"%layout-change "))
        return line


_FRAMES = {ord(sign): " " for sign in "│╭╮╰╯─━┃▌▐▊▎▔▁█▀▄▅▆▇▃▂"}
