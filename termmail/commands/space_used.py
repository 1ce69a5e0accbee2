"""`termmail space`: what lies on the servers, and deleting it there while it stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import DATA, OK, CommandError
from termmail.commands.mailbox import chosen_accounts
from termmail.mail.counting import count
from termmail.mail.shares import Grouping

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine
    from termmail.mail.shares import Share


async def space(engine: Engine, args: Namespace) -> int:
    """List what lies on the server of each account, or delete messages there that stay here."""
    if args.delete:
        return await _delete(engine, args)
    for name in chosen_accounts(engine, args.account):
        known = engine.space.groupings(name)
        grouping = Grouping(args.by) if args.by in known else known[0]
        shares = await engine.space.shares(name, grouping)
        if not args.json:
            total = output.size(sum(one.size for one in shares))
            print(f"{name}: {total} in {count(sum(one.count for one in shares), 'message')}, as the last sync saw it")
        for share in shares[: args.limit]:
            _print(name, grouping, share, args)
    return OK


def _print(account: str, grouping: Grouping, share: Share, args: Namespace) -> None:
    ids = list(share.ids)
    if args.json:
        data = {"account": account, "by": grouping.value, "name": share.name, "count": share.count, "size": share.size}
        output.line({**data, "newest": output.iso(share.newest), "not_here": share.missing, "ids": ids})
    else:
        what = (
            str(ids[0]) if grouping is Grouping.SIZE and ids else "" if grouping is Grouping.SIZE else str(share.count)
        )
        print(f"{output.size(share.size):>10}  {what:>7}  {share.name}")


async def _delete(engine: Engine, args: Namespace) -> int:
    counts = await engine.space.free(args.delete)
    if not counts:
        raise CommandError("None of these messages lies on a POP3 server to be deleted there.", DATA)
    deleted = 0
    for account in counts:
        deleted += (await engine.accounts.sync(account)).deleted
    them = "It stays" if deleted == 1 else "They stay"
    words = f"Deleted on the server: {count(deleted, 'message')}. {them} here."
    if args.json:
        output.line({"deleted": deleted, "ids": list(args.delete)})
    else:
        print(words)
    return OK
