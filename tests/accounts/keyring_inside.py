"""Run by test_keyring.py inside a D-Bus session of its own; the name of a test's class says in which state it is."""

from __future__ import annotations

import logging
import subprocess
import sys
import traceback

import pytest
import secretstorage

from termmail.accounts.config import Account, Pop3, Smtp
from termmail.accounts.credentials import PasswordError, Passwords
from termmail.credential import Password

SECRET = "hunter2 é€"


def account(**smtp) -> Account:
    return Account(
        address="ada@example.org",
        pop3=Pop3(host="pop.example.org", username="ada"),
        smtp=Smtp(host="smtp.example.org", **smtp),
    )


class TestUnlocked:
    async def test_a_password_comes_back_in_the_next_session(self):
        assert (
            await Passwords().set("work", "pop3", account(), SECRET) == "the Secret Service (GNOME Keyring, KeePassXC)"
        )
        assert await Passwords().get("work", "pop3", account()) == Password(SECRET)

    async def test_it_lies_under_the_documented_name(self):
        await Passwords().set("work", "pop3", account(), SECRET)
        bus = secretstorage.dbus_init()
        query = {"service": "termmail", "username": "pop3://ada@pop.example.org:995"}
        items = list(secretstorage.get_default_collection(bus).search_items(query))
        assert [item.get_secret().decode() for item in items] == [SECRET]
        bus.close()

    async def test_smtp_uses_the_pop3_password_until_it_has_its_own(self):
        await Passwords().set("work", "pop3", account(), SECRET)
        assert await Passwords().get("work", "smtp", account()) == Password(SECRET)
        with pytest.raises(PasswordError, match="There is no password for other at smtp"):
            await Passwords().get("work", "smtp", account(username="other"))
        await Passwords().set("work", "smtp", account(), "own")
        assert await Passwords().get("work", "smtp", account()) == Password("own")
        await Passwords().delete("smtp", account())
        assert await Passwords().get("work", "smtp", account()) == Password(SECRET)

    async def test_a_deleted_password_is_gone_and_deleting_nothing_is_no_error(self):
        await Passwords().set("work", "pop3", account(), SECRET)
        for _ in range(2):
            await Passwords().delete("pop3", account())
        with pytest.raises(PasswordError, match=r"There is no password for ada at pop\.example\.org"):
            await Passwords().get("work", "pop3", account())

    async def test_a_keyring_that_is_locked_says_so_and_asking_helps(self, caplog):
        caplog.set_level(logging.DEBUG)
        passwords = Passwords()
        await passwords.set("work", "pop3", account(), SECRET)
        bus = secretstorage.dbus_init()
        secretstorage.get_default_collection(bus).lock()
        bus.close()
        assert await passwords.get("work", "pop3", account()) == Password(SECRET)  # once a session is enough
        for verb in (Passwords().get("work", "pop3", account()), Passwords().set("work", "pop3", account(), SECRET)):
            with pytest.raises(PasswordError, match=r"^The keyring is locked\.$") as caught:
                await verb
            assert "Unlock it" in caught.value.advice
            assert SECRET not in "".join(traceback.format_exception(caught.value)) + caplog.text
        asked = []

        async def ask(words: str) -> str:
            asked.append(words)
            return "typed"

        passwords = Passwords(ask)
        assert await passwords.get("work", "smtp", account()) == Password("typed")
        assert await passwords.get("work", "pop3", account()) == Password("typed")
        assert asked == ["Password for ada at pop.example.org. The keyring is locked."]


class TestUntouched:
    """D-Bus starts the service, but its keyring was never made and nobody can be asked for a new one."""

    async def test_a_keyring_that_cannot_be_opened_says_so(self):
        with pytest.raises(PasswordError, match=r"^The keyring could not be opened\.$"):
            await Passwords().set("work", "pop3", account(), SECRET)


class TestAbsent:
    """A D-Bus session in which no Secret Service can be had."""

    async def test_a_missing_service_says_what_to_install(self):
        with pytest.raises(PasswordError, match="No keyring of the operating system is running here") as caught:
            await Passwords().get("work", "pop3", account())
        assert "Install and start GNOME Keyring" in caught.value.advice


HANGING = """
import signal
from jeepney import DBus
from jeepney.io.blocking import open_dbus_connection
bus = open_dbus_connection()
bus.send_and_get_reply(DBus().RequestName("org.freedesktop.secrets"))
print("ready", flush=True)
signal.pause()
"""
ASKING = """
import asyncio
from termmail.accounts import credentials
from tests.accounts.keyring_inside import account
credentials.KEYRING_SECONDS = 0.5
try:
    asyncio.run(credentials.Passwords().get("work", "pop3", account()))
except credentials.PasswordError as error:
    print(error)
"""


class TestHanging:
    """A Secret Service that takes its name and answers nothing."""

    def test_a_keyring_that_hangs_is_given_up_and_does_not_hold_up_the_end(self):
        with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True) as service:
            assert service.stdout.readline() == "ready\n"
            done = subprocess.run(
                [sys.executable, "-c", ASKING], capture_output=True, text=True, timeout=20, check=True
            )
            service.kill()
        assert (done.stdout, done.stderr) == ("The keyring did not answer.\n", "")
