"""`tingfeng migrate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from flows.console import print_json, print_line, print_note, show_progress

if TYPE_CHECKING:
    from flows.wiring import Wiring
    from store.moving import MovableStore


def find_url(wiring: Wiring, word: str) -> str:
    """An address as it is; the words `sqlite` and `elasticsearch` stand for the configured store, or the file of the state folder."""
    from flows.wiring import is_cluster
    from tingfeng.errors import UsageError

    configured = wiring.settings.store.posts_url
    if word == "sqlite":
        return "" if is_cluster(configured) else configured
    if word == "elasticsearch":
        if not is_cluster(configured):
            raise UsageError("没有配置 Elasticsearch", where="migrate", hint="请写完整的地址,或先设 TINGFENG_POSTS_URL=elasticsearch://…")
        return configured
    if not (is_cluster(word) or word.startswith("sqlite:///")):
        raise UsageError(f"{word} 不是帖子库", where="migrate", hint="写 sqlite、elasticsearch,或 sqlite:///路径、elasticsearch://主机:端口/")
    return word


@click.command("migrate")
@click.argument("source")
@click.argument("target")
@click.option("--from-start", is_flag=True, help="不接着上次,从头来(重复写入不会产生两份)。")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(source: str, target: str, from_start: bool, as_json: bool) -> int:
    """把帖子、判断与人工改正从一个帖子库搬到另一个,最后逐条核对。中断了再运行一次就接着搬;来源不会被改动。

    \b
    例:tingfeng migrate sqlite elasticsearch://127.0.0.1:9200/
        tingfeng migrate elasticsearch sqlite
    搬完再把 [store] posts_url 改成新的地址。
    """
    from flows.wiring import open_wiring
    from store.moving import compare_stores, move_posts
    from tingfeng.errors import UsageError
    from tingfeng.fingerprints import row_id

    with open_wiring() as wiring, wiring.lock("migrate"), show_progress() as progress:
        urls = [find_url(wiring, word) for word in (source, target)]
        if urls[0] == urls[1]:
            raise UsageError("来源和目标是同一个", where="migrate", hint="请写两个不同的帖子库")
        marker = wiring.home / f"migrate-{row_id('migrate', *urls)}.txt"
        after = marker.read_text("utf-8").strip() if marker.exists() and not from_start else ""
        old, new = (cast("MovableStore", wiring.open_posts(url)) for url in urls)
        try:
            total = old.health().posts
            task, moved = progress.add_task("搬运", total=total), 0
            for last, n in move_posts(old, new, wiring.clock.now(), after):
                marker.write_text(last, "utf-8")
                moved += n
                progress.update(task, advance=n)
            checking = progress.add_task("核对", total=total)
            verdict = compare_stores(old, new, lambda n: progress.update(checking, advance=n))
        finally:
            old.close()
            new.close()
        marker.unlink(missing_ok=True)
    bad = (*verdict.missing, *verdict.differing)
    if as_json:
        print_json({"moved": moved, "compared": verdict.compared, "missing": verdict.missing, "differing": verdict.differing})
    else:
        print_note(f"搬了 {moved} 条,核对 {verdict.compared} 条{',全部一致' if not bad else ''}")
        for id in bad:
            print_line(f"不一致:{id}")
    return 1 if bad else 0
