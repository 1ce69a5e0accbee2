from __future__ import annotations

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from termmail.accounts import paths
from termmail.accounts.paths import PathError, Paths


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_system_says_where_and_options_override(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    assert paths.default() == Paths(tmp_path / "c/termmail/config.toml", tmp_path / "d/termmail")
    assert paths.default(config="x.toml").config == Path.cwd() / "x.toml"
    assert paths.default(data="~/mail").data == Path.home() / "mail"
    assert paths.default().log == tmp_path / "d/termmail/termmail.log"


def test_a_new_data_folder_is_only_for_the_user(tmp_path):
    data = tmp_path / "a" / "b"
    assert paths.prepare(Paths(tmp_path / "config.toml", data))
    assert mode(data) == 0o700


def test_rights_of_others_are_taken_away(tmp_path):
    """Everything in the data folder and the config file, but nothing behind a link."""
    outside = tmp_path / "outside"
    outside.write_text("x")
    outside.chmod(0o644)
    config, data = tmp_path / "config.toml", tmp_path / "data"
    for file in (config, data / "mail.db", data / "mail.db-wal", data / "deep" / "x"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("x")
        file.chmod(0o664)
    (data / "link").symlink_to(outside)
    data.chmod(0o755)
    paths.prepare(Paths(config, data))
    assert [mode(file) for file in (config, data / "mail.db", data / "mail.db-wal", data / "deep/x")] == [0o600] * 4
    assert (mode(data), mode(data / "deep"), mode(outside)) == (0o700, 0o700, 0o644)


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path):
    (tmp_path / "data").write_text("x")
    with pytest.raises(PathError, match="is a file; termmail needs a folder"):
        paths.prepare(Paths(tmp_path / "c", tmp_path / "data"))
    with pytest.raises(PathError, match="cannot be created: not a directory"):
        paths.prepare(Paths(tmp_path / "c", tmp_path / "data" / "deeper"))


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    data = tmp_path / "data"
    where = Paths(data / "config.toml", data)
    data.mkdir(mode=0o755)
    for name in ("config.toml", "termmail.log", "termmail.log.1", "opened", "lost+found", "send-x.lock"):
        (data / name).touch()
    assert paths.prepare(where)
    data.chmod(0o755)
    (data / "photo.jpg").touch(0o644)
    (data / "photo.jpg").chmod(0o644)
    with pytest.raises(PathError, match=r"holds other things than mail \(photo.jpg\)") as told:
        paths.prepare(where)
    assert told.value.advice == "Name an empty folder, or one that does not exist yet."
    assert (mode(data), mode(data / "photo.jpg")) == (0o755, 0o644)
    (data / "mail.db").touch()
    assert paths.prepare(where)
    assert (mode(data), mode(data / "photo.jpg")) == (0o700, 0o600)


def test_what_lies_behind_a_link_keeps_its_rights(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "file").touch()
    (folder / "file").chmod(0o644)
    (tmp_path / "link").symlink_to(folder)
    paths.close_to_others(tmp_path / "link")
    assert mode(folder / "file") == 0o644
    paths.close_to_others(tmp_path / "missing")


def test_a_folder_that_can_only_be_read_is_told_apart():
    """Asked as a user without special rights, who cannot write there."""
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        data = Path(top, "data")
        data.mkdir()
        data.chmod(0o500)
        code = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from termmail.accounts import paths\n"
            "data = Path(sys.argv[1])\n"
            "if os.geteuid() == 0:\n"
            "    os.chown(data, 65534, 65534)\n"
            "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
            "print(paths.prepare(paths.Paths(data / 'config.toml', data)))\n"
        )
        done = subprocess.run([sys.executable, "-c", code, str(data)], capture_output=True, text=True, check=False)
        data.chmod(0o700)
        assert (done.stdout, done.stderr) == ("False\n", "")
        assert paths.prepare(Paths(data / "config.toml", data))
