"""The one door for strangers' text: what leaves here may be drawn, printed, logged or used as a file name.

Control characters are replaced, never parsed: an escape sequence without an end must not swallow what follows it.
Invisible and direction-changing characters are dropped (CVE-2021-42574), except those that hold an emoji together.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING

from termmail.mail.width import VS16, ZWJ, cells, widths

if TYPE_CHECKING:
    from termmail.mail.message import Address

REPLACEMENT = "\ufffd"
NAME_CELLS = 60
FILE_NAME_BYTES = 200

_KEYCAP = "\u20e3"
_MARKS_IN_A_ROW = 4
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_BREAK = re.compile("\r\n|[\n\v\f\r\x85\u2028\u2029]")
# C0, DEL, C1, surrogates, noncharacters: a reader should see that something was there.
_CONTROLS = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
_ASTRAL_CONTROLS = "".join(f"{chr(end - 2)}{chr(end - 1)}" for end in range(0x20000, 0x120000, 0x10000))
_CONTROL = f"[{_CONTROLS}{_ASTRAL_CONTROLS}]"
# Default_Ignorable_Code_Point of Unicode and the annotation marks; ZWJ and VS16 are judged by what stands around them.
_INVISIBLES = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"
)
_ASTRAL_INVISIBLES = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
_INVISIBLE = f"[{_INVISIBLES}{_ASTRAL_INVISIBLES}]"
# Each alternative starts with the character it is about, so that the search looks nowhere else.
_STRAY_JOINER = (
    f"{VS16}(?<![{_EMOJI}0-9#*]{VS16})"
    f"|{VS16}(?<=[0-9#*]{VS16})(?!{_KEYCAP})"
    f"|{ZWJ}(?<![{_EMOJI}]{ZWJ})(?<![{_EMOJI}]{VS16}{ZWJ})"
    f"|{ZWJ}(?![{_EMOJI}])"
)
_REPLACED_SINGLY = 32  # kinds of characters: more are replaced by one regular expression

# The letters of most mail: a text of these alone needs no second look.
_LETTERS = (
    " -~\xa0-\xac\xae-\u02ff\u0370-\u0482\u048a-\u0590\u2010-\u2027\u2030-\u205e\u20a0-\u20bf"
    "\u3001-\u3029\u3041-\u3096\u309b-\u3163\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9f"
)
_ORDINARY = f"[{_LETTERS}]*+"
_ORDINARY_LINES = f"[{_LETTERS}\n\t]*+"

_pattern = functools.cache(re.compile)
"""These patterns take milliseconds to build, which the first screen does not wait for: they are built when used."""


def _tidy(text: str) -> str:
    present = "".join(set(text))  # few, however long the text is
    text = _replace(text, _CONTROL, present, REPLACEMENT)
    text = _replace(text, _INVISIBLE, present, "")
    if ZWJ in present or VS16 in present:
        text = _pattern(_STRAY_JOINER).sub("", text)
    marks = "".join(sorted(char for char in present if char >= "\u0300" and unicodedata.category(char) in ("Mn", "Me")))
    if marks:
        text = re.sub(f"([{marks}]{{{_MARKS_IN_A_ROW}}})[{marks}]+", r"\1", text)
    return text


def _replace(text: str, pattern: str, present: str, by: str) -> str:
    """Replace the characters that `pattern` matches; `present` are the characters of the text, each once."""
    found = _pattern(pattern).findall(present)
    if len(found) > _REPLACED_SINGLY:
        return _pattern(pattern).sub(by, text)
    for char in found:
        text = text.replace(char, by)
    return text


def clean(text: str) -> str:
    """One line that may be drawn anywhere: breaks and tabs become spaces, controls U+FFFD, invisibles nothing."""
    if _pattern(_ORDINARY).fullmatch(text):
        return text
    return _tidy(_BREAK.sub(" ", text).replace("\t", " "))


def clean_words(text: str) -> str:
    """Like `clean`, with every run of white space as one space and none at the ends."""
    text = " ".join(text.split())
    return text if _pattern(_ORDINARY).fullmatch(text) else " ".join(clean(text).split())


def clean_lines(text: str) -> str:
    r"""Like `clean`, but keeps lines: every kind of line break becomes "\n", tabs become spaces (stops of 8)."""
    text = text.replace("\r\n", "\n")
    if not _pattern(_ORDINARY_LINES).fullmatch(text):
        text = _tidy(_BREAK.sub("\n", text))
    return text.expandtabs(8)


def clean_bytes(data: bytes, limit: int = 500) -> str:
    """What a server said, as one clean line of at most `limit` characters."""
    text = clean(data[: limit * 4 + 4].decode("utf-8", "replace")).strip()
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clean_address(text: str) -> str:
    """An addr-spec where nothing is dropped in silence: what cannot be shown is U+FFFD, so `bank<ZWSP>.com` differs
    from `bank.com`.
    """
    if text.isascii() and text.isprintable():
        return text
    return clean(_pattern(_INVISIBLE).sub(REPLACEMENT, text.replace(ZWJ, REPLACEMENT).replace(VS16, REPLACEMENT)))


def cut(text: str, room: int) -> str:
    """Return the text in at most `room` terminal cells, ending in "…" where something was cut."""
    if len(text) <= room and text.isascii():
        return text
    if room <= 0:
        return ""
    end = total = 0
    for index, width in enumerate(widths(text)):
        total += width
        if total < room:
            end = index + 1
        elif total > room:
            return text[:end] + "…"
    return text


def cut_sender(text: str, room: int) -> str:
    """Return a sender, as `sender_text` has it, in at most `room` cells.

    A bare address that does not fit loses its front, for its end is the domain that it comes from.
    """
    if "@" not in text or " " in text or (len(text) <= room and cells(text) <= room):
        return cut(text, room)
    end = text[-max(room - 1, 1) :]
    while cells(end) > max(room - 1, 0):
        end = end[1:]
    return f"…{end}"


_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)")
_NAME_UNFIT = re.compile(f'[:*?"<>|{REPLACEMENT}\u2044\u2215\u29f5\u29f8\uff0f\uff3c\uff1a\ufe55]')


def safe_name(name: str, default: str = "attachment") -> str:
    """A file name that stays in the chosen folder, whatever a stranger called the file.

    The last path part only, no controls or invisibles, no leading `.`, `-` or `~`, no characters or device names
    that other systems trip over, at most 200 bytes of UTF-8 with the extension kept. `default` where nothing is left.
    """
    name = clean(name[-4096:])
    name = re.split(r"[/\\]", name)[-1]
    name = " ".join(_NAME_UNFIT.sub("_", name).split())
    name = name.strip(" .-~") if name.strip(" ._-~") else ""
    if _DEVICE.match(name):
        name = f"_{name}"
    return _cut_name(name) or default


def _cut_name(name: str) -> str:
    if len(name.encode()) <= FILE_NAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > 20:
        stem, extension = name, ""
    else:
        extension = f".{extension}"
    room = FILE_NAME_BYTES - len(extension.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .-~") + extension


_RUN_WORDS = (
    "app appimage apk bat bin cmd com command cpl deb desktop dll dmg exe gadget hta inf iso jar jnlp js jse lnk msc "
    "msi msix msp pif pkg ps1 psm1 py pyw rb reg rpm run scf scr sct sh shs sys url vb vbe vbs ws wsf wsh "
    "docm dotm pptm ppam potm xlsm xltm xlam xll"
)
_RUN_TYPE_WORDS = (
    "application/x-msdownload application/x-msdos-program application/x-dosexec application/x-executable "
    "application/x-sh application/x-shellscript application/javascript application/x-javascript text/javascript "
    "application/java-archive application/x-desktop application/hta application/x-ms-shortcut"
)
_HARMLESS_WORDS = "csv doc docx gif jpeg jpg md mp3 mp4 odt pdf png ppt pptx rtf txt wav xls xlsx zip"
_RUNS = frozenset(_RUN_WORDS.split())
_RUN_TYPES = frozenset(_RUN_TYPE_WORDS.split())
_HARMLESS = frozenset(_HARMLESS_WORDS.split())


def name_warning(name: str, content_type: str) -> str:
    """Why a person should think before opening this attachment, or ""."""
    pieces = name.lower().split(".")
    extension = pieces[-1] if len(pieces) > 1 else ""
    if extension in _RUNS and len(pieces) > 2 and pieces[-2].strip() in _HARMLESS:
        return f"It calls itself a .{pieces[-2].strip()} file, but it is a program (.{extension})."
    if extension in _RUNS or content_type in _RUN_TYPES:
        return "It is a program: opening it runs what the sender wrote."
    return ""


_DOT = re.compile("[.\u3002]")  # both separate labels (RFC 3490 section 3.1)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].rstrip(".")


def _punycode(domain: str) -> str:
    """The domain as the network sees it (RFC 3492, without the mapping tables of IDNA)."""
    return ".".join(
        label if label.isascii() else "xn--" + label.encode("punycode", "replace").decode("ascii")
        for label in _DOT.split(unicodedata.normalize("NFKC", domain[:255]).lower())
    )


def _from_punycode(domain: str) -> str:
    labels = []
    for label in domain[:255].lower().split("."):
        shown = label
        if label.startswith("xn--"):
            try:
                shown = label[4:].encode("ascii").decode("punycode")
            except (ValueError, OverflowError):
                shown = label
        labels.append(shown)
    return clean_address(".".join(labels))


def address_text(address: Address) -> str:
    """`Name <address>`: always with the whole address; beside a domain that is not ASCII stands its punycode."""
    name = cut(clean_words(address.name), NAME_CELLS)
    email = clean_address(address.email)
    domain = _domain(email)
    plain = "" if domain.isascii() else f" ({_punycode(domain)})"
    if not name:
        return f"{email}{plain}"
    if re.search(r'[<>@,;:"()]', name):
        name = '"' + name.replace('"', "'") + '"'
    return f"{name} <{email}>{plain}"


@functools.lru_cache(maxsize=256)
def sender_text(address: Address) -> str:
    """Who wrote, for a list: the name; the address where there is no name or the name poses as an address."""
    name = clean_words(address.name)
    if not name.strip(f"{REPLACEMENT}\u2800 ") or holds_address(name):
        return clean_address(address.email) or name.replace("@", "(at)")
    return cut(name, NAME_CELLS)


def holds_address(name: str) -> bool:
    """Whether a display name holds an "@" or something drawn like it."""
    return "@" in name or (not name.isascii() and "@" in unicodedata.normalize("NFKC", name))


_LOOKS_LATIN = str.maketrans("аеорсухіјѕԁӏһԛԝкοναρικυτɡ", "aeopcyxijsdlhqwkovapikutg")
_TOGETHER = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)


def _scripts(label: str) -> set[str]:
    return {unicodedata.name(char, "?").split()[0] for char in label if char.isalpha()}


def domain_warning(email: str) -> str:
    """A sentence for the reader where the domain of the address may not be what it looks like, else ""."""
    domain = _domain(clean_address(email))
    shown = _from_punycode(domain) if "xn--" in domain.lower() else domain
    if shown.isascii():
        return ""
    real = _punycode(domain)
    if REPLACEMENT in shown:
        return f"The domain {shown} holds characters that cannot be shown: it is really {real}."
    for label in unicodedata.normalize("NFKC", shown).lower().split("."):
        scripts = _scripts(label)
        if len(scripts) > 1 and not any(scripts <= group for group in _TOGETHER):
            return f"The domain {shown} mixes letters of different alphabets: it is really {real}."
        if not label.isascii() and (twin := label.translate(_LOOKS_LATIN)).isascii():
            return f"The domain {shown} only looks like “{twin}”: it is really {real}."
    return "" if shown == domain else f"The domain {domain} stands for {shown}."
