"""The gate's values: what can be waived, what is advice, and what sluice.toml says about strictness."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from sluice.core.task import Config

HARD = ("eval-set-frozen", "prompt-baseline", "no-leakage", "rows-trainable")
"""The four rules that nothing opens."""
WAIVABLE = ("gradable", "headroom", "audit")
"""Rules that refuse and can be waived, one at a time, with a written reason."""
ADVICE = ("train-size", "dev-size", "resolvable", "ladder", "label-agreement", "pair-balance")
"""Rules that advise; under `[gate] strict` they refuse, and can be waived as those above."""
RULES = (*HARD, *WAIVABLE, *ADVICE)
FEWEST_CLUSTERS = 20
FEWEST_DEV = 20
"""Dev rows under which it is chance which prompt is best: a 0/1 rate of a half is known to +-.22 at 20 (95%)."""
ABSENT = "absent"
"""The part of a check that lacked what it needs: it has no count."""
TRAIN_ROWS = (1_000, 10_000)
"""Most narrow tasks are learnt from 1,000 to 10,000 clean rows; LIMA (2023) shows how far 1,000 chosen ones go."""

AGREEMENT = 0.667
"""Lower bound of agreement from which labels carry conclusions, if tentative ones: Krippendorff, Content Analysis (2nd
edition 2004, p. 241), who asks for .800 where it can be had, and counts below .667 as not reliable."""


class Policy(BaseModel):
    """What the gate is judged under."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strict: bool = False
    """Whether advice refuses, too (`[gate] strict`)."""


def policy_of(config: Config) -> Policy:
    """Return the policy that sluice.toml asks for; it can only be made stricter there."""
    return Policy(strict=config.gate.strict)
