"""A scripted server says what its script says, and tells what its clients did."""

import asyncio

import pytest

from termmail.demo import scripted
from termmail.demo.scripted import ScriptedServer


async def connect(server):
    return await asyncio.open_connection("127.0.0.1", server.port)


async def test_the_script_speaks_and_the_server_keeps_what_it_heard():
    async def script(talk):
        await talk.say(b"220 hi\r\n")
        assert await talk.hear("EHLO") == "EHLO there"
        await talk.say(b"354 go on\r\n")
        assert await talk.message() == b"one\r\n.two\r\n"
        assert await talk.take(3) == b"abc"

    async with ScriptedServer(script) as server:
        reader, writer = await connect(server)
        assert await reader.readline() == b"220 hi\r\n"
        writer.write(b"EHLO there\r\n")
        assert await reader.readline() == b"354 go on\r\n"
        writer.write(b"one\r\n..two\r\n.\r\nabcand the rest")
        writer.close()
    assert (server.sessions, server.heard(), server.left) == (1, ["EHLO there"], b"and the rest")


@pytest.mark.parametrize(("sent", "words"), [(b"STAT\r\n", "'STAT' instead of 'CAPA'"), (b"", "hung up")])
async def test_a_client_that_says_something_else_fails_the_block(sent, words):
    async def script(talk):
        await talk.hear("CAPA")

    with pytest.raises(AssertionError, match=words):
        async with ScriptedServer(script) as server:
            _, writer = await connect(server)
            writer.write(sent)
            writer.close()


async def test_a_failure_of_the_script_is_told_beside_that_of_the_client():
    async def script(talk):
        raise KeyError("in the script")

    with pytest.raises(KeyError) as caught:
        async with ScriptedServer(script) as server:
            reader, writer = await connect(server)
            assert await reader.read() == b""
            writer.close()
            raise ValueError("in the client")
    assert isinstance(caught.value.__context__, ValueError)


async def test_a_client_that_stays_connected_fails_the_block(monkeypatch):
    monkeypatch.setattr(scripted, "END_SECONDS", 0.05)

    async def script(talk):
        await talk.hear()

    with pytest.raises(TimeoutError):
        async with ScriptedServer(script) as server:
            _, writer = await connect(server)
            writer.write(b"hello\r\n")
            await server.until(lambda: server.heard() == ["hello"])
    writer.close()


async def test_a_dropped_connection_ends_the_script():
    async def script(talk):
        await talk.say(b"+OK")
        talk.drop()

    async with ScriptedServer(script) as server:
        reader, writer = await connect(server)
        assert await reader.read() == b"+OK"
        writer.close()
        await server.until(lambda: server.open_sessions == 0)
