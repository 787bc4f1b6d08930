"""Ask a model all rows of a part under one prompt, as a run on disk that goes on where it was cut.

One renderer, one decoding, one form. Knows nothing of grades; writes no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sluice.core.canonical import sha256_hex
from sluice.core.errors import InputError, Tampered
from sluice.core.paths import default_cache_dir
from sluice.core.progress import Progress
from sluice.core.project import Project
from sluice.core.prompt import Prompt, rendered_hash
from sluice.core.rows import Example
from sluice.core.runs import Decoding, Run, RunSpec, Stop, StoredAnswer, find_run, rows_hash
from sluice.evalsuite.models.identity import ModelFiles, ModelIdentity, identify

if TYPE_CHECKING:
    from sluice.evalsuite.generate import Answer
    from sluice.evalsuite.models.local import LocalModel

Role = Literal["baseline", "eval", "reference", "sampled"]


@dataclass(frozen=True)
class Form:
    """Precision, quantisation and device that answer: a verdict needs one form on both sides."""

    dtype: str
    quantisation: str | None
    device: str
    threads: int | None = None

    @property
    def name(self) -> str:
        """What the ledger calls it, as `bfloat16` or `float32/nf4`."""
        return self.dtype + (f"/{self.quantisation}" if self.quantisation else "")


def spec_for(
    files: ModelFiles,
    form: Form,
    prompt: Prompt,
    rows: Sequence[Example],
    *,
    role: Role,
    on: str,
    max_new_tokens: int,
    adapter: str | None = None,
    identity: ModelIdentity | None = None,
    decoding: Decoding | None = None,
) -> RunSpec:
    """Return the spec of asking `rows` under `prompt`: the question's name is its hash.

    Args:
        decoding: how answers are drawn, greedy by default; `max_new_tokens` is put in.
        identity: of the model's files, where it is known already; else every file that changed is hashed here.
    """
    identity = identity or identify(files, default_cache_dir())
    ordered = sorted(rows, key=lambda r: r.row)
    return RunSpec(
        role=role,
        label=prompt.name if adapter is None else f"{prompt.name}+adapter",
        base=identity.name,
        base_sha256=identity.sha256,
        adapter=adapter,
        prompt=prompt.model_dump(mode="json"),
        prompt_sha256=prompt.sha256,
        form=form.name,
        decoding=(decoding or Decoding(max_new_tokens=0)).model_copy(update={"max_new_tokens": max_new_tokens}),
        on=on,
        rows_sha256=rows_hash(r.row for r in rows),
        rendered_sha256=rendered_hash(prompt.render(r.input) for r in ordered),
    )


def ask(
    project: Project,
    model: Callable[[], LocalModel],
    spec: RunSpec,
    prompt: Prompt,
    rows: Sequence[Example],
    *,
    progress: Progress | None = None,
) -> Run:
    """Answer every row as often as the decoding says, where answers are missing, and close the run.

    A closed run of the same spec is returned as it is.

    Args:
        model: gives the loaded model; called only where an answer is missing.
        spec: what is asked, from `spec_for`.
        rows: the rows, unlike each other.

    Raises:
        InputError: no rows.
    """
    if not rows:
        raise InputError("there is no row to ask", where=spec.on, remedy="sluice split")
    run = find_run(project, spec) or Run.start(project, spec)
    run.check()
    answers = run.answers()
    decoding = spec.decoding
    missing = [(r, k) for r in rows for k in range(decoding.samples) if (r.row, k) not in answers]
    if missing:
        from sluice.evalsuite.generate import Sampling, generate

        def keep(index: int, answer: Answer) -> None:
            run.append(_stored(*missing[index], answer))

        messages: list[list[dict[str, Any]]] = [prompt.render(r.input) for r, _ in missing]
        sampling = None
        if float(decoding.temperature) > 0:  # each answer has draws of its own, so that a cut run goes on alike
            seeds = tuple(
                int(sha256_hex("sluice/draws/1", f"{decoding.seed} {r.row} {k}")[:16], 16) for r, k in missing
            )
            sampling = Sampling(float(decoding.temperature), seeds)
        generate(
            model(),
            messages,
            max_new_tokens=decoding.max_new_tokens,
            sampling=sampling,
            progress=progress,
            on_answer=keep,
        )
    if run.closed is None:
        run.close()
    return run


def _stored(row: Example, repeat: int, answer: Answer) -> StoredAnswer:
    stop: Stop = answer.stop
    return StoredAnswer(
        row=row.row,
        input=row.input_hash,
        repeat=repeat,
        text=answer.text,
        stop=stop,
        prompt_tokens=answer.prompt_tokens,
        new_tokens=answer.new_tokens,
        seconds=round(answer.seconds, 4),
    )


class ModelOnDemand:
    """Loads a model once, when it is first needed, with an adapter where one is named.

    Its answers are recorded under `base_sha256`, so the files are hashed afresh as they are loaded: a hash that is
    remembered by size and time is believed by nobody who was not there.
    """

    def __init__(
        self,
        files: ModelFiles,
        form: Form,
        base_sha256: str,
        adapter: Path | None = None,
        progress: Progress | None = None,
    ):
        self.files = files
        self.form = form
        self.base_sha256 = base_sha256
        self.adapter = adapter
        self.progress = progress
        self._loaded: LocalModel | None = None

    def __call__(self) -> LocalModel:
        """Return the model. Raises Tampered where its files are not those that the answers would be recorded of."""
        if self._loaded is None:
            if self.progress:
                self.progress(f"loading {self.files.name} ({self.form.name})", 0, 0)
            from sluice.evalsuite.models.local import load

            self._loaded = load(
                self.files,
                dtype=self.form.dtype,  # type: ignore[arg-type]
                device=self.form.device,
                adapter=self.adapter,
                quantisation=self.form.quantisation,  # type: ignore[arg-type]
            )
            # after loading, so that files put in place just before it are the ones that are hashed
            found = identify(self.files, default_cache_dir(), use_cache=False, progress=self.progress)
            if found.sha256 != self.base_sha256:
                self._loaded = None
                raise Tampered(
                    f"the files of {self.files.name} are not those whose hash is remembered: nothing is asked of it",
                    where=str(self.files.folder),
                    remedy="look at what changed them; the next call asks the model as it is now",
                )
        return self._loaded
