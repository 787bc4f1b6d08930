"""Adapters against their certificates, checkpoints and log against the certificate, and the models they stand on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sluice.core.errors import SluiceError, Tampered
from sluice.core.files import file_sha256, read_lines
from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Facts
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.core.runs import all_runs
from sluice.evalsuite.models.at_hand import model_at_hand
from sluice.evalsuite.models.identity import ModelFiles, identify
from sluice.train.adapters import adapter_ids
from sluice.train.certificate import CARD, Certificate, check, read_certificate, recipe_hash, write_card
from sluice.train.checkpoints import EVENT, checkpoint_step, logged
from sluice.train.verification.finding import Finding, absent, intact, tampered
from sluice.train.verification.versions import Versions


def check_adapters(
    project: Project, facts: Facts, versions: Versions, progress: Progress | None = None
) -> tuple[list[Finding], list[Certificate], list[str]]:
    """Return what was found of each adapter, the certificates that hold, and notes on foreign adapters."""
    found: list[Finding] = []
    holding: list[Certificate] = []
    notes: list[str] = []
    here: set[str] = set()
    identities = adapter_ids(project)
    for i, identity in enumerate(identities):
        if progress:
            progress("checking adapters", i, len(identities))
        folder = project.adapters / identity
        name = f".sluice/adapters/{identity}"
        try:
            certificate = read_certificate(folder)
            if certificate is None:
                notes.append(f"{name} has no certificate: it is foreign, can be measured on dev and gets no verdict")
                continue
            here.add(Forgotten(facts).certificate(certificate.sha256))
            check(folder, certificate, facts)
        except Tampered as problem:
            where = Path(problem.where).name if problem.where else ""
            found.append(
                tampered(
                    "adapter", name, f"{where}: {problem.message}" if where == "certificate.json" else problem.message
                )
            )
            continue
        except (KeyError, TypeError):
            found.append(tampered("adapter", name, "its pass is no record of a pass"))
            continue
        problem_text = _certificate_problem(certificate, facts, versions) or _card_problem(folder, certificate)
        if problem_text:
            found.append(tampered("adapter", name, problem_text))
            continue
        holding.append(certificate)
        if certificate.version in versions.lacking:
            found.append(
                intact("adapter", name, f"rows it was trained on were {told(versions.lacking[certificate.version])}")
            )
        elif versions.with_hash(certificate.version) is None:
            found.append(absent("adapter", name, "whole, but the rows it was trained on are not in this copy"))
        else:
            found.append(intact("adapter", name))
        found += _training(project, certificate)
    for fact in facts.of("trained"):
        if fact.body.get("certificate") not in here and not _copied(fact.body.get("adapter"), holding):
            found.append(
                absent("adapter", f"adapter {str(fact.body.get('adapter'))[:10]}", "trained, not in this copy")
            )
    return found, holding, notes


def _copied(adapter: object, holding: list[Certificate]) -> bool:
    return any(c.adapter == adapter for c in holding)


def _certificate_problem(certificate: Certificate, facts: Facts, versions: Versions) -> str | None:
    """Return where a certificate disagrees with its pass, with itself, or with the rows that it names."""
    passed = facts.get(certificate.passed)
    if passed is None:
        return "the pass that it names is not on record"
    said = {
        "version": certificate.version,
        "set": certificate.set,
        "base": certificate.base_sha256,
        "form": certificate.form,
        "dataset": certificate.dataset,
        "recipe": recipe_hash(certificate.recipe),
        "written_task": certificate.written_task,
        "n": len(certificate.rows),
    }
    differing = [key for key, value in said.items() if passed.body.get(key) != value]
    if differing:
        return f"certificate.json and its pass disagree: {', '.join(differing)}"
    if set(map(str, passed.body.get("waived") or [])) - {str(w.get("rule")) for w in certificate.waivers}:
        return "certificate.json leaves out a waiver"
    try:
        prompt = Prompt.model_validate(certificate.prompt).sha256
        changed = Forgotten(facts).certificate(certificate.sha256) != certificate.sha256
        if prompt != certificate.prompt_sha256 and not changed:
            return "the prompt in certificate.json is not the one it was trained under"
    except ValueError:
        return "the prompt in certificate.json cannot be read"
    version = versions.with_hash(certificate.version)
    if (
        version is not None
        and certificate.version not in versions.lacking
        and tuple(version.frame()["row"].to_list()) != certificate.rows
    ):
        return f"certificate.json names other rows than {version.ref}"
    return None


def _card_problem(folder: Path, certificate: Certificate) -> str | None:
    """Return whether the card lacks a line that it keeps for good (lines may be added)."""
    card = folder / CARD
    if not card.is_file():
        return f"{CARD}, its card, is gone"
    held = set(card.read_text(encoding="utf-8", errors="replace").splitlines())
    with tempfile.TemporaryDirectory() as place:
        write_card(Path(place), certificate)
        wanted = (Path(place) / CARD).read_text(encoding="utf-8").splitlines()
    lacking = [line for line in wanted if line not in held]
    return f"{CARD}, its card, lacks the line: {lacking[0][:80]}" if lacking else None


def _training(project: Project, certificate: Certificate) -> Iterator[Finding]:
    """Yield what was found of log and checkpoints, where they are still here; they may be cleared away."""
    folder = project.store / "training" / certificate.id / "fit"
    name = f".sluice/training/{certificate.id}"
    if not folder.is_dir():
        yield absent("adapter", name, "log and checkpoints of the training are not here: nothing shows how it was made")
        return
    log = folder / "log.jsonl"
    if certificate.log_sha256:
        if not log.is_file():
            yield absent("adapter", f"{name}/fit/log.jsonl", "the log of the training is not here")
        elif file_sha256(log) != certificate.log_sha256:
            yield tampered("adapter", f"{name}/fit/log.jsonl", "the log is not the one of the training")
        elif problem := log_problem(log, certificate):
            yield tampered("adapter", f"{name}/fit/log.jsonl", problem)
        else:
            yield intact("adapter", f"{name}/fit/log.jsonl")
    for checkpoint, digest in certificate.checkpoints.items():
        place = folder / checkpoint
        mark = place / "whole.json"
        called = f"{name}/fit/{checkpoint}"
        if not mark.is_file():
            yield absent("adapter", called, "the checkpoint is not here")
        elif file_sha256(mark) != digest:
            yield tampered("adapter", called, "whole.json is not the one of the training")
        else:
            yield _checkpoint(place, called)


def log_problem(log: Path, certificate: Certificate) -> str | None:
    """Return where a log does not name the checkpoints of its training; logs of before they were named say nothing."""
    named = logged(log)
    if not named:
        return None
    known: set[int] = set()
    for line in read_lines(log):
        if line.get("event") == EVENT:
            known.add(int(line["step"]))
        elif line.get("event") == "resumed" and line.get("step") not in known:
            return f"the training went on from step {line.get('step')}, and no checkpoint of it is named before"
    for checkpoint, digest in certificate.checkpoints.items():
        if named.get(checkpoint_step(Path(checkpoint))) != digest:
            return f"{checkpoint} is not the one that the log names"
    return None


def _checkpoint(place: Path, called: str) -> Finding:
    hashes: dict[str, str] = json.loads((place / "whole.json").read_bytes())
    for file, digest in hashes.items():
        if not (place / file).is_file():
            return absent("adapter", called, f"{file} is not here")
        if file_sha256(place / file) != digest:
            return tampered("adapter", called, f"{file} is not what the training wrote")
    return intact("adapter", called)


def check_models(
    project: Project, certificates: list[Certificate], cache_dir: Path, progress: Progress | None = None
) -> list[Finding]:
    """Return, for each model that runs and certificates name, whether its bytes here are those on record."""
    recorded: dict[str, set[str]] = {}
    files: dict[str, dict[str, str]] = {}
    for run in all_runs(project):
        try:
            spec = run.spec
        except Tampered:
            continue  # named with the runs
        if spec.role in ("baseline", "eval"):
            recorded.setdefault(spec.base, set()).add(spec.base_sha256)
    for certificate in certificates:
        recorded.setdefault(certificate.base, set()).add(certificate.base_sha256)
        files[certificate.base] = certificate.base_files
    return [_model(project, n, hashes, files.get(n), cache_dir, progress) for n, hashes in sorted(recorded.items())]


def _model(
    project: Project,
    name: str,
    hashes: set[str],
    files: dict[str, str] | None,
    cache_dir: Path,
    progress: Progress | None,
) -> Finding:
    folder = model_at_hand(name, cache_dir)
    if folder is None:
        return absent("model", name, "it is not on this machine")
    try:
        plain = identify(ModelFiles(name, folder), cache_dir, use_cache=False, progress=progress)
    except SluiceError as problem:
        return tampered("model", name, problem.message)
    if plain.sha256 in hashes:
        return intact("model", name)
    for template in _templates(project):
        with_template = identify(ModelFiles(name, folder, chat_template=template), cache_dir)
        if with_template.sha256 in hashes:
            return intact("model", name)
    changed = [f for f, digest in (files or {}).items() if plain.files.get(f, digest) != digest]
    which = f": {changed[0]}" if changed else ""
    return tampered("model", name, f"its files here are not those that were measured{which}")


def _templates(project: Project) -> Iterator[str]:
    """Yield the chat template that the project names, which is part of a model's identity."""
    try:
        name = project.config.model.chat_template
        if name:
            yield project.read_text(name, what="the chat template")
    except SluiceError:
        return
