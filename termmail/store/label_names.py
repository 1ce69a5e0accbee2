"""Which labels there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Label

if TYPE_CHECKING:
    from termmail.store.store import Store


def listing(store: Store) -> list[Label]:
    """Return the labels that a message has, by name."""
    rows = store.read(
        "SELECT id, name, color FROM label l WHERE EXISTS (SELECT 1 FROM message_label t WHERE t.label = l.id)"
    )
    return sorted((Label(*row) for row in rows), key=lambda one: (one.name.casefold(), one.label_id))


def find(store: Store, name: str) -> Label | None:
    """Return the label of this name, in any case of letters, or None; also one that no message has any more."""
    wanted = " ".join(name.split()).casefold()
    rows = store.read("SELECT id, name, color FROM label")
    return next((Label(*row) for row in rows if row[1].casefold() == wanted), None)
