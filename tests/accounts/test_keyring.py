"""The keyring against a real Secret Service: gnome-keyring in a D-Bus session and a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.keyring

INSIDE = Path(__file__).with_name("keyring_inside.py")
INSTALL = "apt-get install -y gnome-keyring dbus"
NO_SERVICES = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""


@pytest.mark.parametrize("state", ["Unlocked", "Untouched", "Absent", "Hanging"])
def test_the_secret_service_keeps_passwords_and_its_troubles_are_said_in_words(state, tmp_path):
    """What happens in each state is in keyring_inside.py."""
    for program in ("dbus-run-session", "gnome-keyring-daemon"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: {INSTALL}")
    unlock = 'printf pw | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec "$@"'
    inner = [sys.executable, "-m", "pytest", str(INSIDE), "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    inner += ["-W", "ignore::ResourceWarning"]  # keyring 25 leaves its D-Bus socket to the collector when locked
    inner += ["-W", "ignore::pytest.PytestUnraisableExceptionWarning"]
    config = tmp_path / "session.conf"
    config.write_text(NO_SERVICES)
    done = subprocess.run(
        [
            *("dbus-run-session", *(["--config-file", str(config)] if state in {"Absent", "Hanging"} else []), "--"),
            *(["sh", "-c", unlock, "sh"] if state == "Unlocked" else []),
            *(*inner, "-k", f"Test{state}"),
        ],
        cwd=Path(__file__).parents[2],
        env=_clean_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def _clean_environment(folder: Path) -> dict[str, str]:
    """A home without any keyring yet, and no way to a keyring of whoever runs the tests."""
    keep = {key: os.environ[key] for key in ("PATH", "LANG", "VIRTUAL_ENV") if key in os.environ}
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    return {**keep, "HOME": str(folder), "XDG_RUNTIME_DIR": str(runtime)}
