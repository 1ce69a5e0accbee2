"""Accept connections for Courier's imapd, take the login, and hand the socket on, as its own login program does.

`python courier_login.py FOLDER HOST PORT ROOT PASSWORD`; the standard library alone, for it runs as a process of its own.
ROOT is where Courier and Gamin are unpacked: imapd wants to watch files, and waits for seconds where nothing does that.
Each user has a maildir below FOLDER/mail. The process id is in FOLDER/run/master.pid once it listens; all sessions end
with it.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
from pathlib import Path

NOBODY = 65534
_LOGIN = re.compile(rb'(\S+) LOGIN "?([\w.-]+)"? "?([^" ]+)"?\r\n', re.IGNORECASE)


def log_in(line: socket.socket, password: str) -> tuple[str, str]:
    """The tag of the command that logged in, which imapd answers, and the user; ("", "") where the client left."""
    capabilities = os.environ["IMAP_CAPABILITY"]
    line.sendall(f"* OK [CAPABILITY {capabilities}] Courier-IMAP ready.\r\n".encode())
    while (command := _line(line)).endswith(b"\n"):
        tag = command.split(b" ")[0].decode()
        if (found := _LOGIN.fullmatch(command)) and found[3].decode() == password:
            return tag, found[2].decode()
        if command.upper().endswith(b" CAPABILITY\r\n"):
            line.sendall(f"* CAPABILITY {capabilities}\r\n{tag} OK CAPABILITY completed\r\n".encode())
        else:
            line.sendall(f"{tag} NO Login failed.\r\n".encode())
    return "", ""


def _line(line: socket.socket) -> bytes:
    """One line, read byte by byte: what is behind it is for imapd."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while not found.endswith(b"\n") and (byte := line.recv(1)):
            found += byte
    return found


def be_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def serve(line: socket.socket, folder: Path, root: str, password: str) -> None:
    """Become the imapd of one connection, as another user."""
    tag, user = log_in(line, password)
    if not user:
        return
    be_nobody()
    home = folder / "mail" / user
    for name in ("cur", "new", "tmp"):
        (home / "Maildir" / name).mkdir(parents=True, exist_ok=True)
    os.dup2(line.fileno(), 0)
    os.dup2(line.fileno(), 1)
    os.chdir(home)
    ip, port = line.getpeername()
    identity = {"IMAPLOGINTAG": tag, "AUTHENTICATED": user, "AUTHADDR": user, "HOME": str(home)}
    identity |= {"TCPREMOTEIP": ip, "TCPREMOTEPORT": str(port)}
    os.execve(f"{root}/usr/bin/imapd", ["imapd", "Maildir"], os.environ | identity)


def main(folder: Path, host: str, port: int, root: str, password: str) -> None:
    """Serve until SIGTERM. What imapd logs is in FOLDER/server.log."""
    os.dup2(os.open(folder / "server.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    listener = socket.create_server((host, port))
    os.environ["GAM_CLIENT_ID"] = folder.name
    if os.fork() == 0:
        listener.close()
        be_nobody()
        os.execv(f"{root}/usr/libexec/gam_server", ["gam_server", "--notimeout", folder.name])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    (folder / "run/master.pid").write_text(str(os.getpid()))
    while True:
        line, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            serve(line, folder, root, password)
            sys.exit()
        line.close()


def end(*_: object) -> None:
    """End with the sessions: the process leads their group."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.killpg(0, signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
