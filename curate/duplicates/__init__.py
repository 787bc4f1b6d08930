"""Duplicates: which rows say what another row says already, in input and in target.

`dedup` is the one entry: rows in, a `DedupResult` out, the same whatever is kept. `keys` says when two rows are equal
after normalisation and when they contradict each other; `plain` joins thousands of rows exactly, `bulk` takes more
through the compiled `sluice.curate.kernel`: `columns` are the rows, `signing` their texts and signatures, `kept`
what is not worked out twice. `meaning` adds what a model finds. Stands on those, on
`sluice.curate.similar.similarity` and on `sluice.core.rows`.
"""

from __future__ import annotations

from sluice.curate.duplicates.dedup import DedupResult, Dropped, dedup
from sluice.curate.duplicates.rules import Conflict, NearPair, Rules

__all__ = ["Conflict", "DedupResult", "Dropped", "NearPair", "Rules", "dedup"]
