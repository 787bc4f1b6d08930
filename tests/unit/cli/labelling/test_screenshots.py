"""The screenshots in the docs show the screen as it is. To draw them anew: python tests/support/screenshots.py"""

from __future__ import annotations

import re

from support.screenshots import DOCS, RUBRIC, screenshots, texts


def test_the_screenshots_of_the_docs_are_what_is_seen():
    drawn = screenshots()
    page = (DOCS / "labels.md").read_text(encoding="utf-8")
    for name, svg in drawn.items():
        assert texts((DOCS / name).read_text(encoding="utf-8")) == texts(svg), "python tests/support/screenshots.py"
        assert f"]({name})" in page
        assert "url(http" not in svg
        assert "@import" not in svg


def test_a_screen_shows_row_task_progress_and_every_key():
    classify, compare = ("\n".join(texts(svg)) for svg in screenshots().values())
    for word in ("1 of 4", "left", "parcel came open", "billing", "shipping", "cannot tell", "Say which desk"):
        assert word in classify
    assert RUBRIC.split(":")[0] in classify
    for word in ("A is better", "B is better", "as good", "both bad", "refund is on its way", "returns page"):
        assert word in compare
    assert not re.search(r"few-shot|sft-1", compare), "whose answer it is, nobody sees"
