"""What an adapter can prove about itself: certificate.json in its folder, and the checks that hold it to its word."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sluice.core.canonical import canonical, sha256_hex
from sluice.core.errors import Tampered
from sluice.core.files import file_sha256
from sluice.core.forgotten import Forgotten
from sluice.core.ledger import Facts
from sluice.core.prompt import Prompt
from sluice.core.runs import rows_hash

FILE = "certificate.json"
CARD = "README.md"
NOT_HASHED = (FILE, CARD)
PREFIX = b"sluice/adapter/1\n"


class Certificate(BaseModel):
    """Everything that a verdict and a promotion ask of an adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = 1
    id: str
    """Local label; facts name hashes."""
    task: str
    project: str
    method: str
    files: dict[str, str]
    """SHA-256 of every file of the adapter."""
    adapter: str
    """The hash that names the adapter."""
    passed: str
    """The fact `passed` that the spine wrote before the first step."""
    recipe: dict[str, Any]
    written_task: str
    """Hash of the description and rubric that every prompt of its baselines was composed from."""
    prompt: dict[str, Any]
    """The train prompt; the adapter is measured and served under it, never under today's toml."""
    prompt_sha256: str
    parents: tuple[str, ...]
    """Adapters that this one goes on from, or that are merged into its base."""
    set: str
    """The eval set of its pass."""
    baselines: tuple[dict[str, Any], ...]
    dataset: str
    version: str
    rows: tuple[str, ...]
    """Row hashes it was trained on, in the order of the version."""
    rows_sha256: str
    waivers: tuple[dict[str, Any], ...]
    advice: tuple[dict[str, Any], ...]
    base: str
    base_files: dict[str, str]
    base_sha256: str
    form: str
    """Form in which it is measured and served."""
    training_form: str
    seed: int
    max_new_tokens: int
    checkpoints: dict[str, str]
    log_sha256: str
    packages: dict[str, str]
    git_commit: str | None
    ledger_heads: tuple[str, ...]
    result: dict[str, Any]

    @property
    def sha256(self) -> str:
        """The hash of the certificate, which the fact `trained` names."""
        return hashlib.sha256(b"sluice/certificate/1\n" + canonical(self.model_dump(mode="json")).encode()).hexdigest()


def adapter_hash(files: dict[str, str]) -> str:
    """Return the hash that names an adapter: over its sorted file names and hashes."""
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(files.items()))
    return hashlib.sha256(PREFIX + lines.encode()).hexdigest()


def recipe_hash(recipe: dict[str, Any]) -> str:
    """Return the hash that names the settings of a training."""
    return sha256_hex("sluice/recipe/1", canonical(recipe))


def hash_folder(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of an adapter's folder but certificate and card."""
    found: dict[str, str] = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and name not in NOT_HASHED:
            found[name] = file_sha256(file)
    return found


def read_certificate(folder: Path) -> Certificate | None:
    """Return an adapter's certificate, or None where it has none. Raises Tampered where it cannot be read."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        return Certificate.model_validate_json(file.read_bytes())
    except ValueError as problem:
        raise Tampered("the certificate cannot be read", where=str(file), remedy="train again") from problem


def check(folder: Path, certificate: Certificate, facts: Facts) -> None:
    """Raise Tampered where the adapter's files, the certificate or its facts do not fit together.

    The certificate must be named by a `trained` fact and stand on a `passed` fact of the same rows: a copied or
    hand-written one is found here.
    """
    files = hash_folder(folder)
    if files != certificate.files:
        changed = sorted(set(files.items()) ^ set(certificate.files.items()))
        raise Tampered(
            f"the adapter's file {changed[0][0]} is not the one that was trained",
            where=str(folder),
            remedy="train again",
        )
    if adapter_hash(files) != certificate.adapter:
        raise Tampered("the certificate is of another adapter", where=str(folder), remedy="train again")
    named = Forgotten(facts).certificate(certificate.sha256)
    whole = named == certificate.sha256  # rows that were forgotten stand in it as keyed hashes
    trained = facts.of("trained", certificate=named, adapter=certificate.adapter)
    if not trained:
        raise Tampered("no fact says that this adapter was trained", where=str(folder), remedy="train again")
    passed = facts.get(certificate.passed)
    if passed is None or passed.kind != "passed" or passed.hash not in facts.ancestors(trained[0].hash):
        raise Tampered("the pass that the certificate names is not on record", where=str(folder), remedy="train again")
    said = {
        "rows": certificate.rows_sha256,
        "n": len(certificate.rows),
        "version": certificate.version,
        "prompt": certificate.prompt_sha256,
        "set": certificate.set,
        "base": certificate.base_sha256,
        "form": certificate.form,
        "method": certificate.method,
        "recipe": recipe_hash(certificate.recipe),
        "written_task": certificate.written_task,
    }
    differing = [key for key, value in said.items() if passed.body.get(key) != value]
    if differing or (whole and rows_hash(certificate.rows) != certificate.rows_sha256):
        raise Tampered(
            f"the certificate says otherwise than its pass: {', '.join(differing) or 'rows'}",
            where=str(folder),
            remedy="train again",
        )
    try:
        prompt = Prompt.model_validate(certificate.prompt)
    except ValueError as problem:
        raise Tampered("the prompt in the certificate cannot be read", where=str(folder)) from problem
    if whole and prompt.sha256 != certificate.prompt_sha256:
        raise Tampered("the prompt in the certificate is not the one that passed", where=str(folder))


def write_card(folder: Path, certificate: Certificate) -> None:
    """Write the adapter's card: what it is, and what was waived or not measured, for good."""
    lines = [
        f"# {certificate.id}: {certificate.task}",
        "",
        f"A LoRA adapter for {certificate.base}, trained by {certificate.method} on {len(certificate.rows):,} rows of "
        f"{certificate.dataset} under the prompt `{certificate.prompt['name']}`.",
        "",
        f"The written task (description and rubric) of its baselines: {certificate.written_task}.",
        "",
        "Waived: " + ("; ".join(f"{w['rule']}: {w['reason']}" for w in certificate.waivers) or "nothing"),
        "",
        "Advice: " + ("; ".join(f"{a['rule']}: {a['found']}" for a in certificate.advice) or "none"),
        "",
        "The verdict is not written here: it is computed from stored answers (sluice compare).",
    ]
    (folder / CARD).write_text("\n".join(lines) + "\n", encoding="utf-8")


def certificate_bytes(certificate: Certificate) -> bytes:
    """Return the bytes of certificate.json."""
    return (json.dumps(certificate.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n").encode()


def write_certificate(folder: Path, certificate: Certificate) -> None:
    """Write certificate and card into an adapter's folder that is not yet published."""
    (folder / FILE).write_bytes(certificate_bytes(certificate))
    write_card(folder, certificate)
