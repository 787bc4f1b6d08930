"""`suspects`: rows whose label is likely wrong, the likeliest first, with the label that is likelier proposed.

Which rows: what `sluice.curate.labels.suggest.suspects` proposes for.
"""

from __future__ import annotations

from sluice.core.errors import UsageError
from sluice.curate.labels.queues.base import QUEUES, Asking


@QUEUES.register("suspects")
def suspects(asking: Asking) -> list[str]:
    """Return what another label is proposed for, that with the least likely own label first."""
    doubts = asking.doubts
    if doubts is None:
        raise UsageError("nothing doubts a label here", where="--queue", remedy="--mode review --queue suspects")
    return sorted((s for s in asking.drawn() if s in doubts), key=lambda s: -doubts[s])
