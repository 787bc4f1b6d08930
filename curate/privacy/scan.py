"""Find personal data in a text: where it stands, of which kind, and a form that may be shown.

It knows nothing of rows; `sluice.curate.checks.personal` and `sluice.curate.redact` walk those.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sluice.core.errors import InputError
from sluice.curate.privacy.contact import EMAIL, IP, PHONE, regions_of
from sluice.curate.privacy.kind import Kind, Regions, Span
from sluice.curate.privacy.national import NATIONAL
from sluice.curate.privacy.payment import CARD, IBAN
from sluice.curate.privacy.secrets import SECRET

KINDS: tuple[Kind, ...] = (SECRET, IBAN, CARD, EMAIL, *NATIONAL, IP, PHONE)
"""In order of proof: what an earlier kind has taken, a later one does not name again."""
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}
NAME = "name"
"""The kind of what a finder of names finds: it has no pattern."""
MAYBE = r"[0-9@]|PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|[rs]k_|sk-|AIza|hf_|npm_|SG\.|eyJ"
"""What every hit has in it or in the text around it: a digit, an @, or how a key that may do without digits begins.
Rust's regex reads it over whole columns, too."""
Names = Callable[[str], Iterable[Span]]
"""Finds the names of people in a text: yields (start, end). See sluice.curate.privacy.names."""


@dataclass(frozen=True)
class Hit:
    """One place: `text[start:end]` is of `kind`; `masked` is all of it that may be shown."""

    kind: str
    start: int
    end: int
    masked: str


def chosen_kinds(names: Collection[str] | None) -> tuple[Kind, ...]:
    """Return kinds by name, in order of proof; all for None. Raises InputError for a name that is none."""
    if names is None:
        return KINDS
    if not names:  # an empty shell variable: nothing would be looked for, and that reads like a clean set
        raise InputError("no kind of personal data is named", remedy="leave the option away for all kinds")
    unknown = [n for n in names if n not in BY_NAME and n != NAME]
    if unknown:
        raise InputError(
            f"no kind of personal data is called '{unknown[0]}'", remedy=f"known: {', '.join((*BY_NAME, NAME))}"
        )
    return tuple(kind for kind in KINDS if kind.name in names)


def find_personal(
    text: str,
    regions: Regions = None,
    *,
    kinds: tuple[Kind, ...] = KINDS,
    names: Names | None = None,
) -> list[Hit]:
    """Return every proven hit in order of place; where kinds overlap, the one with the stronger proof is kept.

    Args:
        text: any text.
        regions: countries whose national phone numbers are read; None: those of the text's language.
        kinds: what is looked for.
        names: finds names of people; None: they are not looked for.
    """
    hits: list[Hit] = []
    taken: list[tuple[int, int]] = []  # disjoint, sorted

    def take(kind: str, start: int, end: int, masked: str) -> None:
        i = bisect_left(taken, (start, end))
        if (i and taken[i - 1][1] > start) or (i < len(taken) and taken[i][0] < end):
            return
        insort(taken, (start, end))
        hits.append(Hit(kind, start, end, masked))

    for kind in kinds:
        if kind.hint(text):
            for start, end in kind.spans(text, regions):
                take(kind.name, start, end, kind.mask(text[start:end]))
    for start, end in names(text) if names is not None else ():
        if 0 <= start < end <= len(text):
            take(NAME, start, end, f"{text[start]}***")
    return sorted(hits, key=lambda hit: hit.start)


def normal_value(kind: str, value: str, text: str, regions: Regions = None) -> str:
    """Return the one spelling of a value that all its spellings share.

    Args:
        kind: name of a kind.
        value: as it was found.
        text: the text around it, whose language tells the country of a national phone number.
        regions: as for `find_personal`.
    """
    if kind == NAME:
        return " ".join(value.casefold().split())
    if kind == PHONE.name and "+" not in value and not value.startswith("00"):
        regions = regions_of(text, regions)
    return BY_NAME[kind].normal(value, regions)


def mask_personal(text: str) -> str:
    """Return the text with each hit in its masked form, all else untouched: for excerpts that people see."""
    parts: list[str] = []
    at = 0
    for hit in find_personal(text):
        parts += [text[at : hit.start], hit.masked]
        at = hit.end
    return "".join([*parts, text[at:]])
