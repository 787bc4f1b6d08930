"""`decontaminate`: drop the rows of a part that repeat an eval row, and name the texts around them that do.

A split leaves no leaks; this is for rows that came another way, and for eval rows that are not of this project. Leaks
in prompts, schema, rubric and documents are for a person to mend.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sluice.core.errors import InputError, UsageError
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.wording import counted
from sluice.curate.adding.add import parts_of
from sluice.curate.dataset import Version, has_dataset, open_dataset
from sluice.curate.drops import Drop, Plan, drop_from
from sluice.curate.formats import ReadOptions
from sluice.curate.leaks.against import DOCUMENTS, Reference, documents, of_side, of_version, references
from sluice.curate.leaks.eval_side import change_edges, eval_side, pinned_boilerplate
from sluice.curate.leaks.evidence import result_of
from sluice.curate.leaks.find import find_leaks_in_texts
from sluice.curate.leaks.nearest import load_model, nearest
from sluice.curate.leaks.repeats import Repeats, Wish, find_repeats
from sluice.curate.leaks.result import Asked, DecontaminateResult
from sluice.curate.similar.similarity import Relation


def decontaminate(
    project: Project,
    dataset: str,
    *,
    against: Sequence[str] = (),
    options: ReadOptions | None = None,
    ngrams: int | None = None,
    ngram_share: float | None = None,
    answers: bool = False,
    in_documents: Sequence[str] = (),
    neighbours: int = 0,
    model: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> DecontaminateResult:
    """Drop the rows of a dataset that stand in the relation to an eval row, and make its next version.

    Args:
        project: of the dataset.
        dataset: a part such as `tickets/train`, or a dataset that no eval rows were drawn from.
        against: files, patterns, datasets and eval sets beside the eval rows of the project
            (`sluice.curate.leaks.against`). options: how files of rows are read. ngrams, ngram_share: also drop rows
            that share word n-grams (`sluice.curate.leaks.overlap`). answers: also drop rows that hold an eval row's
            answer, of 8 words (40 characters) or more. in_documents: files in which eval rows are looked for; a person
            mends them. neighbours: of each eval row, that many rows nearest in meaning are reported; needs `model`.
            model: a sentence-transformers model, by folder or id. dry_run: only say what would be dropped. progress:
            called with (what, done, total).

    Raises UsageError for an eval part and for a whole dataset that was split, InputError where there are no eval rows
    yet and nothing is named.
    """
    _check_part(project, dataset)
    if dataset in against:
        raise UsageError(
            f"'{dataset}' repeats itself, row by row",
            where="--against",
            remedy=f"name other rows; within a dataset it is: sluice dedup {dataset}",
        )
    wish = Wish(ngrams, ngram_share, answers)
    wish.check()
    if model is not None and not neighbours:
        raise UsageError("it goes with --nearest", where="--model", remedy="add --nearest 5, or leave it out")
    embed = load_model(model, neighbours) if neighbours else None  # before anything is dropped
    base = dataset.partition("/")[0]
    side = eval_side(project, dataset)
    held = [of_side(side)] if side is not None else []
    if dataset == f"{base}/train" and has_dataset(project, f"{base}/dev"):
        held.append(of_version(open_dataset(project, f"{base}/dev")))
    held += references(project, against, options, progress)
    if not held:
        raise InputError(
            "there are no eval rows yet to hold the rows against",
            where=dataset,
            remedy=f"sluice split {base}, or name rows: --against FILE",
        )
    texts = project_texts(project) | documents(project, in_documents)
    seen: list[tuple[Repeats, Relation]] = []

    def plan(version: Version) -> Plan:
        relation = side.relation if side is not None else Relation(pinned_boilerplate(version))
        repeats = find_repeats(version.frame(), held, relation, change_edges(version), wish, progress)
        seen.append((repeats, relation))
        return Plan(
            verb="decontaminate",
            drops=[
                Drop(r.row, f"leak-{r.how}", None if r.where else r.eval_row, r.share, r.detail)
                for r in repeats.strongest
            ],
            parameters=_parameters(held, wish),
            counts=dict(Counter(r.how for r in repeats.strongest)),
            report={"lost": [[*key, number] for key, number in sorted(repeats.lost.items())]},
            none_left=InputError(
                f"all of it, {counted(len(repeats.strongest), 'row')}, repeats eval rows: nothing would be left to "
                "train on",
                where=version.ref,
                remedy="collect rows that are not eval rows, then: sluice add",
            ),
        )

    gone = drop_from(project, dataset, plan, dry_run=dry_run)
    (repeats, relation), frame = seen[-1], gone.before.frame()
    ours = [row for one in held if one.document is None and "/dev@" not in one.name for row in one.rows]
    found = find_leaks_in_texts(texts, ours, relation)
    near = nearest(frame, ours, neighbours, embed, progress) if embed is not None else ()
    number = open_dataset(project, dataset).number
    return result_of(
        dataset, number, held, frame, gone.goes, repeats, found, tuple(texts), near, _asked(wish, repeats),
        changed=gone.changed, dry_run=dry_run,
    )  # fmt: skip


def _parameters(held: Sequence[Reference], wish: Wish) -> dict[str, Any]:
    return {
        "against": [one.name for one in held],
        "files": {one.name: one.sha256 for one in held if one.sha256},
        "ngrams": wish.ngrams,
        "ngram_share": wish.ngram_share,
        "answers": wish.answers,
    }


def _asked(wish: Wish, repeats: Repeats) -> Asked:
    return Asked(
        ngrams=wish.ngrams,
        ngram_share=wish.ngram_share,
        too_short_for_ngrams=repeats.too_short,
        common_ngrams=repeats.common,
        answers=wish.answers,
        answers_too_short=repeats.answers_too_short,
        answers_shared=repeats.answers_shared,
    )


def project_texts(project: Project) -> dict[str, str]:
    """Return the texts that stand around rows, by name: prompts, schema, rubric, description, documents/."""
    names = sorted(p.relative_to(project.root).as_posix() for p in (project.root / "prompts").glob("**/*.md"))
    folder = project.root / "documents"
    names += sorted(
        p.relative_to(project.root).as_posix() for p in folder.glob("**/*") if p.suffix.lower() in DOCUMENTS
    )
    found: dict[str, str] = {}
    if project.has_config:
        config = project.config
        named = [config.task.output_schema, config.task.rubric, *config.prompts.baseline, config.prompts.train]
        names += [n for n in named if n is not None]
        found["sluice.toml: description"] = config.task.description
    for name in dict.fromkeys(names):
        if (project.root / name).is_file():
            found[name] = project.read_text(name, what="a text of the project")
    return found


def _check_part(project: Project, dataset: str) -> None:
    if dataset.endswith("/eval"):
        base = dataset.removesuffix("/eval")
        train = f"{base}/train" if has_dataset(project, f"{base}/train") else "NAME, the rows to train on"
        raise UsageError(
            f"'{dataset}' holds the eval rows that other rows are held against: none of them is dropped, and none is "
            "trained on",
            remedy=f"sluice decontaminate {train}",
        )
    parts = parts_of(project, dataset)
    if f"{dataset}/eval" in parts:
        raise UsageError(
            f"'{dataset}' was split: its parts are what is trained and measured on",
            remedy=f"sluice decontaminate {dataset}/train",
        )
