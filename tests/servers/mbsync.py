"""mbsync (Debian's isync), which keeps a maildir equal to an account: as another program on the same mailbox."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from email import message_from_bytes
from typing import TYPE_CHECKING

from termmail.net.imap.folder_names import decode_name
from tests.servers import daemons

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.imap_account import ImapAccount

FLAGS = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "T": "\\Deleted", "D": "\\Draft"}


def missing() -> str:
    return "" if shutil.which("mbsync") else "mbsync not installed: apt-get install -y --no-install-recommends isync"


@dataclass(frozen=True)
class LocalMaildir:
    """The maildir, below `folder`; each folder of the server is one of its own, under its name on the wire."""

    account: ImapAccount
    folder: Path

    def sync(self) -> None:
        """Run mbsync. AssertionError, with what it said, where it fails."""
        host = self.account.host
        config = self.folder / "mbsyncrc"
        security = f"SSLType IMAPS\nCertificateFile {host.ca_file}" if host.imaps else "SSLType None"
        config.write_text(f"""\
IMAPAccount server
Host localhost
Port {host.imaps or host.imap}
User {self.account.name}
Pass {daemons.PASSWORD}
AuthMechs LOGIN
{security}

IMAPStore far
Account server

MaildirStore near
Path {self.folder}/
Inbox {self.folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState {self.folder}/state/
""")
        (self.folder / "state").mkdir(exist_ok=True)
        argv = ["mbsync", "--config", str(config), "--all"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def file(self, name: str, subject: str) -> Path:
        """The file of the message of that subject in a folder."""
        [found] = [path for path in self._files(name) if _subject(path) == subject]
        return found

    def _files(self, name: str) -> list[Path]:
        return [*(self.folder / name).glob("new/*"), *(self.folder / name).glob("cur/*")]

    def add(self, name: str, file_name: str, raw: bytes) -> None:
        """A new message, which mbsync brings to the server."""
        for part in ("cur", "new", "tmp"):
            (self.folder / name / part).mkdir(parents=True, exist_ok=True)
        (self.folder / name / "cur" / file_name).write_bytes(raw)

    def mark(self, name: str, subject: str, letters: str) -> None:
        """Give a message these flags: letters as in the names of a maildir's files, in alphabetical order."""
        path = self.file(name, subject)
        path.rename(self.folder / name / "cur" / f"{path.name.partition(':')[0]}:2,{letters}")

    def move(self, name: str, subject: str, target: str) -> None:
        """Move a message as mail programs do: the file gets another name, in which mbsync's UID is not."""
        path = self.file(name, subject)
        unique, _, letters = path.name.partition(":2,")
        path.rename(self.folder / target / "cur" / f"{unique.partition(',')[0]}:2,{letters}")

    def content(self) -> dict[str, dict[str, set[str]]]:
        """By folder: the system flags of each message by subject, of which there is one each."""
        found: dict[str, dict[str, set[str]]] = {}
        for cur in self.folder.rglob("cur"):
            name = str(cur.parent.relative_to(self.folder))
            paths = self._files(name)
            title = decode_name(name.encode())
            found[title] = {_subject(path): {FLAGS[one] for one in path.name.partition(":2,")[2]} for path in paths}
            assert len(found[title]) == len(paths), f"a message is twice in {title}"
        return found


def _subject(path: Path) -> str:
    return message_from_bytes(path.read_bytes())["Subject"]
