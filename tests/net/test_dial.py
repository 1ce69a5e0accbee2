"""Which of a host's addresses is taken, also under the eager tasks that Textual sets from Python 3.12 on."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest

from termmail.net.stream import dial, first_to_answer


@pytest.fixture(params=["lazy", "eager"])
def tasks(request):
    return request.param


@pytest.fixture
async def port(pop3_server):
    return (await pop3_server()).port


def begin(tasks) -> None:
    if tasks == "eager" and hasattr(asyncio, "eager_task_factory"):
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)


def addresses(*places):
    """As getaddrinfo tells them."""
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in places]


async def test_a_host_is_reached_by_its_name(tasks, port):
    begin(tasks)
    with await dial("localhost", port) as line:
        assert line.getpeername()[1] == port


async def test_an_address_that_refuses_is_passed_over_at_once(tasks, port):
    begin(tasks)
    found = addresses(("127.0.0.1", 1), ("127.0.0.1", port))
    start = time.monotonic()
    with await first_to_answer(found) as line:
        assert line.getpeername()[1] == port
    assert time.monotonic() - start < 5


async def test_an_address_that_never_answers_does_not_hold_up_the_next(tasks, port):
    begin(tasks)
    with socket.socket() as full:  # a queue that is full: who dials now waits for ever
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        silent = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(silent)
        found = addresses(silent, ("127.0.0.1", port))
        async with asyncio.timeout(10):
            with await first_to_answer(found) as line:
                assert line.getpeername()[1] == port
        for one in waiting:
            one.close()


async def test_where_none_answers_the_first_error_is_told(tasks):
    begin(tasks)
    with pytest.raises(ConnectionRefusedError):
        await first_to_answer(addresses(("127.0.0.1", 1), ("127.0.0.1", 2)))
