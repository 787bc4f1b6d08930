"""Names of people: found only by what the user brings, a spaCy model or a function of the project's own.

No pattern finds names with a precision that is of use, so without one they are not looked for, and results say so.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from sluice.core.errors import InputError
from sluice.curate.privacy.kind import Span
from sluice.curate.privacy.scan import Names

ABSENT = "names of people: absent, not looked for (--names spacy:MODEL or FILE.py:FUNCTION)"
PEOPLE = ("PERSON", "PER")
"""What spaCy's models call a person."""
_HOW = (
    "write spacy:MODEL (pip install spacy and the model), or FILE.py:FUNCTION, a function from a text to (start, end)"
)


def load_names(root: Path, spec: str) -> Names:
    """Return what finds names: `spacy:MODEL`, or `FILE.py:FUNCTION` in the project.

    The file is run as it stands: it is the user's own code.

    Raises InputError where there is no such model, file or function.
    """
    left, _, right = spec.rpartition(":")
    if not left or not right:
        raise InputError(f"'{spec}' names no finder of names", where="--names", remedy=_HOW)
    return _spacy(right) if left == "spacy" else _function(root, left, right)


def _spacy(model: str) -> Names:
    try:
        spacy: Any = importlib.import_module("spacy")
        pipeline = spacy.load(model)
    except (ImportError, OSError) as problem:
        raise InputError(f"the spaCy model '{model}' is not here: {problem}", where="--names", remedy=_HOW) from None

    def find(text: str) -> Iterator[Span]:
        for entity in pipeline(text).ents:
            if entity.label_ in PEOPLE:
                yield entity.start_char, entity.end_char

    return find


def _function(root: Path, file: str, function: str) -> Names:
    path = (root / file).resolve()
    if not path.is_file() or not path.is_relative_to(root.resolve()):
        raise InputError(f"there is no file {file} in the project", where="--names", remedy=_HOW)
    found = importlib.util.spec_from_file_location(f"_sluice_names_{path.stem}", path)
    if found is None or found.loader is None:
        raise InputError(f"{file} is no Python file", where="--names", remedy=_HOW)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    named = getattr(module, function, None)
    if not callable(named):
        raise InputError(f"{file} has no function '{function}'", where="--names", remedy=_HOW)
    return cast("Names", named)
