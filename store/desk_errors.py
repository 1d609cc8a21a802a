"""What the Desk's database says, in words: what, where, what to do. No address here ever holds a user's password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tingfeng.errors import StoreError

OLDEST = 14


class LostConnection(StoreError):
    """The server went away, or is not back yet: the same may be asked again."""


# SQLSTATE, or its class → what, what to do
CODES = {
    "28": ("用户名或密码不对", "请检查变量 TINGFENG_DESK_URL 里的用户与密码"),
    "3D000": ("没有这个数据库", "请先建库:createdb 库名,或检查 TINGFENG_DESK_URL 最后一段"),
    "25006": ("数据库只读", "请连到主库,并检查 default_transaction_read_only"),
    "42501": ("数据库用户没有权限", "请让它拥有这个库:ALTER DATABASE 库名 OWNER TO 用户名"),
    "53100": ("数据库服务器的磁盘满了", "请腾出空间后重试;已经提交的都在"),
    "53300": ("数据库连接用完了", "请调大 max_connections,或减少工作进程"),
    "55P03": ("等一把锁太久", "请看是否有卡住的会话(pg_stat_activity),稍后重试"),
    "40": ("与别的进程撞上了", "请重试"),
    "57P": ("数据库服务器正在重启或关闭", "请稍后重试"),
    "08": ("与数据库服务器断开了", "请检查网络与数据库服务器"),
}
# a refused connection carries no SQLSTATE, and SQLite has none: part of the message → the same; `lost` = it may come back
WORDS = (
    ("password authentication failed", *CODES["28"], False),
    ("no password supplied", "没有给密码", "请在变量 TINGFENG_DESK_URL 里写上密码,或用 ~/.pgpass", False),
    ("no pg_hba.conf entry", "服务器不接受从这里来的连接", "请在 pg_hba.conf 里加上这台机器", False),
    ("certificate verify failed", "服务器的证书不可信", "请检查 sslrootcert 指的 CA 文件", False),
    ("ssl was required", "服务器没有开 TLS", "请在服务器上打开 ssl,或改 sslmode", False),
    ("too many clients", *CODES["53300"], False),
    ("too many connections", *CODES["53300"], False),
    ("starting up", "数据库服务器正在启动", "请稍后重试", True),
    ("shutting down", "数据库服务器正在关闭", "请稍后重试", True),
    ("in recovery mode", "数据库服务器正在恢复", "请稍后重试", True),
    ("connection refused", "连不上数据库服务器(拒绝连接)", "请检查它是否在运行,以及主机与端口", True),
    ("no such file or directory", "连不上数据库服务器(没有这个套接字)", "请检查它是否在运行,以及 host 写的目录", True),
    ("failed to resolve host", "找不到数据库服务器的主机名", "请检查主机名与 DNS", True),
    ("timeout", "连数据库服务器超时", "请检查网络与防火墙", True),
    ("server closed the connection", *CODES["08"], True),
    ("connection is closed", *CODES["08"], True),
    ("connection failed", *CODES["08"], True),
    ("consuming input failed", *CODES["08"], True),
    ("disk", "磁盘满了", "请腾出空间后重试;已经存下的都在", False),
    ("readonly", "数据库只读", "请检查文件与文件夹的写权限", False),
    ("unable to open", "打不开数据库", "请检查文件夹是否存在、可写", False),
    ("locked", "数据库被别的进程占用太久", "请看是否有另一个 tingfeng 卡住,稍后重试", False),
    ("malformed", "数据库文件损坏", "请从备份恢复", False),
    ("not a database", "这不是数据库文件", "请检查 desk_url 写的路径", False),
)


def place_of(url: URL) -> str:
    """Where the database is, without user, password and options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    host = url.host or url.query.get("host") or "localhost"
    return f"{url.get_backend_name()}://{host}{f':{url.port}' if url.port else ''}/{url.database or ''}"


@contextmanager
def explain_database(url: URL) -> Iterator[None]:
    """Turns every error of the database into StoreError; LostConnection when asking again may help."""
    try:
        yield
    except SQLAlchemyError as error:
        raise describe(error, url) from error


def describe(error: SQLAlchemyError, url: URL) -> StoreError:
    """The error in words."""
    origin = getattr(error, "orig", None) or error
    said = str(origin).strip()
    code = getattr(origin, "sqlstate", None) or ""
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    for key, (what, hint) in CODES.items():
        if code.startswith(key):
            return build(what, url, hint, lost or key in ("57P", "08", "40"))
    low = said.lower()
    missing = "does not exist" in low and "database" in low
    for key, what, hint, passing in (("does not exist", *CODES["3D000"], False), *WORDS) if missing else WORDS:
        if key in low:
            return build(what, url, hint, lost or passing)
    first = said.splitlines()[0][:200] if said else type(origin).__name__
    return build(f"工作台数据库出错({first})", url, "请检查磁盘空间与权限,或运行 tingfeng doctor", lost)


def build(what: str, url: URL, hint: str, lost: bool) -> StoreError:
    """The exception."""
    return (LostConnection if lost else StoreError)(what, where=place_of(url), hint=hint)


def refuse_old_server(version: int, url: URL) -> None:
    """Raises StoreError for PostgreSQL before 14; `version` as in server_version_num."""
    if version < OLDEST * 10_000:
        raise StoreError(
            f"PostgreSQL {version // 10_000} 太旧",
            where=place_of(url),
            hint=f"请升级到 {OLDEST} 或更新(Prefect 也要求 {OLDEST} 以上)",
        )
