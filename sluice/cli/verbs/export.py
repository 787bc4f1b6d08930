"""`sluice export`: write a dataset to a file or a folder. Exit codes: 0; 2 where the format cannot hold a row."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, find_project, verb, yes_option
from sluice.cli.verbs.card import checks_option, word_options
from sluice.core.errors import UsageError
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.export import ExportResult, FolderResult

FOLDERS = ("hf", "hf-disk")


@verb(
    examples=[
        "sluice export tickets clean.csv                          the columns as they came",
        "sluice export tickets/train train.jsonl --format trl --prompt prompts/short.md",
        "sluice export tickets all.xlsx --all                     with the dropped rows, reason and kept row",
        "sluice export pairs pairs.jsonl.gz --format preference   also: openai-preference, unpaired, sharegpt, alpaca",
        "sluice export tickets folder --format hf                 a dataset folder: Parquet, card, Croissant",
    ]
)
@click.argument("ref", metavar="NAME[@N]")
@click.argument("file", metavar="FILE|FOLDER", type=PATH)
@click.option(
    "--format",
    "format_",
    metavar="NAME",
    help="A shape of rows: messages, prompt-completion, preference, unpaired, trl, openai, openai-preference, "
    "sharegpt, alpaca, text. Or a form of file: jsonl, json, csv, tsv, xlsx, parquet, arrow, txt. Or a folder: hf, "
    "hf-disk.  [default: the columns as they came, by the file's ending; .gz and .zst pack texts]",
)
@click.option("--rows", "shape", metavar="SHAPE", help="Of a folder: the shape of rows.  [default: as they came]")
@click.option("--all", "everything", is_flag=True, help="Also dropped rows, with status, reason and the row kept.")
@click.option("--kind", metavar="KIND", help="Only rows of a kind: example, preference, unpaired or text.")
@click.option("--with", "beside", metavar="COL[,COL]", help="Metadata columns that a trainer's shape carries, too.")
@click.option("--prompt", metavar="FILE", help="A prompt file that turns fields into messages.")
@click.option("--implicit", is_flag=True, help="Of preference: two whole transcripts, without a prompt of their own.")
@click.option(
    "--samples", metavar="N", type=click.IntRange(0), default=0, help="Of a folder: rows that its card shows."
)
@checks_option
@word_options
@yes_option
def command(out: Terminal, ref: str, file: str, **how: Any) -> Any:
    """Write a dataset to a file, one row a line, or to a folder that Hugging Face loads.

    A file that is there and holds something else is replaced only when you agree (--yes), a file that rows were read
    from never. docs/writing.md says which shape holds which rows.
    """
    from sluice.curate.export import export, export_to_folder
    from sluice.curate.publish.words import read_words

    project, layout = find_project(), how["format_"]
    stated = {name: how[name] for name in ("title", "license", "language")}
    beside = [name for name in (how["beside"] or "").split(",") if name]
    given: dict[str, Any] = {name: how[name] for name in ("prompt", "implicit", "kind")}
    given |= {"beside": beside, "progress": out.progress}
    if layout in FOLDERS:
        if how["everything"]:
            raise UsageError("a published folder holds no dropped rows", where="--all", remedy="export them to a file")
        given |= {"format": layout, "shape": how["shape"] or "columns", "samples": how["samples"]}
        given["checks"] = how["checks"]
        words = read_words(project, **stated)
        result = _write(
            out, file, how["yes"], lambda replace: export_to_folder(project, ref, file, words, replace=replace, **given)
        )
        _draw_folder(out, result, ref)
        return result
    _refuse_folder_options(how)
    given |= {"format": layout, "everything": how["everything"]}
    done = _write(out, file, how["yes"], lambda replace: export(project, ref, file, replace=replace, **given))
    _draw_file(out, done, how["everything"])
    return done


def _write(out: Terminal, file: str, yes: bool, write: Callable[[bool], Any]) -> Any:
    """Write, and where something else stands in the way, ask before it is replaced."""
    from sluice.curate.formats import FileStands

    try:
        return write(yes)
    except FileStands:
        out.confirm(f"{file} is there and holds something else. Replace it?", yes)
        return write(True)


def _refuse_folder_options(how: dict[str, Any]) -> None:
    for option in ("shape", "samples", "title", "license", "language"):
        if how[option]:
            name = "--rows" if option == "shape" else f"--{option}"
            raise UsageError(f"{name} is for folders", where=name, remedy="add --format hf, or leave it out")


def _draw_file(out: Terminal, result: ExportResult, everything: bool) -> None:
    shape = "" if result.shape == "columns" else f" in the shape {result.shape},"
    out.say(
        f"{result.path}: {counted(result.rows, 'row')} of {result.of},{shape} {result.format}, "
        f"{result.size / 1e6:,.1f} MB"
    )
    _draw_inexact(out, result.inexact, result.shape)
    if result.read_with:
        out.say(f"  read back: sluice add NAME {result.path} {shlex.join(result.read_with)}", "dim")
    if result.made_folder:
        out.say(f"  the folder {result.made_folder} was made for it")
    if everything:
        out.say(
            f"  {result.rows - result.dropped:,} kept, {result.dropped:,} dropped (columns status, reason, kept_row)"
        )


def _draw_inexact(out: Terminal, inexact: dict[str, str], shape: str) -> None:
    """Say which columns are not read back as they were: a warning where columns were meant to stay as they came."""
    for what in sorted(set(inexact.values())):
        names = ", ".join(name for name, how in inexact.items() if how == what)
        if shape == "columns":
            out.warn(f"{names}: {what}; read back they are not what they were (.jsonl keeps them)")
        else:
            out.say(f"  {names}: {what}", "dim")


def _draw_folder(out: Terminal, result: FolderResult, ref: str) -> None:
    from sluice.curate.publish.words import how_to_state

    load = "load_from_disk" if result.format == "hf-disk" else "load_dataset"
    out.say(f"{result.path}: {counted(result.rows, 'row')} of {result.of}, {result.size / 1e6:,.1f} MB")
    for split in result.splits:
        out.say(
            f"  {split.split}: {counted(split.rows, 'row')} of {split.dataset}, {counted(len(split.files), 'file')}"
        )
    if result.in_no_part:
        out.warn(f"{counted(result.in_no_part, 'row')} of {ref} in no part, not written (sluice split {ref})")
    _draw_inexact(out, result.inexact, result.shape)
    if result.findings:
        found = ", ".join(f"{name} {number:,}" for name, number in result.findings.items())
        out.warn(f"checks found: {found} (in the card; sluice audit {result.splits[0].dataset})")
    if result.not_stated:
        out.say(f"  its card does not state: {', '.join(result.not_stated)} ({how_to_state(result.not_stated)})")
    out.say(f'  load it: datasets.{load}("{result.path}")', "dim")
