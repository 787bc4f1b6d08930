"""What a name in a question means, and its values: a column of the row, a field, a place in the target, a feature.

    row kind input target chosen rejected answer good     the row itself (`input`: its texts, one a line)
    input.NAME  metadata.NAME  target.NAME.NAME           a field, a column beside the row, a place in a JSON answer
    NAME                                                  any of these where only one is so called
    input_chars input_words target_chars target_words     characters and words
    tokens                                                as rendered for training, where there is a tokenizer
    language similarity labels                            of the input (ISO 639-1); of input and target (0 to 1); rows
                                                          with the same target
    computed.NAME                                         a feature whose name a column has as well

Only what a question names is worked out. Values of one sort stay numbers, booleans or lists of texts; mixed ones are
text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import dump_exact, structure_of
from sluice.core.errors import InputError
from sluice.core.progress import watched
from sluice.core.rows import AnyRow, Messages
from sluice.curate.checks.base import CheckContext

if TYPE_CHECKING:
    import polars as pl

OWN = ("row", "kind", "input", "target", "chosen", "rejected", "answer", "good")
FEATURES = ("input_chars", "input_words", "target_chars", "target_words", "tokens", "language", "similarity", "labels")
PLACES = ("input", "metadata", "target", "computed")
Values = list[Any]


class Names:
    """The names over the rows of a context; values are worked out when they are asked for."""

    def __init__(self, context: CheckContext):
        self.context = context
        self._known: dict[tuple[str, ...], tuple[str, Values | pl.Series]] = {}

    @property
    def rows(self) -> Sequence[AnyRow]:
        """The rows that are asked about."""
        return self.context.rows

    def fields(self) -> dict[str, None]:
        """Return the names of all input fields, in order of appearance."""
        return dict.fromkeys(k for r in self.rows if not isinstance(r.input, Messages) for k in r.input)

    def columns(self) -> dict[str, None]:
        """Return the names of all columns beside the rows."""
        return dict.fromkeys(k for beside in self.context.metadata.values() for k in beside)

    def target_keys(self) -> dict[str, None]:
        """Return the names at the top of JSON answers."""
        return dict.fromkeys(k for value in self._targets() if isinstance(value, dict) for k in cast("Any", value))

    def values(self, path: Sequence[str], where: str) -> tuple[str, Values | pl.Series]:
        """Return (the whole name, the values) of a path such as `("target", "category")`.

        Raises InputError for a name that nothing has, with the near ones, and for one that two things have.
        """
        key = tuple(path)
        if key not in self._known:
            self._known[key] = self._look_up(key, where)
        return self._known[key]

    def _look_up(self, path: tuple[str, ...], where: str) -> tuple[str, Values | pl.Series]:
        first, rest = path[0], path[1:]
        if first in PLACES and rest:
            return self._at(first, rest, where)
        if first in OWN and not rest:
            return first, self._own(first)
        homes = [
            ("computed", first in FEATURES and not rest),
            ("input", first in self.fields()),
            ("metadata", first in self.columns()),
        ]
        found = [home for home, has in homes if has]
        if not found and first in self.target_keys():
            found = ["target"]
        if len(found) > 1:
            choices = " or ".join(f"{home}.{first}" for home in found)
            raise InputError(f"two things are called '{first}'", where=where, remedy=f"write {choices}")
        if not found:
            raise self._unknown(path, where)
        return self._at(found[0], path, where)

    def _at(self, home: str, path: tuple[str, ...], where: str) -> tuple[str, Values | pl.Series]:
        name = ".".join((home, *path))
        if home == "computed":
            if len(path) != 1 or path[0] not in FEATURES:
                raise self._unknown((home, *path), where)
            return path[0], self._feature(path[0], where)
        if home == "target":
            sources: Values = self._targets()
        elif home == "input":
            sources = [None if isinstance(r.input, Messages) else r.input for r in self.rows]
        else:
            sources = [self.context.metadata.get(r.row) for r in self.rows]
        values = [_step(source, path) for source in sources]
        if all(value is None for value in values) and not any(_has(source, path) for source in sources):
            raise self._unknown((home, *path), where)
        return name, one_sort(values)

    def _unknown(self, path: tuple[str, ...], where: str) -> InputError:
        known = {**dict.fromkeys((*OWN, *FEATURES)), **self.fields(), **self.columns()}
        known |= {f"target.{key}": None for key in self.target_keys()}
        known |= {
            f"{home}.{k}": None for home, ks in (("input", self.fields()), ("metadata", self.columns())) for k in ks
        }
        name = ".".join(path)
        near = get_close_matches(name, known, n=2) or get_close_matches(path[-1], known, n=2)
        listed = ", ".join(k for k in known if not k.startswith(("input.", "metadata.")))
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {listed}"
        return InputError(f"no column is called '{name}'", where=where, remedy=hint)

    def _targets(self) -> Values:
        key = ("", "targets")
        if key not in self._known:
            known: dict[str, Any] = {}
            answers = self.context.columns.frame["answer"].to_list()
            for answer in watched(answers, "targets read", len(answers), self.context.progress):
                if answer is not None and answer not in known:
                    known[answer] = structure_of(answer)
            self._known[key] = ("", [None if a is None else known[a] for a in answers])
        return cast("Values", self._known[key][1])

    def _own(self, name: str) -> Values | pl.Series:
        if name == "row":
            return [row.row for row in self.rows]
        if name == "input":
            return self.context.columns.frame["input"]
        if name == "target":
            return self.context.columns.frame["answer"]
        return [getattr(row, name, None) for row in self.rows]

    def _feature(self, name: str, where: str) -> Values | pl.Series:
        import polars as pl

        frame = self.context.columns.frame
        side, _, unit = name.partition("_")
        if unit in ("chars", "words"):
            column = pl.col("input" if side == "input" else "answer")
            counts = column.str.len_chars() if unit == "chars" else column.str.count_matches(r"\S+")
            return frame.select(counts.cast(pl.Int64)).to_series()
        if name == "language":
            from sluice.curate.checks.language import languages_of

            return languages_of(frame["asked"].to_list(), self.context)
        if name == "labels":
            counts = Counter(frame["answer"].to_list())
            return [None if a is None else counts[a] for a in frame["answer"].to_list()]
        if name == "similarity":
            return self._similarity()
        return self._tokens(where)

    def _similarity(self) -> Values:
        from sluice.curate.similar.shares import shares

        frame = self.context.columns.frame.select("asked", "answer")
        has = frame["answer"].is_not_null().to_list()
        pairs = [(asked, answer) for asked, answer in frame.iter_rows() if answer is not None]
        found = iter(shares(pairs, self.context.progress))
        return [next(found) if answered else None for answered in has]

    def _tokens(self, where: str) -> Values:
        count: Callable[[AnyRow], int] | None = self.context.count_tokens
        if count is None:
            raise InputError(
                "tokens cannot be counted: no tokenizer of the base model is here",
                where=where,
                remedy="use target_words or input_chars, or name a base in sluice.toml ([model] base)",
            )
        return [count(row) for row in watched(self.rows, "tokens", len(self.rows), self.context.progress)]


def one_sort(values: Values) -> Values:
    """Return values of one sort: booleans, integers, floats, texts, lists of texts as they are, all else as text."""
    given = [v for v in values if v is not None]
    kinds = {type(v) for v in given}
    if kinds <= {str} or kinds == {bool}:
        return values
    if kinds <= {int} and all(-(2**63) <= v < 2**63 for v in given):
        return values
    if float in kinds and kinds <= {int, float}:
        return [None if v is None else float(v) for v in values]
    if kinds == {list} and all(isinstance(item, str) for v in given for item in v):
        return values
    return [v if v is None or isinstance(v, str) else dump_exact(v) for v in values]


def _step(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return None
        value = cast("Mapping[str, Any]", value)[step]
    return value


def _has(value: Any, path: Sequence[str]) -> bool:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return False
        value = cast("Mapping[str, Any]", value)[step]
    return True
