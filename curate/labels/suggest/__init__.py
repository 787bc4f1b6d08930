"""Suggestions: what a stored run, rules, a label model or a doubt about a given label proposes for rows.

A suggestion is shown to a person, or kept from them until they have decided, and is written beside their decision. It
is never a label: nothing in here writes a record, and nothing reads a suggestion as one. `source` says what a source
is and asks one by its name; `run`, `rules`, `model` and `suspects` are a file each. Curate calls no language model: a
run was made before. May import what `sluice.curate` may.
"""

from sluice.curate.labels.suggest import model, rules, run, suspects
from sluice.curate.labels.suggest.source import SOURCES, Proposal, Proposals, propose

__all__ = ["SOURCES", "Proposal", "Proposals", "model", "propose", "rules", "run", "suspects"]
