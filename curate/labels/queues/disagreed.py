"""`disagreed`: what people answer differently, the most divided first. `adjudicate`: the same for a third person.

How divided a row is: the entropy of the answers given (vote entropy, Dagan and Engelson 1995), so that two against two
come before three against one; of equally divided ones that with more words first.
"""

from __future__ import annotations

import math
from collections import Counter

from sluice.curate.labels.queues.base import QUEUES, Asking
from sluice.curate.labels.record import ADJUDICATION, Value
from sluice.curate.labels.settle import Settled, settle


@QUEUES.register("disagreed")
def disagreed(asking: Asking) -> list[str]:
    """Return what is open, the most divided first."""
    here = set(asking.subjects)
    usual = [j for j in asking.words if not j.adjudicates]
    unsettled = {s.subject: s for s in settle(usual).values() if s.how == "open" and s.subject in here}
    drawn = asking.drawn(list(unsettled))
    return sorted(drawn, key=lambda s: (-entropy(unsettled[s]), -len(unsettled[s].said)))


@QUEUES.register(ADJUDICATION)
def adjudicate(asking: Asking) -> list[str]:
    """Return what others disagree on: nobody settles a dispute of their own."""
    own = {j.subject for j in asking.words if j.by == asking.by and not j.adjudicates}
    return [s for s in disagreed(asking) if s not in own]


def entropy(settled: Settled) -> float:
    """Return how divided people are, in bits: 0 where all who could tell said the same."""
    told: list[Value] = [value for value in settled.said.values() if value is not None]
    counts = Counter(told).values()
    return round(-sum(n / len(told) * math.log2(n / len(told)) for n in counts), 9) if told else 0.0
