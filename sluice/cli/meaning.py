"""`--model` of the verbs that judge by meaning: an embedding model that is here, loaded where it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sluice.core.project import Project
    from sluice.curate.embeddings import Kept

model_option = click.option(
    "--model",
    metavar="FOLDER|ID",
    help="A sentence-transformers model that is here: the checks spread and label-errors then judge by meaning.",
)


def embedder(project: Project | None, model: str) -> Kept:
    """Return a model by folder or id; its vectors are kept in the cache of a project that has a store."""
    from sluice.curate.embeddings import Kept, load_embedder

    return Kept(load_embedder(model), project)
