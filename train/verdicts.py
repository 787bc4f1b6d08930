"""The last verdict on an adapter, kept to be shown again by `status` and `adapters`.

It is evidence of nothing: gate, promotion and `compare` compute from stored answers.
"""

from __future__ import annotations

import json

from sluice.core.errors import Refused
from sluice.core.files import atomic_write
from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.standing import verdict_file
from sluice.evalsuite.sets import require_set
from sluice.train.adapters import open_adapter
from sluice.train.judge import Judged


def keep_verdict(project: Project, judged: Judged) -> None:
    """Keep the word and the sentence of a verdict on the eval set.

    Raises Refused for a comparison on dev: that is no verdict.
    """
    if not judged.comparison.final:
        raise Refused("a comparison on dev is no verdict", remedy=f"sluice compare {judged.adapter} --final")
    facts = Ledger(project).read()
    adapter = open_adapter(project, judged.adapter, facts)
    verdict, other = judged.comparison.verdict, judged.against_reference
    kept = {
        "word": verdict.word,
        "sentence": verdict.sentence,
        "against_reference": None if other is None else other.verdict.word,
    }
    file = verdict_file(project, adapter.sha256, require_set(project, facts).sha256)
    atomic_write(file, (json.dumps(kept, ensure_ascii=False) + "\n").encode())
