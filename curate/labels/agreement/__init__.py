"""Agreement: how far the judgements of people can be trusted, in numbers. Judgements in, frozen records out.

`agree` gives all measures of agreement (overall, by label, annotator, pair and slice, with what is confused with what),
`pace` how fast people decide, `gold_accuracy` how often they are right where the answer is known. Nothing here knows of
files, stores or terminals; it imports `sluice.core`, numpy and scipy only.
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
