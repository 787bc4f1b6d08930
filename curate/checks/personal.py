"""Personal data and secrets in what a model would be taught. Findings show a masked form, never the whole."""

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
    texts_of,
)
from sluice.curate.privacy import KINDS, find_personal

SHOWN = 5
"""Hits named in one finding; the rest are counted."""


@file_check
class Personal(Check):
    """E-mail, phone, card, IBAN, public IP address, keys: by pattern, so names and addresses are not seen."""

    spec = CheckSpec(
        name="personal",
        severity="warn",
        what="a text holds personal data or a secret, by pattern",
        threshold="patterns with proof: Luhn (ISO/IEC 7812), mod 97 (ISO 13616), E.164, issuers' key prefixes; "
        "metadata is not looked at, since it is never taught",
        remedy="sluice filter {dataset} --failing personal",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with a hit in any of their texts."""
        findings: list[Finding] = []
        kinds: Counter[str] = Counter()
        for row in context.rows:  # a hit is proven by code (Luhn, mod 97), text by text: there is no column form
            shown: list[str] = []
            for field, text in texts_of(row):
                for hit in find_personal(text):
                    kinds[hit.kind] += 1
                    shown.append(f"{hit.kind} {hit.masked} in {field}")
            if shown:
                more = f" and {len(shown) - SHOWN} more" if len(shown) > SHOWN else ""
                findings.append(Finding(row=row.row, detail=", ".join(shown[:SHOWN]) + more))
        figures = {kind.name: kinds[kind.name] for kind in KINDS}
        total = len(context.rows)
        if not findings:
            return Found(summary=f"none found by pattern in {rows_of(total)}", figures=figures)
        named = ", ".join(f"{kinds[kind.name]} {kind.name}" for kind in KINDS if kinds[kind.name])
        return Found(findings, f"{rows_of(len(findings), total)} with personal data: {named}", figures)

    def examples(self) -> Examples:
        """Return a row with an e-mail address, and one with an order number only."""
        return Examples(
            found=CheckContext([Example(input={"text": "Write to jane.doe@example.com"}, target="account")]),
            ok=CheckContext([Example(input={"text": "Where is order A-48213?"}, target="delivery")]),
        )
