"""The two public data sets of docs/walkthrough.md through the commands themselves; they lie beside the checkout or the tests skip."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ARCHIVE, CARS = DATA / "hotsearch", DATA / "chezhi" / "car_complain.csv"
CRISES = {  # day on which the list first showed it
    "钟薛高": "2022-07-01", "海天": "2022-10-01", "特斯拉": "2021-04-19", "老坛酸菜": "2022-03-15", "货拉拉": "2021-02-22",
    "康师傅": "2022-03-15", "耐克": "2021-03-25", "张小泉": "2022-07-14",
}  # fmt: skip
TITLES_ASIDE = ("海天盛筵", "海天一色", "上海天")
BRANDS = ("一汽-大众", "上汽大众", "吉利汽车", "一汽马自达")

pytestmark = [pytest.mark.shared, pytest.mark.slow]
needs_archive = pytest.mark.skipif(not ARCHIVE.is_dir(), reason="the hot-search archive is not beside the checkout")
needs_cars = pytest.mark.skipif(not CARS.is_file(), reason="the car complaints are not beside the checkout")


def write_config(place: Path, subjects: tuple[str, ...] | list[str], head: str = "") -> None:
    tables = "".join(f'[[subjects]]\nname = "{name}"\n' for name in subjects)
    (place / "config" / "tingfeng.toml").write_text(head + tables, "utf-8")


@needs_archive
def test_the_archive_is_imported_as_it_is(tingfeng: Any, place: Path) -> None:
    write_config(place, list(CRISES))
    file = ARCHIVE / "weibo-hot-search-2020.jsonl.gz"
    report = tingfeng("import", str(file), "--json").json[0]
    assert (report["rows"], report["new"], report["rejected"]) == (11_869, 11_869, 0)
    assert tingfeng("import", str(file), "--json").json[0]["seen"] == 11_869


@pytest.fixture
def replayed(tingfeng: Any, place: Path) -> Any:
    """Two years day by day, of the titles that name one of the brands."""
    write_config(place, list(CRISES), '[alerts]\ndaily_sources = ["hotsearch"]\n')
    with (place / "titles.jsonl").open("w", encoding="utf-8") as out:
        for file in sorted(ARCHIVE.glob("*.jsonl.gz")):
            with gzip.open(file, "rt", encoding="utf-8") as stream:
                out.writelines(line for line in stream if is_wanted(json.loads(line)["title"]))
    assert tingfeng("import", "titles.jsonl", "--format", "hotsearch").code == 0
    assert tingfeng("analyse").code == 0
    assert tingfeng("watch", "--since", "2020-11-25T23:55", "--at", "2022-12-31T23:55").code == 0
    return tingfeng("incidents", "--days", "3000", "--json").json


def is_wanted(title: str) -> bool:
    return any(name in title for name in CRISES) and not any(aside in title for aside in TITLES_ASIDE)


@needs_archive
def test_known_crises_are_flagged_on_their_day_and_the_rest_is_quiet(replayed: Any) -> None:
    told = {(row["subject"], row["started_at"][:10]) for row in replayed if row["peak_level"] != "blue"}
    assert set(CRISES.items()) - told == set()
    quarters = 767 / 91.3 * len(CRISES)
    assert len(told) <= 0.7 * quarters  # 特斯拉 alone is in the list every few weeks


@needs_cars
def test_car_complaints_give_share_of_voice_problems_and_status(tingfeng: Any, place: Path) -> None:
    write_config(place, BRANDS)
    report = tingfeng("import", str(CARS), "--json").json[0]
    assert (report["rows"], report["new"], report["rejected"]) == (600, 600, 0)
    assert tingfeng("analyse").code == 0
    by_brand = {row["subject"]: row["mentions"] for row in tingfeng("count", "--by", "subject", "--json").json}
    assert by_brand == {"一汽-大众": 71, "上汽大众": 36, "吉利汽车": 96, "一汽马自达": 95}
    leading = tingfeng("count", "--by", "problem", 'subject:"一汽-大众"', "--json").json
    assert max(leading, key=lambda row: row["mentions"]) == {"problem": "B33", "mentions": 9}
    funnel = tingfeng("count", "--by", "status", "--json").json
    assert sum(row["mentions"] for row in funnel) == sum(by_brand.values())
    assert {row["status"] for row in funnel} == {"submitted", "assigned", "replied", "completed"}
