"""The proxy delays, keeps what passes as it is, and counts how often a client waited."""

import asyncio

from termmail.demo.server_maildrop import Maildrop
from tests.proxy import Proxy

RTT = 0.02


async def test_turns_are_counted_and_pipelined_commands_cost_one(pop3_server):
    server = await pop3_server([b"Subject: x\r\n\r\nbody\r\n"] * 50)
    loop = asyncio.get_running_loop()
    async with Proxy(server.host, server.port, rtt=RTT) as proxy:
        started = loop.time()
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        await reader.readline()
        for line in (b"USER ada@example.org\r\n", b"PASS analytical\r\n"):
            writer.write(line)
            assert (await reader.readline()).startswith(b"+OK")
        assert proxy.turns == 2
        writer.write(b"".join(b"TOP %d 0\r\n" % number for number in range(1, 51)))
        for _ in range(50):
            await reader.readuntil(b"\r\n.\r\n")
        assert proxy.turns == 3
        writer.write(b"QUIT\r\n")
        assert (await reader.read()).startswith(b"+OK")
        assert loop.time() - started >= (2 + 4) * RTT
        writer.close()
        await writer.wait_closed()


async def test_large_answers_pass_unchanged_and_the_end_is_passed_on(pop3_server):
    raw = b"Subject: x\r\n\r\n" + bytes(range(32, 127)) * 20_000 + b"\r\n"
    server = await pop3_server(users={"a": Maildrop("p", [raw])})
    async with Proxy(server.host, server.port, rtt=0.004) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port, limit=1 << 24)
        writer.write(b"USER a\r\nPASS p\r\nRETR 1\r\nQUIT\r\n")
        said = await reader.read()
        assert raw in said
        assert said.endswith(b"+OK bye\r\n")
        writer.close()
        await writer.wait_closed()
        assert proxy.lines[0].bytes_down == len(said)


async def test_a_client_that_goes_away_frees_the_server(pop3_server):
    server = await pop3_server()
    async with Proxy(server.host, server.port) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        await reader.readline()
        writer.close()
        await writer.wait_closed()
        await server.until(lambda: server.sessions == 1 and server.open_sessions == 0)


async def test_a_server_that_is_not_there_closes_the_line():
    async with Proxy("127.0.0.1", 1) as proxy:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
