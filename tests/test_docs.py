"""The manual page and the completions are those of the program as it is, and what reads them accepts them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from termmail.cli import build_parser

ROOT = Path(__file__).parent.parent
COMPLETIONS = ROOT / "share" / "completions"


def docs():
    """docs/make.py, which is a script and no part of the package."""
    spec = importlib.util.spec_from_file_location("docs_make", ROOT / "docs" / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


MADE = docs().made()


@pytest.mark.parametrize("path", MADE, ids=lambda path: path.name)
def test_what_is_made_from_the_parser_is_up_to_date(path):
    assert path.read_text(encoding="utf-8") == MADE[path], "run make docs"


def test_every_command_and_option_stands_in_the_manual():
    manual = MADE[ROOT / "share" / "man" / "man1" / "termmail.1"].replace(r"\-", "-")
    program, subs = docs().commands(build_parser())
    assert [flag for sub in (program, *subs) for one in sub.options for flag in one.flags if flag not in manual] == []
    assert [sub.name for sub in subs if f".SS {sub.name}" not in manual] == []
    assert [one for sub in subs for one in sub.options if not one.words] == [], "an option without a word of help"


def test_man_reads_the_manual_without_a_warning():
    page = str(ROOT / "share" / "man" / "man1" / "termmail.1")
    if shutil.which("man") and shutil.which("groff"):
        read = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, check=True, timeout=60
        )
        assert read.stderr == ""
        assert "a keyboard-driven mail client for the terminal" in read.stdout


@pytest.mark.parametrize(
    ("shell", "name"), [("bash", "termmail.bash"), ("zsh", "_termmail"), ("fish", "termmail.fish")]
)
def test_the_shells_take_their_completion(shell, name):
    if shutil.which(shell):
        subprocess.run([shell, "-n", str(COMPLETIONS / name)], check=True, timeout=60)


def bash_completes(*words: str) -> set[str]:
    """What bash offers when Tab is pressed behind these words."""
    script = f'source "{COMPLETIONS / "termmail.bash"}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _termmail'
    end = "; printf '%s\\n' \"${COMPREPLY[@]}\""
    ran = subprocess.run(
        ["bash", "--norc", "-c", script + end, "bash", "termmail", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
    )
    return set(ran.stdout.split())


def test_bash_completes_commands_options_and_what_they_take():
    assert bash_completes("s") == {"sync", "search", "show", "save", "send", "sendmail"}
    assert bash_completes("list", "--f") == {"--folder"}
    assert bash_completes("--config", "x.toml", "list", "--folder", "In") == {"Inbox"}
    assert bash_completes("export", "", "x", "--format", "") == {"mbox", "maildir", "eml"}
    assert bash_completes("outbox", "ret") == {"retry"}
    assert bash_completes("account", "add", "work", "a@b.example", "--smtp-security", "st") == {"starttls"}
    assert bash_completes("import", "pypr") == {"pyproject.toml"}
    assert bash_completes("send", "--to", "") == set()
