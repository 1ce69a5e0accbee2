"""A profile with the POP3 account of the demo alone, for tests of what there is with one account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from termmail.demo.loopback_servers import pop3_account

if TYPE_CHECKING:
    from termmail.demo.loopback_servers import Demo


def one_account(demo: Demo) -> str:
    """The config.toml of a profile whose only account is "demo"."""
    return f'default_account = "demo"\n\n{pop3_account(demo, "demo")}'
