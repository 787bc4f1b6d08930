"""What machines left in a text: wrongly decoded letters, HTML, unfilled templates, tokens of a chat format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sluice.core.rows import Example
from sluice.curate.checks.base import Check, CheckContext, CheckSpec, Examples, Found, file_check, told
from sluice.curate.checks.columns import CODE, cut

if TYPE_CHECKING:
    pass

HTML = (
    r"(?i)(</?(?:p|br|div|span|a|b|i|u|li|ul|ol|td|tr|th|table|tbody|h[1-6]|img|font|strong|em|script|style|html|body|"
    r"head|iframe|blockquote|hr|center|small|sup|sub)(?:\s[^<>]{0,300})?/?>|&(?:nbsp|amp|lt|gt|quot|apos|#\d{2,5}|"
    r"#x[0-9a-f]{2,5}|[aeiou](?:uml|acute|grave|circ|tilde)|szlig|ccedil|ntilde|euro|copy|rsquo|lsquo|rdquo|ldquo|"
    r"ndash|mdash|hellip|bull);|<!--|<!\[CDATA\[)"
)
"""Tags and entities of HTML by name: `<x>`, `a < b` and `AT&T;` are none."""
TEMPLATE = (
    r"(?i)(<\|(?:im_start|im_end|im_sep|endoftext|end|user|assistant|system|begin_of_text|end_of_text|eot_id|eom_id|"
    r"start_header_id|end_header_id|pad|eos|bos|endofprompt|fim_\w+)\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|"
    r"<(?:bos|eos|pad|unk)>|\{\{\s*[\w.|$ "
    r"-]{1,60}\s*\}\}|\{%-?\s*\w+[^%]{0,80}-?%\}|\$\{\s*\w[\w.]{0,40}\s*\}|<%=?[^%]{1,80}%>|"
    r"(?:^|\n)\s*#{2,3} ?(?:Instruction|Response|Input|Human|Assistant) "
    r"?:|(?:^|\n)\s*(?:Human|Assistant|USER|ASSISTANT): |"
    r"\[(?:your|insert|customer|recipient|company|first|last|client|agent)[ _'](?:[\w' ]{0,30})\]|\[name\]|"
    r"\bundefined undefined\b|\[object Object\]|\bLorem ipsum dolor\b)"
)
"""Tokens of chat formats (ChatML, Llama 2 and 3, Gemma, Alpaca, Vicuna), placeholders of Jinja, Mustache, ERB and
shells,
and what people write for one."""


@file_check
class Mojibake(Check):
    """Text that was decoded by the wrong table: `dÃ©jÃ ` for déjà, or the replacement character."""

    spec = CheckSpec(
        name="mojibake",
        severity="warn",
        what="a text was decoded by the wrong table",
        threshold="ftfy finds a sequence that wrong decoding makes and writing does not, and decoding it anew mends "
        "it; or "
        "the replacement character U+FFFD stands in it",
        source="Speer 2019, ftfy (doi 10.5281/zenodo.2591652), ftfy.badness",
        remedy="sluice add {dataset} FILE --fix-mojibake mends them; or sluice filter {dataset} --failing mojibake",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with such a text."""
        import polars as pl
        from ftfy import fix_encoding
        from ftfy.badness import BADNESS_RE

        texts = context.columns.every_text()
        suspect = texts.filter(pl.col("text").str.contains(r"[^\x00-\x7f]"))
        details: dict[int, str] = {}
        for i, field, text in suspect.iter_rows():  # badness is one expression with look-arounds: no column form
            hit = BADNESS_RE.search(text)
            if hit and fix_encoding(text) != text:
                details.setdefault(i, f"{field}: {cut(text[max(0, hit.start() - 15) : hit.end() + 15])}")
            elif "\ufffd" in text:
                where = text.index("\ufffd")
                details.setdefault(i, f"{field}: a lost character in {cut(text[max(0, where - 15) : where + 15])}")
        return told(context, details, len(context.rows), "hold wrongly decoded text")

    def examples(self) -> Examples:
        """Return UTF-8 read as Latin-1, and the same text as it was written."""
        asked = "Où est ma commande ? Elle a été payée déjà."
        return Examples(
            found=CheckContext(
                [Example(input={"text": asked.encode().decode("cp1252", "replace")}, target="delivery")]
            ),
            ok=CheckContext([Example(input={"text": asked}, target="“delivery” – naïve, 5 € 👍")]),
        )


@file_check
class Markup(Check):
    """HTML in text that is no HTML."""

    spec = CheckSpec(
        name="markup",
        severity="warn",
        what="a text holds HTML tags or entities",
        threshold="a tag or entity of HTML by its name, code apart; where half of the rows have them that is the task",
        source="HTML Living Standard, names of elements and of character references",
        remedy="sluice filter {dataset} --failing markup",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with a tag or an entity."""
        return _left_over(context, HTML, "hold HTML", "most rows hold HTML: is that the task?", code=True)

    def examples(self) -> Examples:
        """Return an entity and a tag, and comparisons that look like them."""
        return Examples(
            found=CheckContext([Example(input={"text": "Tom &amp; Ana,<br>where is it?"}, target="delivery")]),
            ok=CheckContext([Example(input={"text": "Use `<br>` if a < b and c > d; AT&T"}, target="delivery")]),
        )


@file_check
class Template(Check):
    """A placeholder that nobody filled, or a token of a chat format, which the chat template will add once more."""

    spec = CheckSpec(
        name="template",
        severity="warn",
        what="a text holds an unfilled placeholder or the tokens of a chat format",
        threshold="a token or role mark of ChatML, Llama, Gemma, Alpaca or Vicuna, a placeholder ({{name}}, ${name}, "
        "[Your Name], [object Object]), code apart; where half of the rows have them that is the task",
        source="the published chat templates of those models; the lists of their names in the code",
        remedy="sluice filter {dataset} --failing template",
    )

    def find(self, context: CheckContext) -> Found:
        """Return the rows with a placeholder or such a token."""
        usual = "most rows hold placeholders or tokens of a chat format: was the prompt rendered already?"
        return _left_over(context, TEMPLATE, "hold placeholders or tokens of a chat format", usual, code=True)

    def examples(self) -> Examples:
        """Return an answer with a token of ChatML, and one with brackets of its own."""
        asked = {"text": "Where is my parcel?"}
        return Examples(
            found=CheckContext([Example(input=asked, target="Dear [Customer Name], it is here.<|im_end|>")]),
            ok=CheckContext([Example(input=asked, target='{"name": "[sic]", "rate": {"a": 1}}')]),
        )


def _left_over(context: CheckContext, pattern: str, said: str, usual: str, *, code: bool) -> Found:
    import polars as pl

    texts = context.columns.every_text()
    looked = pl.col("text").str.replace_all(CODE, " ") if code else pl.col("text")
    likely = texts.filter(pl.col("text").str.contains(r"[<&\[{#$:]|undefined|Lorem"))
    hits = likely.select("i", "field", hit=looked.str.extract(pattern, 1)).drop_nulls("hit")
    details: dict[int, str] = {}
    for i, field, hit in hits.iter_rows():
        details.setdefault(i, f"{field}: {cut(hit)}")
    return told(context, details, len(context.rows), said, usual=usual)
