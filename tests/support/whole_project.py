"""A whole project made on the spot without torch: added, split, frozen, baselines recorded, passed, trained.

Everything is written by the library; answers and the adapter's bytes are made up, and the base model is a folder with
a few files that are only ever hashed. `whole_project(root)` returns the project and the base model's folder.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

from sluice.core.ledger import Ledger
from sluice.core.project import Project
from sluice.core.runs import Run, StoredAnswer, rows_hash
from sluice.core.scaffold import InitAnswers, scaffold
from sluice.curate.adding.add import add
from sluice.curate.dataset import open_dataset
from sluice.curate.splits.parts import split_dataset
from sluice.evalsuite.asking import Form, spec_for
from sluice.evalsuite.baselines.compose import zero_shot
from sluice.evalsuite.freeze import freeze
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.evalsuite.openings import open_set, record
from sluice.evalsuite.question import task_grader
from sluice.evalsuite.scoring import score_answers
from sluice.evalsuite.sets import require_set
from sluice.train.certificate import Certificate, adapter_hash, hash_folder, recipe_hash, write_certificate

FORM = Form(dtype="float32", quantisation=None, device="cpu")
LIMIT = 96
LABELS = ("billing", "delivery", "other")


def raw_rows(folder: Path, n: int = 120, seed: int = 0) -> Path:
    """Write rows that are unlike each other, and return the file."""
    draw = random.Random(seed)
    words = [
        "".join(draw.choices("bcdfgklmnprstvw", k=1)[0] + draw.choice("aeiou") for _ in range(3)) for _ in range(900)
    ]
    lines = [
        json.dumps({"input": " ".join(draw.sample(words, 14)), "target": LABELS[i % 3], "id": i}) for i in range(n)
    ]
    file = folder / "rows.jsonl"
    file.write_text("\n".join(lines) + "\n")
    return file


def start(root: Path, base: str = "no-such-model") -> Project:
    """Start a project and add its rows."""
    root.mkdir(parents=True, exist_ok=True)
    answers = InitAnswers(
        name="tickets", data="tickets", description="Name the desk.", base=base, kind="classification"
    )
    scaffold(root, answers)
    (root / "rubric.md").write_text("Right: the very words of the target.\n")
    project = Project(root)
    add(project, "tickets", [raw_rows(root)])
    return project


def base_model(folder: Path) -> ModelFiles:
    """Write a folder that has the files of a model, to be hashed and never loaded."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return ModelFiles(str(folder), folder)


def measure(project: Project, files: ModelFiles) -> None:
    """Answer dev and the eval set under the composed prompt, and record both and the baseline."""
    ledger = Ledger(project)
    facts = ledger.read()
    frozen = require_set(project, facts)
    grader = task_grader(project)
    from sluice.evalsuite.question import pinned_question

    question, _ = pinned_question(facts, frozen.sha256)
    dev = open_dataset(project, "tickets/dev").examples()
    prompt = zero_shot(project, dev)
    recorded = {}
    for on, rows in (("dev", dev), (frozen.name, list(frozen.rows))):
        spec = spec_for(files, FORM, prompt, rows, role="baseline", on=on, max_new_tokens=LIMIT)
        if on != "dev":
            open_set(project, ledger, frozen, question, spec)
        run = Run.start(project, spec)
        for i, row in enumerate(rows):
            text = (row.target or "") if i % 2 else "other"
            run.append(StoredAnswer(row=row.row, input=row.input_hash, text=text, stop="end"))
        run.close()
        scores = score_answers(grader, rows, run.answers())
        sha = None if on == "dev" else frozen.sha256
        recorded[on] = record(ledger, run, scores, question, set_sha256=sha, label=prompt.name)
    ledger.write(
        "baseline",
        {
            "set": frozen.sha256,
            "base": identify(files).sha256,
            "form": FORM.name,
            "best": recorded["dev"].body["spec"],
            "max_new_tokens": LIMIT,
            "dev": [recorded["dev"].hash],
            "eval": [recorded[frozen.name].hash],
        },
    )


def passed_body(project: Project, files: ModelFiles) -> dict:
    """Return what the spine would write for a pass on today's train part, gradable waived."""
    version = open_dataset(project, "tickets/train")
    rows = version.examples()
    rules = dict.fromkeys(("eval-set-frozen", "prompt-baseline", "no-leakage", "rows-trainable"), "ok")
    return {
        "method": "sft",
        "dataset": "tickets/train",
        "version": version.hash,
        "rows": rows_hash(r.row for r in rows),
        "n": len(rows),
        "set": require_set(project, Ledger(project).read()).sha256,
        "base": identify(files).sha256,
        "form": FORM.name,
        "prompt": zero_shot(project, rows).sha256,
        "recipe": recipe_hash({}),
        "written_task": "0" * 64,
        "rules": {**rules, "gradable": "waived", "headroom": "ok", "audit": "ok"},
        "waived": ["gradable"],
        "advice": [],
        "loosened": [],
    }


def train(project: Project, files: ModelFiles) -> None:
    """Write waiver, pass, adapter, certificate, checkpoint and log as the spine does, with made-up weights."""
    ledger = Ledger(project)
    waiver = {"rule": "gradable", "task": "tickets", "dataset": "tickets/train", "value": "1", "found": "nobody"}
    ledger.write("waived", waiver | {"reason": "graded on paper, both of us"}, by="ana")
    passed = ledger.write("passed", passed_body(project, files))
    version = open_dataset(project, "tickets/train")
    rows = version.examples()
    prompt = zero_shot(project, rows)
    fit = project.store / "training" / "sft-1" / "fit"
    checkpoint = fit / "checkpoint-4"
    checkpoint.mkdir(parents=True)
    (fit / "log.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
    from sluice.core.files import file_sha256
    from sluice.train.checkpoints import mark_whole

    (checkpoint / "state.bin").write_bytes(b"state")
    mark_whole(checkpoint)
    (fit.parent / "passed.json").write_text(json.dumps({"passed": passed.hash}))
    folder = project.adapters / "sft-1"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"adapter")
    base = identify(files)
    hashes = hash_folder(folder)
    certificate = Certificate(
        id="sft-1",
        task="tickets",
        project=project.config.project_id,
        method="sft",
        files=hashes,
        adapter=adapter_hash(hashes),
        passed=passed.hash,
        recipe={},
        written_task="0" * 64,
        prompt=prompt.model_dump(mode="json"),
        prompt_sha256=prompt.sha256,
        parents=(),
        set=passed.body["set"],
        baselines=(),
        dataset="tickets/train",
        version=version.hash,
        rows=tuple(r.row for r in rows),
        rows_sha256=rows_hash(r.row for r in rows),
        waivers=({"rule": "gradable", "reason": "graded on paper, both of us", "found": "nobody"},),
        advice=(),
        base=base.name,
        base_files=base.files,
        base_sha256=base.sha256,
        form=FORM.name,
        training_form=FORM.name,
        seed=0,
        max_new_tokens=LIMIT,
        checkpoints={checkpoint.name: file_sha256(checkpoint / "whole.json")},
        log_sha256=hashlib.sha256((fit / "log.jsonl").read_bytes()).hexdigest(),
        packages={},
        git_commit=None,
        ledger_heads=(),
        result={},
    )
    write_certificate(folder, certificate)
    keys = {"method": "sft", "rows": certificate.rows_sha256, "n": len(rows), "set": certificate.set}
    keys |= {"base": base.sha256, "training_form": FORM.name, "prompt": prompt.sha256}
    fact = ledger.write(
        "trained",
        {"adapter": certificate.adapter, "certificate": certificate.sha256, "passed": passed.hash, **keys},
    )
    (fit.parent / "done").write_text(fact.hash + "\n")


def whole_project(root: Path) -> tuple[Project, ModelFiles]:
    """Make all of it under `root`: the project in root/project, the base model in root/base."""
    files = base_model(root / "base")
    project = start(root / "project", str(files.folder))
    split_dataset(project, "tickets", eval=30, dev=20)
    freeze(project)
    measure(project, files)
    train(project, files)
    return project, files
