"""account and doctor: set up accounts, and test them and the store."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from termmail.accounts import config as configuration
from termmail.accounts import discovery
from termmail.accounts.credentials import PasswordError
from termmail.commands import output
from termmail.commands.exit_codes import DISK, LOGIN, OK, REFUSED, USAGE, CommandError, code_for
from termmail.commands.mailbox import chosen_accounts
from termmail.credential import Password
from termmail.engine import account_setup, imap_report
from termmail.engine.server_lookup import LookedUp, can_ask, why_not_asked
from termmail.errors import UserError

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.accounts.config import Account
    from termmail.credential import MailProtocol, ServerKind
    from termmail.engine.account_setup import Trace
    from termmail.engine.engine import Engine


DAMAGED_ADVICE = "Keep a copy of the file, and restore a backup. What the server still has can be fetched again."

MOST_FAULTS = 20
"""Faults of a damaged store that doctor prints."""

PROTOCOLS: tuple[MailProtocol, ...] = ("imap", "pop3")
NOTHING_FOUND = LookedUp("")
_SERVER_KEYS = ("host", "port", "security", "username")


async def account(engine: Engine, args: Namespace) -> int:
    """List, add, test or remove accounts, or store a password."""
    verbs = {"list": _list, "add": _add, "test": _test, "remove": _remove, "password": _password}
    return await verbs[args.verb](engine, args)


async def _list(engine: Engine, args: Namespace) -> int:
    for name in engine.accounts.names:
        one = engine.accounts.settings(name)
        default = name == engine.accounts.default
        if args.json:
            incoming, smtp = (
                {"host": part.host, "port": part.port, "security": part.security, "username": part.username}
                for part in (one.incoming, one.smtp)
            )
            output.line(
                {"name": name, "address": one.address, "default": default, one.protocol: incoming, "smtp": smtp}
            )
        else:
            mark = "*" if default else " "
            print(
                f"{mark} {name:12}  {one.address}  {one.protocol} {one.incoming.host}:{one.incoming.port}"
                f"  smtp {one.smtp.host}:{one.smtp.port}"
            )
    if not engine.accounts.names:
        output.say("There is no account yet. Add one: termmail account add NAME ADDRESS")
    return OK


def _fetching(args: Namespace) -> dict[str, Any]:
    """Return what the options say of bodies that are fetched without being opened. Raises CommandError."""
    said: dict[str, Any] = {}
    if args.download:
        words = "one of open, all, 365 days (any number of days)"
        said["download"] = _valid("--download", args.download, configuration.Download, words)
    if args.prefetch_days is not None:
        if said.get("download", "open") != "open":
            raise CommandError("--prefetch-days needs --download open.", USAGE)
        words = "a number of days from 0 to 36500"
        said["prefetch_days"] = _valid("--prefetch-days", args.prefetch_days, configuration.Days, words)
    return said


def _valid(option: str, value: str | int, kind: Any, words: str) -> Any:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        raise CommandError(f"{option} {configuration.shown(value)} is not {words}.", USAGE) from None


def from_args(args: Namespace, found: LookedUp = NOTHING_FOUND) -> Account:
    """Build an account from the arguments; what they leave out is what the domain named, or a guess.

    Raises CommandError for values that do not fit.
    """
    try:
        one = discovery.guess(args.address, _protocol(args, found))
        parts = {}
        kinds: tuple[ServerKind, ...] = (one.protocol, "smtp")
        for kind in kinds:
            said = _said(args, kind)
            named = found.server(kind)
            part = named if named is not None and said.get("host", named.host) == named.host else one.server(kind)
            if "security" in said and "port" not in said:
                said["port"] = 0  # follows the security
            if args.tls_ca_file:
                said["tls_ca_file"] = args.tls_ca_file
            if kind != "smtp":
                said |= _fetching(args)
            if args.allow_cleartext:
                said["allow_cleartext"] = True
            if args.password_command:
                said["password_command"] = tuple(args.password_command)
            parts[kind] = type(part)(**{**msgspec.structs.asdict(part), **said})
        return msgspec.structs.replace(one, name=args.display_name or one.name, **parts)
    except (ValueError, configuration.ConfigError) as error:
        raise CommandError(str(error), USAGE) from None


def _said(args: Namespace, kind: ServerKind) -> dict[str, Any]:
    """Return what the options say of one server."""
    given = {key: getattr(args, f"{kind}_{key}") for key in _SERVER_KEYS}
    return {key: value for key, value in given.items() if value is not None}


def _protocol(args: Namespace, found: LookedUp) -> MailProtocol:
    """Return what mail is to be received by: as the options say, else the best that the domain named or the provider has.

    Raises CommandError where they contradict each other, or the provider does not have it and no server is named.
    """
    has = discovery.protocols(args.address)
    named = [protocol for protocol in PROTOCOLS if _said(args, protocol)]
    wanted = [protocol for protocol in PROTOCOLS if protocol in {args.protocol, *named}]
    if len(wanted) > 1:
        raise CommandError("Mail is received by IMAP or by POP3, not by both: leave out the options of one.", USAGE)
    protocol = wanted[0] if wanted else (found.protocols or has)[0]
    if protocol not in has and not getattr(args, f"{protocol}_host"):
        raise CommandError(
            f"The provider of {args.address} has no {protocol.upper()}, only {has[0].upper()}.",
            USAGE,
            f"Name a server with --{protocol}-host if you know better.",
        )
    return protocol


async def _add(engine: Engine, args: Namespace) -> int:
    if not args.name or not args.address:
        raise CommandError("Which account? termmail account add NAME ADDRESS", USAGE)
    if not all(args.address.rpartition("@")):
        raise CommandError(f"{args.address} is not a mail address.", USAGE, "termmail account add NAME ADDRESS")
    if args.name in engine.accounts.names:
        raise CommandError(f"There is already an account {args.name}.", USAGE)
    one = from_args(args)  # what is wrong with the options is told before anyone is asked
    if args.look_up:
        one = await _looked_up(engine, args)
    if note := discovery.note(args.address, one.protocol):
        output.say(note)
    password = "" if args.password_command else _read_password(args, f"Password for {one.incoming.username}: ")
    if not args.no_test:
        secret = (
            await engine.context.passwords.get(args.name, one.protocol, one)
            if args.password_command
            else Password(password)
        )
        async for step in engine.accounts.try_account(one, secret):
            output.say(step.words)
            if step.error is not None:
                raise CommandError(
                    "Nothing was saved.", code_for(step.error) or REFUSED, "Correct what is wrong, or add --no-test."
                )
    words = await engine.accounts.add(args.name, one, password)
    output.say(
        f"Account {args.name} is saved in {engine.context.paths.config}. {'' if args.password_command else words}".rstrip()
    )
    return OK


async def _looked_up(engine: Engine, args: Namespace) -> Account:
    """Ask the domain for its servers, tell what it said, and return the account.

    Raises CommandError where it names a host outside the domain and nobody says that a password may be sent there.
    """
    domain = can_ask(args.address)
    if not domain:
        output.say(f"{why_not_asked(args.address)} Nothing was looked up.")
        return from_args(args)
    output.say(f"Asking {domain} for its mail servers …")
    found = await engine.accounts.look_up(args.address)
    for line in found.lines:
        output.say(line)
    if not found.found:
        output.say("The usual names of servers are tried instead.")
    one = from_args(args, found)
    for kind, host in ((one.protocol, one.incoming.host), ("smtp", one.smtp.host)):
        if host in found.outside and getattr(args, f"{kind}_host") != host:
            _accept(args, kind, host, domain)
    return one


def _accept(args: Namespace, kind: str, host: str, domain: str) -> None:
    """Ask whether a password may be sent to a host outside the domain (RFC 6186 section 6). Raises CommandError for no."""
    advice = f"Add --{kind}-host {host} if you know it; else ask your provider."
    if args.password_stdin or not sys.stdin.isatty():
        raise CommandError(f"{domain} names {host}, which is not part of {domain}. Nothing was saved.", USAGE, advice)
    sys.stderr.write(f"{host} is not part of {domain}. Send your password there? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise CommandError("Nothing was saved.", USAGE, advice)


def _read_password(args: Namespace, prompt: str) -> str:
    if args.password_stdin or not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    return getpass.getpass(prompt)


async def _test(engine: Engine, args: Namespace) -> int:
    return await _try_all(engine, args.name or None, None)


async def _remove(engine: Engine, args: Namespace) -> int:
    name = chosen_accounts(engine, _named(args))[0]
    try:
        await engine.accounts.remove(name)
    except PasswordError as error:
        output.say(f"The password may still be in a keyring: {error}")
    output.say(
        f"Account {name} was removed from {engine.context.paths.config}. Its mail stays in {engine.context.paths.data}."
    )
    return OK


async def _password(engine: Engine, args: Namespace) -> int:
    name = chosen_accounts(engine, _named(args))[0]
    one = engine.accounts.settings(name)
    kind: ServerKind = args.server or one.protocol
    if kind not in {one.protocol, "smtp"}:
        raise CommandError(f"{name} receives its mail by {one.protocol.upper()}: --server {one.protocol}", USAGE)
    try:
        await engine.context.passwords.backend_name()  # before anybody types a password in vain
        password = _read_password(args, f"Password for {one.server(kind).username}: ")
        if not password:
            raise CommandError("No password was given.", USAGE)
        where = await engine.context.passwords.set(name, kind, one, password)
    except PasswordError as error:
        raise CommandError(str(error), LOGIN, error.advice) from None
    output.say(f"The password is in {where}.")
    return OK


def _named(args: Namespace) -> str:
    if not args.name:
        raise CommandError(f"Which account? termmail account {args.verb} NAME", USAGE)
    return str(args.name)


async def doctor(engine: Engine, args: Namespace) -> int:
    """Check config, keyring, store and servers, and show the conversation with the servers, without secrets."""
    output.say(f"Config    {engine.context.paths.config}")
    context = engine.context
    why = " (read-only: the disk is full)" if context.disk_full else " (read-only)" if context.read_only else ""
    output.say(f"Mail      {context.paths.data}{why}")
    try:
        output.say(f"Keyring   {await engine.context.passwords.backend_name()}")
    except PasswordError as error:
        output.say(f"Keyring   {error} {error.advice}")
    if args.rebuild:
        count = await engine.maintenance.rebuild(_show_rebuilding)
        output.say(f"Rebuilt   lists and search, from the raw bytes of {count} messages")
    code = await _check_store(engine)
    trace = account_setup.Trace()
    code = max(code, await _try_all(engine, args.account, trace), key=_severity)
    output.say("")
    output.say("The conversation (< server, > termmail; secrets hidden):")
    output.say(str(trace))
    return code


def _show_rebuilding(what: str, done: int, total: int) -> None:
    """Show on a terminal how far rebuilding is; the line goes with the last step."""
    if sys.stderr.isatty():
        words = "" if (what, done) == ("conversations", total) else f"Rebuilding: {done} of {total} {what}"
        print(f"\r{words}\x1b[K", end="", file=sys.stderr, flush=True)


async def _check_store(engine: Engine) -> int:
    """Print whether the store passes SQLite's integrity check; return the exit code."""
    faults = await engine.maintenance.check()
    if not faults:
        print("✓ The mail store is intact.")
        return OK
    print(f"✗ The mail store {engine.context.paths.store} is damaged: {faults[0]}. {DAMAGED_ADVICE}")
    for fault in faults[1:MOST_FAULTS]:
        output.say(fault)
    return DISK


def _severity(code: int) -> tuple[bool, int]:
    """Order exit codes: a damaged store before all that can be tried again."""
    return code == DISK, code


async def _try_all(engine: Engine, only: str | None, trace: Trace | None) -> int:
    """Try the servers of accounts and print the results; with a trace, explain what an IMAP server offers too."""
    worst = OK
    for name in chosen_accounts(engine, only):
        one = engine.accounts.settings(name)
        kinds: tuple[ServerKind, ...] = (one.protocol, "smtp")
        for kind in kinds:
            try:
                secret = await engine.context.passwords.get(name, kind, one)
                if kind == "imap" and trace is not None:
                    report = await imap_report.describe(one, secret, trace)
                    print(f"{name}: ✓ {report.words}", *(f"  {line}" for line in report.lines), sep="\n")
                else:
                    print(f"{name}: ✓ {await account_setup.try_server(one, kind, secret, trace)}")
            except PasswordError as error:
                print(f"{name}: ✗ {error} {error.advice}")
                worst = max(worst, LOGIN)
                break  # the other server needs the same password
            except UserError as error:
                print(f"{name}: ✗ {error} {account_setup.advice_while_trying(error, one, kind, name)}")
                worst = max(worst, code_for(error) or OK)
    return worst
