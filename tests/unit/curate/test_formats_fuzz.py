"""Mutated files of every form: never anything but rows, lines set aside, or one clear error; all lines accounted for.

`tests/fuzz/read_file.py` goes on from here by coverage, for as long as one lets it.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.core.errors import SluiceError
from sluice.curate.formats import ReadOptions
from tests.support.mutated import OPTIONS, SOUND, attempt

TELLING = [
    b"\0",
    b"\n",
    b"\r",
    b'"',
    b",",
    b";",
    b"{",
    b"}",
    b"[",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\\u",
    b"NaN",
]
options = st.sampled_from(OPTIONS)


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, bytes]:
    """A sound file with a few bytes changed, put in, taken out, doubled, or cut."""
    name = draw(st.sampled_from(sorted(SOUND)))
    data = bytearray(SOUND[name])
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        what = draw(st.sampled_from(["set", "put", "take", "cut", "double", "flip"]))
        if what == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif what == "flip" and data:
            data[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "put":
            data[at:at] = draw(st.sampled_from(TELLING) | st.binary(max_size=4))
        elif what == "take":
            del data[at : at + draw(st.integers(1, 8))]
        elif what == "cut":
            del data[at:]
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 200))]
    return name, bytes(data)


@pytest.mark.parametrize("name", sorted(SOUND))
@pytest.mark.parametrize("how", OPTIONS)
def test_the_sound_files_are_sound(name: str, how: ReadOptions):
    result = attempt(name, SOUND[name], how)
    assert not isinstance(result, SluiceError), result
    assert len(result.rows) >= 2


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(), options)
def test_a_mutated_file_is_rows_set_aside_or_one_clear_error(file: tuple[str, bytes], how: ReadOptions):
    attempt(*file, how)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(SOUND)),
    st.binary(max_size=300) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")),
    options,
)
def test_any_bytes_under_any_name(name: str, data: bytes, how: ReadOptions):
    attempt(name, data, how)


def test_a_reading_that_is_shown_has_no_line_ends_of_its_own():
    """Found by coverage: bytes that an EBCDIC code page reads as a line feed."""
    attempt("rows.txt", bytes.fromhex("bb962560455bbaad9f6ac372720a2e"), OPTIONS[1])


def test_every_cut_of_every_form():
    for name, data in SOUND.items():
        places = range(len(data)) if len(data) < 500 else random.Random(0).sample(range(len(data)), 60)
        for at in places:
            attempt(name, data[:at], OPTIONS[0])
