"""Decontamination of many training rows against 200 eval rows: seconds from a version's columns to evidence.

    python benchmarks/decontaminate.py                     10,000, 100,000 and 1,000,000 rows
    python benchmarks/decontaminate.py 2000000 --no-plain  only ours

Rows are made here: chats' worth of 50 words and an answer of 10, in words that are as frequent as in running text; one
row in 5,000 repeats an eval row. Each way in a process of its own:

    relation   the one relation: equal, near-equal, contained in any field (`leaks_in_frame`)
    13-grams   any shared 13 words (`ngram_overlap`)
    documents  rows whose input stands in one of ten documents, 1 MB in all (`leaks_of_documents`)
    plain      13-grams as scripts do it: a Python set of word tuples; no normal form, no evidence
    by row     documents as `find_leaks_in_texts` looks into them, with every row an object: what columns save

`--short` cuts the questions to 6 words, which are compared by characters.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

EVAL_ROWS, WORDS, ANSWER, VOCABULARY, EVERY = 200, 50, 10, 60_000, 5_000
WAYS = ("relation", "13-grams", "documents", "plain", "by row")
PLAIN = WAYS[3:]
SHORT = 6  # words
DOCUMENTS, PARAGRAPHS, LONG = 10, 200, 80  # words of a paragraph


def rows(count: int, words: int = WORDS) -> tuple[Any, list[Any]]:
    """Return (a frame of rows.COLUMNS, the eval rows)."""
    import polars as pl

    from sluice.core.rows import AnyRow, Example
    from sluice.curate.dataset import rows_frame

    rng = np.random.default_rng(0)
    letters = list("abcdefghijklmnopqrstuvwxyz")
    vocabulary = np.array(["".join(rng.choice(letters, rng.integers(2, 9))) for _ in range(VOCABULARY)], dtype=object)
    weights = np.cumsum(1 / np.arange(1, VOCABULARY + 1))  # Zipf, as in running text

    def texts(number: int, words: int) -> list[str]:
        drawn = np.searchsorted(weights / weights[-1], rng.random((number, words)))
        return [" ".join(some) for some in vocabulary[drawn]]

    made: list[AnyRow] = [
        Example(input={"question": q}, target=a)
        for q, a in zip(texts(EVAL_ROWS, words), texts(EVAL_ROWS, ANSWER), strict=True)
    ]
    questions, answers = texts(count, words), texts(count, ANSWER)
    for number in range(0, count, EVERY):
        repeated = made[(number // EVERY) % EVAL_ROWS].input
        questions[number] = f"Hello! {repeated['question'].upper()}?"  # type: ignore[index]
    frame = rows_frame(made[:1]).clear()
    numbers = pl.Series(range(count), dtype=pl.Int64)
    blank = {name: pl.Series([None] * count, dtype=dtype) for name, dtype in frame.schema.items()}
    written = {
        "row": numbers.cast(pl.String),  # names of rows are not what is measured
        "kind": pl.Series(["example"] * count),
        "input_form": pl.Series(["fields"] * count),
        "input": pl.Series([json.dumps({"question": q}, separators=(",", ":")) for q in questions]),
        "target_form": pl.Series(["text"] * count),
        "target": pl.Series(answers),
        "groups": pl.Series([[]] * count, dtype=pl.List(pl.String)),
    }
    return pl.DataFrame(blank | written).select(frame.columns), list(made)


def measure(way: str, count: int, words: int) -> dict[str, Any]:
    """Run one way once, after a first call on few rows: compiled code is kept between runs."""
    frame, eval_rows = rows(count, words)
    run = {"relation": _relation, "13-grams": _ngrams, "documents": _documents, "plain": _plain, "by row": _by_row}[way]
    run(frame.head(3_000), eval_rows)
    start, cpu = time.perf_counter(), time.process_time()
    found = run(frame, eval_rows)
    return {
        "seconds": time.perf_counter() - start,
        "cpu": time.process_time() - cpu,
        "rows": found,
        "gigabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def _relation(frame: Any, eval_rows: list[Any]) -> int:
    from sluice.curate.leaks.in_frame import leaks_in_frame
    from sluice.curate.similar.similarity import Relation

    return len({leak.row for leak in leaks_in_frame(frame, eval_rows, Relation())})


def _ngrams(frame: Any, eval_rows: list[Any]) -> int:
    from sluice.curate.leaks.overlap import ngram_overlap

    return len({overlap.row for overlap in ngram_overlap(frame, eval_rows, 13).found})


def _texts(eval_rows: list[Any]) -> dict[str, str]:
    """Return documents in the words of the rows; the eval rows, which some rows repeat, stand in the first."""
    rng = np.random.default_rng(2)
    words = " ".join(row.input["question"] for row in eval_rows).split()
    blocks = [" ".join(words[i] for i in rng.integers(0, len(words), LONG)) for _ in range(DOCUMENTS * PARAGRAPHS)]
    blocks[0] = "\n".join(row.input["question"] for row in eval_rows)
    return {f"{n}.md": "\n\n".join(blocks[n * PARAGRAPHS : (n + 1) * PARAGRAPHS]) for n in range(DOCUMENTS)}


def _documents(frame: Any, eval_rows: list[Any]) -> int:
    from sluice.curate.leaks.in_documents import leaks_of_documents
    from sluice.curate.similar.similarity import Relation

    return len({leak.eval_row for leak in leaks_of_documents(frame, _texts(eval_rows), Relation())})


def _by_row(frame: Any, eval_rows: list[Any]) -> int:
    from sluice.core.rows import from_record
    from sluice.curate.leaks.find import find_leaks_in_texts
    from sluice.curate.similar.similarity import Relation

    found: set[str] = set()
    for low in range(0, frame.height, 20_000):
        some = [from_record(record) for record in frame.slice(low, 20_000).iter_rows(named=True)]
        found |= {leak.eval_row for leak in find_leaks_in_texts(_texts(eval_rows), some, Relation())}
    return len(found)


def _plain(frame: Any, eval_rows: list[Any]) -> int:
    def grams(text: str) -> set[tuple[str, ...]]:
        words = text.lower().split()
        return {tuple(words[i : i + 13]) for i in range(len(words) - 12)}

    wanted = set().union(*(grams(text) for row in eval_rows for text in row.texts().values()))
    found = 0
    for text, target in zip(frame["input"], frame["target"], strict=True):
        texts = [*json.loads(text).values(), target]
        found += any(not wanted.isdisjoint(grams(one)) for one in texts)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="decontamination against 200 eval rows")
    parser.add_argument("counts", nargs="*", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--no-plain", action="store_true", help="leave the plain Python ways out")
    parser.add_argument("--short", action="store_true", help="questions of 6 words")
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "COUNT"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    words = SHORT if asked.short else WORDS
    if asked.measure:
        print(json.dumps(measure(asked.measure[0], int(asked.measure[1]), words)))
        return
    print(f"{'rows':>10} {'way':<10} {'seconds':>8} {'cpu':>8} {'found':>7} {'GB':>6}")
    for count in asked.counts:
        for way in (way for way in WAYS if not (asked.no_plain and way in PLAIN)):
            command = [sys.executable, __file__, "--measure", way, str(count), *(["--short"] if asked.short else [])]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                sys.exit(done.stderr)
            r = json.loads(done.stdout)
            print(
                f"{count:>10,} {way:<10} {r['seconds']:>8.2f} {r['cpu']:>8.2f} {r['rows']:>7,} {r['gigabytes']:>6.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
