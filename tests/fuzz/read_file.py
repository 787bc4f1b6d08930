"""Fuzz every reader by coverage, by hand, where atheris is installed: `tests/fuzz/read_file.py -max_total_time=300`.

The first byte of an input chooses the name of the file and the options, so that one corpus serves all forms. Without
arguments it starts from sound files of every form; what crashes is written to `crash-*` in the current folder by
libFuzzer, and is run again with that file as the argument. It ends at the first thing that is neither rows nor a
SluiceError, as tests/unit/curate/test_formats_fuzz.py does.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-not-found]

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
with atheris.instrument_imports(include=["sluice", "openpyxl"]):
    from tests.support.mutated import OPTIONS, SOUND, attempt

NAMES = sorted(SOUND)


def one_input(data: bytes) -> None:
    """Read bytes under the name and options that their first byte chooses."""
    if data:
        attempt(NAMES[data[0] % len(NAMES)], data[1:], OPTIONS[data[0] // len(NAMES) % len(OPTIONS)])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as corpus:
        for number, name in enumerate(NAMES):
            for how in range(len(OPTIONS)):
                (Path(corpus) / f"{name}-{how}").write_bytes(bytes([how * len(NAMES) + number]) + SOUND[name])
        atheris.Setup([*sys.argv, corpus], one_input)
        atheris.Fuzz()
