"""compose.yaml and the Dockerfile: what must hold for them to work and to be safe. Each rule has a bad specimen that it must refuse."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from flows.machine import parse_salt
from store.desk_core import read_url
from tingfeng import __version__

ROOT = Path(__file__).resolve().parent.parent
Compose = dict[str, Any]
WANTED = {"postgres", "es01", "es02", "es03", "prefect", "worker", "web"}
ONE_SHOTS = {"certificates", "deploy"}
OURS = {"prefect", "deploy", "worker", "web"}
PINNED = re.compile(r"^[\w./-]+:v?\d+\.\d+[\w.-]*$")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|SALT|_KEY|_URL$")
PLAIN_URLS = {"PREFECT_API_URL"}  # an address without a login


def read_compose() -> Compose:
    found: Compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return found


def services(compose: Compose) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from compose["services"].items()


def environment(service: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = service.get("environment", {})
    return found


def find_missing(compose: Compose) -> list[str]:
    return sorted((WANTED | ONE_SHOTS) - set(compose["services"]))


def find_unpinned(compose: Compose) -> list[str]:
    return [name for name, one in services(compose) if not PINNED.match(one["image"])]


def find_other_versions(compose: Compose) -> list[str]:
    """Ours are of this version; the nodes of one; PostgreSQL is one that we and Prefect support."""
    images = {name: one["image"].rpartition(":")[2] for name, one in services(compose)}
    wrong = [name for name in OURS if images[name] != __version__]
    wrong += ["es"] if len({images[name] for name in images if name.startswith("es0")} | {images["certificates"]}) > 1 else []
    return wrong + (["postgres"] if int(images["postgres"].split(".")[0]) < 14 else [])


def find_open_ports(compose: Compose) -> list[str]:
    """Only the web, only on loopback, nothing by host networking."""
    ports = [(name, port) for name, one in services(compose) for port in one.get("ports", [])]
    wrong = [name for name, port in ports if name != "web" or not str(port).startswith("127.0.0.1:")]
    return wrong + [name for name, one in services(compose) if one.get("network_mode") == "host" or one.get("privileged")]


def find_unhealthy(compose: Compose) -> list[str]:
    return [name for name, one in services(compose) if name not in ONE_SHOTS and "test" not in one.get("healthcheck", {})]


def find_impatient(compose: Compose) -> list[str]:
    """Whoever waits must wait for health, or for the end of a one-shot; whoever uses a store must wait for it."""
    wrong = []
    for name, one in services(compose):
        waits = one.get("depends_on", {})
        for other, how in waits.items():
            right = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
            if other not in compose["services"] or how["condition"] != right:
                wrong.append(f"{name} → {other}")
        needed = {"worker": WANTED - {"prefect", "worker", "web"}, "web": WANTED - {"prefect", "worker", "web"}, "prefect": {"postgres"}}
        wrong += [f"{name} ↛ {other}" for other in sorted(needed.get(name, set()) - set(waits))]
    return wrong


def find_unnamed_volumes(compose: Compose) -> list[str]:
    used = {str(mount).split(":")[0] for _, one in services(compose) for mount in one.get("volumes", [])}
    named = {name for name in used if not name.startswith(("./", "/"))}
    missing = [name for name in used if name.startswith("./") and not (ROOT / name).exists()]
    return sorted(named ^ set(compose["volumes"])) + missing


def find_shared_data(compose: Compose) -> list[str]:
    """Every database has a volume of its own."""
    keepers = ("postgres", "es01", "es02", "es03")
    return [name for name in keepers if not any(str(m).startswith(f"{name}:") for m in compose["services"][name].get("volumes", []))]


def find_bare_secrets(compose: Compose) -> list[str]:
    """A secret is named by a file that is mounted, never written out."""
    wrong = []
    for name, one in services(compose):
        for variable, value in environment(one).items():
            if SECRET_NAME.search(variable) and variable not in PLAIN_URLS and not variable.endswith("_FILE"):
                wrong.append(f"{name}.{variable}")
            if variable.endswith("_FILE") and value.startswith("/run/secrets/") and name != "deploy":
                mounted = {f"/run/secrets/{secret}" for secret in one.get("secrets", [])}
                wrong += [] if value in mounted else [f"{name}.{variable}"]
    used = {secret for _, one in services(compose) for secret in one.get("secrets", [])}
    return wrong + sorted(used ^ set(compose["secrets"]))


def find_unknown_variables(compose: Compose) -> list[str]:
    """Our variables are those that docs/settings.md lists."""
    known = set(re.findall(r"TINGFENG_[A-Z_]+", (ROOT / "docs" / "settings.md").read_text("utf-8")))
    named = {variable for _, one in services(compose) for variable in environment(one) if variable.startswith("TINGFENG_")}
    return sorted(variable for variable in named if variable.removesuffix("_FILE") not in known)


def find_talkative(compose: Compose) -> list[str]:
    off = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}
    return [name for name in sorted(OURS) if off.items() - environment(compose["services"][name]).items()]


def find_reachable(compose: Compose) -> list[str]:
    """Databases and scheduler stand in networks that lead nowhere."""
    inner = {name for name, network in compose["networks"].items() if network.get("internal")}
    return [name for name in ("postgres", "es01", "es02", "es03", "prefect") if set(compose["services"][name]["networks"]) - inner]


def find_lonely_nodes(compose: Compose) -> list[str]:
    nodes = {name: environment(one) for name, one in services(compose) if name.startswith("es0")}
    names = {settings["node.name"] for settings in nodes.values()}
    masters = {settings["cluster.initial_master_nodes"] for settings in nodes.values()}
    return [] if masters == {",".join(sorted(names))} and names == set(nodes) and len(names) >= 3 else sorted(nodes)


def change(path: str, value: Any) -> Callable[[Compose], None]:
    """A specimen: one value set, or with None taken away."""

    def do(compose: Compose) -> None:
        *parents, last = path.split("/")
        place: Any = compose
        for key in parents:
            place = place[key]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return do


RULES: list[tuple[Callable[[Compose], list[str]], Callable[[Compose], None]]] = [
    (find_missing, change("services/web", None)),
    (find_unpinned, change("services/postgres/image", "postgres:latest")),
    (find_unpinned, change("services/postgres/image", "postgres")),
    (find_other_versions, change("services/worker/image", "tingfeng:0.0.1")),
    (find_other_versions, change("services/es02/image", "docker.elastic.co/elasticsearch/elasticsearch:8.19.6")),
    (find_other_versions, change("services/postgres/image", "postgres:13.20")),
    (find_open_ports, change("services/web/ports", ["8600:8600"])),
    (find_open_ports, change("services/postgres/ports", ["127.0.0.1:5432:5432"])),
    (find_open_ports, change("services/worker/network_mode", "host")),
    (find_unhealthy, change("services/es01/healthcheck", None)),
    (find_impatient, change("services/worker/depends_on/postgres", {"condition": "service_started"})),
    (find_impatient, change("services/web/depends_on/es01", None)),
    (find_unnamed_volumes, change("volumes/state", None)),
    (find_unnamed_volumes, change("services/web/volumes", ["./nowhere:/x"])),
    (find_shared_data, change("services/es02/volumes", ["es01:/usr/share/elasticsearch/data"])),
    (find_bare_secrets, change("services/worker/environment/TINGFENG_DESK_URL", "postgresql://u:p@h/d")),
    (find_bare_secrets, change("services/web/secrets", ["desk_url", "salt"])),
    (find_unknown_variables, change("services/web/environment/TINGFENG_DATABASE", "x")),
    (find_talkative, change("services/worker/environment/DO_NOT_TRACK", None)),
    (find_reachable, change("services/es01/networks", ["back", "outside"])),
    (find_lonely_nodes, change("services/es03/environment/node.name", "es02")),
]


@pytest.mark.parametrize("rule", list(dict.fromkeys(rule for rule, _ in RULES)), ids=lambda rule: rule.__name__)
def test_compose_keeps_the_rule(rule: Callable[[Compose], list[str]]) -> None:
    assert rule(read_compose()) == []


@pytest.mark.parametrize("number", range(len(RULES)), ids=lambda number: f"{RULES[number][0].__name__}-{number}")
def test_each_rule_refuses_its_bad_specimen(number: int) -> None:
    rule, spoil = RULES[number]
    compose = copy.deepcopy(read_compose())
    spoil(compose)
    assert rule(compose) != []


def test_the_image_is_pinned_and_runs_as_a_user_without_rights() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert all(PINNED.match(line.split()[1]) for line in lines if line.startswith("FROM "))
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001"]
    assert any("--constraint constraints.txt" in line for line in lines)
    assert "deploy/secrets" in (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "deploy/secrets/" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_the_secrets_are_made_once_and_fit_what_reads_them(tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True)
    folder = tmp_path / "secrets"
    first = {file.name: file.read_text("utf-8") for file in folder.iterdir()}
    subprocess.run([tmp_path / "make-secrets"], check=True)
    assert {file.name: file.read_text("utf-8") for file in folder.iterdir()} == first
    assert set(first) == set(read_compose()["secrets"])
    url = read_url(first["desk_url"])
    assert (url.host, url.database, url.password) == ("postgres", "tingfeng", first["postgres_password"])
    assert urlsplit(first["posts_url"]).password == first["elastic_password"]
    assert len(parse_salt(first["salt"])) == 48
    assert folder.stat().st_mode & 0o777 == 0o700
