"""What a person's label does to a mention, on either engine. The mention names the fields that a person has set; judging again leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tingfeng.labels import Act, Sentiment, Severity
from tingfeng.records import Mention


@dataclass(frozen=True)
class Correction:
    """What a person says instead of the judge; None: the judge's word stands."""

    sentiment: Sentiment | None = None
    acts: tuple[Act, ...] | None = None
    severity: Severity | None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of what is corrected."""
        return tuple(name for name in ("sentiment", "acts", "severity") if getattr(self, name) is not None)


def read_correction(sentiment: str, acts: Sequence[str], severity: str) -> Correction:
    """From words; '' and () leave a field alone. Raises ValueError for a word that is no label."""
    return Correction(
        Sentiment(sentiment) if sentiment else None, tuple(map(Act, acts)) or None, Severity(severity) if severity else None
    )  # fmt: skip


def correct(mention: Mention, correction: Correction, user: str) -> Mention:
    """The mention with a person's labels. Fields that were corrected before stay corrected."""
    fields = dict.fromkeys([*mention.corrected_fields, *correction.fields])
    said = {name: getattr(correction, name) for name in correction.fields}
    return replace(mention, **said, corrected_by=user, corrected=tuple(fields))


def keep_labels(new: Mention, old: Mention) -> Mention:
    """A new judgement in which a person's labels stand."""
    said = {name: getattr(old, name) for name in old.corrected_fields}
    return replace(new, **said, corrected_by=old.corrected_by, corrected=old.corrected) if old.corrected_by else new
