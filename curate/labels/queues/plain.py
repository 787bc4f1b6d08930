"""`random`: a draw, the same for everybody with the same seed. `order`: as the dataset has its rows."""

from __future__ import annotations

from sluice.curate.labels.queues.base import QUEUES, Asking


@QUEUES.register("random")
def by_draw(asking: Asking) -> list[str]:
    """Return all in the order of a draw."""
    return asking.drawn()


@QUEUES.register("order")
def as_they_stand(asking: Asking) -> list[str]:
    """Return all as the dataset has them."""
    return list(asking.subjects)
