"""Hostile answers to the look-up: of DNS, of HTTPS and of the servers that are named. Each ends soon and is told."""

from __future__ import annotations

import asyncio
import os
import random
import struct
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from termmail.net.lookup import dialing, https_get, srv
from termmail.net.lookup.domain_lookup import Network, _resolver, look_up
from termmail.net.lookup.https_get import LARGEST, Place
from termmail.net.lookup.proposal import Proposal
from tests.lookup_servers import Domain, config_xml, page, server_xml, serving
from tests.net.loop_lag import loop_lag

ADDRESS = "ada@example.org"
AUTOCONFIG = "autoconfig.example.org"


@pytest.fixture
async def domain(certificates):
    served = Domain(certificates.authority, certificates.ca_file)
    served.hosts[AUTOCONFIG] = "127.0.0.1"
    async with serving(served) as served:
        yield served


async def asked(domain, **network):
    """Ask, and check that it ends within the limits."""
    values = {name: getattr(domain.network, name) for name in Network.__slots__}
    start = time.monotonic()
    answer = await look_up(ADDRESS, Network(**{**values, **network}))
    assert time.monotonic() - start < 5
    return answer


async def refused(domain, words, **network):
    """Nothing is taken, and the reason is told."""
    answer = await asked(domain, **network)
    assert answer.servers == ()
    assert words in " ".join(answer.troubles)
    return answer


# -- HTTPS


async def test_a_file_without_end_is_cut_off(domain):
    """SECURITY.md, D5."""
    sent = 0

    async def endless(_request, writer):
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"<x/>" * 4096)
            sent += 4 * 4096
            await writer.drain()
            await asyncio.sleep(0)  # drain alone lets nobody else run

    domain.files[AUTOCONFIG] = endless
    await refused(domain, f"{AUTOCONFIG} sent more than 256 KB.")
    assert sent < 16 << 20  # what fits in the buffers between


async def test_a_slow_drip_ends_at_the_deadline(domain):
    async def drip(_request, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)  # a server's own pace

    domain.files[AUTOCONFIG] = drip
    await refused(domain, f"{AUTOCONFIG}:{domain.network.https_port} did not answer in time.", seconds=0.5)


async def test_dns_is_believed_while_https_is_silent(domain):
    async def silent(_request, _writer):
        await asyncio.Event().wait()

    port = await domain.mail_server("imap", "imap.example.org")
    domain.srv("_imaps", f"0 1 {port} imap.example.org.")
    domain.files[AUTOCONFIG] = silent
    answer = await asked(domain, seconds=0.5)
    assert answer.servers == (Proposal("imap", "imap.example.org", port, "tls"),)


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://example.net/x.xml", "redirects to example.net, which is not part of example.org"),
        ("https://example.org.example.net/x.xml", "not part of example.org"),
        ("https://badexample.org/x.xml", "not part of example.org"),
        ("https://example.org@example.net/x.xml", "not part of example.org"),
        ("//example.net/x.xml", "not part of example.org"),
        ("https://127.0.0.1/x.xml", "not part of example.org"),
        ("https://localhost/x.xml", "not part of example.org"),
        ("http://autoconfig.example.org/x.xml", "redirects away from HTTPS"),
        ("file:///etc/passwd", "redirects away from HTTPS"),
        ("HTTP://autoconfig.example.org/x.xml", "redirects away from HTTPS"),
        ("https://autoconfig.example.org:99999/x", "redirects to what is no address"),
        ("https://[/x", "redirects to what is no address"),
        ("x.xml", "redirects to what is no address"),
        ("/a b", "redirects to what is no address"),
        ("/\xff", "redirects to what is no address"),
        ("", "redirects to what is no address"),
    ],
)
async def test_a_redirect_stays_in_the_domain_and_on_https(domain, location, words):
    """SECURITY.md, D6."""
    domain.files[AUTOCONFIG] = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    await refused(domain, words)
    assert len(domain.requests) == 1
    assert {question.split(" ")[0] for question in domain.questions if " SRV" not in question} <= {
        "autoconfig.example.org.",
        "example.org.",
    }


async def test_a_foreign_host_is_shown_cut_and_clean(domain):
    location = "https://\x9b2J\x1b7" + "x" * 5000 + ".example.net/"
    domain.files[AUTOCONFIG] = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode("latin-1")
    answer = await refused(domain, "not part of example.org")
    (words,) = answer.troubles
    assert len(words) < 250
    assert words.isprintable()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inside_the_domain_is_followed(domain, status):
    port = await domain.mail_server("imap", "imap.example.org")
    there = f"https://example.org:{domain.network.https_port}/mail.xml?x=1"
    domain.hosts["example.org"] = "127.0.0.1"
    domain.files[AUTOCONFIG] = f"HTTP/1.1 {status} Moved\r\nLocation: {there}\r\n\r\n".encode()

    async def only_there(request, writer):
        known = request.startswith(b"GET /mail.xml?x=1 ")
        body = config_xml(server_xml("imap", "imap.example.org", port))
        writer.write(page(body) if known else page(b"", "404 Not Found"))

    domain.files["example.org"] = only_there
    assert (await asked(domain)).servers == (Proposal("imap", "imap.example.org", port, "tls", ADDRESS),)


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("https://example.org/x?a=b#c", Place("example.org", "/x?a=b", 443)),
        ("https://www.Example.org:8443/x", Place("www.example.org", "/x", 8443)),
        ("//www.example.org/x", Place("www.example.org", "/x", 443)),
        ("/x", Place(AUTOCONFIG, "/x", 444)),
        ("https:/x", Place(AUTOCONFIG, "/x", 444)),
    ],
)
def test_where_a_redirect_leads(location, place):
    assert https_get._next(Place(AUTOCONFIG, "/mail.xml", 444), location, "example.org") == place


def test_the_host_field_has_a_port_only_where_it_is_not_the_usual_one():
    assert Place("example.org", "/x").authority == "example.org"
    assert Place("example.org", "/x", 8443).authority == "example.org:8443"


async def test_redirects_in_a_circle_end(domain):
    domain.files[AUTOCONFIG] = b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n"
    await refused(domain, "redirects again and again")
    assert len(domain.requests) == 4


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"SSH-2.0-x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n<x/>",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 5000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b" + b"\x00" * 100,
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nxxxxxx",
        random.Random(1).randbytes(50_000),
        page(b"<!DOCTYPE x [<!ENTITY a 'b'>]><clientConfig>&a;</clientConfig>"),
        page(b"<html>"),
        page(b"x" * (LARGEST - 100)),
    ],
)
async def test_what_is_no_answer_is_told_and_taken_for_none(domain, answer):
    domain.files[AUTOCONFIG] = answer
    await refused(domain, "valid")


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden", "500 Oops", "204 No Content"])
async def test_a_domain_without_the_file_is_no_trouble(domain, status):
    domain.files[AUTOCONFIG] = page(b"<html>", status)
    assert (await asked(domain)).troubles == ()


async def test_a_chunked_answer_is_read(domain):
    port = await domain.mail_server("imap", "imap.example.org")
    body = config_xml(server_xml("imap", "imap.example.org", port))
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(body[i : i + 50]), body[i : i + 50]) for i in range(0, len(body), 50))
    domain.files[AUTOCONFIG] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    assert len((await asked(domain)).servers) == 1


async def test_a_certificate_of_another_authority_or_name_is_not_trusted(certificates, domain):
    """SECURITY.md, D6."""
    domain.files[AUTOCONFIG] = page(config_xml(server_xml("imap", "imap.example.org", 993)))
    await refused(domain, "issued by someone this computer does not know", ca_file=certificates.other_ca_file)
    other = Domain(certificates.authority, certificates.ca_file, certified=("example.net",))
    other.hosts[AUTOCONFIG] = "127.0.0.1"
    async with serving(other):
        await refused(other, "belongs to another name")
    assert domain.requests == other.requests == []


# -- DNS


async def test_a_flood_of_records_is_cut_to_the_best_and_holds_up_nobody(domain):
    """SECURITY.md, D5."""
    port = await domain.mail_server("imap", "imap.example.org")
    texts = [f"1 0 {port} imap.example.org.", *(f"{n} 0 1 x{n}.example.org." for n in range(2, 1500))]
    question = dns.message.make_query("_imaps._tcp.example.org.", "SRV")
    flood = dns.message.make_response(question)
    flood.flags |= dns.flags.RA
    flood.answer.append(dns.rrset.from_text_list("_imaps._tcp.example.org.", 60, "IN", "SRV", texts))
    wire = flood.to_wire(max_size=65535)

    def answer(asked):
        if str(asked.question[0].name).startswith("_imaps"):
            return struct.pack("!H", asked.id) + wire[2:]
        return domain.honest(asked).to_wire()

    domain.raw = answer
    async with loop_lag() as lag:
        assert (await asked(domain)).servers == (Proposal("imap", "imap.example.org", port, "tls"),)
    assert len(wire) > 50_000
    assert lag.seconds < 0.05


async def test_more_records_announced_than_there_are_is_no_answer(domain):
    def answer(asked):
        made = dns.message.make_response(asked)
        made.flags |= dns.flags.RA
        made.answer.append(dns.rrset.from_text(asked.question[0].name, 60, "IN", "SRV", "0 0 993 imap.example.org."))
        wire = made.to_wire()
        return wire[:6] + struct.pack("!H", 10_000) + wire[8:]

    domain.raw = answer
    await refused(domain, "DNS gave no answer", seconds=0.7)


async def test_priority_comes_first_then_weight(domain):
    ports = [await domain.mail_server("imap", f"{name}.example.org") for name in ("a", "b", "c")]
    domain.srv(
        "_imaps",
        f"20 99 {ports[0]} a.example.org.",
        f"10 1 {ports[1]} b.example.org.",
        f"10 50 {ports[2]} c.example.org.",
    )
    assert (await asked(domain)).servers[0].host == "c.example.org"


def test_a_service_that_one_record_says_is_not_offered_has_no_server():
    offered = srv.Record(1, 0, 993, "imap.example.org.")
    (imaps, *_) = srv.SERVICES
    assert srv.chosen(imaps, [offered]) == [Proposal("imap", "imap.example.org", 993, "tls")]
    assert srv.chosen(imaps, [offered, srv.Record(0, 0, 0, ".")]) == []
    assert len(srv.chosen(imaps, [offered] * 100)) == srv.MOST_RECORDS


def test_the_name_servers_are_those_of_the_system():
    resolver = _resolver(Network())
    assert resolver is None or resolver.nameservers


async def test_a_service_that_is_not_offered_is_not_used(domain):
    port = await domain.mail_server("pop3", "pop.example.org")
    domain.srv("_imaps", "0 0 0 .", f"1 0 {port} pop.example.org.")
    domain.srv("_pop3s", f"0 0 {port} pop.example.org.")
    assert [one.kind for one in (await asked(domain)).servers] == ["pop3"]


@pytest.mark.parametrize(
    "target", ["localhost.", "127.0.0.1.", "-oproxy.example.org.", "a\\032b.example.org.", "x\\010y.org."]
)
async def test_targets_that_are_no_names_of_hosts_are_left_out(domain, target):
    """SECURITY.md, D4."""
    domain.srv("_imaps", f"0 0 993 {target}", "0 0 0 imap.example.org.")
    assert (await asked(domain)).servers == ()
    assert not any("proxy" in question for question in domain.questions)


async def test_srv_records_that_lead_in_a_circle_end(domain):
    def circle(question):
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        name = question.question[0].name
        other = "b.example.org." if str(name).startswith("a.") else "a.example.org."
        answer.answer += [
            dns.rrset.from_text(name, 60, "IN", "CNAME", other),
            dns.rrset.from_text(other, 60, "IN", "CNAME", str(name)),
        ]
        return answer.to_wire()

    domain.raw = circle
    await refused(domain, "DNS gave no answer", seconds=1.0)


@pytest.mark.parametrize(
    "kind", ["silence", "garbage", "short", "servfail", "refused", "another id", "another question"]
)
async def test_dns_that_does_not_answer_is_told(domain, kind):
    def answer(question):
        made = dns.message.make_response(question)
        if kind == "silence":
            return None
        if kind == "garbage":
            return os.urandom(200)
        if kind == "short":
            return made.to_wire()[:5]
        if kind == "another id":
            return struct.pack("!H", made.id ^ 1) + made.to_wire()[2:]
        if kind == "another question":
            return dns.message.make_response(dns.message.make_query("example.net.", "SRV")).to_wire()
        made.set_rcode(dns.rcode.SERVFAIL if kind == "servfail" else dns.rcode.REFUSED)
        return made.to_wire()

    domain.raw = answer
    await refused(domain, "DNS gave no answer", seconds=0.7)
    assert domain.requests == []


async def test_one_service_without_an_answer_is_told_and_the_others_are_used(domain):
    port = await domain.mail_server("smtp", "smtp.example.org")
    domain.srv("_submissions", f"0 0 {port} smtp.example.org.")

    def answer(question):
        made = domain.honest(question)
        if str(question.question[0].name).startswith("_imaps"):
            made.set_rcode(dns.rcode.SERVFAIL)
        return made.to_wire()

    domain.raw = answer
    found = await asked(domain, seconds=1.0)
    assert [one.kind for one in found.servers] == ["smtp"]
    assert "DNS gave no answer for all of example.org." in found.troubles


@pytest.mark.parametrize("count", [1, 6, 7, 200])
async def test_only_six_addresses_of_a_host_are_tried(domain, count):
    domain.records["many.example.org.", "A"] = [f"127.0.1.{n}" for n in range(1, count + 1)]
    resolver = _resolver(domain.network)
    assert len(await dialing._addresses("many.example.org", resolver)) == min(count, 6)


async def test_an_address_without_a_domain_asks_nobody(domain):
    answer = await look_up("ada@127.0.0.1", domain.network)
    assert answer.troubles == ("The address has no domain that could be asked.",)
    assert domain.questions == []


# -- the servers that are named


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n", b"220 wrong kind\r\n", b"x" * 100_000, b"\n"])
async def test_what_does_not_greet_as_a_mail_server_is_not_proposed(domain, greeting):
    """SECURITY.md, D7."""
    port = await domain.mail_server("imap", "imap.example.org", greeting=greeting)
    domain.srv("_imaps", f"0 0 {port} imap.example.org.")
    await refused(domain, "is no IMAP server")
    assert set(domain.heard) <= {b""}


@pytest.mark.parametrize(("kind", "service"), [("pop3", "_pop3s"), ("smtp", "_submissions")])
async def test_a_server_of_another_kind_is_not_proposed(domain, kind, service):
    port = await domain.mail_server(kind, "mail.example.org", greeting=b"* OK ready\r\n")
    domain.srv(service, f"0 0 {port} mail.example.org.")
    await refused(domain, f"is no {kind.upper()} server")


async def test_a_server_that_is_silent_is_left_for_the_next(domain):
    first = await domain.mail_server("imap", "first.example.org", greeting=b"* OK without end")
    second = await domain.mail_server("imap", "second.example.org")
    domain.srv("_imaps", f"0 0 {first} first.example.org.", f"1 0 {second} second.example.org.", "2 0 1 x.example.org.")
    answer = await asked(domain, seconds=1.0)
    assert answer.servers == (Proposal("imap", "second.example.org", second, "tls"),)


async def test_only_three_servers_of_a_kind_are_tried(domain):
    domain.srv("_imaps", *(f"{n} 0 993 x{n}.example.org." for n in range(8)))
    assert (await asked(domain)).servers == ()
    assert {q.split(".")[0] for q in domain.questions if q.startswith("x")} == {"x0", "x1", "x2"}


async def test_a_server_with_a_false_certificate_is_not_proposed(certificates, domain):
    port = await domain.mail_server("imap", "imap.example.org")
    domain.srv("_imaps", f"0 0 {port} other.example.org.")
    domain.hosts["other.example.org"] = "127.0.0.1"
    await refused(domain, "belongs to another name")
