"""The spine of every recipe: rows are read once, judged, and only then become the tokens that are trained on.

It reads the rows of a version and hashes them while reading, evaluates the gate on exactly those (recomputing every
hash of the model), writes `passed`, trains from tokens that it made itself, and writes certificate, adapter and
`trained`. A recipe never opens rows and cannot be handed any. No argument, environment variable or earlier pass skips
a step: what is judged here is judged here again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import InputError, Tampered
from sluice.core.files import atomic_write, file_sha256, publish_folder
from sluice.core.ledger import Fact, Ledger
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.rows import Example
from sluice.core.runs import rows_hash
from sluice.curate.dataset import Version, open_dataset
from sluice.curate.labels.choose import written_task
from sluice.evalsuite.asking import Form
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.train.adapters import adapter_ids, next_id
from sluice.train.certificate import (
    FILE,
    Certificate,
    adapter_hash,
    certificate_bytes,
    check,
    hash_folder,
    read_certificate,
    recipe_hash,
    write_certificate,
)
from sluice.train.evidence import Evidence, collect
from sluice.train.gate import GateReport, evaluate
from sluice.train.policy import policy_of
from sluice.train.recipes.config import FitResult, SftConfig

PACKAGES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "accelerate", "sluiceway")


@dataclass(frozen=True)
class Trained:
    """What a recipe made."""

    id: str
    folder: Path
    certificate: Certificate
    result: FitResult
    report: GateReport
    fact: str
    before: bool = False
    """Whether it was whole already, and nothing was trained."""


@dataclass(frozen=True)
class Order:
    """What is to be trained: a dataset, how, and in which form."""

    dataset: str
    method: str
    config: SftConfig
    training: Form
    """Precision and quantisation of training; recorded, may differ from the form that is measured."""
    measured: Form


def run(project: Project, order: Order, files: ModelFiles, *, progress: Progress | None = None) -> Trained:
    """Train an adapter, if the gate is open for exactly these rows.

    An interrupted run of the same rows and settings goes on from its last whole checkpoint. One that is whole is
    returned as it is: the same rows, settings and seed give the same adapter.

    Raises:
        Refused: the gate is closed; `result` is its report. Nothing was trained or written.
        InputError, SurroundingsError: as `fit`.
    """
    version_ = open_dataset(project, order.dataset)
    rows = tuple(version_.checked_examples())
    evidence = collect(
        project,
        files,
        order.measured,
        method=order.method,
        dataset=version_.ref,
        rows=rows,
        version=version_,
        fresh=True,
        progress=progress,
    )
    report = evaluate(evidence, policy_of(project.config))
    if not report.open:
        raise report.refusal()
    passed = _write_passed(project, evidence, report, order, rows)
    with project.lock(f"train-{passed.hash[:16]}", what="the training of these rows", wait_seconds=1.0):
        whole = _trained_before(project, passed, report)
        return whole or _train(project, order, files, version_, rows, evidence, report, passed, progress)


def _trained_before(project: Project, passed: Fact, report: GateReport) -> Trained | None:
    """Return the adapter that this very pass has led to, where it lies here whole; None where it is to be trained."""
    facts = Ledger(project).read()
    for identity in adapter_ids(project):
        folder = project.adapters / identity
        result = project.store / "training" / identity / "fit" / "result.json"
        try:
            certificate = read_certificate(folder)
            if certificate is None or certificate.passed != passed.hash or not result.is_file():
                continue
            check(folder, certificate, facts)
        except Tampered:
            continue  # `verify` and `adapters` name it
        fact = facts.of("trained", certificate=certificate.sha256)[0]
        fitted = FitResult.model_validate_json(result.read_bytes())
        return Trained(identity, folder, certificate, fitted, report, fact.hash, before=True)
    return None


def _write_passed(
    project: Project, evidence: Evidence, report: GateReport, order: Order, rows: tuple[Example, ...]
) -> Fact:
    """Write the receipt, once for the same rows, evidence and settings."""
    if evidence.prompt is None or evidence.set_state is None:
        raise InputError("there is nothing to train on", remedy="sluice gate")
    body: dict[str, Any] = {
        "method": order.method,
        "dataset": evidence.dataset,
        "version": evidence.train_version,
        "rows": rows_hash(r.row for r in rows),
        "n": len(rows),
        "set": evidence.set_state.sha256,
        "base": evidence.base_sha256,
        "form": evidence.form,
        "training_form": order.training.name,
        "prompt": evidence.prompt.sha256,
        "recipe": recipe_hash(order.config.model_dump(mode="json")),
        "written_task": written_task(project),
        "rules": {r.rule: r.status for r in report.rules},
        "waived": sorted(r.rule for r in report.rules if r.status == "waived"),
        "advice": sorted(r.rule for r in report.advice if r.status == "advice"),
        "loosened": list(report.loosened),
    }
    ledger = Ledger(project)
    standing = [f for f in ledger.read().of("passed") if f.body == body]
    return standing[-1] if standing else ledger.write("passed", body)


def _train(
    project: Project,
    order: Order,
    files: ModelFiles,
    version_: Version,
    rows: tuple[Example, ...],
    evidence: Evidence,
    report: GateReport,
    passed: Fact,
    progress: Progress | None,
) -> Trained:
    from sluice.evalsuite.models.local import load
    from sluice.train.recipes.fit import fit

    if evidence.rendered is None or evidence.prompt is None:
        raise InputError("the rows were not rendered", remedy="sluice gate")
    folder, identity = _training_folder(project, order.method, passed)
    if progress:
        progress(f"loading {files.name} ({order.training.name})", 0, 0)
    model = load(
        files,
        dtype=order.training.dtype,  # type: ignore[arg-type]
        device=order.training.device,
        quantisation=order.training.quantisation,  # type: ignore[arg-type]
    )
    tokens = [r for _, r in evidence.rendered]
    result = fit(model, tokens, order.config, folder / "fit", progress=progress)
    if hash_folder(folder / "fit" / "adapter") != result.files:
        raise Tampered(
            "the adapter is not the one that was trained",
            where=str(folder / "fit" / "adapter"),
            remedy="remove that training's folder, then train again",
        )
    certificate = _kept(
        folder,
        _certificate(project, order, files, version_, rows, evidence, report, passed, identity, folder, result),
    )
    known = Ledger(project).read().of("trained", certificate=certificate.sha256)
    fact = known[0] if known else _write_trained(project, certificate)
    final = project.adapters / identity
    with project.staging.job() as job:
        staged = job / identity
        shutil.copytree(folder / "fit" / "adapter", staged)
        write_certificate(staged, certificate)
        if not publish_folder(staged, final) and (
            read_certificate(final) != certificate or hash_folder(final) != certificate.files
        ):
            raise Tampered(
                "another adapter lies in its folder", where=str(final), remedy="move it away, then train again"
            )
    atomic_write(folder / "done", (fact.hash + "\n").encode())
    return Trained(identity, final, certificate, result, report, fact.hash)


def _kept(folder: Path, certificate: Certificate) -> Certificate:
    """Keep a certificate beside its training before any fact names it, and return the one that is kept.

    A process that dies between fact and adapter is gone on with under the certificate that the fact names, although
    ledger, git and packages may have changed since. Raises Tampered where the one that is kept says anything else.
    """
    file = folder / FILE
    if not file.is_file():
        atomic_write(file, certificate_bytes(certificate))
        return certificate
    moving = {"git_commit", "ledger_heads", "packages"}
    found = read_certificate(folder)
    if found is None or found.model_dump(exclude=moving) != certificate.model_dump(exclude=moving):
        raise Tampered(
            "the certificate that is kept is of another training",
            where=str(file),
            remedy="remove that training's folder, then train again",
        )
    return found


def _write_trained(project: Project, certificate: Certificate) -> Fact:
    return Ledger(project).write(
        "trained",
        {
            "adapter": certificate.adapter,
            "certificate": certificate.sha256,
            "passed": certificate.passed,
            "method": certificate.method,
            "rows": certificate.rows_sha256,
            "n": len(certificate.rows),
            "set": certificate.set,
            "base": certificate.base_sha256,
            "training_form": certificate.training_form,
            "prompt": certificate.prompt_sha256,
        },
    )


def _training_folder(project: Project, method: str, passed: Fact) -> tuple[Path, str]:
    """Return the folder and id of the run that this pass is for: the interrupted one, or a new one."""
    training = project.store / "training"
    training.mkdir(parents=True, exist_ok=True)
    for folder in sorted(training.iterdir()):
        if _is_for(folder, passed) and not (folder / "done").exists():
            return folder, folder.name
    with project.lock("train-id", what="the numbering of training runs"):
        identity = next_id(project, method)
        folder = training / identity
        folder.mkdir()
        atomic_write(folder / "passed.json", (json.dumps({"passed": passed.hash}) + "\n").encode())
    return folder, identity


def _is_for(folder: Path, passed: Fact) -> bool:
    try:
        found = json.loads((folder / "passed.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and cast("dict[str, Any]", found).get("passed") == passed.hash


def _certificate(
    project: Project,
    order: Order,
    files: ModelFiles,
    version_: Version,
    rows: tuple[Example, ...],
    evidence: Evidence,
    report: GateReport,
    passed: Fact,
    identity: str,
    folder: Path,
    result: FitResult,
) -> Certificate:
    if evidence.prompt is None or evidence.set_state is None or evidence.baselines is None:
        raise InputError("there is no evidence to certify", remedy="sluice gate")
    adapter_files = hash_folder(folder / "fit" / "adapter")
    base = identify(files, use_cache=False)
    log = folder / "fit" / "log.jsonl"
    facts = Ledger(project).read()
    return Certificate(
        id=identity,
        task=evidence.task,
        project=project.config.project_id,
        method=order.method,
        files=adapter_files,
        adapter=adapter_hash(adapter_files),
        passed=passed.hash,
        recipe=order.config.model_dump(mode="json"),
        written_task=str(passed.body["written_task"]),
        prompt=evidence.prompt.model_dump(mode="json"),
        prompt_sha256=evidence.prompt.sha256,
        parents=(),
        set=evidence.set_state.sha256,
        baselines=tuple(
            {"label": r.label, "on": r.place, "mean": round(r.scores.mean, 6), "n": len(r.scores.rows)}
            for r in evidence.baselines.recorded
            if r.scores is not None
        ),
        dataset=evidence.dataset,
        version=version_.hash,
        rows=tuple(r.row for r in rows),
        rows_sha256=rows_hash(r.row for r in rows),
        waivers=tuple(
            {"rule": r.rule, "reason": r.waiver, "found": r.found} for r in report.rules if r.status == "waived"
        )
        + tuple({"rule": name, "reason": "a looser value in sluice.toml", "found": name} for name in report.loosened),
        advice=tuple({"rule": r.rule, "found": r.found} for r in report.advice if r.status == "advice"),
        base=base.name,
        base_files=base.files,
        base_sha256=base.sha256,
        form=order.measured.name,
        training_form=order.training.name,
        seed=order.config.seed,
        max_new_tokens=evidence.baselines.max_new_tokens,
        checkpoints={
            p.name: file_sha256(p / "whole.json")
            for p in sorted((folder / "fit").glob("checkpoint-*"))
            if (p / "whole.json").exists()
        },
        log_sha256=file_sha256(log) if log.exists() else "",
        packages={name: found for name in PACKAGES if (found := _version(name))},
        git_commit=_commit(project.root),
        ledger_heads=tuple(facts.heads()),
        result=result.model_dump(mode="json", exclude={"losses", "adapter"})
        | {"last_loss": result.losses[-1] if result.losses else None},
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit(root: Path) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "rev-parse", "HEAD"], capture_output=True, text=True, check=False, timeout=10
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
