"""The gate's rules, one file each: a pure function from evidence to one result.

The four hard rules stand in HARD_RULES, in code and not in a registry, so that nothing can be filed in their place.
"""

from __future__ import annotations

from collections.abc import Callable

from sluice.train.evidence import Evidence
from sluice.train.rules.advice import ADVICE_RULES
from sluice.train.rules.audit import audit
from sluice.train.rules.eval_set_frozen import eval_set_frozen
from sluice.train.rules.gradable import gradable
from sluice.train.rules.headroom import headroom
from sluice.train.rules.no_leakage import no_leakage
from sluice.train.rules.prompt_baseline import prompt_baseline
from sluice.train.rules.result import RuleResult
from sluice.train.rules.rows_trainable import rows_trainable

Rule = Callable[[Evidence], RuleResult]

HARD_RULES: tuple[Rule, ...] = (eval_set_frozen, prompt_baseline, no_leakage, rows_trainable)
WAIVABLE_RULES: tuple[Rule, ...] = (gradable, headroom, audit)

__all__ = ["ADVICE_RULES", "HARD_RULES", "WAIVABLE_RULES", "Rule", "RuleResult"]
