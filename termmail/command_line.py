"""The command line: every command with its options. The manual page and the completions are made from it too."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from typing import TYPE_CHECKING

from termmail import __version__
from termmail.account_commands import account_commands
from termmail.argument_parser import Parser, a_count, a_path, account_option, an_id, json_option

if TYPE_CHECKING:
    from collections.abc import Callable

EXITS = """\
exit codes:
  0 done   64 wrong usage   65 bad data   69 the server refused   70 a bug   73 cannot create
  74 disk   75 try again (offline, or the message is in the outbox)   77 login refused   78 config
"""


def build_parser() -> Parser:
    """Build the parser of every command. The manual page and the shell completions are made from it too."""
    parser = Parser(
        prog="termmail",
        description="A mail client for the terminal. Without a command it opens the screen.",
        epilog="examples:\n  termmail demo            look around, no account needed\n"
        "  termmail                 open your mail\n  termmail sync && termmail list --limit 5\n\n" + EXITS,
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"termmail {__version__}")
    parser.add_argument(
        "--config",
        type=a_path,
        metavar="FILE",
        help="the config file (default: config.toml in the user's config folder)",
    )
    parser.add_argument(
        "--data", type=a_path, metavar="DIR", help="the folder that holds the mail (default: in the user's data folder)"
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    def command(name: str, words: str, example: str, handler: str) -> Parser:
        sub = commands.add_parser(
            name,
            help=words,
            description=f"{words[0].upper()}{words[1:]}.",
            epilog=f"example:\n  {example}",
            formatter_class=RawDescriptionHelpFormatter,
        )
        sub.set_defaults(handler=handler)
        return sub

    _reading_commands(command)
    _changing_commands(command)
    _sorting_commands(command)
    _file_commands(command)
    _sending_commands(command)
    account_commands(command)
    return parser


def _reading_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    demo = command(
        "demo", "open two sample accounts with their own servers, nothing to set up", "termmail demo", "demo"
    )
    demo.add_argument("--serve", action="store_true", help="run the servers alone and print how to connect")

    sync = command("sync", "receive mail, send queued messages, delete what is due", "termmail sync", "mailbox.sync")
    account_option(sync)
    sync.add_argument("--full", action="store_true", help="compare the whole list even when nothing looks new")
    sync.add_argument(
        "--no-notify", action="store_true", help="do not run the command for new mail of [notifications] in the config"
    )
    json_option(sync)

    listing = command(
        "list",
        "list the newest messages of a folder, of all accounts",
        "termmail list --limit 20",
        "mailbox.list_messages",
    )
    account_option(listing)
    listing.add_argument(
        "--folder", metavar="F", help="Inbox, Sent, Archive, Snoozed, Starred, ... (default: the inbox)"
    )
    listing.add_argument("--limit", type=a_count, default=50, metavar="N", help="maximum number (default: 50)")
    json_option(listing)

    folders = command("folders", "list folders with message counts", "termmail folders --json", "mailbox.folders")
    account_option(folders)
    json_option(folders)

    space = command(
        "space",
        "show what lies on the servers; delete there, keep here",
        "termmail space --by sender",
        "space_used.space",
    )
    space.add_argument(
        "--by", choices=("size", "sender", "age"), default="size", help="group a POP3 server's mail (default: size)"
    )
    space.add_argument("--limit", type=a_count, default=20, metavar="N", help="maximum number of lines (default: 20)")
    space.add_argument(
        "--delete", nargs="+", type=an_id, default=(), metavar="ID",
        help="delete these messages on their POP3 server, now; they stay here",
    )  # fmt: skip
    account_option(space)
    json_option(space)

    search = command(
        "search", "search all mail, Trash and Spam too", "termmail search 'from:ada engine'", "mailbox.search"
    )
    search.add_argument(
        "query",
        metavar="QUERY",
        help='words, "a phrase", pre*, -without, a OR b, from: to: subject: in: is: has: after: before: larger: ...',
    )
    account_option(search)
    search.add_argument(
        "--limit", type=a_count, default=200, metavar="N", help="list at most the N newest (default: 200)"
    )
    json_option(search)

    show = command("show", "show messages, or an .eml file", "termmail show 12 --json", "message_verbs.show")
    show.add_argument("ids", nargs="*", type=an_id, metavar="ID", help="message ID from `termmail list`")
    show.add_argument(
        "--file", type=a_path, metavar="F.eml", help="a file instead (- is standard input); needs no account"
    )
    form = show.add_mutually_exclusive_group()
    form.add_argument("--headers", action="store_true", help="all header fields, nothing else")
    form.add_argument("--raw", action="store_true", help="the bytes as received")
    json_option(show)


def _changing_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    mark = command(
        "mark", "mark messages read or unread, or star them", "termmail mark 12 13 --read", "message_verbs.mark"
    )
    mark.add_argument("ids", nargs="+", type=an_id, metavar="ID", help="message ID from `termmail list`")
    flag = mark.add_mutually_exclusive_group(required=True)
    for name, words in (("read", "read"), ("unread", "unread"), ("star", "starred"), ("unstar", "not starred")):
        flag.add_argument(f"--{name}", dest="flag", action="store_const", const=name, help=f"mark them {words}")
    json_option(mark)

    move = command(
        "move", "move messages to a folder of their account", "termmail move 12 13 Archive", "message_verbs.move"
    )
    move.add_argument("ids", nargs="+", type=an_id, metavar="ID", help="message ID from `termmail list`")
    move.add_argument("folder", metavar="FOLDER", help="folder name from `termmail folders`")
    json_option(move)

    delete = command(
        "delete",
        "move messages to Trash; deleted from the server a minute later",
        "termmail delete 12 13",
        "message_verbs.delete",
    )
    delete.add_argument("ids", nargs="+", type=an_id, metavar="ID", help="message ID from `termmail list`")
    delete.add_argument("--for-good", action="store_true", help="erase messages, also from Trash; there is no undo")
    delete.add_argument("--now", action="store_true", help="delete them on the server at once")
    json_option(delete)

    undo = command(
        "undo", "undo the last step: a mark, a move, a delete, a message that still waits", "termmail undo",
        "message_verbs.undo",
    )  # fmt: skip
    json_option(undo)


def _sorting_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    def of_messages(name: str, words: str, example: str) -> Parser:
        sub = command(name, words, example, f"sorting_out.{name}")
        sub.add_argument("ids", nargs="+", type=an_id, metavar="ID", help="message ID from `termmail list`")
        return sub

    snooze = of_messages(
        "snooze",
        "leave messages out of their folder until a time; they are on top then",
        "termmail snooze 12 13 --until 'tomorrow 9'",
    )
    until = snooze.add_mutually_exclusive_group(required=True)
    until.add_argument("--until", metavar="TIME", help="as people write it: 'tomorrow 9', mon, 'in 2 hours', '3 dec'")
    until.add_argument("--back", action="store_true", help="bring them back now")
    json_option(snooze)

    remind = of_messages(
        "remind", "bring messages back at a time, if nobody answers them", "termmail remind 12 --at friday"
    )
    at = remind.add_mutually_exclusive_group(required=True)
    at.add_argument("--at", metavar="TIME", help="as people write it: fri, 'in 3 days', '3 dec 9:00'")
    at.add_argument("--off", action="store_true", help="no reminder any more")
    json_option(remind)

    mute = of_messages("mute", "archive a conversation and what comes to it later", "termmail mute 12")
    mute.add_argument("--off", action="store_true", help="let it come to the inbox again")
    json_option(mute)

    label = command(
        "label",
        "put labels on messages or take them away; without messages, list the labels or change one",
        "termmail label 12 13 --add work --remove later\n  termmail label --rename work job",
        "sorting_out.label",
    )
    label.add_argument("ids", nargs="*", type=an_id, metavar="ID", help="message ID from `termmail list`")
    label.add_argument(
        "--add",
        action="append",
        default=[],
        metavar="NAME",
        help="put this label on them; made if missing (repeatable)",
    )
    label.add_argument(
        "--remove", action="append", default=[], metavar="NAME", help="take this label away (repeatable)"
    )
    label.add_argument(
        "--rename", nargs=2, metavar=("NAME", "NEW"), help="call a label NEW; on IMAP servers its keyword stays"
    )
    label.add_argument("--color", nargs=2, metavar=("NAME", "NUMBER"), help="give a label another colour, 1 to 6")
    label.add_argument("--delete", metavar="NAME", help="take this label away from all messages")
    json_option(label)

    rules = command(
        "rules",
        "list, make, change, try, run or remove rules for mail that arrives, or show what they did",
        "termmail rules add 'from:lists@example.org' label:lists archive\n  termmail rules try 'from:lists@example.org'"
        "\n  termmail rules log",
        "sorting_out.rules",
    )
    rules.mixed = True
    rules.add_argument(
        "verb",
        nargs="?",
        choices=("list", "add", "change", "try", "run", "remove", "on", "off", "up", "down", "log", "undo"),
        default="list",
        metavar="ACTION",
        help="list (the default), add, change, try, run, remove, on, off, up, down, log or undo; try shows what a query matches in the inbox, run applies a rule to it now,"
        " up and down let a rule act before or after its neighbour, undo takes back an entry of the log",
    )
    rules.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="for add: QUERY VERB ..., with verbs move:FOLDER, label:NAME, star, read, mute, archive, delete;"
        " for change: the number of the rule and the same; for try: QUERY; for undo: the number in the log; else the number of the rule",
    )
    rules.add_argument("--name", metavar="NAME", help="for add and change: what the rule is called")
    json_option(rules)


def _file_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    save = command("save", "save the attachments of a message", "termmail save 12 ~/Downloads", "message_verbs.save")
    save.add_argument("id", type=an_id, metavar="ID", help="message ID from `termmail list`")
    save.add_argument("dir", type=a_path, metavar="DIR", help="an existing folder; no file in it is overwritten")
    json_option(save)

    into = command(
        "import",
        "read an mbox, a Maildir, an .eml file or a folder of them",
        "termmail import ~/old.mbox",
        "mail_files.import_mail",
    )
    into.add_argument("path", type=a_path, metavar="PATH", help="the file or folder to read")
    account_option(into)
    into.add_argument("--folder", metavar="F", help="target folder, created if missing (default: the inbox)")
    json_option(into)

    out = command(
        "export", "write messages to files", "termmail export '' ~/backup --format eml", "mail_files.export_mail"
    )
    out.add_argument("query", metavar="QUERY", help="as for search; '' is everything")
    out.add_argument("dest", type=a_path, metavar="DEST", help="a new mbox file, a folder, or - for standard output")
    out.add_argument(
        "--format", choices=("mbox", "maildir", "eml"), default="mbox", help="output format (default: mbox)"
    )
    json_option(out)


def _sending_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    send = command(
        "send",
        "send a message; its text comes from --body or standard input",
        "echo 'See you at nine.' | termmail send --to bob@example.org --subject Breakfast",
        "send.send",
    )
    send.add_argument(
        "--to", action="append", default=[], metavar="A", required=True, help="recipient address (repeatable)"
    )
    send.add_argument("--cc", action="append", default=[], metavar="A", help="address for a copy (repeatable)")
    send.add_argument("--bcc", action="append", default=[], metavar="A", help="address for a blind copy (repeatable)")
    send.add_argument("--subject", default="", metavar="S", required=True, help="the subject; may be empty")
    send.add_argument("--body", metavar="TEXT", help="the text (default: standard input)")
    send.add_argument(
        "--attach", action="append", type=a_path, default=[], metavar="F", help="file to attach (repeatable)"
    )
    send.add_argument("--account", metavar="A", help="send from this account")
    json_option(send)

    answer = command(
        "answer",
        "answer an invitation; its organizer gets the answer at once",
        "termmail answer 12 accept",
        "answering.answer",
    )
    answer.add_argument("id", type=an_id, metavar="ID", help="message ID from `termmail list`")
    answer.add_argument("answer", choices=("accept", "maybe", "decline"), help="what to answer")
    json_option(answer)

    sendmail = command(
        "sendmail",
        "send a complete message from standard input, as sendmail(8) does",
        "git send-email --sendmail-cmd='termmail sendmail -i' 0001.patch",
        "send.sendmail",
    )
    sendmail.add_argument("-t", dest="read_recipients", action="store_true", help="recipients from To, Cc and Bcc")
    sendmail.add_argument("-f", "-r", dest="sender", metavar="FROM", help="the envelope sender")
    sendmail.add_argument(
        "-i", dest="ignore_dots", action="store_true", help="a line with a single dot does not end the message"
    )
    sendmail.add_argument(
        "-o", dest="ignored", action="append", metavar="X", help="-oi means -i; others are accepted and ignored"
    )
    sendmail.add_argument("-F", dest="full_name", metavar="NAME", help="accepted and ignored")
    sendmail.add_argument("recipients", nargs="*", metavar="RCPT", help="recipient address")
    json_option(sendmail)

    outbox = command(
        "outbox",
        "list, retry or cancel messages that wait to be sent",
        "termmail outbox retry",
        "send.outbox",
    )
    outbox.mixed = True
    outbox.add_argument(
        "verb", nargs="?", choices=("list", "retry", "cancel"), default="list", help="action (default: list)"
    )
    outbox.add_argument(
        "ids", nargs="*", type=an_id, metavar="ID", help="message ID from `termmail outbox` (retry without one: all)"
    )
    account_option(outbox)
    outbox.add_argument("--sure", action="store_true", help="also retry messages that may have arrived already")
    json_option(outbox)
