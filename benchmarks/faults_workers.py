"""Processes that faults_sqlite.py kills: a writer, a worker in analyse, a web reader. Each prints a line for whatever it has done."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from benchmarks.store_corpus import NOW
from store.sqlite import SQLitePostStore
from tingfeng.errors import StoreError
from tingfeng.labels import PostKind
from tingfeng.records import Post

BATCH = 20


def make_batch(number: int, source: str = "w") -> list[Post]:
    """Posts of one batch, always the same."""
    return [
        Post(source, f"{number}-{n}", PostKind.ORIGINAL, f"暖芽水壶漏水,第{number}批第{n}条", NOW, published_at=NOW - timedelta(seconds=number))
        for n in range(BATCH)
    ]  # fmt: skip


def write(file: Path, start: int) -> None:
    """Batches from `start` on; prints the number of each one that add_posts has acknowledged."""
    store = SQLitePostStore(file)
    number = start
    try:
        while True:
            store.add_posts(make_batch(number))
            print(number, flush=True)
            number += 1
    except StoreError as error:
        print(f"refused {error.what}", flush=True)


def analyse(home: Path, hours: int) -> None:
    """The real pipeline over what is unjudged, in batches of 50, `hours` after now."""
    from flows import analyse
    from flows.wiring import Wiring
    from tingfeng.clock import SimulatedClock
    from tingfeng.settings import Paths, config_folder, load_settings

    paths = Paths(home=home, config_folder=config_folder(), config_file=home / "tingfeng.toml")
    wiring = Wiring(paths, load_settings(paths, {}), {}, SimulatedClock(NOW + timedelta(hours=hours)))
    _ = wiring.pipeline, wiring.posts
    analyse.BATCH = 50
    print("ready", flush=True)
    analyse.analyse_posts(wiring, progress=lambda judged: print(judged, flush=True))
    wiring.close()
    print("done", flush=True)


def read(file: Path) -> None:
    """The home page again and again."""
    from starlette.testclient import TestClient

    from store.desk import open_desk
    from tingfeng.clock import SimulatedClock
    from tingfeng.records import Subject
    from web.app import create_app

    desk = open_desk(f"sqlite:///{file.with_name('desk.db')}")
    app = create_app(SQLitePostStore(file), desk, [Subject("暖芽")], SimulatedClock(NOW), ["testserver"])
    with TestClient(app) as client:
        while True:
            assert client.get("/", params={"q": "漏水"}).status_code == 200
            print("page", flush=True)


if __name__ == "__main__":
    role, place = sys.argv[1], Path(sys.argv[2])
    if role == "write":
        write(place, int(sys.argv[3]))
    elif role == "analyse":
        analyse(place, int(sys.argv[3]))
    else:
        read(place)
