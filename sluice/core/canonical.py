"""Exact JSON: reading that loses nothing, and the one canonical form that hashes are taken over.

Three jobs, each one function: `parse_exact` reads a JSON document and refuses what Python's reader would silently
bend (duplicate keys, NaN, half a surrogate pair, floats that would lose digits); `dump_exact` writes a value back in
its own key order; `canonical` gives the text that is hashed (docs/formats.md, "Canonical form"). It knows nothing of
rows or files.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from sluice.core.errors import InputError

LONGEST_POSITIONAL = 400  # digits: above the 309 of the largest float, so that every float has one spelling
DEEPEST = 128  # levels of nesting: what other readers (Arrow, serde) take too, and far from the interpreter's stack
LONGEST_INT = 4000  # digits: CPython refuses to convert longer texts to int, Decimal does not
_POSITIONAL_END = 10**LONGEST_POSITIONAL
_INT_END = 10**LONGEST_INT
_PLAIN_END = 10**18
_HALF = re.compile("[\ud800-\udfff]")  # no whole pair is two of these in a Python text


class JsonProblem(ValueError):
    """A JSON text that cannot be read exactly: the reason, and line and column (from 1) where they are known."""

    def __init__(self, reason: str, column: int | None = None, line: int | None = None):
        super().__init__(reason)
        self.reason = reason
        self.column = column
        self.line = line


def parse_exact(text: str) -> Any:
    """Read one JSON document without losing anything.

    Numbers become int where they are written as integers, float where the shortest form of the float equals the
    literal, else Decimal. Raises JsonProblem for broken JSON, duplicate keys, NaN and Infinity, unpaired surrogates,
    exponents beyond 18 digits and nesting deeper than 128 levels.
    """
    try:
        if text.startswith("\ufeff"):
            raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
        value = _DECODER.decode(text)
    except json.JSONDecodeError as problem:
        raise JsonProblem(f"broken JSON: {problem.msg}", problem.colno, problem.lineno) from None
    except RecursionError:
        raise JsonProblem("nested too deeply") from None
    if text.count("[") + text.count("{") > DEEPEST and _deeper(value, DEEPEST):
        raise JsonProblem("nested too deeply")
    if (not text.isascii() and _HALF.search(text)) or ("\\u" in text and _has_surrogate(value)):
        raise JsonProblem("half a surrogate pair")
    return value


def structure_of(text: str | None) -> dict[str, Any] | list[Any] | None:
    """Return the JSON object or list that a text is, read exactly; None where it is anything else."""
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return parse_exact(text)
    except JsonProblem:
        return None


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise JsonProblem(f"the key {key!r} occurs twice in one object")
            seen.add(key)
    return result


def _parse_float(literal: str) -> float | Decimal:
    number = float(literal)
    try:
        exact = Decimal(literal)
    except InvalidOperation:
        raise JsonProblem(f"a number with an exponent of more than 18 digits: {literal[:40]}") from None
    if math.isfinite(number) and Decimal(repr(number)) == exact:
        return number
    return exact


def _parse_int(literal: str) -> int | Decimal:
    return int(literal) if len(literal) <= LONGEST_INT else Decimal(literal)


def _refuse_constant(name: str) -> Any:
    raise JsonProblem(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_float=_parse_float, parse_int=_parse_int, parse_constant=_refuse_constant
)
"""Made once: json.loads makes one for every text where it is given hooks."""


def _deeper(value: Any, levels: int) -> bool:
    layer: list[Any] = [value]
    for _ in range(levels):
        inner: list[Any] = []
        for item in layer:
            if isinstance(item, dict):
                inner.extend(cast("dict[str, Any]", item).values())
            elif isinstance(item, list):
                inner.extend(cast("list[Any]", item))
        layer = [item for item in inner if isinstance(item, (dict, list))]
        if not layer:
            return False
    return True


def _has_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return _HALF.search(value) is not None
    if isinstance(value, dict):
        return any(_has_surrogate(k) or _has_surrogate(v) for k, v in cast("dict[str, Any]", value).items())
    if isinstance(value, list):
        return any(_has_surrogate(v) for v in cast("list[Any]", value))
    return False


def dump_exact(value: Any) -> str:
    """Write a value as compact JSON, keys in their own order, nulls kept, numbers with all their digits."""
    return _write(value, canonical_form=False, drop_null=False)


def canonical(value: Any, *, drop_null: bool = False) -> str:
    """Return the canonical text of a JSON value.

    Strings in Unicode NFC; object keys sorted by code point; numbers by value (100, 100.0 and 1e2 are equal), with all
    their digits; no blanks. With `drop_null`, a null value of an object equals an absent key (inputs of named fields).
    Raises InputError where two keys of one object become one under NFC, or a number is not finite.
    """
    return _write(value, canonical_form=True, drop_null=drop_null)


def sha256_hex(prefix: str, text: str) -> str:
    """Return the SHA-256 (64 hex digits) of `prefix`, a line feed, and the UTF-8 bytes of `text`.

    Raises InputError for half a surrogate pair, which UTF-8 cannot write.
    """
    try:
        return hashlib.sha256(f"{prefix}\n{text}".encode()).hexdigest()
    except UnicodeEncodeError:
        raise InputError("a text holds half a surrogate pair", remedy="mend the text: it is no Unicode") from None


_IN_ORDER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True)


def _write(value: Any, *, canonical_form: bool, drop_null: bool) -> str:
    """Return the text of a value: by C where what C writes is surely the same, else piece by piece."""
    try:
        if _is_plain(value, drop_null):
            text = (_SORTED if canonical_form else _IN_ORDER).encode(value)
            # every character that JSON escapes is a starter that composes with nothing, and so is the quote around
            # each text: a text within that is not NFC leaves the whole not NFC
            if not canonical_form or text.isascii() or unicodedata.is_normalized("NFC", text):
                return text
    except RecursionError:
        pass  # refused below, with a reason
    return _write_pieces(value, canonical_form=canonical_form, drop_null=drop_null)


def _is_plain(value: Any, drop_null: bool) -> bool:
    """Return whether a value is of texts, booleans, nulls, short whole numbers, and lists and objects of them.

    Numbers with a point, long numbers, keys that are no text, nulls to be dropped and subclasses are not plain.
    """
    kind = cast("type[Any]", type(value))
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -_PLAIN_END < value < _PLAIN_END
    if kind is dict:
        for key, item in cast("dict[Any, Any]", value).items():
            if type(key) is not str or (item is None and drop_null):
                return False
            if type(item) is not str and not _is_plain(item, drop_null):
                return False
        return True
    if kind is list or kind is tuple:
        for item in cast("list[Any]", value):  # noqa: SIM110  # a generator costs more than what it looks at
            if type(item) is not str and not _is_plain(item, drop_null):
                return False
        return True
    return False


def _write_pieces(value: Any, *, canonical_form: bool, drop_null: bool) -> str:
    out: list[str] = []

    def walk(v: Any) -> None:
        if v is None:
            out.append("null")
        elif isinstance(v, bool):
            out.append("true" if v else "false")
        elif isinstance(v, str):
            out.append(json.dumps(unicodedata.normalize("NFC", v) if canonical_form else v, ensure_ascii=False))
        elif isinstance(v, (int, float, Decimal)):
            out.append(_number(v) if canonical_form else _literal(v))
        elif isinstance(v, dict):
            walk_object(cast("dict[Any, Any]", v))
        elif isinstance(v, (list, tuple)):
            out.append("[")
            for i, item in enumerate(cast("list[Any]", v)):
                if i:
                    out.append(",")
                walk(item)
            out.append("]")
        else:
            raise InputError(f"a value of type {type(v).__name__} has no JSON form", remedy="give it as text")

    def walk_object(v: dict[Any, Any]) -> None:
        items: list[tuple[str, Any]] = []
        for key, item in v.items():
            if not isinstance(key, str):
                raise InputError(f"an object key is {type(key).__name__}, not text", remedy="write keys as text")
            if not (drop_null and item is None):
                items.append((unicodedata.normalize("NFC", key) if canonical_form else key, item))
        if canonical_form:
            items.sort(key=lambda pair: pair[0])
            for (left, _), (right, _) in itertools.pairwise(items):
                if left == right:
                    raise InputError(f"two keys are the same text {left!r} once composed (NFC)", remedy="rename one")
        out.append("{")
        for i, (key, item) in enumerate(items):
            out.append("," if i else "")
            out.append(json.dumps(key, ensure_ascii=False))
            out.append(":")
            walk(item)
        out.append("}")

    try:
        walk(value)
    except RecursionError:
        raise InputError("nested too deeply", remedy="flatten the value, or give it as text") from None
    return "".join(out)


def _literal(number: int | float | Decimal) -> str:
    if isinstance(number, float):
        if not math.isfinite(number):
            raise InputError(f"{number} is not a JSON number", remedy="leave it out, or give it as text")
        return repr(number)
    if isinstance(number, Decimal):
        if not number.is_finite():
            raise InputError(f"{number} is not a JSON number", remedy="leave it out, or give it as text")
        return str(number)
    return str(number) if -_INT_END < number < _INT_END else str(Decimal(number))


def _number(number: int | float | Decimal) -> str:
    """Spell a number by its value: positional up to 400 digits, beyond that as digits and exponent."""
    if isinstance(number, int) and -_POSITIONAL_END < number < _POSITIONAL_END:
        return str(number)
    exact = Decimal(_literal(number))
    sign, digits, exponent = exact.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    power = int(exponent)
    stripped = text.rstrip("0")
    power += len(text) - len(stripped)
    minus = "-" if sign else ""
    if power >= 0 and len(stripped) + power <= LONGEST_POSITIONAL:
        return minus + stripped + "0" * power
    if power < 0 and -power <= LONGEST_POSITIONAL:
        whole, part = stripped[:power] or "0", stripped[power:].rjust(-power, "0")
        return f"{minus}{whole}.{part}"
    return f"{minus}{stripped}e{power}"
