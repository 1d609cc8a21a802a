"""Settings say file, key and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tingfeng.errors import SettingsError
from tingfeng.settings import Settings, find_paths, load_settings, read_secret, secret_variable

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def read(toml: str = "", environ: Mapping[str, str] | None = None) -> Settings:
        file = tmp_path / "brand.toml"
        file.write_text(toml, "utf-8")
        environ = {"TINGFENG_CONFIG": str(file), **(environ or {})}
        return load_settings(find_paths(environ, tmp_path), environ)

    return read


def test_default_file_states_the_defaults_of_the_code(load: Load) -> None:
    assert load() == Settings()


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[web]\nprot = 1", ["brand.toml", "web.prot", "port"]),
        ("[webb]\nport = 1", ["webb", "web"]),
        ('[web]\nport = "八千"', ["web.port", "整数"]),
        ("[web]\nport = 70000", ["web.port", "65535"]),
        ('[schedule]\ntimezone = "Asia/Beijin"', ["schedule.timezone", "Asia/Shanghai"]),
        ("[sources.heimao]\npace = 3", ["sources.heimao.pace", "pace_seconds"]),
        ('[sources.heimao]\nbase_url = "tousu"', ["sources.heimao.base_url", "http"]),
        ('[[subjects]]\nname = ""', ["subjects.0.name", "不能为空"]),
        ('[[subjects]]\nname = "甲"\n[[subjects]]\nname = "甲"', ["重名", "甲"]),
        ('[sources.appstore]\ntargets = ["900000001"]\nabout = { "900000001" = "乙" }', ["sources.appstore.about", "乙", "subjects"]),
        ('[[channels]]\nkind = "pigeon"\nname = "a"', ["channels.0.kind", "dingtalk"]),
        ('[[channels]]\nkind = "wecom"\nname = "a"\nsecret = "x"', ["channels.0.secret", "TINGFENG_CHANNEL_"]),
        ('[store]\nposts_url = "mysql://x"', ["store.posts_url", "sqlite"]),
        ("[web\nport = 1", ["brand.toml", "TOML"]),
    ],
)
def test_mistake_names_file_key_and_remedy(load: Load, toml: str, words: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        load(toml)
    assert all(word in caught.value.message for word in words), caught.value.message


def test_secret_in_the_file_is_refused_and_not_repeated(load: Load) -> None:
    toml = '[[channels]]\nkind = "dingtalk"\nname = "pr"\nurl = "https://robot.example/send?access_token=abc123"'
    with pytest.raises(SettingsError) as caught:
        load(toml)
    assert "TINGFENG_CHANNEL_" in caught.value.message
    assert "abc123" not in caught.value.message


def test_environment_lies_over_the_file(load: Load) -> None:
    url = "sqlite:///elsewhere.db"
    assert load(environ={"TINGFENG_POSTS_URL": url}).store.posts_url == url


def test_a_bad_variable_is_named_and_not_the_file(load: Load) -> None:
    with pytest.raises(SettingsError) as caught:
        load(environ={"TINGFENG_POSTS_URL": "mysql://elsewhere/db"})
    assert caught.value.where == "TINGFENG_POSTS_URL"


def test_unreadable_bytes_are_a_settings_error(tmp_path: Path) -> None:
    file = tmp_path / "gbk.toml"
    file.write_bytes("[web]\n# 端口".encode("gb18030"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(find_paths({"TINGFENG_CONFIG": str(file)}, tmp_path), {})


def test_missing_configuration_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="TINGFENG_CONFIG"):
        find_paths({"TINGFENG_CONFIG": str(tmp_path / "no.toml")}, tmp_path)


def test_state_folder_defaults_to_var_beside_the_work(tmp_path: Path) -> None:
    assert find_paths({}, tmp_path).home == tmp_path / "var"


def test_secret_comes_from_variable_or_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3\n", "utf-8")
    name = secret_variable("pr-group", "secret")
    assert name == "TINGFENG_CHANNEL_PR_GROUP_SECRET"
    assert read_secret(name, {f"{name}_FILE": str(file)}) == "s3"
    assert read_secret(name, {name: "s4", f"{name}_FILE": str(file)}) == "s4"
    assert read_secret(name, {}) == ""


def test_missing_secret_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="X_FILE"):
        read_secret("X", {"X_FILE": str(tmp_path / "gone")})


def test_page_of_settings_is_fresh() -> None:
    from tingfeng.settings_docs import describe_settings

    page = Path(__file__).resolve().parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == describe_settings()


def test_every_key_is_described() -> None:
    from tingfeng.settings_docs import describe_sections

    rows = [row for section in describe_sections() for row in section.splitlines() if row.startswith("| `")]
    assert len(rows) > 30
    assert [row for row in rows if row.endswith("|  |")] == []
