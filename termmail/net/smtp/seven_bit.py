"""Make a message with 8-bit text fit for a server without 8BITMIME (RFC 6152 section 3)."""

from __future__ import annotations

import email
import email.policy
import io
from email.generator import BytesGenerator

_SEVEN_BIT = email.policy.compat32.clone(cte_type="7bit", linesep="\r\n", max_line_length=0)


def to_seven_bit(raw: bytes) -> bytes:
    """Return the message with its 8-bit bodies in quoted-printable or base64; headers stay as they are.

    A body without a charset cannot be converted and stays 8-bit.
    """
    out = io.BytesIO()
    BytesGenerator(out, mangle_from_=False, policy=_SEVEN_BIT).flatten(email.message_from_bytes(raw))
    return out.getvalue()
