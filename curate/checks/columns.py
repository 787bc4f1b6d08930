"""The texts of rows as columns: what checks of wording look at, made once and shared by all of them.

Which texts a row has depends on its kind, so they are gathered row by row, once; every check after that is a column
operation. A *prose* answer is one that reads as language: text, not a tool call, not JSON, not a label of few values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sluice.core.rows import AnyRow, Example, Messages, Preference, Text, input_texts

if TYPE_CHECKING:
    import polars as pl

FEWEST_WORDS = 5
"""Words from which on an answer is held to be a sentence: labels and slot values are shorter."""
CODE = r"(?s)```.*?(?:```|\z)|~~~.*?(?:~~~|\z)|`[^`\n]*`"
"""Fenced and inline code: what stands in it is no markup of the text around it."""


@dataclass(frozen=True)
class Columns:
    """One line a row, in order.

    `frame` has `i` (place of the row), `kind`, `input` (its texts but instructions, one a line), `asked` (the last turn
    of a user, of fields the whole input), `answer` (what the row
    teaches to give: target, chosen, an answer judged good; null where none), `rejected`, `call` (the answer is a tool
    call), `prose` (the answer or the text of a `text` row, where it reads as language; else null) and `words` of it.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, rows: Sequence[AnyRow]) -> Columns:
        """Gather the texts of rows."""
        import polars as pl

        frame = pl.DataFrame(
            [_texts(row) for row in rows],
            schema={
                "kind": pl.String,
                "input": pl.String,
                "asked": pl.String,
                "answer": pl.String,
                "rejected": pl.String,
                "call": pl.Boolean,
            },
            orient="row",
        ).with_row_index("i")
        body = pl.when(pl.col("kind") == "text").then("input").otherwise("answer")
        structured = body.str.contains(r"^\s*[{\[<]") & body.str.contains(r"[}\]>]\s*$")
        words = body.str.count_matches(r"\S+")
        prose = ~pl.col("call") & ~structured & (words >= FEWEST_WORDS)
        return cls(
            frame.with_columns(prose=pl.when(prose).then(body)).with_columns(
                words=pl.when(pl.col("prose").is_not_null()).then(words)
            )
        )

    def prose(self) -> pl.DataFrame:
        """Return the lines whose answer or text reads as language."""
        return self.frame.filter(self.frame["prose"].is_not_null())

    def texts(self) -> pl.DataFrame:
        """Return every text that is taught, one a line: `i`, `field` (`answer` or `text`), `text`."""
        import polars as pl

        body = pl.when(pl.col("kind") == "text").then("input").otherwise("answer")
        field = pl.when(pl.col("kind") == "text").then(pl.lit("text")).otherwise(pl.lit("answer"))
        return self.frame.select("i", "call", field=field, text=body).filter(pl.col("text").is_not_null())

    def every_text(self) -> pl.DataFrame:
        """Return input, answer and rejected answer, one a line: `i`, `field`, `text`."""
        import polars as pl

        whole = self.frame.filter(pl.col("kind") != "text")
        parts = [self.frame.select("i", field=pl.lit("input"), text="input")]
        parts += [whole.select("i", field=pl.lit(name), text=name) for name in ("answer", "rejected")]
        return pl.concat(parts).filter(pl.col("text").is_not_null() & (pl.col("text") != ""))


def folded(column: str) -> pl.Expr:
    """Return a column in lower case, blanks and punctuation folded to one blank: how two wordings are compared."""
    import polars as pl

    return pl.col(column).str.to_lowercase().str.replace_all(r"[\s\p{P}]+", " ").str.strip_chars()


def cut(text: str, width: int = 60) -> str:
    """Return a piece of text as it is shown in a detail: one line, personal data masked."""
    from sluice.curate.privacy import mask_personal

    line = mask_personal(" ".join(text.split()))
    return line if len(line) <= width else line[: width - 3] + "..."


def _texts(row: AnyRow) -> tuple[Any, ...]:
    if isinstance(row.input, Messages):
        turns = [t for t in row.input.turns if t.role not in ("system", "developer") and t.content]
        whole = "\n".join(t.content for t in turns)
        asked = next((t.content for t in reversed(turns) if t.role == "user"), whole)
    else:
        whole = asked = "\n".join(text for text in input_texts(row.input).values() if text)
    if isinstance(row, Example):
        return "example", whole, asked, row.target, None, row.target_form == "call"
    if isinstance(row, Preference):
        return "preference", whole, asked, row.chosen, row.rejected, False
    if isinstance(row, Text):
        return "text", whole, asked, None, None, False
    return "unpaired", whole, asked, row.answer if row.good else None, None, False
