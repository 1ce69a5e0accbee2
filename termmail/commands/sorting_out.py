"""snooze, remind, label, mute and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.commands import output
from termmail.commands.exit_codes import DATA, OK, USAGE, CommandError
from termmail.commands.message_verbs import report, rows_of
from termmail.mail import when
from termmail.mail.counting import count
from termmail.mail.model import LABEL_COLORS
from termmail.mail.rule import Rule, RuleError
from termmail.mail.step_words import done_words, ran_words, renamed_label_words, undone_words
from termmail.mail.views import Ready, ReadyView

if TYPE_CHECKING:
    from argparse import Namespace

    from termmail.engine.engine import Engine
    from termmail.mail.model import Label


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
    seen = [row.placement for row in rows]
    until = None if args.back else _time(engine, args.until)
    if args.back:  # in the folder in which it is snoozed: it may lie in another one too
        seen = await engine.lists.members(ReadyView(Ready.SNOOZED), args.ids) or seen
    done = await engine.marks.snooze(seen, until)
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
    """Put labels on messages and take labels away; without messages list the labels, or change one of them."""
    if args.rename or args.color or args.delete:
        if args.ids or args.add or args.remove:
            raise CommandError("--rename, --color and --delete are about a label, not about messages.", USAGE)
        return await _change_label(engine, args)
    if not args.ids:
        if args.add or args.remove:
            raise CommandError("Which message? termmail label ID --add NAME", USAGE, "termmail list shows the ids.")
        sizes = await engine.marks.label_sizes()
        for one in await engine.marks.labels():
            if args.json:
                output.line({"name": one.name, "color": one.color, "messages": sizes.get(one.label_id, 0)})
            else:
                print(one.name)
        return OK
    rows = await rows_of(engine, args.ids)
    if not (args.add or args.remove):
        raise CommandError("Which label? --add NAME or --remove NAME", USAGE)
    take = [(await _label(engine, name)).label_id for name in args.remove]
    report(await engine.marks.change_labels([row.message_id for row in rows], args.add, take), "Nothing changed", args)
    return OK


async def _label(engine: Engine, name: str) -> Label:
    known = await engine.marks.label(name)
    if known is None:
        raise CommandError(f"There is no label {name!r}.", DATA, "termmail label lists them.")
    return known


async def _change_label(engine: Engine, args: Namespace) -> int:
    """Rename a label, give it another colour, or take it away from all messages: what was asked for, in this order."""
    words = []
    if args.rename:
        before = await _label(engine, args.rename[0])
        done, keyword = await engine.marks.rename_label(before.label_id, args.rename[1])
        words.append("Nothing changed" if done.step is None else renamed_label_words(before.name, done.step, keyword))
    if args.color:
        one = await _label(engine, args.color[0])
        color = args.color[1]
        if color not in _COLORS:
            raise CommandError(f"{color!r} is no colour of labels.", USAGE, f"They are numbered 1 to {LABEL_COLORS}.")
        await engine.marks.recolor(one.label_id, int(color) - 1)
        words.append(f"Label {one.name} has colour {color}")
    if args.delete:
        one = await _label(engine, args.delete)
        words.append(done_words(await engine.marks.remove_label(one.label_id)) or "Nothing changed")
    if args.json:
        output.line({"words": " · ".join(words)})
    else:
        print("\n".join(words))
    return OK


_COLORS = {str(number) for number in range(1, LABEL_COLORS + 1)}


# -- rules


async def rules(engine: Engine, args: Namespace) -> int:
    """List, make, change, try, run or remove rules, or show and take back what they did."""
    handler, needed, usage = _RULES[args.verb]
    if not needed[0] <= len(args.words) <= needed[1]:
        raise CommandError(f"Usage: termmail rules {args.verb}{usage}", USAGE)
    return await handler(engine, args)


async def _list(engine: Engine, args: Namespace) -> int:
    missing = await engine.rules.missing_folders()
    for one in await engine.rules.listing():
        if args.json:
            data = {"id": one.rule_id, "name": one.name, "query": one.query, "verbs": one.verbs, "active": one.active}
            output.line(data)
        else:
            lacks = f" (no account has the folder “{missing[one.rule_id]}”)" if one.rule_id in missing else ""
            print(f"{one.rule_id:>4}  {one.name}: {one.query} → {one.verbs}{'' if one.active else ' (off)'}{lacks}")
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
    ran = await engine.rules.run(_number(args))
    words = ran_words(ran)
    if args.json:
        output.line({"count": 0 if ran.step is None else ran.step.count, "words": words})
    else:
        print(words)
    return OK


async def _change(engine: Engine, args: Namespace) -> int:
    wanted = Rule(_number(args), args.name or "", args.words[1], ",".join(args.words[2:]))
    rule, step = await engine.rules.change(wanted)
    _said(args, rule.rule_id, f"Rule {rule.rule_id} is {'now' if step else 'as before'}: {rule.name}")
    return OK


async def _shift(engine: Engine, args: Namespace) -> int:
    number = _number(args)
    await engine.rules.shift(number, -1 if args.verb == "up" else 1)
    ids = [one.rule_id for one in await engine.rules.listing()]
    _said(args, number, f"Rule {number} acts as number {ids.index(number) + 1} of {len(ids)}")
    return OK


async def _remove(engine: Engine, args: Namespace) -> int:
    rule, _ = await engine.rules.remove(_number(args))
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
    "change": (_change, (3, 20), " ID QUERY VERB …"),
    "up": (_shift, (1, 1), " ID"),
    "down": (_shift, (1, 1), " ID"),
    "try": (_try, (1, 1), " QUERY"),
    "run": (_run, (1, 1), " ID"),
    "remove": (_remove, (1, 1), " ID"),
    "on": (_on, (1, 1), " ID"),
    "off": (_on, (1, 1), " ID"),
    "log": (_log, (0, 0), ""),
    "undo": (_undo, (1, 1), " NUMBER"),
}
"""For each verb its function, how many words it takes, and which."""
