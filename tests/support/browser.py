"""A real browser that looks at pages: headless Chromium by selenium, its console and its requests written down."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)

FAINT = """
const seen = [];
const parse = c => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
const light = c => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
  return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c[3] === 1) return c; } return [255, 255, 255, 1]; };
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const node = walker.currentNode, e = node.parentElement;
  if (!node.data.trim() || ['TITLE', 'DESC', 'STYLE'].includes(e.tagName.toUpperCase())) continue;
  const range = document.createRange(); range.selectNodeContents(node);
  if (!range.getBoundingClientRect().width) continue;
  const style = getComputedStyle(e), svg = e instanceof SVGElement;
  const a = light(parse(svg ? style.fill : style.color));
  const b = light(ground(svg ? e.ownerSVGElement.parentElement : e));
  const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05), size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && parseInt(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) seen.push([node.data.trim().slice(0, 40), ratio.toFixed(2)]);
}
return seen;
"""
"""Texts whose contrast is below WCAG 2.2 AA (1.4.3): 4.5, or 3 for large text."""

OUTSIDE = """
const wide = document.documentElement.clientWidth, seen = [];
for (const e of document.querySelectorAll('body *')) {
  const box = e.getBoundingClientRect(), head = e.closest('thead');
  if (head && getComputedStyle(head).position === 'absolute') continue;  // read aloud only
  if (box.width && box.height && (box.right > wide + 1 || box.left < -1))
    seen.push([e.tagName, e.className, box.right]);
  if (!(e instanceof SVGElement) && e.clientWidth && e.scrollWidth > e.clientWidth + 1
      && getComputedStyle(e).display !== 'inline') seen.push([e.tagName, e.className, e.scrollWidth]);
}
return seen;
"""
"""Elements that reach over the sides of the page, or whose content reaches over their own."""

PLOT_FAULTS = """
const seen = [];
for (const svg of document.querySelectorAll('svg')) {
  const whole = svg.getBoundingClientRect();
  const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()])
    .filter(([, b]) => b.width);
  for (const [text, box] of texts)
    if (box.left < whole.left - 1 || box.right > whole.right + 1
        || box.top < whole.top - 1 || box.bottom > whole.bottom + 1)
      seen.push(['outside', text]);
  texts.forEach(([text, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 1 && y > 3) seen.push(['overlap', text, other]); }));
}
return seen;
"""
"""Texts of a plot that leave its frame, or stand on each other."""


class Browser:
    """One page at a time, at a width, in light or dark."""

    def __init__(self) -> None:
        chromium = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
        chromedriver = shutil.which("chromedriver")
        if chromium is None or chromedriver is None:
            pytest.skip("no chromium with its chromedriver here: the page was not looked at")
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver: Any = webdriver.Chrome(options=options, service=Service(chromedriver))

    def open(self, page: Path, *, width: int, dark: bool, scripts: bool = True) -> None:
        """Open a page of a file, all its details open."""
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(page.resolve().as_uri())

    def ask(self, script: str) -> Any:
        """Return what a script on the page finds."""
        return self.driver.execute_script(script)

    def open_details(self) -> int:
        """Open all that can be opened; return how many there were."""
        return self.ask(
            "const all = document.querySelectorAll('details'); all.forEach(d => d.open = true); return all.length"
        )

    def requests(self) -> list[str]:
        """Return the addresses asked for since the page was opened, the page's own and data in it apart."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:") and url != self.driver.current_url]

    def console(self) -> list[str]:
        """Return what the console says: errors, refused scripts, broken markup."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def close(self) -> None:
        """End the browser."""
        self.driver.quit()
