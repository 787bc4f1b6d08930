"""Wilson's interval for a share: the one formula, for rates of models and of people alike."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_bounds(right: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Return the ends of Wilson's score interval for `right` of `n` (n of at least 1), two-sided level 1 - alpha.

    Source: Wilson 1927; recommended for small n by Brown, Cai and DasGupta 2001.
    """
    z2 = NormalDist().inv_cdf(1 - alpha / 2) ** 2
    share = right / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # 0 of n and n of n end exactly at 0 and 1; rounding may miss that by 1e-17.
    return (0.0 if right == 0 else centre - half), (1.0 if right == n else centre + half)
