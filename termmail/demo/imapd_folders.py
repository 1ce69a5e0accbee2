"""The commands about folders: LIST, STATUS, CREATE and so on (RFC 3501 section 6.3, RFC 5258, 5819, 6154)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from termmail.demo.imapd_state import Reply, SessionState, check_count
from termmail.demo.imapd_syntax import Bad, No, Value, astring, string, text, word, words

if TYPE_CHECKING:
    from termmail.demo.imap_mailbox import ImapFolder

_STATUS_ITEMS = {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ", "MAILBOXID"}


def create(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute CREATE; a delimiter at the end of the name is ignored."""
    check_count(arguments, 1)
    name = state.stored_name(arguments[0]).rstrip(b"/")
    try:
        state.user_mailbox().create(name)
    except ValueError:
        raise No("[ALREADYEXISTS] the folder exists") from None
    return Reply("created")


def delete(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute DELETE; the open folder is closed by it."""
    check_count(arguments, 1)
    name = state.stored_name(arguments[0])
    if name == b"INBOX":
        raise No("[CANNOT] INBOX cannot be deleted")
    folder = state.folder(arguments[0])
    if state.view is not None and state.view.folder is folder:
        state.close_view()
    state.user_mailbox().delete(name)
    return Reply("deleted")


def rename(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute RENAME."""
    check_count(arguments, 2)
    old, new = map(state.stored_name, arguments)
    if old not in state.user_mailbox().folders:
        raise No("[NONEXISTENT] there is no such folder")
    try:
        state.user_mailbox().rename(old, new)
    except ValueError as error:
        raise No(f"[ALREADYEXISTS] {error}") from None
    return Reply("renamed")


def subscribe(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute SUBSCRIBE."""
    check_count(arguments, 1)
    state.folder(arguments[0]).subscribed = True
    return Reply("subscribed")


def unsubscribe(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute UNSUBSCRIBE."""
    check_count(arguments, 1)
    state.folder(arguments[0]).subscribed = False
    return Reply("unsubscribed")


def namespace(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute NAMESPACE (RFC 2342)."""
    check_count(arguments, 0)
    personal = b"((%b %b))" % (string(state.kind.prefix), string(state.kind.delimiter))
    return Reply("done", [b"* NAMESPACE %b NIL NIL\r\n" % personal])


def status(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute STATUS."""
    check_count(arguments, 2)
    folder = state.folder(arguments[0])
    return Reply("done", [status_row(state, folder, _status_items(state, arguments[1]))])


def _status_items(state: SessionState, value: Value) -> list[str]:
    asked = words(value)
    if not asked or not _STATUS_ITEMS.issuperset(asked):
        raise Bad("unknown item of STATUS")
    if "HIGHESTMODSEQ" in asked:
        state.use_modseq()
    if "MAILBOXID" in asked:
        state.need("OBJECTID")
    return asked


def status_row(state: SessionState, folder: ImapFolder, asked: list[str]) -> bytes:
    """Return what STATUS says of a folder."""
    messages = folder.messages.values()
    told = []
    for item in asked:
        match item:
            case "MESSAGES":
                value = len(messages)
            case "UNSEEN":
                value = sum("\\Seen" not in message.flags for message in messages)
            case "RECENT":
                value = 0
            case "MAILBOXID":
                told.append(b"MAILBOXID (%b)" % folder.mailbox_id.encode())
                continue
            case _:
                value = getattr(folder, item.lower())
        told.append(b"%b %d" % (item.encode(), value))
    return b"* STATUS %b (%b)\r\n" % (astring(state.kind.wire_name(folder.name)), b" ".join(told))


def list_folders(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute LIST, plain or with selection and RETURN options (RFC 5258)."""
    rest = list(arguments)
    selected: list[str] = []
    if rest and isinstance(rest[0], list):
        state.need("LIST-EXTENDED")
        selected = words(rest.pop(0))
    returns: list[Value] = []
    if len(rest) == 4 and word(rest[2]) == "RETURN":
        state.need("LIST-EXTENDED", "LIST-STATUS")
        returns = rest[3] if isinstance(rest[3], list) else []
        del rest[2:]
    check_count(rest, 2)
    if not set(selected) <= {"SUBSCRIBED", "SPECIAL-USE"}:
        raise Bad("unknown option of LIST")
    asked = _returned_status(state, returns)
    if rest[1] == b"":
        return Reply("done", [b'* LIST (\\Noselect) %b ""\r\n' % string(state.kind.delimiter)])
    rows = []
    for folder in _matching(state, *rest):
        if "SUBSCRIBED" in selected and not folder.subscribed:
            continue
        if "SPECIAL-USE" in selected and not folder.role:
            continue
        rows.append(_list_row(state, folder, "LIST"))
        if asked and folder.selectable:
            rows.append(status_row(state, folder, asked))
    return Reply("done", rows)


def _returned_status(state: SessionState, returns: list[Value]) -> list[str]:
    """Return the STATUS items among the RETURN options. Raises Bad for an option that is unknown."""
    options = list(returns)
    asked: list[str] = []
    while options:
        match word(options.pop(0)):
            case "STATUS" if options:
                state.need("LIST-STATUS")
                asked = _status_items(state, options.pop(0))
            case "SPECIAL-USE":
                state.need("SPECIAL-USE")
            case "SUBSCRIBED" | "CHILDREN":
                pass
            case unknown:
                raise Bad(f"unknown option {unknown}")
    return asked


def list_subscribed(state: SessionState, arguments: list[Value]) -> Reply:
    """Execute LSUB."""
    check_count(arguments, 2)
    found = _matching(state, *arguments)
    return Reply("done", [_list_row(state, one, "LSUB") for one in found if one.subscribed and one.selectable])


def _matching(state: SessionState, reference: Value, pattern: Value) -> list[ImapFolder]:
    """Return the folders that LIST names, INBOX first, then by name. The pattern may be a list of patterns."""
    kind, delimiter = state.kind, re.escape(state.kind.delimiter)
    patterns = pattern if isinstance(pattern, list) else [pattern]
    if len(patterns) != 1:
        state.need("LIST-EXTENDED")
    sought = []
    for one in patterns:
        whole = text(reference) + text(one)
        expression = re.escape(whole).replace(rb"\*", b".*").replace(b"%", b"[^" + delimiter + b"]*")
        sought.append(re.compile(expression, re.DOTALL))
        if whole.upper() == b"INBOX":
            sought.append(re.compile(re.escape(kind.inbox)))
    folders = state.user_mailbox().folders
    ordered = sorted(folders, key=lambda name: (name != b"INBOX", name))
    return [folders[name] for name in ordered if any(one.fullmatch(kind.wire_name(name)) for one in sought)]


def _list_row(state: SessionState, folder: ImapFolder, verb: str) -> bytes:
    kind = state.kind
    attributes = [] if folder.selectable else ["\\Noselect"]
    if state.offers("CHILDREN"):
        attributes.append("\\HasChildren" if state.user_mailbox().below(folder.name) else "\\HasNoChildren")
    if kind.lists_roles and folder.role:
        attributes.append(folder.role)
    name = astring(kind.wire_name(folder.name))
    return b"* %b (%b) %b %b\r\n" % (verb.encode(), " ".join(attributes).encode(), string(kind.delimiter), name)
