"""Models that this installation has trained: folders in `models/` of the state folder, and a file that names the one that is installed.

An installed model stands in for `[nlp] model = "linear"`. To go back to the packaged one, delete the file.
"""

from __future__ import annotations

from pathlib import Path

from tingfeng.errors import ModelError
from tingfeng.settings import Settings

FOLDER, POINTER = "models", "installed.txt"
LINEAR = "linear"


def find_installed(home: Path) -> Path | None:
    """The folder of the installed model. Raises ModelError when it is named but gone."""
    pointer = home / FOLDER / POINTER
    if not pointer.is_file():
        return None
    folder = pointer.parent / pointer.read_text("utf-8").strip()
    if not folder.is_dir():
        raise ModelError("装上的模型不见了", where=str(folder), hint=f"请恢复它;或删除 {pointer},就用回自带的模型")
    return folder


def use_installed(settings: Settings, home: Path) -> Settings:
    """The settings, with the installed model in the place of `linear`."""
    folder = find_installed(home) if settings.nlp.model == LINEAR else None
    if folder is None:
        return settings
    return settings.model_copy(update={"nlp": settings.nlp.model_copy(update={"model": str(folder)})})


def install(home: Path, folder: Path) -> None:
    """Names a folder of `models/` as the installed one; at once or not at all."""
    pointer = home / FOLDER / POINTER
    fresh = pointer.with_suffix(".new")
    fresh.write_text(folder.name + "\n", "utf-8")
    fresh.replace(pointer)
