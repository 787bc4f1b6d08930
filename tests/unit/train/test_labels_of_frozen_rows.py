"""An eval part whose labels change is another version; the frozen set that was made of it stays what it is."""

from __future__ import annotations

from support import whole_project

from sluice.core.ledger import Ledger
from sluice.core.rows import Example
from sluice.curate.dataset import open_dataset
from sluice.curate.labels.apply import apply_labels
from sluice.curate.labels.choose import written_task
from sluice.curate.labels.question import ask
from sluice.curate.labels.say import say
from sluice.evalsuite.sets import deciding_set


def test_a_labelled_eval_part_names_the_set_that_keeps_its_targets(tmp_path):
    project, _ = whole_project.whole_project(tmp_path)
    before = deciding_set(project, Ledger(project).read())
    assert before is not None
    assert before.frozen is not None
    part = before.frozen.manifest.dataset
    first = before.frozen.rows[0]
    assert isinstance(first, Example)
    question = ask("classify", labels=(str(first.target), "something else"), written=written_task(project))
    say(project, part, first.row[:12], "something else", question, by="ana")
    done = apply_labels(project, part, question)
    assert (done.labelled, done.frozen) == (1, (before.frozen.name,))
    assert first.row not in set(open_dataset(project, part).frame()["row"])
    after = deciding_set(project, Ledger(project).read())
    assert after is not None
    assert (after.word, after.sha256) == ("intact", before.sha256)
