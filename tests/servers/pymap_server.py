"""pymap with mailboxes in memory: `python pymap_server.py PASSWORD PID_FILE`, then the arguments of pymap."""

import os
import sys
from pathlib import Path

from pymap.backend.dict import Config, DictBackend, Login
from pymap.main import main
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

USERS = 1000
"""`ada0` to `ada999`."""


class ManyUsers(DictBackend):
    """The backend of pymap's demo, with more users than one."""

    @classmethod
    async def _add_demo_user(cls, config: Config, login: Login) -> None:
        secret = BuiltinHash(rounds=1).hash(config.demo_password)
        for name in (f"ada{number}" for number in range(USERS)):
            login.users_dict[name] = UserMetadata(config, name, password=secret)


if __name__ == "__main__":
    DictBackend._add_demo_user = ManyUsers._add_demo_user
    password, pid_file = sys.argv[1:3]
    sys.argv[1:] = [*sys.argv[3:], "dict", "--demo-password", password]
    Path(pid_file).write_text(str(os.getpid()))
    main()
