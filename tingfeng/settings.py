"""Settings: `config/default.toml`, one file laid over it, and the environment. Read once, by flows/wiring.py.

Secrets never stand in a TOML file: each has an environment variable, or the same name with `_FILE` pointing at a file.
Every mistake raises SettingsError with file, key and what to write instead.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tingfeng.errors import QuerySyntaxError, SettingsError
from tingfeng.labels import Level
from tingfeng.records import Subject
from tingfeng.settings_errors import explain_errors

SECRET_WORDS = ("access_token=", "key=", "/hook/", "/services/", "token=")
URL_VARIABLES = {"posts_url": "TINGFENG_POSTS_URL", "desk_url": "TINGFENG_DESK_URL"}
PASSWORD_IN_URL = re.compile(r"://[^/@]*:[^/@]+@|[?&]password=")
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]


class Section(BaseModel):
    """A table of the file: unknown keys are refused, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class StoreSettings(Section):
    posts_url: str = Field(
        "",
        description="帖子库地址:sqlite:///路径,或 elasticsearch://主机:9200[,主机:9200…]/[前缀](TLS 写 elasticsearchs://);"
        "空 = 状态目录下的 posts.db",
    )
    desk_url: str = Field(
        "", description="工作台数据库(SQLite 或 PostgreSQL 14 以上的 SQLAlchemy 地址);空 = 状态目录下的 desk.db"
    )

    durable: bool = Field(
        True, description="SQLite 帖子库每次提交都等磁盘写完,断电也不丢;false 快一些,断电可能丢最后几批"
    )
    keep_days: int = Field(0, ge=0, le=36_500, description="帖子保留多少天(按发布时间,整天);0 = 一直留着。到期的每天删一次,记入审计")
    posts_ca_file: str = Field("", description="Elasticsearch 的 CA 证书文件(PEM);空 = 系统自带的")
    posts_fingerprint: str = Field("", description="Elasticsearch 证书的 SHA-256 指纹,没有 CA 文件时用")
    posts_timeout_seconds: float = Field(30.0, gt=0, le=600, description="Elasticsearch 单次请求的超时(秒)")
    posts_shards: int = Field(1, ge=1, le=100, description="Elasticsearch 每个月的索引分几片(新建的索引才生效)")
    posts_replicas: str = Field("0-1", pattern=r"^(\d+-(\d+|all)|false)$", description="Elasticsearch 副本数的范围;0-1 = 有第二个节点就存两份")
    spool_limit: int = Field(200_000, ge=0, description="Elasticsearch 不在时最多在本机暂存几条帖子")

    @field_validator("posts_url")
    @classmethod
    def check_posts_url(cls, value: str) -> str:
        if value and not value.startswith(("sqlite:///", "elasticsearch://", "elasticsearchs://")):
            raise ValueError("请写 sqlite:///路径、elasticsearch://主机:端口/ 或 elasticsearchs://主机:端口/")
        return value

    @field_validator("posts_ca_file")
    @classmethod
    def check_ca_file(cls, value: str) -> str:
        if value and not Path(value).expanduser().is_file():
            raise ValueError("没有这个文件")
        return value


class CollectSettings(Section):
    since_days: int = Field(7, ge=1, le=366, description="首次采集回看的天数")
    timeout_seconds: float = Field(20.0, gt=0, le=300, description="单次请求的超时(秒)")
    max_bytes: int = Field(5_000_000, ge=10_000, description="单页解压后的上限(字节)")
    jitter: float = Field(0.3, ge=0, le=1, description="请求间隔的随机抖动比例")
    contact: str = Field("", description="写进 User-Agent 的联系方式(网址或邮箱)")


class SourceSettings(Section):
    enabled: bool = Field(True, description="是否采集")
    uses: str = Field("", description="使用哪个采集器(heimao、appstore、feed、files);空 = 与来源同名")
    base_url: str = Field("", description="站点地址,可带路径前缀;空 = 采集器自带的地址")
    targets: tuple[str, ...] = Field(
        (), description="采集对象:应用编号、订阅地址或文件夹;每个采集器的说明见 docs/sources.md"
    )
    about: Mapping[str, str] = Field(
        {}, description='采集对象 → 监测对象:正文不写名字也算在它身上,如应用评论 about = { "900000001" = "某品牌" }'
    )
    pace_seconds: float | None = Field(None, ge=0, description="同一主机两次请求的间隔(秒);空 = 采集器自带")
    max_pages: int | None = Field(None, ge=1, le=10_000, description="一次最多翻几页;空 = 采集器自带")
    options: Mapping[str, str] = Field({}, description='采集器自己的选项,如订阅的 kind = "original"(论坛帖,不当新闻)')

    @field_validator("base_url")
    @classmethod
    def check_base_url(cls, value: str) -> str:
        if value and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("请写 http:// 或 https:// 开头的地址")
        return value.rstrip("/")


class SubjectSettings(Section):
    name: str = Field(min_length=1, max_length=60, description="监测对象的名字,显示用,也参与匹配")
    aliases: tuple[str, ...] = Field((), description="别名、简称、英文名、产品名")
    exclude: tuple[str, ...] = Field((), description="含有名字但不是它的说法,如 苹果 的 苹果汁")
    query: str = Field("", description="完整的查询语句,写了就代替名字与别名")
    competitor: bool = Field(False, description="是否竞品")
    context: tuple[str, ...] = Field((), description="名字也是常用词时:附近有这些词,说的是它,如 苹果 的 手机")
    context_not: tuple[str, ...] = Field((), description="名字也是常用词时:附近有这些词,说的不是它,如 苹果 的 果园")

    @field_validator("query")
    @classmethod
    def check_query(cls, value: str) -> str:
        from tingfeng.query import parse_query

        if value:
            try:
                parse_query(value)
            except QuerySyntaxError as error:
                raise ValueError(error.message) from error
        return value

    def to_record(self) -> Subject:
        """The record that nlp and the pages use."""
        return Subject(
            self.name, self.aliases, self.exclude, self.query, self.competitor, self.context, self.context_not
        )


class ChannelSettings(Section):
    kind: Literal["dingtalk", "wecom", "feishu", "slack", "smtp", "webhook", "file"] = Field(description="渠道种类")
    name: Name = Field(description="渠道名,小写字母、数字和 -;密钥变量由它拼成")
    url: str = Field("", description="地址;带密钥的机器人地址请放环境变量 TINGFENG_CHANNEL_<名>_URL")
    min_level: Level = Field(Level.YELLOW, description="从哪一级开始通知:blue、yellow、orange、red")
    recipients: tuple[str, ...] = Field((), description="收件人(邮件),或要 @ 的手机号、用户编号(机器人)")
    options: Mapping[str, str] = Field({}, description="渠道自己的选项,见 docs/channels.md")

    @field_validator("url")
    @classmethod
    def check_url(cls, value: str) -> str:
        if any(word in value for word in SECRET_WORDS):
            raise ValueError("这个地址里带着密钥,不能写进文件")
        return value


class AlertSettings(Section):
    daily_sources: tuple[str, ...] = Field((), description="只有日期没有钟点、按天判断的来源(如热搜)")
    daily_cap: int = Field(20, ge=1, description="每个渠道每天最多几条,其余并入摘要")
    source_down_hours: float = Field(2.0, gt=0, description="来源多久没有成功采集就提醒(小时)")


class WebSettings(Section):
    host: str = Field("127.0.0.1", description="网页监听的地址;默认只有本机能打开")
    port: int = Field(8600, ge=0, le=65535, description="网页端口")
    link: str = Field("", description="通知里的链接前缀;空 = http://主机:端口")


class ScheduleSettings(Section):
    timezone: str = Field("Asia/Shanghai", description="定时任务的时区(IANA 名)")
    every_minutes: int = Field(15, ge=1, le=1440, description="`tingfeng up` 每隔多久跑一遍(分钟)")

    @field_validator("timezone")
    @classmethod
    def check_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"没有名为 {value} 的时区,请写 IANA 名,例如 Asia/Shanghai") from error
        return value


class NlpSettings(Section):
    model: str = Field(
        "encoder",
        description="判断用的模型:encoder(默认;编码器与规则合判情感、行为、方面、严重程度等)、linear(规则加线性情感,快而差)、"
        "fast(规则;情感在线性拿不准时问编码器),或本地 Hugging Face 情感分类模型的文件夹",
    )
    safety_from: float = Field(
        0.05,
        ge=0,
        le=1,
        description="编码器认为涉及人身的概率到多少就记为 severity:safety。默认宁多勿漏(查全约九成半,查准近五成,见 docs/gold.md);"
        "误报太多的行业(如汽车故障)可以写 0.3。预警只看原文里的伤害词,不受它影响",
    )


class Settings(Section):
    """All settings. `home` is the state folder; `secrets` maps (channel, part) to its value."""

    store: StoreSettings = StoreSettings()
    collect: CollectSettings = CollectSettings()
    sources: Mapping[Name, SourceSettings] = Field({}, description="来源,一个一张表")
    nlp: NlpSettings = NlpSettings()
    alerts: AlertSettings = AlertSettings()
    web: WebSettings = WebSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    subjects: tuple[SubjectSettings, ...] = Field((), description="监测对象")
    channels: tuple[ChannelSettings, ...] = Field((), description="通知渠道")

    @model_validator(mode="after")
    def check_names(self) -> Settings:
        for what, names in (
            ("监测对象", [s.name for s in self.subjects]),
            ("通知渠道", [c.name for c in self.channels]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ValueError(f"{what}重名:{'、'.join(sorted(twice))},请改成不同的名字")
        known = {subject.name for subject in self.subjects}
        for name, source in self.sources.items():
            for subject in set(source.about.values()) - known:
                raise ValueError(f"sources.{name}.about 里的“{subject}”不是监测对象,请先写进 [[subjects]]")
        return self


class Paths(Section):
    """Where things lie: `config_file` is None when only the defaults apply."""

    home: Path
    config_folder: Path
    config_file: Path | None


def config_folder() -> Path:
    """`config/` of the checkout, or the copy that an installed wheel carries. Raises SettingsError when neither is there."""
    for folder in (
        Path(__file__).resolve().parent.parent / "config",
        Path(sys.prefix) / "share" / "tingfeng" / "config",
    ):
        if (folder / "default.toml").is_file():
            return folder
    raise SettingsError("找不到 default.toml", where="config/", hint="请从完整的代码目录安装:pip install -e .")


def find_paths(environ: Mapping[str, str], cwd: Path) -> Paths:
    """State folder and configuration file from `TINGFENG_HOME` and `TINGFENG_CONFIG`; else `./var` and `./config/tingfeng.toml`."""
    home = Path(environ.get("TINGFENG_HOME") or cwd / "var").expanduser().absolute()
    named = environ.get("TINGFENG_CONFIG")
    if named:
        asked = Path(named).expanduser()
        if not asked.is_file():
            raise SettingsError(
                "文件不存在", where=str(asked), hint="请检查变量 TINGFENG_CONFIG,或用 tingfeng init 写一份"
            )
        file: Path | None = asked
    else:
        usual = cwd / "config" / "tingfeng.toml"
        file = usual if usual.is_file() else None
    return Paths(home=home, config_folder=config_folder(), config_file=file)


def read_toml(file: Path) -> dict[str, object]:
    """One TOML file as a mapping. Raises SettingsError with the line when it cannot be read."""
    try:
        return tomllib.loads(file.read_text("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"不是合法的 TOML({error})", where=str(file), hint="请按提示的行列修改") from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不了({error})", where=str(file), hint="文件要是 UTF-8 并且可读") from error


def lay_over(base: Mapping[str, object], top: Mapping[str, object]) -> dict[str, object]:
    """Tables are merged key by key; any other value of `top` replaces that of `base`."""
    merged = dict(base)
    for key, value in top.items():
        old = merged.get(key)
        merged[key] = lay_over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def refuse_passwords(values: Mapping[str, object], where: str) -> None:
    """Raises SettingsError when an address of a store in the file carries a password."""
    store = values.get("store")
    for key, name in URL_VARIABLES.items():
        url = store.get(key) if isinstance(store, Mapping) else None
        if isinstance(url, str) and PASSWORD_IN_URL.search(url):
            raise SettingsError(
                f"store.{key}:地址里带着密码,不能写进文件",
                where=where,
                hint=f"请放进环境变量 {name},或 {name}_FILE 指向的文件",
            )


def load_settings(paths: Paths, environ: Mapping[str, str]) -> Settings:
    """Defaults, the file over them, `TINGFENG_POSTS_URL` and `TINGFENG_DESK_URL` (or `…_FILE`) over both. Raises SettingsError."""
    merged = read_toml(paths.config_folder / "default.toml")
    if paths.config_file:
        merged = lay_over(merged, read_toml(paths.config_file))
    refuse_passwords(merged, str(paths.config_file or ""))
    urls = {key: read_secret(name, environ) for key, name in URL_VARIABLES.items()}
    merged = lay_over(merged, {"store": {key: url for key, url in urls.items() if url}})
    where = str(paths.config_file or paths.config_folder / "default.toml")
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        told = [name for key, name in URL_VARIABLES.items() if urls[key] and ("store", key) in [item["loc"] for item in error.errors()]]
        raise SettingsError(explain_errors(error, Settings), where="、".join(told) or where) from error


def secret_variable(channel: str, part: str) -> str:
    """Name of the environment variable of a channel's `url`, `secret` or `password`."""
    return f"TINGFENG_CHANNEL_{channel.upper().replace('-', '_')}_{part.upper()}"


def read_secret(name: str, environ: Mapping[str, str]) -> str:
    """The variable, or the content of the file that `<name>_FILE` names; '' when neither is set. Raises SettingsError for a bad file."""
    if environ.get(name):
        return environ[name]
    file = environ.get(f"{name}_FILE", "")
    if not file:
        return ""
    try:
        return Path(file).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不了密钥文件 {file}", where=f"{name}_FILE", hint="请检查路径与权限") from error
