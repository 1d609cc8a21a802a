"""A real Elasticsearch for tests and measurements: finds the server, starts nodes on free loopback ports, kills them.

The server is looked for in the folder named by TINGFENG_TEST_ES_HOME (unpacked, or holding the zip), then in `shared/elasticsearch` beside
the checkout or one of its parents. It runs as another user when we are root, for it refuses root.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 600
HEAP = "512m"


class NoServer(Exception):
    """Why there is no server to test against."""


def find_java() -> Path:
    """A JDK 17 or newer. Raises NoServer."""
    named = [Path(os.environ[name]) for name in ("ES_JAVA_HOME", "JAVA_HOME") if os.environ.get(name)]
    known = sorted(Path("/usr/lib/jvm").glob("*17*")) if Path("/usr/lib/jvm").is_dir() else []
    found = shutil.which("java")
    for home in (*named, *known, *([Path(found).resolve().parent.parent] if found else [])):
        if (home / "bin" / "java").is_file():
            return home
    raise NoServer("no JDK 17: install openjdk-17-jre-headless or set ES_JAVA_HOME")


def find_source() -> Path:
    """The unpacked server's folder, or its zip. Raises NoServer."""
    named = os.environ.get("TINGFENG_TEST_ES_HOME")
    folders = [Path(named)] if named else [parent / "shared" / "elasticsearch" for parent in ROOT.parents]
    for folder in folders:
        if (folder / "bin" / "elasticsearch").is_file():
            return folder
        zips = sorted(folder.glob("elasticsearch-8*.zip")) if folder.is_dir() else []
        if zips:
            return zips[-1]
    raise NoServer("no Elasticsearch: put it into ../shared/elasticsearch or name its folder in TINGFENG_TEST_ES_HOME")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Server:
    """An unpacked server and a folder for its nodes; `close` removes all of it."""

    home: Path
    work: Path
    java: Path
    heap: str = HEAP
    options: str = ""
    nodes: list[Node] = field(default_factory=list)

    @staticmethod
    def unpack(heap: str = HEAP, options: str = "") -> Server:
        """`options`: more of the JVM's. Raises NoServer."""
        java, source = find_java(), find_source()
        work = Path(tempfile.mkdtemp(prefix="tingfeng-es-"))
        work.chmod(0o755)
        home = work / "server"
        if source.is_dir():
            shutil.copytree(source, home)
        else:
            with zipfile.ZipFile(source) as archive:
                archive.extractall(work)
            next(work.glob("elasticsearch-*")).rename(home)
        for file in (home / "bin").iterdir():
            file.chmod(file.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        server = Server(home, work, java, heap, options)
        server.give(work)
        return server

    @property
    def account(self) -> dict[str, Any]:
        """Arguments of Popen: another user than root."""
        return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}

    def give(self, folder: Path) -> None:
        """Makes a folder the server's own."""
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "nobody", "nogroup")

    def run(self, *command: str, conf: Path | None = None) -> None:
        """One of the server's tools."""
        conf = conf or self.home / "config"
        subprocess.run([str(self.home / "bin" / command[0]), *command[1:]], env=self.environ(conf), cwd=self.work, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **self.account)  # fmt: skip

    def environ(self, conf: Path) -> dict[str, str]:
        temporary = self.work / "tmp"
        if not temporary.is_dir():
            temporary.mkdir()
            self.give(temporary)
        return {
            "PATH": os.environ["PATH"], "HOME": str(temporary), "ES_TMPDIR": str(temporary), "ES_JAVA_HOME": str(self.java),
            "ES_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap} {self.options}", "ES_PATH_CONF": str(conf),
        }  # fmt: skip

    def configure(self, name: str, settings: Mapping[str, object], group: list[Node] | None = None) -> Node:
        """A node with a configuration and data of its own; `group`: the nodes of its cluster."""
        folder = self.work / name
        shutil.copytree(self.home / "config", folder / "config")
        node = Node(self, name, folder, free_port(), free_port())
        peers = [*(group or []), node]
        if group is not None:
            group.append(node)
        lines: dict[str, object] = {
            "cluster.name": name if group is None else "group", "node.name": name, "network.host": "127.0.0.1", "http.port": node.port,
            "transport.port": node.transport, "path.data": str(folder / "data"), "path.logs": str(folder / "logs"),
            "cluster.routing.allocation.disk.threshold_enabled": False, "xpack.security.enabled": False, **settings,
        }  # fmt: skip
        if group is None:
            lines["discovery.type"] = "single-node"
        node.settings = lines
        node.write_settings(peers)
        self.nodes.append(node)
        return node

    def start_node(self, name: str, **settings: object) -> Node:
        """One node, up."""
        node = self.configure(name, settings)
        node.start()
        node.wait()
        return node

    def start_group(self, names: list[str]) -> list[Node]:
        """Several nodes as one cluster, up."""
        group: list[Node] = []
        for name in names:
            self.configure(name, {}, group)
        for node in group:
            node.write_settings(group, initial=names)
            node.start()
        for node in group:
            node.wait(len(names))
        return group

    def close(self) -> None:
        for node in self.nodes:
            node.stop()
        shutil.rmtree(self.work, ignore_errors=True)


@dataclass
class Node:
    """One process of the server."""

    server: Server
    name: str
    folder: Path
    port: int
    transport: int
    settings: dict[str, object] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    secure: bool = False

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """As `posts_url`."""
        return f"elasticsearch://{self.host}/"

    def write_settings(self, peers: list[Node], initial: list[str] | None = None) -> None:
        """config/elasticsearch.yml."""
        lines = dict(self.settings)
        if initial:
            lines["discovery.seed_hosts"] = [f"127.0.0.1:{peer.transport}" for peer in peers]
            lines["cluster.initial_master_nodes"] = initial
        text = "".join(f"{key}: {json.dumps(value)}\n" for key, value in lines.items())
        (self.folder / "config" / "elasticsearch.yml").write_text(text, "utf-8")
        self.server.give(self.folder)

    def start(self) -> None:
        with (self.server.work / f"{self.name}.out").open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.server.home / "bin" / "elasticsearch")], env=self.server.environ(self.folder / "config"), cwd=self.server.work,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **self.server.account,
            )  # fmt: skip

    def wait(self, nodes: int = 1) -> None:
        """Until it answers. Raises NoServer when it does not come up."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            if self.process is not None and self.process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"http://{self.host}/_cluster/health?wait_for_nodes={nodes}&timeout=1s", timeout=5) as answer:
                    if json.load(answer)["number_of_nodes"] >= nodes:
                        return
            except urllib.error.HTTPError as error:
                error.close()
                if self.secure and error.code == 401:
                    return
            except (OSError, ValueError):
                if self.secure and self._listens():
                    return
            time.sleep(0.3)
        log = (self.server.work / f"{self.name}.out").read_text("utf-8", "replace")[-1500:]
        raise NoServer(f"Elasticsearch did not come up: {log}")

    def _listens(self) -> bool:
        """With TLS: whether the port is open and security is ready (a plain request cannot ask)."""
        with socket.socket() as probe:
            probe.settimeout(2)
            if probe.connect_ex(("127.0.0.1", self.port)):
                return False
        log = (self.server.work / f"{self.name}.out").read_text("utf-8", "replace")
        return ("started" in log and "to [GREEN]" in log) or "Active license" in log or '] started {' in log

    def kill(self) -> None:
        """kill -9, of the launcher's whole session: nothing is flushed."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait(30)

    def stop(self) -> None:
        """In the end there is nothing to save."""
        self.kill()
        self.process = None
