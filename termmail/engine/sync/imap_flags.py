r"""Flags of IMAP (RFC 3501 section 2.3.2) and the flags of a message here. "Unread" is the absence of \Seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.mail.model import Flag
from termmail.store.imap_labels import Kept

if TYPE_CHECKING:
    from termmail.net.imap.folder_state import FolderState

_NAMES = {
    Flag.UNREAD: r"\Seen",
    Flag.STARRED: r"\Flagged",
    Flag.ANSWERED: r"\Answered",
    Flag.FORWARDED: "$Forwarded",
}


def mask_of(flags: frozenset[str]) -> int:
    """Return the mask for what a server tells."""
    mask = 0
    for flag, name in _NAMES.items():
        if (name in flags) != (flag is Flag.UNREAD):
            mask |= flag
    return mask


def kept_mask(state: FolderState) -> int:
    """Return the mask of the flags that mean something in a folder: a new keyword may be told and not kept."""
    kept = state.storable(frozenset(_NAMES.values()))
    return sum(flag for flag, name in _NAMES.items() if state.read_only or name in kept)


def kept_labels(state: FolderState) -> Kept:
    """Return which labels a folder keeps as keywords."""
    return Kept(r"\*" in state.permanent_flags, frozenset(flag.lower() for flag in state.permanent_flags))


def difference(wanted: int, base: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return the flags to add and those to remove where the server has `base`."""
    add: set[str] = set()
    remove: set[str] = set()
    for flag, name in _NAMES.items():
        if (wanted ^ base) & flag:
            has = bool(wanted & flag) != (flag is Flag.UNREAD)
            (add if has else remove).add(name)
    return frozenset(add), frozenset(remove)
