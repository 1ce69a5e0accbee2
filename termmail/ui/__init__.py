"""The screen: the only package that imports Textual."""

import os

# Textual draws a change at the next tick of this clock: with its 60 ticks a second a key waits up to 17 ms for nothing.
os.environ.setdefault("TEXTUAL_FPS", "120")
