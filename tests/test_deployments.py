"""prefect.yaml deploys every flow with a time zone; the templates of the work pools are whole."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
POOLS = sorted((ROOT / "deploy" / "pools").glob("*.json"))
PLACEHOLDER = re.compile(r"\{\{ (\w+) \}\}")
TELEMETRY_OFF = {"DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}


def read_deployments() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))["deployments"]
    return found


def flows_of(source: str) -> set[str]:
    """Functions that are decorated with @flow."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    return {one.name for one in functions if any(isinstance(d, ast.Name) and d.id == "flow" for d in one.decorator_list)}


def unused_or_unknown(template: dict[str, Any]) -> set[str]:
    """Placeholders without a variable, and variables without a placeholder."""
    used = set(PLACEHOLDER.findall(json.dumps(template["job_configuration"])))
    return used ^ set(template["variables"]["properties"])


def test_every_flow_is_deployed_once_from_its_file() -> None:
    entries = [one["entrypoint"] for one in read_deployments()]
    names = flows_of((ROOT / "flows" / "monitor.py").read_text("utf-8"))
    assert sorted(entries) == sorted(f"flows/monitor.py:{name}" for name in names)


def test_every_schedule_is_a_cron_line_in_shanghai_time() -> None:
    schedules = [schedule for one in read_deployments() for schedule in one["schedules"]]
    assert {schedule["timezone"] for schedule in schedules} == {"Asia/Shanghai"}
    assert all(len(schedule["cron"].split()) == 5 for schedule in schedules)
    active = {one["entrypoint"].rpartition(":")[2] for one in read_deployments() for s in one["schedules"] if s.get("active", True)}
    assert active == {"dispatch", "analyse", "watch", "deliver", "retention"}


def test_what_must_not_overlap_has_a_limit_of_one() -> None:
    limits = {one["entrypoint"].rpartition(":")[2]: one.get("concurrency_limit", {}).get("limit") for one in read_deployments()}
    assert {limits[name] for name in ("dispatch", "watch", "retention", "monitor")} == {1}


def test_all_deployments_use_the_one_pool() -> None:
    assert {one["work_pool"]["name"] for one in read_deployments()} == {"tingfeng"}
    assert "--pool tingfeng" in (ROOT / "deploy" / "start").read_text("utf-8")


def test_the_version_of_prefect_is_the_pinned_one() -> None:
    values = yaml.safe_load((ROOT / "prefect.yaml").read_text("utf-8"))
    assert f"prefect=={values['prefect-version']}" in (ROOT / "constraints.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("pool", POOLS, ids=lambda pool: pool.stem)
def test_a_template_is_whole_and_tells_nobody(pool: Path) -> None:
    template = json.loads(pool.read_text("utf-8"))
    assert unused_or_unknown(template) == set()
    defaults = template["variables"]["properties"]["env"]["default"]
    assert TELEMETRY_OFF.items() <= defaults.items()
    bare = [name for name in defaults if not name.endswith("_FILE") and re.search("PASSWORD|SALT|_URL$|SECRET", name)]
    assert bare == []


def test_a_template_with_a_hole_is_noticed() -> None:
    template = {"job_configuration": {"image": "{{ image }}"}, "variables": {"properties": {"name": {}}}}
    assert unused_or_unknown(template) == {"image", "name"}
    assert {pool.stem for pool in POOLS} == {"docker", "kubernetes", "process"}
