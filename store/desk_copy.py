"""Moves everything of one Desk into another, on whichever engines: resumable, and compared row by row in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Table, func, select, tuple_

from store.desk_core import DeskCore, patient
from store.desk_errors import place_of
from store.desk_tables import audit, metadata
from tingfeng.errors import StoreError

BATCH = 500
Row = dict[str, Any]
Progress = Callable[[str, int], None]


class CopyVerbs(DeskCore):
    """Whole rows, table by table."""

    @patient
    def read_rows(self, table: Table, after: Sequence[Any]) -> list[Row]:
        """The next rows in the order of the key; [] at the end."""
        keys = list(table.primary_key)
        query = select(table).order_by(*keys).limit(BATCH)
        if after:
            query = query.where(tuple_(*keys) > tuple_(*after))
        with self._read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @patient
    def take_rows(self, table: Table, rows: Sequence[Row]) -> list[Row]:
        """Adds rows that are not there; the rows as they stand now under those keys, in the order of the key."""
        keys = list(table.primary_key)
        with self._write() as connection:
            self._upsert(connection, table, rows, replace=False)
            names = [tuple(row[key.name] for key in keys) for row in rows]
            standing = select(table).where(tuple_(*keys).in_(names)).order_by(*keys)
            return [dict(row) for row in connection.execute(standing).mappings()]

    @patient
    def continue_numbers(self) -> None:
        """After rows came with their numbers: the next number of the audit is a new one."""
        if self.is_shared:
            with self._write() as connection:
                highest = select(func.max(audit.c.id)).scalar_subquery()
                connection.execute(select(func.setval(func.pg_get_serial_sequence("audit", "id"), func.coalesce(highest, 1))))

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return place_of(self._engine.url)


def pages(source: CopyVerbs, table: Table) -> Iterator[list[Row]]:
    """All rows of a table, page by page."""
    after: tuple[Any, ...] = ()
    while rows := source.read_rows(table, after):
        yield rows
        after = tuple(rows[-1][key.name] for key in table.primary_key)


def copy_desk(source: CopyVerbs, target: CopyVerbs, progress: Progress = lambda table, rows: None) -> dict[str, int]:
    """Rows by table. An interrupted copy may be repeated. Raises StoreError when the target holds something else under a key."""
    copied = {}
    for table in metadata.sorted_tables:
        copied[table.name] = 0
        for rows in pages(source, table):
            if target.take_rows(table, rows) != rows:
                raise StoreError(
                    f"目标库的 {table.name} 里已有不同的内容",
                    where=target.place,
                    hint="请搬进一个空的库;原来的库没有改动",
                )
            copied[table.name] += len(rows)
            progress(table.name, len(rows))
    target.continue_numbers()
    return copied
