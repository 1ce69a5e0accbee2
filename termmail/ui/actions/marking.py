"""Snooze, labels, mute, reminders of what nobody answers, and rules."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from termmail.mail.counting import count, number
from termmail.mail.model import Role
from termmail.mail.step_words import done_words, ran_words
from termmail.mail.views import Ready, ReadyView
from termmail.ui.actions.registry import Group, verb
from termmail.ui.actions.verb_context import changeable, on_changeable_message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from termmail.mail.model import Done, Label, Placement
    from termmail.ui.actions.verb_context import Mail
    from termmail.ui.list_model import Seen
    from termmail.ui.screens.label_picker import Labelling
    from termmail.ui.screens.rule_form import Made

SNOOZED = ReadyView(Ready.SNOOZED)


def _snoozable(mail: Mail) -> str:
    if why := on_changeable_message(mail):
        return why
    if mail.list.role in {Role.TRASH, Role.JUNK, Role.SENT}:
        return f"Messages in {mail.list.name} cannot be snoozed."
    return ""


@verb("message.snooze", "b", "Snooze until a time", Group.SORTING_OUT, applies=_snoozable, rank=11, short="snooze")
def snooze(mail: Mail) -> None:
    """Ask for a time, and leave the messages out of the list until then."""
    from termmail.ui.screens.pick_time import PickTimeScreen  # noqa: PLC0415 - not needed for the first screen

    ids = mail.targets()
    seen = mail.list.seen(ids)
    is_snoozed = mail.list.view == SNOOZED

    def chosen(until: int | None) -> None:
        if until is not None:
            leaving = not mail.list.looks_in_many or (is_snoozed and not until)
            work = partial(_snooze, mail, until or None)
            mail.act(work, ids, leaving=leaving, seen=seen, asking="Snooze")

    title = f"Snooze {mail.amount(ids)} until"
    screen = PickTimeScreen(title, mail.engine.context.clock(), without="Back now" if is_snoozed else "")
    mail.screen.app.push_screen(screen, chosen)


async def _snooze(mail: Mail, until: int | None, seen: list[Placement]) -> Done:
    return await mail.engine.marks.snooze(seen, until)


@verb("message.remind", "D", "Remind me if nobody answers", Group.SORTING_OUT, applies=on_changeable_message)
def remind(mail: Mail) -> None:
    """Ask for a time at which the messages come back to the Inbox, if nobody has answered them by then."""
    from termmail.ui.screens.pick_time import PickTimeScreen  # noqa: PLC0415 - not needed for the first screen

    ids = mail.targets()
    seen = mail.list.seen(ids)
    has_one = any(row.remind_at for row in mail.target_rows())

    def chosen(until: int | None) -> None:
        if until is not None:
            mail.act(partial(_remind, mail, until or None), ids, leaving=False, seen=seen)

    title = f"Remind me if nobody answers ({mail.amount(ids)})"
    screen = PickTimeScreen(title, mail.engine.context.clock(), without="No reminder" if has_one else "")
    mail.screen.app.push_screen(screen, chosen)


async def _remind(mail: Mail, until: int | None, seen: list[Placement]) -> Done:
    return await mail.engine.marks.remind([one.message_id for one in seen], until)


@verb(
    "message.label",
    "l",
    "Add or remove labels",
    Group.SORTING_OUT,
    applies=on_changeable_message,
    rank=12,
    short="label",
)
def label(mail: Mail) -> None:
    """Ask for labels to put on the messages or to take away; a name that is typed makes a new one."""
    ids = mail.targets()
    mail.screen.termmail.held_keys.hold()
    mail.do(partial(_ask_labels, mail, ids, mail.list.seen(ids)))


async def _ask_labels(mail: Mail, ids: Sequence[int], seen: Seen) -> None:
    from termmail.ui.screens.label_picker import LabelPickerScreen, Manage  # noqa: PLC0415 - not needed for the first screen

    try:
        wanted = [one.message_id for one in await mail.list.placements(ids, seen)]
        labels, present = await mail.engine.marks.labels(), await mail.engine.marks.label_counts(wanted)

        def chosen(asked: Labelling | Manage | None) -> None:
            if isinstance(asked, Manage):
                _show_labels(mail, then=partial(mail.do, partial(_ask_labels, mail, ids, seen)))
            elif asked is not None:
                mail.sure("Label", ids, partial(mail.do, partial(_label, mail, wanted, labels, asked)))

        title = f"Label {count(len(wanted), 'message')}"
        await mail.screen.app.push_screen(LabelPickerScreen(title, labels, present, len(wanted)), chosen)
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.held_keys.release)


async def _label(mail: Mail, ids: Sequence[int], labels: Sequence[Label], wanted: Labelling) -> str:
    async with mail.in_turn:
        known = {one.label_id for one in labels}
        for label_id, color in wanted.colors.items():
            if label_id in known:
                await mail.engine.marks.recolor(label_id, color)
        if not (wanted.add or wanted.take):
            return ""
        return done_words(mail.did(await mail.engine.marks.change_labels(ids, wanted.add, wanted.take)))


@verb("mail.labels", "", "Manage labels", Group.SORTING_OUT, applies=changeable)
def labels(mail: Mail) -> None:
    """List the labels, to change them."""
    _show_labels(mail, then=lambda: None)


def _show_labels(mail: Mail, then: Callable[[], object]) -> None:
    """List the labels, then do `then`."""
    from termmail.ui.screens.label_list import LabelListScreen  # noqa: PLC0415 - not needed for the first screen

    def left(_result: None) -> None:
        then()

    screen = LabelListScreen(mail.engine.marks, mail.engine.journal, mail.key("message.label"))
    mail.screen.app.push_screen(screen, left)


@verb("message.mute", "M", "Mute or unmute the conversation", Group.SORTING_OUT, applies=on_changeable_message)
def mute(mail: Mail) -> None:
    """Archive the conversation and what comes to it later; of a muted one end that."""
    rows, ids = mail.target_rows(), mail.targets()
    if rows and rows[0].message_id == ids[0] and rows[0].muted:
        mail.act(partial(_unmute, mail), ids, leaving=False)
    else:
        mail.act(mail.engine.marks.mute, ids, leaving=mail.list.role is Role.INBOX, asking="Mute")


async def _unmute(mail: Mail, seen: list[Placement]) -> Done:
    return await mail.engine.marks.unmute([one.message_id for one in seen])


# -- rules


@verb("message.rule", "C", "Make a rule from this message", Group.SORTING_OUT, applies=on_changeable_message)
def rule(mail: Mail) -> None:
    """Ask what is done with mail like this from now on."""
    mail.screen.termmail.held_keys.hold()
    mail.do(partial(_ask_rule, mail, mail.screen.messages.cursor_id))


async def _ask_rule(mail: Mail, message_id: int) -> None:
    from termmail.ui.screens.rule_form import RuleFormScreen  # noqa: PLC0415 - not needed for the first screen

    try:
        query = await mail.engine.rules.suggest(message_id)

        def made(found: Made | None) -> None:
            if found is not None:
                mail.do(partial(_rule_made, mail, found))

        await mail.screen.app.push_screen(RuleFormScreen(mail.engine.rules, query), made)
    finally:
        mail.screen.app.call_after_refresh(mail.screen.termmail.held_keys.release)


async def _rule_made(mail: Mail, made: Made) -> str:
    words = f"Rule saved, for mail that arrives: {made.rule.name}"
    if not made.at_once:
        key = mail.key("message.undo")
        return f"{words} · {key} removes it" if key else words

    def told(done: int, total: int) -> None:
        if done < total:
            mail.status.say(f"{made.rule.name}: {number(done)} of {number(total)} messages")

    # Without `in_turn`: undo must not wait for the end of it, but stop it.
    ran = await mail.engine.rules.run(made.rule.rule_id, told)
    if ran.step is not None:
        return mail.with_undo_hint(ran_words(ran))
    return ran_words(ran) if ran.trouble or ran.is_stopped else words


@verb("mail.rules", "", "Rules, and what they did", Group.SORTING_OUT, applies=changeable)
def rules(mail: Mail) -> None:
    """List the rules and their log."""
    from termmail.ui.screens.rule_list import RuleListScreen  # noqa: PLC0415 - not needed for the first screen

    key = mail.key("message.rule")
    mail.screen.app.push_screen(RuleListScreen(mail.engine.rules, mail.engine.journal, key, mail.screen.clock()))
