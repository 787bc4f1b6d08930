"""Labels: which of them are likely wrong (confident learning), ranked for a person to look at.

`agreement/` measures how far people agree, `models/` makes one label of what several people and rules said.

May import `sluice.core`. cleanlab and scikit-learn come with the extra `labels` and are imported where they are used.
"""
