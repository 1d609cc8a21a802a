"""The errors of the product.

TingfengError                 anything we say in words; carries what, where and what to do
├── UsageError                wrong command line or input file (exit 2)
│   ├── SettingsError         a configuration file, key or secret (exit 2)
│   ├── QuerySyntaxError      a query, with the position of the mistake (exit 2)
│   └── FileError             an input file that is damaged or too big to be read (exit 1)
│       └── EmptyFileError    nothing wrong with it, but no row in it (import says so and goes on)
├── UnreachableError          store or every source out of reach (exit 3)
│   └── StoreError            the store refused or is damaged (exit 3)
├── BusyError                 the same thing is running already (exit 4)
├── ModelError                a model file is missing or damaged; names the command that restores it (exit 1)
└── SourceError               one source failed; the run goes on with the others (exit 1)
"""

from __future__ import annotations


class TingfengError(Exception):
    """`what` went wrong, `where`, and what to do (`hint`); `exit_code` for the command line."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """One line for people: where, what, what to do."""
        head = f"{self.where}:{self.what}" if self.where else self.what
        return f"{head}。{self.hint}" if self.hint else head


class UsageError(TingfengError):
    exit_code = 2


class SettingsError(UsageError):
    pass


class QuerySyntaxError(UsageError):
    """`position` is a 0-based character index into the query."""

    def __init__(self, what: str, *, position: int, where: str = "", hint: str = "") -> None:
        self.position = position
        super().__init__(what, where=where or f"第 {position + 1} 个字符", hint=hint)


class FileError(UsageError):
    exit_code = 1


class EmptyFileError(FileError):
    """`unfinished` counts rows that somebody is still writing."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", unfinished: int = 0) -> None:
        self.unfinished = unfinished
        super().__init__(what, where=where, hint=hint)


class UnreachableError(TingfengError):
    exit_code = 3


class StoreError(UnreachableError):
    pass


class BusyError(TingfengError):
    exit_code = 4


class ModelError(TingfengError):
    pass


class SourceError(TingfengError):
    pass
