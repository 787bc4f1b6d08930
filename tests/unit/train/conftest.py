"""Evidence made by hand on which every rule holds, for the tests of rules and gate: no project, no model."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sluice.core.evalset import FrozenSet, SetManifest
from sluice.core.ledger import Fact, Facts
from sluice.core.project import Project
from sluice.core.prompt import Block, Prompt
from sluice.core.rows import Example
from sluice.core.runs import StoredAnswer
from sluice.core.task import GraderConfig
from sluice.curate.audit import audit_rows
from sluice.curate.checks import CheckContext
from sluice.evalsuite.asking import Form
from sluice.evalsuite.baselines.bench import Bench
from sluice.evalsuite.graders import make_grader
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity
from sluice.evalsuite.question import Question
from sluice.evalsuite.scoring import Scores, score_answers
from sluice.evalsuite.sets import SetState
from sluice.train.baseline_evidence import BaselineEvidence, Recorded
from sluice.train.evidence import Evidence, GradingEvidence
from sluice.train.render import Rendered

GRADER = make_grader(GraderConfig(name="exact"))
PROMPT = Prompt(name="zero-shot", blocks=(Block(role="user", text="{{ input }}"),))
QUESTION = Question(
    metric="exact",
    grader="0" * 64,
    kind="binary",
    direction="higher",
    low="0.000000",
    high="1.000000",
    right_at="1.000000",
    claim="better",
    against="baseline",
    margin=None,
    target=None,
    alpha="0.050000",
    openings=1,
)


def rows(n: int, seed: int) -> tuple[Example, ...]:
    """Return rows that are unlike each other, with three labels."""
    draw = random.Random(seed)
    texts = ["".join(draw.choices("bcdfgklmnprstvwaeiou ", k=60)) for _ in range(n)]
    return tuple(Example(input={"input": t}, target="abc"[i % 3]) for i, t in enumerate(texts))


def fact(kind: str, **body: object) -> Fact:
    """Return a fact as it is read."""
    return Fact(hash="f" * 64, project="p", kind=kind, body=body, parents=(), time="", account="ana", tool="t")


def scored(some: tuple[Example, ...], right: int) -> Scores:
    """Return the scores of a run that got the first `right` rows right."""
    answers = {
        (r.row, 0): StoredAnswer(
            row=r.row, input=r.input_hash, text=(r.target or "") if i < right else "no", stop="end"
        )
        for i, r in enumerate(some)
    }
    return score_answers(GRADER, some, answers)


@pytest.fixture
def good(tmp_path: Path) -> Evidence:
    """Evidence on which all seven rules hold."""
    train, dev, asked = rows(40, 1), rows(22, 2), tuple(sorted(rows(24, 3), key=lambda r: r.row))
    manifest = SetManifest(
        name="tickets",
        dataset="tickets/eval",
        version="1" * 64,
        guard=False,
        rows=tuple(r.row for r in asked),
        inputs=tuple(r.input_hash for r in asked),
        groups=((),) * len(asked),
        rows_sha256="2" * 64,
        similarity=1,
        boilerplate=(),
    )
    frozen = FrozenSet(folder=tmp_path, manifest=manifest, rows=asked)
    state = SetState(
        fact=fact("frozen", set=manifest.sha256, name="tickets", guard=False), frozen=frozen, word="intact"
    )
    identity = ModelIdentity(name="m", files={}, sha256="3" * 64)
    on_set = scored(asked, 9)
    return Evidence(
        method="sft",
        task="tickets",
        dataset="tickets/train",
        data="tickets",
        train=train,
        train_version="4" * 64,
        train_remedy="sluice split tickets",
        base="m",
        base_sha256=identity.sha256,
        form="float32",
        facts=Facts(facts=(), problems=(), written_back=(), uncommitted=()),
        ledger_problems=(),
        set_state=state,
        set_problem=None,
        set_remedy=None,
        clusters=tuple((r.row,) for r in asked),
        lacking=(),
        baselines=BaselineEvidence(
            recorded=(
                Recorded("zero-shot", "dev", "intact", scores=scored(dev, 5)),
                Recorded("few-shot", "dev", "intact", scores=scored(dev, 8)),
                Recorded("few-shot", "tickets", "intact", scores=on_set),
            ),
            best_label="few-shot",
            best_rate=on_set.rate,
            best_spec="5" * 64,
            rerun=None,
            does_not_stop=False,
            prompts=(PROMPT.sha256,),
            max_new_tokens=96,
            other_models=(),
        ),
        baseline_problem=None,
        baseline_remedy=None,
        leaks=(),
        text_leaks=(),
        rendered=tuple((r.row, Rendered(ids=(1, 2, 3, 4), prompt_tokens=2)) for r in train),
        render_problem=None,
        max_tokens=512,
        limit_of="[task] max_tokens",
        grading=GradingEvidence(fact("graded"), controls=10, controls_right=9, graded=20, agree=16),
        report=audit_rows(
            CheckContext(rows=train, count_tokens=lambda row: 4, max_tokens=512, dev_rows=dev, eval_rows=asked)
        ),
        bench=Bench(
            project=Project(tmp_path),
            frozen=frozen,
            question=QUESTION,
            grader=GRADER,
            dev=list(dev),
            train=list(train),
            files=ModelFiles("m", tmp_path),
            form=Form("float32", None, "cpu"),
            tokenizer=None,
            identity=identity,
            context=1024,
        ),
        prompt=PROMPT,
        target=None,
        waived=(),
    )
