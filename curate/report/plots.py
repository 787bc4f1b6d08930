"""Plots as inline SVG: drawn by altair and vl-convert, offline, the same bytes for the same numbers.

Colours are left to the page's style sheet, so that one drawing serves light and dark: a plot is drawn in marker colours
that become CSS variables. Text is measured in Liberation Sans, which vl-convert brings along (of Arial's widths), so
that no font of the machine enters. It knows numbers and names, nothing of rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sluice.curate.report.bins import Histogram

WIDTH = 320
"""Pixels: what a phone of 360 shows without making it smaller."""
BAR = 26
"""Pixels a bar of categories, the gap included."""
FONT = "Liberation Sans"
MOST_FIGURES = 6
HALF = 0.5
"""A length fills the space half to the one before and half to the next: its mark and its figure stand in the middle."""
NAME_CHARACTERS = 18
MARKERS = {
    "#0a0b01": "var(--accent)",
    "#0a0b02": "var(--soft)",
    "#0a0b03": "var(--muted)",
    "#0a0b04": "var(--line)",
    "#0a0b05": "var(--ink)",
    "#0a0b06": "var(--card)",
}
ACCENT, SOFT, MUTED, LINE, INK, CARD = MARKERS
_NOISE = re.compile(r' (?:aria-[a-z]+|role|pointer-events|xmlns:xlink|version|class|font-family)="[^"]*"')
_NUMBER = re.compile(r"(\d+\.\d{2})\d+")
_EMPTY = re.compile(
    r'<path[^>]* d=""[^>]*/>|<path[^>]* d="M0,0h0v0h0Z"[^>]*/>|<rect[^>]* fill="transparent"/>|<g>\s*</g>'
)
_ID = re.compile(r'id="([^"]+)"')


def draw_histogram(name: str, found: Histogram, *, unit: str, median: int, limit: int | None = None) -> str:
    """Return the SVG of a histogram of lengths, its median marked, the limit too where it is in sight.

    Args:
        name: of the plot on its page, for the ids in it.
        found: the bins.
        unit: of the lengths.
        median: in that unit.
        limit: the longest that fits.
    """
    import altair as alt

    bars = (
        alt.Chart(alt.Data(values=[{"low": b.low - HALF, "high": b.high - HALF, "rows": b.rows} for b in found.bins]))
        .mark_bar(color=ACCENT, stroke=CARD, strokeWidth=1)
        .encode(
            x=alt.X(
                "low:Q",
                title=unit,
                scale=alt.Scale(domain=[-HALF, found.end - HALF], nice=False),
                axis=_axis(values=_figures(found.end), format=",d"),
            ),
            x2="high:Q",
            y=alt.Y(
                "rows:Q",
                title=None,
                axis=_axis(grid=True, tickCount=3, domain=False, format=",d", tickMinStep=1, labelFlush=False),
            ),
            y2=alt.Y2Datum(0),
        )
    )
    marks = [(median, f"median {median:,}")]
    if limit is not None and limit < found.end:
        marks.append((limit, f"limit {limit:,}"))
    layers: list[Any] = [bars]
    for at, text in marks:
        place = alt.Data(values=[{"at": at, "text": text}])
        right = at > found.end * 0.6
        rule = alt.Chart(place).mark_rule(color=INK, strokeDash=[3, 3]).encode(x="at:Q")
        label = alt.Chart(place).mark_text(
            align="right" if right else "left", dx=-5 if right else 5, y=-7, color=INK, fontSize=11
        )
        layers += [rule, label.encode(x="at:Q", text="text:N")]
    says = "; ".join(f"{b.low:,} to {b.high - 1:,}: {b.rows:,}" for b in found.bins if b.rows)
    return _svg(alt.layer(*layers), 170, name, f"Histogram of lengths in {unit}", f"Rows by {unit}: {says}", top=18)


def _figures(end: int) -> list[int]:
    """Return the whole figures below an axis of lengths: at most six, 1, 2 or 5 times a power of ten apart."""
    step = 1
    while end / step > MOST_FIGURES:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, end, step))


def draw_bars(name: str, title: str, counts: Sequence[tuple[str, int]]) -> str:
    """Return the SVG of one bar a category, its rows beside it, in the order given."""
    import altair as alt

    values = [{"at": i, "name": short(n), "rows": c, "said": f"{c:,}"} for i, (n, c) in enumerate(counts)]
    top = max((count for _, count in counts), default=1) or 1
    names = {str(v["at"]): v["name"] for v in values}
    base = alt.Chart(alt.Data(values=values)).encode(
        y=alt.Y("at:O", title=None, axis=_names(names), scale=alt.Scale(padding=0.25)),
        x=alt.X("rows:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.3], nice=False)),
    )
    bars = base.mark_bar(color=ACCENT)
    label = base.mark_text(align="left", dx=6, color=INK, fontSize=12).encode(text="said:N")
    says = "; ".join(f"{n}: {c:,}" for n, c in counts)
    return _svg(alt.layer(bars, label), max(2, len(counts)) * BAR, name, title, says)


def draw_shares(name: str, title: str, shares: Sequence[tuple[str, float, float]]) -> str:
    """Return the SVG of two shares a category: the first a ring, the second a dot, a line between them."""
    import altair as alt

    values = [{"at": i, "a": a, "b": b} for i, (_, a, b) in enumerate(shares)]
    names = {str(i): short(n) for i, (n, _, _) in enumerate(shares)}
    top = max((max(a, b) for _, a, b in shares), default=1.0) or 1.0
    scale = alt.Scale(domain=[0, top * 1.06], nice=False)
    base = alt.Chart(alt.Data(values=values)).encode(y=alt.Y("at:O", title=None, axis=_names(names)))
    axis = _axis(grid=True, tickCount=4, format="%", domain=False)
    line = base.mark_rule(color=ACCENT, strokeWidth=2).encode(
        x=alt.X("a:Q", title=None, scale=scale, axis=axis), x2="b"
    )
    ring = base.mark_point(filled=True, color=CARD, stroke=ACCENT, strokeWidth=2, size=70, opacity=1)
    dot = base.mark_point(filled=True, color=ACCENT, size=70, opacity=1)
    layers = alt.layer(line, ring.encode(x=alt.X("a:Q", scale=scale)), dot.encode(x=alt.X("b:Q", scale=scale)))
    says = "; ".join(f"{n}: {a:.1%}, then {b:.1%}" for n, a, b in shares)
    return _svg(layers, max(2, len(shares)) * BAR + 24, name, title, says)


def short(text: str, width: int = NAME_CHARACTERS) -> str:
    """Return a name cut to what a plot has room for; of a path the end is kept."""
    folded = " ".join(text.split()) or "(blank)"
    if len(folded) <= width:
        return folded
    return f"…{folded[1 - width :]}" if "/" in folded and " " not in folded else f"{folded[: width - 1]}…"


def _axis(**how: Any) -> Any:
    import altair as alt

    return alt.Axis(**{"grid": False, "ticks": False, "labelFlush": True, **how})


def _names(names: dict[str, str]) -> Any:
    """Return an axis of numbered categories that shows their names: two cut names may be alike."""
    import json

    import altair as alt

    table = json.dumps(names)
    return alt.Axis(
        labelExpr=f"({table})[toString(datum.value)]",
        labelLimit=130,
        labelPadding=8,
        labelFontSize=12,
        labelColor=INK,
        ticks=False,
        domain=False,
    )


def _svg(chart: Any, height: int, name: str, title: str, says: str, top: int = 4) -> str:
    import altair as alt
    import vl_convert

    whole = chart.properties(
        width=WIDTH,
        height=height,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
        padding={"left": 2, "right": 6, "top": top, "bottom": 4},
        background="transparent",
    ).configure(
        aria=False,
        font=FONT,
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor=MUTED,
            titleColor=MUTED,
            gridColor=LINE,
            domainColor=LINE,
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
        ),
    )
    drawn = vl_convert.vegalite_to_svg(whole.to_dict(), vl_version=_version())
    return _inline(drawn, name, title, says)


def _version() -> str:
    """Return the newest Vega-Lite that both packages know."""
    import altair as alt
    import vl_convert

    wanted = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])
    known = vl_convert.get_vegalite_versions()
    return wanted if wanted in known else known[-1]


def _inline(svg: str, name: str, title: str, says: str) -> str:
    """Return an SVG that can stand in a page: its colours variables, its ids its own, a title and a description."""
    body = _NOISE.sub("", svg)
    for marker, variable in MARKERS.items():
        body = body.replace(marker, variable)
    body = _EMPTY.sub("", _NUMBER.sub(r"\1", body))
    for number, known in enumerate(dict.fromkeys(_ID.findall(body))):
        body = re.sub(rf'(id="|url\(#|href="#){re.escape(known)}(?=["\)])', rf"\g<1>{name}-{number}", body)
    box = re.search(r'viewBox="([^"]+)"', body)
    inner = body[body.index(">") + 1 :]
    opening = (
        f'<svg viewBox="{box[1] if box else f"0 0 {WIDTH} {WIDTH}"}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
    )
    return (
        f'{opening}<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(says)}</desc>{inner}'
    )
