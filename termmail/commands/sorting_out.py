"""snooze, remind, label, mute and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import DATA, OK, USAGE, CommandError
from termmail.commands.message_verbs import report, rows_of
from termmail.mail import when
from termmail.mail.counting import count
from termmail.mail.rule import RuleError
from termmail.mail.step_words import step_words, undone_words

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine


def _time(engine: Engine, text: str) -> int:
    """Return a time to come. Raises CommandError for a text that is none."""
    found = when.parse(text, engine.context.clock())
    if found is None:
        advice = "Write it as in: 'tomorrow 9', mon, 'in 2 hours', '3 dec', 'next week'."
        raise CommandError(f"{text!r} is no time to come.", USAGE, advice)
    return found


async def snooze(engine: Engine, args: Namespace) -> int:
    """Leave messages out of their folder until a time, or bring them back."""
    rows = await rows_of(engine, args.ids)
    until = None if args.back else _time(engine, args.until)
    done = await engine.marks.snooze([row.placement for row in rows], until)
    report(done, "Nothing changed", args)
    return OK


async def remind(engine: Engine, args: Namespace) -> int:
    """Bring messages back at a time if nobody answers them, or call that off."""
    rows = await rows_of(engine, args.ids)
    at = None if args.off else _time(engine, args.at)
    report(await engine.marks.remind([row.message_id for row in rows], at), "Nothing changed", args)
    return OK


async def mute(engine: Engine, args: Namespace) -> int:
    """Mute the conversations of messages, or end that."""
    rows = await rows_of(engine, args.ids)
    if args.off:
        done = await engine.marks.unmute([row.message_id for row in rows])
    else:
        done = await engine.marks.mute([row.placement for row in rows])
    report(done, "Nothing changed", args)
    return OK


async def label(engine: Engine, args: Namespace) -> int:
    """Put labels on messages and take labels away; without messages list the labels."""
    if not args.ids:
        if args.add or args.remove:
            raise CommandError("Which message? termmail label ID --add NAME", USAGE, "termmail list shows the ids.")
        for one in await engine.marks.labels():
            if args.json:
                output.line({"name": one.name, "color": one.color})
            else:
                print(one.name)
        return OK
    rows = await rows_of(engine, args.ids)
    if not (args.add or args.remove):
        raise CommandError("Which label? --add NAME or --remove NAME", USAGE)
    take = []
    for name in args.remove:
        known = await engine.marks.label(name)
        if known is None:
            raise CommandError(f"There is no label {name!r}.", DATA, "termmail label lists them.")
        take.append(known.label_id)
    report(await engine.marks.change_labels([row.message_id for row in rows], args.add, take), "Nothing changed", args)
    return OK


# -- rules


async def rules(engine: Engine, args: Namespace) -> int:
    """List, make, try, run or remove rules, or show and take back what they did."""
    handler, needed, usage = _RULES[args.verb]
    if not needed[0] <= len(args.words) <= needed[1]:
        raise CommandError(f"Usage: termmail rules {args.verb}{usage}", USAGE)
    return await handler(engine, args)


async def _list(engine: Engine, args: Namespace) -> int:
    for one in await engine.rules.listing():
        if args.json:
            data = {"id": one.rule_id, "name": one.name, "query": one.query, "verbs": one.verbs, "active": one.active}
            output.line(data)
        else:
            print(f"{one.rule_id:>4}  {one.name}: {one.query} → {one.verbs}{'' if one.active else ' (off)'}")
    return OK


async def _add(engine: Engine, args: Namespace) -> int:
    rule = await engine.rules.add(args.words[0], ",".join(args.words[1:]), args.name or "")
    if args.json:
        output.line({"id": rule.rule_id, "name": rule.name})
    else:
        print(f"Rule {rule.rule_id} is saved, for mail that arrives from now on: {rule.name}")
        output.say(f"termmail rules run {rule.rule_id} applies it to the Inbox as it is.")
    return OK


async def _try(engine: Engine, args: Namespace) -> int:
    trial = await engine.rules.attempt(args.words[0], named=20)
    if args.json:
        output.line({"count": trial.count, "ids": [row.message_id for row in trial.newest]})
        return OK
    for row in trial.newest:
        output.print_row(row, with_account=len(engine.accounts.names) > 1)
    output.say(f"{count(trial.count, 'message')} in the Inbox.")
    return OK


async def _run(engine: Engine, args: Namespace) -> int:
    step = await engine.rules.run(_number(args))
    words = "Nothing changed" if step is None else step_words(step)
    if args.json:
        output.line({"count": 0 if step is None else step.count, "words": words})
    else:
        print(words)
    return OK


async def _remove(engine: Engine, args: Namespace) -> int:
    rule = await engine.rules.remove(_number(args))
    _said(args, rule.rule_id, f"Rule {rule.rule_id} is removed: {rule.name}")
    return OK


async def _on(engine: Engine, args: Namespace) -> int:
    rule = await engine.rules.set_active(_number(args), active=args.verb == "on")
    _said(args, rule.rule_id, f"Rule {rule.rule_id} is {'on' if rule.active else 'off'}: {rule.name}")
    return OK


async def _log(engine: Engine, args: Namespace) -> int:
    for entry in await engine.rules.log():
        if args.json:
            data = {"id": entry.entry_id, "rule": entry.rule_id, "name": entry.name, "at": output.iso(entry.at)}
            output.line({**data, "ids": list(entry.message_ids), "count": entry.count, "words": entry.words})
        else:
            print(f"{entry.entry_id:>4}  {output.iso(entry.at)}  {entry.name}: {entry.words}")
    return OK


async def _undo(engine: Engine, args: Namespace) -> int:
    undone = await engine.rules.undo(_number(args))
    _said(args, _number(args), undone_words(undone))
    return OK


def _said(args: Namespace, number: int, words: str) -> None:
    if args.json:
        output.line({"id": number, "words": words})
    else:
        print(words)


def _number(args: Namespace) -> int:
    text = args.words[0]
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise RuleError(f"{text!r} is no number of a rule.", advice="termmail rules lists them.")
    return int(text)


_RULES = {
    "list": (_list, (0, 0), ""),
    "add": (_add, (2, 20), " QUERY VERB …"),
    "try": (_try, (1, 1), " QUERY"),
    "run": (_run, (1, 1), " ID"),
    "remove": (_remove, (1, 1), " ID"),
    "on": (_on, (1, 1), " ID"),
    "off": (_on, (1, 1), " ID"),
    "log": (_log, (0, 0), ""),
    "undo": (_undo, (1, 1), " NUMBER"),
}
"""For each verb its function, how many words it takes, and which."""
