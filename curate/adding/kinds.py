"""What the kinds of row are for, and what to do where a verb needs another kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.core.errors import InputError
from sluice.core.rows import SHOWN, AnyRow
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.dataset import Version

HOLDS = {"preference": "preference pairs", "unpaired": "judged answers", "text": "plain texts", "example": "examples"}


def needs_examples(version: Version, row: AnyRow) -> InputError:
    """Return the error for a version with a row that is no example, where one input and one target are needed.

    Args:
        version: that was opened.
        row: the first such row.
    """
    kind = str(row.kind)
    kinds = version.manifest.kinds
    what = f"{version.dataset} holds {HOLDS.get(kind, kind)}"
    if kinds.get("example"):
        rows = counted(kinds[kind], f"row of kind '{kind}'", f"rows of kind '{kind}'")
        what = f"{rows} among the examples of {version.dataset}"
    return InputError(
        f"{what}; this needs rows with one input and one answer (examples)",
        where=f"{version.ref} {row.row[:SHOWN]}",
        remedy=_remedy(version, kind),
    )


def _remedy(version: Version, kind: str) -> str:
    """Return how the same files are read as examples, as far as it can be said; else what the rows are good for."""
    from sluice.curate.adding.command import add_command
    from sluice.curate.metadata import adding_operations

    base = version.dataset.partition("/")[0]
    name = version.dataset.replace("/", "-")
    as_it_is = f"curate and export them as they are: sluice export {version.dataset} {name}-clean.jsonl"
    for operation in adding_operations(version):
        for file in operation.parameters.get("files", []):
            options = _as_examples(kind, list(file["columns"]))
            if options:
                again = add_command(f"{base}-examples", [file["file"]], options)
                return f"{again} reads {_gain(kind)}; or {as_it_is}"
    return as_it_is


def _as_examples(kind: str, columns: list[str]) -> dict[str, Any] | None:
    has = set(columns)
    if kind == "preference" and {"prompt", "chosen"} <= has:
        return {"input": "prompt", "target": "chosen"}
    if kind == "unpaired" and {"prompt", "completion"} <= has:
        return {"shape": "prompt-completion"}
    if kind == "text" and "text" in has:
        return {"input": "text"}
    return None


def _gain(kind: str) -> str:
    return {
        "preference": "the better answers as targets",
        "unpaired": "all answers as targets, the bad ones too: filter by the column of the label",
        "text": "the texts as inputs to be answered",
    }[kind]
