"""rows-trainable and pair-balance for preference rows: what a recipe that learns from pairs holds them to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sluice.core.wording import counted
from sluice.curate.checks.pair_tells import POSITION
from sluice.curate.checks.preference import FEWEST_PAIRS, MOSTLY
from sluice.curate.pairs.audit import PairAudit
from sluice.train.evidence import Evidence
from sluice.train.pair_rows import REASONS, RenderedPair
from sluice.train.rules.result import RuleResult, absent, ok, refused

TRAINABLE = "rows-trainable"
BALANCE = "pair-balance"
EXPLAINED = 0.65
"""AUC of length alone, or the share that a form alone gets right, from which on it is a part of what is learnt: Cohen's
d of 0.5, a medium effect, is an AUC of 0.64."""


def pairs_trainable(dataset: str, rendered: Sequence[RenderedPair], max_tokens: int) -> RuleResult:
    """Hold when every pair renders whole, fits, and tells two answers apart that no other pair turns round.

    Args:
        dataset: that they are from.
        rendered: of `render_pairs`, in training order.
        max_tokens: most tokens of a prompt and an answer.
    """
    if not rendered:
        return absent(TRAINABLE, f"{dataset} has no pairs", "sluice pairs NAME --from SOURCE")
    bad = [pair for pair in rendered if pair.problem is not None]
    if bad:
        kinds = Counter(str(pair.problem) for pair in bad)
        first = bad[0].problem
        fix = {
            "over-long": f"sluice filter {dataset} --failing overlong",
            "nothing-to-learn": f"sluice filter {dataset} --failing pairs,empty",
            "equal": f"sluice filter {dataset} --failing pairs",
            "contradictory": f"sluice filter {dataset} --failing conflict",
        }.get(str(first), "mend the rows or the prompt")
        return refused(
            TRAINABLE,
            f"{len(bad)} of {counted(len(rendered), 'pair')} teach nothing or cannot be trained on "
            f"({', '.join(f'{n} {kind}' for kind, n in kinds.items())}): {REASONS[first] if first else ''}",
            fix,
            details=tuple(f"{pair.row[:10]} {pair.problem}, {pair.longest} tokens" for pair in bad),
        )
    longest = max(pair.longest for pair in rendered)
    return ok(TRAINABLE, f"{counted(len(rendered), 'pair')}, longest {longest:,} of {max_tokens:,} tokens, none cut")


def pair_balance(evidence: Evidence) -> RuleResult | None:
    """Say what tells chosen from rejected beside their worth; None where what is trained on is no pairs."""
    return None if evidence.pairs is None else balance_of(evidence.pairs, evidence.dataset)


def balance_of(audit: PairAudit, dataset: str) -> RuleResult:
    """Return what is lopsided in pairs, as advice; few pairs are not measured, never in order."""
    if audit.pairs < FEWEST_PAIRS:
        return RuleResult(
            rule=BALANCE,
            status="advice",
            found=f"not measured: {counted(audit.pairs, 'pair')}, from {FEWEST_PAIRS} on shares mean something",
            value="1",
        )
    found = _lopsided(audit)
    if not found:
        length = "" if audit.length is None else f"; length alone has an AUC of {audit.length.auc:.2f}"
        return ok(BALANCE, f"{counted(audit.pairs, 'pair')} of {counted(audit.inputs, 'input')}{length}")
    return RuleResult(
        rule=BALANCE,
        status="advice",
        found="; ".join(text for text, _ in found),
        fix=f"sluice audit {dataset}, then pairs of other sources (sluice pairs --from)",
        value=f"{max(share for _, share in found):.6f}",
    )


def _lopsided(audit: PairAudit) -> list[tuple[str, float]]:
    """Return all that goes beyond its limit: a sentence, and the share of pairs that it alone gets right.

    Of a ring or a common beginning it is the share of the pairs concerned.
    """
    found: list[tuple[str, float]] = []
    if audit.length is not None and audit.length.auc >= EXPLAINED:
        which = "longer" if audit.length.difference > 0 else "shorter"
        text = f"length alone explains the preference (AUC {audit.length.auc:.2f}): the {which} answer is chosen"
        found.append((text, audit.length.auc))
    for tell in audit.tells:
        right = 0.5 + abs(tell.chosen - tell.rejected) / 2
        if right >= EXPLAINED:
            text = f"{tell.chosen:.0%} of the chosen and {tell.rejected:.0%} of the rejected: {tell.form}"
            found.append((text, right))
    if audit.position is not None and audit.position.choices >= FEWEST_PAIRS:
        one = audit.position
        if abs(one.first_chosen - 0.5) >= POSITION and not one.low <= 0.5 <= one.high:
            text = f"people chose the first side in {one.first_chosen:.0%} of {counted(one.choices, 'choice')}"
            found.append((text, 0.5 + abs(one.first_chosen - 0.5)))
    if audit.same_prefix >= MOSTLY:
        text = f"{audit.same_prefix:.0%} of the pairs begin alike: was the prompt left in the answers?"
        found.append((text, audit.same_prefix))
    if audit.rings:
        found.append((f"{counted(audit.rings, 'pair')} in preferences that go in a ring", audit.rings / audit.pairs))
    return found
