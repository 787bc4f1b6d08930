"""Rows that say nothing: a blank input or answer (fail), and rows that have no target yet (warn)."""

from __future__ import annotations

import unicodedata

from sluice.core.rows import AnyRow, Example, Messages, Preference, Text, Unpaired, input_texts
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    answers,
    file_check,
    rows_of,
)


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing: blanks, control and format characters only (zero-width ones included)."""
    stripped = text.strip()
    return not stripped or all(unicodedata.category(c) in ("Cc", "Cf", "Zs", "Zl", "Zp") for c in stripped)


def blank_input(row: AnyRow) -> bool:
    """Return whether nothing is asked: no field says anything, or no turn but instructions says or calls anything."""
    if isinstance(row.input, Messages):
        return all(
            is_blank(turn.content) and turn.tool_calls is None
            for turn in row.input.turns
            if turn.role not in ("system", "developer")
        )
    return all(is_blank(text) for text in input_texts(row.input).values())


@file_check
class Empty(Check):
    """A blank input, target, chosen, rejected or judged answer. A row without a target is not empty: `unlabelled`."""

    spec = CheckSpec(
        name="empty",
        severity="fail",
        what="the input or the answer is blank",
        threshold="no visible character; one blank field among others is allowed, an absent target is `unlabelled`",
        remedy="sluice filter {dataset} --failing empty",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with a blank input or answer."""
        findings: list[Finding] = []
        for row in context.rows:
            blank = [name for name, text in answers(row).items() if text is not None and is_blank(text)]
            if blank_input(row):
                blank.insert(0, "text" if isinstance(row, Text) else "input")
            if blank:
                findings.append(Finding(row=row.row, detail=f"blank {' and '.join(blank)}"))
        total = len(context.rows)
        if not findings:
            return Found(summary=f"none of {rows_of(total)} is blank")
        return Found(findings, f"{rows_of(len(findings), total)} with a blank input or answer")

    def examples(self) -> Examples:
        """Return a blank answer, and a whole row."""
        return Examples(
            found=CheckContext([Example(input={"text": "Where is my parcel?"}, target=" \n")]),
            ok=CheckContext([Example(input={"text": "Where is my parcel?", "note": ""}, target="delivery")]),
        )


@file_check
class Unlabelled(Check):
    """Examples that have no target: welcome before labelling or where a rubric grades, but nothing to train on."""

    spec = CheckSpec(
        name="unlabelled",
        severity="warn",
        what="the row has no target",
        threshold="the target is absent; allowed before labelling and where a rubric grades, not for training",
        remedy="sluice filter {dataset} --failing unlabelled",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the examples without a target."""
        findings = [
            Finding(row=row.row, detail="no target")
            for row in context.rows
            if isinstance(row, Example) and row.target is None
        ]
        total = len(context.rows)
        if not findings:
            return Found(summary=f"each of {rows_of(total)} has what it teaches")
        return Found(findings, f"{rows_of(len(findings), total)} without a target")

    def examples(self) -> Examples:
        """Return a row without a target, and one with."""
        return Examples(
            found=CheckContext([Example(input={"text": "Where is my parcel?"})]),
            ok=CheckContext([Example(input={"text": "Where is my parcel?"}, target="delivery")]),
        )


@file_check
class Pairs(Check):
    """Preference rows whose two answers are the same: they teach nothing."""

    spec = CheckSpec(
        name="pairs",
        severity="fail",
        what="chosen and rejected are the same answer",
        threshold="equal after Unicode NFC and folding of blanks",
        remedy="sluice filter {dataset} --failing pairs",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the preference rows with equal answers."""
        pairs = [row for row in context.rows if isinstance(row, Preference)]
        findings = [
            Finding(row=row.row, detail="chosen and rejected are the same answer")
            for row in pairs
            if folded(row.chosen) == folded(row.rejected)
        ]
        if not pairs:
            return Found(summary="no preference rows here")
        if not findings:
            return Found(summary=f"each of {rows_of(len(pairs))} prefers one answer to another")
        return Found(findings, f"{rows_of(len(findings), len(pairs))} prefer an answer to itself")

    def examples(self) -> Examples:
        """Return a pair of equal answers, and a pair that differs."""
        asked = {"text": "Is it open on Sunday?"}
        return Examples(
            found=CheckContext([Preference(input=asked, chosen="No.", rejected=" No. ")]),
            ok=CheckContext([Preference(input=asked, chosen="No.", rejected="Perhaps."), _judged()]),
        )


def folded(text: str) -> str:
    """Return a text in NFC with its blanks folded: how two answers are told apart."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _judged() -> Unpaired:
    return Unpaired(input={"text": "Is it open on Sunday?"}, answer="No.", good=True)
