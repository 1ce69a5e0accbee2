"""The manual page and the completions belong to the parser as it is, and man, bash, zsh and fish work with them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

from termmail.command_line import build_parser

ROOT = Path(__file__).parent.parent
COMPLETIONS = ROOT / "share" / "completions"
PAGE = ROOT / "share" / "man" / "man1" / "termmail.1"


def docs():
    """docs/make.py, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def needs(program: str) -> str:
    path = shutil.which(program)
    assert path is not None, f"{program} is not installed: apt-get install {program}"
    return path


MADE = docs().made()


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_the_files_made_from_the_parser_are_up_to_date(path):
    assert path.read_text(encoding="utf-8") == MADE[path], "run make docs"


def test_every_command_and_option_stands_in_the_manual():
    manual = MADE[PAGE].replace(r"\-", "-")
    commands = docs().commands(build_parser())
    actions = [(name, action) for name, command in commands.items() for action in command._actions]
    flags = [(name, flag) for name, action in actions for flag in action.option_strings if flag not in ("-h", "--help")]
    assert [one for one in flags if rf"\fB{one[1]}\fR" not in manual] == []
    assert [name for name in commands if rf".SS \fBtermmail {name}\fR" not in manual] == []
    assert [(name, action.dest) for name, action in actions if not action.help] == [], "without a word of help"
    assert [name for name, command in commands.items() if f"\n  termmail {name}" not in command.epilog] == [
        "send",
        "sendmail",
    ]


@pytest.mark.shells
def test_man_reads_the_manual_without_a_warning():
    needs("groff")
    read = subprocess.run(
        [needs("man"), "--warnings", "-E", "UTF-8", "-l", str(PAGE)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert read.stderr == ""
    assert "termmail - a keyboard-driven mail client for the terminal" in read.stdout
    assert "termmail export '' ~/backup --format eml" in read.stdout


@pytest.mark.shells
@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "termmail.bash"), ("zsh", "_termmail"), ("fish", "termmail.fish")]
)
def test_the_shells_take_their_completion(shell, name):
    subprocess.run([needs(shell), "-n", str(COMPLETIONS / name)], check=True, timeout=60)


def bash_completes(*words: str) -> set[str]:
    """What bash offers when Tab is pressed behind these words."""
    script = f'source "{COMPLETIONS / "termmail.bash"}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shtab_termmail'
    end = "; printf '%s\\n' \"${COMPREPLY[@]}\""
    ran = subprocess.run(
        [needs("bash"), "--norc", "-c", script + end, "bash", "termmail", *words],
        capture_output=True, text=True, check=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    return set(ran.stdout.split())


@pytest.mark.shells
def test_bash_completes_commands_options_and_what_they_take():
    assert bash_completes("s") == {"sync", "search", "show", "save", "send", "sendmail", "snooze", "space"}
    assert bash_completes("list", "--f") == {"--folder"}
    assert bash_completes("--config", "x.toml", "list", "--folder", "In") == {"Inbox"}
    assert bash_completes("export", "", "x", "--format", "") == {"mbox", "maildir", "eml"}
    assert bash_completes("outbox", "ret") == {"retry"}
    assert bash_completes("account", "add", "work", "a@b.example", "--smtp-security", "st") == {"starttls"}
    assert bash_completes("import", "pypr") == {"pyproject.toml"}
    assert bash_completes("send", "--to", "") == set()


def fish_completes(line: str) -> set[str]:
    """What fish offers when Tab is pressed behind this line."""
    script = f'source "{COMPLETIONS / "termmail.fish"}"; complete -C "{line}"'
    ran = subprocess.run(
        [needs("fish"), "--no-config", "-c", script], capture_output=True, text=True, check=True, timeout=60, cwd=ROOT
    )
    return {row.partition("\t")[0] for row in ran.stdout.splitlines()}


@pytest.mark.shells
def test_fish_completes_commands_options_and_what_they_take():
    assert fish_completes("termmail se") == {"search", "send", "sendmail"}
    assert fish_completes("termmail list --fo") == {"--folder"}
    assert fish_completes("termmail list --folder In") == {"Inbox"}
    assert fish_completes("termmail outbox ret") == {"retry"}
    assert fish_completes("termmail import pypr") == {"pyproject.toml"}


@pytest.mark.shells
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("termmail expo", "termmail export"),
        ("termmail list --fold", "termmail list --folder"),
        ("termmail list --folder Inb", "termmail list --folder Inbox"),
        ("termmail import pypr", "termmail import pyproject.toml"),
    ],
)
def test_zsh_completes_commands_options_and_what_they_take(typed, completed):
    shell = pexpect.spawn(
        needs("zsh"), ["-f", "-i"], cwd=str(ROOT), env={"TERM": "dumb", "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
        encoding="utf-8", timeout=30, dimensions=(24, 200),
    )  # fmt: skip
    try:
        shell.sendline(f"fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -D; bindkey -e")
        shell.sendline("PS1=$(printf '\\052\\052> ')")
        shell.expect_exact("**> ")  # what is typed before the prompt may be thrown away
        shell.send(typed + "\t")
        shell.send("\x01print -r -- '<\x05>'\r")  # ctrl+a and ctrl+e: the completed line as zsh has it
        shell.expect_exact(f"<{completed}>\r\n")
    finally:
        shell.close(force=True)


def test_every_module_has_a_name_of_its_own():
    """So a name that is said or searched for is one file."""
    names = [path.stem for path in (ROOT / "termmail").rglob("*.py") if not path.stem.startswith("__")]
    shared = {name for name in names if names.count(name) > 1}
    assert not shared
