"""rows-trainable: each training row reaches the loss whole, with an answer and an end of turn to learn."""

from __future__ import annotations

from collections import Counter

from sluice.core.wording import counted
from sluice.train.evidence import Evidence
from sluice.train.render import EXPLANATIONS
from sluice.train.rules.result import RuleResult, absent, ok, refused
from sluice.train.training_rows import OF_TASK

RULE = "rows-trainable"


def rows_trainable(evidence: Evidence) -> RuleResult:
    """Hold when every training row renders, fits, keeps answer and end of turn, and has something to learn."""
    if not evidence.train:
        return absent(RULE, f"{evidence.dataset} has no rows", evidence.train_remedy)
    if evidence.rendered is None:
        return refused(RULE, f"the rows do not render: {evidence.render_problem}", "mend the prompt ([prompts] train)")
    if [row for row, _ in evidence.rendered] != [r.row for r in evidence.train]:
        return refused(RULE, "the rendered rows are not the training rows", "report it: this cannot be")
    if evidence.prompt is None:
        return absent(RULE, "the rows were rendered under no prompt", "mend the prompt ([prompts] train)")
    bad = [(row, r) for row, r in evidence.rendered if r.problem is not None]
    if bad:
        kinds = Counter(str(r.problem) for _, r in bad)
        first = bad[0][1].problem
        reason = EXPLANATIONS[first] if first is not None else ""
        fix = {
            "over-long": f"sluice filter {evidence.dataset} --failing overlong",
            "nothing-to-learn": f"sluice filter {evidence.dataset} --failing unlabelled,empty",
        }.get(str(first), "mend the rows or the prompt; sluice plan shows them")
        if first == "over-long":
            reason += f" of {evidence.max_tokens:,} tokens ({evidence.limit_of})"
        return refused(
            RULE,
            f"{len(bad)} of {len(evidence.rendered)} rows cannot be trained on "
            f"({', '.join(f'{n} {k}' for k, n in kinds.items())}): {reason}",
            fix,
            details=tuple(f"{row[:10]} {r.problem}, {len(r.ids)} tokens" for row, r in bad),
        )
    longest = max(len(r.ids) for _, r in evidence.rendered)
    return ok(
        RULE,
        f"{counted(len(evidence.rendered), 'row')}, longest {longest:,} of {evidence.max_tokens:,} tokens"
        f"{'' if evidence.limit_of == OF_TASK else f' ({evidence.limit_of})'}, none cut",
    )
