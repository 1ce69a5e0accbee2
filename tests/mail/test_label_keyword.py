"""Labels as keywords of IMAP: atoms that other programs can read, and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.mail.label_keyword import LONGEST, is_label, keyword, name

ATOM = re.compile(r"""[!#$&'+,\-./0-9:;<=>?@A-Z\[^_`a-z|~]+\Z""")


@pytest.mark.parametrize(
    ("words", "written"),
    [
        ("work", "work"),
        ("tax 2026", "tax_2026"),
        ("Steuer für", "Steuer_f&APw-r"),
        ("日本語", "&ZeVnLIqe-"),
        ("a&b", "a&ACY-b"),
        ("Junk", "&AEo-unk"),
        ("\\Seen", "&AFw-Seen"),
        ("$x", "&ACQ-x"),
    ],
)
def test_a_label_is_an_atom_and_back(words, written):
    assert keyword(words) == written
    assert name(written) == words
    assert is_label(written)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_every_name_is_an_atom_and_comes_back(words):
    written = keyword(words)
    assert ATOM.match(written)
    assert name(written) == words.replace("_", " ")


@given(st.text(max_size=60))
def test_no_keyword_of_a_server_fails(written):
    name(written)
    is_label(written)


@pytest.mark.parametrize("flag", ["\\Seen", "$Forwarded", "$label1", "NonJunk", "JUNK", "x" * (LONGEST + 1)])
def test_what_programs_use_for_themselves_is_no_label(flag):
    assert not is_label(flag)
