"""The pages of `audit --out` and `diff --out` in a real browser: light and dark, desk and phone, with ugly rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from support.browser import FAINT, OUTSIDE, PLOT_FAULTS, Browser

from sluice.cli.app import run

UGLY = [
    "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>",
    "</style></svg></details><iframe src='https://example.com/'></iframe> {{ 7 * 7 }} {% raw %}",
    "اكتب لي عنوان المتجر من فضلك، لقد وصل الطرد مكسورا ولا أعرف ماذا أفعل الآن",
    "W" * 3_000,
    "👩‍👩‍👧‍👦 🇩🇪 ❤️‍🔥 \u0000 zero \u202e reversed \u2066 isolated \u200b",
    "a \"quoted\" & 'single' &amp; &#x41; text",
]


def records(number: int, shift: int = 0) -> Iterator[str]:
    """Return lines of tickets that are unlike each other, the ugly ones among them."""
    for i in range(shift, number):
        label = ("billing", "delivery", "a rather long name of a label", "<b>bold</b>")[i % 4]
        text = (
            UGLY[i % 6] + f" {i}"
            if i % 19 == 0
            else f"ticket {i * 7919} about {i * 31} of {label} {'more ' * (i % 40)}"
        )
        yield json.dumps({"id": i, "text": text, "label": label, "who": f"a{i}@example.com", "mail": "x"}) + "\n"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of a part with a history, of plain files with lines set aside, and of a comparison."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "a.jsonl").write_text(
        "".join(records(400)) + "{broken\n" + '{"text": 1, "text": "<i>"}\n', encoding="utf-8"
    )
    fewer = (line for line in records(500, 60) if "billing" not in line or "33" in line)
    (folder / "b.jsonl").write_text("".join(fewer).replace("of delivery", "OF PARCELS"), encoding="utf-8")
    flags = ["--input", "text", "--target", "label"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in (
            ["add", "t", "a.jsonl", *flags],
            ["dedup", "t"],
            ["add", "t", "b.jsonl", *flags],
            ["split", "t", "--eval", "40", "--dev", "20"],
            ["audit", "t/train", "--out", "part.html"],
            ["audit", "a.jsonl", "b.jsonl", *flags, "--out", "files.html"],
            ["diff", "a.jsonl", "b.jsonl", *flags, "--key", "id", "--out", "diff.html"],
        ):
            assert run([*words, "--json"]) == 0, words
    return {name: folder / f"{name}.html" for name in ("part", "files", "diff")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = Browser()
    yield found
    found.close()


@pytest.mark.parametrize("name", ["part", "files", "diff"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("dark", [False, True])
def test_a_page_can_be_read(browser: Browser, pages: dict[str, Path], name: str, width: int, dark: bool):
    browser.open(pages[name], width=width, dark=dark)
    assert browser.ask("return matchMedia('(prefers-color-scheme: dark)').matches") is dark
    closed = browser.ask("return document.documentElement.scrollHeight")
    assert browser.open_details() > 0
    assert browser.ask("return document.documentElement.scrollHeight") > closed, "what opens shows nothing"
    assert browser.ask("return document.documentElement.scrollWidth <= innerWidth")
    assert browser.ask(OUTSIDE) == []
    assert browser.ask(FAINT) == []
    assert browser.ask(PLOT_FAULTS) == []
    assert browser.console() == []
    assert browser.requests() == []


def test_the_measures_of_this_test_see_faults(browser: Browser, tmp_path: Path):
    page = tmp_path / "bad.html"
    page.write_text(
        "<!doctype html><meta name=viewport content='width=device-width'><p style='color:#999'>faint</p>"
        "<div style='width:2000px'>wide</div><img src='missing.png'>"
        "<svg viewBox='0 0 100 20' width='100'><text y=15>first</text><text y=15 x=5>second</text>"
        "<text x=90 y=15>outside</text></svg>",
        encoding="utf-8",
    )
    browser.open(page, width=360, dark=False)
    assert browser.ask(FAINT)
    assert browser.ask(OUTSIDE)
    assert {fault[0] for fault in browser.ask(PLOT_FAULTS)} == {"outside", "overlap"}
    assert browser.requests()
    assert browser.console()


@pytest.mark.parametrize("name", ["part", "files", "diff"])
def test_rows_are_text_and_nothing_else(browser: Browser, pages: dict[str, Path], name: str):
    browser.open(pages[name], width=1280, dark=False)
    assert browser.ask("return document.title") != "taken"
    assert (
        browser.ask("return document.querySelectorAll('script, img, iframe, object, link[rel=stylesheet]').length") == 0
    )
    text = browser.ask("return document.body.textContent")
    assert "{{ 7 * 7 }}" in text or "<script>" in text or "W" * 100 in text
    assert "\x00" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", ["part", "files", "diff"])
def test_a_page_can_be_found_one_s_way_in(browser: Browser, pages: dict[str, Path], name: str):
    browser.open(pages[name], width=1280, dark=False)
    levels = browser.ask("return [...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    ids = browser.ask("return [...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert browser.ask("return [...document.querySelectorAll('th')].every(h => h.scope)")
    assert browser.ask(
        "return [...document.querySelectorAll('svg')].every(s => s.getAttribute('role') === 'img' && s.getAttribute("
        "'aria-labelledby').split(' ').every(id => document.getElementById(id).textContent.trim()))"
    )
    assert browser.ask("return document.documentElement.lang") == "en"


def test_a_page_needs_no_script_and_prints_what_is_closed(browser: Browser, pages: dict[str, Path]):
    page = pages["part"].read_text(encoding="utf-8")
    assert "<script" not in page
    browser.open(pages["part"], width=1280, dark=True)
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    shown = browser.ask(
        "const d = document.querySelector('details.check:not([open]) .rule'); return d.getBoundingClientRect().height"
    )
    paper = browser.ask("return getComputedStyle(document.body).backgroundColor")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert shown > 0
    assert paper == "rgb(255, 255, 255)"
