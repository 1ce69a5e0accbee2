"""Where configuration and data are on this computer, and who may read them."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from msgspec import Struct

from termmail.errors import ErrorCode, UserError

FOLDER_MODE = 0o700
FILE_MODE = 0o600


class PathError(UserError):
    """A folder that termmail needs cannot be created or read."""

    code = ErrorCode.CANNOT_CREATE


class Paths(Struct, frozen=True):
    """The config file, and the folder that holds the mail."""

    config: Path
    data: Path

    @property
    def store(self) -> Path:
        """The mail store."""
        return self.data / "mail.db"

    @property
    def log(self) -> Path:
        """The log file, beside the mail."""
        return self.data / "termmail.log"


def default(config: str | Path | None = None, data: str | Path | None = None) -> Paths:
    """Return the default paths of the operating system (XDG on Linux), or the given ones."""
    import platformdirs  # noqa: PLC0415  not needed when both are given

    return Paths(
        Path(config).expanduser().absolute() if config else platformdirs.user_config_path("termmail") / "config.toml",
        Path(data).expanduser().absolute() if data else platformdirs.user_data_path("termmail"),
    )


def prepare(paths: Paths) -> bool:
    """Create the data folder if it is missing, and make it and the config file private (0700, 0600).

    Return False if the data folder is read-only: then termmail starts read-only. Raises PathError if the folder cannot be
    created, or if it holds other things than mail: whoever named a wrong folder does not want its modes changed.
    """
    data = paths.data
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except FileExistsError:
        raise PathError(f"{data} is a file; termmail needs a folder there for your mail.") from None
    except OSError as error:
        raise PathError(f"The folder {data} cannot be created: {reason(error)}.") from None
    if not os.access(data, os.R_OK | os.X_OK):
        raise PathError(f"The folder {data} cannot be read by you.")
    if strangers := _strangers(paths):
        raise PathError(
            f"{data} holds other things than mail ({strangers[0]}), and termmail would make them private.",
            "Name an empty folder, or one that does not exist yet.",
        )
    close_to_others(paths.config)
    close_to_others(data)
    return os.access(data, os.W_OK)


def _strangers(paths: Paths) -> list[str]:
    """Return the names in the data folder that are not termmail's; none if it has a mail store already."""
    names = sorted(entry.name for entry in paths.data.iterdir())
    if any(name.startswith(paths.store.name) for name in names):
        return []
    ours = {paths.config.name, paths.log.name, f"{paths.log.name}.1", "opened", "lost+found"}
    return [name for name in names if name not in ours and not name.endswith(".lock")]


def close_to_others(path: Path) -> None:
    """Remove all permissions of group and others from `path` and, if it is a folder, from everything in it.

    What cannot be changed (a read-only disk, another user's file) is left as it is; symbolic links are not followed.
    """
    _close(path)
    if path.is_dir() and not path.is_symlink():
        for folder, folders, files in os.walk(path):
            for name in (*folders, *files):
                _close(Path(folder, name))


def _close(path: Path) -> None:
    with contextlib.suppress(OSError):
        mode = path.lstat().st_mode
        if stat.S_ISDIR(mode):
            wanted = FOLDER_MODE
        elif stat.S_ISREG(mode):
            wanted = FILE_MODE
        else:
            return
        if mode & 0o077:
            path.chmod(stat.S_IMODE(mode) & wanted)


def reason(error: OSError) -> str:
    """Return the reason of an OSError in lower case, without its number."""
    return (error.strerror or "the operating system refused it").lower()
