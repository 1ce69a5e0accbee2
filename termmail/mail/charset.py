"""Charset labels of mail to text: an allow-list, for Python's codec names also hold rot13, zlib and unicode_escape."""

from __future__ import annotations

import functools
import re

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
# Labels that tell nothing (RFC 1428 has unknown-8bit): read as if there were none.
_UNTOLD = frozenset({"", "usascii", "ascii", "ansix341968", "unknown8bit", "xunknown", "unknown", "default", "ansi"})
_NOT_NAME = re.compile(r"[^a-z0-9]+")


@functools.lru_cache(maxsize=512)
def _key(label: str) -> str:
    return _NOT_NAME.sub("", label[:60].lower())


def known(label: str) -> bool:
    """Whether mail with this charset label is read by its own codec."""
    key = _key(label)
    return key in _CODECS or key in _UNTOLD


def decode(data: bytes, label: str = "") -> str:
    """The text of `data`. Never raises: an unknown label is UTF-8 with replacement, wrong bytes become U+FFFD.

    UTF-8 wins where a Latin label or none is given and the bytes are valid UTF-8: mislabelled UTF-8 is common,
    Windows-1252 that happens to be valid UTF-8 is not. The text is not cleaned yet.
    """
    key = _key(label)
    codec = _CODECS.get(key, "" if key in _UNTOLD else "unknown")
    if codec == "unknown":
        return data.decode("utf-8", "replace")
    if codec in ("", "utf-8", "cp1252"):
        return _decode_latin(data, codec)
    return data.decode(codec, "replace")


def _decode_latin(data: bytes, codec: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if codec == "utf-8":
        text = data.decode("utf-8", "replace")
        if any(char > "\x7f" and char != "\ufffd" for char in text[:100_000]):
            return text
    return data.decode("cp1252", "replace")


def decode_raw(data: bytes, hint: str = "") -> str:
    """8-bit bytes of a header without any label: UTF-8 (RFC 6532), else the charset of the body, else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    codec = _CODECS.get(_key(hint), "")
    if codec and not codec.startswith(("utf", "iso2022", "hz")):
        return data.decode(codec, "replace")
    return data.decode("cp1252", "replace")
