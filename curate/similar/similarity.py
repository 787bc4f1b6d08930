"""The one similarity of Sluice, version 1: when two texts are the same, nearly the same, or one in the other.

Dedup, split, decontaminate and the gate all stand on this file. It knows texts, not rows: a text is a tuple of
segments (the fields of an input), n-grams never cross from one segment into the next. It finds copies, not meaning.

A *short* text (under 8 words, or in a script without spaces) is compared by character 5-grams, a long one by word
3-grams. A pair takes character 5-grams where either text is short, else word 3-grams: the sort is a property of the
pair, so near-equality is symmetric, and no text is compared with another by two different rulers.

    near-equal   Jaccard of the two n-gram sets is at least 0.7
    contained    at least 80% of the first text's n-grams are in the second; from 8 words (words) or 40 characters
                 (characters) on; by characters they must stand within a stretch 4 times the first text's length, since
                 a long document holds most character 5-grams of a language somewhere
    boilerplate  n-grams of a pinned list are left out. Where too little is left of both texts (under 6 word 3-grams,
                 16 character 5-grams) near-equality is judged by all n-grams; containment asks that 6 (36) are left

Equal texts (after `normalise`) are always near-equal, with share 1.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, field_validator

from sluice.core.errors import InputError
from sluice.curate.similar.densest import densest

VERSION = 1
NEAR_PERCENT = 70  # near-equal from a Jaccard of 0.7; compared in whole numbers, so that no rounding decides
CONTAINED_TENTHS = 8
SHORT_WORDS = 8
LONG_CHARACTERS = 40
STRETCH = 4
ENOUGH = {"word": 6, "char": 16}  # n-grams left for a text to be judged without its boilerplate: 8 words, 20 characters
ENOUGH_CONTAINED = {"word": 6, "char": 36}  # the n-grams of 8 words, of 40 characters
MANY = 20_000  # texts from which on compiled code makes their sets: fewer take less time than it takes to load
UNSPACED_SHARE = 0.25  # of a text's characters: from here on, blanks do not separate its words

Sort = Literal["word", "char"]
SORTS: tuple[Sort, ...] = ("word", "char")
Hashes = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Segments = tuple[str, ...]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_FNV_BASIS, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_IGNORED = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0xFE00, 0xFE10), 0x3164, 0xFFA0}
_IGNORED_PLANE = range(0xE0000, 0xE1000)


class CharacterFold(dict[int, str]):
    """Character table, filled as characters are met: blanks and punctuation fold to a blank, format ones go."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        if category == "Cf" or code in _IGNORED or code in _IGNORED_PLANE:
            folded = ""
        elif category[0] in "PZ" or category in ("Cc", "Sk") or chr(code) in "|~":
            folded = " "
        else:
            folded = chr(code)
        self[code] = folded
        return folded


FOLD = CharacterFold()


def normalise(text: str) -> str:
    """Return the form in which texts are compared: case folded, NFKC, without format characters, words one blank apart.

    Punctuation counts as a blank; symbols (+, $, emoji) stay. A text of nothing but punctuation keeps it, so that "?"
    and "!" are two texts.
    """
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    words = " ".join(folded.translate(FOLD).split())
    if not words:
        return " ".join("".join(c for c in folded if FOLD[ord(c)]).split())
    return words if words.isascii() else unicodedata.normalize("NFKC", words)


def is_short(segments: Segments) -> bool:
    """Return whether normalised segments are compared by characters: under 8 words, or a script without spaces."""
    if sum(s.count(" ") + 1 for s in segments if s) < SHORT_WORDS:
        return True
    if all(s.isascii() for s in segments):
        return False
    unspaced = sum(len(_UNSPACED.findall(s)) for s in segments)
    return unspaced >= UNSPACED_SHARE * sum(len(s) for s in segments)


@dataclass(frozen=True)
class Sets:
    """Sets of 64-bit n-gram hashes, one after the other: `flat` is sorted and unique within each of the sets."""

    flat: Hashes
    sizes: Numbers

    @cached_property
    def starts(self) -> Numbers:
        """The place in `flat` where each set begins, and the end of the last."""
        return np.concatenate(([0], np.cumsum(self.sizes))).astype(np.int64)

    @cached_property
    def owners(self) -> Numbers:
        """For each place of `flat`, the number of the set."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    def of(self, number: int) -> Hashes:
        """Return one set."""
        return self.flat[self.starts[number] : self.starts[number + 1]]

    def take(self, numbers: Numbers) -> Sets:
        """Return the sets of these numbers, in their order."""
        sizes = self.sizes[numbers]
        return Sets(self.flat[spread(self.starts[numbers], sizes)], sizes)

    def without(self, left_out: Hashes) -> Sets:
        """Return the sets without some n-grams (`left_out` sorted)."""
        if not len(left_out) or not len(self.flat):
            return self
        places = np.minimum(np.searchsorted(left_out, self.flat), len(left_out) - 1)
        stays = left_out[places] != self.flat
        return Sets(self.flat[stays], np.bincount(self.owners[stays], minlength=len(self.sizes)).astype(np.int64))


def spread(starts: Numbers, sizes: Numbers) -> Numbers:
    """Return the places start, start + 1, ... of each stretch, one stretch after the other."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - sizes), sizes)


def _finish(hashes: Hashes) -> Hashes:
    """Mix all bits (the finaliser of splitmix64, Steele et al. 2014)."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return hashes ^ (hashes >> np.uint64(31))


def _windows(symbols: Hashes, lengths: Numbers, width: int, salt: int) -> tuple[Hashes, Numbers]:
    """Return the hash of every window of `width` symbols that lies in one segment, and how many a segment has."""
    if not len(lengths):
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64)
    whole = np.ones(len(symbols), dtype=bool)
    ends = np.cumsum(lengths)
    for k in range(1, width):
        whole[ends - k] = False
    hashes = np.full(len(symbols) - width + 1, salt, dtype=np.uint64)
    for k in range(width):
        hashes = hashes * _MULTIPLIER + symbols[k : len(symbols) - width + 1 + k] + np.uint64(1)
    return _finish(hashes[whole[: len(hashes)]]), lengths - (width - 1)


def char_ngrams(segments: Sequence[str]) -> tuple[Hashes, Numbers]:
    """Return the character 5-grams of each segment in order, a blank before and after it: (hashes, how many each)."""
    padded = [f" {s} ".ljust(5) for s in segments]
    points = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    return _windows(points, np.array([len(p) for p in padded], dtype=np.int64), 5, 5)


def word_ngrams(segments: Sequence[str]) -> tuple[Hashes, Numbers]:
    """Return the word 3-grams of each segment in order (a segment under 3 words is one n-gram): (hashes, how many)."""
    known: dict[str, int] = {}
    flat: list[int] = []
    lengths: list[int] = []
    for segment in segments:
        words = segment.split(" ")
        words += [""] * (3 - len(words))
        lengths.append(len(words))
        flat += [known.setdefault(word, len(known)) for word in words]
    codes = _word_codes(list(known))
    return _windows(codes[np.array(flat, dtype=np.int64)], np.array(lengths, dtype=np.int64), 3, 3)


def _word_codes(words: Sequence[str]) -> Hashes:
    """Return the number of each word: FNV-1a of its UTF-8 bytes (Fowler, Noll, Vo 1991), mixed; 0 for the empty one."""
    encoded = [word.encode("utf-8", "surrogatepass") for word in words]
    lengths = np.array([len(e) for e in encoded], dtype=np.int64)
    order = np.argsort(-lengths, kind="stable")
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1][order].astype(np.int64)
    data = np.frombuffer(b"".join(encoded), dtype=np.uint8).astype(np.uint64)
    hashes = np.full(len(words), _FNV_BASIS, dtype=np.uint64)
    for place in range(int(lengths.max(initial=0))):  # the words that are longer than `place` come first
        more = int(np.searchsorted(-lengths[order], -place, side="left"))
        hashes[:more] = (hashes[:more] ^ data[starts[:more] + place]) * _FNV_PRIME
    codes = np.empty_like(hashes)
    codes[order] = np.where(lengths[order] > 0, _finish(hashes), np.uint64(0))
    return codes


_NGRAMS = {"word": word_ngrams, "char": char_ngrams}


def ngrams(text: str, sort: Sort | None = None) -> frozenset[int]:
    """Return the n-grams of one text as 64-bit numbers, equal on every machine.

    Without `sort`: character 5-grams where the text is short (`is_short`), else word 3-grams.
    """
    segment = normalise(text)
    sort = sort or ("char" if is_short((segment,)) else "word")
    return frozenset(int(h) for h in _NGRAMS[sort]([segment])[0]) if segment else frozenset()


def ngram_sets(texts: Sequence[Segments], sort: Sort, wanted: Mask | None = None) -> Sets:
    """Return the n-gram set of each text; an empty set where the text is empty or not wanted."""
    if len(texts) >= MANY:
        from sluice.curate.similar.many_sets import sets_of_many

        return sets_of_many(texts, sort, wanted)
    segments: list[str] = []
    owners: list[int] = []
    for number, text in enumerate(texts):
        if wanted is None or wanted[number]:
            for segment in text:
                if segment:
                    segments.append(segment)
                    owners.append(number)
    hashes, counts = _NGRAMS[sort](segments)
    owner = np.repeat(np.array(owners, dtype=np.int64), counts)
    order = np.lexsort((hashes, owner))
    hashes, owner = hashes[order], owner[order]
    first = np.ones(len(hashes), dtype=bool)
    first[1:] = (hashes[1:] != hashes[:-1]) | (owner[1:] != owner[:-1])
    return Sets(hashes[first], np.bincount(owner[first], minlength=len(texts)).astype(np.int64))


class Boilerplate(BaseModel):
    """The n-grams that are left out of comparisons, pinned with a frozen set. Hashes only: it holds no text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = VERSION
    """Of the similarity that these hashes belong to."""
    ngrams: tuple[str, ...] = ()
    """Sorted, 16 hex digits each; word 3-grams and character 5-grams together."""
    clusters: int = 0
    """How many clusters the first pass had."""

    @field_validator("ngrams")
    @classmethod
    def _hex(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if any(len(h) != 16 or not set(h) <= set("0123456789abcdef") for h in value):
            raise ValueError("an n-gram is 16 lower-case hex digits")
        return tuple(sorted(set(value)))

    @classmethod
    def of(cls, hashes: Iterable[int], clusters: int = 0) -> Boilerplate:
        """Return the list of these n-gram hashes."""
        return cls(ngrams=tuple(sorted({f"{int(h):016x}" for h in hashes})), clusters=clusters)

    @cached_property
    def hashes(self) -> Hashes:
        """The n-grams as sorted 64-bit numbers."""
        return np.array(sorted(int(h, 16) for h in self.ngrams), dtype=np.uint64)


class Prepared:
    """Texts with their n-gram sets, ready to be compared: what a `Relation` makes of normalised texts.

    Args:
        texts: per text its normalised segments.
        boilerplate: sorted hashes that are left out.
    """

    def __init__(self, texts: Sequence[Segments], boilerplate: Hashes):
        self.texts = list(texts)
        self.short: Mask = np.array([is_short(t) for t in self.texts], dtype=bool)
        self.characters: Numbers = np.array([sum(map(len, t)) + max(0, len(t) - 1) for t in self.texts], dtype=np.int64)
        self.all: dict[Sort, Sets] = {
            "word": ngram_sets(self.texts, "word", ~self.short),
            "char": ngram_sets(self.texts, "char"),
        }
        self.left: dict[Sort, Sets] = {sort: self.all[sort].without(boilerplate) for sort in SORTS}

    def __len__(self) -> int:
        return len(self.texts)

    def enough(self, sort: Sort) -> Mask:
        """Return which texts keep enough beside boilerplate to be judged by that, whatever the other text keeps."""
        left, every = self.left[sort].sizes, self.all[sort].sizes
        return (left == every) | (left >= ENOUGH[sort])

    def may_be_contained(self, sort: Sort) -> Mask:
        """Return which texts are long enough to be looked for inside others."""
        left, every = self.left[sort].sizes, self.all[sort].sizes
        long_enough = ~self.short if sort == "word" else self.characters >= LONG_CHARACTERS
        return long_enough & (every > 0) & ((left == every) | (left >= ENOUGH_CONTAINED[sort]))


class Relation:
    """The similarity with one boilerplate list. All methods are pure and give the same on every machine.

    Raises InputError for a list that was pinned by another version of the similarity.
    """

    def __init__(self, boilerplate: Boilerplate | None = None):
        self.boilerplate = boilerplate or Boilerplate()
        if self.boilerplate.version != VERSION:
            raise InputError(
                f"the boilerplate list is of similarity version {self.boilerplate.version}, not {VERSION}",
                remedy="use the Sluice that froze the set, or freeze a new set",
            )

    def prepare(self, texts: Sequence[Segments]) -> Prepared:
        """Return normalised texts with their n-gram sets."""
        return Prepared(texts, self.boilerplate.hashes)

    def near_equal(self, a: str, b: str) -> float | None:
        """Return the Jaccard similarity of two raw texts where it is at least 0.7, else None. Symmetric."""
        both = self.prepare([(normalise(a),), (normalise(b),)])
        if both.texts[0] == both.texts[1]:
            return 1.0
        sort: Sort = "char" if both.short.any() else "word"
        sets = both.left[sort] if both.enough(sort).any() else both.all[sort]
        hits = len(np.intersect1d(sets.of(0), sets.of(1), assume_unique=True))
        union = int(sets.sizes.sum()) - hits
        return hits / union if union and 100 * hits >= NEAR_PERCENT * union else None

    def contained(self, text: str, field: str) -> float | None:
        """Return the share of a text's n-grams that are in a field, where the text counts as contained, else None."""
        both = self.prepare([(normalise(text),), (normalise(field),)])
        sort: Sort = "char" if both.short.any() else "word"
        if not both.may_be_contained(sort)[0]:
            return None
        sets = both.left[sort]
        hits = len(np.intersect1d(sets.of(0), sets.of(1), assume_unique=True))
        if 10 * hits < CONTAINED_TENTHS * sets.sizes[0]:
            return None
        if sort == "char" and stretch(sets.of(0), both.texts[1][0], "char")[0] * 10 < CONTAINED_TENTHS * sets.sizes[0]:
            return None
        return hits / int(sets.sizes[0])


def stretch(wanted: Hashes, segment: str, sort: Sort, hashes: Hashes | None = None) -> tuple[int, str]:
    """Find the part of a field that holds most of a text.

    Args:
        wanted: the text's n-grams, sorted.
        segment: the field, normalised.
        sort: of the n-grams.
        hashes: the field's n-grams in order (`ngrams_in_order`), where they are known already.

    Returns how many different n-grams of the text stand within one stretch of the field at most 4 times as many
    n-grams long, and the words of the first such stretch that holds the most, trimmed to its first and last hit.
    """
    if hashes is None:
        hashes = ngrams_in_order(segment, sort)
    width = STRETCH * len(wanted)
    places = np.searchsorted(wanted, hashes)
    hit = wanted[np.minimum(places, len(wanted) - 1)] == hashes
    at, which = np.flatnonzero(hit), places[hit]
    best, best_from, best_to = densest(at, which, width, len(wanted))
    if not best:
        return 0, ""
    if sort == "word":
        return best, " ".join(segment.split(" ")[best_from : best_to + 3])
    return best, f" {segment} "[best_from : best_to + 5].strip()


def ngrams_in_order(segment: str, sort: Sort) -> Hashes:
    """Return the n-grams of one normalised segment as they stand, repeats included."""
    return _NGRAMS[sort]([segment])[0]
