"""Teach: what people have corrected teaches a model, which is installed when it is not worse than the present one.

Which one: the linear model (flows/teach_linear.py) or the last word of the encoder (flows/teach_encoder.py), both behind the same gate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from flows.models import FOLDER, find_installed, install
from flows.wiring import Wiring
from nlp.gate import Comparison
from tingfeng.records import AuditEntry

HELD_OUT_SHARE = 5
# how many other rows a correction is worth: the most that makes nothing worse is taken
STRENGTHS = (10.0, 3.0, 1.0)


@dataclass(frozen=True)
class Attempt:
    """A model that has learnt, beside the present one. `write` puts its files into a folder."""

    name: str
    comparisons: tuple[Comparison, ...]
    write: Callable[[Path], None]

    @property
    def is_worse(self) -> bool:
        return any(one.is_worse for one in self.comparisons)


@dataclass(frozen=True)
class Pupil:
    """A model that can be taught. `kind` as in flows/models.py; `old` names the present one; `used` corrections teach, `held` are kept to
    measure with, `skipped` say nothing that it could learn. `learn` takes a strength and writes nothing."""

    kind: str
    old: str
    used: int
    held: int
    skipped: int
    learn: Callable[[float], Attempt]


@dataclass(frozen=True)
class Taught:
    """`comparisons` of the present model with the new one; `folder`: where the new one was installed, None when it was refused; `in_use`:
    the settings ask for the installed model of this kind. A correction was worth `strength` other rows."""

    kind: str
    old: str
    new: str
    used: int
    strength: float
    held: int
    skipped: int
    comparisons: tuple[Comparison, ...]
    folder: Path | None
    in_use: bool

    @property
    def refusals(self) -> list[Comparison]:
        """Why it was refused."""
        return [one for one in self.comparisons if one.is_worse]


def teach(wiring: Wiring, open_pupil: Callable[[], Pupil], user: str) -> Taught:
    """Nothing is written before all is measured; refused, it tells of the weakest try.

    Raises UsageError without corrections or anything to measure on, ModelError without torch, BusyError when it runs already.
    """
    with wiring.lock("teach"):
        pupil = open_pupil()
        for strength in STRENGTHS:
            attempt = pupil.learn(strength)
            if not attempt.is_worse:
                break
        folder = None
        if not attempt.is_worse:
            folder = wiring.home / FOLDER / attempt.name
            attempt.write(folder)
            detail = f"代替 {pupil.old},{pupil.used} 条改正,每条算 {strength:g} 条"
            wiring.desk.note(AuditEntry(wiring.clock.now(), user, "model.install", attempt.name, detail))
            install(wiring.home, folder, pupil.kind)
        in_use = wiring.settings.nlp.model in (pupil.kind, str(find_installed(wiring.home, pupil.kind)))
    parts = (pupil.used, strength, pupil.held, pupil.skipped)
    return Taught(pupil.kind, pupil.old, attempt.name, *parts, attempt.comparisons, folder, in_use)


def is_held(text: str) -> bool:
    """One text in five, the same ones every time."""
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16) % HELD_OUT_SHARE == 0
