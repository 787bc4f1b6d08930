"""`sluice why`: the whole story of one row. Exit codes: 0; 2 where no row, or more than one, is meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import find_project, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.why import Event, Story

PLACES = 5
"""Places of one `add` that are shown."""


@verb(
    examples=[
        "sluice why tickets 7f3a91c25d            the first 6 or more digits of a row",
        "sluice why tickets raw/tickets.csv:17    a line of a file",
    ]
)
@click.argument("name")
@click.argument("row", metavar="ROW|FILE:LINE")
def command(out: Terminal, name: str, row: str) -> Any:
    """Tell the story of one row: where it was seen, what was dropped for what, where it is now."""
    from sluice.curate.why import why

    story = why(find_project(), name, row)
    draw(out, story, name)
    return story


def _shortened(events: Sequence[Event]) -> Iterator[Event]:
    """Yield events, and of the places that one `add` saw the row at only the first; --json has all."""
    for (_, _, seen), run in groupby(events, key=lambda e: (e.verb, e.time, e.what.startswith("seen at "))):
        group = list(run)
        shown = group[:PLACES] if seen and len(group) > PLACES + 1 else group
        yield from shown
        if len(group) > len(shown):
            more = f"... and at {len(group) - len(shown):,} more places (--json has all)"
            yield group[0].model_copy(update={"what": more})


def _ranges(numbers: Sequence[int]) -> str:
    """Return version numbers in words, all of them: `@2, @3`, or `@1 to @9, @12`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    told = [[f"@{run[0]} to @{run[-1]}"] if len(run) > 2 else [f"@{n}" for n in run] for run in runs]
    return ", ".join(word for words in told for word in words)


def draw(out: Terminal, story: Story, name: str) -> None:
    """Draw a story, oldest first."""
    from sluice.curate.drops import one_line

    if story.forgotten is not None:
        out.say(f"This row was {story.forgotten}", "warn")
        return
    if story.set_aside is not None:
        line = story.set_aside
        out.say(f"{line.file}:{line.line} is no row: it was set aside.", "warn")
        out.say(f"  {line.reason}" + (f" (column {line.column})" if line.column else ""))
        out.say(f"  {line.raw}", "dim")
        if len(story.events) > 1:
            for event in story.events:
                out.say(f"{event.time.replace('T', ' ').rstrip('Z')}  {event.verb:<13}{event.what}", "dim")
        out.next(f"sluice show {name} --set-aside --out mend.txt", "write such lines to a file, to mend them there")
        return
    row = story.row or ""
    out.spans([(row[:10], "bold"), (f"  {one_line(story.input)}", None)])
    for answer in story.answers:
        out.say(f"            -> {one_line(answer)}", "dim")
    out.say()
    for event in _shortened(story.events):
        out.spans(
            [(event.time.replace("T", " ").rstrip("Z"), "dim"), (f"  {event.verb:<13}", "bold"), (event.what, None)]
        )
        if event.other is not None:
            out.say(f"{'':36}{event.other.row[:10]}  {one_line(event.other.input, 70)}", "dim")
    out.say()
    for held in story.held_by:
        out.say(
            f"in {held.dataset} {_ranges(held.versions)}" + ("" if held.newest else "  (not in its newest version)")
        )
    if not story.held_by:
        out.say("in no version")
    for eval_set in story.eval_sets:
        out.say(f"in the frozen eval set '{eval_set}'")
    if story.stands_for:
        out.say(f"stands for {counted(len(story.stands_for), 'dropped row')}:")
        for other in story.stands_for[:5]:
            out.say(f"  {other.row[:10]}  {one_line(other.input, 80)}", "dim")
    if story.events and not any(h.newest for h in story.held_by):
        changed = any(event.what == "changed" for event in story.events)
        remark = "bring it back as it was; what was made of it leaves" if changed else "bring it back"
        out.next(f"sluice restore {name} {row[:10]}", remark)
