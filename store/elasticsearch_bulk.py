"""Bulk writes: every item's own answer is read; what was refused for the moment is sent again, item by item, with jitter."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from store.elasticsearch_client import CLOSED, Cluster, ClusterAway, ClusterBusy, Json, dump_json, explain_refusal

MOST_ITEMS, MOST_BYTES = 4000, 5_000_000
PART_ITEMS, AT_ONCE = 1000, 2  # of a request, and how many are under way
TRIES, FIRST_WAIT, LONGEST_WAIT = 8, 0.2, 5.0
AGAIN = frozenset({429, 500, 502, 503, 504})
BLOCKED = "cluster_block_exception"


@dataclass(frozen=True)
class Item:
    """One line of a bulk: `verb` is index, create, update or delete."""

    verb: str
    index: str
    id: str
    source: Json | None = None
    options: Json = field(default_factory=dict)

    def encode(self) -> bytes:
        """The one or two lines of the request."""
        head = dump_json({self.verb: {"_index": self.index, "_id": self.id, **self.options}})
        return head + b"\n" if self.verb == "delete" else head + b"\n" + dump_json(self.source) + b"\n"


@dataclass(frozen=True)
class Told:
    """What became of an item. `refused`: a 4xx that will be the same tomorrow."""

    status: int
    seq_no: int = -1
    term: int = -1
    kind: str = ""
    reason: str = ""

    @property
    def done(self) -> bool:
        return self.status < 300

    @property
    def conflict(self) -> bool:
        """Somebody else was first, or it is there (create) or gone (delete, update) already."""
        return self.status in (404, 409)

    @property
    def refused(self) -> bool:
        return not self.done and not self.conflict


def send_items(
    cluster: Cluster, items: Iterable[Item], *, refresh: bool = False, sleep: Callable[[float], None] = time.sleep
) -> list[Told]:
    """The answers in the order of the items. Raises ClusterAway when some cannot be written for now, however often they are tried."""
    lines, told = send_once(cluster, items, refresh)
    waiting = [number for number, one in enumerate(told) if one.status in AGAIN]
    tries = 0  # in a row in which nothing was taken
    while waiting and tries < TRIES:
        sleep(random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**tries)))  # full jitter: workers refused together part
        for part in split_request(lines, waiting):
            for number, one in zip(part, send_part(cluster, [lines[number] for number in part], refresh), strict=True):
                told[number] = one
        still = [number for number in waiting if told[number].status in AGAIN]
        tries = tries + 1 if len(still) == len(waiting) else 0
        waiting = still
    if not waiting:
        return told
    stuck = told[waiting[0]]
    trouble = explain_refusal(stuck.status, {"error": {"type": stuck.kind, "reason": stuck.reason}}, cluster.address)
    raise ClusterAway(trouble.what, where=trouble.where, hint=trouble.hint)


def send_once(cluster: Cluster, items: Iterable[Item], refresh: bool) -> tuple[list[bytes], list[Told]]:
    """(lines, answers): the cluster works on one part while the next is made, for making items takes as long as writing them."""
    lines: list[bytes] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = []
        for part in split_stream(item.encode() for item in items):
            lines += part
            answers.append(pool.submit(send_part, cluster, part, refresh))
        return lines, [one for answer in answers for one in answer.result()]


def split_stream(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Parts of a stream, each as soon as it is made."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) >= PART_ITEMS or size + len(line) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part


def send_part(cluster: Cluster, lines: Sequence[bytes], refresh: bool) -> list[Told]:
    """One request; refused as a whole, each of its items was."""
    try:
        answer = cluster.call("POST", "/_bulk", b"".join(lines), lines=True, refresh="true" if refresh else "false", timeout="10s")
    except ClusterBusy as trouble:
        return [Told(429, kind=trouble.what)] * len(lines)
    return [read_answer(cluster, *next(iter(one.items()))) for one in answer["items"]]


def split_request(lines: Sequence[bytes], numbers: Sequence[int]) -> Iterator[list[int]]:
    """Parts that are small enough for one request."""
    part: list[int] = []
    size = 0
    for number in numbers:
        if part and (len(part) >= MOST_ITEMS or size + len(lines[number]) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(number)
        size += len(lines[number])
    if part:
        yield part


def read_answer(cluster: Cluster, verb: str, answer: dict[str, Any]) -> Told:
    """One item's answer; what only an operator can lift is raised at once."""
    error = answer.get("error") or {}
    told = Told(answer["status"], answer.get("_seq_no", -1), answer.get("_primary_term", -1), error.get("type", ""), error.get("reason", ""))
    missing = told.kind == "index_not_found_exception" and verb in ("index", "create")
    if told.kind in (BLOCKED, CLOSED) or told.status in (401, 403) or missing:
        raise explain_refusal(told.status, {"error": error}, cluster.address)
    return told
