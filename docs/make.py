"""Write the manual page and the shell completions from the program's own parser: make docs.

share/man/man1/termmail.1 and share/completions/{termmail.bash,_termmail,termmail.fish}. A test fails where they are
out of date.
"""

from __future__ import annotations

import os
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage

from termmail import __version__
from termmail.command_line import build_parser
from termmail.mail.model import DRAFTS_NAME, OUTBOX_NAME, ROLE_NAMES, Role

ROOT = Path(__file__).parent.parent
SHARE = ROOT / "share"
os.environ["COLUMNS"] = "80"  # where argparse breaks its lines

FOLDERS = (
    ROLE_NAMES[Role.INBOX],
    DRAFTS_NAME,
    OUTBOX_NAME,
    *(name for role, name in ROLE_NAMES.items() if role is not Role.INBOX),
)
COMPLETES = {
    "config": shtab.FILE,
    "data": shtab.DIRECTORY,
    "file": shtab.FILE,
    "attach": shtab.FILE,
    "tls_ca_file": shtab.FILE,
    "path": shtab.FILE,
    "dest": shtab.FILE,
    "dir": shtab.DIRECTORY,
}
"""What a shell offers for an argument, by its name in the parser."""


def commands(parser: ArgumentParser) -> dict[str, ArgumentParser]:
    """The parser of each command, in the order of --help."""
    [subparsers] = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    return dict(subparsers.choices)


def manual() -> str:
    """The manual page: the parser, and docs/termmail.1.in for what is not in it."""
    parser = build_parser()
    for command in commands(parser).values():  # argparse-manpage leaves out the epilog of a command
        example = (command.epilog or "").removeprefix("example:\n").rstrip()
        command.description = f"Example:\n.PP\n.nf\n{example}\n.fi\n.PP"
    parser.epilog = parser.description = None
    page = Manpage(
        parser,
        {"project_name": "termmail", "version": __version__, "include": str(ROOT / "docs" / "termmail.1.in"),
         "description": "a keyboard-driven mail client for the terminal", "manual_title": "User Commands"},
        format="single-commands-section",
    )  # fmt: skip
    page.date = ""  # the same page on every day
    return f".\\\" Made by docs/make.py from the program's parser: change that, then run make docs.\n{page}"


def completion(shell: str) -> str:
    """The completion of bash, zsh or fish."""
    parser = build_parser()
    for one in (parser, *commands(parser).values()):
        for action in one._actions:
            if action.dest in COMPLETES:
                action.complete = COMPLETES[action.dest]
            elif action.dest == "folder":
                action.choices = FOLDERS
    return shtab.complete(parser, shell)


def made() -> dict[Path, str]:
    """Every file with its content."""
    return {
        SHARE / "man" / "man1" / "termmail.1": manual(),
        SHARE / "completions" / "termmail.bash": completion("bash"),
        SHARE / "completions" / "_termmail": completion("zsh"),
        SHARE / "completions" / "termmail.fish": completion("fish"),
    }


if __name__ == "__main__":
    for path, text in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))
