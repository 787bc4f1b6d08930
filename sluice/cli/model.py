"""The model and form that verbs measure and train with: found, probed, and said aloud once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sluice.cli.terminal import Terminal
    from sluice.core.project import Project
    from sluice.evalsuite.asking import Form
    from sluice.evalsuite.models.identity import ModelFiles
    from sluice.evalsuite.probe import Probe


class Bench(NamedTuple):
    """What answers and what trains."""

    files: ModelFiles
    form: Form
    probe: Probe


def base_model(out: Terminal, project: Project) -> Bench:
    """Return the task's base model with the form that is measured; fetches the model where it is missing."""
    from sluice.core.paths import default_cache_dir
    from sluice.evalsuite.forms import check_precision, measured_form

    if project.config.model.serve:
        check_precision(project.config.model.serve)
    out.note("loading the libraries for models ...")
    from sluice.evalsuite.models.store import resolve_model
    from sluice.evalsuite.probe import probe

    cache = default_cache_dir()
    model = project.config.model
    template = project.read_text(model.chat_template, what="the chat template") if model.chat_template else None
    files = resolve_model(model.base, cache, out.progress, chat_template=template)
    found = probe(cache)
    return Bench(files, measured_form(project, found), found)
