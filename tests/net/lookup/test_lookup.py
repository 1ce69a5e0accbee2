"""A domain is asked for its mail servers: what it is asked, what is taken from its answers, and what is not."""

from __future__ import annotations

import asyncio

import pytest

from termmail.net.lookup.domain_lookup import Answer, look_up
from termmail.net.lookup.proposal import Proposal
from tests.lookup_servers import config_xml, page, server_xml

ADDRESS = "ada@example.org"


async def test_srv_records_name_servers_that_greet(domain):
    imap = await domain.mail_server("imap", "imap.example.org")
    smtp = await domain.mail_server("smtp", "smtp.example.org", tls=False)
    domain.srv("_imaps", f"0 1 {imap} imap.example.org.")
    domain.srv("_submission", f"0 1 {smtp} smtp.example.org.")
    assert (await look_up(ADDRESS, domain.network)).servers == (
        Proposal("imap", "imap.example.org", imap, "tls"),
        Proposal("smtp", "smtp.example.org", smtp, "starttls"),
    )


@pytest.mark.parametrize(
    ("label", "kind", "security"),
    [
        ("_imaps", "imap", "tls"),
        ("_imap", "imap", "starttls"),
        ("_pop3s", "pop3", "tls"),
        ("_pop3", "pop3", "starttls"),
        ("_submissions", "smtp", "tls"),
        ("_submission", "smtp", "starttls"),
    ],
)
async def test_each_service_has_its_protocol_and_security(domain, label, kind, security):
    """RFC 6186 section 3, RFC 8314 section 5.1."""
    port = await domain.mail_server(kind, "mail.example.org", tls=security == "tls")
    domain.srv(label, f"0 1 {port} mail.example.org.")
    assert (await look_up(ADDRESS, domain.network)).servers == (Proposal(kind, "mail.example.org", port, security),)


async def test_tls_from_the_first_byte_comes_before_starttls(domain):
    ports = [await domain.mail_server("imap", "imap.example.org", tls=tls) for tls in (True, False)]
    domain.srv("_imap", f"0 1 {ports[1]} imap.example.org.")
    domain.srv("_imaps", f"0 1 {ports[0]} imap.example.org.")
    assert (await look_up(ADDRESS, domain.network)).servers == (Proposal("imap", "imap.example.org", ports[0], "tls"),)


async def test_the_file_of_the_domain_comes_before_dns(domain):
    first = await domain.mail_server("imap", "first.example.org")
    second = await domain.mail_server("imap", "second.example.org")
    domain.hosts["autoconfig.example.org"] = "127.0.0.1"
    domain.files["autoconfig.example.org"] = page(
        config_xml(server_xml("imap", "first.example.org", first, user="%EMAILLOCALPART%"))
    )
    domain.srv("_imaps", f"0 1 {second} second.example.org.")
    assert (await look_up(ADDRESS, domain.network)).servers == (
        Proposal("imap", "first.example.org", first, "tls", "ada"),
    )


async def test_neither_the_address_nor_the_name_of_the_program_is_told(domain):
    domain.hosts |= {"autoconfig.example.org": "127.0.0.1", "example.org": "127.0.0.1"}
    assert (await look_up(ADDRESS, domain.network)).servers == ()
    assert sorted(request.split(b" ")[1] for request in domain.requests) == [
        b"/.well-known/autoconfig/mail/config-v1.1.xml",
        b"/mail/config-v1.1.xml",
    ]
    everything = b"".join(domain.requests).lower()
    assert b"ada" not in everything
    assert b"termmail" not in everything
    assert not any("ada" in question for question in domain.questions)


async def test_a_domain_that_says_nothing_is_no_trouble(domain):
    assert await look_up(ADDRESS, domain.network) == Answer()


async def test_a_cancelled_look_up_ends(domain):
    asked, ended = asyncio.Event(), asyncio.Event()

    async def never(_request, writer):
        asked.set()
        await writer.wait_closed()
        ended.set()

    domain.hosts["autoconfig.example.org"] = "127.0.0.1"
    domain.files["autoconfig.example.org"] = never
    task = asyncio.create_task(look_up(ADDRESS, domain.network))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(domain.network.seconds / 2):
        await ended.wait()
