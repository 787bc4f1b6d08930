"""Evaluation: frozen eval sets, models that answer, graders, runs, statistics, baselines and the verdict.

`freeze` pins a set, `baselines` measures how far a prompt gets, `openings` guards the set from then on, `verdict` and
`compare` say what the scores show. torch and transformers are loaded by `models`, `generate` and `probe` when a model
answers, scipy by `stats` when a number is asked for. It may import `sluice.curate` and `sluice.core`.
"""
