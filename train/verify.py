"""Recompute everything from the stored files: what is intact, what is absent here, what was tampered with.

Nothing is believed because a fact or a manifest says so. A clone without `.sluice` is absent and no alarm. What cannot
be found this way is said in docs: a fact that was deleted from every place before anything named it, and who really
typed.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from sluice.core.forgotten import Forgotten, told
from sluice.core.ledger import Facts, Ledger
from sluice.core.paths import default_cache_dir
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.privacy.erasure import pending
from sluice.train.verification.adapters import check_adapters, check_models
from sluice.train.verification.claims import Claims
from sluice.train.verification.finding import SORTS, Finding, Sort, Word
from sluice.train.verification.grader import todays_grader
from sluice.train.verification.gradings import check_gradings
from sluice.train.verification.runs import Runs
from sluice.train.verification.sets import check_ledger, check_sets
from sluice.train.verification.versions import Versions


class Verification(BaseModel):
    """Everything that was checked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    """What is no word of the three: entries of other projects, foreign adapters, facts not committed."""

    def of(self, word: Word, sort: Sort | None = None) -> list[Finding]:
        """Return the findings of a word, of one sort where named."""
        return [f for f in self.findings if f.word == word and (sort is None or f.sort == sort)]

    @property
    def word(self) -> Word:
        """The worst that was found."""
        return "tampered" if self.of("tampered") else "absent" if self.of("absent") else "intact"

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many of each sort have which word."""
        words: tuple[Word, ...] = ("intact", "absent", "tampered")
        return {
            sort: {word: len(self.of(word, sort)) for word in words}
            for sort in SORTS
            if any(f.sort == sort for f in self.findings)
        }


def verify(project: Project, *, cache_dir: Path | None = None, progress: Progress | None = None) -> Verification:
    """Recompute a project: ledger, facts, eval sets, versions, scores, gradings, adapters, models.

    Args:
        cache_dir: where models lie (by default the user's cache folder).

    Raises InputError where sluice.toml is there and wrong; what is wrong with anything else is a finding.
    """
    facts = Ledger(project).read()
    findings = check_ledger(facts)
    found, sets = check_sets(project, facts)
    findings += found
    forgotten = Forgotten(facts)
    versions = Versions(project, forgotten, progress)
    findings += versions.findings
    findings += Claims(facts, sets, versions, progress).check()
    today = todays_grader(project)
    findings += Runs(project, facts, sets, versions, today, progress).check()
    findings += check_gradings(project, facts, versions, today)
    if today.grader is not None:
        today.grader.close()
    found, certificates, notes = check_adapters(project, facts, versions, progress)
    findings += found
    findings += check_models(project, certificates, cache_dir or default_cache_dir(), progress)
    if pending(project) is not None:
        findings = [_cut(f) for f in findings]
        notes.append("a forget was cut: sluice forget finishes it")
    again = {digest for digest, frozen in sets.items() if forgotten.set(digest) is not None}
    notes += [
        f"{sets[d].name} ({d[:8]}) is here again, with rows that were forgotten: remove its folder" for d in again
    ]
    notes += [
        f"{version.ref} is here again, with rows that were forgotten: "
        f"sluice forget {version.dataset} --row or --person, once more"
        for version in versions.whole
        if any(e["version"] == version.hash for f in forgotten.facts for e in f.body.get("versions") or ())
    ]
    return Verification(findings=tuple(findings), notes=(*_notes(facts), *notes))


def _cut(finding: Finding) -> Finding:
    """Return a finding while a forget is half done: what does not fit yet is absent, and refused by every rule."""
    if finding.word != "tampered" or finding.sort not in ("operation", "run", "version", "adapter"):
        return finding
    return finding.model_copy(update={"word": "absent", "reason": f"a forget was cut here ({finding.reason})"})


def _notes(facts: Facts) -> list[str]:
    notes = [f"{p.name}: {p.reason}; left alone" for p in facts.problems if p.word == "foreign"]
    notes += [
        f"{f.kind} {f.hash[:10]}: a kind that this version does not know; it satisfies no rule"
        for f in facts.facts
        if not f.known
    ]
    notes += [f"{counted(len(f.body.get('rows') or ()), 'row')}: {told(f)}" for f in facts.of("forgotten")]
    if facts.written_back:
        notes.append(f"{len(facts.written_back)} facts were missing from ledger/ and were written back")
    if facts.facts and facts.uncommitted is None:
        notes.append("nothing of this project is committed in git: nothing outside it anchors the ledger")
    elif facts.uncommitted:
        notes.append(f"{len(facts.uncommitted)} facts are not committed yet (git add ledger evals decisions)")
    return notes
