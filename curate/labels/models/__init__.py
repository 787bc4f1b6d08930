"""Label models: one label an item out of what several people and rules said, and how far each is to be believed.

`combine` runs one of MODELS: `majority` (counts votes, names ties), `dawid-skene` (an error matrix of each annotator)
and `mace` (who knows and who guesses); the last two by crowd-kit, which comes with the extra `labels`. What they give
is a suggestion, never a person's label. `combine_sets` does the same for several labels an item. May import
`sluice.curate.labels.agreement` and `sluice.core`.
"""

from sluice.curate.labels.models.combine import MODELS, combine
from sluice.curate.labels.models.result import Combined, ItemLabel, Reliability
from sluice.curate.labels.models.sets import combine_sets

__all__ = ["MODELS", "Combined", "ItemLabel", "Reliability", "combine", "combine_sets"]
