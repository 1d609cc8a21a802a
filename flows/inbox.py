"""The watched folder: which files are new, have grown, are still being written, or cannot be read. One bad file stops nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from collectors.files import list_inbox
from flows.wiring import Wiring
from tingfeng.errors import EmptyFileError, UsageError

SETTLED_SECONDS = 3600  # nobody is writing a file any more that has stood still for so long


@dataclass(frozen=True)
class StoredFile:
    """What became of one file. `damage`: where it breaks off, '' when it does not; `unfinished`: rows left for later."""

    rows: int = 0
    unfinished: int = 0
    damage: str = ""


StoreFile = Callable[[Path, bool], StoredFile]


@dataclass
class InboxReport:
    """One look into the folder."""

    files: int = 0
    unfinished: int = 0
    problems: list[str] = field(default_factory=list)
    missing: bool = False

    def describe(self) -> str:
        """For the ledger."""
        waiting = [f"{self.unfinished} 行还没写完,下次再读"] if self.unfinished else []
        return ";".join([*self.problems, *waiting])[:300]


def look_through(wiring: Wiring, target: str, store: StoreFile) -> InboxReport:
    """Hands to `store` what has changed since the last look. A folder inside the state folder is made when it is missing."""
    report = InboxReport()
    folder = wiring.home / target
    if not Path(target).is_absolute():
        folder.mkdir(parents=True, exist_ok=True)
    if not folder.is_dir():
        report.missing = True
        report.problems.append(f"文件夹不存在:{folder}。请建好它,或改 targets")
        return report
    for path in list_inbox([folder]):
        look_at(wiring, path, store, report)
    return report


def look_at(wiring: Wiring, path: Path, store: StoreFile, report: InboxReport) -> None:
    """One file. What is remembered of it: size and time, then whether a row was left or what is wrong with it."""
    now = wiring.clock.now()
    try:
        facts = path.stat()
    except FileNotFoundError:
        return  # taken away since the folder was listed
    mark = f"{facts.st_size}:{facts.st_mtime_ns}"
    settled = now.timestamp() - facts.st_mtime >= SETTLED_SECONDS
    known, _, rest = (wiring.desk.get_value("file", str(path)) or "").partition(" ")
    left = int(rest) if rest.isdigit() else 0
    if known == mark and not (left and settled):
        report.unfinished += left
        report.problems += [rest] if rest and not left else []
        return
    stored = read_one(path, settled, store)
    report.files += bool(stored.rows)
    report.unfinished += stored.unfinished
    report.problems += [stored.damage] if stored.damage else []
    wiring.desk.set_value("file", str(path), f"{mark} {stored.damage or stored.unfinished or ''}".strip(), now)


def read_one(path: Path, whole: bool, store: StoreFile) -> StoredFile:
    """Stores it; what cannot be read at all is told like damage, an empty file is nothing."""
    try:
        stored = store(path, whole)
    except EmptyFileError as error:
        return StoredFile(unfinished=error.unfinished)
    except UsageError as error:
        return StoredFile(damage=error.message)
    damage = f"{path.name}:{stored.damage}" if stored.damage else ""
    return StoredFile(stored.rows, stored.unfinished, damage)
