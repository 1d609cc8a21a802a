"""Strict reading of a JSON object: fields are taken out as they are used, what nobody expected is left over and reported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from collectors.charset import replace_halves


def load_json(text: str) -> object:
    """json.loads without half surrogates, which `"\\ud800"` would give. Raises ValueError or RecursionError."""
    value: object = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        written = json.dumps(value, ensure_ascii=False)
        whole = replace_halves(written)
        value = value if whole is written else json.loads(whole)
    return value


class RecordReader:
    """Wraps one object of a source's answer."""

    def __init__(self, values: object, ignored: Iterable[str] = ()) -> None:
        self._values: dict[str, object] = dict(values) if isinstance(values, Mapping) else {}
        self._left = set(self._values) - set(ignored)

    def take(self, name: str) -> object:
        """The raw value, None when absent."""
        self._left.discard(name)
        return self._values.get(name)

    def text(self, name: str) -> str:
        """A scalar as stripped text; '' for null and for anything that is not a scalar."""
        value = self.take(name)
        return str(value).strip() if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def number(self, name: str) -> int | None:
        """A whole number, also when written as text."""
        text = self.text(name)
        try:
            return int(float(text)) if text else None
        except (ValueError, OverflowError):
            return None

    def child(self, name: str, ignored: Iterable[str] = ()) -> RecordReader:
        """A nested object; an empty one when it is absent."""
        return RecordReader(self.take(name), ignored)

    def items(self, name: str) -> list[object]:
        """A list; a single object counts as a list of one, null as none."""
        value = self.take(name)
        if value is None:
            return []
        return list(value) if isinstance(value, list) else [value]

    @property
    def leftover(self) -> tuple[str, ...]:
        """Names that nobody took or ignored."""
        return tuple(sorted(self._left))
