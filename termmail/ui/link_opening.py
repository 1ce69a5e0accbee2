"""Open a link of a message: the real target, and where its text names another one, come before anything opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from termmail.mail import sanitize
from termmail.mail.html.links import other_host
from termmail.ui import desktop
from termmail.ui.screens.confirm import ConfirmScreen

if TYPE_CHECKING:
    from textual.app import App

    from termmail.mail.message import Link


def host(url: str) -> str:
    """Return the host that a link really goes to, or the address of a mailto link; "" where there is none."""
    try:
        parts = urlsplit(url)
        found = (parts.path if parts.scheme == "mailto" else parts.hostname) or ""
    except ValueError:
        return ""
    return sanitize.clean(found)


def mismatch(link: Link) -> str:
    """Return the host that the text of a link names where the link goes to another one; else ""."""
    return sanitize.clean(other_host(link.text, link.url))


async def open_after_question(app: App[Any], link: Link) -> bool:
    """Show where an http link goes, and open it in the browser after a yes; return whether it was opened.

    Runs in a worker. Raises OpenError.
    """
    details = [sanitize.clean(link.url)]
    if warning := sanitize.domain_warning("@" + host(link.url)):
        details.append(warning)
    if named := mismatch(link):
        details.append(f"The message shows {named}, but this goes to {host(link.url)}.")
    question = f"Open {host(link.url)} in the browser?"
    if not await app.push_screen_wait(ConfirmScreen(question, "Open", "Back", details)):
        return False
    await desktop.open_link(link.url)
    return True
