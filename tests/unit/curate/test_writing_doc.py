"""docs/writing.md: its tables are those of the registries. `WRITE=1 pytest` on this file renews them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from sluice.curate.formats import ENCODERS, WRITERS
from sluice.curate.formats.writers import KINDS
from sluice.curate.publish.words import CardWords

PAGE = Path(__file__).parents[3] / "docs" / "writing.md"


def kinds() -> str:
    rows = ["| shape | example | preference | unpaired | text |", "|---|---|---|---|---|"]
    for name, writer in WRITERS:
        cells = []
        for kind in KINDS:
            needs = f"; needs {writer.needs[kind]}" if kind in writer.needs else ""
            cells.append(writer.holds[kind] + needs if kind in writer.holds else "refused")
        rows.append(f"| `{name}` | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def refused() -> str:
    told: dict[str, list[str]] = {}
    for name, writer in WRITERS:
        for kind, why in writer.refuses.items():
            told.setdefault(f"{kind}: {why}", []).append(f"`{name}`")
    return "\n".join(f"- {why} ({', '.join(names)})" for why, names in told.items())


def forms() -> str:
    rows = ["| form | endings | holds |", "|---|---|---|"]
    for name, encoder in ENCODERS:
        shapes = ", ".join(f"`{shape}`" for shape, writer in WRITERS if name in writer.formats)
        packed = ", each with `.gz` or `.zst` behind" if encoder.packs else ""
        endings = ", ".join(f"`{ending}`" for ending in encoder.extensions)
        rows.append(f"| `{name}`: {encoder.help} | {endings}{packed} | {shapes} |")
    return "\n".join(rows)


TABLES = {"kinds": kinds, "refused": refused, "forms": forms}


@pytest.mark.parametrize("name", list(TABLES))
def test_the_page_has_the_table_of_the_registry(name: str):
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- table: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    if os.environ.get("WRITE"):
        PAGE.write_text(pattern.sub(lambda m: m[1] + TABLES[name]() + "\n" + m[3], text), encoding="utf-8")
    found = pattern.search(PAGE.read_text(encoding="utf-8"))
    assert found is not None
    assert found[2].strip() == TABLES[name]()


def test_the_page_names_every_key_of_card_toml():
    text = PAGE.read_text(encoding="utf-8")
    block = text[text.index("```toml") :]
    assert set(re.findall(r"^(\w+) =", block, re.MULTILINE)) == set(CardWords.model_fields)
