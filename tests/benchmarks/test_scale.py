"""The arithmetic of docs/scale.md: from measured figures, and never from a figure that was not measured."""

from __future__ import annotations

import pytest

from benchmarks.scale import DAY, PEAK, USE, Measured, capacity, describe_limits, describe_scale, show_count, stored_gb

FIGURES = {"解析:RSS": 2000.0, "判断(全部步骤)": 1000.0, "存帖子(含全文索引)": 6000.0, "存判断(含小时汇总)": 3000.0, "遮盖个人号码": 9e4}


@pytest.mark.parametrize(("value", "shown"), [(950, "950"), (12_000, "1.2 万"), (2e6, "200 万"), (1.3e8, "1.3 亿")])
def test_counts_are_shown_as_people_say_them(value: float, shown: str) -> None:
    assert show_count(value) == shown


def test_capacity_allows_for_the_peak_and_for_idle_time() -> None:
    assert capacity(100) == 100 * DAY / PEAK * USE


def test_storage_counts_the_replica() -> None:
    assert stored_gb(1_000_000, 1000, 90) == 180


def test_writing_posts_and_judgements_takes_the_time_of_both() -> None:
    line = next(line for line in describe_limits(Measured(FIGURES)).splitlines() if "SQLite" in line)
    assert "| 2,000 |" in line  # 1 / (1/6000 + 1/3000)


def test_what_breaks_first_stands_first() -> None:
    lines = describe_limits(Measured(FIGURES)).splitlines()[2:]
    assert "主机" in lines[0]
    assert "判断" in lines[1]


def test_an_engine_that_was_not_measured_is_said_to_be_so() -> None:
    assert "待测" in describe_limits(Measured(FIGURES))
    assert "待测" not in describe_limits(Measured(FIGURES | {"Elasticsearch 写入": 5000.0}))


def test_a_figure_that_is_missing_stops_the_page() -> None:
    with pytest.raises(KeyError, match="遮盖"):
        describe_limits(Measured({name: value for name, value in FIGURES.items() if "遮盖" not in name}))


def test_no_place_of_the_text_is_left_open() -> None:
    assert "<<" not in describe_scale()
