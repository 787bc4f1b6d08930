"""Queues: in which order rows come. A queue is a name and a function from what is asked to the order; a file each.

`plain` (random, order), `disagreed` (with `adjudicate`), `uncertain`, `different`, `spread` (over the values of a
column), `suspects`; `arrange` takes one by its name and leaves out what a person is not asked about. The order depends
on rows, seed and log, never on the machine. May import what `sluice.curate` may.
"""

from sluice.curate.labels.queues import different, disagreed, plain, spread, suspects, uncertain
from sluice.curate.labels.queues.arrange import arrange
from sluice.curate.labels.queues.base import QUEUES, Asking

__all__ = ["QUEUES", "Asking", "arrange", "different", "disagreed", "plain", "spread", "suspects", "uncertain"]
