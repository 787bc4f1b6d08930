"""Folders written by `datasets.save_to_disk`: which Arrow files they are made of, in order, without that package.

A dataset's folder has a state.json that lists its files; a dataset dict has a dataset_dict.json and a folder a split.
Rows come from the files themselves, exactly as any Arrow file's. Several splits are never poured together unasked:
among them is the one that nothing should be trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import InputError, NoPermission

STATE, DICT = "state.json", "dataset_dict.json"
SIDECARS = (STATE, DICT, "dataset_info.json", "dataset_infos.json")
"""JSON files that describe a dataset and hold no rows."""


def is_saved(folder: Path) -> bool:
    """Return whether a folder was written by `save_to_disk`."""
    return (folder / DICT).is_file() or ((folder / STATE).is_file() and (folder / "dataset_info.json").is_file())


def saved_files(folder: Path) -> list[Path]:
    """Return the Arrow files of a saved dataset in order.

    Raises InputError for several splits, for a selection that was never written out, and for a file that is missing or
    lies elsewhere.
    """
    if (folder / DICT).is_file():
        splits = _object(folder / DICT).get("splits")
        names = [s for s in cast("list[Any]", splits) if _is_name(s)] if isinstance(splits, list) else []
        if not names or len(names) != len(cast("list[Any]", splits)):
            raise _broken(folder / DICT, "it names no splits")
        if len(names) > 1:
            raise InputError(
                f"a dataset dict with the splits {', '.join(names)}",
                where=str(folder),
                remedy=f"name the one you mean: {folder / names[0]}",
            )
        return saved_files(folder / names[0])
    state = _object(folder / STATE)
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise InputError(
            "a selection of rows that was saved as indices over a larger table",
            where=str(folder),
            remedy="write it out where it was made: dataset.flatten_indices().save_to_disk(...)",
        )
    listed = state.get("_data_files")
    if not isinstance(listed, list):
        raise _broken(folder / STATE, "it lists no data files")
    files: list[Path] = []
    for item in cast("list[Any]", listed):
        name = cast("dict[str, Any]", item).get("filename") if isinstance(item, dict) else None
        if not _is_name(name):
            raise _broken(folder / STATE, "it lists a file that is not in this folder")
        if not (folder / cast("str", name)).is_file():
            raise InputError(
                f"{name} is missing, which {STATE} lists", where=str(folder), remedy="fetch the folder again"
            )
        files.append(folder / cast("str", name))
    if not files:
        raise InputError("no rows: a saved dataset without files", where=str(folder), remedy="check the folder")
    return files


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value not in ("", ".", "..") and Path(value).name == value and "\0" not in value


def _object(file: Path) -> dict[str, Any]:
    try:
        value = parse_exact(file.read_text(encoding="utf-8"))
    except PermissionError:
        raise NoPermission("this file may not be read", where=str(file), remedy=f"chmod u+r {file}") from None
    except FileNotFoundError:
        raise _broken(file, "it is not there") from None
    except (UnicodeDecodeError, JsonProblem) as problem:
        raise _broken(file, str(problem)) from None
    if not isinstance(value, dict):
        raise _broken(file, "it is no object")
    return cast("dict[str, Any]", value)


def _broken(file: Path, why: str) -> InputError:
    return InputError(f"a saved dataset that cannot be read: {why}", where=str(file), remedy="save the dataset again")
