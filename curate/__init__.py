"""Curation: rows come in, become immutable dataset versions, are cleaned, split, audited and written out again.

`dataset` and `catalogue` hold versions, `operation` and `drops` what an operation did and why; `formats`, `duplicates`,
`checks` and `privacy` are rooms of their own. It never calls a language model and needs no torch. It may import
`sluice.core` only.
"""
