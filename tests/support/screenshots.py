"""The two screenshots of docs/labels.md: the app itself, with made-up rows, drawn without a terminal.

python tests/support/screenshots.py     draws them anew
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from sluice.cli.labelling.app import LabelApp
from sluice.cli.labelling.drawn import WrittenTask
from sluice.curate.labels.log import Log
from sluice.curate.labels.question import Question, ask
from sluice.curate.labels.session import Answer, Item, Session

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUBRIC = (
    "billing: invoices, refunds, anything about money.\n\nshipping: where a parcel is, what state it came in.\n\n"
    "other: everything else. If two fit, take what has to be done first."
)
BODIES = (
    "I was charged twice for order 4471.",
    "The parcel came open and the lamp in it is broken. I would like my money back, please, not another lamp.",
    "Do you sell gift cards?",
    "Where is my order? It was to come on Monday.",
)
ANSWERS = (
    "I am sorry about the lamp. Your refund is on its way and takes three days; you need not send anything back.",
    "Sorry to hear that! Please see our returns page, where all is explained. Is there anything else?",
)


def screenshots() -> dict[str, str]:
    """Return the name of each file and its SVG."""
    classify = ask("classify", labels=("billing", "shipping", "other"), written="docs")
    compare = ask("compare", between=("run:dev-few-shot", "run:dev-sft-1"), written="docs")
    return {
        "labels-classify.svg": asyncio.run(_drawn(classify, ("1", "left", "semicolon", *"both?", "enter", "right"))),
        "labels-compare.svg": asyncio.run(_drawn(compare, ("a",))),
    }


def texts(svg: str) -> list[str]:
    """Return the texts of an SVG, as they stand on the screen."""
    return [text.replace("&#160;", " ").strip() for text in re.findall(r"<text [^>]*>([^<]*)</text>", svg)]


def _items(question: Question) -> list[Item]:
    answers = tuple(Answer(text, source) for text, source in zip(ANSWERS, question.between, strict=False))
    return [Item("tickets", f"{n:064x}", f"{n:064x}", (("body", body),), answers) for n, body in enumerate(BODIES)]


async def _drawn(question: Question, keys: tuple[str, ...]) -> str:
    seconds = iter(range(0, 1000, 4))
    session = Session(
        question,
        _items(question),
        by="ana",
        write=lambda _record: None,
        log=Log(()),
        queue="order",
        clock=lambda: next(seconds),
    )
    app = LabelApp(session, WrittenTask("tickets", "Say which desk a message is for.", RUBRIC))
    async with app.run_test(size=(112, 24)) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        svg = app.export_screenshot(title="sluice label tickets")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S)  # nothing is fetched by who looks at it


if __name__ == "__main__":
    for name, svg in screenshots().items():
        (DOCS / name).write_text(svg, encoding="utf-8")
