"""Disk full and read-only, on file systems mounted in this process's own mount namespace: `unshare -m python -m benchmarks.faults_mounts`."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.faults_sqlite import Outcome, start, working_folder
from benchmarks.faults_workers import make_batch
from store.sqlite import SQLitePostStore
from tingfeng.errors import StoreError


@contextmanager
def mounted(*arguments: str, place: Path) -> Iterator[None]:
    """`mount …` for a while."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", *arguments, str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill_disk(times: int, rng: random.Random) -> Outcome:
    """Writes until the disk is full; reads; after some room is made writes again. Each time another size, so another place of failure."""
    outcome = Outcome("磁盘写满", times, note="tmpfs 4–9 MB;写满后仍可读,腾出空间后同一进程接着写")
    every: Outcome = Outcome("")
    with working_folder() as folder:
        for _ in range(times):
            place = folder / "disk"
            with mounted("-t", "tmpfs", "-o", f"size={rng.randint(4000, 9000)}k", "tmpfs", place=place):
                every = fill_once(place, outcome, rng)
                outcome.lost += every.lost
                outcome.doubled += every.doubled
                outcome.acknowledged += every.acknowledged
                outcome.damage += every.damage
    return outcome


def fill_once(place: Path, outcome: Outcome, rng: random.Random) -> Outcome:
    """One disk."""
    one = Outcome("")
    (place / "ballast").write_bytes(b"x" * 1_500_000)
    store = SQLitePostStore(place / "posts.db")
    acknowledged: set[str] = set()
    number, size = 0, rng.randint(1, 8)
    while True:
        posts = [post for batch in range(number, number + size) for post in make_batch(batch)]
        try:
            store.add_posts(posts)
        except StoreError:
            break
        acknowledged |= {post.id for post in posts}
        number += size
    assert store.health().posts == len(acknowledged), "reading while the disk is full"
    (place / "ballast").unlink()
    started = time.perf_counter()
    store.add_posts(make_batch(number))
    outcome.recovery_ms.append((time.perf_counter() - started) * 1000)
    one.check(store, acknowledged | {post.id for post in make_batch(number)})
    store.close()
    return one


FREEZES = {
    "remount": ("重新挂载为只读", "ext4,停写后只读:说得清怎么办;改回可写后继续"),
    "power": ("断电", "写入中定格,只留下磁盘映像里已有的,重放日志后继续"),
    "abort": ("文件系统在写入中突然只读", "ext4 remount,abort;内核对中断那一刻的 fsync 仍答成功,那一批可能丢,之前的都在"),
}


def freeze_disk(times: int, rng: random.Random, how: str) -> Outcome:
    """The file system under a writer turns read-only in order, loses power, or turns read-only all at once."""
    outcome = Outcome(FREEZES[how][0], times, note=FREEZES[how][1])
    with working_folder() as folder:
        image, place = folder / "image", folder / "disk"
        with image.open("wb") as stream:
            stream.truncate(96_000_000)
        subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
        acknowledged: set[str] = set()
        following = 0
        for _ in range(times):
            with mounted("-o", "loop", str(image), place=place):
                told = run_until_frozen(image, place, following, rng, how)
            if how == "power":
                image.with_suffix(".cut").replace(image)
            acknowledged |= {post.id for number in told for post in make_batch(number)}
            following = told[-1] + 1
            with mounted("-o", "loop", str(image), place=place):
                started = time.perf_counter()
                store = SQLitePostStore(place / "posts.db")
                store.add_posts(make_batch(following))
                outcome.recovery_ms.append((time.perf_counter() - started) * 1000)
                store.close()
            acknowledged |= {post.id for post in make_batch(following)}
            following += 1
        with mounted("-o", "loop", str(image), place=place):
            store = SQLitePostStore(place / "posts.db")
            outcome.check(store, acknowledged)
            store.close()
    return outcome


def run_until_frozen(image: Path, place: Path, following: int, rng: random.Random, how: str) -> list[int]:
    """Numbers that a writer acknowledged before the disk froze."""
    process = start("write", place / "posts.db", following)
    assert process.stdout
    told = [process.stdout.readline() for _ in range(rng.randint(3, 30))]
    time.sleep(rng.random() * 0.05)
    if how == "abort":
        subprocess.run(["mount", "-o", "remount,abort", str(place)], check=True)
    else:
        process.send_signal(signal.SIGSTOP)
    if how == "power":
        shutil.copyfile(image, image.with_suffix(".cut"))
    if how != "abort":
        process.kill()
    told += process.stdout.readlines()
    process.stdout.close()
    process.wait()
    if how == "remount":
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        advice = ""
        try:
            SQLitePostStore(place / "posts.db").close()
        except StoreError as error:
            advice = error.hint
        if not advice:
            raise SystemExit("a read-only disk was not noticed")
    return [int(line) for line in told if line.strip().isdigit() and line.endswith("\n")]


def main() -> None:
    """Prints the summaries as JSON."""
    times = int(sys.argv[1])
    rng = random.Random(times)
    outcomes = (fill_disk(times, rng), *(freeze_disk(times, rng, how) for how in FREEZES))
    sys.stdout.write(json.dumps([one.summary() for one in outcomes], ensure_ascii=False))


if __name__ == "__main__":
    main()
