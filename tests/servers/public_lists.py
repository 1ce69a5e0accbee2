"""The conversations of public mailing lists beside those of notmuch: `python -m tests.servers.public_lists`.

The messages (of the Linux kernel's list, of notmuch's, and of its own odd cases) come with notmuch's source, which apt
fetches from Debian and checks. No test of the suite needs them: a machine may have no source packages.
"""

from __future__ import annotations

import platform
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from termmail.mail.counting import count
from tests.servers.test_notmuch import of_notmuch, ours

if TYPE_CHECKING:
    from collections.abc import Iterator

MIRROR = "http://deb.debian.org/debian"


def fetched(place: Path) -> Path:
    """Fetch notmuch's source, and return the folder of its messages."""
    (place / "lists").mkdir()
    sources = place / "sources.list"
    sources.write_text(f"deb-src {MIRROR} {platform.freedesktop_os_release()['VERSION_CODENAME']} main\n")
    options = {"Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "-", "Dir::State::Lists": place / "lists"}
    apt = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root"]
    for name, value in options.items():
        apt += ["-o", f"{name}={value}"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "--download-only", "source", "notmuch"], cwd=place, check=True)
    with tarfile.open(next(place.glob("notmuch_*.orig.tar.*"))) as source:
        messages = [one for one in source.getmembers() if "/test/corpora/" in one.name]
        source.extractall(place / "source", messages, filter="data")
    return next(place.glob("source/*/test/corpora"))


def lists(corpora: Path) -> Iterator[tuple[str, list[bytes]]]:
    """The name of each list and its messages."""
    for folder in sorted(one for one in corpora.iterdir() if one.is_dir()):
        files = sorted(one for one in folder.rglob("*") if one.is_file() and not one.name.startswith("."))
        yield folder.name, [one.read_bytes() for one in files]


def told(whose: str, sets: set[frozenset[str]]) -> Iterator[str]:
    """Each set of messages that only one of the two makes."""
    for one in sorted(map(sorted, sets)):
        yield f"  {whose}: {' '.join(one)}"


def main() -> int:
    """Print what is the same and what is not; return 1 where something is not."""
    differences: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        for number, (title, mails) in enumerate(lists(fetched(Path(name)))):
            place = Path(name, str(number))
            place.mkdir()
            termmail, notmuch = ours(place, mails), of_notmuch(place, mails)
            known = frozenset().union(*notmuch)
            if skipped := frozenset().union(*termmail) - known:
                print(f"{title}: no mail to notmuch: {' '.join(sorted(skipped))}")
                termmail = {both for one in termmail if (both := one & known)}
            print(f"{title}: {count(len(mails), 'message')}, the same {count(len(termmail & notmuch), 'conversation')}")
            differences += [*told("termmail only", termmail - notmuch), *told("notmuch only", notmuch - termmail)]
    print("\n".join(differences) or "No difference.")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
