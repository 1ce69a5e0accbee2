"""Where configuration and data lie on this machine, and who may read them."""

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
    """A folder termmail needs cannot be made or entered. `str(error)` is a plain sentence for the reader."""

    code = ErrorCode.CANNOT_CREATE


class Paths(Struct, frozen=True):
    """The config file, and the folder that holds the mail."""

    config: Path
    data: Path

    @property
    def log(self) -> Path:
        """The log file, beside the mail."""
        return self.data / "termmail.log"


def default(config: str | Path | None = None, data: str | Path | None = None) -> Paths:
    """The paths of the operating system's custom (XDG on Linux); `config` and `data` override each alone."""
    import platformdirs  # noqa: PLC0415  not needed when both are given

    return Paths(
        Path(config).expanduser().absolute() if config else platformdirs.user_config_path("termmail") / "config.toml",
        Path(data).expanduser().absolute() if data else platformdirs.user_data_path("termmail"),
    )


def prepare(paths: Paths) -> bool:
    """Make the data folder where it is missing, and close it and the config file to others (0700, 0600).

    Returns False where the data folder can only be read: then termmail starts read-only.
    Raises PathError where there is no data folder and none can be made, or where it holds other things than mail: to
    close those to others is not what anybody meant who names a wrong folder.
    """
    data = paths.data
    try:
        data.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    except FileExistsError:
        raise PathError(f"{data} is a file; termmail needs a folder there for your mail.") from None
    except OSError as error:
        raise PathError(f"The folder {data} cannot be made: {reason(error)}.") from None
    if not os.access(data, os.R_OK | os.X_OK):
        raise PathError(f"The folder {data} cannot be read by you.")
    if strangers := _strangers(paths):
        words = f"{data} holds other things than mail ({strangers[0]}); termmail would close them to others."
        raise PathError(f"{words} Name an empty folder, or one that is not there yet.")
    close_to_others(paths.config)
    close_to_others(data)
    return os.access(data, os.W_OK)


def _strangers(paths: Paths) -> list[str]:
    """What lies in the data folder and is not termmail's; nothing where a mail store is there already."""
    names = sorted(entry.name for entry in paths.data.iterdir())
    if any(name.startswith("mail.db") for name in names):
        return []
    ours = {paths.config.name, paths.log.name, f"{paths.log.name}.1", "opened", "lost+found"}
    return [name for name in names if name not in ours and not name.endswith(".lock")]


def close_to_others(path: Path) -> None:
    """Take every right of group and others from `path` and, where it is a folder, from all that is in it.

    What cannot be changed (a read-only disk, a file of someone else) stays as it is; symbolic links are not followed.
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
    """Why the operating system said no, in lower-case words without its number."""
    return (error.strerror or "the operating system refused it").lower()
