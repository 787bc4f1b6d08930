"""jsonl and json: one object a line, and one list of them. Numbers with all their digits, keys in their own order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sluice.curate.formats.encoders.base import ENCODERS, Encoder, Line, Survey, compact, exact


def encode_lines(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield one object a line."""
    for line in lines:
        yield (compact(line) + "\n").encode()


def encode_list(lines: Iterable[Line], survey: Survey) -> Iterator[bytes]:
    """Yield one list with one object a line."""
    before = b"[\n"
    for line in lines:
        yield before + compact(line).encode()
        before = b",\n"
    yield b"\n]\n"


ENCODERS.register("jsonl")(
    Encoder("jsonl", (".jsonl", ".ndjson"), "one JSON object a line", encode_lines, exact, False, True)
)
ENCODERS.register("json")(Encoder("json", (".json",), "one JSON list of objects", encode_list, exact, False, True))
