"""Names of HTML elements, grouped by how they are laid out."""

from __future__ import annotations

_VOID_WORDS = "area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr"
VOID = frozenset(_VOID_WORDS.split())
"""Elements without content and end tag (HTML Standard, section 13.2.6.4.7)."""
_BLOCK_WORDS = (
    "address article aside blockquote body caption center colgroup datalist dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup html legend li listing main menu nav "
    "ol optgroup option p plaintext pre search section summary table tbody td textarea tfoot th thead tr ul xmp"
)
BLOCKS = frozenset(_BLOCK_WORDS.split())
"""Elements that begin a new line. All others are inline, unknown ones too (HTML Standard, section 15.3)."""
BLOCK_DISPLAYS = frozenset(("block", "table", "flex", "grid", "list-item", "flow-root"))
_SKIPPED_WORDS = "script style title template iframe svg noframes noembed annotation annotation-xml"
SKIPPED = frozenset(_SKIPPED_WORDS.split())
"""Elements whose content is not text for the reader."""
_FOREIGN_END_WORDS = (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr "
    "ol p pre ruby s small span strike strong sub sup table td th tt u ul var"
)
FOREIGN_ENDS = frozenset(_FOREIGN_END_WORDS.split())
"""Elements whose start tag ends an svg that is not closed (HTML Standard, section 13.2.6.5)."""
_SPACED_WORDS = "p blockquote table pre h1 h2 h3 h4 h5 h6 dl figure fieldset"
SPACED = frozenset(_SPACED_WORDS.split())
"""Blocks with a blank line before and behind them."""
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
CELLS = frozenset(("td", "th"))
ROWS = frozenset(("tr", "tbody", "thead", "tfoot"))
TABLE_PARTS = CELLS | ROWS | {"caption", "colgroup"}
"""Elements of a table. Outside of a table their tags mean nothing."""
LISTS = frozenset(("ul", "ol", "menu", "dir"))
TERMS = frozenset(("dt", "dd"))
