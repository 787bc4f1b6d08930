"""A dataset card: Hugging Face's YAML, and a text for people. From what is known and stated, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sluice.core.wording import counted
from sluice.curate.formats import ExportRow
from sluice.curate.publish.facts import CheckFact, Facts, OperationFact, SplitFact
from sluice.curate.publish.features import Feature, as_yaml, has_json
from sluice.curate.publish.tables import Tables
from sluice.curate.publish.words import FILE, CardWords

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000)
SIZE_NAMES = ("1K", "10K", "100K", "1M", "10M", "100M", "1B")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")
STORY = {
    "dedup": "Duplicates were not looked for (`sluice dedup`).",
    "decontaminate": "Rows that repeat rows of an eval set were not looked for (`sluice decontaminate`).",
}


def size_category(rows: int) -> str:
    """Return Hugging Face's size category of a number of rows."""
    below = next((i for i, size in enumerate(SIZES) if rows < size), None)
    if below is None:
        return "n>1T" if rows >= 10**12 else "1B<n<10B"
    return "n<1K" if below == 0 else f"{SIZE_NAMES[below - 1]}<n<{SIZE_NAMES[below]}"


def card_text(
    facts: Facts, words: CardWords, tables: Tables, *, samples: Sequence[tuple[str, ExportRow]] = (), disk: bool = False
) -> str:
    """Return the card of a published folder: YAML between two lines of dashes, then Markdown.

    Args:
        facts: what is known.
        words: what people state.
        tables: what was written.
        samples: rows to show, each with its split; none unless asked for.
        disk: whether the folder is one of `save_to_disk`.
    """
    head = "\n".join(_yaml(_front(facts, words, tables, disk)))
    parts = [
        _title(facts, words),
        _at_a_glance(facts, words),
        _columns(tables),
        _origin(facts),
        _made(facts),
        _lengths(facts),
        _checks(facts),
        _personal(facts),
        _samples(samples),
        _use(tables, disk),
    ]
    return f"---\n{head}\n---\n\n" + "\n\n".join(part for part in parts if part) + "\n"


def _front(facts: Facts, words: CardWords, tables: Tables, disk: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if words.license:
        known = _LICENSE.fullmatch(words.license.lower())
        found["license"] = words.license.lower() if known else "other"
        if not known:
            found["license_name"] = words.license
    if words.language:
        found["language"] = list(words.language)
    found["pretty_name"] = words.title or facts.dataset
    found["size_categories"] = [size_category(facts.rows)]
    tasks = words.task_categories or _tasks(facts)
    if tasks:
        found["task_categories"] = list(tasks)
    found["tags"] = [*words.tags, "sluice"]
    if not disk:
        paths = [{"split": s.split, "path": f"data/{s.split}-*"} for s in tables.splits]
        found["configs"] = [{"config_name": "default", "data_files": paths}]
    sizes = [{"name": s.split, "num_bytes": s.memory, "num_examples": s.rows} for s in tables.splits]
    found["dataset_info"] = {
        "features": as_yaml(tables.features),
        "splits": sizes,
        "download_size": sum(file.size for split in tables.splits for file in split.files),
        "dataset_size": sum(split.memory for split in tables.splits),
    }
    return found


def _tasks(facts: Facts) -> tuple[str, ...]:
    """Return the task that the rows themselves tell: texts to go on from, and chats to answer."""
    chats = all(split.chats == split.rows for split in facts.splits)
    return ("text-generation",) if set(facts.kinds) == {"text"} or (set(facts.kinds) == {"example"} and chats) else ()


def _yaml(value: Any, indent: str = "") -> list[str]:
    """Return a value of dicts, lists and scalars as lines of YAML, keys in their order."""
    lines: list[str] = []
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, dict):
                lines += [f"{indent}{_scalar(key)}:", *_yaml(item, indent + "  ")]
            elif isinstance(item, list):
                lines += [f"{indent}{_scalar(key)}:", *_yaml(item, indent)]
            else:
                lines.append(f"{indent}{_scalar(key)}: {_scalar(item)}")
        return lines
    for item in value:
        inner = _yaml(item, indent + "  ") if isinstance(item, (dict, list)) else [f"{indent}  {_scalar(item)}"]
        lines += [f"{indent}- {inner[0][len(indent) + 2 :]}", *inner[1:]]
    return lines


def _scalar(value: Any) -> str:
    """Return a text as it is where YAML reads it as that text, else in quotes as JSON has them."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = _PLAIN.fullmatch(value) and value.lower() not in _WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def _title(facts: Facts, words: CardWords) -> str:
    told = words.description or facts.described
    return f"# {words.title or facts.dataset}\n\n{told or _missing('What it is for', 'description')}"


def _missing(what: str, key: str) -> str:
    return f"{what}: not stated (`{key}` in {FILE})."


def _at_a_glance(facts: Facts, words: CardWords) -> str:
    kinds = ", ".join(f"{n:,} {kind}" for kind, n in facts.kinds.items())
    chats = sum(split.chats for split in facts.splits)
    form = "chats" if chats == facts.rows else "named fields" if not chats else f"{chats:,} chats, else named fields"
    lines = [
        f"- rows: {facts.rows:,} ({kinds}); inputs are {form}",
        *(f"  - {s.split}: {s.rows:,} rows, {s.inputs:,} distinct inputs, from {s.dataset}" for s in facts.splits),
        f"- licence: {words.license or 'not stated (`--license`, or `license` in ' + FILE + ')'}",
        f"- language: {', '.join(words.language) or 'not stated (`--language`, or `language` in ' + FILE + ')'}",
        f"- made by: {', '.join(words.creators) or 'not stated (`creators` in ' + FILE + ')'}",
    ]
    if words.publisher:
        lines.append(f"- published by: {words.publisher}")
    if words.homepage:
        lines.append(f"- home page: {words.homepage}")
    if words.citation:
        lines.append(f"\n```\n{words.citation.strip()}\n```")
    return "## At a glance\n\n" + "\n".join(lines)


def _columns(tables: Tables) -> str:
    rows = [f"| `{_cell(f.name)}` | {_cell(f.shown)} |" for f in tables.features]
    changed = [f"- `{name}`: {what}" for name, what in sorted(tables.inexact.items())]
    told = "\n\nWritten otherwise than the rows have it:\n\n" + "\n".join(changed) if changed else ""
    shape = f"Rows are in the shape `{tables.shape}`."
    return f"## Columns\n\n{shape}\n\n| column | type |\n|---|---|\n" + "\n".join(rows) + told


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _origin(facts: Facts) -> str:
    if not facts.sources:
        return "## Sources\n\nNone is recorded."
    rows = [
        f"| {_cell(s.name)} | {s.format}, {s.shape}, {s.encoding} | {s.rows:,} | {s.set_aside:,} | `{s.sha256}` |"
        for s in facts.sources
    ]
    head = "| file | read as | rows | lines set aside | SHA-256 |\n|---|---|---|---|---|\n"
    return "## Sources\n\n" + head + "\n".join(rows)


def _made(facts: Facts) -> str:
    rows = [
        f"| {o.time} | {o.verb} | {o.rows_in:,} | {o.rows_out:,} | {_cell(_counts(o))} | {_cell(_settings(o))} |"
        for o in facts.operations
    ]
    head = "| when | what | rows before | rows after | by reason | settings |\n|---|---|---|---|---|---|\n"
    never = [text for verb, text in STORY.items() if not facts.ran(verb)]
    return "## What was done\n\n" + head + "\n".join(rows) + ("\n\n" + "\n".join(never) if never else "")


def _counts(operation: OperationFact) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in operation.counts.items() if number)


def _settings(operation: OperationFact) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in operation.settings.items())


def _lengths(facts: Facts) -> str:
    rows: list[str] = []
    for split in facts.splits:
        for what, found in (("input", split.input_characters), ("answer", split.answer_characters)):
            if found:
                told = " | ".join(f"{found[name]:,.0f}" for name in ("min", "p50", "p95", "max"))
                rows.append(f"| {split.split} | {what} | {told} |")
    head = "| split | | shortest | middle | 95 of 100 below | longest |\n|---|---|---|---|---|---|\n"
    return "## Lengths in characters\n\n" + head + "\n".join(rows)


def _checks(facts: Facts) -> str:
    if not any(split.checks for split in facts.splits):
        return "## Checks\n\nThe checks of `sluice audit` were not run (`--no-checks`)."
    rows = [
        f"| {split.split} | {c.name} | {_found(c)} | {_cell(c.what)} |" for split in facts.splits for c in split.checks
    ]
    head = "| split | check | found | what it looks for |\n|---|---|---|---|\n"
    return "## Checks\n\nWhat `sluice audit` says of each split.\n\n" + head + "\n".join(rows)


def _found(check: CheckFact) -> str:
    if check.status == "absent":
        return f"not looked at: {', '.join(check.missing)}"
    return "nothing" if check.status == "ok" else f"{check.count:,} ({check.severity})"


def _personal(facts: Facts) -> str:
    told = [_personal_of(split) for split in facts.splits]
    limits = "The check goes by patterns; names and addresses of people are not seen by it."
    return "## Personal data\n\n" + "\n".join(told) + f"\n\n{limits}"


def _personal_of(split: SplitFact) -> str:
    check = next((c for c in split.checks if c.name == "personal"), None)
    if check is None or check.status == "absent":
        return f"- {split.split}: not looked for"
    if check.status == "ok":
        return f"- {split.split}: none found in {counted(split.rows, 'row')}"
    return f"- {split.split}: {counted(check.count, 'row')} with personal data or a secret"


def _samples(samples: Sequence[tuple[str, ExportRow]]) -> str:
    if not samples:
        return ""
    told = [f"{split}, row `{row.record['row'][:10]}`:\n\n```json\n{_sample(row)}\n```" for split, row in samples]
    return "## Sample rows\n\n" + "\n\n".join(told)


def _sample(row: ExportRow) -> str:
    shown = {"input": json.loads(row.record["input"])}
    shown |= {n: row.record[n] for n in ("target", "chosen", "rejected", "answer", "good") if row.record[n] is not None}
    return json.dumps(shown, ensure_ascii=False, indent=2)


def _use(tables: Tables, disk: bool) -> str:
    load = "load_from_disk" if disk else "load_dataset"
    code = f'from datasets import {load}\n\ndata = {load}("PATH_OR_ID")\nprint(data["{tables.splits[0].split}"][0])'
    needs = _needs(tables.features)
    return f"## Use\n\n```python\n{code}\n```{needs}\n\nHashes of all files and versions are in `sluice.json`."


def _needs(features: list[Feature]) -> str:
    return "\n\nColumns of type json need `datasets` 4.7 or newer." if has_json(features) else ""
