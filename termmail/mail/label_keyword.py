"""Labels as keywords of IMAP (RFC 3501 section 2.3.2): a keyword is an atom of ASCII, compared without case.

A blank is written as "_", and what an atom cannot hold in the modified UTF-7 of folder names (section 5.1.3), as other
programs do.
"""

from __future__ import annotations

import base64
import binascii
import re

_FOREIGN = re.compile(r"""[^!#'+,\-./0-9:;<=>?@A-Z\[^_`a-z|~]+""")
_SHIFTED = re.compile(r"&([A-Za-z0-9+,]*)-")

LONGEST = 250
"""Characters of a keyword that is taken for a label: that of any name of 40 characters is shorter."""

_OF_PROGRAMS = frozenset({"junk", "nonjunk", "notjunk", "forwarded", "redirected", "mdnsent", "autojunk", "nil"})
"""Keywords that mail programs and spam filters use for themselves."""


def keyword(name: str) -> str:
    """Return the keyword for a label of this name."""
    if name.casefold() in _OF_PROGRAMS:
        return _shifted(name[:1]) + keyword_of_words(name[1:])
    return keyword_of_words(name)


def keyword_of_words(words: str) -> str:
    """Return words as an atom."""
    return _FOREIGN.sub(lambda run: _shifted(run[0]), words.replace(" ", "_"))


def _shifted(run: str) -> str:
    coded = base64.b64encode(run.encode("utf-16-be", "replace")).rstrip(b"=").replace(b"/", b",")
    return f"&{coded.decode()}-"


def name(written: str) -> str:
    """Return the name of a label for a keyword of a server: not cleaned."""
    return _SHIFTED.sub(_plain, written).replace("_", " ")


def _plain(found: re.Match[str]) -> str:
    coded = found[1].replace(",", "/")
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode("utf-16-be")
    except (binascii.Error, ValueError):
        return found[0]


def is_label(flag: str) -> bool:
    r"""Return whether a flag of a server is a label of a person: no system flag, none that programs use ("$Junk")."""
    return not flag.startswith(("\\", "$")) and flag.casefold() not in _OF_PROGRAMS and len(flag) <= LONGEST
