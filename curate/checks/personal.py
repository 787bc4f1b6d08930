"""Personal data and secrets in rows and in the columns beside them. Findings show a masked form, never the whole."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from itertools import compress

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
from sluice.curate.privacy.scan import MAYBE
from sluice.curate.privacy.walk import walk_metadata, walk_row

SHOWN = 5
"""Hits named in one finding; the rest are counted."""
BLOCK = 20_000
"""Rows whose texts are held at once."""
REMEMBERED = 50_000
"""Texts whose hits are remembered: values of columns repeat."""


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
        look = lru_cache(REMEMBERED)(_hits)
        for low in range(0, len(context.rows), BLOCK):
            if context.progress:
                context.progress("looking for personal data", low, len(context.rows))
            shown: dict[int, list[str]] = {}
            in_columns: set[int] = set()
            for i, of_column, place, words, text in _maybe(context, low):  # proven by code (Luhn, mod 97), text by text
                for kind, masked in look(words, text):
                    kinds[kind] += 1
                    shown.setdefault(i, []).append(f"{kind} {masked} in {place}")
                    if of_column:
                        in_columns.add(i)
            beside += len(in_columns)
            for i in sorted(shown):
                more = f" and {len(shown[i]) - SHOWN} more" if len(shown[i]) > SHOWN else ""
                findings.append(Finding(row=context.rows[i].row, detail=", ".join(shown[i][:SHOWN]) + more))
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


def _hits(words: str, text: str) -> tuple[tuple[str, str], ...]:
    """Return (kind, masked) of each hit in a text behind the words of its field's name."""
    return tuple((hit.kind, hit.masked) for hit in find_personal(words + text) if hit.start >= len(words))


def _maybe(context: CheckContext, low: int) -> list[tuple[int, bool, str, str, str]]:
    """Return the texts of a block of rows that can hold personal data: (place of the row, whether it stands beside the
    row, where, words of the field's name, text)."""
    import polars as pl

    seen: list[tuple[int, bool, str, str, str]] = []
    for i in range(low, min(low + BLOCK, len(context.rows))):
        row = context.rows[i]
        beside = False

        def see(place: str, words: str, text: str, i: int = i) -> None:
            seen.append((i, beside, place, words, text))  # noqa: B023  # it is called before the loop goes on

        walk_row(row, see)
        beside = True
        walk_metadata(context.metadata.get(row.row, {}), see)
    texts = pl.Series([words + text for _, _, _, words, text in seen], dtype=pl.String)
    return list(compress(seen, texts.str.contains(MAYBE).to_list()))
