"""The command line of `account` and `doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.argument_parser import account_option, json_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from termmail.argument_parser import Parser


def account_commands(command: Callable[[str, str, str, str], Parser]) -> None:
    """Add the commands of accounts."""
    account = command(
        "account",
        "list, add, test or remove accounts, or store a password",
        "termmail account add work ada@example.org\n"
        "  termmail account add work ada@example.org --imap-host mail.example.org --smtp-host mail.example.org\n"
        "  termmail account add new ada@example.net --look-up\n"
        "  termmail account add old ada@example.com --pop3 --pop3-username ada",
        "account.account",
    )
    account.mixed = True
    account.add_argument(
        "verb",
        nargs="?",
        choices=("list", "add", "test", "remove", "password"),
        default="list",
        help="action (default: list)",
    )
    account.add_argument("name", nargs="?", metavar="NAME", help="the name of the account")
    account.add_argument("address", nargs="?", metavar="ADDRESS", help="for add: the e-mail address")
    account.add_argument("--display-name", metavar="TEXT", help="your name, as others see it")
    protocol = account.add_mutually_exclusive_group()
    protocol.add_argument(
        "--imap",
        dest="protocol",
        action="store_const",
        const="imap",
        help="receive by IMAP: what you read, move and file is the same on all your devices (default, if there is IMAP)",
    )
    protocol.add_argument(
        "--pop3",
        dest="protocol",
        action="store_const",
        const="pop3",
        help="receive by POP3: mail is fetched to this machine; folders and flags stay here",
    )
    _server_options(account)
    account.add_argument(
        "--look-up",
        action="store_true",
        help="for add: ask the domain of the address for its servers (DNS, https://autoconfig.DOMAIN and https://DOMAIN)",
    )
    account.add_argument(
        "--download",
        metavar="WHICH",
        help='which messages are fetched whole: "open", those that you open (default), "all", or those of the last'
        ' days ("365 days"); of the others only the header',
    )
    account.add_argument(
        "--prefetch-days",
        type=int,
        metavar="N",
        help='with --download "open": messages of the last N days are fetched in the background, so that search covers'
        " them (default: 30; 0: none)",
    )
    account.add_argument("--tls-ca-file", metavar="FILE", help="trust this certificate authority")
    account.add_argument("--allow-cleartext", action="store_true", help="allow a login without TLS (for loopback only)")
    account.add_argument(
        "--password-command",
        nargs="+",
        metavar="ARG",
        help="a program that prints the password (must be the last option)",
    )
    account.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    account.add_argument(
        "--server",
        choices=("imap", "pop3", "smtp"),
        help="server whose password to store (default: that of incoming mail)",
    )
    account.add_argument("--no-test", action="store_true", help="for add: save without trying the servers")
    json_option(account)

    doctor = command(
        "doctor", "check the config, the keyring, the mail store and the servers", "termmail doctor", "account.doctor"
    )
    account_option(doctor)
    doctor.add_argument("--rebuild", action="store_true", help="first rebuild lists and search from the raw messages")


def _server_options(account: Parser) -> None:
    """Add host, port, security and user name of each server."""
    for kind in ("imap", "pop3", "smtp"):
        account.add_argument(
            f"--{kind}-host", metavar="HOST", help=f"the {kind.upper()} server (default: guessed from the address)"
        )
        account.add_argument(
            f"--{kind}-port", type=int, metavar="PORT", help="its port (default: follows the security)"
        )
        account.add_argument(
            f"--{kind}-security",
            choices=("tls", "starttls", "none"),
            help="how the connection is secured (default: tls)",
        )
        account.add_argument(f"--{kind}-username", metavar="USER", help="the user name (default: the address)")
