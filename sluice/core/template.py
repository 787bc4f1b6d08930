"""Templates of prompt files: Jinja2 in a sandbox that is the same on every run.

What a template sees is the input's fields, each a text, under their own names and in the mapping `fields`. It reaches
no attribute of Python objects, no clock, no chance and no file. A template is a file of the project, so the sandbox
guards against accidents and against prompts taken over from others; it bounds loops, powers and repetition, but not
every way to waste memory. It knows nothing of blocks and messages.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Mapping, Sized
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, cast

from sluice.core.errors import InputError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import SandboxedEnvironment

LONGEST_RANGE = 1000  # turns of one loop over numbers: prompts list examples, they do not compute
LONGEST_REPEAT = 100_000  # characters that `text * number` may give
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN = frozenset({"fields", "loop", "self", "super", "caller", "varargs", "kwargs", "true", "false", "none"})


def plain_name(name: str) -> bool:
    """Return whether a field can be written as `{{ name }}`; others are written `{{ fields["name"] }}`."""
    return bool(_PLAIN.fullmatch(name)) and name not in _TAKEN and not keyword.iskeyword(name)


def literal(text: str) -> str:
    """Return a text as a Jinja2 string literal that gives it back exactly."""
    return json.dumps(text, ensure_ascii=False)  # Jinja2 reads the same escapes


def fill(name: str, text: str, fields: Mapping[str, str]) -> str:
    """Return the template filled in with an input's fields.

    Args:
        name: of the prompt, for messages.
        text: of the template.
        fields: texts by name. `{{ fields }}` is all of them; a field called `fields` is `{{ fields["fields"] }}`.

    Raises:
        InputError: a variable is undefined, something forbidden was done, or the template fails on this input.
    """
    from jinja2 import TemplateError, UndefinedError
    from jinja2.exceptions import SecurityError

    template = compile_template(name, text)
    try:
        return template.render(dict(fields) | {"fields": dict(fields)})
    except UndefinedError as problem:
        known = f"this input has the fields {', '.join(fields)}" if fields else "a chat has no fields"
        raise InputError(
            problem.message or "a variable is undefined",
            where=name,
            remedy=f"{known}; for one that may be absent write {{{{ name | default('') }}}}",
        ) from problem
    except (SecurityError, OverflowError) as problem:
        raise InputError(
            f"the template does something forbidden: {problem}", where=name, remedy="use fields, loops and filters only"
        ) from problem
    except (TemplateError, ArithmeticError, TypeError, ValueError, LookupError, AttributeError) as problem:
        raise InputError(f"the template fails: {problem}", where=name, remedy="mend the template") from problem
    except (RecursionError, MemoryError) as problem:
        raise InputError("the template does not come to an end", where=name, remedy="mend the template") from problem


def compile_template(name: str, text: str) -> Template:
    """Return the compiled template, from memory where it was compiled before. Raises InputError with the line."""
    from jinja2 import TemplateSyntaxError

    try:
        return _compiled(text)
    except TemplateSyntaxError as problem:
        raise InputError(
            f"not a Jinja2 template: {problem.message}", where=f"{name}:{problem.lineno}", remedy="mend that line"
        ) from problem
    except RecursionError as problem:
        raise InputError("the template is nested too deeply", where=name, remedy="mend the template") from problem


@lru_cache(maxsize=256)
def _compiled(text: str) -> Template:
    return _environment().from_string(text)


@cache
def _environment() -> SandboxedEnvironment:
    from jinja2 import StrictUndefined
    from jinja2.exceptions import SecurityError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Environment(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset({"*", "**"})

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**":
                raise SecurityError("powers")
            for value, times in ((left, right), (right, left)):
                if isinstance(times, int) and isinstance(value, Sized) and len(value) * times > LONGEST_REPEAT:
                    raise SecurityError(f"a repetition beyond {LONGEST_REPEAT} characters")
            return super().call_binop(context, operator, left, right)

    def short_range(*bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers) > LONGEST_RANGE:
            raise SecurityError(f"a range of more than {LONGEST_RANGE} numbers")
        return numbers

    def printable(value: Any) -> Any:
        if callable(value) and not isinstance(value, StrictUndefined):
            raise TypeError('a function is no text: call it, or write fields["name"] for a field of that name')
        return value

    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, finalize=printable)
    functions = cast("dict[str, Any]", environment.globals)  # pyright: ignore[reportUnknownMemberType]
    filters = cast("dict[str, Any]", environment.filters)  # pyright: ignore[reportUnknownMemberType]
    functions["range"] = short_range
    functions.pop("lipsum")  # chance has no place in a prompt
    filters.pop("random")
    filters["tojson"] = _tojson
    return environment


def _tojson(value: Any, indent: int | None = None) -> str:
    """JSON for a model to read: letters as they are and keys in order, where Jinja2's own is for HTML pages."""
    return json.dumps(value, ensure_ascii=False, indent=indent)
