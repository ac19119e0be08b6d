"""Notes what the process opens, connects to and starts; Python imports it by its name.

The environment variable `FLAMINGO_WATCH_LOG` names the file: one event in each line, as JSON.
"""

import json
import os
import sys

_EVENTS = frozenset(
    (
        "open",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyname",
        "socket.sendto",
        "socket.bind",
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.fork",
        "os.forkpty",
        "os.link",
        "os.symlink",
        "os.mkdir",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.truncate",
        "os.chmod",
        "os.chown",
        "shutil.rmtree",
    )
)


def _watch(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def heard(event: str, args: tuple[object, ...]) -> None:
        if event in _EVENTS:
            # A file that is open already is known by its number.
            told = [os.fspath(a) if isinstance(a, os.PathLike) else a for a in args]
            os.write(log, json.dumps([event, told], default=repr).encode() + b"\n")

    sys.addaudithook(heard)


if _path := os.environ.get("FLAMINGO_WATCH_LOG"):
    _watch(_path)
