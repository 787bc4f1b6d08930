"""Feedback of users: thumbs, regenerations and edits, as JSON lines or a dataset of judged answers.

A line holds the input (its text, its fields, or messages; or `row`, the hash of a row) and either one answer with
thumbs (`answer`, `good`) or two of which one was preferred (`chosen`, `rejected`: the second try that was kept against
the first, the edit against what was edited). Columns of other names are named by `--columns answer=reply,good=thumb`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from sluice.core.canonical import JsonProblem, parse_exact
from sluice.core.errors import InputError, UsageError
from sluice.core.rows import SHOWN, Input, Preference, Unpaired, chat_input, input_hash
from sluice.core.wording import counted
from sluice.curate.dataset import has_dataset, open_dataset
from sluice.curate.pairs.candidate import Answer, Candidate, Gathered, Judged
from sluice.curate.pairs.material import Material
from sluice.curate.pairs.source import Asked, source

NAME = "feedback"
ROLES = ("input", "row", "answer", "good", "chosen", "rejected", "by", "reason")
GOOD = frozenset({"true", "1", "1.0", "up", "thumbs_up", "thumbs-up", "good", "yes", "like", "+1", "👍"})
BAD = frozenset({"false", "0", "0.0", "-1", "down", "thumbs_down", "thumbs-down", "bad", "no", "dislike", "👎"})
USERS = "users"
"""Who preferred, where a line does not say."""


@source
class Feedback:
    """Reads JSON lines, or a dataset of kind unpaired or preference."""

    name = NAME
    takes = "FILE"
    what = "thumbs, regenerations and edits of users: a file of JSON lines, or a dataset of judged answers"

    def gather(self, material: Material, asked: Asked) -> Gathered:
        """Return pairs that a line says, and of thumbs those of a good and a bad answer to one input.

        Raises InputError for a file that is not there or holds no feedback, and with its line for one that cannot be
        read; UsageError for a role that there is not.
        """
        found = Gathered()
        unknown = sorted(set(asked.columns) - set(ROLES))
        if unknown:
            raise UsageError(
                f"'{unknown[0]}' is no role of a column", where="--columns", remedy=f"one of: {', '.join(ROLES)}"
            )
        file = Path(asked.of)
        if file.is_file():
            _read_file(file, material, asked.columns, found)
        elif has_dataset(material.project, asked.of.partition("@")[0].partition(":")[0]):
            _read_dataset(material, asked.of, found)
        else:
            raise InputError(
                f"'{asked.of}' is no file here, and no dataset", where="--from", remedy="feedback:FILE.jsonl"
            )
        by_input: dict[str, list[Judged]] = defaultdict(list)
        for judged in found.judged:
            by_input[judged.input].append(judged)
        for digest, judged in by_input.items():
            good, bad = ([one for one in judged if one.good is word] for word in (True, False))
            if not good or not bad:
                found.aside["thumbs of one kind only to the input"] += len(judged)
            for one in good:
                for other in bad:
                    people = tuple(dict.fromkeys([*one.by, *other.by]))
                    why = f"{', '.join(one.by)} called it good, {', '.join(other.by)} called the other one bad"
                    found.candidates.append(
                        Candidate(digest, one.content, one.answer, other.answer, 1.0, NAME, people, why)
                    )
        return found


def _read_file(file: Path, material: Material, columns: Mapping[str, str], to: Gathered) -> None:
    names = {role: columns.get(role, role) for role in ROLES}
    lines = file.read_bytes().splitlines()
    if not any(line.strip() for line in lines):
        raise InputError("the file has no line", where=str(file), remedy="give one JSON object a line")
    for number, line in enumerate(lines, start=1):  # a line is a record of its own, of either kind
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            record = parse_exact(line.decode())
        except (JsonProblem, UnicodeDecodeError) as problem:
            raise InputError(f"the line is no JSON: {problem}", where=where, remedy="one JSON object a line") from None
        if not isinstance(record, dict):
            raise InputError("the line is no JSON object", where=where, remedy="one JSON object a line")
        _take(cast("dict[str, Any]", record), names, material, where, where, to)


def _take(
    record: dict[str, Any], names: Mapping[str, str], material: Material, where: str, origin: str, to: Gathered
) -> None:
    said = {role: record.get(name) for role, name in names.items()}
    content = _content(said, names, material, where)
    by = (str(said["by"]) if said["by"] else USERS,)
    reason = f": {said['reason']}" if said["reason"] else ""
    digest = input_hash(content)
    if said["chosen"] is not None and said["rejected"] is not None:
        better, worse = (Answer(_text(said[role], names[role], where), origin) for role in ("chosen", "rejected"))
        why = f"{by[0]} preferred it ({origin}){reason}"
        to.candidates.append(Candidate(digest, content, better, worse, 1.0, NAME, by, why))
    elif said["answer"] is not None:
        good = _good(said["good"])
        if good is None:
            to.aside["an answer without thumbs"] += 1
            return
        word = "good" if good else "bad"
        answer = Answer(_text(said["answer"], names["answer"], where), origin)
        to.judged.append(
            Judged(digest, content, answer, good, NAME, by, f"{by[0]} called it {word} ({origin}){reason}")
        )
    else:
        raise InputError(
            f"the line has neither '{names['answer']}' and '{names['good']}' nor '{names['chosen']}' and "
            f"'{names['rejected']}'; it has: {', '.join(list(record)[:8])}",
            where=where,
            remedy="name its columns: --columns answer=COLUMN,good=COLUMN",
        )


def _content(said: Mapping[str, Any], names: Mapping[str, str], material: Material, where: str) -> Input:
    if said["row"] is not None:
        prefix = str(said["row"])
        rows = [row for name, row in material.rows.items() if name.startswith(prefix)] if len(prefix) >= 6 else []
        if not rows or len({row.input_hash for row in rows}) > 1:
            raise InputError(
                f"'{prefix[:SHOWN]}' names no one row of {material.name}",
                where=where,
                remedy="give its hash, 6 digits or more, or the input itself",
            )
        return rows[0].input
    value = said["input"]
    if isinstance(value, list):
        return chat_input(cast("list[Any]", value))
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return chat_input(fields["messages"], fields.get("tools")) if "messages" in fields else fields
    if isinstance(value, str) and value.strip():
        fields = {name for rows in material.inputs.values() for name in _fields(rows[0].input)}
        if len(fields) != 1:
            raise InputError(
                f"the input is one text, and rows of {material.name} have "
                + (counted(len(fields), "field") + f" ({', '.join(sorted(fields)[:6])})" if fields else "messages"),
                where=where,
                remedy="give the input as an object of its fields, or the hash of its row as 'row'",
            )
        return {fields.pop(): value}
    raise InputError(
        f"the line has no input ('{names['input']}')",
        where=where,
        remedy="name its column: --columns input=COLUMN",
    )


def _fields(content: Input) -> list[str]:
    return list(content) if isinstance(content, dict) else []


def _text(value: Any, name: str, where: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"'{name}' is no text", where=where, remedy="answers are texts")
    return value


def _good(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    return True if word in GOOD else False if word in BAD else None


def _read_dataset(material: Material, name: str, to: Gathered) -> None:
    version = open_dataset(material.project, name)
    rows = [row for row in version.rows() if isinstance(row, Unpaired | Preference) and row.answer_form == "text"]
    if not rows:
        raise InputError(
            f"{version.ref} holds no judged answers and no pairs",
            where="--from",
            remedy="sluice add NAME FILE reads thumbs (kind unpaired) and pairs (kind preference)",
        )
    for row in rows:
        origin, who = f"{version.ref} {row.row[:SHOWN]}", (USERS,)
        if isinstance(row, Unpaired):
            word = "good" if row.good else "bad"
            why = f"it is called {word} in {version.ref}"
            to.judged.append(Judged(row.input_hash, row.input, Answer(row.answer, origin), row.good, NAME, who, why))
        else:
            pair = (Answer(row.chosen, origin), Answer(row.rejected, origin))
            to.candidates.append(
                Candidate(row.input_hash, row.input, *pair, 1.0, NAME, who, f"it is preferred in {version.ref}")
            )
