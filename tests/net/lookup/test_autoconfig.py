"""The autoconfig file: what is taken from it, and what a hostile one cannot do."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from termmail.net.lookup.autoconfig import MOST_ELEMENTS, MOST_SERVERS, Autoconfig, InvalidConfig, parse
from termmail.net.lookup.proposal import Proposal, host_name, inside
from tests.lookup_servers import config_xml, server_xml
from tests.timing import assert_soon

ADDRESS = "ada@example.org"


def servers(*elements: str) -> tuple[Proposal, ...]:
    return parse(config_xml(*elements), ADDRESS).servers


def test_all_servers_are_taken_in_the_order_of_the_file():
    assert servers(
        server_xml("imap", "b.example.org", 993),
        server_xml("imap", "a.example.org", 143, socket="STARTTLS", user="%EMAILLOCALPART%"),
        server_xml("pop3", "pop.%EMAILDOMAIN%", 995, user="%EMAILLOCALPART%.%EMAILDOMAIN%"),
        server_xml("smtp", "SMTP.Example.org.", 465, user="fixed"),
    ) == (
        Proposal("imap", "b.example.org", 993, "tls", "ada@example.org"),
        Proposal("imap", "a.example.org", 143, "starttls", "ada"),
        Proposal("pop3", "pop.example.org", 995, "tls", "ada.example.org"),
        Proposal("smtp", "smtp.example.org", 465, "tls", "fixed"),
    )


@pytest.mark.parametrize("socket", ["plain", "", "ssl", "none", "SSL3"])
def test_nothing_without_tls_is_taken(socket):
    """SECURITY.md, D4."""
    assert servers(server_xml("imap", "imap.example.org", 143, socket=socket)) == ()


@pytest.mark.parametrize(
    "host",
    [
        *("-oProxyCommand=x.example.org", "--help", "a b.example.org", "imap.example.org/x", "u@imap.example.org", ""),
        *("127.0.0.1", "[::1]", "::1", "localhost", "imap..example.org", ".example.org", "imap_x.example.org"),
        *("imap.example.org:25", "imap.example.org&#10;QUIT", "imap.example.org&#x202e;", "x" * 64 + ".example.org"),
        *("imap.example.1", "imap.-example.org", "a." * 130 + "org", "&#9;imap.example.org x", "../../etc/passwd"),
    ],
)
def test_only_names_of_hosts_are_taken(host):
    """SECURITY.md, D4."""
    assert servers(server_xml("imap", host, 993)) == ()


@pytest.mark.parametrize("port", ["0", "65536", "-1", "٣", "1e3", "", "99999999999999999999", "9 93", "+993"])
def test_only_ports_are_taken(port):
    assert servers(server_xml("imap", "imap.example.org", port)) == ()


@pytest.mark.parametrize("port", [1, 65535])
def test_every_port_is_taken(port):
    (server,) = servers(server_xml("imap", "imap.example.org", port))
    assert server.port == port


@pytest.mark.parametrize("user", ["a&#10;b", "a&#x85;b", "a&#x202e;b", "%REALNAME%", "%%", "a&#x2028;b"])
def test_a_user_name_that_cannot_be_used_is_the_address(user):
    (server,) = servers(server_xml("imap", "imap.example.org", 993, user=user))
    assert server.username == ""


def test_servers_that_take_no_password_are_left_out_and_that_is_told():
    oauth = server_xml("imap", "imap.example.org", 993, authentication="OAuth2")
    kerberos = server_xml("imap", "imap.example.org", 993, authentication="GSSAPI")
    password = server_xml("pop3", "pop.example.org", 995)
    assert parse(config_xml(oauth), ADDRESS) == Autoconfig((), oauth_only=True)
    assert parse(config_xml(kerberos), ADDRESS) == Autoconfig((), oauth_only=False)
    assert parse(config_xml(oauth, password), ADDRESS).oauth_only is False
    both = oauth.replace("</username>", "</username><authentication>password-cleartext</authentication>")
    assert len(servers(both)) == 1


def test_long_words_around_the_servers_do_not_matter():
    long = f"<documentation>{'how to ' * 500}</documentation>"
    assert len(servers(long, server_xml("imap", "imap.example.org", 993), long)) == 1


def test_other_parts_of_the_file_are_not_servers():
    inside_server = server_xml("imap", "imap.example.org", 993)
    assert parse(f"<clientConfig>{inside_server}</clientConfig>".encode(), ADDRESS).servers == ()
    assert servers(f"<documentation>{inside_server}</documentation>", f"<!--{inside_server}-->") == ()
    assert len(servers(f"<x>{inside_server * (MOST_SERVERS + 1)}</x>", inside_server)) == 1
    nested = inside_server.replace("<port>", "<x><hostname>evil.example.net</hostname></x><port>")
    assert servers(nested)[0].host == "imap.example.org"
    others = server_xml("exchange", "x.example.org", 443), server_xml("nntp", "x.example.org", 563)
    assert [one.host for one in servers(*others, inside_server, *others)] == ["imap.example.org"]


BOMB = b"".join(b'<!ENTITY a%d "%s">' % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 10))


@pytest.mark.parametrize(
    "data",
    [
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">' + BOMB + b"]><clientConfig>&a9;</clientConfig>",
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><clientConfig>&f;</clientConfig>',
        b'<!DOCTYPE x SYSTEM "https://example.net/x.dtd"><clientConfig/>',
        b'<!DOCTYPE x><clientConfig version="1.1"/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><clientConfig>&a;</clientConfig>'.encode(
            "utf-16"
        ),
        b"<clientConfig>&nope;</clientConfig>",
        b"<x>" * 20 + b"</x>" * 20,
        b"<x>" * 80_000,
        b"<x>" + b"<y/>" * (MOST_ELEMENTS + 1) + b"</x>",
        config_xml(*[server_xml("imap", "imap.example.org", 993)] * (MOST_SERVERS + 1)),
        config_xml(server_xml("imap", "x" * 1000, 993)),
        b"<html><body>404</p></body>",
        b"",
        b"\x00\xff" * 1000,
        b"{}",
        b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>',
        b'<?xml version="1.0" encoding="idna"?><clientConfig/>',
        config_xml(server_xml("imap", "imap.example.org", 993))[:-20],
    ],
)
def test_a_hostile_file_is_refused_soon(data):
    """SECURITY.md, D5."""

    def read() -> None:
        with pytest.raises(InvalidConfig):
            parse(data, ADDRESS)

    assert_soon(read, 0.5)


def test_an_attribute_of_a_quarter_of_a_megabyte_is_read_soon():
    many = b" ".join(b'a%d="x"' % n for n in range(20_000))
    for attributes in (b'a="' + b"x" * 250_000 + b'"', many):
        file = b"<clientConfig " + attributes + b"/>"
        assert_soon(lambda file=file: parse(file, ADDRESS), 0.25)
        assert parse(file, ADDRESS).servers == ()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_file_or_refused(data):
    with contextlib.suppress(InvalidConfig):
        parse(b"<clientConfig><emailProvider>" + data, ADDRESS)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("imap.EXAMPLE.org.", "imap.example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("..", None),
        ("org", None),
        ("\ud800.example.org", None),
    ],
)
def test_names_of_hosts_are_in_ascii(text, name):
    assert host_name(text) == name


def test_a_host_is_part_of_a_domain_by_whole_labels():
    assert inside("example.org", "example.org")
    assert inside("mail.example.org", "example.org")
    assert not inside("badexample.org", "example.org")
    assert not inside("example.org.example.net", "example.org")
    assert not inside("org", "example.org")
