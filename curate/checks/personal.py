"""Personal data and secrets in rows and in the columns beside them. Findings show a masked form, never the whole."""

from __future__ import annotations

from collections import Counter

from sluice.core.rows import Example
from sluice.curate.checks.base import (
    Check,
    CheckContext,
    CheckSpec,
    Examples,
    Finding,
    Found,
    file_check,
    rows_of,
)
from sluice.curate.privacy import KINDS, find_personal
from sluice.curate.privacy.walk import walk_metadata, walk_row

SHOWN = 5
"""Hits named in one finding; the rest are counted."""


@file_check
class Personal(Check):
    """E-mail, phone, card, IBAN, public IP, keys, national ids: by pattern, so names and addresses are not seen."""

    spec = CheckSpec(
        name="personal",
        severity="warn",
        what="a text or a column beside it holds personal data or a secret, by pattern",
        threshold="patterns with proof: Luhn (ISO/IEC 7812), mod 97 (ISO 13616), E.164 and numbering plans, issuers' "
        "key prefixes, check digits of national ids; docs/personal-data.md has each source",
        remedy="sluice redact {dataset}",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with a hit in any of their texts or columns."""
        findings: list[Finding] = []
        kinds: Counter[str] = Counter()
        beside = 0
        for row in context.rows:  # a hit is proven by code (Luhn, mod 97), text by text: there is no column form
            shown: list[str] = []

            def see(place: str, words: str, text: str, shown: list[str] = shown) -> None:
                for hit in find_personal(words + text):
                    if hit.start >= len(words):
                        kinds[hit.kind] += 1
                        shown.append(f"{hit.kind} {hit.masked} in {place}")

            walk_row(row, see)
            inside = len(shown)
            walk_metadata(context.metadata.get(row.row, {}), see)
            beside += len(shown) > inside
            if shown:
                more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
                findings.append(Finding(row=row.row, detail=", ".join(shown[:SHOWN]) + more))
        figures = {kind.name: kinds[kind.name] for kind in KINDS} | {"rows_with_columns": beside}
        total = len(context.rows)
        if not findings:
            return Found(summary=f"none found by pattern in {rows_of(total)}", figures=figures)
        named = ", ".join(f"{kinds[kind.name]} {kind.name}" for kind in KINDS if kinds[kind.name])
        columns = f"; {rows_of(beside)} in columns beside the text" if beside else ""
        return Found(findings, f"{rows_of(len(findings), total)} with personal data: {named}{columns}", figures)

    def examples(self) -> Examples:
        """Return a row with an e-mail address, and one with an order number only."""
        return Examples(
            found=CheckContext([Example(input={"text": "Write to jane.doe@example.com"}, target="account")]),
            ok=CheckContext([Example(input={"text": "Where is order A-48213?"}, target="delivery")]),
        )
