from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from termmail.accounts import config, config_writer
from termmail.accounts.config import Account, ConfigError, Pop3, Smtp

DOCUMENTED = """\
default_account = "work"
[ui]
theme = "textual-dark"       # any Textual theme
keymap = "termmail"          # or mutt, alpine, gmail
density = "comfortable"
pane = "below"
ascii = true
[ui.keys]                    # action id -> keys
"message.archive" = "e,y"
[notifications]
new_mail = "command"
sequence = "osc777"
command = ["notify-send", "--"]
quiet_hours = "22:00-07:00"
[accounts.work]
name = "Ada Lovelace"
address = "ada@example.org"
aliases = ["countess@example.org"]
signature = "Ada\\nLovelace"
[accounts.work.pop3]
host = "pop.example.org"
port = 995
security = "tls"             # "tls" | "starttls" | "none"
username = "ada"
password_command = ["pass", "show", "mail/ada"]   # optional
download = "open"
delete = "after 30 days"
poll_minutes = 5
allow_cleartext = false
timeout_seconds = 30
tls_ca_file = "~/ca.pem"
[accounts.work.smtp]
host = "smtp.example.org"
port = 587
security = "starttls"
username = "ada"
password_command = ["pass", "show", "mail/ada"]
allow_cleartext = false
timeout_seconds = 30
tls_ca_file = "/etc/ca.pem"
"""
MINIMAL = """\
[accounts.home]
address = "ada@example.org"
pop3.host = "pop.example.org"
smtp.host = "smtp.example.org"
"""


def account(**keys) -> Account:
    pop3, smtp = Pop3(host="pop.example.org"), Smtp(host="smtp.example.org")
    return Account(**{"address": "ada@example.org", "pop3": pop3, "smtp": smtp, **keys})


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        config.parse(text.encode())
    return str(caught.value)


# -- reading


def test_every_documented_key_is_read():
    work = config.parse(DOCUMENTED.encode()).accounts["work"]
    assert work.pop3.password_command == ("pass", "show", "mail/ada")
    assert work.pop3.tls_ca_file == str(Path("~/ca.pem").expanduser())
    assert work.pop3.delete == "after 30 days"
    assert (work.smtp.security, work.smtp.tls_ca_file) == ("starttls", "/etc/ca.pem")
    assert config.identity(work).aliases == ("countess@example.org",)
    assert config.identity(work).signature == "Ada\nLovelace"


def test_a_minimal_account_is_four_lines():
    loaded = config.parse(MINIMAL.encode())
    home = loaded.accounts["home"]
    assert loaded.default_account == "home"
    assert (home.pop3.port, home.pop3.security, home.pop3.username) == (995, "tls", "ada@example.org")
    assert (home.smtp.port, home.smtp.security, home.smtp.username) == (465, "tls", "ada@example.org")
    assert (home.pop3.download, home.pop3.delete, home.pop3.poll_minutes) == ("open", "with-me", 5)
    assert not home.pop3.allow_cleartext
    assert not home.smtp.allow_cleartext


@pytest.mark.parametrize(("security", "pop3", "smtp"), [("tls", 995, 465), ("starttls", 110, 587), ("none", 110, 25)])
def test_the_port_follows_security(security, pop3, smtp):
    assert Pop3(host="h", security=security).port == pop3
    assert Smtp(host="h", security=security).port == smtp


def test_smtp_logs_in_as_pop3_does_unless_it_says_otherwise():
    text = MINIMAL + 'pop3.username = "ada"\n'
    assert config.parse(text.encode()).accounts["home"].smtp.username == "ada"
    assert config.parse((text + 'smtp.username = ""\n').encode()).accounts["home"].smtp.username == ""


@pytest.mark.parametrize(
    "rule", ["with-me", "never", "after-download", "after 1 day", "after 30 days", "after 365 days"]
)
def test_every_delete_rule_is_read(rule):
    loaded = config.parse((MINIMAL + f'pop3.delete = "{rule}"\n').encode())
    assert loaded.accounts["home"].pop3.delete == rule


def test_a_password_command_may_be_one_word():
    loaded = config.parse((MINIMAL + 'pop3.password_command = ["get-password"]\n').encode())
    assert loaded.accounts["home"].pop3.password_command == ("get-password",)


def test_a_missing_file_is_an_empty_config(tmp_path):
    assert config.load(tmp_path / "none.toml") == config.Config()
    assert config.Config().default_account is None


def test_a_file_with_a_byte_order_mark_and_crlf_is_read():
    assert "home" in config.parse(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode()).accounts


@pytest.mark.parametrize(
    ("rule", "since"),
    [
        ("open", None),
        ("all", config.EVER),
        ("1 day", 1_700_000_000 - 86_400),
        ("365 days", 1_700_000_000 - 365 * 86_400),
    ],
)
def test_which_messages_are_fetched_whole_is_a_word_or_a_number_of_days(rule, since):
    for table in (MINIMAL + f'pop3.download = "{rule}"\n', IMAP + f'imap.download = "{rule}"\n'):
        (account,) = config.parse(table.encode()).accounts.values()
        assert config.whole_since(account.incoming.download, 1_700_000_000) == since


# -- what is refused, in which words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('pop3.security = "ssl"', "config.toml: accounts.home.pop3.security: 'ssl' is not one of tls, starttls, none"),
        ('pop3.port = "995"', "config.toml: accounts.home.pop3.port: '995' is not a port number from 1 to 65535"),
        ("pop3.port = 0", "config.toml: accounts.home.pop3.port: 0 is not a port number from 1 to 65535"),
        ("pop3.port = true", "config.toml: accounts.home.pop3.port: true is not a port number from 1 to 65535"),
        ('pop3.delete = "after 0 days"', "config.toml: accounts.home.pop3.delete: 'after 0 days' is not one of with-me,"),
        ('pop3.delete = "after ٣ days"', "config.toml: accounts.home.pop3.delete: 'after ٣ days' is not one of with-me,"),
        ('pop3.download = "some"', "config.toml: accounts.home.pop3.download: 'some' is not one of open, all, 365 days (any number of days)"),
        ('pop3.download = "0 days"', "config.toml: accounts.home.pop3.download: '0 days' is not one of open, all, 365 days"),
        ('pop3.download = "365"', "config.toml: accounts.home.pop3.download: '365' is not one of open, all, 365 days"),
        ('pop3.password_command = "pass show x"', "config.toml: accounts.home.pop3.password_command: 'pass show x' is not a list"),
        ("pop3.password_command = []", "config.toml: accounts.home.pop3.password_command: [] is not a list of a program"),
        ('pop3.tls_ca_file = "ca.pem"', "config.toml: accounts.home.pop3.tls_ca_file: 'ca.pem' is not the path"),
        ('pop3.allow_cleartext = "yes"', "config.toml: accounts.home.pop3.allow_cleartext: 'yes' is not true or false"),
        ("pop3.timeout_seconds = 0", "config.toml: accounts.home.pop3.timeout_seconds: 0 is not a number of seconds"),
        ('pop3.hots = "x"', "config.toml: accounts.home.pop3.hots: there is no such key; did you mean host? The keys are host,"),
        ("smtp.poll_minutes = 5", "config.toml: accounts.home.smtp.poll_minutes: there is no such key"),
        ('aliases = "x@y.z"', "config.toml: accounts.home.aliases: 'x@y.z' is not a list of e-mail addresses"),
        ('aliases = ["xyz"]', "config.toml: accounts.home.aliases: ['xyz'] is not a list of e-mail addresses"),
        ('name = "A\\nB"', "config.toml: accounts.home.name: 'A\\nB' is not a text on one line"),
        ('[ui]\nkeymap = "emacs"', "config.toml: ui.keymap: 'emacs' is not one of termmail, mutt, alpine, gmail"),
        ('[ui]\ntheem = "x"', "config.toml: ui.theem: there is no such key; did you mean theme? The keys are theme, keymap, density, pane, ascii, conversations, keys, print_command"),
        ('[ui.keys]\n"a.b" = 3', "config.toml: ui.keys.'a.b': 3 is not a text on one line"),
        ('[ui]\ndensity = "cosy"', "config.toml: ui.density: 'cosy' is not one of auto, compact, comfortable"),
        ('[ui]\npane = "left"', "config.toml: ui.pane: 'left' is not one of auto, right, below, off"),
        ("[ui]\nascii = 1", "config.toml: ui.ascii: 1 is not true or false"),
        ('[notifications]\nnew_mail = "loud"', "config.toml: notifications.new_mail: 'loud' is not one of off, bell, terminal, command"),
        ('[notifications]\nnew_mail = "command"', 'config.toml: notifications: new_mail: "command" needs the key command, such as ["notify-send"]'),
        ('[notifications]\nquiet_hours = "22-7"', "config.toml: notifications.quiet_hours: '22-7' is not two times of day such as"),
        ("[ui]\nkeys = 3", "config.toml: ui.keys: 3 is not a table of keys and values"),
        ("[servers]", "config.toml: servers: there is no such key. The keys are default_account, ui, notifications, accounts"),
        ("[accounts.b]", "config.toml: accounts.b.address: is missing; it should be an e-mail address"),
        ('[accounts.b]\naddress = "a@b"', "config.toml: accounts.b.smtp: is missing; it should be a table"),
        ('[accounts."a\\nb"]\naddress="a@b"\npop3.host="h"\nsmtp.host="h"', "config.toml: accounts: 'a\\nb' is not a valid account name"),
        ('[accounts.""]\naddress="a@b"\npop3.host="h"\nsmtp.host="h"', "config.toml: accounts: '' is not a valid account name"),
        ("= 3", "config.toml: not valid TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_file_key_and_choices(text, words):
    assert refusal(MINIMAL + text).startswith(words)


def test_what_is_not_set_has_the_documented_default():
    home = config.parse(MINIMAL.encode()).accounts["home"]
    assert home.pop3 == Pop3(
        host="pop.example.org", port=995, security="tls", username=home.pop3.username, password_command=None,
        download="open", delete="with-me", poll_minutes=5, allow_cleartext=False, timeout_seconds=30, tls_ca_file=None,
    )  # fmt: skip
    assert (home.smtp.port, home.smtp.security, home.smtp.timeout_seconds) == (465, "tls", 30)
    assert (home.smtp.allow_cleartext, home.smtp.password_command, home.smtp.tls_ca_file) == (False, None, None)


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("pop3.port", 1, 65535),
        ("smtp.port", 1, 65535),
        ("pop3.timeout_seconds", 1, 3600),
        ("smtp.timeout_seconds", 1, 3600),
        ("pop3.poll_minutes", 0, 10080),
    ],
)
def test_a_number_may_be_as_small_and_as_large_as_said_and_no_more(key, least, most):
    for number in (least, most):
        config.parse(f"{MINIMAL}{key} = {number}".encode())
    for number in (least - 1, most + 1):
        assert f"accounts.home.{key}: {number} is not a" in refusal(f"{MINIMAL}{key} = {number}")


def test_a_default_account_that_is_not_there_is_refused_with_the_ones_that_are():
    assert refusal('default_account = "x"\n' + MINIMAL) == (
        "config.toml: default_account: 'x' is not one of your accounts (home)"
    )


def test_a_password_in_the_file_is_refused_and_not_repeated():
    words = refusal(MINIMAL + 'pop3.password = "hunter2"')
    assert words.startswith("config.toml: accounts.home.pop3.password: a password does not belong in this file")
    assert "hunter2" not in words


@pytest.mark.parametrize("control", ["\\r\\n", "\\n", "\\u0000", "\\u001b", "\\u007f", "\\u0085"])
@pytest.mark.parametrize("key", ["pop3.host", "pop3.username", "smtp.host", "smtp.username", "address"])
def test_a_control_character_that_would_become_a_command_is_refused(key, control):
    value = "ada@x.org" if key == "address" else "x"
    lines = [line for line in MINIMAL.splitlines() if not line.startswith(f"{key} =")]
    words = refusal("\n".join([*lines, f'{key} = "{value}{control}DELE 1"']))
    assert f"accounts.home.{key}" in words
    assert words.isprintable()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"a = " + b"[" * 5000, b"\0"])
def test_what_is_no_toml_is_refused_in_words(data):
    with pytest.raises(ConfigError, match=r"^config.toml: not "):
        config.parse(data)


def test_a_file_that_is_a_folder_is_refused_in_words(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: is a directory"):
        config.load(tmp_path)


def test_no_repr_and_no_word_of_an_error_holds_escapes():
    assert refusal(MINIMAL + 'pop3.security = "\\u001b[31m\\u202e"').isprintable()


# -- the file


def test_the_file_is_closed_to_others_when_it_is_read(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL)
    path.chmod(0o644)
    config.load(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_writing_keeps_comments_and_order(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENTED)
    config_writer.add_account(path, "home", account(name="Ada"))
    text = path.read_text()
    assert text.startswith(DOCUMENTED.rstrip())
    assert config.load(path).accounts["home"] == account(name="Ada")
    assert config.load(path).default_account == "work"
    config_writer.remove_account(path, "home")
    assert path.read_text().rstrip() == DOCUMENTED.rstrip()


def test_changing_an_account_changes_only_its_values(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENTED)
    old = config.load(path).accounts["work"]
    new = msgspec.structs.replace(old, pop3=msgspec.structs.replace(old.pop3, security="starttls", port=110))
    config_writer.add_account(path, "work", new)
    assert config.load(path).accounts["work"] == new
    wanted = DOCUMENTED.replace('port = 995\nsecurity = "tls"     ', 'port = 110\nsecurity = "starttls"')
    assert [line.split("#")[0].rstrip() for line in path.read_text().splitlines() if "tls_ca" not in line] == [
        line.split("#")[0].rstrip() for line in wanted.splitlines() if "tls_ca" not in line
    ]
    assert path.read_text().count("#") == DOCUMENTED.count("#")


def test_a_new_file_and_its_folder_are_only_for_the_user(tmp_path):
    path = tmp_path / "deep" / "termmail" / "config.toml"
    config_writer.add_account(path, "home", account(), default=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert config.load(path).accounts == {"home": account()}
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


def test_a_link_stays_a_link(tmp_path):
    real = tmp_path / "dotfiles.toml"
    real.write_text(MINIMAL)
    link = tmp_path / "config.toml"
    link.symlink_to(real)
    config_writer.add_account(link, "work", account())
    assert link.is_symlink()
    assert "work" in config.load(real).accounts


def test_removing_the_default_account_leaves_a_valid_file(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(DOCUMENTED + MINIMAL)
    config_writer.remove_account(path, "work")
    assert config.load(path).default_account == "home"
    with pytest.raises(ConfigError, match="there is no account 'work'"):
        config_writer.remove_account(path, "work")
    config_writer.remove_account(path, "home")
    assert config.load(path).accounts == {}


@pytest.mark.parametrize(
    ("name", "bad"), [("a\x1b", {}), ("x" * 61, {}), (" a", {}), ("", {}), ("ok", {"address": "a\r\nb@x"})]
)
def test_what_reading_would_refuse_is_not_written(tmp_path, name, bad):
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL)
    with pytest.raises(ConfigError):
        config_writer.add_account(path, name, account(**bad))
    assert path.read_text() == MINIMAL


@pytest.mark.parametrize("name", ["a / b", "search:x", "../x", "a.b", 'say "hi"', "Büro", "[x]", "-f", "x" * 60])
def test_an_account_may_be_named_anything_on_one_line(tmp_path, name):
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL)
    config_writer.add_account(path, name, account(), default=True)
    loaded = config.load(path)
    assert list(loaded.accounts) == ["home", name]
    assert loaded.default_account == name
    config_writer.remove_account(path, name)
    assert list(config.load(path).accounts) == ["home"]


def test_a_broken_file_is_not_overwritten(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("= broken")
    with pytest.raises(ConfigError):
        config_writer.add_account(path, "home", account())
    assert path.read_text() == "= broken"


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """The file size limit stands in for the disk."""
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL)
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from termmail.accounts import config, config_writer\n"
        "old = config.load(Path(sys.argv[1])).accounts['home']\n"
        "import tomlkit\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50, 50))\n"
        "try:\n"
        "    config_writer.add_account(Path(sys.argv[1]), 'work', old)\n"
        "except config.ConfigError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert f"{path} cannot be written: file too large" in done.stdout
    assert path.read_text() == MINIMAL
    assert [file.name for file in tmp_path.iterdir()] == ["config.toml"]


def test_reading_the_config_does_not_load_the_writer():
    code = "import sys; from termmail.accounts import config; print('tomlkit' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


IMAP = MINIMAL.replace("pop3.host", "imap.host").replace("pop.example.org", "imap.example.org")


def test_an_account_is_received_by_imap(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(IMAP)
    account = config.load(path).accounts["home"]
    assert account.protocol == "imap"
    assert account.pop3 is None
    assert (account.incoming.host, account.incoming.port) == ("imap.example.org", 993)
    assert account.incoming.username == account.smtp.username == account.address
    config_writer.add_account(path, "other", account)
    assert config.load(path).accounts["other"] == account


@pytest.mark.parametrize(("security", "port"), [("tls", 993), ("starttls", 143), ("none", 143)])
def test_the_usual_ports_of_imap(security, port):
    assert config.Imap(host="imap.example.org", security=security).port == port


def test_an_account_has_one_server_of_incoming_mail():
    both = IMAP + 'pop3.host = "pop.example.org"\n'
    neither = IMAP.replace("imap.host", "folders.sent")
    for text in (both, neither):
        with pytest.raises(ConfigError, match=r"accounts\.home: should have one of the tables pop3 and imap"):
            config.parse(text.encode())


def test_imap_has_no_rule_for_deleting():
    with pytest.raises(ConfigError, match=r"accounts\.home\.imap\.delete: there is no such key"):
        config.parse((IMAP + 'imap.delete = "never"\n').encode())


def test_the_roles_of_server_folders_are_kept(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(IMAP + 'folders.sent = "Sent Items"\n')
    account = config.load(path).accounts["home"]
    assert account.folders == config.FolderRoles(sent="Sent Items")
    config_writer.add_account(path, "other", account)
    assert config.load(path).accounts["other"].folders.sent == "Sent Items"
    with pytest.raises(ConfigError, match=r"accounts\.home\.folders\.inbox: there is no such key"):
        config.parse((IMAP + 'folders.inbox = "X"\n').encode())


def test_changing_the_protocol_leaves_one_table(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text(MINIMAL)
    new = config.parse(IMAP.encode()).accounts["home"]
    config_writer.add_account(path, "home", new)
    assert config.load(path).accounts["home"] == new
    assert "pop3" not in path.read_text()
