"""Servers of Debian that cannot be installed beside Dovecot (each is the `imap-server` of a machine): unpacked instead.

`python -m tests.servers.debian` fetches the packages with apt-get, with what they need and the machine lacks, and unpacks
them below FOLDER, once for a release of Debian. Nothing is installed, configured or started.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path("/var/cache/termmail-tests")
"""Where a user that a server runs as can read: not in the home of root."""
PACKAGES = ("cyrus-imapd", "courier-imap")
FETCH = f"{sys.executable} -m tests.servers.debian"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def root() -> Path:
    """Where the packages are unpacked for this release."""
    release = platform.freedesktop_os_release()
    return FOLDER / "-".join([release["ID"], release.get("VERSION_ID", "sid"), platform.machine(), *PACKAGES])


def missing(program: str) -> str:
    """What keeps an unpacked program from starting, with the line that mends it; "" where nothing does."""
    if os.geteuid() != 0:
        return "the servers start as root (they then work as another user): run these tests as root"
    return "" if (root() / program).exists() else f"{program} is not unpacked: {FETCH}"


def libraries() -> dict[str, str]:
    """The environment in which unpacked programs find their libraries."""
    found = [*root().glob("usr/lib/*-linux-gnu"), *root().glob("lib/*-linux-gnu"), root() / "usr/lib"]
    return {"LD_LIBRARY_PATH": ":".join(map(str, found))}


def unpack() -> None:
    """Fetch and unpack what is not there yet."""
    if root().exists():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        made = Path(tempfile.mkdtemp(prefix="unpacking-", dir=FOLDER))
        stack.callback(shutil.rmtree, made, ignore_errors=True)
        made.chmod(0o755)
        fetched = made / "packages"
        fetched.mkdir()
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        names = sorted({name for package in PACKAGES for name in _needed(package)})
        subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", *names], cwd=fetched, check=True)
        for file in fetched.iterdir():
            subprocess.run(["dpkg", "-x", str(file), str(made / "root")], check=True)
        (made / "root").chmod(0o755)
        (made / "root").rename(root())


def _needed(package: str) -> list[str]:
    """The package, and what it needs that is not installed."""
    argv = ["apt-get", "install", "--simulate", "--no-install-recommends", package]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    return [line.split()[1] for line in told.splitlines() if line.startswith("Inst ")]


if __name__ == "__main__":
    unpack()
