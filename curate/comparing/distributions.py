"""What rows are like as a whole: lengths, labels, languages, sources, groups; and how far two sets of rows are apart.

Two measures, both shares of rows between 0 and 1. For categories the total variation distance: the share of rows that
would have to change category. For lengths the Kolmogorov-Smirnov distance: the widest gap between the shares of rows up
to a length. Each stands beside what two random draws from one source would show at most (99 times of 100), so that
small sets do not cry wolf. It knows nothing of checks.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.wording import counted

if TYPE_CHECKING:
    import numpy as np

ALPHA = 0.01
"""How often two draws of one source may be called different, for each comparison."""
MOST_DEALS, FEWEST_DEALS = 1_000, 200
"""How often rows are dealt anew to see what chance does; fewer times where there are many values."""
CELLS = 1_000_000
"""Values times deals: about 0.2 s."""
QUANTILES = (0.0, 0.5, 0.95, 0.99, 1.0)
NAMES = ("min", "median", "p95", "p99", "max")


class Categories(BaseModel):
    """How many rows have each value of something."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """`labels`, `languages`, `sources`, `groups`, `kinds`."""
    what: str
    """In words, with the place of the value: "label (target.category)"."""
    counts: dict[str, int]
    """Rows by value, the commonest first."""
    without: int = 0
    """Rows that have none."""
    note: str = ""
    """How it was found, where that limits what it says."""

    @classmethod
    def of(cls, name: str, what: str, values: Iterable[str | None], note: str = "") -> Categories:
        """Return the counts of values; None is a row without one."""
        found = Counter(values)
        without = found.pop(None, 0)
        ordered = sorted(found.items(), key=lambda item: (-item[1], str(item[0])))
        return cls(name=name, what=what, counts={str(v): n for v, n in ordered}, without=without, note=note)

    @property
    def total(self) -> int:
        """Rows with a value."""
        return sum(self.counts.values())


class Lengths(BaseModel):
    """How long texts are, in tokens or words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """`input`, `answer`, or `rendered` (the whole row as it is trained on)."""
    unit: Literal["tokens", "words"]
    counts: dict[int, int]
    """Rows by length, the shortest first."""
    limit: int | None = None
    """The longest that fits, where there is a limit."""

    @classmethod
    def of(
        cls, name: str, unit: Literal["tokens", "words"], values: Iterable[int], limit: int | None = None
    ) -> Lengths:
        """Return the counts of lengths."""
        return cls(name=name, unit=unit, counts=dict(sorted(Counter(values).items())), limit=limit)

    @property
    def total(self) -> int:
        """Texts that were measured."""
        return sum(self.counts.values())

    @property
    def figures(self) -> dict[str, int]:
        """Min, median, p95, p99 and max: each the shortest length that this share of the rows does not exceed."""
        found: dict[str, int] = {}
        wanted = [max(1, math.ceil(q * self.total)) for q in QUANTILES]
        seen = 0
        for length, rows in self.counts.items():
            seen += rows
            for name, rank in zip(NAMES, wanted, strict=True):
                if name not in found and seen >= rank:
                    found[name] = length
        return found


class Comparison(BaseModel):
    """One distribution of two sets of rows, side by side."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """`rows`, `kinds`, `input length`, `labels`, ..."""
    what: str
    """The same in words, with the place of the value: "label (target.category)"."""
    word: Literal["same", "differs"]
    measure: Literal["rows more or fewer", "total variation", "widest gap"]
    value: float
    """Of the measure; of rows the change as a share of the first set."""
    chance: float
    """What two random draws of these sizes from one source stay below, 99 times of 100; 0 for rows."""
    sentence: str
    shares: tuple[tuple[str, float, float], ...] = ()
    """Of categories: value, its share in the first set, its share in the second; the widest change first."""


def compare_categories(a: Categories, b: Categories, alpha: float = ALPHA) -> Comparison | None:
    """Return how far categories are apart (total variation distance); None where neither side has any.

    `alpha` is how often two draws of one source may be called different.
    """
    n, m = a.total, b.total
    if not n and not m:
        return None
    values = list(dict.fromkeys([*a.counts, *b.counts]))
    shares = [(v, a.counts.get(v, 0) / max(n, 1), b.counts.get(v, 0) / max(m, 1)) for v in values]
    shares.sort(key=lambda s: (-abs(s[2] - s[1]), s[0]))
    if not n or not m:
        side = "first" if not n else "second"
        return _categories(a, 1.0, 0.0, f"the {side} has none", shares)
    value = sum(abs(q - p) for _, p, q in shares) / 2
    pooled = [a.counts.get(v, 0) + b.counts.get(v, 0) for v in values]
    chance, alone_chance = _chance(pooled, n, alpha)
    if value == 0:
        text = f"'{_short(values[0])}' in all" if len(values) == 1 else f"the same shares of {len(values):,} values"
        return _categories(a, 0.0, chance, text, shares)
    top, before, after = shares[0]
    moved = f"'{_short(top)}' {before:.1%}, then {after:.1%}"
    if value > chance:
        return _categories(a, value, chance, f"{value:.1%} of the rows would have to change; most {moved}", shares)
    alone, surprise = _most_surprising(pooled, values, shares, n, m)
    if surprise > alone_chance:
        place = next(i for i, share in enumerate(shares) if share[0] == alone)
        shares.insert(0, shares.pop(place))
        _, before, after = shares[0]
        text = f"{value:.1%} apart as a whole, but '{_short(alone)}' {before:.1%}, then {after:.1%}: that is no chance"
        return _categories(a, value, chance, text, shares, differs=True)
    return _categories(a, value, chance, f"{value:.1%} apart, no more than chance ({chance:.1%}); most {moved}", shares)


def _most_surprising(
    pooled: Sequence[int], values: Sequence[str], shares: Sequence[tuple[str, float, float]], n: int, m: int
) -> tuple[str, float]:
    """Return the value whose two shares differ by the most standard errors, and by how many."""
    known = dict(zip(values, pooled, strict=True))
    error = {v: _standard_error(count / (n + m), n, m) for v, count in known.items()}
    return max(((v, abs(q - p) / error[v]) for v, p, q in shares if error[v]), key=lambda s: s[1], default=("", 0.0))


def _standard_error(share: float, n: int, m: int) -> float:
    return math.sqrt(share * (1 - share) * (1 / n + 1 / m))


def _categories(
    of: Categories,
    value: float,
    chance: float,
    sentence: str,
    shares: Sequence[tuple[str, float, float]],
    differs: bool | None = None,
) -> Comparison:
    return Comparison(
        name=of.name,
        what=of.what,
        word="differs" if (value > chance if differs is None else differs) else "same",
        measure="total variation",
        value=round(value, 6),
        chance=round(chance, 6),
        sentence=sentence,
        shares=tuple((v, round(p, 6), round(q, 6)) for v, p, q in shares),
    )


def _chance(pooled: Sequence[int], n: int, alpha: float) -> tuple[float, float]:
    """Return what the total variation, and the widest difference of one value in standard errors, stay below by chance.

    Each is passed in alpha / 2 of the pairs of draws from one source (1 in 200), together in alpha.
    """
    import numpy as np

    m = sum(pooled) - n
    error = np.array([_standard_error(count / (n + m), n, m) for count in pooled])
    if not error.all() or len(pooled) < 2:
        return 0.0, 0.0
    apart = _dealt(pooled, n)
    total = np.quantile(np.abs(apart).sum(axis=1) / 2, 1 - alpha / 2, method="higher")
    alone = np.quantile((np.abs(apart) / error).max(axis=1), 1 - alpha / 2, method="higher")
    return float(total), float(alone)


def _gap_chance(pooled: Sequence[int], n: int, alpha: float) -> float:
    """Return what the widest gap of the cumulative shares stays below by chance; `pooled` in order of length."""
    import numpy as np

    if len(pooled) < 2:
        return 0.0
    gaps = np.abs(np.cumsum(_dealt(pooled, n), axis=1)).max(axis=1)
    return float(np.quantile(gaps, 1 - alpha, method="higher"))


def _dealt(pooled: Sequence[int], n: int) -> np.ndarray[Any, Any]:
    """Return the difference of shares, deal by value, when all rows are dealt anew into sets of the two sizes.

    A permutation test (Fisher 1935; Good, Permutation Tests): exact for ties and small sets, where formulas are not.
    Dealt in the same way each time, so that the same rows give the same words.

    Args:
        pooled: rows of both sets together, by value.
        n: rows of the first set.
    """
    import numpy as np

    counts = np.asarray(pooled, dtype=np.int64)
    deals = max(FEWEST_DEALS, min(MOST_DEALS, CELLS // len(counts)))
    dealt = np.random.default_rng(0).multivariate_hypergeometric(counts, n, size=deals)
    return dealt / n - (counts - dealt) / (int(counts.sum()) - n)


def compare_lengths(a: Lengths, b: Lengths, alpha: float = ALPHA) -> Comparison | None:
    """Return how far lengths are apart (two-sample Kolmogorov-Smirnov distance); None where neither side has any.

    `alpha` is how often two draws of one source may be called different.
    """
    n, m = a.total, b.total
    if not n and not m:
        return None
    name = f"{a.name} length"
    if not n or not m:
        side = "first" if not n else "second"
        text = f"the {side} has none"
        return Comparison(
            name=name, what=name, word="differs", measure="widest gap", value=1.0, chance=0.0, sentence=text
        )
    up, down, gap, at = 0, 0, 0.0, 0
    lengths = sorted({*a.counts, *b.counts})
    for length in lengths:
        up, down = up + a.counts.get(length, 0), down + b.counts.get(length, 0)
        if abs(up / n - down / m) > gap:
            gap, at = abs(up / n - down / m), length
    chance = _gap_chance([a.counts.get(x, 0) + b.counts.get(x, 0) for x in lengths], n, alpha)
    before, after = a.figures["median"], b.figures["median"]
    first, second = (counted(length, a.unit[:-1]) for length in (before, after))
    middle = f"median {first}, then {after:,}" if before != after else f"median {second} in both"
    if gap == 0:
        text = f"the same, median {second}"
    elif gap <= chance:
        text = f"{middle}; {gap:.1%} apart, no more than chance ({chance:.1%})"
    else:
        text = f"{middle}; widest gap {gap:.1%} of the rows, at {at:,} {a.unit}"
    return Comparison(
        name=name,
        what=name,
        word="differs" if gap > chance else "same",
        measure="widest gap",
        value=round(gap, 6),
        chance=round(chance, 6),
        sentence=text,
    )


def compare_rows(a: int, b: int) -> Comparison:
    """Return how many rows there are more or fewer."""
    change = b - a
    share = abs(change) / a if a else float(bool(change))
    word = "more" if change > 0 else "fewer"
    text = f"{a:,}, then {b:,}" + (f": {abs(change):,} {word} ({share:.1%})" if change and a else "")
    if not change:
        text = f"{b:,} in both"
    return Comparison(
        name="rows",
        what="rows",
        word="differs" if change else "same",
        measure="rows more or fewer",
        value=round(share, 6),
        chance=0.0,
        sentence=text,
    )


def _short(text: str, width: int = 40) -> str:
    return text if len(text) <= width else text[: width - 3] + "..."


def compare(a: Sequence[Any], b: Sequence[Any]) -> tuple[Comparison, ...]:
    """Compare two lists of Lengths and Categories, those of one name and unit with each other, in the first's order."""
    found: list[Comparison | None] = []
    others = {(type(d), d.name, getattr(d, "unit", "")): d for d in b}
    for one in a:
        other = others.pop((type(one), one.name, getattr(one, "unit", "")), None)
        if isinstance(one, Lengths):
            found.append(compare_lengths(one, other or Lengths(name=one.name, unit=one.unit, counts={})))
        else:
            found.append(compare_categories(one, other or Categories(name=one.name, what=one.what, counts={})))
    for other in others.values():  # what only the second has
        if isinstance(other, Lengths):
            found.append(compare_lengths(Lengths(name=other.name, unit=other.unit, counts={}), other))
        else:
            found.append(compare_categories(Categories(name=other.name, what=other.what, counts={}), other))
    return tuple(c for c in found if c is not None)
