"""Which bodies are fetched before they are opened: the choices of the setup and of the settings, and their words."""

from __future__ import annotations

from termmail.engine.preferences import Fetching

FETCHED = {
    "when opened": Fetching("open", 0),
    "last 30 days": Fetching("open", 30),
    "last 90 days": Fetching("open", 90),
    "a year at once": Fetching("365 days", 30),
    "all at once": Fetching("all", 30),
}
USUAL = "last 30 days"


def meaning(fetching: Fetching) -> str:
    """Return in one sentence when bodies are fetched, and since when search covers them."""
    if fetching.download != "open":
        return "Fetched as soon as mail is received, so that search covers them."
    if fetching.prefetch_days:
        return "Fetched quietly in the background, so that search covers them."
    return "Fetched when you open a message; search covers them from then on."
