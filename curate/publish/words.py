"""What only people can state of a dataset: title, licence, languages, who made it. From `card.toml` and options.

A value that is not stated stays None, and the card says so and how to state it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from sluice.core.errors import BadPath, InputError, UsageError
from sluice.core.project import Project

FILE = "card.toml"
OPTIONS = ("license", "language", "title")
"""Keys that the command line can state, too."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


class CardWords(BaseModel):
    """What people state; every key of card.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None = None
    license: str | None = None
    """An identifier of Hugging Face or SPDX (`cc-by-4.0`), or a name of its own."""
    language: tuple[str, ...] = ()
    """BCP 47 tags: `en`, `pt-BR`."""
    description: str | None = None
    creators: tuple[str, ...] = ()
    """Names of people."""
    publisher: str | None = None
    """Name of an organisation."""
    homepage: str | None = None
    citation: str | None = None
    tags: tuple[str, ...] = ()
    task_categories: tuple[str, ...] = ()
    """Identifiers of Hugging Face: `text-classification`, `question-answering`."""
    published: str | None = None
    """A date: `2026-01-31`."""


def read_words(project: Project, **stated: Any) -> CardWords:
    """Return what card.toml of the project says, and above it what was stated by hand (None and () say nothing).

    Raises InputError for a file that is no TOML, a key that there is not and a tag that is no language.
    """
    found = _read(project.root / FILE)
    found |= {name: value for name, value in stated.items() if value not in (None, ())}
    try:
        words = CardWords.model_validate(found)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(map(str, first["loc"]))
        known = ", ".join(CardWords.model_fields)
        what = f"no key is called '{key}'" if first["type"] == "extra_forbidden" else f"{key}: {first['msg'].lower()}"
        raise InputError(what, where=FILE, remedy=f"keys: {known}") from None
    for tag in words.language:
        if not _LANGUAGE.fullmatch(tag):
            raise UsageError(f"'{tag}' is no tag of a language", where="--language", remedy="write en, de or pt-BR")
    return words


def missing_words(words: CardWords, described: str | None) -> tuple[str, ...]:
    """Return the keys that a reader of the card will miss; a task's description stands for one of the card's own."""
    told = {
        "license": words.license,
        "language": words.language,
        "description": words.description or described,
        "creators": words.creators,
    }
    return tuple(key for key, value in told.items() if not value)


def how_to_state(missing: Sequence[str]) -> str:
    """Return how the keys that are missing are stated, in words; only license and language have options."""
    options = [f"--{key}" for key in missing if key in OPTIONS]
    keys = [key for key in missing if key not in OPTIONS]
    told = [f"options {', '.join(options)}"] if options else []
    return "; ".join([*told, *([f"{FILE}: {', '.join(keys)}"] if keys else [])])


def _read(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InputError(f"this is no TOML: {problem}", where=FILE, remedy="mend it, or take it away") from None
    except OSError as problem:
        raise BadPath(f"cannot be read: {problem.strerror}", where=FILE, remedy="check the file") from None
    return {
        name: _list(value) if name in ("language", "creators", "tags", "task_categories") else value
        for name, value in found.items()
    }


def _list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value
