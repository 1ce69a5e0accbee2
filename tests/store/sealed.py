"""Real small disks and real read-only folders, each seen by one child process alone."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _apart() -> list[str]:
    """A mount namespace of its own; without root also a user namespace in which we are root."""
    return ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]


@functools.cache
def may_mount() -> bool:
    """Whether this machine lets us mount at all (some containers do not)."""
    try:
        done = subprocess.run([*_apart(), "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def run(program: list[str], mount: str = "") -> str:
    """Run Python with these arguments, after `mount` (a line of shell) in a namespace of its own; its output."""
    command = [sys.executable, *program]
    if mount:
        command = [*_apart(), "sh", "-c", f'{mount} && exec "$@"', "sh", *command]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout


def small_disk(folder: Path, size: str = "4m") -> str:
    """The mount that makes a folder a disk of this size."""
    return f"mount -t tmpfs -o size={size} tmpfs {folder}"


def run_read_only(folder: Path, program: list[str]) -> str:
    """Run Python while a folder cannot be written: bound read-only, or by its permissions where we are not root."""
    if may_mount():
        return run(program, f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}")
    assert os.geteuid() != 0, "root writes everywhere: this test needs to mount, or another user"
    folder.chmod(0o500)
    try:
        return run(program)
    finally:
        folder.chmod(0o700)
