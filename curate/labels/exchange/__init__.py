"""Labels from other tools and for them: what people said elsewhere, and rows that are to be labelled elsewhere.

One file a format (`label_studio`, `argilla`, `prodigy`, `doccano`, `table`, `inspect_scores`), each saying which
version of the tool it was read from and what its format cannot hold. `word` has the nouns, `document` reads JSON with
its lines, `match` finds the row that a record is about, `importing` and `exporting` are what a caller uses.

May import `sluice.core` and the rest of `sluice.curate`.
"""

# the formats file themselves in EXCHANGES; the first that recognises a file is taken
from sluice.curate.labels.exchange import label_studio, argilla, prodigy, inspect_scores, doccano, table  # noqa: F401, I001
from sluice.curate.labels.exchange.word import EXCHANGES

__all__ = ["EXCHANGES"]
