"""The embedded POP3 server keeps RFC 1939 when its manners are good, and breaks it as told when they are not."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import poplib
import ssl

import pytest

from termmail.demo import server_sasl
from termmail.demo.faults import Manners
from termmail.demo.server_maildrop import Maildrop
from tests.conftest import PASSWORD, USER

ONE = b"From: a@example.org\r\nSubject: one\r\n\r\nfirst\r\n.dot\r\n..two dots\r\nlast\r\n"
TWO = b"From: b@example.org\r\nSubject: two\r\n\r\nhello\r\n"


class Client:
    """A raw client: what is sent is sent, what comes is seen."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, server, **options):
        client = cls(*await asyncio.open_connection(server.host, server.port, **options))
        client.greeting = await client.line()
        return client

    async def line(self):
        return await self.reader.readuntil(b"\r\n")

    async def rows(self):
        return await self.reader.readuntil(b"\r\n.\r\n")

    async def say(self, *lines):
        self.writer.write(b"".join(line + b"\r\n" for line in lines))

    async def ask(self, line):
        await self.say(line)
        return await self.line()

    async def ask_rows(self, line):
        await self.say(line)
        return await self.rows()

    async def log_in(self):
        assert (await self.ask(b"USER ada@example.org")).startswith(b"+OK")
        assert (await self.ask(b"PASS " + PASSWORD.encode())).startswith(b"+OK")

    async def rest(self):
        """Everything until the server hangs up."""
        try:
            return await self.reader.read()
        except ConnectionResetError:
            return b""

    async def close(self):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@pytest.fixture
async def connect(pop3_server):
    clients = []

    async def open_one(messages=(ONE, TWO), *, login=True, **options):
        server = await pop3_server(messages, **options)
        client = await Client.to(server)
        clients.append(client)
        if login:
            await client.log_in()
        return server, client

    yield open_one
    for client in clients:
        await client.close()


async def test_a_whole_session_by_poplib_deletes_what_it_said(pop3_server):
    server = await pop3_server([ONE, TWO])

    def session():
        client = poplib.POP3(server.host, server.port)
        client.user(USER)
        client.pass_(PASSWORD)
        listed = client.list()[1]
        uidls = client.uidl()[1]
        text = b"".join(line + b"\r\n" for line in client.retr(1)[1])
        client.dele(1)
        client.quit()
        return listed, uidls, text

    listed, uidls, text = await asyncio.to_thread(session)
    assert listed == [b"1 %d" % len(ONE), b"2 %d" % len(TWO)]
    assert len({row.split()[1] for row in uidls}) == 2
    assert text == ONE
    drop = server.users[USER]
    assert [stored.raw for stored in drop.messages] == [TWO]
    assert server.heard("DELE") == ["DELE 1"]


async def test_deletes_are_not_committed_without_quit(connect):
    server, client = await connect()
    assert (await client.ask(b"DELE 1")).startswith(b"+OK")
    assert (await client.ask(b"RETR 1")).startswith(b"-ERR")
    await client.close()
    await server.until(lambda: server.open_sessions == 0)
    assert len(server.users[USER].messages) == 2


async def test_rset_unmarks(connect):
    _, client = await connect()
    await client.ask(b"DELE 1")
    assert (await client.ask(b"STAT")).startswith(b"+OK 1 ")
    await client.ask(b"RSET")
    assert (await client.ask(b"STAT")).startswith(b"+OK 2 ")


async def test_a_second_session_is_told_in_use_until_the_first_has_gone(connect):
    server, client = await connect()
    second = await Client.to(server)
    await second.ask(b"USER ada@example.org")
    assert b"[IN-USE]" in await second.ask(b"PASS " + PASSWORD.encode())
    await client.ask(b"QUIT")
    await client.rest()
    await server.until(lambda: server.open_sessions == 1)
    await second.log_in()
    await second.close()


async def test_top_gives_the_header_block_and_so_many_lines(connect):
    _, client = await connect()
    assert await client.ask_rows(b"TOP 1 0") == b"+OK\r\nFrom: a@example.org\r\nSubject: one\r\n\r\n.\r\n"
    assert (await client.ask_rows(b"TOP 1 2")).endswith(b"\r\n\r\nfirst\r\n..dot\r\n.\r\n")
    assert (await client.ask_rows(b"TOP 1 99")).endswith(b"\r\n...two dots\r\nlast\r\n.\r\n")


async def test_ten_thousand_pipelined_tops_are_answered_in_order(connect):
    server, client = await connect([b"Subject: %d\r\n\r\n" % number for number in range(10_000)])
    sending = asyncio.create_task(client.say(*(b"TOP %d 0" % number for number in range(1, 10_001)), b"NOOP"))
    for number in range(10_000):
        assert await client.rows() == b"+OK\r\nSubject: %d\r\n\r\n.\r\n" % number
    await sending
    await client.ask(b"QUIT")
    await client.rest()
    await server.until(lambda: server.open_sessions == 0)
    assert server.at_once > 100


async def test_a_message_removed_by_another_is_refused(connect):
    server, client = await connect()
    drop = server.users[USER]
    drop.remove(drop.messages[0])
    assert (await client.ask(b"RETR 1")).startswith(b"-ERR")
    assert (await client.ask(b"RETR 2")).startswith(b"+OK")


async def test_numbers_that_are_no_numbers_are_refused(connect):
    _, client = await connect()
    for number in (b"0", b"-1", b"3", b"1e0", b"+1", "\u0661".encode(), b"99999999999999999999", b""):
        assert (await client.ask(b"RETR " + number)).startswith(b"-ERR"), number


async def test_apop_opens_with_the_digest_of_stamp_and_password(connect):
    _, client = await connect(login=False)
    stamp = client.greeting[client.greeting.index(b"<") : client.greeting.index(b">") + 1]
    digest = hashlib.md5(stamp + PASSWORD.encode()).hexdigest().encode()
    assert b"[AUTH]" in await client.ask(b"APOP ada@example.org " + digest[::-1])
    assert (await client.ask(b"APOP ada@example.org " + digest)).startswith(b"+OK")


async def test_auth_plain_with_initial_response(connect):
    _, client = await connect(login=False)
    right = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())
    wrong = base64.b64encode(f"\0{USER}\0no".encode())
    assert b"[AUTH]" in await client.ask(b"AUTH PLAIN " + wrong)
    assert (await client.ask(b"AUTH PLAIN")).startswith(b"+ ")
    assert (await client.ask(b"*")).startswith(b"-ERR")
    assert (await client.ask(b"AUTH PLAIN " + right)).startswith(b"+OK")


def test_scram_agrees_with_the_example_of_rfc_7677(monkeypatch):
    monkeypatch.setattr(server_sasl.secrets, "token_urlsafe", lambda _: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    monkeypatch.setattr(
        server_sasl.hashlib,
        "sha256",
        lambda data, real=hashlib.sha256: (
            _Fixed(base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")) if data.startswith(b"salt of ") else real(data)
        ),
    )
    exchange = server_sasl.scram_sha_256({"user": "pencil"})
    assert next(exchange) == b""
    first = exchange.send(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    assert first == b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    final = exchange.send(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert final == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    with pytest.raises(StopIteration) as end:
        exchange.send(b"")
    assert end.value.value == "user"


async def test_scram_refuses_a_proof_made_with_another_password(connect):
    server, client = await connect(login=False)
    first = b"n=ada@example.org,r=clientnonce"
    challenge = await client.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,," + first))
    server_first = base64.b64decode(challenge.split()[1])
    assert server_first.startswith(b"r=clientnonce")
    fields = dict(item.split(b"=", 1) for item in server_first.split(b","))
    final = b"c=biws,r=" + fields[b"r"]

    def proof(password):
        salted = hashlib.pbkdf2_hmac("sha256", password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(key).digest(), b",".join((first, server_first, final)), "sha256")
        return base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True)))

    assert proof(b"wrong") != proof(PASSWORD.encode())
    assert b"[AUTH]" in await client.ask(base64.b64encode(final + b",p=" + proof(b"wrong")))
    assert not server.users[USER].locked


class _Fixed:
    def __init__(self, value):
        self.value = value

    def digest(self):
        return self.value


async def test_stls_forgets_the_user_and_then_speaks_tls(pop3_server, certificates):
    server = await pop3_server([ONE], tls=certificates.server, cleartext=False)

    def session():
        client = poplib.POP3(server.host, server.port)
        assert "STLS" in client.capa()
        with pytest.raises(poplib.error_proto, match="AUTH"):
            client.user(USER)
        client.stls(ssl.create_default_context(cafile=certificates.ca_file))
        assert "STLS" not in client.capa()
        client.user(USER)
        client.pass_(PASSWORD)
        size = client.stat()
        client.quit()
        return size

    assert await asyncio.to_thread(session) == (1, len(ONE))
    assert [heard.tls for heard in server.log if heard.line.startswith("PASS")] == [True]


async def test_a_user_named_before_stls_is_forgotten(pop3_server, certificates):
    server = await pop3_server([ONE], tls=certificates.server)

    def session():
        client = poplib.POP3(server.host, server.port)
        client.user(USER)
        client.stls(ssl.create_default_context(cafile=certificates.ca_file))
        with pytest.raises(poplib.error_proto, match="AUTH"):
            client.pass_(PASSWORD)
        client.quit()

    await asyncio.to_thread(session)


async def test_the_line_drops_after_exactly_so_many_bytes_under_tls_too(pop3_server, certificates):
    trust = ssl.create_default_context(cafile=certificates.ca_file)
    for count in (1, 70):
        manners = Manners(drop_after_bytes=count, greeting=b"+OK hi\r\n")
        server = await pop3_server([ONE], tls=certificates.server, implicit=True, manners=manners)
        reader, writer = await asyncio.open_connection(server.host, server.port, ssl=trust)
        client = Client(reader, writer)
        await client.say(b"USER ada@example.org", b"PASS analytical", b"STAT", b"NOOP", b"STAT", b"NOOP", b"QUIT")
        assert len(await client.rest()) == count
        await client.close()


async def test_tls_from_the_first_byte(pop3_server, certificates):
    server = await pop3_server([ONE], tls=certificates.server, implicit=True)
    trust = ssl.create_default_context(cafile=certificates.ca_file)
    client = await Client.to(server, ssl=trust)
    await client.log_in()
    assert await client.ask(b"STAT") == b"+OK 1 %d\r\n" % len(ONE)
    await client.close()
    with pytest.raises(ssl.SSLCertVerificationError):
        await Client.to(server, ssl=ssl.create_default_context(cafile=certificates.other_ca_file))


async def test_bytes_behind_the_stls_answer_come_in_the_same_write(connect, certificates):
    _, client = await connect(login=False, tls=certificates.server, manners=Manners(tls_injection=b"+OK forged\r\n"))
    await client.say(b"STLS")
    assert await client.line() == b"+OK begin TLS\r\n"
    assert await client.line() == b"+OK forged\r\n"


async def test_the_line_drops_after_exactly_so_many_bytes(pop3_server):
    whole = b""
    for count in (None, 0, 1, 40, 70):
        server = await pop3_server([ONE], manners=Manners(drop_after_bytes=count))
        client = Client(*await asyncio.open_connection(server.host, server.port))
        await client.say(b"USER ada@example.org", b"PASS analytical", b"STAT", b"QUIT")
        said = await client.rest()
        await client.close()
        if count is None:
            whole = said
            assert len(whole) > 70
        assert said == whole[:count]


async def test_refused_login_answers_as_told(connect):
    _, client = await connect(login=False, manners=Manners(login=b"-ERR [SYS/TEMP] later\r\n"))
    await client.ask(b"USER ada@example.org")
    assert await client.ask(b"PASS analytical") == b"-ERR [SYS/TEMP] later\r\n"


async def test_capabilities_left_out_are_not_known_either(connect):
    _, client = await connect(manners=Manners(without=frozenset({"TOP", "PIPELINING"})))
    rows = (await client.ask_rows(b"CAPA")).split(b"\r\n")
    assert b"UIDL" in rows
    assert b"TOP" not in rows
    assert b"PIPELINING" not in rows
    assert (await client.ask(b"TOP 1 0")).startswith(b"-ERR")


async def test_lies_are_told_as_asked(connect):
    lies = Manners(
        stat=lambda count, size: (count + 5, size * 2),
        size=lambda number, size: size + number,
        uidl=lambda number, uidl: b"same",
        rows=lambda verb, rows: [*rows, b"9 nine"] if verb == "LIST" else rows[1:],
    )
    _, client = await connect(manners=lies)
    assert await client.ask(b"STAT") == b"+OK 7 %d\r\n" % (2 * len(ONE + TWO))
    assert await client.ask_rows(b"LIST") == b"+OK\r\n1 %d\r\n2 %d\r\n9 nine\r\n.\r\n" % (len(ONE) + 1, len(TWO) + 2)
    assert await client.ask_rows(b"UIDL") == b"+OK\r\n2 same\r\n.\r\n"


async def test_answers_can_be_replaced_by_command_and_by_line(connect):
    server, client = await connect()
    server.manners = Manners(answers={"RETR 2": b"-ERR gone\r\n", "NOOP": lambda line: line.encode() + b"!\r\n"})
    assert await client.ask(b"NOOP") == b"NOOP!\r\n"
    assert await client.ask(b"RETR 2") == b"-ERR gone\r\n"
    assert (await client.ask(b"RETR 1")).startswith(b"+OK")


async def test_a_replaced_answer_can_be_the_last(connect):
    _, client = await connect(manners=Manners(answers={"STAT": b"+OK 1"}, drop_after=frozenset({"STAT"})))
    await client.say(b"NOOP", b"STAT", b"NOOP")
    assert await client.rest() == b"+OK\r\n+OK 1"


async def test_turns_count_how_often_the_client_waited_for_an_answer(connect):
    server, client = await connect()
    assert server.turns == 2  # USER after the greeting, PASS after the answer to USER
    await client.ask(b"NOOP")
    await client.say(b"NOOP", b"NOOP", b"NOOP")
    for _ in range(3):
        await client.line()
    assert (server.turns, server.at_once) == (4, 3)


async def test_an_endless_answer_goes_on_until_the_client_leaves(connect):
    def endless():
        yield b"+OK\r\n"
        while True:
            yield b"x" * 1000 + b"\r\n"

    server, client = await connect(manners=Manners(answers={"LIST": endless()}))
    await client.say(b"LIST")
    for _ in range(1000):
        await client.line()
    await client.close()
    await server.until(lambda: server.open_sessions == 0)


async def test_quit_can_commit_and_lose_its_answer_or_do_neither(connect):
    server, client = await connect(manners=Manners(lose_answer_to=frozenset({"QUIT"})))
    await client.ask(b"DELE 1")
    await client.say(b"QUIT")
    assert await client.rest() == b""
    await client.close()
    await server.until(lambda: server.open_sessions == 0)
    assert len(server.users[USER].messages) == 1

    server, client = await connect(manners=Manners(drop_at=frozenset({"QUIT"})))
    await client.ask(b"DELE 1")
    await client.say(b"QUIT")
    assert await client.rest() == b""
    assert len(server.users[USER].messages) == 2


async def test_wrong_stuffing_and_a_missing_end(connect):
    server, client = await connect(manners=Manners(stuffing="none"))
    assert b"\r\n.dot\r\n..two dots\r\n" in await client.ask_rows(b"RETR 1")
    server.manners = Manners(terminator=b"", drop_after=frozenset({"RETR"}))
    await client.say(b"RETR 2")
    assert (await client.rest()).endswith(b"hello\r\n")


async def test_a_stalled_command_is_never_answered_and_the_line_stays_open(connect):
    server, client = await connect(manners=Manners(stall_at=frozenset({"STAT"})))
    await client.say(b"STAT")
    await server.until(lambda: bool(server.heard("STAT")))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.line()
    assert server.open_sessions == 1


async def test_a_line_without_end_is_cut_off(connect):
    _, client = await connect()
    client.writer.write(b"x" * 40_000)
    assert (await client.rest()).startswith(b"-ERR")


def test_uidls_are_never_given_twice():
    drop = Maildrop("", [ONE, TWO])
    before = drop.uidls()
    drop.remove(drop.messages[1])
    drop.add(TWO)
    assert drop.uidls()[1] not in before
