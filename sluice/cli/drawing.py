"""How rates, baselines, verdicts and the gate are drawn, the same in every verb."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.core.wording import counted

if TYPE_CHECKING:
    from sluice.cli.terminal import Style, Terminal
    from sluice.evalsuite.baselines.measure import Baselines, Line
    from sluice.evalsuite.compare import Comparison
    from sluice.evalsuite.stats.rates import Rate
    from sluice.train.gate import GateReport
    from sluice.train.rules.result import RuleResult

WORDS: dict[str, tuple[str, Style]] = {
    "ok": ("ok", "good"),
    "refused": ("REFUSED", "bad"),
    "waived": ("waived", "warn"),
    "later": ("later", "dim"),
    "advice": ("advice", "dim"),
}
VERDICTS: dict[str, Style] = {"better": "good", "not-worse": "good", "worse": "bad", "cannot-tell": "warn"}


class Dropping(Protocol):
    """What a verb that drops rows says of itself."""

    @property
    def rows_in(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    @property
    def dry_run(self) -> bool: ...


def what_went(result: Dropping) -> str:
    """Return the sentence of a verb that drops rows: how many of how many went, or would, and what stays."""
    would = "would be dropped" if result.dry_run else "dropped"
    stay = counted(result.rows, "stays", "stay")
    return f"{result.dropped:,} of {counted(result.rows_in, 'row')} {would}, {stay}"


def rate(value: Rate) -> str:
    """Return a rate as it is always shown: with its interval."""
    return f"{value.estimate:.2f} [{value.low:.2f}, {value.high:.2f}]"


def classes(found: dict[str, int]) -> str:
    """Return the answer classes that occur, right and wrong always."""
    return ", ".join(f"{n} {name}" for name, n in found.items() if n or name in ("right", "wrong"))


def baselines(out: Terminal, found: Baselines, metric: str) -> None:
    """Draw what prompts reach: on dev, where the best is chosen, and on the eval set."""
    for title, lines in (("dev (chosen here)", found.dev), ("eval set", found.eval)):
        if lines:
            out.say(f"{title}: {metric}, n {lines[0].rate.n}", "bold")
            out.table(
                ("prompt", "score [95%]", "lenient", "answers", "prompt tokens", "s a row"),
                [_line(line, best=i == 0 and title.startswith("dev")) for i, line in enumerate(lines)],
            )
    if found.constant is not None:
        out.say(f"always the most frequent answer: {rate(found.constant)} on dev")
    if found.does_not_stop:
        out.say(f"{found.best} does not stop: cut answers count as they stand", "warn")


def _line(line: Line, *, best: bool) -> tuple[str, ...]:
    return (
        line.label + (" *" if best else ""),
        rate(line.rate),
        "-" if line.lenient is None else f"{line.lenient:.2f}",
        classes(line.classes),
        f"{line.prompt_tokens:.0f}",
        f"{line.seconds:.2f}",
    )


def gate(out: Terminal, report: GateReport, *, trained: bool = False) -> None:
    """Draw the gate's report: the sentence first, each rule with its remedy."""
    if report.open:
        out.say(f"Gate open for {report.base} ({report.form}) on {report.dataset}.", "good")
    else:
        tail = " Nothing was trained." if trained else ""
        out.say(f"Gate closed: {report.sentence}.{tail}", "bad")
    out.say()
    for rule in report.rules:
        _rule(out, rule)
    out.say()
    advice = [r for r in report.advice if r.status == "advice"]
    if advice:
        out.say("Advice, does not refuse:")
        for rule in advice:
            out.spans([(f"{'':9}{rule.rule:<18}", "dim"), (rule.found, None)])
    for value in report.loosened:
        out.say(f"Looser than usual in sluice.toml, kept on the certificate: {value}", "warn")
    for notice in report.notices:
        out.say(notice, "dim")
    if not report.open:
        out.say("The first four cannot be waived. Then run: sluice train sft")


def _rule(out: Terminal, rule: RuleResult) -> None:
    word, style = WORDS[rule.status]
    out.spans([(f"{word:<9}", style), (f"{rule.rule:<18}", "bold"), (rule.found, None)])
    if rule.waiver:
        out.say(f"{'':9}waived: {rule.waiver}", "warn")
    if rule.details and rule.status == "refused" and len(rule.details) > 1:
        out.say(f"{'':27}(sluice gate --rows {rule.rule} shows all {len(rule.details)})", "dim")
    if rule.fix and rule.status == "refused":
        out.say(f"{'':9}Fix: {rule.fix}")


def comparison(out: Terminal, found: Comparison, *, flips: bool = False) -> None:
    """Draw a comparison: the sentence before the numbers, what stands beside it after."""
    v = found.verdict
    if not found.final:
        out.say("dev: no evidence", "dim")
    head = v.word.replace("-", " ") if found.final else "on dev"
    said = v.sentence.removesuffix(f", {head}") if found.final else v.sentence
    out.spans([(f"{head:<11} ", VERDICTS[v.word] if found.final else "dim"), (said, None)])
    best = f", the best of {found.measured} prompts measured" if found.measured > 1 else ""
    if found.prompt is not None:
        what = f"the best of {found.measured} prompts" if found.measured > 1 else "the prompt"
        best = f", which beats {what}, {found.prompt.label} {rate(found.prompt.rate)}"
    out.say(f"{'':12}{found.metric}, over {found.baseline.label}{best}")
    constant = ""
    if found.constant is not None and found.prompt is None:
        constant = f"   constant answer {rate(found.constant)}"
    out.say(
        f"{'':12}{found.candidate.label} {rate(found.candidate.rate)}   {found.baseline.label} "
        f"{rate(found.baseline.rate)}{constant}"
    )
    out.say(f"{'':12}answers: {classes(found.candidate.classes)}; before: {classes(found.baseline.classes)}")
    for note in found.notes:
        out.say(f"{'':12}{note}")
    if v.why and v.word == "cannot-tell":
        out.say(f"{'':12}{v.why}")
        if v.n_that_would_tell:
            out.say(f"{'':12}about {v.n_that_would_tell:,} rows like these would tell")
    if found.measured > 1 and found.final:
        out.say(f"{'':12}the best of many looks a little better than it is", "dim")
    if flips and found.flips:
        out.say()
        out.table(
            ("row", "change", found.baseline.label, found.candidate.label),
            [
                (f.row[:10], "helped" if f.helped else "hurt", f"{f.baseline:.2f}", f"{f.candidate:.2f}")
                for f in found.flips
            ],
        )
