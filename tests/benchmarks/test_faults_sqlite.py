"""Each fault a few times; `make faults` does the same many times and writes down the figures."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable

import pytest

from benchmarks.faults_sqlite import FAULTS, Outcome, run_mounts, working_folder
from benchmarks.faults_workers import make_batch
from store.sqlite import SQLitePostStore


def can_mount() -> bool:
    """Root with mount namespaces and loop devices."""
    probe = "mount -t tmpfs tmpfs /mnt && command -v mkfs.ext4 && ls /dev/loop-control"
    return os.geteuid() == 0 and not subprocess.run(["unshare", "-m", "sh", "-c", probe], capture_output=True).returncode


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.__name__))
def test_nothing_acknowledged_is_lost_or_doubled(fault: Callable[[int, random.Random], Outcome]) -> None:
    outcome = fault(2, random.Random(1))
    assert outcome.acknowledged > 0
    assert (outcome.lost, outcome.doubled, outcome.damage) == (0, 0, [])


@pytest.mark.slow
@pytest.mark.skipif(not can_mount(), reason="needs root and mount namespaces")
def test_a_full_or_read_only_disk_and_a_power_cut_lose_nothing() -> None:
    rows = run_mounts(2)
    assert [(row["lost"], row["doubled"], row["damage"]) for row in rows[:3]] == [(0, 0, [])] * 3
    assert (rows[3]["doubled"], rows[3]["damage"]) == (0, [])  # what it may lose: docs/benchmarks.md


def test_the_checker_notices_what_is_lost_doubled_or_damaged() -> None:
    with working_folder() as folder:
        store = SQLitePostStore(folder / "posts.db")
        posts = make_batch(0)
        store.add_posts(posts[1:])
        store._connection.execute("DELETE FROM zones")
        outcome = Outcome("x")
        outcome.check(store, {post.id for post in posts})
        store.close()
    assert outcome.lost >= 1
    assert outcome.damage
