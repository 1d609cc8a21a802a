"""A private PostgreSQL for tests and measurements: its own folder, its own port on loopback, gone in the end."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

USER = "tingfeng"
START_SECONDS = 60


def find_programs() -> Path | None:
    """The folder of initdb, pg_ctl and postgres; None when PostgreSQL is not installed. Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return versions[-1].parent if versions else None


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PrivateCluster:
    """Start it, use url(), stop it. Runs as another user when we are root: PostgreSQL refuses root.

    `durable` False leaves out the syncs to disk, which matter only when the machine itself goes down.
    """

    def __init__(self, programs: Path, *, durable: bool = False) -> None:
        self._programs = programs
        self._password = secrets.token_urlsafe(12)
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="tingfeng-pg-"))
        self._other: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._other = {"user": "nobody", "group": "nogroup", "extra_groups": []}
            shutil.chown(self.folder, "nobody", "nogroup")
        try:
            self._make(durable)
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _make(self, durable: bool) -> None:
        word = self.folder / "password"
        word.write_text(self._password, "utf-8")
        word.chmod(0o644)
        # Chinese sorting, so that an order which depends on the database's own language shows
        language = ("--locale-provider=icu", "--icu-locale=zh-Hans") if self._has_icu() else ()
        self._run(
            "initdb", "-D", "data", "-U", USER, "--pwfile", "password", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8",
            *language, *(() if durable else ("--no-sync",)),
        )  # fmt: skip
        word.unlink()
        lines = ["shared_buffers = 32MB", f"fsync = {'on' if durable else 'off'}", "listen_addresses = '127.0.0.1'"]
        lines += [f"port = {self.port}", f"unix_socket_directories = '{self.folder}'", "logging_collector = off"]
        with (self.folder / "data" / "postgresql.conf").open("a") as stream:
            stream.write("\n".join(lines) + "\n")

    def _has_icu(self) -> bool:
        version = subprocess.run([self._programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        return int(version.stdout.split()[2].split(".")[0].rstrip("devlbta")) >= 15

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        with (self.folder / "commands.log").open("ab") as log:
            done = subprocess.run(
                [self._programs / program, *arguments], cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}, check=False, **self._other,
            )  # fmt: skip
        if check and done.returncode:
            raise RuntimeError(f"{program}: {(self.folder / 'commands.log').read_text('utf-8')[-800:]}")

    def start(self) -> None:
        """Until it answers."""
        self._run("pg_ctl", "-D", "data", "-w", "-t", str(START_SECONDS), "-l", "server.log", "start")

    def kill(self) -> None:
        """All its processes at once, in the middle of whatever they do; it recovers at the next start."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "stop", check=False)

    def restart_hard(self) -> None:
        """kill() and start()."""
        self._run("pg_ctl", "-D", "data", "-m", "immediate", "-w", "-l", "server.log", "restart")

    def stop(self) -> None:
        """Stops it and removes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self) -> str:
        """The address of a fresh, empty database."""
        name = f"tf_{secrets.token_hex(6)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def url(self, database: str = "postgres", *, user: str = USER, password: str | None = None) -> str:
        """The address of a database."""
        word = quote(self._password if password is None else password, safe="")
        return f"postgresql://{user}{':' + word if word else ''}@127.0.0.1:{self.port}/{database}"
