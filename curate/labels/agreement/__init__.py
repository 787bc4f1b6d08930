"""Agreement: how far the judgements of people can be trusted, in numbers. Judgements in, frozen records out.

`agree` gives all measures of agreement (overall, by label, annotator, pair and slice, with what is confused with what),
`pace` how fast people decide, `gold_accuracy` how often they are right where the answer is known. Nothing here knows of
files, stores or terminals; it imports `sluice.core`, numpy and scipy only.

Where a measure is not defined it is absent with its reason, never 1.0 and never nan: no judgement, one annotator, no
item that two people judged, one such item only. Where all judgements are one value, raw agreement is 1.0 and all
measures that take chance into account are absent: nothing shows that people can tell values apart (others print 1.0,
0.0 or nan). Where people agree on every item, the lower end is Wilson's, since a bootstrap of what never varies would
have no width. Where one value takes 80% of the judgements, the measure to read is AC1, else Krippendorff's alpha; the
record says which and why.
"""

from sluice.curate.labels.agreement.agree import Agreement, SliceAgreement, agree
from sluice.curate.labels.agreement.by_label import LabelAgreement
from sluice.curate.labels.agreement.gold import GoldAccuracy, Miss, gold_accuracy
from sluice.curate.labels.agreement.judgements import Judgement, Scale, Table, tabulate
from sluice.curate.labels.agreement.measure import Measure
from sluice.curate.labels.agreement.pace import Decision, HourPace, Pace, pace
from sluice.curate.labels.agreement.people import (
    AnnotatorAgreement,
    Confused,
    Confusion,
    PairAgreement,
    confusion,
)

__all__ = [
    "Agreement",
    "AnnotatorAgreement",
    "Confused",
    "Confusion",
    "Decision",
    "GoldAccuracy",
    "HourPace",
    "Judgement",
    "LabelAgreement",
    "Measure",
    "Miss",
    "Pace",
    "PairAgreement",
    "Scale",
    "SliceAgreement",
    "Table",
    "agree",
    "confusion",
    "gold_accuracy",
    "pace",
    "tabulate",
]
