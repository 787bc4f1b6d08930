"""Near-duplicates from Arrow strings to keepers, side by side with rensa: seconds, ratio, recall, precision.

    python benchmarks/near_duplicates.py                       50,000 and 200,000 documents, ours and rensa
    python benchmarks/near_duplicates.py 10000 2000000 --ours --plot growth.svg    only ours: how cost grows

Documents are made here: 94 words each, one in five a copy of an earlier one with up to 14 words changed. Every way is
told the same thing (word 3-grams, Jaccard 0.7) and starts from the same Arrow array, each round in a process of its
own, in turn. The peers:

    rensa-exact   RMinHashLSH over 3-grams made in Python, candidates checked by exact Jaccard: what we do, by rensa
    rensa-flags   3-gram hashes made in polars, rensa's flags of rows that share a band: its fastest; nothing is checked
    floor         ours up to the signatures: what any MinHash over all 3-grams has to do

Truth is counted within the families that the copies make: unrelated documents share next to nothing. Recall is of the
rows that an exact pass in order drops (for flags: of the rows with a near-equal one), precision of the rows named.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa

WORDS, VOCABULARY, COPIES, CHANGED = 94, 60_000, 0.2, 14
PERCENT = 70
ROUNDS = 5
BLOCK = 10_000

Mask = Any


def documents(count: int) -> tuple[pa.Array, np.ndarray[Any, Any]]:
    """Return (documents as a large_string array, the family of each)."""
    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    vocabulary = np.array(["".join(rng.choice(letters, rng.integers(2, 8))) for _ in range(VOCABULARY)], dtype=object)
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1))  # Zipf, as in running text
    drawn = np.empty((count, WORDS), np.int32)
    family = np.arange(count)
    texts: list[str] = []
    for low in range(0, count, BLOCK):
        high = min(low + BLOCK, count)
        drawn[low:high] = np.searchsorted(weights / weights[-1], rng.random((high - low, WORDS)))
        for i in np.flatnonzero(rng.random(high - low) < COPIES) + low:
            if i:
                source = rng.integers(0, i)
                drawn[i], family[i] = drawn[source], family[source]
                places = rng.integers(0, WORDS, rng.integers(0, CHANGED + 1))
                drawn[i, places] = rng.integers(0, VOCABULARY, len(places))
        texts += [" ".join(words) for words in vocabulary[drawn[low:high]]]
    return pa.array(texts, pa.large_string()), family


def truth(texts: pa.Array, family: np.ndarray[Any, Any]) -> tuple[set[int], set[int]]:
    """Return (rows that an exact pass in order drops, rows with a near-equal one)."""
    members: dict[int, list[int]] = defaultdict(list)
    for i, number in enumerate(family.tolist()):
        members[number].append(i)
    dropped: set[int] = set()
    paired: set[int] = set()
    for rows in members.values():
        if len(rows) > 1:
            sets = {i: _shingles(texts[i].as_py()) for i in rows}
            for i, j in combinations(rows, 2):
                if near(sets[i], sets[j]):
                    paired |= {i, j}
                    if i not in dropped:
                        dropped.add(j)
    return dropped, paired


def near(one: set[str], other: set[str]) -> bool:
    """Return whether the exact Jaccard of two sets reaches the threshold."""
    hits = len(one & other)
    return 100 * hits >= PERCENT * (len(one) + len(other) - hits)


def ours(texts: pa.Array) -> Mask:
    """Return which documents are dropped."""
    from sluice.curate.kernel.fold import fold
    from sluice.curate.kernel.survivors import survivors

    return survivors(fold(texts), percent=PERCENT).kept >= 0


def floor(texts: pa.Array) -> None:
    """Only make the normal form and the signatures."""
    from sluice.curate.kernel.fold import fold
    from sluice.curate.kernel.signatures import band_keys, bands_for
    from sluice.curate.kernel.survivors import WORD_SORT

    band_keys(fold(texts), WORD_SORT, np.ones(len(texts), bool), *bands_for(PERCENT))


def rensa_exact(texts: pa.Array) -> Mask:
    """Return which documents are dropped: rensa's index finds candidates, exact Jaccard decides."""
    from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue]

    sets = [_shingles(text) for text in texts.to_pylist()]
    index = RMinHashLSH(threshold=PERCENT / 100, num_perm=125, num_bands=25)  # the bands that ours takes
    dropped = np.zeros(len(sets), bool)
    for i, signed in enumerate(RMinHash.from_token_sets(sets, num_perm=125, seed=42)):
        dropped[i] = any(near(sets[i], sets[j]) for j in index.query(signed))
        if not dropped[i]:
            index.insert(i, signed)
    return dropped


def _shingles(text: str) -> set[str]:
    words = text.split()
    return {" ".join(words[k : k + 3]) for k in range(len(words) - 2)}


def _rensa_flags(texts: pa.Array, digest: str, bands: int) -> Mask:
    import polars as pl
    import rensa

    words: Any = pl.from_arrow(texts)
    hashed = words.str.split(" ").explode().hash(7).to_numpy()
    grams = hashed[:-2] * np.uint64(0x9E3779B97F4A7C15) + hashed[1:-1] * np.uint64(0xBF58476D1CE4E5B9) + hashed[2:]
    whole = np.arange(len(grams)) % WORDS < WORDS - 2
    offsets = np.arange(len(texts) + 1, dtype=np.uint64) * np.uint64(WORDS - 2)
    peer: Any = rensa
    matrix = getattr(peer.RMinHash, digest)(grams[whole], offsets, num_perm=128, seed=42)
    index = peer.RMinHashLSH(threshold=PERCENT / 100, num_perm=128, num_bands=bands)
    return np.array(index.query_duplicate_flags_matrix_one_shot(matrix))


def rensa_flags(texts: pa.Array) -> Mask:
    """Return which documents share a band with another, by full-set signatures."""
    return _rensa_flags(texts, "digest_matrix_from_flat_token_hashes", 16)


def rensa_rho(texts: pa.Array) -> Mask:
    """Return the same by the rho sketch, which samples token positions: rensa's fastest way, with its own bands."""
    return _rensa_flags(texts, "digest_matrix_from_flat_token_hashes_rho", 8)


WAYS: dict[str, Callable[[pa.Array], Mask]] = {
    "ours": ours,
    "floor": floor,
    "rensa-exact": rensa_exact,
    "rensa-flags": rensa_flags,
    "rensa-rho": rensa_rho,
}
FLAGS = ("rensa-flags", "rensa-rho")


def measure(way: str, file: str) -> None:
    """Run one way once over a stored array and print its seconds, what it dropped and its peak memory."""
    with pa.memory_map(file) as source:
        texts = pa.ipc.open_file(source).read_all().column("text").combine_chunks()
    WAYS[way](texts[:200])  # what is compiled and loaded once
    before = time.perf_counter()
    dropped = WAYS[way](texts)
    seconds = time.perf_counter() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    rows = [] if dropped is None else np.flatnonzero(dropped).tolist()
    print(json.dumps({"seconds": seconds, "rows": rows, "gigabytes": peak}))


def compare(count: int, ways: list[str], rounds: int) -> dict[str, float]:
    """Measure ways in turn over so many documents, print a table and return the median seconds of each."""
    import tempfile

    texts, family = documents(count)
    dropped, paired = truth(texts, family)
    print(f"\n{count:,} documents, {texts.nbytes / 1e6:.0f} MB, {len(dropped):,} to drop; medians of {rounds}")
    print(f"{'way':<12} {'seconds':>8} {'fastest':>8} {'x ours':>7} {'recall':>7} {'precision':>9} {'peak GB':>8}")
    with tempfile.TemporaryDirectory() as folder:
        file = f"{folder}/texts.arrow"
        table = pa.table({"text": texts})
        with pa.ipc.new_file(file, table.schema) as sink:
            sink.write_table(table.combine_chunks())
        runs: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for _ in range(rounds):
            for way in ways:
                done = subprocess.run(
                    [sys.executable, __file__, "--measure", way, file], capture_output=True, text=True
                )
                if done.returncode:
                    sys.exit(done.stderr)
                runs[way].append(json.loads(done.stdout))
    base = statistics.median(r["seconds"] for r in runs["ours"])
    for way in ways:
        seconds = [r["seconds"] for r in runs[way]]
        rows, want = set(runs[way][0]["rows"]), paired if way in FLAGS else dropped
        quality = (
            f"{len(rows & want) / len(want):>7.3f} {len(rows & paired) / len(rows):>9.3f}" if rows else f"{'':>17}"
        )
        middle, peak = statistics.median(seconds), max(r["gigabytes"] for r in runs[way])
        print(f"{way:<12} {middle:>8.2f} {min(seconds):>8.2f} {middle / base:>7.2f} {quality} {peak:>8.2f}", flush=True)
    return {way: statistics.median(r["seconds"] for r in runs[way]) for way in ways}


def plot(medians: dict[int, dict[str, float]], file: str) -> None:
    """Draw seconds over documents on two logarithmic axes, with what a straight growth of the first would be."""
    import altair as alt

    first = min(medians)
    points = [
        {"documents": count, "seconds": seconds, "way": way}
        for count, ways in medians.items()
        for way, seconds in ways.items()
    ]
    straight = [
        {"documents": c, "seconds": medians[first]["ours"] * c / first, "way": "linear growth"}
        for c in (first, max(medians))
    ]
    x = alt.X("documents:Q", scale=alt.Scale(type="log"), title="documents of 94 words")
    y = alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds")
    measured = alt.Chart(alt.Data(values=points)).mark_line(point=True).encode(x, y, color="way:N")
    reference = alt.Chart(alt.Data(values=straight)).mark_line(strokeDash=[4, 4]).encode(x, y, color="way:N")
    (measured + reference).properties(width=480, height=300).save(file)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="near-duplicates, ours and rensa's")
    parser.add_argument("counts", nargs="*", type=int, default=[50_000, 200_000])
    parser.add_argument("--ours", action="store_true", help="only ours and its floor")
    parser.add_argument("--plot", metavar="FILE", help="draw how seconds grow with documents (SVG or PNG)")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        measure(*asked.measure)
        return
    ways = ["ours", "floor"] if asked.ours else list(WAYS)
    medians = {count: compare(count, ways, asked.rounds) for count in asked.counts}
    if asked.plot:
        plot(medians, asked.plot)


if __name__ == "__main__":
    main()
