"""What a verdict refuses to speak of: an adapter that nobody certified, and eval rows that something has seen before.

The rows that an adapter was trained on, and the dev rows that anything was chosen on, are held against the eval set
once more: a set that was frozen from them afterwards proves nothing.
"""

from __future__ import annotations

from sluice.core.errors import Refused, Tampered
from sluice.core.evalset import FrozenSet
from sluice.core.ledger import Facts
from sluice.core.project import Project
from sluice.core.runs import rows_hash
from sluice.curate.dataset import Version, dataset_names, versions
from sluice.curate.leaks.eval_side import change_edges, relation_of
from sluice.curate.leaks.find import find_leaks
from sluice.train.adapters import Adapter
from sluice.train.certificate import Certificate


def require_certificate(adapter: Adapter) -> Certificate:
    """Return an adapter's certificate. Raises Refused for a foreign one: nobody knows its prompt, rows and base."""
    if adapter.certificate is None:
        raise foreign(adapter)
    return adapter.certificate


def foreign(adapter: Adapter) -> Refused:
    return Refused(
        f"{adapter.id} is foreign: without a certificate nobody knows its prompt and what it was trained on, so it "
        "gets no verdict",
        where=f".sluice/adapters/{adapter.id}",
        remedy=f"sluice eval {adapter.id} --prompt FILE measures it on dev; or train it here, behind the gate",
    )


def refuse_trained_leaks(project: Project, adapter: Adapter, frozen: FrozenSet) -> None:
    """Raise Refused where an eval row stands in the relation to any row the adapter was trained on."""
    certificate = require_certificate(adapter)
    version = trained_version(project, certificate.version, certificate.rows, certificate.dataset)
    relation = relation_of(frozen)
    groups = frozen.groups_by_row()
    leaks = find_leaks(
        version.rows(),
        frozen.rows,
        relation,
        groups=version.groups(),
        eval_groups=groups,
        edges=change_edges(version),
    )
    if leaks:
        raise Refused(
            f"{len({k.eval_row for k in leaks})} eval rows are in what {adapter.id} was trained on, for example "
            f"{leaks[0].eval_row[:10]}: this set says nothing about it",
            where=f"evals/{frozen.folder.name}",
            remedy="freeze rows that it has not seen",
        )


def refuse_dev_leaks(project: Project, facts: Facts, frozen: FrozenSet) -> None:
    """Raise Refused where an eval row stands in the relation to a dev row that something was ever measured on."""
    dev = f"{project.config.task.data}/dev"
    measured = {f.body.get("rows") for f in facts.of("evaluated", on="dev")}
    for version in versions(project, dev) if dev in dataset_names(project) else []:
        if not (project.data / version.hash / "manifest.json").is_file():
            continue
        rows = version.rows()
        if rows_hash(r.row for r in rows) not in measured:
            continue
        leaks = find_leaks(rows, frozen.rows, relation_of(frozen), edges=change_edges(version))
        if leaks:
            raise Refused(
                f"{len({k.eval_row for k in leaks})} eval rows were dev rows, on which prompts and adapters are chosen "
                f"({version.ref}), for example {leaks[0].eval_row[:10]}",
                where=f"evals/{frozen.folder.name}",
                remedy="freeze rows that nothing was chosen on",
            )


def trained_version(project: Project, version: str, rows: tuple[str, ...], dataset: str) -> Version:
    """Return the version that a certificate names, checked.

    Raises Refused (absent) where it is not in this copy, Tampered where it is not what it was.
    """
    known = dataset_names(project)
    for name in [dataset, *(n for n in known if n != dataset)]:
        for candidate in versions(project, name) if name in known else []:
            if candidate.hash == version and (project.data / version / "manifest.json").is_file():
                candidate.check()
                if {r.row for r in candidate.rows()} | set(candidate.manifest.forgotten) != set(rows):
                    raise Tampered("the version holds other rows than the certificate says", where=candidate.ref)
                return candidate
    raise Refused(
        "absent: the rows that the adapter was trained on are not in this copy",
        where=f".sluice/data/{version[:16]}",
        remedy="copy .sluice/data from where it was trained",
    )
