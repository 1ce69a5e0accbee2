r"""The commands about messages, from SELECT to APPEND (RFC 3501 section 6.4, RFC 4315, 6851, 7162)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.demo.imap_mailbox import SYSTEM_FLAGS
from termmail.demo.imapd_fetch import Fetching, fetching
from termmail.demo.imapd_search import extended_row, result_options, search
from termmail.demo.imapd_state import Reply, SessionState, check_count
from termmail.demo.imapd_syntax import (
    Bad,
    No,
    Value,
    chosen,
    compact,
    date_of,
    flags_of,
    items,
    number,
    ranges,
    text,
    word,
    words,
)
from termmail.demo.imapd_view import FolderView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from termmail.demo.imap_mailbox import ImapFolder

# -- open and close


def select(state: SessionState, arguments: list[Value], *, read_only: bool = False) -> Reply:
    """Execute SELECT or EXAMINE, with CONDSTORE or QRESYNC."""
    check_count(arguments, 1, 2)
    resync = _select_parameters(state, arguments[1:])
    rows = [b"* OK [CLOSED] closed\r\n"] if state.view is not None and state.offers("QRESYNC") else []
    state.close_view()
    if state.user_mailbox().find(state.stored_name(arguments[0])) is None:
        raise No("[NONEXISTENT] there is no such folder")
    folder = state.folder(arguments[0])
    read_only = read_only or folder.read_only
    state.view = view = FolderView(state.user_mailbox(), folder, state.wake, read_only=read_only)
    rows += _opening_rows(state, view)
    if resync and resync[0] == folder.uidvalidity:
        rows += _resync_rows(state, view, *resync[1:])
    return Reply("[READ-ONLY] open" if read_only else "[READ-WRITE] open", rows)


def examine(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute EXAMINE."""
    return select(state, arguments, read_only=True)


def _select_parameters(state: SessionState, arguments: list[Value]) -> tuple[int, int, Value] | None:
    """Return UIDVALIDITY, mod-sequence and set of known unique ids of QRESYNC, or None without it. Raises Bad."""
    if not arguments:
        return None
    match items(arguments[0]):
        case [bytes() as name] if name.upper() == b"CONDSTORE":
            state.use_modseq()
            return None
        case [bytes() as name, [validity, modseq, *known]] if name.upper() == b"QRESYNC":
            if "QRESYNC" not in state.enabled:
                raise Bad("QRESYNC is not enabled")
            uids = known[0] if known and isinstance(known[0], bytes) else b"1:*"
            return number(validity), number(modseq), uids
    raise Bad("unknown parameter of SELECT")


def _opening_rows(state: SessionState, view: FolderView) -> list[bytes]:
    folder, kind = view.folder, state.kind
    flags = " ".join([*SYSTEM_FLAGS, *kind.keywords, *folder.keywords])
    kept = [flags, *(["\\*"] if kind.new_keywords else [])] if folder.takes_keywords else SYSTEM_FLAGS
    permanent = "" if view.read_only else " ".join(kept)
    rows = [
        f"* FLAGS ({flags})",
        f"* OK [PERMANENTFLAGS ({permanent})] kept",
        f"* {len(view.known)} EXISTS",
        "* 0 RECENT",
        f"* OK [UIDVALIDITY {folder.uidvalidity}] valid",
        f"* OK [UIDNEXT {folder.uidnext}] next",
    ]
    if state.offers("CONDSTORE"):
        rows.append(f"* OK [HIGHESTMODSEQ {folder.highestmodseq}] highest")
    if state.offers("OBJECTID"):
        rows.append(f"* OK [MAILBOXID ({folder.mailbox_id})] lasting")
    return [row.encode("utf-8", "surrogateescape") + b"\r\n" for row in rows]


def _resync_rows(state: SessionState, view: FolderView, since: int, known: Value) -> Iterator[bytes]:
    if state.kind.vanished_on_select:
        yield from _vanished_rows(view.folder, since, known)
    yield from _rows(view, view.known, fetching([], also=[b"UID", b"FLAGS", b"MODSEQ"]), since)


def _vanished_rows(folder: ImapFolder, since: int, among: Value) -> list[bytes]:
    """Return VANISHED (EARLIER) for what went since a mod-sequence, if anything did (RFC 7162 section 3.2.10)."""
    parts = ranges(among, folder.uidnext - 1)
    gone = sorted(
        uid
        for uid, modseq in folder.expunged.items()
        if modseq > since and any(low <= uid <= high for low, high in parts)
    )
    return [b"* VANISHED (EARLIER) %b\r\n" % compact(gone)] if gone else []


def close(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute CLOSE, which expunges and tells nothing of it."""
    check_count(arguments, 0)
    view = state.open_view()
    state.close_view()
    if not view.read_only:
        view.folder.expunge(_deleted(view, view.known))
    return Reply("closed")


def unselect(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute UNSELECT (RFC 3691)."""
    check_count(arguments, 0)
    state.open_view()
    state.close_view()
    return Reply("closed")


def check(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute CHECK."""
    check_count(arguments, 0)
    state.open_view()
    return Reply("done")


# -- read


def _uids(view: FolderView, value: Value, *, uid: bool) -> list[int]:
    """Return the known unique ids that a set names, by unique id or by number. Raises Bad."""
    if uid:
        return chosen(value, view.known)
    numbers = range(1, len(view.known) + 1)
    if any(high > len(view.known) for _, high in ranges(value, len(view.known))):
        raise Bad("there is no message of that number")
    return [view.known[at - 1] for at in chosen(value, numbers)]


def fetch(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    r"""Execute FETCH or UID FETCH, with CHANGEDSINCE and VANISHED; BODY[] without PEEK marks as \Seen."""
    check_count(arguments, 2, 3)
    view = state.open_view()
    uids = _uids(view, arguments[0], uid=uid)
    since, vanished = _fetch_modifiers(state, arguments[2:], uid=uid)
    also = [b"UID"] if uid else []
    also += [b"MODSEQ"] if since is not None else []
    asked = fetching(arguments[1], also)
    if b"MODSEQ" in asked.names:
        state.use_modseq()
    if b"EMAILID" in asked.names:
        state.need("OBJECTID")
    if any(name.startswith(b"X-GM-") for name in asked.names):
        state.need("X-GM-EXT-1")
    rows = _vanished_rows(view.folder, since or 0, arguments[0]) if vanished else []
    uids, code = _limited(state, uids)
    if asked.reads and not view.read_only:
        view.folder.store(uids, add=["\\Seen"])
    return Reply(f"{code}fetched", _chain(rows, _rows(view, uids, asked, since or 0)))


def _limited(state: SessionState, uids: list[int]) -> tuple[list[int], str]:
    """Return the newest messages that one command may name, and the code that tells where it ended (RFC 9738)."""
    limit = state.limit("MESSAGELIMIT")
    if limit is None or len(uids) <= limit:
        return uids, ""
    return uids[-limit:], f"[MESSAGELIMIT {limit} {uids[-limit]}] "


def _chain(first: list[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    yield from first
    yield from rest


def _fetch_modifiers(state: SessionState, arguments: list[Value], *, uid: bool) -> tuple[int | None, bool]:
    """Return the mod-sequence of CHANGEDSINCE, or None, and whether VANISHED is asked for. Raises Bad."""
    if not arguments:
        return None, False
    match items(arguments[0]):
        case [bytes() as name, bytes() as modseq, *rest] if name.upper() == b"CHANGEDSINCE" and number(modseq) > 0:
            state.use_modseq()
            if rest and (words(rest) != ["VANISHED"] or "QRESYNC" not in state.enabled or not uid):
                raise Bad("VANISHED needs QRESYNC and UID FETCH")
            return number(modseq), bool(rest)
    raise Bad("unknown modifier of FETCH")


def _rows(view: FolderView, uids: list[int], asked: Fetching, since: int) -> Iterator[bytes]:
    """Yield the rows of those messages that are there and have changed since a mod-sequence."""
    messages = view.folder.messages
    for uid in uids:
        message = messages.get(uid)
        if message is not None and message.modseq > since:
            yield asked.row(view.number(uid), message)


def search_messages(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    """Execute SEARCH or UID SEARCH, with or without RETURN."""
    view = state.open_view()
    asked = None
    if len(arguments) > 1 and word_or_empty(arguments[0]) == "RETURN":
        state.need("ESEARCH")
        asked, arguments = result_options(arguments[1]), arguments[2:]
    found, code = _limited(state, search(view, arguments, mod_sequences=state.offers("CONDSTORE")))
    shown = found if uid else [view.number(one) for one in found]
    if asked is not None:
        return Reply(f"{code}searched", [extended_row(state.tag, shown, asked, uid=uid)])
    return Reply(f"{code}searched", [b"* SEARCH" + b"".join(b" %d" % one for one in shown) + b"\r\n"])


def word_or_empty(value: Value) -> str:
    """Return a keyword in capitals, or "" for a list."""
    return word(value) if isinstance(value, bytes) else ""


# -- change


def store(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    """Execute STORE or UID STORE, with UNCHANGEDSINCE (RFC 7162 section 3.1.3)."""
    arguments = list(arguments)
    view = state.writable_view()
    unchanged_since = None
    if len(arguments) == 4:
        unchanged_since = _store_modifier(state, arguments.pop(1))
    check_count(arguments, 3)
    uids = _uids(view, arguments[0], uid=uid)
    item = word(arguments[1])
    flags = _kept(state, flags_of(arguments[2] if isinstance(arguments[2], list) else [arguments[2]]))
    messages = view.folder.messages
    failed = []
    if unchanged_since is not None:
        failed = [one for one in uids if one in messages and messages[one].modseq > unchanged_since]
        uids = [one for one in uids if one not in set(failed)]
    match item.removesuffix(".SILENT"):
        case "+FLAGS":
            changed = view.folder.store(uids, add=flags)
        case "-FLAGS":
            changed = view.folder.store(uids, remove=flags)
        case "FLAGS":
            changed = view.folder.replace_flags(uids, flags)
        case _:
            raise Bad("unknown item of STORE")
    silent = item.endswith(".SILENT")
    view.flags_told(changed.values())
    wanted = [b"UID"] if uid or "QRESYNC" in state.enabled else []
    wanted += [] if silent else [b"FLAGS"]
    wanted += [b"MODSEQ"] if state.condstore else []
    told = [] if silent and not state.condstore else list(changed) if silent else uids
    rows = list(_rows(view, told, fetching([], also=wanted), 0)) if told else []
    modified = failed if uid else [view.number(one) for one in failed]
    return Reply(f"[MODIFIED {compact(modified).decode()}] stored in part" if failed else "stored", rows)


def _store_modifier(state: SessionState, value: Value) -> int:
    match items(value):
        case [bytes() as name, bytes() as modseq] if name.upper() == b"UNCHANGEDSINCE":
            state.use_modseq()
            return number(modseq)
    raise Bad("unknown modifier of STORE")


def _kept(state: SessionState, flags: list[str]) -> list[str]:
    """Return those flags that the server keeps."""
    kind = state.kind
    known = {flag.lower() for flag in (*SYSTEM_FLAGS, *kind.keywords)}
    return flags if kind.new_keywords else [flag for flag in flags if flag.lower() in known]


def copy(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    """Execute COPY or UID COPY."""
    check_count(arguments, 2)
    view = state.open_view()
    uids = _uids(view, arguments[0], uid=uid)
    _check_limit(state, uids)
    target = state.folder(arguments[1], code="TRYCREATE")
    pairs = view.folder.copy(uids, target)
    return Reply(f"{_copy_uid(state, target, pairs)}copied")


def move(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    """Execute MOVE or UID MOVE: COPYUID is told before the messages leave (RFC 6851 section 4.3)."""
    check_count(arguments, 2)
    view = state.writable_view()
    uids = _uids(view, arguments[0], uid=uid)
    _check_limit(state, uids)
    target = state.folder(arguments[1], code="TRYCREATE")
    pairs = view.folder.move(uids, target)
    code = _copy_uid(state, target, pairs)
    rows = [f"* OK {code}moved\r\n".encode()] if code else []
    return Reply(f"{_modseq_code(state, pairs)}moved", [*rows, *state.news()])


def _check_limit(state: SessionState, uids: list[int]) -> None:
    """Raise No for more messages than one command may copy (RFC 9738)."""
    if (code := _limited(state, uids)[1]) != "":
        raise No(f"{code}too many messages")


def _copy_uid(state: SessionState, target: ImapFolder, pairs: dict[int, int]) -> str:
    """Return the response code COPYUID and a blank, or "" (RFC 4315 section 3)."""
    if not pairs or not state.offers("UIDPLUS"):
        return ""
    return f"[COPYUID {target.uidvalidity} {compact(pairs).decode()} {compact(pairs.values()).decode()}] "


def _modseq_code(state: SessionState, removed: object) -> str:
    """Return the response code HIGHESTMODSEQ and a blank behind a removal, or "" (RFC 7162 section 3.2.7)."""
    if not removed or "QRESYNC" not in state.enabled:
        return ""
    return f"[HIGHESTMODSEQ {state.open_view().folder.highestmodseq}] "


def expunge(state: SessionState, arguments: list[Value], *, uid: bool = False) -> Reply:
    """Execute EXPUNGE, or UID EXPUNGE of some messages (RFC 4315 section 2.1)."""
    check_count(arguments, 1 if uid else 0)
    view = state.writable_view()
    among = _uids(view, arguments[0], uid=True) if uid else view.known
    gone = view.folder.expunge(_deleted(view, among))
    rows = state.news()
    return Reply(f"{_modseq_code(state, gone)}expunged", rows)


def _deleted(view: FolderView, uids: list[int]) -> list[int]:
    messages = view.folder.messages
    return [uid for uid in uids if uid in messages and "\\Deleted" in messages[uid].flags]


def append(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute APPEND: folder, perhaps flags, perhaps a date, and the message."""
    check_count(arguments, 2, 3, 4)
    name, *between, raw = arguments
    folder = state.folder(name, code="TRYCREATE")
    flags: list[str] = []
    if between and isinstance(between[0], list):
        flags = _kept(state, flags_of(between.pop(0)))
    date = date_of(text(between.pop(0))) if between else None
    if between:
        raise Bad("wrong number of arguments")
    uid = folder.add(text(raw), flags, date)
    return Reply(f"[APPENDUID {folder.uidvalidity} {uid}] appended" if state.offers("UIDPLUS") else "appended")
