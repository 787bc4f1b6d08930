"""Judged answers: `prompt`, `completion` and a label that says good or bad (TRL's form for KTO).

The label is `label` or `kto_tag`: true or false, 1 or 0, good or bad, desirable or undesirable. A column `label` whose
values are something else is no judgement, and the file then holds prompts and completions.
"""

from __future__ import annotations

from sluice.core.errors import InputError
from sluice.core.rows import AnyRow, Unpaired, chat_judged
from sluice.curate.formats.shapes.base import SHAPES, Built, Reading, Record, Seen, Shape
from sluice.curate.formats.shapes.prompts import answer_list, prompt_source
from sluice.curate.formats.shapes.turns import checked, judged, with_weights

LABELS, ANSWERS = ("label", "kto_tag"), ("completion", "output", "response")
ENOUGH = 0.5  # of the labels are judgements; below that the column is a class


def fits(seen: Seen) -> bool:
    """Return whether a file holds a prompt, an answer and judgements."""
    parts = _parts(seen)
    if parts is None or prompt_source(seen) is None:
        return False
    labels = [r[parts[1]] for r in seen.records if parts[1] in r]
    return not seen.records or sum(judged(v) is not None for v in labels) > ENOUGH * len(labels)


def _parts(seen: Seen) -> tuple[str | None, str] | None:
    """Return (the column of the answer, None where it closes a chat; the column of the label)."""
    label = next((name for name in LABELS if name in seen.columns), None)
    answer = next((name for name in ANSWERS if name in seen.columns), None)
    if label is None or (answer is None and label == "label"):
        return None
    return answer, label


def read(seen: Seen) -> Reading:
    """Return how judged answers are read."""
    parts, source = _parts(seen), prompt_source(seen)
    if parts is None or source is None:
        raise InputError(
            "a judged answer needs prompt, completion and label",
            where=str(seen.path),
            remedy="map columns: --map input='{{ question }}' --map answer='{{ reply }}' --map good='{{ ok }}'",
        )
    answer, label = parts

    def build(record: Record) -> AnyRow | Built:
        good = judged(record.get(label))
        if good is None:
            said = record.get(label)
            raise InputError("no label" if said is None else f"{label} is {said!r}: neither good (true, 1) nor bad")
        prompt = source.read(record)
        if answer is None:
            turns = prompt.turns or []
            return with_weights(checked(chat_judged(turns[:-1], turns[-1:], good, prompt.tools)), turns, taken=record)
        turns = answer_list(record.get(answer), seen, answer)
        if prompt.turns is None:
            if turns is not None:
                raise InputError("the prompt is no list of messages, but the answer is one")
            return checked(Unpaired(input=prompt.fields or {}, answer=record[answer], good=good))
        said = turns if turns is not None else [{"role": "assistant", "content": record[answer]}]
        row = checked(chat_judged(prompt.turns, said, good, prompt.tools))
        return with_weights(row, prompt.turns, said, taken=record)

    used = source.used | {label} | ({answer} if answer else set())
    return Reading("unpaired", "judged answers", frozenset(used), build)


SHAPES.register("unpaired")(
    Shape(
        name="unpaired",
        title="judged answers",
        help="prompt, completion, label (true or false, 1 or 0, good or bad)",
        examples=({"prompt": "Where is my parcel?", "completion": "On its way.", "label": True},),
        fits=fits,
        read=read,
    )
)
