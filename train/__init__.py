"""The gate, and what lies behind it: plans, recipes, adapters, the verdict on an adapter.

`evidence` collects facts, `rules/` judges them one by one, `gate` is the pure function over all of them, and
`recipes/spine` is the only way to a training step: it evaluates the four hard rules on exactly the rows it trains on.
May import curate, evalsuite and core; nothing here knows a terminal.
"""
