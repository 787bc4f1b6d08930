"""Questions that users write: one expression of `filter`, or a SELECT of a check of their own.

A question is parsed by DuckDB, its tree is held against a list of what may stand in it, its names are resolved against
the rows, and it is answered in a database of its own that holds these rows and can reach nothing else. May import
`sluice.core` and, of curate, what reads rows. SQL of the catalogue is elsewhere.
"""
