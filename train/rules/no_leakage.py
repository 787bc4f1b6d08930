"""no-leakage: a row that is trained on, or shown in a prompt, tells nothing when it is asked again."""

from __future__ import annotations

from collections import Counter

from sluice.train.evidence import Evidence
from sluice.train.rules.result import RuleResult, later, ok, refused

RULE = "no-leakage"


def no_leakage(evidence: Evidence) -> RuleResult:
    """Hold when no training or dev row and no text of a prompt stands in the one relation to an eval row."""
    if evidence.set_state is not None and not evidence.train:
        return later(RULE, f"needs rows in {evidence.dataset}")
    if evidence.leaks is None or evidence.text_leaks is None or evidence.set_state is None:
        return later(RULE, "needs the eval set")
    trained = {r.row for r in evidence.train}
    in_train = [k for k in evidence.leaks if k.row in trained]
    in_dev = [k for k in evidence.leaks if k.row not in trained]
    details = tuple(
        f"{leak.row[:10]} ({leak.field}) {leak.how} {leak.share:.0%} of eval row {leak.eval_row[:10]}"
        for leak in (*in_train, *in_dev, *evidence.text_leaks)
    )
    if in_train or in_dev:
        where = evidence.dataset if in_train else f"{evidence.data}/dev"
        rows = {k.row for k in (in_train or in_dev)}
        total = len(evidence.train) if in_train else "the"
        first = (in_train or in_dev)[0]
        how = ", ".join(f"{n} {h}" for h, n in Counter(k.how for k in (in_train or in_dev)).items())
        return refused(
            RULE,
            f"{len(rows)} of {total} rows of {where} {'repeats' if len(rows) == 1 else 'repeat'} an eval row ({how}), "
            f"for example {first.row[:10]} holds {first.share:.0%} of eval row {first.eval_row[:10]}",
            # what was split off to be asked is not cleaned of itself
            "sluice gate" if where == f"{evidence.data}/eval" else f"sluice decontaminate {where}",
            details=details,
        )
    if evidence.text_leaks:
        first = evidence.text_leaks[0]
        return refused(
            RULE,
            f"{first.row} holds eval row {first.eval_row[:10]}",
            f"take it out of {first.row} by hand, then: sluice baseline",
            details=details,
        )
    return ok(RULE, f"none of {len(evidence.train):,} training rows, dev rows and prompt texts repeats an eval row")
