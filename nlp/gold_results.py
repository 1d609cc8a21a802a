"""What was measured on the gold set, in a file: several judges side by side, with the hashes of what they were measured on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nlp.evaluate import Score
from nlp.gold import GoldReport, Slice
from nlp.sentiment import FOLDER
from tingfeng.errors import ModelError

RESULTS_FILE = FOLDER.parent / "gold.json"
FIELDS = ("acts", "sentiment", "severity", "topics", "owner", "stage", "demands")


@dataclass(frozen=True)
class GoldResults:
    """`reports` by judge: the default one first, then what it has to beat. `files`: name → SHA-256; `words`: the same for the word lists."""

    measured_on: str
    files: Mapping[str, str]
    words: Mapping[str, str]
    reports: Mapping[str, GoldReport]

    @property
    def judge(self) -> str:
        """The judge that was configured."""
        return next(iter(self.reports))

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def hash_files(folder: Path, pattern: str) -> dict[str, str]:
    """Name → SHA-256 of the files of a folder, whatever their line ends."""
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_text("utf-8").encode()).hexdigest()
        for file in sorted(folder.glob(pattern))
    }


def write_results(results: GoldResults, file: Path = RESULTS_FILE) -> None:
    """One line for each class, so that a change can be read in the history."""
    file.write_text(json.dumps(results.to_dict(), ensure_ascii=False, indent=1) + "\n", "utf-8")


def read_results(file: Path = RESULTS_FILE) -> GoldResults:
    """What `tingfeng evaluate --write` stored. Raises ModelError naming the file."""
    try:
        found = json.loads(file.read_text("utf-8"))
        reports = {name: read_report(report) for name, report in found["reports"].items()}
        if not reports:
            raise ValueError("no reports")
        return GoldResults(str(found["measured_on"]), dict(found["files"]), dict(found["words"]), reports)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"标注集成绩缺失或损坏({error})", where=str(file), hint="请运行 tingfeng evaluate --gold --write") from error


def read_report(found: Mapping[str, object]) -> GoldReport:
    """Raises KeyError, TypeError or AttributeError for what is none."""
    values = dict(found)
    for name in FIELDS:
        values[name] = {label: Score(**score) for label, score in found[name].items()}  # type: ignore[attr-defined]
    values["figures"] = {name: tuple(pair) for name, pair in found["figures"].items()}  # type: ignore[attr-defined]
    values["slices"] = {name: Slice(**one) for name, one in found["slices"].items()}  # type: ignore[attr-defined]
    values["ece"] = tuple(found["ece"])  # type: ignore[arg-type]
    return GoldReport(**values)  # type: ignore[arg-type]
