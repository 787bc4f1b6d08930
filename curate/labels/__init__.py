"""Labels: what people say of rows, how far they agree, what becomes of it, and which labels are likely wrong.

`record` and `log` keep decisions, `question` says what is asked, `session` leads one person through rows, `settle` and
`apply` make a version of what was said; `agreement/` measures how far people agree, `models/` makes one label of what
several people and rules said; `confident`, `review` and `relabel` find labels that are likely wrong and take them back.

May import `sluice.core` and the rest of `sluice.curate`. cleanlab, scikit-learn and crowd-kit come with the extra
`labels` and are imported where they are used.
"""
