"""`sluice compare`: did B really beat A? Exit codes: 0 claim shown, or on dev; 1 worse; 3 refused; 4 cannot tell."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, find_project, verb, yes_option
from sluice.core.errors import UsageError

if TYPE_CHECKING:
    from sluice.train.judge import Judged


@verb(
    examples=[
        "sluice compare sft-1                        on dev: no evidence",
        "sluice compare sft-1 --final                opens the eval set and gives the verdict",
        "sluice compare old.jsonl new.jsonl --kind binary     two logs, no project needed",
    ],
    exits={1: "worse", 3: "refused: baseline absent, openings spent, a leak", 4: "cannot tell"},
)
@click.argument("what", nargs=-1, required=True, metavar="ADAPTER | LOG_A LOG_B", type=PATH)
@click.option("--final", is_flag=True, help="Open the eval set for this adapter, and give the verdict.")
@click.option("--flips", is_flag=True, help="List the rows on which the two differ.")
@click.option("--kind", type=click.Choice(["binary", "graded"]), help="Of two logs: 0/1 or graded scores.")
@click.option("--range", "ends", nargs=2, type=float, metavar="LOW HIGH", help="Of graded logs: the range of scores.")
@click.option(
    "--claim",
    type=click.Choice(["better", "not-worse"]),
    default="better",
    show_default=True,
    help="Of two logs: what is to be shown.",
)
@click.option("--margin", type=float, help="For not-worse: the loss allowed, in shares of the range.")
@click.option("--shared", is_flag=True, help="Compare on the rows that both logs have.")
@click.option("--metric", metavar="NAME", help="Of lm-eval samples: which metric.")
@click.option("--filter", "filter_", metavar="NAME", help="Of lm-eval samples: which filter.")
@yes_option
def command(out: Terminal, what: tuple[str, ...], final: bool, flips: bool, yes: bool, **how: Any) -> Any:
    """Compare an adapter with the best prompt, or any two logs of scores, row by row, with an interval."""
    if len(what) == 2:
        return logs(out, what[0], what[1], final=final, flips=flips, **how)
    if len(what) != 1:
        raise UsageError("compare takes one adapter, or two logs", remedy="sluice compare sft-1")
    from sluice.cli import drawing
    from sluice.cli.model import base_model
    from sluice.core.ledger import Ledger
    from sluice.core.project import Project
    from sluice.evalsuite.baselines.bench import require_asked
    from sluice.train.adapters import adapter_ids, open_adapter
    from sluice.train.judge import final_cost, judge
    from sluice.train.verdicts import keep_verdict

    around, log = Project.find_or_none(Path.cwd()), Path(what[0])
    if around is None or ((log.suffix or log.is_file()) and what[0] not in adapter_ids(around)):
        raise UsageError(
            "compare needs two logs, or one adapter inside a project",
            where=what[0],
            remedy=f"sluice compare {what[0]} OTHER_LOG, or go to the project's folder: sluice compare sft-1",
        )
    project = find_project()
    facts = Ledger(project).read()
    open_adapter(project, what[0], facts)
    require_asked(project, facts)
    files, form, _ = base_model(out, project)

    if final:
        cost = final_cost(project, what[0], files, form)
        if not cost.already_open:
            question = f"This opens the eval set for {what[0]}: opening {cost.opening} of {cost.allowed}. Go on?"
            out.confirm(question, yes)
    out.if_interrupted = "Every answer so far is kept; the same command goes on, and is no second opening."
    judged = judge(project, what[0], files, form, final=final, progress=out.progress)
    drawing.comparison(out, judged.comparison, flips=flips)
    if judged.against_reference is not None:
        out.say()
        drawing.comparison(out, judged.against_reference)
    if judged.waived:
        out.say(f"{'':12}waived before training: {', '.join(judged.waived)}", "warn")
    out.say()
    if judged.comparison.flips and not flips:
        words = f"{what[0]}{' --final' if final else ''} --flips"
        out.say(f"Flipped rows ({len(judged.comparison.flips)}): sluice compare {words}")
    out.exit_code = judged.comparison.exit_code
    if judged.against_reference is not None and final:
        codes = {judged.comparison.exit_code, judged.against_reference.exit_code}
        out.exit_code = next(code for code in (1, 4, 0) if code in codes)  # both are needed; a loss settles it
    if final:
        keep_verdict(project, judged)
        out.next("sluice adapters")
    else:
        next_verdict(out, judged)
    return judged


def next_verdict(out: Terminal, judged: Judged) -> None:
    """Name the command that gives the verdict, or say why there can be none."""
    if judged.openable:
        out.next(f"sluice compare {judged.adapter} --final", "the verdict: opens the eval set")
        return
    out.say(f"No opening of the eval set is left: there can be no verdict on {judged.adapter}.", "warn")
    out.say('Choose on dev, or freeze new rows: sluice freeze PART --as NAME --reason "..."')
    out.next("sluice adapters", "what was judged")


def logs(
    out: Terminal, a: str, b: str, *, final: bool, flips: bool, ends: tuple[float, float] | None, **how: Any
) -> Any:
    """Compare two logs. Needs no project, writes no fact, and says so."""
    if final:
        raise UsageError("--final is for an adapter of this project", remedy="leave it out")
    if ends is not None and not ends[0] < ends[1]:
        raise UsageError(
            f"LOW must be below HIGH, and {ends[0]:g} is not below {ends[1]:g}",
            where="--range",
            remedy=f"--range {min(ends):g} {max(ends):g}" if ends[0] != ends[1] else "--range 0 1",
        )
    if how["claim"] == "not-worse" and how["margin"] is None:
        raise UsageError(
            "not-worse needs the loss that is allowed",
            where="--claim not-worse",
            remedy=shlex.join(["sluice", *out.argv, "--margin", "0.05"]),
        )
    from sluice.cli import drawing
    from sluice.evalsuite.foreign import compare_logs, read_log

    found = compare_logs(
        read_log(Path(a), filter=how["filter_"], metric=how["metric"]),
        read_log(Path(b), filter=how["filter_"], metric=how["metric"]),
        kind=how["kind"],
        range=ends,
        claim=how["claim"],
        margin=how["margin"],
        shared=how["shared"],
    )
    v = found.verdict
    out.spans([(f"{v.word.replace('-', ' '):<12}", drawing.VERDICTS[v.word]), (v.sentence, None)])
    out.say(f"{'':12}{a} {drawing.rate(found.rate_a)}   {b} {drawing.rate(found.rate_b)}, n {found.rate_b.n}")
    if v.why and v.word == "cannot-tell":
        out.say(f"{'':12}{v.why}")
        if v.n_that_would_tell:
            out.say(f"{'':12}about {v.n_that_would_tell:,} rows like these would tell")
    out.say(f"{'':12}{found.note}", "dim")
    if flips:
        out.table(("id", "A", "B"), [(f.row, f"{f.a:g}", f"{f.b:g}") for f in found.flips])
    out.exit_code = v.exit_code
    return found
