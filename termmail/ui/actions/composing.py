"""The keys of the composer, whose verbs are methods of its screen."""

from __future__ import annotations

from termmail.ui.actions.registry import Group, Place, declare

declare("compose.send", "f9,ctrl+j,ctrl+enter,alt+enter", "Send", Place.COMPOSER, Group.COMPOSING, rank=1, short="send")
declare("compose.save", "ctrl+s,f2", "Save the draft", Place.COMPOSER, Group.COMPOSING, rank=4, short="save")
declare("compose.attach", "ctrl+o,f3", "Attach a file", Place.COMPOSER, Group.COMPOSING, rank=2, short="attach")
declare("compose.editor", "f4", "Write in $EDITOR", Place.COMPOSER, Group.COMPOSING, rank=3, short="$EDITOR")
declare("compose.copies", "ctrl+t,f12", "Show Cc and Bcc", Place.COMPOSER, Group.COMPOSING, rank=7, short="Cc, Bcc")
declare("compose.remind", "f5,ctrl+r", "Remind me if nobody answers", Place.COMPOSER, Group.COMPOSING)
declare("compose.discard", "f8", "Discard the draft", Place.COMPOSER, Group.COMPOSING, rank=6, short="discard")
declare("compose.close", "escape", "Close; the draft is kept", Place.COMPOSER, Group.COMPOSING, rank=5, short="close")
