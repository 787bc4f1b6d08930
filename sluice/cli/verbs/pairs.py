"""`sluice pairs`: preference pairs from every honest source. Exit codes: 0; 3 a run over eval or dev rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import dry_run_option, find_project, typed_again, verb
from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.curate.pairs.audit import PairAudit


@verb(
    examples=[
        "sluice pairs tickets --from choices                   what people preferred, side by side",
        "sluice pairs tickets --from samples:train-sft-1-1a2b3c    a model's best answer against a worse one",
        "sluice pairs tickets --from choices --from corrections --from gold:RUN",
        "sluice pairs tickets --from feedback:thumbs.jsonl --columns answer=reply,good=thumb --kind unpaired",
    ],
    exits={3: "a run over rows of the eval set or dev, or nothing but eval inputs"},
)
@click.argument("name")
@click.option(
    "--from",
    "sources",
    metavar="SOURCE",
    multiple=True,
    help="choices, ratings, corrections, samples:RUN, gold:RUN, feedback:FILE|DATASET. May be given several times.",
)
@click.option("--as", "to", metavar="NAME", help="Name of the dataset of pairs.  [default: NAME-pairs]")
@click.option("--kind", metavar="KIND", default="preference", show_default=True, help="preference, or unpaired (KTO).")
@click.option("--margin", type=float, help="Least difference, as a share of the scale judged on.  [default: 0.25]")
@click.option("--per-input", type=int, help="Most pairs of one input.  [default: 1]")
@click.option("--rejected", metavar="WHICH", help="Which worse answer: random, hardest, widest.  [default: random]")
@click.option("--near", type=float, help="Likeness from which two answers are no pair.  [default: 0.9]")
@click.option("--seed", type=int, help="Seed of draws.  [default: 0]")
@click.option("--columns", metavar="ROLE=COL,...", help="Columns of a feedback file by role: answer, good, ...")
@dry_run_option
def command(out: Terminal, name: str, sources: tuple[str, ...], columns: str | None, dry_run: bool, **how: Any) -> Any:
    """Build pairs of a preferred and a rejected answer, and measure what tells the two apart."""
    from sluice.curate.pairs.build import build_pairs

    to, kind = how.pop("to"), how.pop("kind")
    result = build_pairs(
        find_project(),
        name,
        sources,
        to=to,
        kind=kind,
        rules=rules_of(how),
        columns=columns_of(columns),
        dry_run=dry_run,
        progress=out.progress,
    )
    noun = "pair" if result.kind == "preference" else "judged answer"
    if dry_run:
        out.say(f"Nothing was built. It would be {counted(result.rows, noun)} of {counted(result.inputs, 'input')}.")
    else:
        state = "" if result.changed else " (as before; nothing changed)"
        what = f"  {counted(result.rows, noun)} of {counted(result.inputs, 'input')}{state}"
        out.spans([(f"{result.dataset}@{result.version}", "bold"), (what, None)])
    out.table(("from", "said"), [(word, f"{n:,}") for word, n in result.sources.items()])
    if len(result.by_part) > 1:
        out.table(("dataset", "rows"), [(part, f"{n:,}") for part, n in result.by_part.items()])
    if result.aside:
        out.say("left out:", "bold")
        for reason, n in result.aside.items():
            out.say(f"  {n:>6,}  {reason}")
    if result.audit is not None:
        draw(out, result.audit)
    if dry_run:
        out.next(typed_again(), "the same without --dry-run")
    else:
        out.next(f"sluice audit {result.dataset}", "what else tells chosen from rejected?")
    return result


def rules_of(given: dict[str, Any]) -> Any:
    """Return the rules with what was given in the place of the defaults. Raises UsageError for what is none."""
    from pydantic import ValidationError

    from sluice.core.errors import UsageError
    from sluice.curate.pairs.rules import REJECTED, Rules

    said = {key: value for key, value in given.items() if value is not None}
    if said.get("rejected", "random") not in REJECTED:
        raise UsageError(
            f"'{said['rejected']}' is no way to choose", where="--rejected", remedy=f"one of: {', '.join(REJECTED)}"
        )
    try:
        return Rules(**said)
    except ValidationError as problem:
        wrong = problem.errors()[0]
        option = str(wrong["loc"][0]).replace("_", "-")
        raise UsageError(
            f"{said[str(wrong['loc'][0])]} cannot be its value: {wrong['msg'].lower()}",
            where=f"--{option}",
            remedy="shares are from 0 to 1, counts from 1",
        ) from None


def columns_of(text: str | None) -> dict[str, str]:
    """Return columns by role, of `answer=reply,good=thumb`. Raises UsageError for what is not written so."""
    from sluice.core.errors import UsageError

    pieces = [piece.strip().partition("=") for piece in (text or "").split(",") if piece.strip()]
    if any(not role or not column for role, _, column in pieces):
        raise UsageError(f"'{text}' names no columns", where="--columns", remedy="write ROLE=COLUMN,ROLE=COLUMN")
    return {role.strip(): column.strip() for role, _, column in pieces}


def draw(out: Terminal, audit: PairAudit) -> None:
    """Draw what tells chosen from rejected, a line each; what could not be measured says so."""
    out.say("what tells them apart:", "bold")
    if audit.length is not None:
        one = audit.length
        out.say(
            f"  length       {one.chosen:.1f} words and marks against {one.rejected:.1f} (d = {one.cohens_d:.2f}); "
            f"the longer is chosen in {one.longer_chosen:.0%}, length alone has AUC {one.auc:.2f}",
            "warn" if one.auc >= 0.65 else None,
        )
    tells = ", ".join(f"{t.form} {t.chosen:.0%}/{t.rejected:.0%}" for t in audit.tells[:3])
    out.say(f"  form         {tells or 'nothing differs'}")
    if audit.position is not None:
        one = audit.position
        out.say(
            f"  position     the first side in {one.first_chosen:.0%} of {counted(one.choices, 'choice')} "
            f"({one.low:.0%} to {one.high:.0%})"
        )
    else:
        out.say("  position     not measured: no choices of people", "dim")
    out.say(f"  beginning    the same in {audit.same_prefix:.0%}")
    out.say(f"  preferred by {_shares(audit.people)}")
    out.say(f"  sources      {_shares(audit.sources)}")
    if audit.margins is not None:
        one = audit.margins
        out.say(f"  margin       {one.least:.2f} to {one.most:.2f}, median {one.median:.2f}")
    if audit.rings:
        out.say(f"  rings        {counted(audit.rings, 'pair')} in preferences that go in a ring", "warn")
    if audit.on_policy is not None:
        out.say(f"  on-policy    {audit.on_policy:.0%} with both answers of one model")


def _shares(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {n:,}" for name, n in list(counts.items())[:6]) or "-"
