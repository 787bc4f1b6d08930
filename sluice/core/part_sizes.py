"""How many rows eval and dev may take of a dataset, for the examples that people are given.

What a split draws is what it is told; this is only what the next command says, so that it can be run as it stands.
"""

from __future__ import annotations

USUAL = {"eval": 100, "dev": 40}
"""Of a dataset with rows enough; more eval rows tell smaller gains apart (`freeze` says how small)."""
EVAL_OF = 5, 2  # of a smaller dataset two rows in five (fifty give the twenty that the gate asks for),
DEV_OF = 7, 1  # and one in seven: nearly half are left to train on


def fitting_sizes(rows: int | None) -> tuple[int, int]:
    """Return rows for (eval, dev) that a dataset of so many rows can give; None: not known."""
    if rows is None:
        return USUAL["eval"], USUAL["dev"]
    eval_, dev = (max(1, rows * part // of) for of, part in (EVAL_OF, DEV_OF))
    return min(USUAL["eval"], eval_), min(USUAL["dev"], dev)


def size_options(rows: int | None) -> str:
    """Return the options that ask `split` for fitting sizes: `--eval 100 --dev 40`."""
    eval_, dev = fitting_sizes(rows)
    return f"--eval {eval_} --dev {dev}"
