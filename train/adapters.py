"""Adapters on disk: find one by its id, say what it is, and check it against its certificate."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.errors import InputError, Tampered
from sluice.core.ledger import Facts, Ledger
from sluice.core.project import Project
from sluice.core.prompt import Prompt
from sluice.train.certificate import Certificate, adapter_hash, check, hash_folder, read_certificate


@dataclass(frozen=True)
class Adapter:
    """An adapter as it lies in its folder."""

    id: str
    folder: Path
    sha256: str
    certificate: Certificate | None
    """None for a foreign adapter: it can be measured on dev under a prompt that is named, and gets no verdict."""

    @property
    def prompt(self) -> Prompt | None:
        """The prompt it was trained under, from its certificate."""
        return None if self.certificate is None else Prompt.model_validate(self.certificate.prompt)


class AdapterLine(BaseModel):
    """One adapter in the listing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    sha256: str
    word: str
    """`intact`, `tampered` or `foreign`."""
    base: str | None
    method: str | None
    rows: int | None
    dataset: str | None
    waived: tuple[str, ...]
    opened: int
    """Eval sets that it was shown."""
    folder: str
    reason: str = ""


def adapter_ids(project: Project) -> list[str]:
    """Return the ids of all adapters, in order of their numbers."""
    if not project.adapters.is_dir():
        return []
    found = [p.name for p in project.adapters.iterdir() if (p / "adapter_config.json").is_file()]
    return sorted(found, key=lambda i: (re.sub(r"\d+$", "", i), int((re.findall(r"\d+$", i) or ["0"])[0]), i))


def open_adapter(project: Project, identity: str, facts: Facts | None = None) -> Adapter:
    """Return an adapter, checked against its certificate.

    Raises InputError where there is none of that id (with the near one), Tampered where it is not what was trained.
    """
    known = adapter_ids(project)
    if identity not in known:
        near = get_close_matches(identity, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else (f"known: {', '.join(known)}" if known else "sluice train sft")
        raise InputError(f"no adapter is called '{identity}'", remedy=hint)
    folder = project.adapters / identity
    certificate = read_certificate(folder)
    if certificate is not None:
        check(folder, certificate, facts or Ledger(project).read())
    return Adapter(identity, folder, adapter_hash(hash_folder(folder)), certificate)


def next_id(project: Project, method: str) -> str:
    """Return the next free id of a method, `sft-1`."""
    numbers = [int(m[1]) for i in adapter_ids(project) if (m := re.fullmatch(rf"{method}-(\d+)", i))]
    training = project.store / "training"
    if training.is_dir():
        numbers += [int(m[1]) for p in training.iterdir() if (m := re.fullmatch(rf"{method}-(\d+)", p.name))]
    return f"{method}-{max(numbers, default=0) + 1}"


def list_adapters(project: Project) -> list[AdapterLine]:
    """Return every adapter with what its certificate says and whether that holds."""
    facts = Ledger(project).read()
    lines: list[AdapterLine] = []
    for identity in adapter_ids(project):
        folder = project.adapters / identity
        word, reason = "intact", ""
        certificate: Certificate | None = None
        try:
            certificate = read_certificate(folder)
            if certificate is None:
                word = "foreign"
            else:
                check(folder, certificate, facts)
        except Tampered as problem:
            word, reason = "tampered", problem.message
        digest = adapter_hash(hash_folder(folder))
        opened = {str(f.body["set"]) for f in facts.of("opened", adapter=digest)}
        lines.append(
            AdapterLine(
                id=identity,
                sha256=digest,
                word=word,
                base=certificate.base if certificate else None,
                method=certificate.method if certificate else None,
                rows=len(certificate.rows) if certificate else None,
                dataset=certificate.dataset if certificate else None,
                waived=tuple(str(w["rule"]) for w in certificate.waivers) if certificate else (),
                opened=len(opened),
                folder=str(folder),
                reason=reason,
            )
        )
    return lines
