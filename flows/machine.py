"""What belongs to one machine: its name in leases, its lock files, its salt."""

from __future__ import annotations

import fcntl
import getpass
import os
import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tingfeng.errors import BusyError, SettingsError

HEX = re.compile("(?:[0-9a-fA-F]{2})+")


def name_worker() -> str:
    """Names this process in leases."""
    return f"{socket.gethostname()}-{os.getpid()}"


@contextmanager
def lock_file(home: Path, name: str) -> Iterator[None]:
    """Only one process at a time with this state folder; a killed one lets go by itself. Raises BusyError."""
    with (home / f"{name}.lock").open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BusyError(f"{name} 已经在运行", where=str(home), hint="请等它结束;两个进程不会重复采集") from error
        yield


def parse_salt(text: str) -> bytes:
    """Hexadecimal as bytes, anything else as it is written. Raises SettingsError when it is too short to keep a secret."""
    salt = bytes.fromhex(text) if len(text) >= 32 and HEX.fullmatch(text) else text.encode()
    if len(salt) < 16:
        raise SettingsError("盐太短", where="TINGFENG_SALT", hint="至少 16 个字符,例如 openssl rand -hex 32 的输出")
    return salt


def make_salt(file: Path) -> bytes:
    """The salt of the state folder; made once, whole or not at all."""
    if not file.exists():
        fresh = file.with_name(f".salt-{secrets.token_hex(6)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(secrets.token_bytes(32))
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_bytes()


def name_person() -> str:
    """Who sits at this machine, for the audit."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid-{os.getuid()}"
