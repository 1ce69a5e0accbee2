"""The files of the store: who may read them, and whether their file system carries WAL."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_BESIDE = ("", "-wal", "-shm", "-journal")

# On these, other machines may write the same files, and the shared memory that WAL needs is not shared with them.
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gfs", "ocfs2", "lustre", "ncp", "davfs", "fuse.")
_LOCAL_FUSE = ("fuse.ext", "fuse.ntfs", "fuse.exfat", "fuseblk")


def make(path: Path) -> None:
    """Make the file (0600) and the folders it lies in (0700) where they are missing.

    Takes other people's rights off a file that is there. Raises OSError.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    protect(path)


def protect(path: Path) -> None:
    """Take other people's rights off the store and the files SQLite keeps beside it (SECURITY.md, L4). Raises OSError."""
    for suffix in _BESIDE:
        file = path.with_name(path.name + suffix)
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
        except FileNotFoundError:
            continue
        if mode & 0o077:
            file.chmod(mode & 0o700)


def may_use_wal(folder: Path) -> bool:
    """Whether WAL is safe in this folder: not on a file system that other machines may share (SECURITY.md, L10)."""
    return carries_wal(file_system(folder))


def carries_wal(kind: str) -> bool:
    """Whether WAL is safe on this kind of file system; one that nothing tells of is taken for local."""
    return kind.startswith(_LOCAL_FUSE) or not kind.startswith(_NETWORK)


def file_system(folder: Path, mounts: str = "/proc/self/mountinfo") -> str:
    """Return the kind of file system that a folder lies on ("ext4", "nfs4"), as Linux tells; "" where nothing tells."""
    try:
        lines = Path(mounts).read_text("utf-8", "replace").splitlines()
        device = folder.stat().st_dev
    except OSError:
        return ""
    number = f"{os.major(device)}:{os.minor(device)}"
    # proc(5): id, parent, major:minor, root, mount point, options, optional fields, "-", kind, source, options.
    for line in reversed(lines):
        fields = line.split()
        if len(fields) > 6 and fields[2] == number and "-" in fields:
            return fields[fields.index("-") + 1]
    return ""
