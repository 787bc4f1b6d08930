"""`card`: what is known of a dataset, as a card and as Croissant metadata.

Both are those of the folder that `export --format hf` writes: the folder is made in the staging area and thrown away,
so that sizes and hashes are true of what will be published.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.curate.export import refuse_source, write_options
from sluice.curate.formats.output import write_file
from sluice.curate.publish.facts import Facts
from sluice.curate.publish.folder import CARD, CROISSANT, build_folder
from sluice.curate.publish.splits import AllRows, splits_of
from sluice.curate.publish.words import CardWords, missing_words


class CardResult(BaseModel):
    """A card, and what it was made of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str
    text: str
    """The card: YAML and Markdown."""
    facts: Facts
    words: CardWords
    path: str | None
    croissant: str | None
    """Files that were written."""
    not_stated: tuple[str, ...]
    """Keys that nobody stated."""


def card(
    project: Project,
    ref: str,
    words: CardWords,
    *,
    out: str | Path | None = None,
    croissant: str | Path | None = None,
    shape: str = "columns",
    samples: int = 0,
    checks: bool = True,
    replace: bool = False,
    progress: Progress | None = None,
) -> CardResult:
    """Make the card of a dataset, and write it where files are named.

    Args:
        project: of the dataset.
        ref: NAME (its parts, where it has some), NAME@3, NAME:tag or a part.
        words: what people state.
        out: a file for the card.
        croissant: a file for the Croissant metadata.
        shape: the shape of rows that is described.
        samples: rows of each split that the card shows; none unless asked for.
        checks: whether the audit is run; without it the card says that it was not.
        replace: whether files that hold something else are replaced.
        progress: called with (what, done, total).

    Raises FileStands for a file that holds something else.
    """
    splits = splits_of(project, ref)
    for file in (out, croissant):
        if file is not None:
            refuse_source(project, Path(file))
    options = write_options(splits[0].version, AllRows(splits))
    project.make_store()
    with project.staging.job() as job:
        folder = job / "card"
        folder.mkdir()
        how: dict[str, Any] = {"samples": samples, "checks": checks, "progress": progress}
        facts, _ = build_folder(splits, folder, "hf", shape, options, words, **how)
        text, metadata = (folder / CARD).read_bytes(), (folder / CROISSANT).read_bytes()
    for file, data in ((out, text), (croissant, metadata)):
        if file is not None:
            write_file(Path(file), [data], replace=replace)
    return CardResult(
        of=ref,
        text=text.decode(),
        facts=facts,
        words=words,
        path=str(out) if out is not None else None,
        croissant=str(croissant) if croissant is not None else None,
        not_stated=missing_words(words, facts.described),
    )
