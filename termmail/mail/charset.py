"""Charset labels of mail to text: an allow-list, for Python's codec names also hold rot13, zlib and unicode_escape."""

from __future__ import annotations

import functools
import re

from termmail.mail.detect import detect, is_damaged_utf8

# Labels as mail writes them (lower case, only letters and digits kept) -> the Python codec that reads them best:
# the superset that senders really use (WHATWG Encoding), windows-1252 for iso-8859-1 and so on.
_CODECS = {
    "utf8": "utf-8",
    "unicode11utf8": "utf-8",
    "utf7": "utf-7",
    "unicode11utf7": "utf-7",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
    "utf32": "utf-32",
    "utf32le": "utf-32-le",
    "utf32be": "utf-32-be",
    "latin1": "cp1252",
    "iso88591": "cp1252",
    "iso88598i": "iso8859-8",
    "iso88598e": "iso8859-8",
    "iso885911": "cp874",
    "tis620": "cp874",
    "windows874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "gb18030": "gb18030",
    "xgbk": "gb18030",
    "euccn": "gb18030",
    "hzgb2312": "hz",
    "big5": "cp950",
    "cp950": "cp950",
    "xxbig5": "cp950",
    "big5hkscs": "big5hkscs",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "mskanji": "cp932",
    "windows31j": "cp932",
    "cp932": "cp932",
    "eucjp": "euc_jis_2004",
    "xeucjp": "euc_jis_2004",
    "iso2022jp": "iso2022_jp_ext",
    "iso2022jp1": "iso2022_jp_ext",
    "iso2022jp2": "iso2022_jp_2",
    "iso2022jp3": "iso2022_jp_3",
    "iso2022jp2004": "iso2022_jp_2004",
    "cp50220": "iso2022_jp_ext",
    "iso2022kr": "iso2022_kr",
    "euckr": "cp949",
    "ksc56011987": "cp949",
    "ksc5601": "cp949",
    "cp949": "cp949",
    "uhc": "cp949",
    "johab": "johab",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "koi8t": "koi8-t",
    "koi8": "koi8-r",
    "macintosh": "mac-roman",
    "macroman": "mac-roman",
    "xmacroman": "mac-roman",
    "xmaccyrillic": "mac-cyrillic",
    "ptcp154": "ptcp154",
    **{f"iso8859{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"latin{n}": f"iso8859-{m}" for n, m in ((2, 2), (3, 3), (4, 4), (5, 9), (6, 10), (7, 13), (8, 14), (9, 15))},
    **{f"{prefix}125{n}": f"cp125{n}" for prefix in ("windows", "cp", "xcp", "ms", "win") for n in range(9)},
    **{f"{prefix}{n}": f"cp{n}" for prefix in ("cp", "ibm") for n in (437, 850, 852, 855, 857, 858, 862, 865, 866)},
}
# Labels without meaning (RFC 1428 has unknown-8bit): read as if there were none.
_NO_LABEL = frozenset({"", "usascii", "ascii", "ansix341968", "unknown8bit", "xunknown", "unknown", "default", "ansi"})
_NOT_NAME = re.compile(r"[^a-z0-9]+")


@functools.lru_cache(maxsize=512)
def _key(label: str) -> str:
    return _NOT_NAME.sub("", label[:60].lower())


def known(label: str) -> bool:
    """Return whether mail with this charset label is read by its own codec."""
    key = _key(label)
    return key in _CODECS or key in _NO_LABEL


def decode(data: bytes, label: str = "") -> str:
    """Return the text of `data`. Never raises: bytes that cannot be read become U+FFFD. The text is not cleaned yet.

    UTF-8 wins where a Latin label, an unknown one or none is given and the bytes are valid UTF-8: mislabelled UTF-8
    is common, Windows-1252 that happens to be valid UTF-8 is not. Without a known label the charset is guessed.
    """
    codec = _CODECS.get(_key(label), "")
    if codec in _ISO_2022_JP:
        return _decode_iso_2022_jp(data, codec)
    if codec not in ("", "utf-8", "cp1252"):
        return data.decode(codec, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if codec == "utf-8" and _holds_utf8(data):
        return data.decode("utf-8", "replace")
    return _decode_8_bit(data, "cp1252" if codec == "cp1252" else "")


CHOICES = {
    "UTF-8": "all languages",
    "windows-1252": "Western European",
    "windows-1250": "Central European, Windows",
    "iso-8859-2": "Central European, ISO",
    "windows-1251": "Cyrillic, Windows",
    "koi8-r": "Cyrillic, KOI8",
    "iso-8859-5": "Cyrillic, ISO",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "windows-1255": "Hebrew",
    "windows-1256": "Arabic",
    "windows-1257": "Baltic",
    "windows-1258": "Vietnamese",
    "tis-620": "Thai",
    "iso-2022-jp": "Japanese, JIS",
    "shift_jis": "Japanese, Shift JIS",
    "euc-jp": "Japanese, EUC",
    "gb18030": "Chinese, simplified",
    "big5": "Chinese, traditional",
    "euc-kr": "Korean",
    "ibm850": "Western European, DOS",
    "utf-16": "all languages, two bytes",
}
"""The charsets that a person may choose for a text, and what is written in them."""


def decode_as(data: bytes, label: str) -> str:
    """Return the text of `data` in one of CHOICES, with no guess. Raises KeyError for any other label.

    The text is not cleaned yet.
    """
    if label not in CHOICES:
        raise KeyError(label)
    codec = _CODECS[_key(label)]
    return _decode_iso_2022_jp(data, codec) if codec in _ISO_2022_JP else data.decode(codec, "replace")


def decode_lines(data: bytes, hint: str = "") -> str:
    """Return a header block with 8-bit bytes and without any label, read line by line.

    Each line is UTF-8 (RFC 6532), else in the charset `hint` of the body, else in the one that fits the block best.
    """
    codec = _CODECS.get(_key(hint), "")
    if not codec or codec.startswith(("utf", "iso2022", "hz")):
        codec = detect(data)
    return "\n".join([_decode_line(line, codec) for line in data.split(b"\n")])


def _decode_line(line: bytes, codec: str) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("utf-8" if is_damaged_utf8(line) else codec, "replace")


def _decode_8_bit(data: bytes, codec: str) -> str:
    """Decode what is no valid UTF-8: as damaged UTF-8, else with `codec`, or where that is "" with the best one."""
    if is_damaged_utf8(data):
        return data.decode("utf-8", "replace")
    return data.decode(codec or detect(data), "replace")


def _holds_utf8(data: bytes) -> bool:
    """Return whether some letter beyond ASCII is valid UTF-8."""
    return any(char > "\x7f" and char != "\ufffd" for char in data[:100_000].decode("utf-8", "replace"))


_ISO_2022_JP = frozenset({"iso2022_jp_ext"})
_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([@BDOPQ]|\([BJIH])")
_TWO_BYTES = frozenset({b"$@", b"$B", b"$(@", b"$(B", b"$(O", b"$(P", b"$(Q"})


def _decode_iso_2022_jp(data: bytes, codec: str) -> str:
    """Decode ISO-2022-JP with what is put into it: characters of NEC and IBM (№ ① ㈱), half-width kana, 8-bit text."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        pass
    if b"\x1b" not in data:
        return _decode_japanese(data)
    pieces: list[str] = []
    state, place = b"(B", 0
    for match in _ESCAPE.finditer(data):
        pieces.append(_decode_segment(data[place : match.start()], state))
        state, place = match[1], match.end()
    pieces.append(_decode_segment(data[place:], state))
    return "".join(pieces)


def _decode_japanese(data: bytes) -> str:
    """Decode Japanese text in an 8-bit charset that is labelled ISO-2022-JP."""
    for codec in ("utf-8", "cp932" if _C1.search(data) else "euc_jis_2004", "cp932"):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            pass
    return decode(data)


_C1 = re.compile(rb"[\x80-\xa0]")  # in Shift JIS, not in EUC


def _decode_segment(data: bytes, state: bytes) -> str:
    """Decode the bytes between two escape sequences; `state` is the first of them without its ESC."""
    if not data:
        return ""
    if state in _TWO_BYTES:
        lines = data.split(b"\n")  # a line end ends the two-byte characters, also where it is forgotten
        return "\n".join([_decode_pairs(line) for line in lines])
    if state == b"(I":
        return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in data).decode("cp932", "replace")
    if state == b"$(D":
        return (b"\x1b$(D" + data).decode("iso2022_jp_ext", "replace")
    return data.decode("ascii") if data.isascii() else _decode_japanese(data)


def _decode_pairs(data: bytes) -> str:
    return "".join([_decode_pair(data[place : place + 2]) for place in range(0, len(data) - 1, 2)])


@functools.lru_cache(maxsize=1 << 16)
def _decode_pair(pair: bytes) -> str:
    """Decode a two-byte character of JIS X 0208 and its extensions by way of Shift JIS (code page 932)."""
    row, cell = pair[0] & 0x7F, pair[1] & 0x7F
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return "\ufffd"
    lead = (row - 0x21) // 2 + (0x81 if row < 0x5F else 0xC1)
    trail = cell + (0x7E if row % 2 == 0 else 0x1F + (cell >= 0x60))
    return bytes((lead, trail)).decode("cp932", "replace")
