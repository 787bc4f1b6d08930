"""What tells chosen from rejected without being read: form, side of the screen, preferences that go in a ring."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sluice.core.rows import Preference
from sluice.core.wilson import wilson_bounds
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    told,
)
from sluice.curate.checks.conflict import same_answer
from sluice.curate.checks.preference import FEWEST_PAIRS, NONE, pairs_of

if TYPE_CHECKING:
    import polars as pl

TELLS: Mapping[str, str] = {
    "ends with a full stop": r"[.!?…。][\"')\]]*\s*$",
    "has a list": r"(?m)^\s*(?:[-*•]|\d+[.)])\s+\S",
    "has a heading": r"(?m)^#{1,6}\s+\S",
    "has bold or italics": r"\*\*[^*\n]+\*\*|__[^_\n]+__",
    "has code": r"```|`[^`\n]+`",
    "has several lines": r"\S\s*\n\s*\S",
    "begins with a capital": r"^\s*\p{Lu}",
    "is an object or a list": r"(?s)^\s*[{\[].*[}\]]\s*$",
    "begins by agreeing": r"(?i)^\s*(?:sure|certainly|of course|absolutely|great question)\b",
    "begins by refusing or excusing": r"(?i)^\s*(?:i['’]m sorry|i am sorry|sorry|i can(?:no|['’])t|as an ai)\b",
    "has an emoji": r"[\x{1F300}-\x{1FAFF}\x{2600}-\x{27BF}]",
    "begins or ends with blanks": r"^\s|\s$",
}
"""Forms that an answer has or has not, by the pattern that finds them."""
POSITION = 0.1
"""Distance of a share from one half from which on a side is favoured: 60 to 40."""
ALPHA = 0.05


def tells_of(pairs: pl.DataFrame) -> list[tuple[str, float, float]]:
    """Return (form, share of the chosen answers that have it, share of the rejected), the widest gap first.

    Args:
        pairs: columns `chosen` and `rejected`, one pair a line; at least one.
    """
    import polars as pl

    named = {f"{side}{n}": pl.col(side).str.contains(TELLS[name]) for n, name in enumerate(TELLS)
             for side in ("chosen", "rejected")}  # fmt: skip
    for side in ("chosen", "rejected"):
        named[f"{side}-first"] = pl.col(side).str.extract(r"^\s*(\S+)").str.to_lowercase()
    found = pairs.select(**named)
    shares = found.select(pl.col(pl.Boolean).mean()).row(0, named=True)
    tells = [
        (name, float(shares[f"chosen{n}"] or 0), float(shares[f"rejected{n}"] or 0)) for n, name in enumerate(TELLS)
    ]
    for side in ("chosen", "rejected"):
        words = found[f"{side}-first"].drop_nulls()
        if words.len():
            word, count = words.value_counts(sort=True).row(0)
            if count > 1:
                both = [float((found[f"{s}-first"] == word).fill_null(value=False).mean() or 0)  # type: ignore[arg-type]
                        for s in ("chosen", "rejected")]  # fmt: skip
                tells.append((f"begins with '{word[:20]}'", both[0], both[1]))
    return sorted(dict.fromkeys(tells), key=lambda tell: -abs(tell[1] - tell[2]))


@file_check
class FormatTells(Check):
    """Chosen answers have a form that rejected ones lack: that is then what is learnt."""

    spec = CheckSpec(
        name="format-tells",
        severity="warn",
        what="chosen and rejected answers differ in their form: a full stop, a list, the first word",
        threshold=f"a form whose shares differ by {{limit}} or more; from {FEWEST_PAIRS} pairs on",
        limit=0.3,
        source="a rule that looks at that form alone is right in 0.65 of the pairs where the shares differ by 0.3; "
        "reward models learn such forms (Zhang et al. 2024, arXiv 2409.11704); the number is ours",
        remedy="sluice show {dataset}; then answers of like form: both of one model (sluice pairs --from samples:RUN)",
        whole=True,
    )

    def find(self, context: CheckContext) -> Found:
        """Return each such form as a finding about the set."""
        pairs = pairs_of(context)
        if pairs.height < FEWEST_PAIRS:
            return Found(missing=(NONE if not pairs.height else f"under {FEWEST_PAIRS} preference rows",))
        tells, least = tells_of(pairs), self.limit(context)
        figures = {name: {"chosen": round(a, 4), "rejected": round(b, 4)} for name, a, b in tells if a != b}
        wide = [tell for tell in tells if abs(tell[1] - tell[2]) >= least]
        sentences = [f"{a:.0%} of the chosen and {b:.0%} of the rejected answers: {name}" for name, a, b in wide]
        if not wide:
            name, a, b = tells[0]
            return Found(summary=f"the widest gap of forms is '{name}': {a:.0%} to {b:.0%}", figures=figures)
        return Found([Finding(row=None, detail=s) for s in sentences], sentences[0], figures)

    def examples(self) -> Examples:
        """Return pairs of which only the chosen answer ends with a full stop, and pairs of like form."""
        return Examples(
            found=CheckContext([_pair(f"Yes, from {i} on.", f"No, not before {i}", i) for i in range(20)]),
            ok=CheckContext([_pair(f"Yes, from {i} on.", f"Yes, until {i} only.", i) for i in range(20)]),
        )


@file_check
class PairPosition(Check):
    """People prefer what stands on one side of the screen, whatever it says."""

    spec = CheckSpec(
        name="pair-position",
        severity="warn",
        what="people choose the answer on one side more often than on the other",
        threshold=f"the first side is chosen in a share that is {{limit}} or more from one half, and its 95% interval "
        f"does not hold one half; from {FEWEST_PAIRS} choices on",
        limit=POSITION,
        limits=(0.0, 0.5),
        source="sides are drawn at random, so a share of one half is what no bias gives; interval: Wilson 1927",
        remedy="sluice label {dataset} --mode compare: ask another person, or the same one again, sides swapped",
        whole=True,
    )

    def find(self, context: CheckContext) -> Found:
        """Return the bias as one finding about the set."""
        beside = (context.metadata.get(row.row, {}) for row in context.rows if isinstance(row, Preference))
        first = [said["shown_first"] for said in beside if said.get("shown_first")]
        if len(first) < FEWEST_PAIRS:
            return Found(missing=("no choices of people between two sides" if not first else
                                  f"under {FEWEST_PAIRS} choices of people",))  # fmt: skip
        hits, n = first.count("chosen"), len(first)
        low, high = wilson_bounds(hits, n, ALPHA)
        share = hits / n
        figures = {"first_chosen": round(share, 4), "low": round(low, 4), "high": round(high, 4), "choices": n}
        sentence = f"the answer that stood first is chosen in {share:.0%} of {n:,} choices ({low:.0%} to {high:.0%})"
        if abs(share - 0.5) < self.limit(context) or low <= 0.5 <= high:
            return Found(summary=sentence, figures=figures)
        return Found([Finding(row=None, detail=sentence)], sentence, figures)

    def examples(self) -> Examples:
        """Return choices that all fell on the first side, and choices of which half did."""
        rows = [_pair(f"Yes, from {i} on.", f"Yes, until {i} only.", i) for i in range(20)]
        return Examples(
            found=CheckContext(rows, metadata={row.row: {"shown_first": "chosen"} for row in rows}),
            ok=CheckContext(
                rows,
                metadata={row.row: {"shown_first": ("chosen", "rejected")[i % 2]} for i, row in enumerate(rows)},
            ),
        )


@file_check
class PairCycles(Check):
    """Preferences that go in a ring: a over b, b over c, c over a. Two that contradict each other are `conflict`."""

    spec = CheckSpec(
        name="pair-cycles",
        severity="warn",
        what="preferences about one input go in a ring, so no order of its answers fits them",
        threshold="three answers or more to one input, each of which is preferred, over others, to itself",
        source="a Bradley-Terry reward, which DPO and reward models fit, has an order (Rafailov et al. 2023, "
        "arXiv 2305.18290, 3); a ring has none",
        remedy="sluice filter {dataset} --failing pair-cycles",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the pairs that are part of a ring."""
        by_input: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        for i, row in enumerate(context.rows):
            if isinstance(row, Preference):
                by_input[row.input_hash].append((i, same_answer(row.chosen), same_answer(row.rejected)))
        if not by_input:
            return Found(missing=(NONE,))
        details: dict[int, str] = {}
        for edges in by_input.values():
            if len(edges) >= 3:
                details |= dict.fromkeys(
                    in_rings(edges), "preferred in a ring: answers to one input that have no order"
                )
        return told(context, details, sum(map(len, by_input.values())), "stand in a ring of preferences")

    def examples(self) -> Examples:
        """Return three answers of which each is preferred to the next one round, and three in an order."""
        a, b, c = "Yes, from ten on.", "No, it is closed.", "Only before Christmas."
        return Examples(
            found=CheckContext([_pair(a, b), _pair(b, c), _pair(c, a)]),
            ok=CheckContext([_pair(a, b), _pair(b, c), _pair(a, c)]),
        )


def in_rings(edges: Sequence[tuple[int, str, str]]) -> list[int]:
    """Return the numbers of edges (number, better, worse) that lie in a ring of three answers or more.

    Such an edge has both ends in one strongly connected component (each end is reached from the other) of that size.
    """
    after: dict[str, set[str]] = defaultdict(set)
    for _, better, worse in edges:
        after[better].add(worse)

    def reached(start: str) -> frozenset[str]:
        seen, waiting = set[str](), [start]
        while waiting:
            new = after.get(waiting.pop(), set[str]()) - seen
            seen |= new
            waiting += new
        return frozenset(seen)

    below = {answer: reached(answer) for answer in after}
    none = frozenset[str]()
    found: list[int] = []
    for number, better, worse in edges:
        if better == worse or better not in below.get(worse, none):
            continue
        ring = {answer for answer in below[worse] if better in below.get(answer, none) or answer == better}
        if len(ring | {worse}) >= 3:
            found.append(number)
    return found


def _pair(chosen: str, rejected: str, number: int = 0) -> Preference:
    return Preference(input={"text": f"Is it open on Sunday? ({number})"}, chosen=chosen, rejected=rejected)
