"""Models that this installation has trained: folders in `models/` of the state folder, and for each kind a file that names the installed one.

An installed model stands in for `[nlp] model = "linear"` or `"encoder"`. To go back to the packaged one, delete the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tingfeng.errors import ModelError
from tingfeng.settings import Settings

FOLDER = "models"
LINEAR, ENCODER = "linear", "encoder"
POINTERS: Mapping[str, str] = {LINEAR: "installed.txt", ENCODER: "installed-encoder.txt"}
# without this file the folder is none of its kind
NEEDED: Mapping[str, str] = {LINEAR: "model.json", ENCODER: "layer.json"}


def find_installed(home: Path, kind: str = LINEAR) -> Path | None:
    """The folder of the installed model. Raises ModelError when it is named but gone."""
    pointer = home / FOLDER / POINTERS[kind]
    if not pointer.is_file():
        return None
    folder = pointer.parent / pointer.read_text("utf-8").strip()
    if not (folder / NEEDED[kind]).is_file():
        raise ModelError("装上的模型不见了", where=str(folder), hint=f"请恢复它;或删除 {pointer},就用回自带的模型")
    return folder


def use_installed(settings: Settings, home: Path) -> Settings:
    """The settings, with the installed model in the place of `linear` or `encoder`."""
    kind = settings.nlp.model
    folder = find_installed(home, kind) if kind in POINTERS else None
    if folder is None:
        return settings
    return settings.model_copy(update={"nlp": settings.nlp.model_copy(update={"model": str(folder)})})


def install(home: Path, folder: Path, kind: str = LINEAR) -> None:
    """Names a folder of `models/` as the installed one; at once or not at all."""
    pointer = home / FOLDER / POINTERS[kind]
    fresh = pointer.with_suffix(".new")
    fresh.write_text(folder.name + "\n", "utf-8")
    fresh.replace(pointer)
