"""What `forget` takes out of texts, and what it leaves."""

from __future__ import annotations

from sluice.curate.privacy.erasure import Eraser, Erasure


def test_a_plain_number_is_no_name_of_a_forgotten_row():
    row = "1716450862" + "ab" * 27
    eraser = Eraser(Erasure(id="0" * 16, reason="r", rows=(row,), key="00" * 32))
    assert eraser.text("171645 and 171645086 rows") == "171645 and 171645086 rows"
    for named in (row, row[:10], row[:12]):
        assert named not in eraser.text(f"row {named} is odd")
