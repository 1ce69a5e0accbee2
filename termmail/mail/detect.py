"""Guess the charset of 8-bit text without a label, by rules about the bytes of each. Looks at the start alone."""

from __future__ import annotations

import re
from itertools import pairwise

SAMPLE = 20_000  # bytes that are looked at
_MOST = 0.9  # share of the pairs that must fit for an East Asian charset

_HIGH_RUNS = re.compile(rb"[\x80-\xff]+")
_HIGH_WORDS = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]{2,}(?![A-Za-z\x80-\xff])")
_EUC_PAIR = re.compile(rb"[\xa1-\xfe][\xa1-\xfe]")
_BIG5_PAIR = re.compile(rb"[\xa1-\xf9][\x40-\x7e\xa1-\xfe]")
_SJIS_KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
_SJIS = re.compile(rb"(?:[\x00-\x7f\xa1-\xdf]|[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc])*+[\x81-\x9f\xe0-\xfc]?")
# The commonest small letters of languages written without Latin letters.
_COMMON = {
    "cp1251": "оеаинтсрвл",
    "koi8-r": "оеаинтсрвл",
    "cp866": "оеаинтсрвл",
    "iso8859-5": "оеаинтсрвл",
    "cp1253": "αοιετσνηυρ",
    "cp1255": "יוהלאתרמבש",
}
_CAPITAL = 0.9  # what a capital counts: most text is in small letters
_COMMON_SHARE = 0.45  # of the letters in such a text


def is_damaged_utf8(data: bytes) -> bool:
    """Return whether data that is no valid UTF-8 is damaged UTF-8: cut at its end, or with a few foreign bytes."""
    sample = data[:SAMPLE]
    if not _LETTER.search(sample):
        return bool(_CUT_LETTER.search(data[-4:])) and len(_HIGH_RUNS.findall(sample)) == 1
    text = sample.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(char > "\x7f" for char in text) - broken
    if whole and whole >= broken:
        return True
    return broken <= 1 and bool(_CUT_LETTER.search(data[-4:]))


_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# The start of a letter and not its end. A single lead byte beyond 0xDE is more often a letter of Windows-1252.
_CUT_LETTER = re.compile(rb"(?:[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2}|(?<![\x80-\xff])[\xc2-\xde])\Z")


def detect(data: bytes) -> str:
    """Return the Python codec that most probably reads the data, which is no UTF-8. Falls back to cp1252."""
    sample = data[:SAMPLE]
    return _east_asian(sample) or _other_script(sample) or "cp1252"


def _east_asian(sample: bytes) -> str:
    """Return the codec of Chinese, Japanese or Korean text, or ""."""
    runs = _HIGH_RUNS.findall(sample)
    high = sum(map(len, runs))
    kana = len(_SJIS_KANA.findall(sample))
    if kana and high > 5 and kana * 10 > high // 2 and _SJIS.fullmatch(sample):
        return "cp932"
    pairs = [pair for run in runs for pair in _EUC_PAIR.findall(run)]
    if len(pairs) * 2 >= _MOST * high and sum(len(run) % 2 for run in runs) <= 1 + len(runs) // 10:
        return _euc(pairs, runs)
    pairs = _BIG5_PAIR.findall(sample)
    common = sum(0xA4 <= pair[0] <= 0xC6 or pair[0] == 0xA1 for pair in pairs)
    low = sum(pair[1] < 0x80 for pair in pairs)
    if len(pairs) >= 2 and low and common > _MOST * len(pairs) and (len(pairs) * 2 - low) >= _MOST * high:
        # Latin letters behind ASCII ones ("für") would be pairs too: Big5 stands in long runs
        return "cp950" if _runs_of_pairs(sample) else ""
    return ""


_BIG5_RUN = re.compile(rb"(?<![A-Za-z])(?:[\xa1-\xf9][\x40-\x7e\xa1-\xfe]){2,}")


def _runs_of_pairs(sample: bytes) -> bool:
    return bool(_BIG5_RUN.search(sample))


def _euc(pairs: list[bytes], runs: list[bytes]) -> str:
    """Return the codec of text in pairs of 8-bit bytes: Japanese has kana, Korean only syllables, the rest is Chinese."""
    letters = [pair[0] for pair in pairs if pair[0] not in (0xA1, 0xA3)]
    if not letters or max(map(len, runs)) < 4:
        return ""
    kana = sum(lead in (0xA4, 0xA5) for lead in letters)
    if kana * 5 > len(letters):
        return "euc_jis_2004"
    korean = sum(0xB0 <= lead <= 0xC8 for lead in letters)
    if korean == len(letters) and (len(letters) < 8 or _spread(letters)):
        return "cp949"
    chinese = sum(0xB0 <= lead <= 0xF7 for lead in letters)
    cyrillic = max(_share(codec, b"".join(runs)) for codec in ("koi8-r", "cp1251"))
    if chinese > _MOST * len(letters) and cyrillic < _COMMON_SHARE:
        return "gb18030"
    return ""


def _spread(leads: list[int]) -> bool:
    """Return whether the leads are those of many syllables, not of a few letters of an alphabet."""
    return len(set(leads)) * 8 > min(len(leads), 200) and len(set(pairwise(leads))) * 2 > min(len(leads), 200)


def _share(codec: str, data: bytes) -> float:
    """Return the share of common letters among the letters that `data` has in a codec."""
    text = data.decode(codec, "replace")
    small = sum(map(text.count, _COMMON[codec]))
    capital = sum(text.count(letter.upper()) for letter in _COMMON[codec] if letter.upper() != letter)
    return (small + _CAPITAL * capital) / max(len(text), 1)


def _other_script(sample: bytes) -> str:
    """Return the codec of Cyrillic, Greek or Hebrew text, or "": its words hold no ASCII letters."""
    words = _HIGH_WORDS.findall(sample)
    letters = b"".join(words)
    high = sum(map(len, _HIGH_RUNS.findall(sample)))
    if len(letters) < 4 or len(letters) < 0.7 * high:
        return ""
    shares = {codec: _share(codec, letters) for codec in _COMMON}
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= _COMMON_SHARE else ""
