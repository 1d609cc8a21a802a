"""The word lists of `config/` as the steps use them; parsed by flows/wiring.py, never read from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlp.cues import CueBook, Tag
from nlp.taxonomy import Taxonomy, build_taxonomy, read_table, read_words
from tingfeng.errors import SettingsError
from tingfeng.labels import Act, Owner, Stage

# families: which step reads a cue
ACT, ASPECT, TONE, DEMAND, HARM = "act", "aspect", "tone", "demand", "harm"
STAGE, OWNER, MONEY, BRAND = "stage", "owner", "money", "brand"
DEMANDS = (
    "退款", "赔偿", "道歉", "换货", "维修", "补发", "发货", "停止骚扰", "解释", "下架", "召回", "整改", "处罚", "解封", "注销", "删除信息",
    "撤销征信", "开发票", "其他",
)  # fmt: skip
TONES = (
    "good", "bad", "turn", "small", "irony", "ask_help", "impersonated", "award", "scandal", "notice",
)  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """One book of all cues, the taxonomy of aspects, and the few words that are looked up one by one."""

    book: CueBook
    taxonomy: Taxonomy
    ad_needed: int
    near_misses: tuple[str, ...]
    stopwords: frozenset[str]


def build_lexicon(tables: Mapping[str, Mapping[str, object]], stopwords: str) -> Lexicon:
    """From the parsed TOML tables: aspects, acts, harm, tone, demands, journey. Raises SettingsError naming file and key."""
    taxonomy = build_taxonomy(tables["aspects"])
    cues: dict[Tag, Sequence[str]] = {
        Tag(ASPECT, f"{node.path}:{kind}"): words for node in taxonomy.nodes for kind, words in node.cues.items()
    }
    acts = tables["acts"]
    for act, table in acts.items():
        check_name(act, tuple(Act), "lexicon/acts.toml")
        for group, words in read_table(table, f"lexicon/acts.toml [{act}]").items():
            if group != "needed":
                cues[Tag(ACT, f"{act}.{group}")] = read_words(words, f"lexicon/acts.toml {act}.{group}")
    for name, words in tables["tone"].items():
        check_name(name, TONES, "lexicon/tone.toml")
        cues[Tag(TONE, name)] = read_words(words, f"lexicon/tone.toml {name}")
    cues |= demand_cues(tables["demands"]) | journey_cues(tables["journey"])
    harm = tables["harm"]
    for group in ("words", "harmless"):
        cues[Tag(HARM, group)] = read_words(harm.get(group), f"lexicon/harm.toml {group}")
    needed = read_table(acts.get("ad", {}), "lexicon/acts.toml [ad]").get("needed", 3)
    if not isinstance(needed, int) or needed < 1:
        raise SettingsError("ad.needed 要写成正整数", where="config/lexicon/acts.toml", hint="例如 needed = 3")
    return Lexicon(
        CueBook(cues),
        taxonomy,
        needed,
        tuple(read_words(harm.get("near_miss"), "lexicon/harm.toml near_miss")),
        frozenset(stopwords.split()),
    )


def demand_cues(table: Mapping[str, object]) -> dict[Tag, Sequence[str]]:
    """Verbs, the words of each demand after them, and phrases that are a demand by themselves."""
    file = "lexicon/demands.toml"
    cues: dict[Tag, Sequence[str]] = {
        Tag(DEMAND, name): read_words(table.get(name), f"{file} {name}") for name in ("verbs", "short_verbs", "asks", "not_asking", "not_wanted")
    }
    for group in ("words", "asked", "direct"):
        for demand, words in read_table(table.get(group), f"{file} [{group}]").items():
            check_name(demand, DEMANDS, file)
            cues[Tag(DEMAND, f"{group}:{demand}")] = read_words(words, f"{file} {group}.{demand}")
    return cues


def journey_cues(table: Mapping[str, object]) -> dict[Tag, Sequence[str]]:
    """Cues of stage, owner and money, and the names of well-known brands."""
    file = "lexicon/journey.toml"
    cues: dict[Tag, Sequence[str]] = {}
    for family, allowed in ((STAGE, tuple(Stage)), (OWNER, tuple(Owner)), (MONEY, ("cues",)), (BRAND, ("names",))):
        for name, words in read_table(table.get(family), f"{file} [{family}]").items():
            check_name(name, allowed, file)
            cues[Tag(family, name)] = read_words(words, f"{file} {family}.{name}")
    return cues


def check_name(name: str, allowed: Sequence[str], file: str) -> None:
    """Raises SettingsError for a name outside the closed set."""
    if name not in allowed:
        raise SettingsError(f"没有 {name} 这一项", where=f"config/{file}", hint=f"可以写 {'、'.join(allowed)}")
