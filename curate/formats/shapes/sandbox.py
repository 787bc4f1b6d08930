"""Templates of `--map`: Jinja2 over one record, cut down until its cost is bounded by its length and the record's.

A record is a stranger's text and a mapping may be copied from a web page, so what could be abused is not there: no
calls and no methods, no attributes of Python objects (a dot reads a key), no assignments, macros, imports or includes,
no multiplication, power or `%` on texts, and only filters whose output is not longer than what they are given, or is
checked. A loop counts its turns over the whole render. One record then takes at most so many steps, and no clock
decides what is read. Knows nothing of rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from sluice.core.canonical import JsonProblem, dump_exact, parse_exact
from sluice.core.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

LONGEST = 10_000_000
"""Characters that one field of one record may come to: far beyond any context window."""
MOST_TURNS = 100_000
"""Turns of all loops of one template over one record."""
MOST_SECONDS = 10.0
"""A guard behind the counts, for what they do not foresee; sound templates take microseconds."""
LONGEST_TEMPLATE = 20_000
FILTERS = (
    "abs",
    "capitalize",
    "count",
    "d",
    "default",
    "first",
    "items",
    "last",
    "length",
    "list",
    "lower",
    "max",
    "min",
    "reverse",
    "round",
    "sort",
    "string",
    "sum",
    "title",
    "trim",
    "unique",
    "upper",
    "wordcount",
)
"""Jinja2's own filters that are kept. join, replace, split, tojson and fromjson are ours, and int and float, which make
up no 0 for a text that is no number."""
_STRUCTURE = ("Template", "Output", "TemplateData", "Name", "Const", "Getitem", "Getattr", "Slice", "Filter", "Test")
_LOGIC = ("Compare", "Operand", "Not", "And", "Or", "CondExpr", "If", "For", "Concat", "Add", "Sub", "Neg", "Pos")
_PLAIN = {"Mul": "a multiplication", "Pow": "a power", "Mod": "a %", "Assign": "{% set %}"}
_VALUES = ("List", "Tuple", "Dict", "Pair", "Keyword")
_ALLOWED = frozenset((*_STRUCTURE, *_LOGIC, *_VALUES))


def compile_mapping(field: str, text: str) -> tuple[Template, frozenset[str]]:
    """Return the compiled template of a field and the names that it reads.

    Raises InputError for what is no template and for what a mapping may not do.
    """
    from jinja2 import TemplateError, TemplateSyntaxError, meta

    where, environment = f"--map {field}", _environment()
    if len(text) > LONGEST_TEMPLATE:
        raise InputError(f"a template of {len(text):,} characters", where=where, remedy="map columns, one by one")
    try:
        tree = environment.parse(text)
        _refuse_more(tree, where)
        return environment.from_string(text), frozenset(meta.find_undeclared_variables(tree))
    except TemplateSyntaxError as problem:
        raise InputError(f"not a template: {problem.message}", where=where, remedy="mend it") from None
    except TemplateError as problem:
        raise InputError(f"not a template: {problem}", where=where, remedy="mend it") from None
    except RecursionError:
        raise InputError("the template is nested too deeply", where=where, remedy="write it shorter") from None


def fill(field: str, template: Template, record: Mapping[str, Any]) -> str:
    """Return a template filled in with the columns of a record. Raises InputError: the record is then set aside."""
    from jinja2 import TemplateError
    from jinja2.exceptions import SecurityError

    budget = _Budget()
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate({**record, "record": record, _BUDGET: budget}):
            size += len(piece)
            if size > LONGEST:
                raise SecurityError(f"it comes to more than {LONGEST:,} characters")
            pieces.append(piece)
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as problem:
        raise InputError(f"--map {field}: {problem or type(problem).__name__}") from None
    except (RecursionError, MemoryError):
        raise InputError(f"--map {field}: it does not come to an end") from None
    return "".join(pieces)


_BUDGET = "_sluice_budget"


class _Budget:
    """What is left of the turns and the time of one render."""

    def __init__(self) -> None:
        self.turns = MOST_TURNS
        self.end = time.monotonic() + MOST_SECONDS

    def spend(self) -> None:
        from jinja2.exceptions import SecurityError

        self.turns -= 1
        if self.turns < 0:
            raise SecurityError(f"loops of more than {MOST_TURNS:,} turns")
        if time.monotonic() > self.end:
            raise SecurityError(f"it takes more than {MOST_SECONDS:.0f} seconds")


def _refuse_more(tree: Any, where: str) -> None:
    """Raise InputError for the first part of a template that a mapping may not have."""
    from jinja2 import nodes

    known = sorted(name for name in _environment().filters if not name.startswith("_"))
    for node in tree.find_all(nodes.Node):
        kind = type(node).__name__
        what = None
        if isinstance(node, nodes.Call):
            what = "a call; filters do: {{ body | trim }}"
        elif isinstance(node, nodes.Filter) and node.name not in known:
            what = f"the filter {node.name!r}; known are {', '.join(known)}"
        elif isinstance(node, nodes.For) and node.recursive:
            what = "a recursive loop"
        elif isinstance(node, (nodes.Name, nodes.Getattr)) and _hidden(node):
            what = f"the name {getattr(node, 'attr', None) or getattr(node, 'name', '')}, which no column may have"
        elif kind not in _ALLOWED:
            what = _PLAIN.get(kind, f"'{kind.lower()}', which is not allowed")
        if what is not None:
            line = getattr(node, "lineno", 1)
            raise InputError(f"line {line} of the template holds {what}", where=where, remedy="map columns and filters")


def _hidden(node: Any) -> bool:
    name = getattr(node, "attr", None) or getattr(node, "name", "")
    return name.startswith("__") or name == _BUDGET


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined, nodes
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        def getattr(self, obj: Any, attribute: str) -> Any:
            return self.getitem(obj, attribute)

        def getitem(self, obj: Any, argument: Any) -> Any:
            if isinstance(obj, dict):
                return obj[argument] if argument in obj else self.undefined(obj=obj, name=argument)
            if isinstance(obj, (list, str, tuple)) and isinstance(argument, (int, slice)):
                try:
                    return obj[argument]
                except IndexError:
                    return self.undefined(f"there is no element {argument}")
            if hasattr(obj, "index0") and argument in ("index", "index0", "first", "last", "length", "revindex"):
                return getattr(obj, argument)  # `loop`
            return self.undefined(obj=obj, name=argument)

        def _generate(self, source: Any, *args: Any, **kwargs: Any) -> str:
            for loop in list(source.find_all(nodes.For)):
                counted = nodes.Filter(loop.iter, "_counted", [nodes.Name(_BUDGET, "load")], [], None, None)
                loop.iter = counted.set_lineno(loop.lineno).set_environment(self)
            return super()._generate(source, *args, **kwargs)

    environment = Environment(
        undefined=StrictUndefined, keep_trailing_newline=True, finalize=_printed, autoescape=False, cache_size=0
    )
    own = cast("dict[str, Callable[..., Any]]", environment.filters)
    kept = {name: own[name] for name in FILTERS}
    own.clear()
    own.update(kept, join=_join, replace=_replace, split=_split, tojson=dump_exact, fromjson=_fromjson)
    own.update(int=int, float=float, _counted=_counted)
    environment.globals.clear()
    return environment


def _printed(value: Any) -> Any:
    """Return what a value is as text: absent cells nothing, texts as they are, everything else compact JSON."""
    from jinja2 import Undefined

    if value is None:
        return ""
    if isinstance(value, (str, Undefined)):
        return value
    return dump_exact(list(value) if isinstance(value, Iterator) else value)


def _counted(values: Iterable[Any], budget: _Budget) -> Iterator[Any]:
    for value in values:
        budget.spend()
        yield value


def _join(values: Iterable[Any], separator: str = "") -> str:
    texts = [str(_printed(value)) for value in values]
    _fits(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _replace(text: str, old: str, new: str) -> str:
    if not old:
        raise ValueError("replace needs a text to look for")
    _fits(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _split(text: str, separator: str | None = None) -> list[str]:
    return text.split(separator)


def _fromjson(text: str) -> Any:
    try:
        return parse_exact(text)
    except JsonProblem as problem:
        raise ValueError(f"fromjson: {problem.reason}") from None


def _fits(size: int) -> None:
    from jinja2.exceptions import SecurityError

    if size > LONGEST:
        raise SecurityError(f"it comes to more than {LONGEST:,} characters")
