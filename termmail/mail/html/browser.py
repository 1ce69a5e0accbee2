"""HTML mail as a file that is safe to open in a browser: nothing in it loads or runs anything.

turbohtml's sanitizer keeps listed elements, attributes and style properties of the parsed tree and writes it once. What
it leaves to the caller is here: links go to http, https and mailto alone, pictures are inside the mail, and no style has
a URL. A Content-Security-Policy in front of the mail forbids the same things again.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from turbohtml import TokenType, parse_fragment, tokenize
from turbohtml.clean import OnDisallowed, Policy, Sanitizer

from termmail.mail.html.elements import VOID
from termmail.mail.html.links import target
from termmail.mail.message import shown_sections
from termmail.mail.sanitize import clean, clean_lines

if TYPE_CHECKING:
    from turbohtml import Token

    from termmail.mail.message import Message, Section

LIMIT = 1_000_000
"""Characters of HTML that are read."""
_TAG_WORDS = (
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del "
    "details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li "
    "main mark nav ol p pre q s samp section small span strike strong style sub summary sup table tbody td "
    "tfoot th thead time tr tt u ul var wbr"
)
_DROPPED_WORDS = (
    "script title template iframe object applet svg math select textarea audio video canvas "
    "noframes noembed xmp plaintext frameset datalist xml"
)
_ATTRIBUTE_WORDS = (
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height lang rowspan "
    "size span start style title type valign width"
)
_PROPERTY_WORDS = (
    "background background-color border border-bottom border-bottom-color border-bottom-style border-bottom-width "
    "border-collapse border-color border-left border-left-color border-left-style border-left-width border-radius "
    "border-right border-right-color border-right-style border-right-width border-spacing border-style border-top "
    "border-top-color border-top-style border-top-width border-width box-sizing caption-side clear color direction "
    "display empty-cells float font font-family font-size font-style font-variant font-weight height letter-spacing "
    "line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-height max-width "
    "min-height min-width opacity overflow overflow-wrap padding padding-bottom padding-left padding-right padding-top "
    "table-layout text-align text-decoration text-decoration-line text-indent text-transform vertical-align visibility "
    "white-space width word-break word-spacing word-wrap"
)
_PICTURES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")
_LOADING_WORDS = ("url", "image", "src", "import", "namespace", "expression", "script", "\\", "<")
"""Parts of style sheets that load something, run something or leave the sheet. A backslash may spell any of them."""


def _attribute(tag: str, name: str, value: str) -> str | None:
    """Return the value of an attribute as it is written, or None to leave it out."""
    value = clean(value)
    if name == "style":
        return "; ".join(part.strip() for part in value.split(";") if _is_harmless(part))
    if name == "href":
        return target(value) or None
    if name == "src":
        return value if tag == "img" and value.lower().startswith(_PICTURES) else None
    return value


def _is_harmless(style: str) -> bool:
    """Return whether declarations or a style sheet load and run nothing."""
    lowered = style.lower()
    return not any(word in lowered for word in _LOADING_WORDS)


_SANITIZER = Sanitizer(
    Policy(
        tags=frozenset(_TAG_WORDS.split()),
        attributes={
            "*": frozenset(_ATTRIBUTE_WORDS.split()),
            "a": frozenset(("href",)),
            "img": frozenset(("src",)),
        },
        url_schemes=frozenset(("http", "https", "mailto", "data")),  # _attribute leaves data: to pictures
        allow_relative_urls=False,
        on_disallowed_tag=OnDisallowed.STRIP,
        remove_with_content=frozenset(_DROPPED_WORDS.split()),
        css_properties=frozenset(_PROPERTY_WORDS.split()),
        attribute_filter=_attribute,
        set_attributes={"a": {"rel": "noopener noreferrer", "target": "_blank"}},
        allow_svg=False,
        allow_mathml=False,
    )
)

# The tree builder opens formatting elements again in each block that follows (HTML Standard, section 13.2.4.3): many
# that are never closed, before many blocks, make a tree of the square of the mail. A link and nobr are opened again
# once at most.
_FORMATTING_WORDS = "b big code em font i s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_WORDS.split())
_MARKERS_WORDS = "table caption td th object applet marquee template button select svg math"
_MARKERS = frozenset(_MARKERS_WORDS.split())
_REACH = 5  # open elements; an end tag closes a formatting element across up to seven (section 13.2.6.4.7)
_REOPENED_LIMIT = 500_000


class _Formatting:
    """An upper bound of the elements that the tree builder opens again, from the tokens alone.

    An end tag is counted only where the tree builder is certain to remove the element: a few open elements up at most,
    and in the same table cell, form control or foreign element.
    """

    def __init__(self) -> None:
        self.reopened = 0
        self._count = 0
        self._open: list[tuple[str, dict[str, int]]] = [("", {})]

    def add(self, token: Token) -> None:
        """Count one token."""
        tag = token.tag or ""
        self.reopened += self._count
        if token.type is TokenType.START_TAG:
            if tag in _FORMATTING:
                counts = self._open[-1][1]
                counts[tag] = counts.get(tag, 0) + 1
                self._count += 1
            elif tag not in VOID:
                self._open.append((tag, {}))
        elif token.type is TokenType.END_TAG:
            if tag in _FORMATTING:
                self._close(tag)
            elif len(self._open) > 1 and tag == self._open[-1][0]:
                self._open.pop()

    def _close(self, tag: str) -> None:
        for element, counts in reversed(self._open[-_REACH:]):
            if counts.get(tag):
                counts[tag] -= 1
                self._count -= 1
                return
            if element in _MARKERS:
                return


def _makes_a_large_tree(html: str) -> bool:
    """Return whether the tree of a mail could be much larger than the mail."""
    formatting = _Formatting()
    for token in tokenize(html, capture_attributes=False):
        formatting.add(token)
        if formatting.reopened > _REOPENED_LIMIT:
            return True
    return False


def _sanitised(html: str) -> str:
    """Return the sanitized elements of an HTML part, each with its end tag."""
    html = clean_lines(html[:LIMIT])
    if _makes_a_large_tree(html):
        texts = [token.data or "" for token in tokenize(html) if token.type is TokenType.TEXT]
        return f"<pre>{escape(clean_lines(' '.join(texts)))}</pre>"
    tree = _SANITIZER.sanitize_node(parse_fragment(html, positions=False))
    for sheet in tree.find_all("style"):
        text = clean_lines(sheet.text)
        if _is_harmless(text):
            sheet.text = text
        else:
            sheet.decompose()
    return clean_lines(tree.inner_html)


_HEAD = (
    '<!DOCTYPE html>\n<html><head><meta charset="utf-8">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'\">\n"
    '<meta name="referrer" content="no-referrer"><meta http-equiv="x-dns-prefetch-control" content="off">\n'
    "<title>Message</title></head>\n<body>\n"
)


def _part(section: Section) -> str:
    """Return a section as sanitized elements: its title, and its text or HTML."""
    title = f"<h2>{escape(section.title)}</h2>\n" if section.title else ""
    if section.html:
        return title + _sanitised(section.html)
    text = f'<pre style="white-space: pre-wrap">{escape(section.text)}</pre>' if section.text else ""
    return title + text


def sanitised(message: Message) -> str:
    """Return the shown parts of a message as one HTML document for a browser, with nothing in it that loads or runs.

    Each HTML part is sanitized by itself, so that its markup ends with it (EFAIL). One whose tree would be much larger
    than its source becomes plain text. Reads the first million characters of a part, in time proportional to them.
    """
    parts = [_part(section) for section in shown_sections(message, html=True)]
    body = parts[0] if len(parts) == 1 else "\n<hr>\n".join(f"<div>{part}</div>" for part in parts)
    return f"{_HEAD}{body}\n</body></html>\n"
