"""The copy of an HTML mail for a browser: whatever a mail holds, nothing in the copy loads or runs anything."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from turbohtml import Element, parse

from termmail.mail.html.browser import LIMIT, sanitised
from termmail.mail.message import Envelope, Message, Section, SectionKind, View
from tests.timing import assert_soon

TAG_WORDS = (
    "a abbr address article aside b big blockquote br caption center cite code col colgroup dd del details dfn div dl "
    "dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q s samp "
    "section small span strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul var "
    "wbr"
)
TAGS = set(TAG_WORDS.split())
ATTRIBUTE_WORDS = (
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height href lang rel rowspan size "
    "span src start style target title type valign width"
)
ATTRIBUTES = set(ATTRIBUTE_WORDS.split())
LOADS = re.compile(r"url|image|src|import|expression|script|behavior|binding|[\\<]", re.IGNORECASE)


def body(html: str) -> str:
    """What is written of an HTML mail between the body tags."""
    return inside(Message(Envelope(), html=html))


def inside(message: Message) -> str:
    """What is written of a message between the body tags."""
    head, start, rest = sanitised(message).partition("<body>\n")
    assert start
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'" in head
    inner, end, after = rest.rpartition("\n</body></html>\n")
    assert end
    assert not after
    return inner


def assert_harmless(html: str) -> None:
    """Read the copy as a browser does and look at each element of it."""
    found = parse(f"<!DOCTYPE html><body>{body(html)}", scripting=True)
    page = found.find("body")
    assert page
    for element in page.find_all():
        assert isinstance(element, Element)
        assert element.tag in TAGS
        for name, value in element.attrs.items():
            assert name in ATTRIBUTES
            value = " ".join(value) if isinstance(value, list) else value or ""
            if name == "href":
                assert element.tag == "a"
                assert value.startswith(("http://", "https://", "mailto:"))
            elif name == "src":
                assert element.tag == "img"
                assert re.match(r"data:image/(png|jpeg|gif|webp);base64,", value, re.IGNORECASE)
            elif name == "style":
                assert not LOADS.search(value)
        if element.tag == "style":
            assert not LOADS.search(element.text)


HOSTILE = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.test/x.js></SCRIPT>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.test/i.png' srcset='https://evil.test/j.png 2x' lowsrc=//evil.test>",
    "<img src='data:image/svg+xml,<svg onload=alert(1)>'>",
    "<img src=' data:text/html;base64,PHNjcmlwdD4='>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='&#x6A;avascript&colon;alert(1)'>x</a>",
    "<a href='java\u200bscript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:x' ping='https://evil.test' download>x</a>",
    "<a href='/relative'>x</a><a href='#top'>y</a><a href='//evil.test'>z</a>",
    "<base href='https://evil.test/'><a href='x'>y</a>",
    "<meta http-equiv=refresh content='0;url=https://evil.test'>",
    '<meta http-equiv=Content-Security-Policy content="default-src *">',
    "<link rel=stylesheet href='https://evil.test/x.css'><link rel=dns-prefetch href=//evil.test>",
    "<style>@import 'https://evil.test/x.css';</style>",
    "<style>@import url(https://evil.test);p{color:red}</style>",
    "<style>p{background:url(https://evil.test)}</style>",
    "<style>p{background:u\\72l(https://evil.test)}</style>",
    "<style>p{background:-webkit-image-set('https://evil.test' 1x)}</style>",
    "<style>@font-face{font-family:x;src:url(https://evil.test)}</style>",
    "<style>@namespace url(https://evil.test);</style>",
    "<style>p{width:expression(alert(1));behavior:url(x.htc);-moz-binding:url(x)}</style>",
    "<style>:root{--x:url(https://evil.test)}p{background:var(--x)}</style>",
    "<style></st\u200byle><img src=x onerror=alert(1)></style>",
    "<style></style\u200b><img src=x onerror=alert(1)></style>",
    "<style><!--</style><img src=x onerror=alert(1)>--></style>",
    "<style>a{content:'</style><img src=x onerror=alert(1)>'}</style>",
    "<p style='background:url(https://evil.test)'>x</p>",
    "<p style='background:u\u200brl(https://evil.test)'>x</p>",
    "<p style='background:u\\72 l(https://evil.test);color:red'>x</p>",
    "<p style='position:fixed;top:0;z-index:9;width:expression(alert(1))'>x</p>",
    "<p style='list-style-image:url(https://evil.test);cursor:url(x),auto;content:url(y)'>x</p>",
    "<td background='https://evil.test/b.png'>x</td><body background='https://evil.test' onload=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script><image href='https://evil.test'/></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id='</style><img src=1 onerror=alert(1)>'>",
    "<svg><foreignObject><p onclick=alert(1)>x</p></foreignObject></svg>",
    "<svg><animate onbegin=alert(1) attributeName=href values='javascript:x'/></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<noembed><p title='</noembed><img src=x onerror=alert(1)>'>",
    "<noframes><p title='</noframes><img src=x onerror=alert(1)>'>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'>",
    "<iframe><p title='</iframe><img src=x onerror=alert(1)>'></iframe><iframe srcdoc='<script>alert(1)</script>'>",
    "<textarea><p title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<title><p title='</title><img src=x onerror=alert(1)>'></title>",
    "<template><script>alert(1)</script></template><template shadowrootmode=open><img src=x onerror=x></template>",
    "<select><option><style></option></select><img src=x onerror=alert(1)></style>",
    "<plaintext><script>alert(1)</script>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<!--[if gte IE 4]><script>alert(1)</script><![endif]-->",
    "<![CDATA[<script>alert(1)</script>]]><?php <script>alert(1)</script> ?>",
    "<object data='https://evil.test'><param name=x></object><embed src='https://evil.test'><applet code=x>",
    "<video src='https://evil.test/v' poster='https://evil.test/w'><source src=x><track src=y></video><audio src=x>",
    "<form action='https://evil.test'><input name=p><button formaction='javascript:alert(1)'>x</button></form>",
    "<input type=image src='https://evil.test/x.png'><isindex action=//evil.test>",
    "<p onclick=alert(1) ONMOUSEOVER='alert(2)' /onfocus=alert(3) autofocus tabindex=1>x</p>",
    "<details ontoggle=alert(1) open>x</details><marquee onstart=alert(1)>",
    "<div style=x title='\"><img src=x onerror=alert(1)>'>x</div>",
    "<p title='`><img src=x onerror=alert(1)>`'>x</p>",
    "<a href='https://x.example/\"><img src=x onerror=alert(1)>'>x</a>",
    "<frameset><frame src='javascript:alert(1)'></frameset>",
    "<img name=body><a id=document name=cookie>x</a>",
    "<x-custom is=x onclick=alert(1)>x</x-custom><portal src=//evil.test><fencedframe>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt><img\x0bsrc=x\x0conerror=alert(1)>",
]


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_loads_or_runs(html: str) -> None:
    for document in (html, f"<table><tr><td>{html}", f"<p>before</p>{html}<p>after</p>", f"<b><i>{html}</b></i>"):
        assert_harmless(document)


@given(st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=5), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_nothing_loads_or_runs_where_attacks_are_cut_and_joined(parts: list[str], cut: int) -> None:
    assert_harmless("".join(part[: len(part) - cut % (number + 1)] for number, part in enumerate(parts)))


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_value_leaves_its_place(value: str) -> None:
    assert_harmless(f'{value}<p title="{value}" style="{value}">{value}<a href="{value}"><style>{value}</style>')


@pytest.mark.parametrize("html", HOSTILE)
def test_a_copy_of_a_copy_is_the_same(html: str) -> None:
    once = body(html)
    assert body(once).strip() == once.strip()


def test_what_says_how_things_look_is_kept() -> None:
    html = (
        '<style>@media (max-width: 600px) { .x { color: red } } @import "https://evil.test";</style>'
        '<table width="600" bgcolor="#fff" cellpadding=0><tr><td align="center" class="x" style="color: red; '
        'background: #eee; background: url(https://evil.test); font-size: 14px; position: fixed">Hello &lt;b&gt; &amp;</td>'
    )
    copy = body(html)
    assert "evil.test" not in copy
    assert "@media (max-width:600px){.x{color:red" in copy.replace(" ", "").replace("@media", "@media ")
    assert '<table width="600" bgcolor="#fff" cellpadding="0">' in copy
    assert '<td align="center" class="x" style="color: red; background: #eee; font-size: 14px">' in copy
    assert "Hello &lt;b&gt; &amp;" in copy
    assert body('<font color="red" face="Arial" size=2>x</font>') == '<font color="red" face="Arial" size="2">x</font>'


def test_links_open_elsewhere_and_tell_nothing() -> None:
    assert body('<a href=" HTTPS://good.example/?a=1&amp;b=2" ping="https://evil.test" target=_self>x</a>') == (
        '<a href="https://good.example/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">x</a>'
    )
    assert 'href="mailto:ada@example.org"' in body('<a href="mailto:ada@example.org">x</a>')


def test_a_picture_inside_the_mail_stays() -> None:
    assert body('<img src="data:image/png;base64,AAAA" alt="">') == '<img src="data:image/png;base64,AAAA" alt="">'
    assert body('<img src="https://evil.test/i.png" alt="Logo">') == '<img alt="Logo">'
    assert "svg" not in body('<img src="data:image/svg+xml;base64,AAAA">')


def test_words_of_what_is_left_out_are_kept_only_where_they_are_text() -> None:
    html = "<form>Name <button>Send</button></form><title>T</title><script>S</script><noscript>N</noscript><o:p>O</o:p>"
    assert body(html) == "Name SendNO"


def test_controls_and_direction_marks_do_not_reach_the_file() -> None:
    html = "a&#x202e;b&#27;c\x9dd<b title='&#x202e;x'>e</b>\ud800<style>p{color:red}/*\u202e*/</style>"
    copy = sanitised(Message(Envelope(), html=html))
    assert not re.search("[\u202e\x1b\x9d\ud800]", copy)
    copy.encode()


def test_a_long_mail_is_cut() -> None:
    assert len(body("x" * (LIMIT + 500))) == LIMIT


def test_the_copy_holds_all_shown_parts_in_order() -> None:
    message = Message(
        Envelope(),
        sections=(
            Section("plain words", view=View.TEXT),
            Section(html="<p>first <b>open", view=View.HTML),
            Section("a <footer> of text\nof two lines"),
            Section("Subject: Old", title="Attached <message>", kind=SectionKind.MESSAGE),
            Section(html="<td><script>x</script>second</div></div><!--", kind=SectionKind.MESSAGE),
            Section(html="<p>third"),
        ),
    )
    assert inside(message) == (
        "<div><p>first <b>open</b></p></div>\n<hr>\n"
        '<div><pre style="white-space: pre-wrap">a &lt;footer&gt; of text\nof two lines</pre></div>\n<hr>\n'
        "<div><h2>Attached &lt;message&gt;</h2>\n"
        '<pre style="white-space: pre-wrap">Subject: Old</pre></div>\n<hr>\n'
        "<div>second</div>\n<hr>\n<div><p>third</p></div>"
    )


def test_a_message_of_text_alone_is_copied_as_it_is_written() -> None:
    assert inside(Message(Envelope(), text="a < b\nc")) == ('<pre style="white-space: pre-wrap">a &lt; b\nc</pre>')
    assert inside(Message(Envelope())) == ""


TREES = {
    "fonts before paragraphs": lambda n: "".join(f"<font a={i}>" for i in range(n // 30)) + "<p>x" * (n // 8),
    "all formatting three times": lambda n: "<b><i><u><s><tt><big><em><code><small><strong>" * 3 + "<p>x" * (n // 4),
    "closed in a table": lambda n: (
        "".join(f"<b a={i}>" for i in range(n // 40)) + "<table>" + "</b>" * (n // 40) + "</table>" + "<p>x" * (n // 8)
    ),
    "closed in a form control": lambda n: (
        "".join(f"<b a={i}>" for i in range(n // 40))
        + "<select>"
        + "</b>" * (n // 40)
        + "</select>"
        + "<p>x" * (n // 8)
    ),
    "opened in a stray cell": lambda n: (
        "<div><td>" + "".join(f"<b a={i}>" for i in range(n // 40)) + "</td>" + "<p>x" * (n // 8)
    ),
    "closed too far below": lambda n: (
        "".join(f"<b a={i}>{'<div>' * 10}</b>" for i in range(n // 130)) + "<p>x" * (n // 8)
    ),
}


@pytest.mark.parametrize("make", TREES.values(), ids=TREES.keys())
def test_a_mail_that_would_make_a_huge_tree_becomes_text(make) -> None:
    html = make(1_000_000)
    assert_soon(lambda: body(html), 5)
    copy = body(html)
    assert len(copy) < 1_200_000
    assert re.fullmatch(r"<pre>[x ]+</pre>", copy)


def test_formatting_that_is_closed_does_not_count() -> None:
    part = "<p><b><i>x</i></b> <font color=red><p>y</font></p><table><tr><td><b>z</b><td><em>w</em></table>"
    copy = body(part * 2_000)
    assert copy.startswith("<p><b><i>x</i></b>")
    assert copy.count("z") == 2_000
