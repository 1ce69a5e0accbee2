"""Triage: the messages of a list one after the other on the whole screen, the next by itself, and what was done."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import TYPE_CHECKING

from termmail.mail.counting import count, number
from termmail.mail.model import Step
from termmail.mail.step_words import step_words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from termmail.mail.model import Done, StepKind
    from termmail.ui.widgets.message_list import MessageList


KEYS = (
    *("message.archive", "message.delete", "list.triage", "message.snooze", "message.undo", "message.label"),
    *("app.help-too", "view.back", "message.reply", "message.star"),
)
"""The actions that the key bar shows in triage, those first that are used most."""


class TriageMode:
    """Walks through `queue`, the ids that the list had at the cursor and below when triage began.

    `noun` is what a row of the list is: a message, or a conversation.
    """

    def __init__(self, messages: MessageList, queue: Sequence[int], noun: str) -> None:
        self.queue = array("q", queue)
        self.is_over = False
        self.noun = noun
        self._messages = messages
        self._places = {message_id: place for place, message_id in enumerate(self.queue)}
        self._at = 0
        self._steps: dict[int, tuple[StepKind, str, tuple[int, ...]]] = {}
        """What was done meanwhile: kind, name and messages of each step, by its id."""

    @property
    def place(self) -> int:
        """The place in the queue of the message at the cursor."""
        return self._places.get(self._messages.cursor_id, self._at)

    def title(self) -> tuple[str, str, str]:
        """Return the words of the title line."""
        return ("Triage", f"{number(self.place + 1)} of {number(len(self.queue))}", "")

    def advance(self) -> bool:
        """Go to the next message of the queue; return whether there is one."""
        return self._go_on(self.place + 1)

    def left(self, gone: Collection[int]) -> bool:
        """Go to the message behind those that have left the list; return whether there is one."""
        places = [self._places[one] for one in gone if one in self._places]
        return self._go_on(max(places) + 1) if places else True

    def _go_on(self, place: int) -> bool:
        index = {message_id: at for at, message_id in enumerate(self._messages.ids)}
        for at in range(place, len(self.queue)):
            if (found := index.get(self.queue[at])) is not None:
                self._at = at
                self._messages.go(found)
                return True
        return False

    # -- what was done

    def did(self, done: Done) -> None:
        """Count a step."""
        if done.step is not None:
            self._steps[done.step.step_id] = done.step.kind, done.step.name, done.message_ids

    def took_back(self, step: Step) -> None:
        """Count a step no more."""
        self._steps.pop(step.step_id, None)

    def summary(self) -> list[str]:
        """Return what was done, a line for each kind of step, and how many messages were left as they are."""
        counts: Counter[tuple[StepKind, str]] = Counter()
        for kind, name, message_ids in self._steps.values():
            counts[kind, name] += len(message_ids)
        lines = [step_words(Step(0, kind, held, name, 0)) for (kind, name), held in counts.items()]
        changed = {one for _, _, message_ids in self._steps.values() for one in message_ids}
        seen = self.queue if self.is_over else self.queue[: self.place]
        if left := sum(one not in changed for one in seen):
            lines.append(f"Left as they are: {count(left, self.noun)}")
        return lines
