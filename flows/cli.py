"""The command line. Each command is a module of flows/commands, imported only when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from flows.console import print_note
from tingfeng import __version__
from tingfeng.errors import TingfengError

# name → one line of help; modules are named alike, with _ for -
COMMANDS = {
    "demo": "放一遍演示:虚构品牌的五周,真实流程,不需要网络",
    "init": "为一个品牌写配置(提问或用参数)",
    "doctor": "检查配置、存储、模型、来源与渠道,说明缺什么、怎么补",
    "run": "完整跑一遍:采集、判断、预警、通知",
    "up": "持续运行:Prefect 服务、定时任务、网页,Ctrl-C 停",
    "serve": "只开网页",
    "collect": "只采集",
    "import": "导入文件:CSV、JSONL、XLSX、常见导出",
    "analyse": "判断还没有判断的帖子",
    "rejudge": "用现在的模型把历史重判一遍,可中断,保留人工改正",
    "judge": "判断文本,不存储",
    "detect": "在一个数列里找突增",
    "watch": "按计数更新预警",
    "deliver": "发送到期的通知",
    "search": "用查询语句找提及",
    "count": "按维度计数",
    "query": "先试一条查询语句:命中、样例、每个条件的贡献、建议排除的词",
    "export": "把提及导出成 CSV 或 JSONL",
    "incidents": "列出事件",
    "ack": "确认一个事件,不再重复提醒",
    "silence": "静默通知一段时间",
    "correct": "改正一条提及的情感、行为或严重程度",
    "forget": "删除帖子:按作者、来源或时间",
    "audit": "谁在什么时候改了什么",
    "sources": "列出来源与采集情况",
    "train": "训练情感模型,写出权重与模型卡",
    "evaluate": "显示模型在留出集上的成绩",
    "deadletter": "看帖子库拒收的内容,重试或丢弃",
    "reindex": "重建 Elasticsearch 索引并切换",
    "migrate": "把帖子库搬到另一种:SQLite ↔ Elasticsearch",
    "backup": "在线备份帖子库、工作台与作者盐值",
    "adopt": "把另一个工作台数据库整个搬进现在配置的这个",
    "restore": "从备份恢复,先检查再换上",
}


class Commands(click.Group):
    """Finds commands by name and imports them late, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"flows.commands.{cmd_name.replace('import', 'import_')}_command")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], list(COMMANDS), n=1)
            raise click.UsageError(f"没有 {args[0]} 这个命令{f',是不是 {near[0]}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="tingfeng")
def cli() -> None:
    """听风:听公开的帖子与投诉,说清楚大家在讲什么,及时告诉该知道的人。

    \b
    先看一遍:      tingfeng demo
    监测自己的品牌:tingfeng init,然后 tingfeng run,再 tingfeng up
    退出码:0 完成 · 1 有失败(已说明) · 2 用法或配置不对 · 3 什么都连不上 · 4 已在运行 · 130 被中断
    """


def main() -> None:
    """Entry point: errors become one line on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        code = cli(standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except TingfengError as error:
        print_note(f"错误:{error.message}")
        sys.exit(error.exit_code)
    except click.exceptions.Abort:
        sys.stderr.write("已中断,状态已保存\n")
        sys.exit(130)
    except KeyboardInterrupt:
        sys.stderr.write("已中断,状态已保存\n")
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        from flows.usage import explain_usage

        print_note(explain_usage(error))
        sys.exit(2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        sys.stderr.write(f"错误:{error.filename or '系统'}:{error.strerror}。请检查磁盘空间与权限\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
