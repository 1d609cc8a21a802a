"""One process that works on a Desk until it is killed, and keeps a journal of what was acknowledged to it.

`python -m benchmarks.desk_worker ROLE JOURNAL`, address in TINGFENG_DESK_URL. The journal is the outside world: a line stands in it
only after the Desk has answered (`write …`), or when a message has left the house (`send …`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from store.desk import Desk, WatchCommit, open_desk
from tingfeng.errors import StoreError
from tingfeng.labels import AlertState, Level, Outcome
from tingfeng.records import Alert, AlertChange, CaptureRun, Notification

LEASE_SECONDS = 3
PATIENCE_SECONDS = 60.0
Note = Callable[[str], None]


def open_journal(file: Path) -> Note:
    """Appends whole lines in one write each, so that a kill leaves no half line behind."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(line: str) -> None:
        os.write(handle, f"{time.time():.6f} {line}\n".encode())

    return note


def write(desk: Desk, note: Note) -> None:
    """Watches that open an alert and queue its notification, and runs of the ledger."""
    name, number = f"{os.getpid()}-{time.time_ns()}", 0
    while True:
        number += 1
        id, now = f"{name}-{number}", datetime.now(UTC)
        alert = Alert(id, "spike", "暖芽", AlertState.FIRING, Level.RED, Level.RED, now, now)
        change = AlertChange(id, "open", now, Level.RED, AlertState.FIRING, "暖芽:负面突增")
        told = Notification(id, id, "open", "main", "first", now, now, title="暖芽:负面突增", level=Level.RED)
        desk.commit_watch(WatchCommit([alert], [change], notifications=[told]), now)
        note(f"write {id}")
        desk.add_run(CaptureRun(id, name, "", now, now, Outcome.OK))
        note(f"run {id}")


def deliver(desk: Desk, note: Note) -> None:
    """Claims, sends, finishes; takes up what others have left."""
    worker = f"deliver-{os.getpid()}"
    while True:
        now = datetime.now(UTC)
        for one in desk.claim_interrupted(worker, now, lease_seconds=LEASE_SECONDS):
            desk.finish_notification(one.id, "failed", datetime.now(UTC), worker=worker, detail="发送途中被打断")
        claimed = desk.claim_notifications(worker, now, lease_seconds=LEASE_SECONDS)
        for one in claimed:
            if desk.begin_attempt(one.id, worker, datetime.now(UTC)):
                note(f"send {one.id}")
                now = datetime.now(UTC)
                if desk.finish_notification(one.id, "delivered", now, worker=worker, provider_code="0"):
                    note(f"done {one.id}")
        if not claimed:
            note("idle")
            time.sleep(0.1)


def claim(desk: Desk, note: Note) -> None:
    """Claims everything there is, in small batches, and ends."""
    worker = f"claim-{os.getpid()}"
    while claimed := desk.claim_notifications(worker, datetime.now(UTC), limit=7, lease_seconds=3600):
        for one in claimed:
            note(f"claim {one.id}")


ROLES: dict[str, Callable[[Desk, Note], None]] = {"write": write, "deliver": deliver, "claim": claim}


def main() -> None:
    """Works; a StoreError that outlasts the patience goes into the journal and ends it."""
    note = open_journal(Path(sys.argv[2]))
    try:
        desk = open_desk(os.environ["TINGFENG_DESK_URL"], patience_seconds=PATIENCE_SECONDS)
        note("ready")
        ROLES[sys.argv[1]](desk, note)
        desk.close()
    except StoreError as error:
        note(f"error {error.message}")
        raise


if __name__ == "__main__":
    main()
