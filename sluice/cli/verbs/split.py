"""`sluice split`: draw train, dev and eval parts. Exit codes: 0; 2 where the sizes cannot be drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted, export_command

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.splits.parts_result import SplitDone
    from sluice.curate.splits.report import LabelShare, SplitReport

CLASSES_SHOWN = 20


class Size(click.ParamType):
    """A number of rows, or a share: 100, 0.1, 10%."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Return rows as int, a share as float."""
        if isinstance(value, (int, float)):
            return value
        text = str(value).strip()
        try:
            size = float(text[:-1]) / 100 if text.endswith("%") else float(text) if "." in text else int(text)
        except ValueError:
            size = -1
        if size < 0 or (isinstance(size, float) and size >= 1):
            self.fail(f"'{value}' is no size: give rows (100) or a share below 1 (0.1, 10%)", param, ctx)
        return size


@verb(
    examples=[
        "sluice split tickets --eval 100 --dev 40",
        "sluice split tickets --eval 100 --dev 40 --from hand    eval and dev from rows written by hand",
        "sluice split tickets --eval 10% --dev 5% --by-time sent_at    the newest rows are eval",
        "sluice split tickets              rows added since join the parts",
        "sluice split tickets --report     what the parts are made of",
    ]
)
@click.argument("name")
@click.option("--eval", "eval_", type=Size(), default=0, help="Rows of the eval part, or a share (0.1, 10%).")
@click.option("--dev", type=Size(), default=0, help="Rows of the dev part, or a share.")
@click.option("--from", "source", metavar="OTHER", help="Draw eval and dev from this dataset instead.")
@click.option("--per-class", is_flag=True, help="The sizes are for each class (--eval 20 --dev 20).")
@click.option("--group", metavar="COL", help="Column whose values never straddle parts, in the place of the task's.")
@click.option("--stratify", metavar="PATH", help="Class to keep in proportion, such as target.category.")
@click.option("--by-time", metavar="COL", help="Column of dates, times or numbers: the newest rows become eval.")
@click.option("--seed", type=int, help="Seed of the draw.  [default: 0]")
@click.option("--report", is_flag=True, help="Show in full what the parts are made of.")
@dry_run_option
def command(
    out: Terminal, name: str, eval_: int | float, dev: int | float, report: bool, dry_run: bool, **how: Any
) -> Any:
    """Draw train, dev and eval parts that share nothing: no copy, near copy or group is in two of them.

    A split never moves a row: once the parts exist, rows added since join the rows that they are like, and one that
    touches an eval row is set aside. By time the parts are in order, too: no row of train is younger than one of dev
    or eval.
    """
    from sluice.curate.splits.parts import split_dataset

    project = find_project()
    done = split_dataset(project, name, eval=eval_, dev=dev, dry_run=dry_run, progress=out.progress, **how)
    draw(out, done)
    if report:
        draw_report(out, done)
    draw_next(out, done, project)
    return done


def draw(out: Terminal, done: SplitDone) -> None:
    """Draw the parts, what was set aside, and what the draw went by."""
    from sluice.curate.drops import one_line

    if done.dry_run:
        stays = done.extended and not done.gone and not any(p.new for p in done.parts)
        out.say(f"{done.dataset}: the parts would stay; no row is new." if stays else "Nothing was done. It would be:")
    elif not done.changed:
        out.say(f"{done.dataset}: the parts stand; no row is new.")
    if done.brought_back:
        out.say(f"here again, by repeating the split: {', '.join(done.brought_back)}", "good")
    rows = [(p.name, p.version or None, p.rows, p.new) for p in done.parts]
    out.table(("part", "version", "rows", "new"), rows)
    out.say()
    if done.set_aside:
        out.say(f"{counted(done.set_aside, 'row is', 'rows are')} in no part:", "bold")
        for reason, count in sorted(done.reasons.items(), key=lambda item: -item[1]):
            out.say(f"  {count:>6,}  {reason}")
        for row in done.first_set_aside[:2]:
            out.say(f"          {row.row.row[:10]}  {one_line(row.row.input, 80)}", "dim")
            if row.touches is not None:
                out.say(f"  touches {row.touches.row[:10]}  {one_line(row.touches.input, 80)}", "dim")
    for note in done.notes:
        out.say(note)
    if done.components:
        largest = f", the largest of {counted(done.largest, 'row')}" if done.largest > 1 else ""
        out.say(
            f"{counted(done.components, 'group')} of rows that hang together{largest}; none is in two parts"
            + ("" if done.report and done.report.cuts else f", seed {done.seed}")
        )
    if done.report and done.report.cuts:
        if younger := done.report.younger_in_train:
            out.say(
                f"{counted(younger, 'row')} of train not known to be older than the cuts: added to it by hand?", "warn"
            )
        else:
            out.say("no row of train is younger than the cuts; rows of one time are never parted")
    if done.boilerplate:
        one, many = "word sequence that recurs everywhere was", "word sequences that recur everywhere were"
        out.say(f"{counted(done.boilerplate, one, many)} left out as boilerplate")
    if done.left:
        out.say(f"{counted(done.left, 'row that was not drawn stays', 'rows that were not drawn stay')} where found")
    if done.gone:
        out.say(f"{counted(done.gone, 'row')} left train: gone from {done.dataset} since")


def draw_report(out: Terminal, done: SplitDone) -> None:
    """Draw what each part is made of: shares, clusters and their weight before dedup, labels beside those of all."""
    report = done.report
    out.say()
    if report is None:
        out.say("An earlier Sluice made these parts, and nothing is new: there is no report of them.", "warn")
        return
    out.say(f"{counted(report.rows, 'row')}, seen at {counted(report.weight, 'place')} before dedup", "bold")
    out.table(
        ("part", "rows", "share", "places", "share", "clusters", "groups", "oldest", "newest"),
        [
            (
                p.part,
                p.rows,
                f"{p.share:.1%}",
                p.weight,
                f"{p.weight_share:.1%}",
                p.clusters,
                p.groups,
                p.oldest or "-",
                p.newest or "-",
            )
            for p in report.parts
        ],
    )
    out.say()
    out.say(report.classes)
    names = [name for name, _ in sorted(_of_all(report).items(), key=lambda item: (-item[1], item[0]))]
    if names:
        out.table(
            ("class", "of all", *(p.part for p in report.parts)),
            [
                (name, f"{_of_all(report)[name]:.1%}", *(_label(p.labels.get(name)) for p in report.parts))
                for name in names[:CLASSES_SHOWN]
            ],
        )
        if len(names) > CLASSES_SHOWN:
            out.say(f"  ... and {len(names) - CLASSES_SHOWN:,} more (--json has all)", "dim")
    heavy = [(p.part, c.row[:10], c.rows, c.weight) for p in report.parts for c in p.largest[:3] if c.weight > 1]
    if heavy:
        out.say()
        out.say("The heaviest clusters:")
        out.table(("part", "row", "rows", "places before dedup"), heavy)


def _of_all(report: SplitReport) -> dict[str, float]:
    return {name: share.of_all for part in report.parts for name, share in part.labels.items()}


def _label(share: LabelShare | None) -> str:
    return f"{share.rows:,} ({share.share:.1%})" if share else "-"


def draw_next(out: Terminal, done: SplitDone, project: Project) -> None:
    """Say what comes next: for who only curates, no more than the rows as files."""
    if done.dry_run:
        out.next(typed_again(), "the same without --dry-run")
        return
    wants_eval = project.has_config and not project.config.task.curate_only
    names = {p.name for p in done.parts}
    if wants_eval and f"{done.dataset}/eval" in names and not done.extended:
        part = "" if done.dataset == project.config.task.data else f" {done.dataset}/eval"
        out.next(f"sluice freeze{part}", f"{done.dataset}/eval becomes the eval set: its rows do not change any more")
    out.next(f"sluice audit {done.dataset}/train", "what is wrong with the training rows?")
    if not wants_eval:
        out.next(export_command(f"{done.dataset}/train", Path.cwd()), "a part as a file")
