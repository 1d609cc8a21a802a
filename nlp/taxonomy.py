"""The tree of aspects from `config/aspects.toml`: fourteen topics, finer levels below them, their cues and their names elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tingfeng.errors import SettingsError
from tingfeng.labels import Owner, Stage, Topic

FILE = "config/aspects.toml"
CUES = ("names", "things", "bad", "good")
TERMS = ("terms_cca", "terms_12315", "terms_heimao")
KEYS = ("title", "owner", "stage", "also", *CUES, *TERMS)


@dataclass(frozen=True)
class Aspect:
    """A node. `path` is `quality.fault.leak`; `aspect` what is stored below the topic: `fault.leak`, '' for the topic itself.

    A bad one is about the topics of `also` too: a kettle that catches fire is unsafe and badly made.
    """

    path: str
    topic: Topic
    aspect: str
    title: str
    owner: Owner
    stage: Stage
    cues: Mapping[str, Sequence[str]]
    terms: Mapping[str, tuple[str, ...]]
    also: tuple[Topic, ...]


@dataclass(frozen=True)
class Taxonomy:
    """All nodes, each after its parent."""

    nodes: tuple[Aspect, ...]

    def by_path(self) -> dict[str, Aspect]:
        """Node by path."""
        return {node.path: node for node in self.nodes}

    def topics_of_term(self, system: str, term: str) -> tuple[Topic, ...]:
        """Topics that another system's word means: `terms_12315`, `terms_heimao` or `terms_cca`."""
        return tuple(dict.fromkeys(node.topic for node in self.nodes if term in node.terms.get(system, ())))


def build_taxonomy(table: Mapping[str, object]) -> Taxonomy:
    """From the parsed file. Raises SettingsError for a missing or unknown topic, a name used twice, a wrong key or type."""
    missing = [topic for topic in Topic if topic not in table]
    if missing:
        raise SettingsError(f"缺少 {'、'.join(missing)}", where=FILE, hint="十四个一级方面都要有,可以没有词")
    nodes: list[Aspect] = []
    for name, value in table.items():
        if name not in tuple(Topic):
            raise SettingsError(f"没有 {name} 这个一级方面", where=FILE, hint=f"可以写 {'、'.join(Topic)}")
        nodes += read_node(name, read_table(value, f"aspects.toml [{name}]"), Owner.UNKNOWN, Stage.NONE)
    names = [node.path.rsplit(".", 1)[-1] for node in nodes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingsError(f"{'、'.join(twice)} 用了两次", where=FILE, hint="每个方面最后一段的名字在全文件里只能出现一次")
    return Taxonomy(tuple(nodes))


def read_node(path: str, table: Mapping[str, object], owner: Owner, stage: Stage) -> Iterator[Aspect]:
    """The node and those below it; owner and stage pass on."""
    where = f"aspects.toml [{path}]"
    title = table.get("title")
    if not isinstance(title, str) or not title:
        raise SettingsError("缺少 title", where=f"config/{where}", hint='例如 title = "质量"')
    owner = Owner(read_choice(table.get("owner", owner), tuple(Owner), where))
    stage = Stage(read_choice(table.get("stage", stage), tuple(Stage), where))
    topic, _, aspect = path.partition(".")
    cues = {key: read_words(table[key], f"{where} {key}") for key in CUES if key in table}
    terms = {key: tuple(read_words(table[key], f"{where} {key}")) for key in TERMS if key in table}
    also = tuple(Topic(read_choice(one, tuple(Topic), where)) for one in read_words(table.get("also", []), f"{where} also"))
    yield Aspect(path, Topic(topic), aspect, title, owner, stage, cues, terms, also)
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from read_node(f"{path}.{key}", value, owner, stage)
        elif key not in KEYS:
            raise SettingsError(f"没有 {key} 这个键", where=f"config/{where}", hint=f"可以写 {'、'.join(KEYS)}")


def read_choice(value: object, allowed: Sequence[str], where: str) -> str:
    """One of a closed set. Raises SettingsError."""
    if isinstance(value, str) and value in allowed:
        return value
    raise SettingsError(f"没有 {value} 这个值", where=f"config/{where}", hint=f"可以写 {'、'.join(allowed)}")


def read_table(value: object, where: str) -> Mapping[str, object]:
    """A TOML table. Raises SettingsError."""
    if isinstance(value, Mapping):
        return value
    raise SettingsError("要写成一张表", where=f"config/{where}", hint="例如 [quality] 下面写 bad = […]")


def read_words(value: object, where: str) -> Sequence[str]:
    """A list of strings. Raises SettingsError."""
    if isinstance(value, list) and all(isinstance(word, str) for word in value):
        return value
    raise SettingsError("要写成文字列表", where=f"config/{where}", hint='例如 ["退款", "赔偿"]')
