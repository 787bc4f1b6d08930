"""How an answer is read: the one place where fences, prose, several answers and numbers are dealt with.

Two readings, always side by side. The *strict* one gives the score: the whole answer is the value, at most inside one
Markdown fence, because every program that takes a model's output strips a fence, and a tuned model that merely lost
the habit must not look better for it. The *lenient* one says what the answer would have been worth to a patient
reader. Neither knows what is compared; they return values, or a reason why there is none.
"""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from sluice.core.canonical import JsonProblem, canonical, parse_exact
from sluice.core.errors import InputError

JSON_READING = (
    "Strict: the whole answer, blanks around it aside, is one JSON document, bare or inside one Markdown fence. "
    "Lenient: else the first complete JSON object, or list of objects, that stands in the answer, whatever prose or "
    "repetition is around it. In both: a key that occurs twice, NaN, Infinity, half a surrogate pair and nesting "
    "beyond 100 levels are unparsed; numbers are compared by value with all their digits (29 = 29.0 = 2.9e1), true is "
    "not 1."
)
DEEPEST = 100  # levels: no task's answer is that deep, a degenerate model's "[[[[" is
MOST_STARTS = 1000  # opening brackets that are tried in prose before giving up

_FENCE = re.compile(r"\A(`{3,}|~{3,})[ \t]*[\w+-]*[ \t]*\r?\n?(.*?)\s*\1\Z", re.DOTALL)
_BLANKS = " \t\r\n\f\v\u00a0\ufeff"
_DECODER = json.JSONDecoder()
# Brackets and quotes by Unicode category, and the punctuation of sentences and of Markdown. Signs that carry meaning
# (% # @ & + $ / and every minus) stay.
_OUTER = frozenset(".,;:!?\"'*_`…。、，．！？；：·¿¡")
_OUTER_CATEGORIES = frozenset({"Ps", "Pe", "Pi", "Pf"})
# Phrases that open a refusal; read only where no value could be read.
_REFUSAL = re.compile(
    r"^\W*(?:i(?:'| a)?m (?:sorry|unable|not able)|sorry\b|i apologi[sz]e"
    r"|i (?:can ?not|can't|won't|will not|must decline)|as an? (?:ai|language model)|unfortunately,? i)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class JsonReading:
    """What was read as JSON: a value, or the reason why there is none."""

    found: bool
    value: Any = None
    problem: str | None = None


def trim(text: str) -> str:
    """Return the text without the blanks around it (byte-order mark and no-break space included)."""
    return text.strip(_BLANKS)


def unfence(text: str) -> str:
    """Return what stands inside the one Markdown fence that is the whole text, or the text itself."""
    text = trim(text)
    fenced = _FENCE.match(text)
    return trim(fenced.group(2)) if fenced else text


def read_json(answer: str) -> JsonReading:
    """Read an answer strictly: one JSON document, bare or in one fence."""
    return _parse(unfence(answer))


def find_json(answer: str) -> JsonReading:
    """Read an answer leniently: strictly where that works, else the first object, or list of objects, in it."""
    strict = read_json(answer)
    if strict.found and isinstance(strict.value, (dict, list)):
        return strict
    starts = 0
    for opening in re.finditer(r"[{\[]", answer):
        starts += 1
        if starts > MOST_STARTS:
            break
        try:
            _, end = _DECODER.raw_decode(answer, opening.start())
        except (ValueError, RecursionError):
            continue
        inner = _parse(answer[opening.start() : end])
        # "[1]" is a footnote and "[]" a tick box more often than an answer: a list counts when it holds an object.
        if inner.found and (isinstance(inner.value, dict) or any(isinstance(v, dict) for v in inner.value)):
            return inner
    return strict


def _parse(text: str) -> JsonReading:
    if not text:
        return JsonReading(False, problem="the answer is empty")
    try:
        value = parse_exact(text)
    except JsonProblem as problem:
        return JsonReading(False, problem=str(problem))
    except ArithmeticError:
        return JsonReading(False, problem="a number beyond any bounds")
    if _too_deep(value):
        return JsonReading(False, problem="nested too deeply")
    try:
        canonical(value)
    except InputError as problem:
        return JsonReading(False, problem=problem.message)
    return JsonReading(True, value)


def _too_deep(value: Any) -> bool:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            return True
        level = [
            child for v in level if isinstance(v, (dict, list)) for child in (v.values() if isinstance(v, dict) else v)
        ]
    return False


def normalise(text: str) -> str:
    """Return the text as `normalised` and `choice` compare it.

    Case folded, Unicode NFKC, runs of blanks as one, punctuation around it dropped. A minus, a percent sign and a
    leading decimal point belong to the number beside them and stay. Applying it twice changes nothing.
    """
    while True:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
        folded = " ".join(folded.replace("\ufeff", " ").split())
        stripped = _strip_outer(folded) or folded
        if stripped == text:
            return text
        text = stripped


def _strip_outer(text: str) -> str:
    start, end = 0, len(text)
    while start < end and _is_outer(text[start]) and not _opens_number(text, start):
        start += 1
    while end > start and _is_outer(text[end - 1]):
        end -= 1
    return text[start:end].strip()


def _is_outer(char: str) -> bool:
    return char in _OUTER or char.isspace() or unicodedata.category(char) in _OUTER_CATEGORIES


def _opens_number(text: str, at: int) -> bool:
    return text[at] == "." and text[at + 1 : at + 2].isdigit()


def looks_like_refusal(answer: str) -> bool:
    """Return whether the answer is blank or opens with a stock phrase of refusing (English only)."""
    return not trim(answer) or _REFUSAL.match(trim(answer).replace("\u2019", "'")) is not None


def stands_as_words(label: str, text: str) -> list[tuple[int, int]]:
    """Return the spans at which `label` stands in `text` as whole words; both normalised.

    Scripts that write no blanks between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) and Korean, whose
    particles join the word, have no word edge to ask for.
    """
    spans: list[tuple[int, int]] = []
    at = text.find(label)
    while at >= 0:
        end = at + len(label)
        if _edge(text, at) and _edge(text, end):
            spans.append((at, end))
        at = text.find(label, at + 1)
    return spans


def _edge(text: str, at: int) -> bool:
    if at <= 0 or at >= len(text):
        return True
    left, right = text[at - 1], text[at]
    joined = (left.isalnum() or left == "_") and (right.isalnum() or right == "_")
    return not joined or _no_word_edges(left) or _no_word_edges(right)


def _no_word_edges(char: str) -> bool:
    code = ord(char)
    return (
        0x0E00 <= code <= 0x0EFF  # Thai, Lao
        or 0x1000 <= code <= 0x109F  # Burmese
        or 0x1780 <= code <= 0x17FF  # Khmer
        or 0x3040 <= code <= 0x30FF  # kana
        or 0x3400 <= code <= 0x9FFF  # Han
        or 0xAC00 <= code <= 0xD7AF  # Hangul syllables
        or 0x20000 <= code <= 0x3134F  # Han, later planes
    )
