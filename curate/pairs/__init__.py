"""Preference pairs, and what becomes of them: `sluice pairs`.

A source (one file each: `choices`, `ratings`, `corrections`, `samples`, `gold`, `feedback`) says which answer was
preferred to which, by whom and by how much; `rules` takes those that teach something; `build` makes them a version of
kind `preference`, or `unpaired`; `audit` measures what tells chosen from rejected beside their worth. Reads label
records and stored runs, and asks no model. May import the rest of `sluice.curate` and `sluice.core`.
"""
