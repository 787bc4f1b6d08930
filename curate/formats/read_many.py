"""`read_files`: all files that words mean, each read whole; the one way in of `add` and of `audit FILES`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.curate.formats.decode import DoubtfulEncoding
from sluice.curate.formats.gather import PassedOver, gather
from sluice.curate.formats.idle import refuse_idle
from sluice.curate.formats.read import read_file
from sluice.curate.formats.records import AUTO, Entry, Progress, ReadOptions, ReadResult


@dataclass(frozen=True, slots=True)
class Reads:
    """What was read."""

    files: list[tuple[str, ReadResult]]
    """Each with the name that it is remembered by."""
    doubtful: list[PassedOver]
    """Files whose encoding is in doubt: under `--encoding auto` they are set aside whole."""
    passed_over: list[PassedOver]
    """Files of a folder or pattern that are not read."""


def read_files(
    words: Sequence[str | Path | Entry],
    options: ReadOptions,
    name_of: Callable[[Path], str],
    progress: Progress | None = None,
) -> Reads:
    """Read all files that words mean.

    Args:
        words: as for `gather`.
        options: for all of them.
        name_of: from a path to the name that the file is remembered by.
        progress: called with (what, done, total).

    Raises InputError where one of them cannot be read; under the encoding `auto`, a doubtful one only where no other
    file was read; UsageError for an option that none of them is read by.
    """
    gathered = gather(words, progress)
    files: list[tuple[str, ReadResult]] = []
    doubtful: list[PassedOver] = []
    first: DoubtfulEncoding | None = None
    for entry in gathered.entries:
        name = entry.name or name_of(entry.path)
        try:
            files.append((name, read_file(entry, options, progress)))
        except DoubtfulEncoding as problem:
            if options.encoding != AUTO:
                raise
            first = first or problem
            doubtful.append(PassedOver(name, problem.message))
    if first is not None and not files:
        raise first
    refuse_idle(options, [read for _, read in files])
    return Reads(files, doubtful, gathered.passed_over)
