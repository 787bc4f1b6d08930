"""Reading a log of scores: ours, `{id, score}` JSONL, and the samples that lm-eval writes.

A log is read whole or refused with the line: a lost, doubled or missing score would move the difference in silence.
Whether scores are 0/1 or graded is taken from what the log declares, else from the caller; it is never guessed from
the values. Knows nothing of verdicts.

    ours        {"row": "<hash>", "input": "<hash>", "score": 1.0}     a run folder, or its scores.jsonl
    id-score    {"id": "a", "score": 0.5, "hash": "...", "group": "..."}      hash and group if wanted
    lm-eval     {"doc_id": 0, "doc_hash": "...", "filter": "none", "metrics": ["acc"], "acc": 1.0, ...}

The first line of the first two may be a header that declares them: {"kind": "graded", "range": [0, 5], "direction":
"lower"} (`direction` if wanted).
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import BadPath, InputError

Format = Literal["ours", "id-score", "lm-eval"]
Kind = Literal["binary", "graded"]
SCORES_FILE = "scores.jsonl"

# lm-eval's metrics whose value for one document is 0 or 1 by definition (lm_eval/api/metrics.py, task.py); a task of
# its own making may bend one, then a value between refuses and `kind` says it.
_BINARY_METRICS = frozenset({"acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match"})
_LOWER_IS_BETTER = frozenset(
    {"ter", "perplexity", "word_perplexity", "byte_perplexity", "bits_per_byte", "brier_score"}
)
# What a sample holds beside its metrics; only for logs that do not list `metrics`.
_NOT_METRICS = frozenset(
    {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics", "doc_hash", "prompt_hash"}
    | {"target_hash"}
)


class LogRow(BaseModel):
    """One row's score as the log has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    score: float
    line: int
    """Physical line in the file, from 1."""
    content: str | None = None
    """Hash of what was asked, where the log has one."""
    target: str | None = None
    """Hash of the target, where the log has one."""
    group: str | None = None


class ForeignLog(BaseModel):
    """A log as it was read: one score for each id."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path
    format: Format
    rows: Mapping[str, LogRow]
    """By id, in the log's order."""
    kind: Kind | None = None
    """As declared by the log or by the metric's definition; None where neither says."""
    range: tuple[float, float] | None = None
    direction: Literal["higher", "lower"] | None = None
    declared: bool = False
    """True where the log itself declares its kind, which the caller then cannot change."""
    filter: str | None = None
    metric: str | None = None
    by_input: bool = False
    """Whether a log of ours is older than lines that name their row: its ids are hashes of inputs."""

    @property
    def name(self) -> str:
        """What the log is called in messages."""
        return str(self.path)


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Kind
    range: tuple[float, float] | None = None
    direction: Literal["higher", "lower"] | None = None


def read_log(path: Path, *, filter: str | None = None, metric: str | None = None) -> ForeignLog:
    """Read a log of scores.

    Args:
        path: a file of JSON lines, a run folder that holds scores.jsonl, or a folder with one lm-eval samples file.
        filter: which of lm-eval's answer filters; needed where the log has several.
        metric: which of lm-eval's metrics; needed where the log has several.

    Raises:
        InputError: with file and line, for a missing or empty file, a line that is no JSON object, an id that is
            missing or stands twice, a score that is missing, null, NaN or no number, and an unclear choice of filter
            or metric (the message lists them).
    """
    file = _file(path)
    records = list(_records(file))
    if not records:
        raise InputError("the log has no line", where=str(file), remedy="check that the run has finished")
    first = records[0][1]
    if "doc_id" in first:
        return _read_samples(file, records, filter, metric)
    if filter is not None or metric is not None:
        raise InputError(
            "filter and metric belong to lm-eval samples, and this log is none",
            where=str(file),
            remedy="leave them out",
        )
    header = _header(file, first)
    if header is not None:
        records = records[1:]
        if not records:
            raise InputError("the log has a header and no score", where=str(file), remedy="check that it is whole")
    keys = records[0][1].keys()
    if "score" not in keys or not ({"input", "id"} & keys):
        raise InputError(
            f"this is no log of scores: its first line has the keys {', '.join(list(keys)[:8]) or 'none'}",
            where=f"{file}:{records[0][0]}",
            remedy='give lines such as {"id": "a", "score": 1}, a run folder, or the samples that lm-eval writes',
        )
    own = "id" not in keys
    by_input = own and "row" not in keys
    key, content = ("input", "hash") if by_input else ("row", "input") if own else ("id", "hash")
    rows = _collect(file, records, key, "score", content)
    return ForeignLog(
        path=file,
        format="ours" if own else "id-score",
        rows=rows,
        kind=header.kind if header else None,
        range=header.range if header else None,
        direction=header.direction if header else None,
        declared=header is not None,
        by_input=by_input,
    )


def _file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise BadPath("there is no such file or folder", where=str(path), remedy="check the path")
    if (path / SCORES_FILE).is_file():
        return path / SCORES_FILE
    samples = sorted(path.rglob("samples_*.jsonl"))
    if len(samples) == 1:
        return samples[0]
    listed = ", ".join(str(s.relative_to(path)) for s in samples[:8])
    raise InputError(
        f"the folder holds {len(samples)} samples files: {listed}" if samples else f"the folder has no {SCORES_FILE}",
        where=str(path),
        remedy="name one of them" if samples else "name a run folder that has been scored, or a file",
    )


def _records(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (physical line, object); lines end at LF only, blank ones are passed over."""
    with open(file, "rb") as lines:
        for number, raw in enumerate(lines, start=1):
            if not raw.strip():
                continue
            try:
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                value = json.loads(text, object_pairs_hook=_once)
            except (ValueError, RecursionError) as problem:
                raise InputError(
                    f"this line is no JSON: {problem}", where=f"{file}:{number}", remedy="give one JSON object a line"
                ) from None
            if not isinstance(value, dict):
                raise InputError(
                    "this line is no JSON object", where=f"{file}:{number}", remedy="give one JSON object a line"
                )
            yield number, value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _header(file: Path, first: dict[str, Any]) -> _Header | None:
    if "kind" not in first or "score" in first:
        return None
    try:
        header = _Header.model_validate(first)
    except ValueError:
        header = None
    if header is None or (header.kind == "graded" and header.range is None):
        raise InputError(
            "the header does not say what the scores are",
            where=f"{file}:1",
            remedy='write {"kind": "binary"} or {"kind": "graded", "range": [0, 1]}',
        )
    return header


def _read_samples(
    file: Path, records: list[tuple[int, dict[str, Any]]], filter: str | None, metric: str | None
) -> ForeignLog:
    filters = list(dict.fromkeys(str(r.get("filter", "none")) for _, r in records))
    chosen = _choose(file, "filter", filters, filter)
    records = [(line, r) for line, r in records if str(r.get("filter", "none")) == chosen]
    listed = records[0][1].get("metrics")
    if not isinstance(listed, list):
        listed = [key for key in records[0][1] if key not in _NOT_METRICS]
    measure = _choose(file, "metric", [str(name) for name in listed], metric)
    return ForeignLog(
        path=file,
        format="lm-eval",
        rows=_collect(file, records, "doc_id", measure, "doc_hash"),
        kind="binary" if measure in _BINARY_METRICS else None,
        direction="lower" if measure in _LOWER_IS_BETTER else None,
        filter=chosen,
        metric=measure,
    )


def _choose(file: Path, what: str, there: list[str], wanted: str | None) -> str:
    if wanted is None and len(there) == 1:
        return there[0]
    if wanted is not None and wanted in there:
        return wanted
    listed = ", ".join(there) or "none"
    problem = f"there is no {what} '{wanted}'" if wanted is not None else f"there are {len(there)} {what}s"
    raise InputError(f"{problem}; the log has: {listed}", where=str(file), remedy=f"name one with --{what}")


def _collect(
    file: Path, records: list[tuple[int, dict[str, Any]]], id_key: str, score_key: str, content_key: str
) -> dict[str, LogRow]:
    rows: dict[str, LogRow] = {}
    for line, record in records:
        where = f"{file}:{line}"
        name = record.get(id_key)
        if isinstance(name, bool) or not isinstance(name, (str, int)) or name == "":
            raise InputError(
                f"this line has no '{id_key}' (text or whole number)", where=where, remedy="give each row one"
            )
        key = str(name)
        if key in rows:
            raise InputError(
                f"the {id_key} '{key}' stands twice, first in line {rows[key].line}",
                where=where,
                remedy="give one score for each row (of repeats, keep one, or their mean)",
            )
        rows[key] = LogRow(
            score=_score(record, score_key, where, key),
            line=line,
            content=_text(record.get(content_key)),
            target=_text(record.get("target_hash")),
            group=_text(record.get("group")),
        )
    return rows


def _score(record: dict[str, Any], key: str, where: str, row: str) -> float:
    if key not in record:
        raise InputError(
            f"row '{row}' has no '{key}'", where=where, remedy="score the row, or leave it out of both logs"
        )
    value = record[key]
    if isinstance(value, (bool, int, float)):
        try:
            score = float(value)
        except OverflowError:
            score = math.inf
        if math.isfinite(score):
            return score
    shown = json.dumps(value)[:40]
    raise InputError(
        f"the '{key}' of row '{row}' is {shown}, not a number",
        where=where,
        remedy="score the row again, or leave it out of both logs; a gap is never counted as 0",
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
