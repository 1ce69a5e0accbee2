"""Writes the manual page and the shell completions from the program's own parser: make docs.

share/man/man1/termmail.1 and share/completions/{termmail.bash,_termmail,termmail.fish}. A test tells when they are old.
"""

from __future__ import annotations

import shlex
from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction
from dataclasses import dataclass
from pathlib import Path

from termmail import __version__
from termmail.cli import EXITS, build_parser

SHARE = Path(__file__).parent.parent / "share"

FOLDERS = ("Inbox", "Drafts", "Outbox", "Sent", "Archive", "Spam", "Trash")
KINDS = {
    "config": "file",
    "data": "folder",
    "file": "file",
    "attach": "file",
    "tls_ca_file": "file",
    "path": "file",
    "dest": "file",
    "dir": "folder",
}
"""What the words of an argument are, by its name in the parser; the others are texts, numbers or choices."""


@dataclass(frozen=True)
class Argument:
    """An option (`flags` is not empty) or a word of a command.

    `value` is what stands for its value, "" without one; `choices` are what a shell offers for it.
    """

    flags: tuple[str, ...]
    value: str
    words: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    repeated: bool = False
    required: bool = False


@dataclass(frozen=True)
class Command:
    """One command, or the program itself."""

    name: str
    words: str
    example: str
    arguments: tuple[Argument, ...]

    @property
    def options(self) -> list[Argument]:
        return [one for one in self.arguments if one.flags]

    @property
    def positionals(self) -> list[Argument]:
        return [one for one in self.arguments if not one.flags]


def argument(action: Action) -> Argument:
    takes = action.nargs != 0
    choices = FOLDERS if action.dest == "folder" else tuple(action.choices or ())
    name = action.metavar if isinstance(action.metavar, str) else "|".join(choices)
    return Argument(
        flags=tuple(action.option_strings),
        value=name if takes else "",
        words=action.help or "",
        kind="choice" if choices else KINDS.get(action.dest, "text"),
        choices=choices,
        repeated=action.nargs in {"*", "+"},
        required=action.required and action.nargs not in {"*", "?"},
    )


def commands(parser: ArgumentParser) -> tuple[Command, list[Command]]:
    """The program itself, and its commands in the order of --help."""
    [subparsers] = [action for action in parser._actions if isinstance(action, _SubParsersAction)]
    words = {choice.dest: choice.help or "" for choice in subparsers._choices_actions}
    found = [Command(name, words[name], example(sub), arguments(sub)) for name, sub in subparsers.choices.items()]
    return Command(parser.prog, parser.description or "", "", arguments(parser)), found


def arguments(parser: ArgumentParser) -> tuple[Argument, ...]:
    shown = [a for a in parser._actions if not isinstance(a, _SubParsersAction) and a.help is not SUPPRESS]
    return tuple(argument(action) for action in shown)


def example(parser: ArgumentParser) -> str:
    return (parser.epilog or "").removeprefix("example:\n").strip()


# --- the manual page


def man(program: Command, subs: list[Command]) -> str:
    lines = [
        r".\" Made by docs/make.py from the program's parser: change that, then run make docs.",
        f'.TH TERMMAIL 1 "" "termmail {__version__}" "User Commands"',
        ".SH NAME",
        r"termmail \- a keyboard-driven mail client for the terminal",
        ".SH SYNOPSIS",
        *synopsis(program, subs),
        ".SH DESCRIPTION",
        *DESCRIPTION,
        ".SH OPTIONS",
        *(row for option in program.options for row in entry(option)),
        ".SH COMMANDS",
        "Data goes to standard output, everything else to standard error.",
        r"With \fB\-\-json\fR each line is one JSON object.",
        *(row for sub in subs for row in section(sub)),
        ".SH EXIT STATUS",
        "Those of sysexits.h:",
        *(row for code, words in exits() for row in (".TP", rf"\fB{code}\fR", roff(words))),
        *ENDING,
    ]
    return "\n".join(lines) + "\n"


DESCRIPTION = r"""
termmail reads mail over POP3 and sends it over SMTP. Headers come first, a text is fetched when it is opened, and
everything is kept in one store on this computer. Passwords live in the keyring of the system.
.PP
Without a command it opens the screen; the first time, it asks for an account. The last line of the screen shows the
keys that matter, \fB?\fR shows all of them, and \fBctrl+p\fR finds any action by its name. With a command it needs no
screen: for scripts, for cron, and for everyone who reads mail with a Braille line or a screen reader.
""".strip().splitlines()

ENDING = r"""
.SH ENVIRONMENT
.TP
\fBVISUAL\fR, \fBEDITOR\fR
the editor F4 opens in the composer
.TP
\fBSSL_CERT_FILE\fR
certificate authorities to trust instead of the system's
.TP
\fBNO_COLOR\fR
no colours
.TP
\fBXDG_CONFIG_HOME\fR, \fBXDG_DATA_HOME\fR
where the files below lie
.SH FILES
.TP
\fI~/.config/termmail/config.toml\fR
accounts, theme and keys (mode 0600); no password stands in it
.TP
\fI~/.local/share/termmail/mail.db\fR
the mail
.TP
\fI~/.local/share/termmail/termmail.log\fR
what went wrong; never a password
.SH SEE ALSO
.BR sendmail (8),
.BR git\-send\-email (1)
""".strip().splitlines()


def roff(text: str) -> str:
    """Text that the formatter takes for nothing else."""
    text = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    return rf"\&{text}" if text.startswith((".", "'")) else text


def synopsis(program: Command, subs: list[Command]) -> list[str]:
    known = " ".join(shape(option) for option in program.options if option.value)
    lines = [rf".B termmail {known}"]
    for sub in subs:
        lines += [".br", form(sub)]
    return lines


def shape(one: Argument) -> str:
    """An argument in a synopsis: brackets where it may be left out, dots where it may come again."""
    value = rf"\fI{roff(one.value)}\fR" if one.value else ""
    words = rf"\fB{roff(one.flags[-1])}\fR {value}".rstrip() if one.flags else value
    return (words if one.required else f"[{words}]") + (r"\|.\|.\|." if one.repeated else "")


def form(sub: Command) -> str:
    """How a command is written."""
    words = [shape(one) for one in sub.options if one.required] + ["[options]"]
    words += [shape(one) for one in sub.positionals]
    return rf"\fBtermmail {roff(sub.name)}\fR {' '.join(words)}"


def entry(one: Argument) -> list[str]:
    flags = ", ".join(rf"\fB{roff(flag)}\fR" for flag in one.flags)
    value = rf" \fI{roff(one.value)}\fR" if one.value else ""
    return [".TP", (flags + value).strip(), roff(one.words) or r"\&"]


def section(sub: Command) -> list[str]:
    rows = [row for one in sub.arguments if one.flags[:1] != ("-h",) and (one.flags or one.words) for row in entry(one)]
    return [
        f".SS {roff(sub.name)}",
        form(sub),
        ".PP",
        roff(f"{sub.words[0].upper()}{sub.words[1:]}."),
        *rows,
        ".PP",
        "For example:",
        ".PP",
        ".nf",
        rf"    {roff(sub.example)}",
        ".fi",
    ]


def exits() -> list[tuple[str, str]]:
    """The codes and their words, from what --help says of them."""
    entries = [part.strip() for line in EXITS.splitlines()[1:] for part in line.split("   ") if part.strip()]
    return [(code, words) for code, _, words in (one.partition(" ") for one in entries)]


# --- the completions

NOTE = "Made by docs/make.py from the program's parser: change that, then run make docs."


def bash(program: Command, subs: list[Command]) -> str:
    flags: dict[str, set[str]] = {}
    for one in (option for command in (program, *subs) for option in command.options if option.value):
        act = {"file": "files", "folder": "folders", "choice": f"words {shlex.quote(' '.join(one.choices))}"}
        flags.setdefault(act.get(one.kind, "nothing"), set()).update(one.flags)
    options = "\n".join(f"    {' | '.join(sorted(flags[act]))}) _termmail_{act}; return ;;" for act in sorted(flags))
    valued = " | ".join(flag for option in program.options if option.value for flag in option.flags)
    cases = "\n".join(_bash_case(sub) for sub in subs)
    own = " ".join([*(flag for option in program.options for flag in option.flags), *(sub.name for sub in subs)])
    return f"""\
# bash completion for termmail. {NOTE}

_termmail_words() {{ mapfile -t COMPREPLY < <(compgen -W "$1" -- "${{COMP_WORDS[COMP_CWORD]}}"); }}
_termmail_nothing() {{ COMPREPLY=(); }}
_termmail_files() {{
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
_termmail_folders() {{
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen -d -- "${{COMP_WORDS[COMP_CWORD]}}")
}}

_termmail() {{
  local command='' index
  for ((index = 1; index < COMP_CWORD; index++)); do
    case ${{COMP_WORDS[index]}} in
      {valued}) ((index++)) ;;
      -*) ;;
      *) command=${{COMP_WORDS[index]}}; break ;;
    esac
  done
  case ${{COMP_WORDS[COMP_CWORD - 1]}} in
{options}
  esac
  case $command in
    '') _termmail_words '{own}' ;;
{cases}
  esac
}}

complete -F _termmail termmail
"""


def _bash_case(sub: Command) -> str:
    words = [flag for option in sub.options for flag in option.flags]
    words += [choice for one in sub.positionals for choice in one.choices]
    kinds = {one.kind for one in sub.positionals}
    offer = f"_termmail_words '{' '.join(words)}'"
    if paths := kinds & {"file", "folder"}:
        other = "_termmail_files" if "file" in paths else "_termmail_folders"
        offer = f"if [[ ${{COMP_WORDS[COMP_CWORD]}} == -* ]]; then {offer}; else {other}; fi"
    return f"    {sub.name}) {offer} ;;"


def zsh(program: Command, subs: list[Command]) -> str:
    described = "\n".join(f"    {_zsh(f'{sub.name}:{sub.words}')}" for sub in subs)
    cases = "\n".join(f"        {sub.name}) {_zsh_arguments(sub)} ;;" for sub in subs)
    own = " \\\n    ".join(spec for option in program.options for spec in _zsh_specs(option))
    return f"""\
#compdef termmail
# zsh completion for termmail. {NOTE}

_termmail() {{
  local curcontext="$curcontext" state line
  typeset -A opt_args
  local -a commands=(
{described}
  )
  _arguments -C \\
    {own} \\
    '1: :->command' '*:: :->arguments'
  case $state in
    command) _describe -t commands command commands ;;
    arguments)
      case $words[1] in
{cases}
      esac ;;
  esac
}}

_termmail "$@"
"""


def _zsh(text: str) -> str:
    return shlex.quote(text)


def _zsh_action(one: Argument) -> str:
    return {"file": "_files", "folder": "_files -/", "choice": f"({' '.join(one.choices)})"}.get(one.kind, " ")


def _zsh_specs(option: Argument) -> list[str]:
    words = "".join(f"\\{char}" if char in "[]:" else char for char in option.words)
    value = f":{option.value}:{_zsh_action(option)}" if option.value else ""
    again = "*" if "again for more" in option.words else ""
    return [_zsh(f"{again}{flag}[{words}]{value}") for flag in option.flags]


def _zsh_arguments(sub: Command) -> str:
    specs = [spec for option in sub.options for spec in _zsh_specs(option)]
    specs += [_zsh(f"{'*' if one.repeated else ''}:{one.value}:{_zsh_action(one)}") for one in sub.positionals]
    return " \\\n          ".join(["_arguments", *specs])


def fish(program: Command, subs: list[Command]) -> str:
    lines = [f"# fish completion for termmail. {NOTE}", "", "complete -c termmail -f"]
    lines += [_fish("__fish_use_subcommand", option) for option in program.options]
    lines += [f"complete -c termmail -n __fish_use_subcommand -a {sub.name} -d {_quoted(sub.words)}" for sub in subs]
    for sub in subs:
        there = f"'__fish_seen_subcommand_from {sub.name}'"
        lines += ["", *(_fish(there, option) for option in sub.options)]
        for one in sub.positionals:
            if one.choices:
                lines.append(f"complete -c termmail -n {there} -a '{' '.join(one.choices)}'")
            elif one.kind in {"file", "folder"}:
                lines.append(f"complete -c termmail -n {there} {_fish_value(one)}")
    return "\n".join(lines) + "\n"


def _fish(condition: str, option: Argument) -> str:
    flags = [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags]
    parts = ["complete -c termmail -n", condition, *flags, _fish_value(option) if option.value else ""]
    return " ".join(filter(None, [*parts, f"-d {_quoted(option.words)}" if option.words else ""]))


def _fish_value(one: Argument) -> str:
    folders = "-x -a '(__fish_complete_directories)'"
    return {"file": "-F -r", "folder": folders, "choice": f"-x -a '{' '.join(one.choices)}'"}.get(one.kind, "-x")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def made() -> dict[Path, str]:
    """Every file with what belongs in it."""
    program, subs = commands(build_parser())
    return {
        SHARE / "man" / "man1" / "termmail.1": man(program, subs),
        SHARE / "completions" / "termmail.bash": bash(program, subs),
        SHARE / "completions" / "_termmail": zsh(program, subs),
        SHARE / "completions" / "termmail.fish": fish(program, subs),
    }


if __name__ == "__main__":
    for path, text in made().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(SHARE.parent))
