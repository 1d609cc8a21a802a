"""`tingfeng reindex`."""

from __future__ import annotations

import click

from flows.console import print_json, print_note, show_progress


@click.command("reindex")
@click.option("--json", "as_json", is_flag=True, help="打印一个 JSON。")
def command(as_json: bool) -> int:
    """在旁边重建一套 Elasticsearch 索引,核对条数后切换别名,再删掉旧的(升级结构、改分片数时用)。

    期间新采到的内容暂存在本机,之后自动补写;中途失败时旧索引照常使用。SQLite 打开时自己升级,不需要它。
    """
    from flows.wiring import is_cluster, open_wiring
    from store.elasticsearch_reindex import reindex
    from tingfeng.errors import UsageError

    with open_wiring() as wiring, show_progress() as progress:
        url = wiring.settings.store.posts_url
        if not is_cluster(url):
            raise UsageError("帖子库是 SQLite", where="reindex", hint="SQLite 打开时自己升级;重建索引用 tingfeng doctor --repair")
        task = progress.add_task("重建索引", total=None)
        store = wiring.open_cluster(url)
        try:
            with wiring.lock("reindex"):
                done = reindex(store.cluster, store.layout, lambda n, total: progress.update(task, completed=n, total=total))
            store.drain()
        finally:
            store.close()
    if as_json:
        print_json(done.__dict__)
    else:
        print_note(f"第 {done.old_set} 套 → 第 {done.new_set} 套:{done.posts} 条帖子,{done.mentions} 条提及,已切换")
    return 0
