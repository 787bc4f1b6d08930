"""`sluice baseline`: how far a prompt gets. Exit codes: 0; 3 no frozen eval set, or another question."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sluice.cli.terminal import Terminal
from sluice.cli.verb import PATH, dry_run_option, find_project, verb, verb_group
from sluice.core.wording import counted


@verb_group(
    bare=True,
    examples=[
        "sluice baseline",
        "sluice baseline --dry-run",
        "sluice baseline reference prod --answers answers.jsonl",
    ],
    exits={3: "no frozen eval set, or what is asked has changed since"},
)
@dry_run_option
def command(out: Terminal, dry_run: bool) -> Any:
    """Measure how far a prompt alone gets: every prompt on dev, the best of them on the eval set.

    Prompts: the one composed of description, rubric and schema, with and without examples; each in [prompts] baseline;
    the train prompt. Uses none of the openings. What stands is not run again.
    """
    from sluice.cli import drawing
    from sluice.cli.model import base_model
    from sluice.evalsuite.baselines.bench import bench, require_asked
    from sluice.evalsuite.question import task_problems

    project = find_project()
    require_asked(project)
    for problem in task_problems(project):
        raise problem
    files, form, _ = base_model(out, project)
    from sluice.evalsuite.baselines.measure import check_prompts, check_template, measure

    if dry_run:
        b = bench(project, files, form)
        prompts = check_prompts(b)
        check_template(b, prompts)
        names = [p.name for p in prompts]
        dev, asked = counted(len(b.dev), "dev row"), counted(len(names), "prompt")
        out.say(f"would ask {files.name} ({form.name}) {dev} under {asked}: {', '.join(names)}")
        out.say(
            f"then {counted(len(b.frozen.rows), 'eval row')} under the best of them and few-shot; no opening is used"
        )
        return {"prompts": names, "dev": len(b.dev), "eval": len(b.frozen.rows)}
    out.if_interrupted = "Every answer so far is kept. Go on with: sluice baseline"
    result = measure(project, files, form, progress=out.progress)
    out.spans(
        [(result.best, "bold"), (f" is the best prompt of {len(result.dev)} for {result.base} ({result.form})", None)]
    )
    if result.eval:
        found = next((line for line in result.eval if line.label == result.best), result.eval[0])
        out.say(f"  {drawing.rate(found.rate)} on the eval set, n {found.rate.n}")
        out.say(f"  {found.prompt_tokens:.0f} prompt tokens a row")
    out.say()
    drawing.baselines(out, result, project.config.task.metric)
    from sluice.core.ledger import Ledger
    from sluice.core.standing import is_graded

    if is_graded(Ledger(project).read()):
        out.next("sluice train sft", "shows the gate first")
    else:
        out.next("sluice grade", "judge 30 answers yourself, blind: about ten minutes")
    return result


@verb(
    group=command,
    name="reference",
    examples=["sluice baseline reference prod --answers answers.jsonl --identity gpt-5-mini"],
    exits={3: "no frozen eval set, or other answers are on record under this name"},
)
@click.argument("name")
@click.option("--answers", metavar="FILE", required=True, type=PATH, help='JSONL: {"row": ..., "answer": ...}.')
@click.option("--identity", metavar="TEXT", help="What answered; declared, not proven. By default the name.")
def reference(out: Terminal, name: str, answers: str, identity: str | None) -> Any:
    """Record another system's answers on the eval set, to claim against. It never replaces a baseline."""
    from sluice.cli import drawing
    from sluice.core.errors import Refused
    from sluice.core.ledger import Ledger
    from sluice.evalsuite.question import current_question, pinned_question
    from sluice.evalsuite.reference import import_reference
    from sluice.evalsuite.sets import require_set

    project = find_project()
    facts = Ledger(project).read()
    frozen = require_set(project, facts)
    question, _ = pinned_question(facts, frozen.sha256)
    today, grader = current_question(project, frozen.manifest.independent())
    if today.grader != question.grader:
        raise Refused("the grader is not the pinned one", where="sluice.toml", remedy='sluice freeze --reason "why"')
    fact, scores = import_reference(project, frozen, question, grader, name, Path(answers), identity or name)
    out.say(f"reference {name}: {drawing.rate(scores.rate)} on {frozen.name}, n {scores.rate.n}", "bold")
    out.say(f'To claim against it: against = "reference:{name}" in sluice.toml, then: sluice freeze --reason "..."')
    return {"name": name, "fact": fact.hash, "rate": scores.rate, "classes": scores.total.classes}
